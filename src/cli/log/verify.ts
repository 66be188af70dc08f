import type { LogDamage, LogInspection, LogVerdict } from '../../log/index.js'
import { inspectLog, NodeDisk } from '../../log/index.js'
import { exitCodes, logExitCodes } from '../exit-codes.js'
import { runInspection } from './progress.js'
import { type CheckedSnapshot, checkSnapshots, usableSnapshot } from './snapshots.js'

/** What `verify` found in a folder, as `--json` prints it. */
export interface LogVerification {
  readonly verdict: LogVerdict
  readonly log: LogInspection
  readonly snapshots: readonly CheckedSnapshot[]
}

/** Checks every byte of a log and of its snapshots. @throws LogError as `inspectLog`. */
export async function verifyLog(directory: string, progress: boolean): Promise<LogVerification> {
  // Before the log: a snapshot gets its name when the log is on disk up to there.
  const before = await checkSnapshots(directory)
  const log = (await runInspection(inspectLog(new NodeDisk(), directory), { progress })) as LogInspection
  const snapshots = before.map((snapshot) => withPlace(snapshot, log))
  const verdict = snapshots.some(({ reason }) => reason !== undefined) ? 'corrupt' : log.verdict
  if (log.firstLsn === 0 || before.length === 0 || usableSnapshot(snapshots, log.firstLsn)) {
    return { verdict, log, snapshots }
  }
  // Retention may have moved on while the log was read: then a newer snapshot reaches back far enough.
  if (usableSnapshot(await checkSnapshots(directory), log.firstLsn)) return { verdict, log, snapshots }
  const damage = [...log.damage, noSnapshot(log)]
  return { verdict: 'corrupt', log: { ...log, damage, verdict: 'corrupt' }, snapshots }
}

/** A snapshot above the log's end means that a part of the log is missing; opening refuses it. */
function withPlace(snapshot: CheckedSnapshot, log: LogInspection): CheckedSnapshot {
  const { header, reason } = snapshot
  // Damage below it is reported by itself.
  const endLsn = log.lastWholeEndLsn
  if (!header || reason !== undefined || header.endLsn <= endLsn) return snapshot
  return { ...snapshot, reason: `it was taken at LSN ${header.endLsn}, but the log ends at ${endLsn}` }
}

function noSnapshot({ firstLsn, segments }: LogInspection): LogDamage {
  return {
    kind: 'missing',
    severity: 'corrupt',
    file: segments[0]!.path,
    offset: 0,
    lsn: firstLsn,
    endLsn: firstLsn,
    wholeEndLsn: firstLsn,
    recordsKept: 0,
    reason: 'the log begins here, and no valid snapshot of this build reaches so far back',
  }
}

export function exitCodeOfVerdict(verdict: LogVerdict): number {
  return verdict === 'valid' ? exitCodes.ok : logExitCodes[verdict]
}

/** A verification without what only this process can use. */
export function verificationJson({ verdict, log, snapshots }: LogVerification): string {
  return JSON.stringify({
    ...log,
    verdict,
    segments: log.segments.map(({ header, ...segment }) => ({
      ...segment,
      contentVersion: header?.contentVersion,
      epoch: header?.epoch.toString(16).padStart(16, '0'),
    })),
    snapshots: snapshots.map(({ path: file, header, reason }) => ({ file, ...header, reason })),
  })
}
