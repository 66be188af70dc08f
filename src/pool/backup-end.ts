import { setTimeout } from 'node:timers/promises'
import type { Disk } from '../log/disk.js'
import { LogError } from '../log/errors.js'
import { type Segment, segmentHeaderBytes } from '../log/segment.js'
import { type SegmentScan, SegmentWindow, scanSegment, searchBehind } from '../log/segment-scan.js'

/** What is known of the log beside its files. */
export interface EndKnowledge {
  /** LSN up to which it is synced, from whoever writes it. Without it the copy finds out from the frames. */
  readonly syncedLsn?: number
  /** Nobody has it open, and nobody will: every whole group is taken, as an opening would take it. */
  readonly closed?: boolean
}

/**
 * A running log tells within 100 ms that what it wrote is synced, in the next batch or in a mark. One that does not
 * for so long has a disk that stands still, or was told not to sync.
 */
const evidenceMs = 1000
const lookMs = 25
/** How often bytes that are not sound are looked at again: somebody may be writing them. */
const damageTries = 3

/**
 * Where the copy of a log ends whose last segment is `last`: at a group end, so that every group which was whole when
 * the look began is in it and all of it is known to be synced.
 *
 * @throws LogError `TIDEMARK_LOG_CORRUPT` when the segment is damaged below what was synced.
 */
export async function copyEnd(
  disk: Disk,
  last: Segment,
  snapshotLsn: number,
  knowledge: EndKnowledge,
): Promise<number> {
  const { firstLsn } = last.header
  const begun = await soundScan(disk, last, Math.max(snapshotLsn, knowledge.syncedLsn ?? 0))
  if (knowledge.closed) return begun.groupEndLsn
  let syncedLsn = Math.max(firstLsn, snapshotLsn, knowledge.syncedLsn ?? begun.syncedLsn)
  if (knowledge.syncedLsn === undefined) {
    for (let waitedMs = 0; syncedLsn < begun.groupEndLsn && waitedMs < evidenceMs; waitedMs += lookMs) {
      await setTimeout(lookMs)
      syncedLsn = Math.max(syncedLsn, scanSegment(disk, last, fileEnd(disk, last)).syncedLsn)
    }
  }
  if (syncedLsn >= begun.groupEndLsn) return begun.groupEndLsn
  return scanSegment(disk, last, syncedLsn).groupEndLsn
}

/** The last segment's frames, once it is clear that what stands behind them is not damage. */
async function soundScan(disk: Disk, last: Segment, syncedLsn: number): Promise<SegmentScan> {
  for (let tries = 1; ; tries++) {
    const scan = scanSegment(disk, last, fileEnd(disk, last))
    const { proof } = searchBehind(disk, last, scan.endLsn)
    const known = Math.max(syncedLsn, scan.syncedLsn, proof?.synced ?? 0)
    if (!proof && known <= scan.endLsn) return scan
    if (tries === damageTries) {
      const offset = segmentHeaderBytes + scan.endLsn - last.header.firstLsn
      const reason = `${scan.fault ?? 'it ends here'}, though the log was synced up to LSN ${known}`
      throw new LogError(
        'TIDEMARK_LOG_CORRUPT',
        `The log is corrupt at LSN ${scan.endLsn}, byte ${offset} of ${last.path}: ${reason}.`,
        { file: last.path, offset, lsn: scan.endLsn, reason },
      )
    }
    await setTimeout(lookMs)
  }
}

function fileEnd(disk: Disk, segment: Segment): number {
  const window = new SegmentWindow(disk, segment)
  const { fileEndLsn } = window
  window.close()
  return fileEndLsn
}
