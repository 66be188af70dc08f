import * as path from 'node:path'
import type { LogInspection, LogVerdict } from '../../log/index.js'
import {
  applyRepair,
  fileOf,
  inspectLog,
  lockForRepair,
  NodeDisk,
  planRepair,
  type RepairAction,
  type RepairPlan,
} from '../../log/index.js'
import { exitCodes } from '../exit-codes.js'
import { CliFailure } from '../failure.js'
import { count } from '../number-format.js'
import { runInspection } from './progress.js'
import { type CheckedSnapshot, usableSnapshot } from './snapshots.js'
import { damageLine, snapshotLine } from './tables.js'
import { exitCodeOfVerdict, verifyLog } from './verify.js'

export interface RepairFlags {
  /** The kind that the log is expected to be of. */
  readonly kind: string
  readonly yes?: boolean
  readonly json?: boolean
  readonly progress: boolean
}

/** A part of the log that a repair loses, with how many of its records can still be read. */
type LostRecords = RepairPlan['lost'][number] & { readonly records: number }

/** What a repair found and did, as `--json` prints it. */
interface RepairReport {
  readonly directory: string
  readonly verdict: LogVerdict
  readonly damage: LogInspection['damage']
  readonly snapshots: readonly { readonly file: string; readonly reason: string | undefined }[]
  readonly actions: readonly object[]
  readonly lost: readonly LostRecords[]
  /** Whether it was done. */
  readonly done: boolean
  /** Where what was there before is now. */
  readonly backup?: string
  readonly verdictAfter?: LogVerdict
}

type Say = (line: string) => void

/**
 * Says what a repair would do and lose, and with `--yes` does it; returns the exit code. The log is locked all the
 * while, so what is said is what is done.
 */
export async function repairLog(directory: string, flags: RepairFlags): Promise<number> {
  const print: Say = (line) => void process.stdout.write(`${line}\n`)
  const disk = new NodeDisk()
  const unlock = await lockForRepair(disk, directory, flags.kind)
  try {
    const report = await repairLocked(disk, directory, flags, flags.json ? () => {} : print)
    if (flags.json) print(JSON.stringify(report))
    return exitCodeOfVerdict(report.verdictAfter ?? report.verdict)
  } finally {
    unlock()
  }
}

async function repairLocked(
  disk: NodeDisk,
  directory: string,
  flags: RepairFlags,
  say: Say,
): Promise<RepairReport> {
  const { verdict, log, snapshots } = await verifyLog(directory, flags.progress)
  const found = {
    directory,
    verdict,
    damage: log.damage,
    snapshots: snapshots
      .filter(({ reason }) => reason !== undefined)
      .map(({ path: file, reason }) => ({ file, reason })),
    actions: [],
    lost: [],
    done: false,
  }
  if (verdict === 'valid') {
    say(`The log in ${directory} is valid; there is nothing to repair.`)
    return found
  }
  for (const damage of log.damage) say(damageLine(damage))
  for (const snapshot of snapshots) if (snapshot.reason !== undefined) say(snapshotLine(snapshot))
  const plan = planRepair(log, {
    dependents: snapshots.map(({ path: file, header, reason }) => ({
      path: file,
      endLsn: header?.endLsn ?? Number.POSITIVE_INFINITY,
      valid: reason === undefined,
    })),
    neededFromLsn: usableSnapshot(snapshots, 0)?.header.replayFromLsn,
  })
  if (plan.actions.length === 0) {
    throw new CliFailure(
      'TIDEMARK_NOT_REPAIRABLE',
      `No repair can mend the log in ${directory}: what is missing is not in it.`,
      exitCodes.failed,
    )
  }
  const backup = backupName()
  const lost = await countLost(directory, plan.lost)
  announce(directory, log, plan, lost, snapshots, backup, say)
  const planned = { ...found, actions: plan.actions.map(actionJson), lost }
  if (!flags.yes) {
    say('Nothing was changed. Add --yes to do it.')
    return planned
  }
  const folder = applyRepair(disk, directory, plan, backup)
  const after = await verifyLog(directory, flags.progress)
  say(`Backed up to ${folder}.`)
  if (after.verdict === 'valid')
    say(`The log is valid now: LSN ${after.log.firstLsn} to ${after.log.endLsn}.`)
  else say('The log is still corrupt; "tidemark log verify" says why.')
  return { ...planned, done: true, backup: folder, verdictAfter: after.verdict }
}

function announce(
  directory: string,
  log: LogInspection,
  plan: RepairPlan,
  lost: readonly LostRecords[],
  snapshots: readonly CheckedSnapshot[],
  backup: string,
  say: Say,
): void {
  say('')
  say('The repair:')
  for (const action of plan.actions) say(`  ${actionLine(action)}`)
  say(`Every file is first copied or moved to ${path.join(directory, backup)}.`)
  for (const { fromLsn, toLsn, records } of lost) {
    const bytes = `LSN ${fromLsn} to ${toLsn}, ${count(toLsn - fromLsn)} bytes`
    say(`LOST from the log: ${bytes}, with ${count(records)} records that can still be read.`)
  }
  if (lost.length === 0) say('Nothing is lost.')
  else if (log.verdict === 'torn') say('It is a torn tail: nothing of it was ever acknowledged.')
  const front = plan.firstLsn > log.firstLsn
  if (front) say('What is lost lies below the snapshots: the books will be whole, their history will not.')
  const usable = usableSnapshot(snapshots, plan.firstLsn, plan.endLsn)
  if (plan.firstLsn > 0 && !usable && snapshots.length > 0) {
    say('No valid snapshot will be left for where the log begins: a pool will not open it.')
  }
}

function actionJson(action: RepairAction): object {
  return action.kind === 'cut' ? action : { kind: action.kind, file: fileOf(action) }
}

function actionLine(action: RepairAction): string {
  const file = fileOf(action)
  switch (action.kind) {
    case 'write-header':
      return `writes both copies of the header of ${file} anew`
    case 'cut':
      return `cuts ${file} at byte ${action.offset}, LSN ${action.lsn}`
    case 'set-aside':
      return `moves ${file} away`
  }
}

/** Counts the valid records of each part, all in one reading of the log. */
async function countLost(directory: string, parts: RepairPlan['lost']): Promise<LostRecords[]> {
  if (parts.length === 0) return []
  const lost = parts.map((part) => ({ ...part, records: 0 }))
  const visitor = {
    record: ({ startLsn, lsn }: { startLsn: number; lsn: number }) => {
      for (const part of lost) if (lsn > part.fromLsn && startLsn < part.toLsn) part.records++
    },
  }
  await runInspection(inspectLog(new NodeDisk(), directory, visitor, { settle: false }), { progress: false })
  return lost
}

/** "repair-20260131T120000123Z", by which backups are in the order in which they were made. */
function backupName(): string {
  return `repair-${new Date().toISOString().replace(/[-:.]/g, '')}`
}
