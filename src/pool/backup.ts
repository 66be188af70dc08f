import * as path from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { Disk } from '../log/disk.js'
import { LogError } from '../log/errors.js'
import { NodeDisk } from '../log/node-disk.js'
import {
  attempt,
  listSegmentNames,
  requireSegmentHeader,
  type Segment,
  segmentHeaderBytes,
  segmentNameLsn,
} from '../log/segment.js'
import { scanSegment } from '../log/segment-scan.js'
import { BackupCopy } from './backup-copy.js'
import { copyEnd, type EndKnowledge } from './backup-end.js'
import { PoolError } from './errors.js'
import { type Snapshot, snapshotPaths, verifySnapshot } from './snapshot-file.js'

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

/** How often the copy is begun anew because segments were removed meanwhile. */
const attemptsMax = 10
const retryMs = 20

/** What is to be copied. */
interface Plan {
  readonly snapshot: Snapshot | undefined
  readonly segments: readonly Segment[]
}

/**
 * Copies a pool's folder, which may be in use by another process, into an empty one: the newest sound snapshot and the
 * log from where its replay begins, up to a group end that is known to be synced. Every copied byte is checked: sealed
 * segments by the CRC that their successors hold, the last one frame by frame, the snapshot by its own. The files get
 * their names when all of them are complete, so a copy that was interrupted never opens as if it were one.
 *
 * @throws PoolError `TIDEMARK_BAD_ARGUMENT` when the target is not empty, `TIDEMARK_BACKUP_OVERTAKEN` when segments are
 *   removed faster than they can be copied; LogError `TIDEMARK_LOG_IO` or `TIDEMARK_LOG_CORRUPT`.
 */
export async function backupFolder(
  source: string,
  target: string,
  options: BackupOptions = {},
): Promise<BackupReport> {
  const disk = new NodeDisk()
  attempt('create', target, () => disk.makeDirectory(target))
  if (attempt('read', target, () => disk.list(target)).length > 0) {
    throw new PoolError(
      'TIDEMARK_BAD_ARGUMENT',
      `${target} is not empty; a backup goes into a folder of its own.`,
      { target },
    )
  }
  for (let tries = 1; ; tries++) {
    const copy = new BackupCopy(disk, target, options.onProgress)
    try {
      const plan = await planCopy(disk, source)
      return await copyPlan(disk, plan, copy, options)
    } catch (error) {
      copy.discard()
      if (!wasOvertaken(disk, source, error)) throw error
      if (tries === attemptsMax) {
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

async function planCopy(disk: Disk, source: string): Promise<Plan> {
  const snapshot = await newestSnapshot(source)
  const names = attempt('read', source, () => listSegmentNames(disk, source))
  const fromLsn = snapshot?.header.replayFromLsn ?? 0
  const first = names.findLastIndex((name) => segmentNameLsn(name)! <= fromLsn)
  if (first < 0) {
    const begins = names[0] === undefined ? 'holds no log' : `begins at LSN ${segmentNameLsn(names[0])}`
    throw new LogError(
      'TIDEMARK_LOG_CORRUPT',
      `The log in ${source} ${begins}, and what is needed of it begins at LSN ${fromLsn}.`,
      { dir: source, lsn: fromLsn, ...(snapshot && { file: snapshot.path }) },
    )
  }
  const segments = names.slice(first).map((name) => {
    const file = path.join(source, name)
    return { path: file, header: requireSegmentHeader(disk, file, segmentNameLsn(name)!) }
  })
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
  return { snapshot, segments }
}

async function copyPlan(
  disk: Disk,
  { snapshot, segments }: Plan,
  copy: BackupCopy,
  options: BackupOptions,
): Promise<BackupReport> {
  const last = segments.at(-1)!
  const snapshotLsn = snapshot?.header.endLsn ?? 0
  const endLsn = await copyEnd(disk, last, snapshotLsn, options)
  const firstLsn = segments[0]!.header.firstLsn
  const snapshotBytes = snapshot ? copy.sizeOf(snapshot.path) : 0
  copy.expect(segments.length * segmentHeaderBytes + endLsn - firstLsn + snapshotBytes)
  for (const [i, segment] of segments.entries()) {
    const next = segments[i + 1]?.header
    const limitLsn = next?.firstLsn ?? endLsn
    const { firstLsn: begin } = segment.header
    const crc = await copy.file(segment.path, segmentHeaderBytes + limitLsn - begin, segmentHeaderBytes)
    if (next ? crc === next.previous!.crc : isWhole(disk, copy.partOf(segment.path), segment, endLsn))
      continue
    throw new LogError(
      'TIDEMARK_LOG_CORRUPT',
      `The log is corrupt: ${segment.path} does not hold what was written into it between LSN ${begin} and ${limitLsn}.`,
      { file: segment.path, offset: segmentHeaderBytes, lsn: begin },
    )
  }
  if (snapshot) {
    await copy.file(snapshot.path, snapshotBytes)
    if (!(await verifySnapshot(copy.partOf(snapshot.path)))) {
      throw new LogError('TIDEMARK_LOG_CORRUPT', `${snapshot.path} changed while it was copied.`, {
        file: snapshot.path,
      })
    }
  }
  // The beginning last and then the snapshot: until both are there, a pool would refuse the folder.
  const files = segments.map((segment) => segment.path).reverse()
  copy.publish(snapshot ? [...files, snapshot.path] : files)
  return {
    dir: copy.target,
    firstLsn,
    endLsn,
    segments: segments.length,
    bytes: copy.bytes,
    snapshot: snapshot && copy.nameOf(snapshot.path),
  }
}

/** Whether the copy of the last segment has sound frames only, up to `endLsn`. */
function isWhole(disk: Disk, file: string, { header }: Segment, endLsn: number): boolean {
  return scanSegment(disk, { path: file, header }, endLsn).endLsn === endLsn
}

async function newestSnapshot(source: string): Promise<Snapshot | undefined> {
  for (const file of await snapshotPaths(source)) {
    const header = await verifySnapshot(file)
    if (header) return { path: file, header }
  }
  return undefined
}

/** Whether a copy failed because its source's retention removed a file, which may be used again at once. */
function wasOvertaken(disk: Disk, source: string, error: unknown): boolean {
  if (!(error instanceof LogError)) return false
  const { errno, file, path: named } = error.details
  const about = (file ?? named) as string | undefined
  if (about === undefined || path.dirname(path.resolve(about)) !== path.resolve(source)) return false
  if (errno === 'ENOENT') return true
  const gone = !attempt('read', source, () => disk.list(source)).includes(path.basename(about))
  return error.code === 'TIDEMARK_LOG_CORRUPT' && gone
}
