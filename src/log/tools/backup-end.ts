import { setTimeout } from 'node:timers/promises'
import type { Disk } from '../disk/disk.js'
import type { Segment } from '../format/segment.js'
import { type SegmentScan, scanSegment } from '../recover/segment-scan.js'
import { lastWholeEndIn, scanWritten, successorOf } from './log-end.js'

/** What is known of the log beside its files. */
export interface EndKnowledge {
  /** LSN up to which the log's owner has acknowledged: the copy ends there. Without it the copy finds out from the files. */
  readonly syncedLsn?: number
  /** No process has the log open, and none will meanwhile: every whole record is taken, as an opening would take it. */
  readonly closed?: boolean
}

/**
 * A running log writes within 100 ms, in the next batch or in a sync marker, that what it wrote before is synced. One that
 * does not for so long has a disk that stands still, or its durability is `unsafeNone`.
 */
const evidenceMs = 1000
const lookMs = 25

/**
 * Where the copy of a log ends that begins with the first of `segments`, which are all that there were: at the end of a whole record,
 * after everything that had been acknowledged when they were listed, and not below `snapshotLsn`.
 *
 * What was whole and not acknowledged is taken too, as an opening would take it. The source may still lose that, so the
 * copy waits until the source says that it is synced, for a second: an `unsafeNone` log never says so, and has
 * acknowledged it.
 *
 * @throws LogError `TIDEMARK_LOG_CORRUPT` when a segment is damaged below what was synced.
 */
export async function copyEnd(
  disk: Disk,
  directory: string,
  segments: readonly Segment[],
  snapshotLsn: number,
  knowledge: EndKnowledge,
): Promise<number> {
  const { syncedLsn, closed = false } = knowledge
  if (syncedLsn !== undefined) {
    const knownLsn = Math.max(syncedLsn, snapshotLsn)
    const begun = segments.filter(({ header }, i) => i === 0 || header.firstLsn < knownLsn)
    const scan = scanWritten(disk, directory, begun.at(-1)!, knownLsn, knownLsn)
    return lastWholeEnd(disk, begun, scan)
  }
  const last = segments.at(-1)!
  const scan = scanWritten(disk, directory, last, snapshotLsn)
  const endLsn = lastWholeEnd(disk, segments, scan)
  for (let waitedMs = 0; !closed && waitedMs < evidenceMs; waitedMs += lookMs) {
    if (isKnownSynced(disk, directory, last, scan)) break
    await setTimeout(lookMs)
  }
  return endLsn
}

/** Where the last whole record ends, given the scan of the last segment, which a single record may fill, and others before it. */
function lastWholeEnd(disk: Disk, segments: readonly Segment[], scan: SegmentScan): number {
  let endLsn = scan.wholeEndLsn
  for (let i = segments.length - 1; i > 0; i--) {
    const { firstLsn, withinRecord } = segments[i]!.header
    if (!withinRecord || endLsn > firstLsn) break
    endLsn = lastWholeEndIn(disk, segments[i - 1]!, firstLsn)
  }
  return endLsn
}

/** Whether later batches, or a successor of the segment, say that what was scanned is synced. */
function isKnownSynced(disk: Disk, directory: string, segment: Segment, scan: SegmentScan): boolean {
  const { syncedLsn } = scanSegment(disk, segment, Number.POSITIVE_INFINITY, scan)
  return syncedLsn >= scan.wholeEndLsn || successorOf(disk, directory, segment.header.firstLsn) !== undefined
}
