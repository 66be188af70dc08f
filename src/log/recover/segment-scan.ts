import { crc32 } from 'node:zlib'
import type { Disk } from '../disk/disk.js'
import { frameFlag, maxApplicationType } from '../format/frame.js'
import type { Segment } from '../format/segment.js'
import { type BatchDamage, BatchWalk } from '../read/batch-walk.js'
import { SegmentWindow } from '../read/segment-window.js'

export interface SegmentScan {
  /** LSN after the last valid frame. */
  endLsn: number
  /** LSN after the last valid frame that ends a group. */
  groupEndLsn: number
  /** The same of the application's groups, without the sync markers after them. */
  recordEndLsn: number
  frames: number
  /** The application's, without the log's own sync markers. */
  groups: number
  /** The highest synced LSN that a valid frame carries. */
  syncedLsn: number
  /** Why the scan stopped before the limit, if it did: no valid frame begins at `endLsn`. */
  damage: BatchDamage | undefined
}

/**
 * Checks every frame of a segment from its first, or from where an earlier scan ended, to `limitLsn`, or to the first place
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
    groupEndLsn: firstLsn,
    recordEndLsn: firstLsn,
    frames: 0,
    groups: 0,
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
      const { type, flags, synced } = walk.header
      scan.endLsn = walk.position
      scan.frames++
      if (synced > scan.syncedLsn) scan.syncedLsn = synced
      if ((flags & frameFlag.continues) !== 0) continue
      scan.groupEndLsn = scan.endLsn
      if (type > maxApplicationType) continue
      scan.groups++
      scan.recordEndLsn = scan.endLsn
    }
  } finally {
    window.close()
  }
}

/**
 * CRC-32 of all bytes of a segment from its first LSN to `endLsn`, as its successor's header holds it; -1, which no CRC is,
 * when the file ends before.
 */
export function segmentCrc(disk: Disk, segment: Segment, endLsn: number): number {
  const window = new SegmentWindow(disk, segment)
  let crc = 0
  try {
    for (let lsn = segment.header.firstLsn; lsn < endLsn; lsn += window.available) {
      window.fill(lsn, endLsn)
      if (window.available === 0) return -1
      crc = crc32(window.bytes.subarray(0, window.available), crc)
    }
    return crc
  } finally {
    window.close()
  }
}

/** What stands after a place where no valid frame begins. */
export interface TailEvidence {
  /** A valid frame that was written when the place was already synced, if there is one. */
  readonly proof: { readonly lsn: number; readonly synced: number } | undefined
  /** LSN after the last byte that this use of the file has written; see `BatchSearch`. */
  readonly lastWrittenLsn: number
}

/**
 * Looks after a place where no valid frame begins: a later valid frame that carries a synced LSN above `badLsn` proves that
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
