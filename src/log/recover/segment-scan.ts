import type { Disk } from '../disk/disk.js'
import type { Segment } from '../format/segment.js'
import { type BatchDamage, BatchWalk } from '../read/batch-walk.js'
import { SegmentWindow } from '../read/segment-window.js'

export interface SegmentScan {
  /** LSN after the last valid batch. */
  endLsn: number
  /** LSN after the last valid batch that leaves no record unfinished: where the log can end. */
  wholeEndLsn: number
  /** The same without the sync markers after it. */
  recordEndLsn: number
  batches: number
  /** Whole ones. */
  records: number
  /** The highest synced LSN that a valid batch carries. */
  syncedLsn: number
  /** Why the scan stopped before the limit, if it did: no valid batch begins at `endLsn`. */
  damage: BatchDamage | undefined
}

/**
 * Checks every batch of a segment from its first, or from where an earlier scan ended, to `limitLsn`, or to the first place
 * where no valid one begins. Nothing is read that the earlier scan has read. `file` is the segment's file when it is open
 * already; it stays open.
 */
export function scanSegment(
  disk: Disk,
  segment: Segment,
  limitLsn: number,
  earlier?: SegmentScan,
  file?: number,
): SegmentScan {
  const { firstLsn } = segment.header
  const scan: SegmentScan = {
    endLsn: firstLsn,
    wholeEndLsn: firstLsn,
    recordEndLsn: firstLsn,
    batches: 0,
    records: 0,
    syncedLsn: 0,
    ...earlier,
    damage: undefined,
  }
  const window = new SegmentWindow(disk, segment, { file })
  try {
    const walk = new BatchWalk(window, { fromLsn: scan.endLsn })
    for (;;) {
      const step = walk.step(limitLsn)
      if (step === 'end') return scan
      if (step !== 'batch') {
        scan.damage = step
        return scan
      }
      const { records, continues, synced } = walk.header
      scan.endLsn = walk.position
      scan.batches++
      if (synced > scan.syncedLsn) scan.syncedLsn = synced
      if (continues) continue
      scan.wholeEndLsn = scan.endLsn
      if (records === 0) continue
      scan.records += records
      scan.recordEndLsn = scan.endLsn
    }
  } finally {
    window.close()
  }
}

/** Whether every batch of a sealed segment is valid, up to where its successor begins. */
export function isSealedValid(disk: Disk, segment: Segment, endLsn: number): boolean {
  return scanSegment(disk, segment, endLsn).endLsn === endLsn
}

/** What stands after a place where no valid batch begins. */
export interface TailEvidence {
  /** A valid batch that was written when the place was already synced, if there is one. */
  readonly proof: { readonly lsn: number; readonly synced: number } | undefined
  /** LSN after the last byte that this use of the file has written; see `BatchSearch`. */
  readonly lastWrittenLsn: number
}

/**
 * Looks after a place where no valid batch begins: a later valid batch that carries a synced LSN above `badLsn` proves that
 * the place had been on disk, so that this is corruption and not a torn tail. `file` is the segment's file when it is open
 * already; it stays open.
 */
export function searchAfter(disk: Disk, segment: Segment, badLsn: number, file?: number): TailEvidence {
  const window = new SegmentWindow(disk, segment, { file })
  try {
    const walk = new BatchWalk(window, { fromLsn: badLsn })
    const endLsn = window.fileEndLsn
    for (;;) {
      const { lsn, lastWrittenLsn } = walk.findNext(endLsn)
      if (lsn === undefined) return { proof: undefined, lastWrittenLsn }
      walk.position = lsn
      while (walk.step(endLsn) === 'batch') {
        const { lsn: at, synced } = walk.header
        if (synced > badLsn) return { proof: { lsn: at, synced }, lastWrittenLsn: walk.position }
      }
    }
  } finally {
    window.close()
  }
}
