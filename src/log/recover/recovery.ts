import * as path from 'node:path'
import { assert } from '../../base/assert.js'
import { isTemporaryName } from '../disk/atomic-file.js'
import { attempt } from '../disk/attempt.js'
import type { Disk } from '../disk/disk.js'
import { makeFolder } from '../disk/folders.js'
import { LogError } from '../errors.js'
import { compareKind, requireKind } from '../format/log-kind.js'
import {
  isPreallocatedName,
  isRecycledName,
  listSegmentNames,
  readSegmentHeader,
  requireSegmentHeader,
  type Segment,
  type SegmentHeader,
  segmentHeaderBytes,
  segmentNameLsn,
  segmentPath,
} from '../format/segment.js'
import { FileReader, readRecordsSync } from '../read/file-reader.js'
import { RecordAssembler } from '../read/record-assembler.js'
import { SegmentWindow } from '../read/segment-window.js'
import { corruptAt, type TornTail } from './damage-report.js'
import {
  type BegunSegment,
  beginSegment,
  type FirstSegmentSettings,
  rewriteSegment,
  trim,
  writeAgain,
} from './first-segment.js'
import { isCheckedValid, type SealedStates } from './sealed-check.js'
import { checkChain } from './segment-chain.js'
import { scanSegment, searchAfter } from './segment-scan.js'

/** What opening a log found. */
export interface RecoveryReport {
  /** How many files the log has. */
  readonly segments: number
  /**
   * Where the first whole record begins, and where the log ends, after the sync marker that this opening may have added: both
   * are batch ends.
   */
  readonly firstLsn: number
  /** Where the log ends. */
  readonly endLsn: number
  /** Bytes at the end that were not whole records and were cut, if there were any. */
  readonly tornTail: TornTail | undefined
}

/** `active` is the segment of this opening: everything above its first LSN goes there. */
export interface RecoveredLog extends Omit<BegunSegment, 'endLsn'> {
  readonly report: RecoveryReport
}

export interface RecoverySettings extends FirstSegmentSettings {
  /**
   * LSN up to which the application needs no record of the log. Records of other content versions are accepted up to there;
   * when it is left out, none are accepted.
   */
  readonly coveredLsn?: number | undefined
  /** Where another thread notes which sealed segments it has found valid. */
  readonly sealed?: SealedStates | undefined
  /** Of a log that this process has followed until now: it continues there, and nothing is looked at again. */
  readonly continues?: ContinuedLog | undefined
  /** What the log is bound to by the copies that other machines have of it. */
  readonly copies?: LogCopies | undefined
}

/**
 * A log of which others have copies keeps every byte that it has: what it writes next stands in a segment of its own, after
 * the last record, and no batch is written again under another epoch.
 */
export interface LogCopies {
  /** Up to where others have it. A log that ends before is behind them, and is not opened for writing. */
  readonly endLsn: number
}

/** A log whose owner has checked and synced all of it, and under which epoch it continues. */
export interface ContinuedLog {
  readonly firstLsn: number
  readonly endLsn: number
  readonly epoch: bigint
}

/** A last segment whose batches take no more than this share of `initialSegmentBytes` is written again in the new one. */
const joinShare = 1 / 4

/**
 * Opens a log for writing: finds its end, refuses what is corrupt, and begins a segment under a new epoch. What is
 * above the last LSN known to be synced is not trusted to be on disk, though it can be read: it is written again into
 * that segment, and synced, before anything new is accepted. If records are among it, a sync marker follows them: they
 * may have been acknowledged, so damage to them must be corruption from now on, and never a torn tail.
 *
 * A last segment that holds little is written again as a whole, in the place of the old one, so that many openings
 * do not leave as many files.
 *
 * A log of which others have copies (`copies`) keeps its bytes where they are: what is not trusted is written once more to the
 * same places, and the new segment begins after it.
 */
export function recoverLog(settings: RecoverySettings): RecoveredLog {
  if (settings.continues) return continueLog(settings, settings.continues)
  const found = findLog(settings)
  if (!found) {
    checkCopies(settings, 0)
    return {
      report: { segments: 0, firstLsn: 0, endLsn: 0, tornTail: undefined },
      ...beginSegment(settings, undefined, 0, 0, false),
    }
  }
  const { disk } = settings
  const { segments, last, tail, syncedLsn, firstLsn } = found
  const fromLsn = firstRewritten(settings, last, tail.endLsn, syncedLsn)
  if (settings.copies) writeAgain(disk, last, syncedLsn, tail.endLsn)
  const { endLsn, ...begun } = beginSegment(
    { ...settings, epoch: epochKept(settings, last, tail.endLsn) },
    last,
    fromLsn,
    tail.endLsn,
    tail.recordEndLsn > syncedLsn,
  )
  assert(
    fromLsn <= tail.endLsn && tail.endLsn <= endLsn,
    'an opening begins to write where the log ended',
    () => ({
      fromLsn,
      tailEndLsn: tail.endLsn,
      endLsn,
    }),
  )
  if (begun.active.path !== last.path) trim(disk, last, fromLsn)
  return {
    report: {
      segments: segments.length,
      firstLsn,
      endLsn,
      tornTail: tail.tornTail,
    },
    ...begun,
  }
}

/** A log that is followed, as its opening finds it: where it continues, in which segment. */
export interface RecoveredFollowed {
  readonly report: RecoveryReport
  /** The last segment; `undefined` when there is none yet. */
  readonly last: Segment | undefined
}

/**
 * Opens a log to which bytes are appended that another machine wrote. What its batches say was synced was so there, and proves
 * nothing of this disk: a last segment with damage is cut where that begins, and what is lost is read again from where it came. No
 * byte of what stays becomes another; that it can be read does not mean that it is on disk, so it is written again as it was.
 */
export function recoverFollowed(settings: RecoverySettings): RecoveredFollowed {
  const found = findLog(settings, 'elsewhere')
  if (!found) return { report: { segments: 0, firstLsn: 0, endLsn: 0, tornTail: undefined }, last: undefined }
  const { segments, last, tail, firstLsn } = found
  const { tornTail, endLsn } = tail
  if (tornTail || endLsn > last.header.firstLsn) rewriteSegment(settings, last, endLsn)
  return { report: { segments: segments.length, firstLsn, endLsn, tornTail }, last }
}

function continueLog(settings: RecoverySettings, { firstLsn, endLsn, epoch }: ContinuedLog): RecoveredLog {
  const { disk, directory } = settings
  const segments = findSegments(disk, directory)
  const last = segments.at(-1)
  const { endLsn: begunLsn, ...begun } = beginSegment({ ...settings, epoch }, last, endLsn, endLsn, false)
  assert(begunLsn === endLsn, 'a log that was followed continues at its end', () => ({ begunLsn, endLsn }))
  if (last && begun.active.path !== last.path) trim(disk, last, endLsn)
  return { report: { segments: segments.length, firstLsn, endLsn, tornTail: undefined }, ...begun }
}

interface FoundLog {
  readonly segments: readonly Segment[]
  readonly last: Segment
  readonly tail: Tail
  readonly syncedLsn: number
  readonly firstLsn: number
}

/** Where a log was synced when its batches say that it was: in this folder, or where it was copied from. */
type SyncedWhere = 'here' | 'elsewhere'

/** The log in a folder, checked, up to its end; `undefined` when there is none. Removes what a crash has left beside it. */
function findLog(settings: RecoverySettings, syncedWhere: SyncedWhere = 'here'): FoundLog | undefined {
  const { disk, directory } = settings
  makeFolder(disk, directory)
  requireKind(disk, directory, settings.kind)
  const segments = findSegments(disk, directory)
  if (segments.length === 0) return undefined
  for (const { header } of segments) compareKind(directory, header.kind, settings.kind)
  if (settings.coveredLsn === undefined) checkContentVersion(segments, settings.contentVersion)
  checkChain(segments)

  for (let i = 0; i < segments.length - 1; i++) {
    const segment = segments[i]!
    if (settings.sealed && isCheckedValid(settings.sealed, segment.header.firstLsn)) continue
    verifySealed(disk, segment, segments[i + 1]!.header)
  }
  while (lastBeginsWithinRecord(disk, segments, syncedWhere)) removeLast(disk, directory, segments)
  const last = segments.at(-1)!
  const tail = scanTail(disk, last, syncedWhere)
  const syncedLsn = Math.max(last.header.firstLsn, tail.syncedLsn)
  if (syncedLsn > tail.endLsn) {
    throw corruptAt(
      last,
      tail.endLsn,
      `the log ends here, but its batches say that it was synced up to LSN ${syncedLsn}`,
      tail.records,
    )
  }

  checkCopies(settings, tail.endLsn)
  checkCovered(settings, segments, tail.endLsn)
  const firstLsn = firstWholeRecord(settings, segments[0]!, tail.endLsn)
  return { segments, last, tail, syncedLsn, firstLsn }
}

/** From where on the batches of the last segment are written again in that of this opening, under its epoch. */
function firstRewritten(
  settings: RecoverySettings,
  last: Segment,
  endLsn: number,
  syncedLsn: number,
): number {
  if (settings.copies) return endLsn
  return isSmall(settings, last, endLsn) ? last.header.firstLsn : syncedLsn
}

/**
 * The epoch of this opening where it is not free to draw one. A last segment without a batch is replaced; others may know its
 * epoch as the one that follows on their copies, so the segment in its place keeps it.
 */
function epochKept({ copies }: RecoverySettings, last: Segment, endLsn: number): bigint | undefined {
  if (copies === undefined) return undefined
  return last.header.firstLsn === endLsn ? last.header.epoch : undefined
}

/**
 * Refuses a log that ends before the copies that others have of it. Looked at before anything is written.
 */
function checkCopies({ directory, copies }: RecoverySettings, endLsn: number): void {
  if (copies === undefined || copies.endLsn <= endLsn) return
  throw new LogError(
    'TIDEMARK_PRIMARY_BEHIND',
    `The log in ${directory} ends at LSN ${endLsn}, and the replicated log at ${copies.endLsn}: another machine has gone on without it. Run this folder as a standby, which brings it up to date; to be the primary it must be promoted.`,
    { directory, endLsn, replicatedLsn: copies.endLsn },
  )
}

/**
 * Whether the last segment holds so little that this opening's first segment replaces it. A segment has one content version,
 * so one of another version stays as it is.
 */
function isSmall(settings: RecoverySettings, last: Segment, endLsn: number): boolean {
  const { header } = last
  return (
    header.contentVersion === settings.contentVersion &&
    endLsn - header.firstLsn <= settings.initialSegmentBytes * joinShare
  )
}

/**
 * Whether the last segment was begun within a record, by a rotation, and holds no whole one: the rest of that record
 * never reached the disk, and the log ends before it, in a segment before.
 */
function lastBeginsWithinRecord(disk: Disk, segments: readonly Segment[], syncedWhere: SyncedWhere): boolean {
  const [before, last] = segments.slice(-2)
  // An opening begins its segment, under an epoch of its own, where a record ends.
  if (!before || !last || before.header.epoch !== last.header.epoch) return false
  const { firstLsn } = last.header
  return (
    scanTail(disk, last, syncedWhere).endLsn === firstLsn &&
    scanSegment(disk, before, firstLsn).wholeEndLsn < firstLsn
  )
}

/** Removes the last segment, of which nothing was ever acknowledged; the one before is then judged as the last. */
function removeLast(disk: Disk, directory: string, segments: Segment[]): void {
  const { path: file } = segments.pop()!
  attempt('remove', file, () => disk.remove(file))
  attempt('sync', directory, () => disk.syncDirectory(directory))
}

/**
 * Where the first record begins that is there from its beginning. A removal that was interrupted may leave a segment first
 * that begins within a record: the rest of that is no record.
 */
function firstWholeRecord({ disk, directory }: RecoverySettings, first: Segment, endLsn: number): number {
  const { firstLsn, withinRecord } = first.header
  if (!withinRecord) return firstLsn
  let wholeLsn: number | undefined
  const assembler = new RecordAssembler({
    visit: () => {},
    rest: (lsn) => {
      wholeLsn = lsn
    },
  })
  const files = new FileReader(disk, directory, firstLsn, { known: true })
  try {
    while (wholeLsn === undefined) {
      const chunk = files.nextSync(endLsn)
      if (!chunk) break
      assembler.walk(chunk)
    }
  } finally {
    files.close()
  }
  return wholeLsn ?? endLsn
}

/** Checks every batch of a sealed segment. */
function verifySealed(disk: Disk, segment: Segment, next: SegmentHeader): void {
  const scan = scanSegment(disk, segment, next.firstLsn)
  if (scan.endLsn === next.firstLsn) return
  throw corruptAt(
    segment,
    scan.endLsn,
    `${scan.damage ?? 'truncated'}, in a segment that was sealed and synced`,
    scan.records,
  )
}

/** The log's segments by first LSN. What a crash has left beside them is removed or gets its name first. */
export function findSegments(disk: Disk, directory: string): Segment[] {
  let changed = false
  for (const name of attempt('read', directory, () => disk.list(directory))) {
    const file = path.join(directory, name)
    if (isTemporaryName(name) || isRecycledName(name)) {
      attempt('remove', file, () => disk.remove(file))
      changed = true
    } else if (isPreallocatedName(name)) {
      const header = readSegmentHeader(disk, file)
      if (header) attempt('rename', file, () => disk.rename(file, segmentPath(directory, header.firstLsn)))
      else attempt('remove', file, () => disk.remove(file))
      changed = true
    }
  }
  if (changed) attempt('sync', directory, () => disk.syncDirectory(directory))
  return listSegments(disk, directory)
}

export function listSegments(disk: Disk, directory: string): Segment[] {
  return listSegmentNames(disk, directory).map((name) => {
    const file = path.join(directory, name)
    return { path: file, header: requireSegmentHeader(disk, file, segmentNameLsn(name)!) }
  })
}

/** Refuses a log with a segment of another content version. */
function checkContentVersion(segments: readonly Segment[], contentVersion: number): void {
  for (const { path: file, header } of segments) {
    const { contentVersion: found } = header
    if (found === contentVersion) continue
    throw new LogError(
      'TIDEMARK_LOG_FORMAT',
      `${file} was written under content version ${found}, and this build reads version ${contentVersion}. Open it with the build that wrote it.`,
      { file, found, supported: contentVersion },
    )
  }
}

/**
 * Refuses a log with records of another content version that the application would have to execute. Looked at before
 * anything is written: the build that wrote them must find the log as it was.
 */
function checkCovered(settings: RecoverySettings, segments: readonly Segment[], endLsn: number): void {
  const { disk, directory, contentVersion, coveredLsn } = settings
  const last = segments.findLastIndex(({ header }) => header.contentVersion !== contentVersion)
  if (coveredLsn === undefined || last < 0) return
  const foreignEndLsn = segments[last + 1]?.header.firstLsn ?? endLsn
  const fromLsn = Math.max(coveredLsn, segments[0]!.header.firstLsn)
  const assembler: RecordAssembler = new RecordAssembler({
    visit: () => {
      throw rulesDiffer(segments[last]!, assembler.startLsn, settings)
    },
  })
  // A log whose removal was interrupted may begin within a record.
  const known = fromLsn === segments[0]!.header.firstLsn
  readRecordsSync(new FileReader(disk, directory, fromLsn, { known }), foreignEndLsn, assembler)
}

function rulesDiffer(
  segment: Segment,
  lsn: number,
  { directory, contentVersion }: RecoverySettings,
): LogError {
  const found = segment.header.contentVersion
  return new LogError(
    'TIDEMARK_RULES_DIFFER',
    `The log in ${directory} has records from LSN ${lsn} on that were written under content version ${found} and are in no snapshot; this build has version ${contentVersion} and can't replay them. Open the log with the build that wrote it and close it cleanly, or take a checkpoint there: this build continues from that snapshot.`,
    { directory, lsn, found, supported: contentVersion },
  )
}

interface Tail {
  endLsn: number
  /** LSN after the last whole record, without the sync markers after it. */
  recordEndLsn: number
  records: number
  syncedLsn: number
  tornTail: TornTail | undefined
}

/** Finds the end of the last segment, and whether zeros, a torn tail or corruption come after it. */
function scanTail(disk: Disk, segment: Segment, syncedWhere: SyncedWhere): Tail {
  const window = new SegmentWindow(disk, segment)
  const fileEndLsn = window.fileEndLsn
  window.close()
  const scan = scanSegment(disk, segment, fileEndLsn)
  const evidence = searchAfter(disk, segment, scan.endLsn)
  if (evidence.proof && syncedWhere === 'here') {
    throw corruptAt(
      segment,
      scan.endLsn,
      `${scan.damage ?? 'truncated'}, though the batch at LSN ${evidence.proof.lsn} was written when the log was synced up to LSN ${evidence.proof.synced}`,
      scan.records,
    )
  }
  const torn = evidence.lastWrittenLsn > scan.endLsn || scan.endLsn > scan.wholeEndLsn
  return {
    endLsn: scan.wholeEndLsn,
    recordEndLsn: scan.recordEndLsn,
    records: scan.records,
    syncedLsn: scan.syncedLsn,
    tornTail: torn
      ? {
          file: segment.path,
          offset: segmentHeaderBytes + scan.endLsn - segment.header.firstLsn,
          lsn: scan.endLsn,
          reason: scan.damage ?? 'unfinished record',
          bytesCut: Math.max(evidence.lastWrittenLsn, scan.endLsn) - scan.wholeEndLsn,
          recordsKept: scan.records,
        }
      : undefined,
  }
}
