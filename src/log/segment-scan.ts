import { crc32 } from 'node:zlib'
import type { Disk } from './disk.js'
import { alignFrame, FrameDecoder, type FrameFault, frameFlag, frameHeaderBytes } from './frame.js'
import { attempt, type Segment, segmentHeaderBytes, segmentSeed } from './segment.js'

const chunkBytes = 1024 * 1024

/** A window of a segment file in memory, addressed by LSN. */
export class SegmentWindow {
  readonly segment: Segment
  readonly #disk: Disk
  readonly #file: number
  bytes: Buffer
  /** LSN of the first byte of `bytes`, and how many bytes are there. */
  startLsn: number
  available = 0

  constructor(disk: Disk, segment: Segment, minBytes: number = chunkBytes) {
    this.#disk = disk
    this.segment = segment
    this.#file = attempt('open', segment.path, () => disk.open(segment.path, 'read'))
    this.bytes = Buffer.allocUnsafeSlow(Math.max(chunkBytes, minBytes))
    this.startLsn = segment.header.firstLsn
  }

  /** LSN behind the last whole byte of the file. */
  get fileEndLsn(): number {
    const size = attempt('read', this.segment.path, () => this.#disk.size(this.#file))
    return this.segment.header.firstLsn + Math.max(0, size - segmentHeaderBytes)
  }

  filePosition(lsn: number): number {
    return segmentHeaderBytes + lsn - this.segment.header.firstLsn
  }

  /** Reads from `lsn` on, up to `limitLsn`, as much as the window holds. */
  fill(lsn: number, limitLsn: number): void {
    this.startLsn = lsn
    this.available = 0
    const wanted = Math.min(this.bytes.byteLength, limitLsn - lsn)
    while (this.available < wanted) {
      const target = this.bytes.subarray(this.available, wanted)
      const position = this.filePosition(lsn + this.available)
      const read = attempt('read', this.segment.path, () => this.#disk.readSync(this.#file, target, position))
      if (read === 0) return
      this.available += read
    }
  }

  /** Like `fill`, without blocking the thread. */
  async fillAsync(lsn: number, limitLsn: number): Promise<void> {
    this.startLsn = lsn
    this.available = 0
    const wanted = Math.min(this.bytes.byteLength, limitLsn - lsn)
    while (this.available < wanted) {
      const target = this.bytes.subarray(this.available, wanted)
      const read = await this.#disk.read(this.#file, target, this.filePosition(lsn + this.available))
      if (read === 0) return
      this.available += read
    }
  }

  close(): void {
    this.#disk.close(this.#file)
  }
}

export interface SegmentScan {
  /** LSN behind the last sound frame. */
  endLsn: number
  /** LSN behind the last sound frame that ends a group. */
  groupEndLsn: number
  frames: number
  groups: number
  /** The highest synced LSN that a sound frame carries. */
  syncedLsn: number
  /** Why the scan stopped before the limit, if it did: the frame at `endLsn` is not sound. */
  fault: Exclude<FrameFault, 'none'> | undefined
}

/** Checks every frame of a segment from its first to `limitLsn`, or to the first that is not sound. */
export function scanSegment(disk: Disk, segment: Segment, limitLsn: number): SegmentScan {
  const { header } = segment
  const decoder = new FrameDecoder(header.maxFrameBytes)
  const seed = segmentSeed(header)
  const window = new SegmentWindow(disk, segment, header.maxFrameBytes)
  const scan: SegmentScan = {
    endLsn: header.firstLsn,
    groupEndLsn: header.firstLsn,
    frames: 0,
    groups: 0,
    syncedLsn: 0,
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
      const { length, flags, synced } = decoder.view
      scan.endLsn += alignFrame(length)
      scan.frames++
      if (synced > scan.syncedLsn) scan.syncedLsn = synced
      if ((flags & frameFlag.continues) === 0) {
        scan.groups++
        scan.groupEndLsn = scan.endLsn
      }
    }
    return scan
  } finally {
    window.close()
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
  /** LSN behind the last byte that is not zero. */
  lastNonZeroLsn: number
}

/**
 * Looks behind a frame that is not sound: any later sound frame that carries a synced LSN above `badLsn` proves that
 * the place had been on disk, so that this is corruption and not a torn tail.
 */
export function searchBehind(disk: Disk, segment: Segment, badLsn: number): TailEvidence {
  const { header } = segment
  const decoder = new FrameDecoder(header.maxFrameBytes)
  const seed = segmentSeed(header)
  const window = new SegmentWindow(disk, segment, header.maxFrameBytes * 2)
  const evidence: TailEvidence = { proof: undefined, lastNonZeroLsn: badLsn }
  try {
    const end = window.fileEndLsn
    for (let from = badLsn; from < end; ) {
      window.fill(from, end)
      if (window.available < frameHeaderBytes) break
      const last = from + window.available >= end
      const stop = last ? window.available : window.available - header.maxFrameBytes
      for (let at = 0; at + 8 <= stop; at += 8) {
        const low = window.bytes.readInt32LE(at)
        if (low === 0 && window.bytes.readInt32LE(at + 4) === 0) continue
        evidence.lastNonZeroLsn = Math.min(end, from + at + 8)
        if (evidence.proof || from + at === badLsn) continue
        if (decoder.decode(window.bytes, at, window.available, from + at, seed) !== 'none') continue
        if (decoder.view.synced > badLsn) evidence.proof = { lsn: from + at, synced: decoder.view.synced }
      }
      from += stop - (stop % 8)
      if (last) break
    }
    return evidence
  } finally {
    window.close()
  }
}
