import * as path from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { attempt } from '../../log/disk/attempt.js'
import type { Disk } from '../../log/disk/disk.js'
import { makeFolder } from '../../log/disk/folders.js'
import { NodeDisk } from '../../log/disk/node-disk.js'
import { claimFolder } from '../../log/disk/ownership.js'
import { LogError } from '../../log/errors.js'
import {
  readSegmentHeader,
  requireSegmentHeader,
  type Segment,
  segmentHeaderBytes,
  segmentName,
} from '../../log/format/segment.js'
import { checkOptions, optionNames } from '../../log/options.js'
import { scanSegment } from '../../log/recover/segment-scan.js'
import { BackupCopy } from '../../log/tools/backup-copy.js'
import { copyEnd, type EndKnowledge } from '../../log/tools/backup-end.js'
import { listLogFiles } from '../../log/tools/inspection-header.js'
import { PoolError } from '../errors.js'
import { type Snapshot, snapshotPaths, verifySnapshot } from '../snapshot/snapshot-file.js'

/** What a backup holds. */
export interface BackupReport {
  readonly dir: string
  /** LSNs between which the copied log lies; everything that was durable when the copy began is in it. */
  readonly firstLsn: number
  readonly endLsn: number
  readonly segments: number
  readonly bytes: number
  readonly snapshot: string | undefined
}

export interface BackupOptions extends EndKnowledge {
  /** Told after each piece how much is copied, of how much. */
  readonly onProgress?: (bytesDone: number, bytesTotal: number) => void
}

const backupOptions = optionNames<BackupOptions>({ syncedLsn: true, closed: true, onProgress: true })

/** How often the copy is begun anew because segments were removed meanwhile. */
/** For so long a copy is begun anew: one that has little of a busy processor is overtaken more often than others. */
const overtakenMsMax = 30_000
const retryMs = 20

/** What is to be copied: a snapshot, and the log from where its replay begins up to a group end. */
interface Plan {
  readonly snapshot: Snapshot | undefined
  readonly segments: readonly Segment[]
  readonly endLsn: number
  /** Where the segment behind the last one begins, and what it says of it, when that is copied to its end. */
  readonly successor: Segment | undefined
}

/**
 * Copies a pool's folder, which may be in use by another process, into an empty one: the newest valid snapshot and the
 * log from where its replay begins, up to a group end after everything that had been acknowledged when it began. Every
 * copied byte is checked: sealed segments by the CRC that their successors hold, the last one frame by frame, the
 * snapshot by its own. The files get their names when all of them are complete, so a copy that was interrupted never
 * opens as if it were one.
 *
 * @throws PoolError `TIDEMARK_BAD_ARGUMENT` when the target is not empty, `TIDEMARK_BACKUP_OVERTAKEN` when segments are
 *   removed faster than they can be copied; LogError `TIDEMARK_LOG_IO` or `TIDEMARK_LOG_CORRUPT`.
 */
export async function backupFolder(
  source: string,
  target: string,
  options: BackupOptions = {},
): Promise<BackupReport> {
  checkOptions('backupFolder', options, backupOptions)
  const disk = new NodeDisk()
  makeFolder(disk, target)
  if (attempt('read', target, () => disk.list(target)).length > 0) {
    throw new PoolError(
      'TIDEMARK_BAD_ARGUMENT',
      `${target} is not empty; a backup goes into a folder of its own.`,
      { target },
    )
  }
  const startMs = performance.now()
  for (let tries = 1; ; tries++) {
    const copy = new BackupCopy(disk, target, options.onProgress)
    const files = await filesOf(disk, source)
    try {
      const report = await copyPlan(disk, await planCopy(disk, source, options), copy)
      claimFolder(disk, target)
      return report
    } catch (error) {
      copy.discard()
      if (!(error instanceof LogError)) throw error
      // What was found in a file that is another one by now, or has another name, says nothing.
      if (!isMissing(error, source) && !(await hasLost(disk, source, files))) throw error
      if (performance.now() - startMs > overtakenMsMax) {
        throw new PoolError(
          'TIDEMARK_BACKUP_OVERTAKEN',
          `${source} removes segments faster than they are copied: let the pool keep more of its log (keepLogBytes) or copy onto a faster disk.`,
          { source, attempts: tries },
          { cause: error },
        )
      }
      await setTimeout(retryMs)
    }
  }
}

async function planCopy(disk: Disk, source: string, options: BackupOptions): Promise<Plan> {
  const snapshot = await newestSnapshot(source)
  const files = listLogFiles(disk, source)
  const fromLsn = snapshot?.header.replayFromLsn ?? 0
  const first = files.findLastIndex(({ firstLsn }) => firstLsn <= fromLsn)
  if (first < 0) {
    const begins = files[0] === undefined ? 'holds no log' : `begins at LSN ${files[0].firstLsn}`
    throw new LogError(
      'TIDEMARK_LOG_CORRUPT',
      `The log in ${source} ${begins}, and what is needed of it begins at LSN ${fromLsn}.`,
      { dir: source, lsn: fromLsn, ...(snapshot && { file: snapshot.path }) },
    )
  }
  const segments = files.slice(first).map(({ path: file, firstLsn }) => {
    return { path: file, header: requireSegmentHeader(disk, file, firstLsn) }
  })
  checkChain(segments)
  const endLsn = await copyEnd(disk, source, segments, snapshot?.header.endLsn ?? 0, options)
  const end = segments.findIndex(({ header }, i) => i > 0 && header.firstLsn >= endLsn)
  if (end < 0) return { snapshot, segments, endLsn, successor: undefined }
  const successor = segments[end]!.header.firstLsn === endLsn ? segments[end] : undefined
  return { snapshot, segments: segments.slice(0, end), endLsn, successor }
}

function checkChain(segments: readonly Segment[]): void {
  for (const [i, { path: file, header }] of segments.entries()) {
    const before = segments[i - 1]?.header
    if (!before) continue
    const { previous } = header
    if (previous?.firstLsn === before.firstLsn && previous.epoch === before.epoch) continue
    throw new LogError(
      'TIDEMARK_LOG_CORRUPT',
      `The log is corrupt: ${file} does not go on from ${segments[i - 1]!.path}; a segment is missing or foreign.`,
      { file, offset: 0, lsn: header.firstLsn },
    )
  }
}

async function copyPlan(disk: Disk, plan: Plan, copy: BackupCopy): Promise<BackupReport> {
  const { snapshot, segments, endLsn } = plan
  const firstLsn = segments[0]!.header.firstLsn
  const snapshotBytes = snapshot ? copy.sizeOf(snapshot.path) : 0
  copy.expect(segments.length * segmentHeaderBytes + endLsn - firstLsn + snapshotBytes)
  for (const [i, { path: file, header }] of segments.entries()) {
    const next = (segments[i + 1] ?? plan.successor)?.header
    const limitLsn = next?.firstLsn ?? endLsn
    const { firstLsn: begin } = header
    const name = segmentName(begin)
    const crc = await copy.file(file, name, segmentHeaderBytes + limitLsn - begin, segmentHeaderBytes)
    const copied = { path: copy.partOf(name), header }
    const whole = next ? crc === next.previous!.crc : scanSegment(disk, copied, endLsn).groupEndLsn === endLsn
    if (whole && readSegmentHeader(disk, copied.path)?.epoch === header.epoch) continue
    throw new LogError(
      'TIDEMARK_LOG_CORRUPT',
      `The log is corrupt: ${file} does not hold what was written into it between LSN ${begin} and ${limitLsn}.`,
      { file, offset: segmentHeaderBytes, lsn: begin },
    )
  }
  const snapshotName = snapshot && path.basename(snapshot.path)
  if (snapshot && snapshotName) {
    await copy.file(snapshot.path, snapshotName, snapshotBytes)
    if (!(await verifySnapshot(copy.partOf(snapshotName)))) {
      throw new LogError('TIDEMARK_LOG_CORRUPT', `${snapshot.path} changed while it was copied.`, {
        file: snapshot.path,
      })
    }
  }
  // The beginning last and then the snapshot: until both are there, a pool would refuse the folder.
  const names = segments.map(({ header }) => segmentName(header.firstLsn)).reverse()
  copy.publish(snapshotName ? [...names, snapshotName] : names)
  return {
    dir: copy.target,
    firstLsn,
    endLsn,
    segments: segments.length,
    bytes: copy.bytes,
    snapshot: snapshotName && copy.nameOf(snapshotName),
  }
}

async function newestSnapshot(source: string): Promise<Snapshot | undefined> {
  for (const file of await snapshotPaths(source)) {
    const header = await verifySnapshot(file)
    if (header) return { path: file, header }
  }
  return undefined
}

/** The segments and snapshots of a folder, by path, each with what would be another one in another file of that name. */
async function filesOf(disk: Disk, source: string): Promise<ReadonlyMap<string, bigint | undefined>> {
  const files = new Map<string, bigint | undefined>()
  for (const { path: file } of listLogFiles(disk, source)) files.set(file, epochOf(disk, file))
  for (const file of await snapshotPaths(source)) files.set(file, undefined)
  return files
}

/** Whether one of these files is gone, by retention, or has been replaced by the opening of another owner. */
async function hasLost(
  disk: Disk,
  source: string,
  files: ReadonlyMap<string, bigint | undefined>,
): Promise<boolean> {
  const now = await filesOf(disk, source)
  return [...files].some(([file, epoch]) => !now.has(file) || now.get(file) !== epoch)
}

/** Whether a file of the source was there a moment ago: a segment may be renamed between its listing and its opening. */
function isMissing({ details }: LogError, source: string): boolean {
  const { errno, path: file } = details
  return errno === 'ENOENT' && typeof file === 'string' && path.dirname(file) === path.normalize(source)
}

/** `undefined` also for a file that is gone, or can't be read: whoever needs it finds that out. */
function epochOf(disk: Disk, file: string): bigint | undefined {
  try {
    return readSegmentHeader(disk, file)?.epoch
  } catch {
    return undefined
  }
}
