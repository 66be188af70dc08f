import { crc32 } from 'node:zlib'
import type { Disk } from '../disk/disk.js'
import {
  alignFrame,
  FrameDecoder,
  type FrameFault,
  type FrameView,
  frameField,
  frameHeaderBytes,
} from '../format/frame.js'
import { attempt, type SegmentHeader, segmentHeaderBytes, segmentSeed } from '../format/segment.js'

/** What is walked at a time: in a process that does other things too, for a millisecond or two. */
const windowBytes = 256 * 1024
/** What is read at a time where a larger read fails. */
const pageBytes = 4096
/** A file with more unreadable pages than this is given up: each may take the drive seconds. */
const unreadablePagesMax = 64

/** Takes each sound frame where it stands in memory; valid during the call. */
export interface FrameSink {
  frame(view: FrameView, bytes: Buffer, payloadStart: number, payloadEnd: number): void
  /** A byte behind a frame, before the next multiple of 8, that is not zero. */
  padding(lsn: number): void
}

export interface SoundFrameSearch {
  /** Where the next sound frame begins, if there is one. */
  readonly lsn: number | undefined
  /** LSN behind the last byte that was looked at and was written by this use of the file; see `TailEvidence`. */
  readonly lastWrittenLsn: number
}

/**
 * Goes through the frames of one segment file, also behind what is not sound. No number of the file is believed
 * before it is bounded by the file itself, so memory stays below the larger of a window and the file.
 */
export class SegmentWalk {
  readonly path: string
  readonly header: SegmentHeader
  readonly #disk: Disk
  readonly #file: number
  readonly #sink: FrameSink
  readonly #seed: number
  readonly #maxFrameBytes: number
  readonly #decoder: FrameDecoder
  #bytes: Buffer
  #startLsn: number
  #available = 0
  #unreadablePages = 0
  #crc = 0
  #crcLsn: number
  /** LSN of the next frame to check. */
  position: number
  frames = 0

  /** Walks the file that `handle` is open on; closing it is the caller's. */
  constructor(disk: Disk, handle: number, path: string, header: SegmentHeader, sink: FrameSink) {
    this.#disk = disk
    this.#file = handle
    this.path = path
    this.header = header
    this.#sink = sink
    this.#seed = segmentSeed(header)
    const fileBytes = disk.size(handle)
    this.#bytes = Buffer.allocUnsafeSlow(Math.max(pageBytes, Math.min(windowBytes, fileBytes)))
    this.#maxFrameBytes = Math.min(header.maxFrameBytes, Math.max(frameHeaderBytes, fileBytes))
    this.#decoder = new FrameDecoder(this.#maxFrameBytes)
    this.#startLsn = header.firstLsn
    this.#crcLsn = header.firstLsn
    this.position = header.firstLsn
  }

  get fileBytes(): number {
    return this.#disk.size(this.#file)
  }

  get fileEndLsn(): number {
    return this.header.firstLsn + Math.max(0, this.fileBytes - segmentHeaderBytes)
  }

  /** Byte of the file. */
  offset(lsn: number): number {
    return segmentHeaderBytes + lsn - this.header.firstLsn
  }

  /** Whether a part of the file could not be read; it was taken for zeros. */
  get unreadable(): boolean {
    return this.#unreadablePages > 0
  }

  /** CRC-32 of all bytes up to `endLsn`, if the walk has read exactly up to there. */
  crcUpTo(endLsn: number): number | undefined {
    return this.#crcLsn === endLsn ? this.#crc : undefined
  }

  /**
   * Checks frames from `position` on, up to `limitLsn`, as many as one window holds: `window` when there are more,
   * `limit` when `position` has come there, or what is wrong with the frame at `position`.
   *
   * @throws LogError `TIDEMARK_LOG_IO` when too much of the file can't be read.
   */
  advance(limitLsn: number): Exclude<FrameFault, 'none'> | 'window' | 'limit' {
    if (this.position >= limitLsn) return 'limit'
    this.#fill(this.position, limitLsn)
    for (;;) {
      const fault = this.#decode(limitLsn)
      if (fault === 'refill') {
        if (this.position > this.#startLsn) return 'window'
        if (this.#grow(limitLsn)) continue
        return 'truncated'
      }
      if (fault !== 'none') return fault
      if (this.position >= limitLsn) return 'limit'
    }
  }

  /** The frame at `position`, read anew, is sound now. */
  soundNow(limitLsn: number): boolean {
    this.#fill(this.position, limitLsn)
    do {
      const end = Math.min(this.#available, limitLsn - this.#startLsn)
      const fault = this.#decoder.decode(this.#bytes, 0, end, this.position, this.#seed)
      if (fault !== 'truncated') return fault === 'none'
    } while (this.#grow(limitLsn))
    return false
  }

  /** Whether the frame at another place, read anew, is sound now. */
  soundAt(lsn: number): boolean {
    const { position } = this
    this.position = lsn
    try {
      return this.soundNow(this.fileEndLsn)
    } finally {
      this.position = position
    }
  }

  /** Looks behind `position` for the next sound frame, up to `limitLsn`. `position` stays. */
  findNext(limitLsn: number): SoundFrameSearch {
    let lastWrittenLsn = this.position
    const end = Math.min(limitLsn, this.fileEndLsn)
    for (let lsn = this.position; lsn < end; ) {
      this.#fill(lsn, end)
      if (this.#available === 0) break
      const last = lsn + this.#available >= end
      let at = 0
      while (at < this.#available) {
        if (this.#isZero(at)) {
          at += 8
          continue
        }
        if (!this.header.recycled) lastWrittenLsn = Math.min(end, lsn + at + 8)
        else if (this.#bearsLsn(at, lsn + at)) lastWrittenLsn = Math.min(end, lsn + at + frameHeaderBytes)
        const candidate = lsn + at > this.position
        const fault = this.#decoder.decode(this.#bytes, at, this.#available, lsn + at, this.#seed)
        if (fault === 'none' && candidate) return { lsn: lsn + at, lastWrittenLsn }
        // The frame may go on behind the window: look at it again at the beginning of the next.
        if (fault === 'truncated' && !last) {
          if (at > 0) break
          if (this.#grow(end)) continue
        }
        at += 8
      }
      lsn += at
    }
    return { lsn: undefined, lastWrittenLsn }
  }

  #decode(limitLsn: number): FrameFault | 'refill' {
    const at = this.position - this.#startLsn
    const windowEndLsn = this.#startLsn + this.#available
    const end = Math.min(this.#available, limitLsn - this.#startLsn)
    const fault = this.#decoder.decode(this.#bytes, at, end, this.position, this.#seed)
    const more = windowEndLsn < Math.min(limitLsn, this.fileEndLsn)
    if (fault === 'truncated') return more ? 'refill' : 'truncated'
    if (fault !== 'none') return fault
    const { view } = this.#decoder
    const aligned = alignFrame(view.length)
    if (at + aligned > this.#available && more) return 'refill'
    for (let i = at + view.length; i < Math.min(at + aligned, this.#available); i++) {
      if (this.#bytes[i] !== 0) {
        this.#sink.padding(this.#startLsn + i)
        break
      }
    }
    this.frames++
    this.position += aligned
    this.#sink.frame(view, this.#bytes, at + frameHeaderBytes, at + view.length)
    return 'none'
  }

  /** Whether the eight bytes at `at`, or what is left of them, are zero. */
  #isZero(at: number): boolean {
    if (at + 8 <= this.#available) {
      return this.#bytes.readInt32LE(at) === 0 && this.#bytes.readInt32LE(at + 4) === 0
    }
    return this.#bytes.subarray(at, this.#available).every((byte) => byte === 0)
  }

  #bearsLsn(at: number, lsn: number): boolean {
    return (
      at + frameHeaderBytes <= this.#available &&
      this.#bytes.readBigUInt64LE(at + frameField.lsn) === BigInt(lsn)
    )
  }

  /** Makes room for the frame at the window's beginning and reads it; `false` when it does not lie before `limitLsn`. */
  #grow(limitLsn: number): boolean {
    if (this.#available < frameHeaderBytes) return false
    const length = alignFrame(this.#bytes.readUInt32LE(0))
    const end = Math.min(limitLsn, this.fileEndLsn)
    const fits = length <= this.#maxFrameBytes + 7 && this.#startLsn + length <= end
    if (!fits || length <= this.#bytes.byteLength) return false
    this.#bytes = Buffer.allocUnsafeSlow(length)
    this.#fill(this.#startLsn, limitLsn)
    return true
  }

  #fill(lsn: number, limitLsn: number): void {
    this.#startLsn = lsn
    this.#available = 0
    const wanted = Math.min(this.#bytes.byteLength, limitLsn - lsn)
    while (this.#available < wanted) {
      const read = this.#read(this.#available, wanted)
      if (read === 0) break
      this.#available += read
    }
    const known = this.#crcLsn - lsn
    if (known < 0 || known >= this.#available) return
    this.#crc = crc32(this.#bytes.subarray(known, this.#available), this.#crc)
    this.#crcLsn = lsn + this.#available
  }

  /** Reads a piece; where that fails, one page, and a page that can't be read counts as zeros. */
  #read(from: number, to: number): number {
    const position = this.offset(this.#startLsn + from)
    try {
      return this.#disk.readSync(this.#file, this.#bytes.subarray(from, to), position)
    } catch {
      const page = this.#bytes.subarray(from, Math.min(to, from + pageBytes - (position % pageBytes)))
      try {
        return this.#disk.readSync(this.#file, page, position)
      } catch (cause) {
        if (++this.#unreadablePages > unreadablePagesMax) {
          attempt('read', this.path, () => {
            throw cause
          })
        }
        page.fill(0)
        return page.byteLength
      }
    }
  }
}
