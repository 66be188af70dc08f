import { crc32 } from 'node:zlib'
import type { Disk } from '../disk/disk.js'
import {
  alignFrame,
  FrameDecoder,
  type FrameFault,
  frameFlag,
  frameHeaderBytes,
  maxApplicationType,
} from '../format/frame.js'
import { type Segment, segmentSeed } from '../format/segment.js'
import { SegmentWindow } from '../read/segment-window.js'

export interface SegmentScan {
  /** LSN behind the last sound frame. */
  endLsn: number
  /** LSN behind the last sound frame that ends a group. */
  groupEndLsn: number
  /** The same of the application's groups, without the sync markers after them. */
  recordEndLsn: number
  frames: number
  /** The application's, without the log's own marks. */
  groups: number
  /** The highest synced LSN that a sound frame carries. */
  syncedLsn: number
  /** Why the scan stopped before the limit, if it did: the frame at `endLsn` is not sound. */
  fault: Exclude<FrameFault, 'none'> | undefined
}

/**
 * Checks every frame of a segment from its first, or from where an earlier scan ended, to `limitLsn`, or to the first
 * that is not sound. Nothing is read that the earlier scan has read. `file` is the segment's file when it is open
 * already; it stays open.
 */
export function scanSegment(
  disk: Disk,
  segment: Segment,
  limitLsn: number,
  earlier?: SegmentScan,
  file?: number,
): SegmentScan {
  const { header } = segment
  const decoder = new FrameDecoder(header.maxFrameBytes)
  const seed = segmentSeed(header)
  const window = new SegmentWindow(disk, segment, header.maxFrameBytes, file)
  const scan: SegmentScan = {
    endLsn: header.firstLsn,
    groupEndLsn: header.firstLsn,
    recordEndLsn: header.firstLsn,
    frames: 0,
    groups: 0,
    syncedLsn: 0,
    ...earlier,
    fault: undefined,
  }
  try {
    window.fill(scan.endLsn, limitLsn)
    while (scan.endLsn < limitLsn) {
      let fault = decoder.decode(
        window.bytes,
        scan.endLsn - window.startLsn,
        window.available,
        scan.endLsn,
        seed,
      )
      if (fault === 'truncated') {
        window.fill(scan.endLsn, limitLsn)
        fault = decoder.decode(window.bytes, 0, window.available, scan.endLsn, seed)
      }
      if (fault !== 'none') {
        scan.fault = fault
        return scan
      }
      const { length, type, flags, synced } = decoder.view
      scan.endLsn += alignFrame(length)
      scan.frames++
      if (synced > scan.syncedLsn) scan.syncedLsn = synced
      if ((flags & frameFlag.continues) === 0) {
        scan.groupEndLsn = scan.endLsn
        if (type <= maxApplicationType) {
          scan.groups++
          scan.recordEndLsn = scan.endLsn
        }
      }
    }
    return scan
  } finally {
    if (file === undefined) window.close()
  }
}

/** CRC-32 of all bytes of a segment from its first LSN to `endLsn`, as its successor's header holds it. */
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

export interface TailEvidence {
  /** A sound frame that was written when the place in question was already synced, if there is one. */
  proof: { lsn: number; synced: number } | undefined
  /**
   * LSN behind the last byte that this use of the file has written: the last one that is not zero, or, in a recycled
   * file, which is full of other bytes, the last header that carries the LSN of its place.
   */
  lastWrittenLsn: number
}

const blankBytes = 64 * 1024
const blank = Buffer.alloc(blankBytes)

/**
 * Looks behind a frame that is not sound: any later sound frame that carries a synced LSN above `badLsn` proves that
 * the place had been on disk, so that this is corruption and not a torn tail. `file` is the segment's file when it is open
 * already; it stays open.
 */
export function searchBehind(disk: Disk, segment: Segment, badLsn: number, file?: number): TailEvidence {
  const { header } = segment
  const decoder = new FrameDecoder(header.maxFrameBytes)
  const seed = segmentSeed(header)
  const window = new SegmentWindow(disk, segment, header.maxFrameBytes * 2, file)
  const evidence: TailEvidence = { proof: undefined, lastWrittenLsn: badLsn }
  try {
    const end = window.fileEndLsn
    for (let from = badLsn; from < end; ) {
      window.fill(from, end)
      if (window.available < frameHeaderBytes) break
      const words = new Int32Array(window.bytes.buffer, 0, window.bytes.byteLength >> 2)
      const last = from + window.available >= end
      const stop = last ? window.available : window.available - header.maxFrameBytes
      for (let at = 0; at + 8 <= stop; at += 8) {
        if (isBlank(window, at)) {
          at += blankBytes - 8
          continue
        }
        const word = at >> 2
        const lsn = from + at
        // A place that carries its own LSN is all that is worth a look; whole segments of other bytes may follow.
        const ours = words[word + 4] === (lsn | 0) && at + frameHeaderBytes <= window.available
        if (header.recycled) {
          if (ours && bearsLsn(words, word, lsn))
            evidence.lastWrittenLsn = Math.min(end, lsn + frameHeaderBytes)
        } else if (words[word] !== 0 || words[word + 1] !== 0) {
          evidence.lastWrittenLsn = Math.min(end, lsn + 8)
        }
        if (!ours || evidence.proof || lsn === badLsn) continue
        if (decoder.decode(window.bytes, at, window.available, lsn, seed) !== 'none') continue
        if (decoder.view.synced > badLsn) evidence.proof = { lsn, synced: decoder.view.synced }
      }
      from += stop - (stop % 8)
      if (last) break
    }
    return evidence
  } finally {
    if (file === undefined) window.close()
  }
}

function isBlank(window: SegmentWindow, at: number): boolean {
  if (at % blankBytes !== 0 || at + blankBytes > window.available) return false
  return window.bytes.subarray(at, at + blankBytes).equals(blank)
}

function bearsLsn(words: Int32Array, word: number, lsn: number): boolean {
  return (words[word + 4]! >>> 0) + (words[word + 5]! >>> 0) * 0x1_0000_0000 === lsn
}
