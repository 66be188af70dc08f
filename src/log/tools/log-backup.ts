import * as path from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { assert } from '../../base/assert.js'
import type { Disk } from '../disk/disk.js'
import { claimFolder } from '../disk/ownership.js'
import { LogError } from '../errors.js'
import { requireKind } from '../format/log-kind.js'
import {
  readSegmentHeader,
  requireSegmentHeader,
  type Segment,
  segmentHeaderBytes,
  segmentName,
} from '../format/segment.js'
import { checkChain } from '../recover/segment-chain.js'
import { isSealedValid } from '../recover/segment-scan.js'
import { BackupCopy } from './backup-copy.js'
import { copyEnd, type EndKnowledge } from './backup-end.js'
import { listLogFiles } from './log-files.js'

/** A snapshot that a backup takes along. */
interface BackupSnapshot {
  readonly path: string
  /** LSN from which on the log must be there to replay from the snapshot, and up to which it must reach. */
  readonly replayFromLsn: number
  readonly endLsn: number
}

/** What a backup asks the log's application about the snapshots in its folder. */
export interface BackupSnapshots {
  /** The paths of all snapshot files. */
  list(): Promise<readonly string[]>
  /** The newest one that is valid. */
  newest(): Promise<BackupSnapshot | undefined>
  /** Files that others keep beside the log and the copy needs, each with the log that it needs; they are among those of `list`. */
  beside(): Promise<readonly BackupSnapshot[]>
  /** Whether a copied file is a valid snapshot. */
  isValid(file: string): Promise<boolean>
}

export interface LogBackupOptions extends EndKnowledge {
  /** The kind of the log: another is refused before anything is copied. */
  readonly kind: string
  /** Called after each piece with how much is copied, and of how much. */
  readonly onProgress?: ((bytesDone: number, bytesTotal: number) => void) | undefined
  /** The error of a backup from which segments were removed again and again while it copied them. */
  readonly overtaken: (attempts: number, cause: LogError) => Error
}

/** What a backup holds. */
export interface LogBackup {
  /** The folder of the copy. */
  readonly dir: string
  /** LSNs between which the copied log lies; everything that was durable when the copy began is in it. */
  readonly firstLsn: number
  /** Where the copy of the log ends. */
  readonly endLsn: number
  /** How many segments were copied. */
  readonly segments: number
  /** How many bytes were copied. */
  readonly bytes: number
  /** The file of the snapshot in the copy, if there is one. */
  readonly snapshot: string | undefined
}

/**
 * For so long a copy is begun anew when segments were removed meanwhile: one that gets little time of a busy processor is
 * overtaken more often than others.
 */
const overtakenMsMax = 30_000
const retryMs = 20

/** What is to be copied: a snapshot, files beside it, and the log from where their replay begins up to the end of a whole record. */
interface Plan {
  readonly snapshot: BackupSnapshot | undefined
  readonly beside: readonly BackupSnapshot[]
  readonly segments: readonly Segment[]
  readonly endLsn: number
}

/**
 * Copies a log, which may be in use by another process, into an empty folder: the newest valid snapshot and the log from
 * where its replay begins, up to the end of a whole record after everything that had been acknowledged when it began. Every
 * copied batch is checked, and the snapshot by its application. The files get their names when all of them are complete, so a copy that was interrupted never opens as if it
 * were one.
 *
 * @throws LogError `TIDEMARK_LOG_KIND`, `TIDEMARK_LOG_IO`, `TIDEMARK_LOG_CORRUPT`; what `overtaken` returns.
 */
export async function backupLog(
  disk: Disk,
  source: string,
  target: string,
  snapshots: BackupSnapshots,
  options: LogBackupOptions,
): Promise<LogBackup> {
  requireKind(disk, source, options.kind)
  const startMs = performance.now()
  for (let attempts = 1; ; attempts++) {
    const copy = new BackupCopy(disk, target, options.onProgress)
    const files = await filesOf(disk, source, snapshots)
    try {
      const plan = await planCopy(disk, source, snapshots, options)
      const report = await copyPlan(disk, plan, snapshots, copy)
      claimFolder(disk, target)
      return report
    } catch (error) {
      copy.discard()
      if (!(error instanceof LogError)) throw error
      // What was found in a file that is another one by now, or has another name, says nothing.
      if (!isMissing(error, source) && !(await hasLost(disk, source, snapshots, files))) throw error
      if (performance.now() - startMs > overtakenMsMax) throw options.overtaken(attempts, error)
      await setTimeout(retryMs)
    }
  }
}

async function planCopy(
  disk: Disk,
  source: string,
  snapshots: BackupSnapshots,
  knowledge: EndKnowledge,
): Promise<Plan> {
  // Before the log, which then reaches as far as they do.
  const beside = await snapshots.beside()
  const snapshot = await snapshots.newest()
  const files = listLogFiles(disk, source)
  const fromLsn = Math.min(snapshot?.replayFromLsn ?? 0, ...beside.map(({ replayFromLsn }) => replayFromLsn))
  const reachedLsn = Math.max(snapshot?.endLsn ?? 0, ...beside.map((file) => file.endLsn))
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
  const endLsn = await copyEnd(disk, source, segments, reachedLsn, knowledge)
  assert(endLsn >= reachedLsn, 'a backup has the log as far as its snapshots go', () => ({
    endLsn,
    reachedLsn,
  }))
  const end = segments.findIndex(({ header }, i) => i > 0 && header.firstLsn >= endLsn)
  return { snapshot, beside, segments: end < 0 ? segments : segments.slice(0, end), endLsn }
}

async function copyPlan(
  disk: Disk,
  plan: Plan,
  snapshots: BackupSnapshots,
  copy: BackupCopy,
): Promise<LogBackup> {
  const { snapshot, segments, endLsn } = plan
  const { firstLsn } = segments[0]!.header
  const snapshotBytes = snapshot ? copy.sizeOf(snapshot.path) : 0
  const beside = plan.beside.map(({ path: file }) => ({
    file,
    name: path.basename(file),
    bytes: copy.sizeOf(file),
  }))
  const besideBytes = beside.reduce((sum, { bytes }) => sum + bytes, 0)
  copy.expect(segments.length * segmentHeaderBytes + endLsn - firstLsn + snapshotBytes + besideBytes)
  for (const { file, name, bytes } of beside) await copy.file(file, name, bytes)
  for (const [i, segment] of segments.entries()) {
    await copySegment(disk, copy, segment, segments[i + 1]?.header.firstLsn ?? endLsn)
  }
  const snapshotName = snapshot && path.basename(snapshot.path)
  if (snapshot && snapshotName) {
    await copy.file(snapshot.path, snapshotName, snapshotBytes)
    if (!(await snapshots.isValid(copy.partOf(snapshotName)))) {
      throw new LogError('TIDEMARK_LOG_CORRUPT', `${snapshot.path} changed while it was copied.`, {
        file: snapshot.path,
      })
    }
  }
  // The beginning last and then the snapshot: until both are there, the folder does not open.
  const names = beside.map(({ name }) => name)
  names.push(...segments.map(({ header }) => segmentName(header.firstLsn)).reverse())
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

/** Copies a segment up to `limitLsn`, and checks the copy. */
async function copySegment(
  disk: Disk,
  copy: BackupCopy,
  { path: file, header }: Segment,
  limitLsn: number,
): Promise<void> {
  const { firstLsn } = header
  const name = segmentName(firstLsn)
  await copy.file(file, name, segmentHeaderBytes + limitLsn - firstLsn)
  const copied = { path: copy.partOf(name), header }
  if (isSealedValid(disk, copied, limitLsn) && readSegmentHeader(disk, copied.path)?.epoch === header.epoch)
    return
  throw new LogError(
    'TIDEMARK_LOG_CORRUPT',
    `The log is corrupt: ${file} does not hold what was written into it between LSN ${firstLsn} and ${limitLsn}.`,
    { file, offset: segmentHeaderBytes, lsn: firstLsn },
  )
}

/** The segments and snapshots of a folder, by path, each segment with its epoch, which another file of that name has not. */
async function filesOf(
  disk: Disk,
  source: string,
  snapshots: BackupSnapshots,
): Promise<ReadonlyMap<string, bigint | undefined>> {
  const files = new Map<string, bigint | undefined>()
  for (const { path: file } of listLogFiles(disk, source)) files.set(file, epochOf(disk, file))
  for (const file of await snapshots.list()) files.set(file, undefined)
  return files
}

/** Whether one of these files is gone, by retention, or has been replaced by the opening of another owner. */
async function hasLost(
  disk: Disk,
  source: string,
  snapshots: BackupSnapshots,
  files: ReadonlyMap<string, bigint | undefined>,
): Promise<boolean> {
  const now = await filesOf(disk, source, snapshots)
  return [...files].some(([file, epoch]) => !now.has(file) || now.get(file) !== epoch)
}

/** Whether a file of the source was there a moment ago: a segment may be renamed between its listing and its opening. */
function isMissing({ details }: LogError, source: string): boolean {
  const { errno, path: file } = details
  return errno === 'ENOENT' && typeof file === 'string' && path.dirname(file) === path.normalize(source)
}

/** `undefined` also for a file that is gone or can't be read: the copy that needs it reports that. */
function epochOf(disk: Disk, file: string): bigint | undefined {
  try {
    return readSegmentHeader(disk, file)?.epoch
  } catch {
    return undefined
  }
}
