import * as path from 'node:path'
import { attempt } from '../disk/attempt.js'
import type { Disk } from '../disk/disk.js'
import { makeFolder } from '../disk/folders.js'
import { takeFolder } from '../disk/ownership.js'
import { LogError } from '../errors.js'
import { requireKind } from '../format/log-kind.js'
import { encodeSegmentHeader, holdsLog, segmentHeaderBytes } from '../format/segment.js'
import type { LogDamage } from '../recover/damage-report.js'
import type { InspectedSegment, LogInspection } from './inspection-report.js'

const copyBytes = 1024 * 1024

/** One change to a log's folder. */
export type RepairAction =
  /** Both copies of the header are written anew. */
  | {
      readonly kind: 'write-header'
      readonly segment: InspectedSegment
    }
  /** The file ends at `offset` from now on. */
  | { readonly kind: 'cut'; readonly file: string; readonly offset: number; readonly lsn: number }
  /** The file goes into the backup folder. */
  | { readonly kind: 'set-aside'; readonly file: string }

/** What a repair would do, and what would be gone from the log; the backup holds it. */
export interface RepairPlan {
  readonly actions: readonly RepairAction[]
  /** Where the log would begin and end. */
  readonly firstLsn: number
  readonly endLsn: number
  /** LSN ranges that the log would not have any more. */
  readonly lost: readonly { readonly fromLsn: number; readonly toLsn: number }[]
}

/** A file beside the segments that cannot stay when the log ends below `endLsn`, such as a snapshot. */
interface DependentFile {
  readonly path: string
  readonly endLsn: number
  readonly valid: boolean
}

export interface RepairOptions {
  readonly dependents?: readonly DependentFile[]
  /** The LSN from which the log is needed: what is damaged below it may go from the front. */
  readonly neededFromLsn?: number | undefined
}

/**
 * Takes the lock of a log of this kind for a repair; call what is returned to free it.
 *
 * @throws LogError `TIDEMARK_LOG_KIND` before anything is written, `TIDEMARK_LOG_LOCKED` while the log is open; `TIDEMARK_LOG_IO`.
 */
export async function lockForRepair(disk: Disk, directory: string, kind: string): Promise<() => void> {
  requireKind(disk, directory, kind)
  const taken = await takeFolder(disk, directory, () => holdsLog(disk, directory))
  if (taken) return taken.release
  throw new LogError(
    'TIDEMARK_LOG_LOCKED',
    `The log in ${directory} is open, in this process or another; close it there before repairing it.`,
    { dir: directory },
  )
}

/**
 * Plans how a log becomes one that opens, losing as little as can be: damaged headers are written anew;
 * damage that nothing needs any more goes with its segments from the front; otherwise the log is cut after the last
 * whole record before the first damage.
 *
 * @throws LogError `TIDEMARK_LOG_CORRUPT` when nothing of it could stay.
 */
export function planRepair(found: LogInspection, options: RepairOptions = {}): RepairPlan {
  const { segments } = found
  const inPlace = new Set<LogDamage['kind']>(['header-copy'])
  const deep = found.damage.filter(
    (damage) => !inPlace.has(damage.kind) && !isInferredHeader(damage, segments),
  )
  const corrupt = deep.filter(({ severity }) => severity === 'corrupt')
  const front = firstWhole(segments, corrupt, options.neededFromLsn)
  const cuts = (front ? deep.filter(({ severity }) => severity === 'torn') : deep).map(
    ({ wholeEndLsn }) => wholeEndLsn,
  )
  const cutLsn = cuts.length > 0 ? Math.min(...cuts) : undefined
  const last = cutLsn === undefined ? segments.at(-1) : lastKept(found, cutLsn)
  const kept = segments.filter(
    ({ firstLsn }) => firstLsn >= (front?.firstLsn ?? 0) && firstLsn <= (last?.firstLsn ?? 0),
  )
  const endLsn = cutLsn ?? found.lastWholeEndLsn
  const firstLsn = kept[0]?.firstLsn ?? 0
  const dependents = (options.dependents ?? []).filter((file) => !file.valid || file.endLsn > endLsn)
  const gone = segments.filter((segment) => !kept.includes(segment))
  const actions: RepairAction[] = [
    ...dependents.map(({ path: file }) => setAside(file)),
    // From both ends inwards, so that a repair that is interrupted leaves no gap between segments.
    ...gone
      .filter((segment) => segment.firstLsn > firstLsn)
      .reverse()
      .map(({ path: file }) => setAside(file)),
    ...gone.filter((segment) => segment.firstLsn < firstLsn).map(({ path: file }) => setAside(file)),
  ]
  if (cutLsn !== undefined && last) {
    const offset = segmentHeaderBytes + cutLsn - last.firstLsn
    if (last.fileBytes > offset) actions.push({ kind: 'cut', file: last.path, offset, lsn: cutLsn })
  }
  actions.push(...inPlaceActions(found.damage, kept))
  return { actions, firstLsn, endLsn, lost: lostRanges(found, firstLsn, endLsn) }
}

function isInferredHeader(damage: LogDamage, segments: readonly InspectedSegment[]): boolean {
  if (damage.kind !== 'header') return false
  return segments.some(({ path: file, headerInferred }) => file === damage.file && headerInferred)
}

/** The first segment after all corruption, if what stands before it is not needed. */
function firstWhole(
  segments: readonly InspectedSegment[],
  corrupt: readonly LogDamage[],
  neededFromLsn: number | undefined,
): InspectedSegment | undefined {
  if (neededFromLsn === undefined || corrupt.length === 0) return undefined
  const endOfDamage = Math.max(...corrupt.map(({ lsn, endLsn }) => Math.max(lsn, endLsn)))
  return segments.find(
    ({ firstLsn, header }) => header && firstLsn >= endOfDamage && firstLsn <= neededFromLsn,
  )
}

/** The segment that a cut leaves as the last: its header stays even if none of its batches does. */
function lastKept({ segments, directory }: LogInspection, cutLsn: number): InspectedSegment {
  const last = segments.findLast(({ firstLsn }) => firstLsn < cutLsn) ?? segments[0]
  if (last?.header && last.firstLsn <= cutLsn) return last
  throw new LogError(
    'TIDEMARK_LOG_CORRUPT',
    `Nothing of the log in ${directory} could be kept: its first segment is damaged. "tidemark log salvage" prints what can still be read.`,
    { dir: directory, lsn: cutLsn },
  )
}

function setAside(file: string): RepairAction {
  return { kind: 'set-aside', file }
}

function inPlaceActions(damage: readonly LogDamage[], kept: readonly InspectedSegment[]): RepairAction[] {
  const actions: RepairAction[] = []
  for (const segment of kept) {
    const own = damage.filter(({ file }) => file === segment.path)
    if (!own.some(({ kind }) => kind === 'header-copy' || kind === 'header')) continue
    actions.push({ kind: 'write-header', segment })
  }
  return actions
}

function lostRanges(found: LogInspection, firstLsn: number, endLsn: number) {
  const foundEndLsn = Math.max(
    ...found.segments.map((segment) => segment.endLsn),
    ...found.damage.map(({ endLsn: lsn }) => lsn),
  )
  return [
    { fromLsn: found.firstLsn, toLsn: firstLsn },
    { fromLsn: endLsn, toLsn: foundEndLsn },
  ].filter(({ fromLsn, toLsn }) => fromLsn < toLsn)
}

/**
 * Carries a plan out, under the lock. Every file that it changes is copied into the folder `backup` of the log's
 * folder first, and synced there; files that go are moved there. Returns the backup folder's path.
 *
 * @throws LogError `TIDEMARK_LOG_IO`: what is done so far stays, and a repair can be begun again.
 */
export function applyRepair(disk: Disk, directory: string, plan: RepairPlan, backup: string): string {
  const folder = path.join(directory, backup)
  makeFolder(disk, folder)
  const changed = new Set(plan.actions.filter(({ kind }) => kind !== 'set-aside').map(fileOf))
  for (const file of changed) copyFile(disk, file, path.join(folder, path.basename(file)))
  attempt('sync', folder, () => disk.syncDirectory(folder))
  attempt('sync', directory, () => disk.syncDirectory(directory))
  for (const action of plan.actions) apply(disk, action, folder)
  attempt('sync', folder, () => disk.syncDirectory(folder))
  attempt('sync', directory, () => disk.syncDirectory(directory))
  return folder
}

export function fileOf(action: RepairAction): string {
  return action.kind === 'write-header' ? action.segment.path : action.file
}

function apply(disk: Disk, action: RepairAction, folder: string): void {
  const file = fileOf(action)
  if (action.kind === 'set-aside') {
    attempt('rename', file, () => disk.rename(file, path.join(folder, path.basename(file))))
    return
  }
  const handle = attempt('open', file, () => disk.open(file, 'write'))
  try {
    if (action.kind === 'cut') {
      attempt('truncate', file, () => disk.truncate(handle, action.offset))
    } else {
      write(disk, handle, file, encodeSegmentHeader(action.segment.header!), 0)
    }
    attempt('sync', file, () => disk.syncData(handle))
  } finally {
    disk.close(handle)
  }
}

function copyFile(disk: Disk, from: string, to: string): void {
  const source = attempt('open', from, () => disk.open(from, 'read'))
  try {
    const target = attempt('create', to, () => disk.create(to))
    try {
      const buffer = Buffer.allocUnsafeSlow(copyBytes)
      for (let at = 0; ; ) {
        const read = attempt('read', from, () => disk.readSync(source, buffer, at))
        if (read === 0) break
        write(disk, target, to, buffer.subarray(0, read), at)
        at += read
      }
      attempt('sync', to, () => disk.syncData(target))
    } finally {
      disk.close(target)
    }
  } finally {
    disk.close(source)
  }
}

function write(disk: Disk, handle: number, file: string, bytes: Buffer, position: number): void {
  const written = attempt('write to', file, () => disk.write(handle, [bytes], position))
  if (written === bytes.byteLength) return
  throw new LogError('TIDEMARK_LOG_IO', `Could not write to ${file}: the disk may be full.`, { path: file })
}
