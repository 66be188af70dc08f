import { attempt, attemptAsync } from '../disk/attempt.js'
import type { Disk } from '../disk/disk.js'
import { type Segment, segmentHeaderBytes } from '../format/segment.js'

const chunkBytesDefault = 1024 * 1024

/** As `Disk.readSync`; for tools that read around what a disk can't give. */
export type ReadBytes = (file: number, target: Buffer, position: number) => number

export interface SegmentWindowOptions {
  /** Bytes that are read at a time, a multiple of 8. Default 1 MiB. */
  readonly chunkBytes?: number
  /** The segment's file, when it is open already; closing it stays with the caller. */
  readonly file?: number | undefined
  /** Reads instead of the disk. */
  readonly read?: ReadBytes
}

/**
 * A part of a segment file in memory, addressed by LSN. Its memory is bounded by the file, whatever a header says of the
 * batches in it.
 */
export class SegmentWindow {
  readonly segment: Segment
  readonly #disk: Disk
  readonly #chunkBytes: number
  readonly #read: ReadBytes
  readonly #given: boolean
  #file: number | undefined
  /** Begins at a multiple of 8 of its memory. */
  bytes: Buffer = Buffer.allocUnsafeSlow(0)
  /** LSN of the first byte of `bytes`, and how many bytes are there: a multiple of 8, but where the file or the limit ends. */
  startLsn: number
  available = 0

  constructor(disk: Disk, segment: Segment, options: SegmentWindowOptions = {}) {
    const { chunkBytes = chunkBytesDefault, file } = options
    this.#disk = disk
    this.segment = segment
    this.#chunkBytes = chunkBytes
    this.#read = options.read ?? ((handle, target, position) => disk.readSync(handle, target, position))
    this.#given = file !== undefined
    this.#file = file ?? this.#open()
    this.startLsn = segment.header.firstLsn
  }

  /** LSN after the last whole byte of the file. */
  get fileEndLsn(): number {
    const file = this.#handle()
    const size = attempt('read', this.segment.path, () => this.#disk.size(file))
    return this.segment.header.firstLsn + Math.max(0, size - segmentHeaderBytes)
  }

  /** Byte of the file at which an LSN stands. */
  filePosition(lsn: number): number {
    return segmentHeaderBytes + lsn - this.segment.header.firstLsn
  }

  /** Reads from `lsn` on, up to `limitLsn` or the end of the file, at most a chunk, or `bytes` if that is more. */
  fill(lsn: number, limitLsn: number, bytes = 0): void {
    const requested = this.#begin(lsn, limitLsn, bytes)
    const file = this.#handle()
    while (this.available < requested) {
      const target = this.bytes.subarray(this.available, requested)
      const position = this.filePosition(lsn + this.available)
      const read = attempt('read', this.segment.path, () => this.#read(file, target, position))
      if (read === 0) return
      this.available += read
    }
  }

  /** Like `fill`, without blocking the thread. */
  async fillAsync(lsn: number, limitLsn: number, bytes = 0): Promise<void> {
    const requested = this.#begin(lsn, limitLsn, bytes)
    const file = this.#handle()
    while (this.available < requested) {
      const target = this.bytes.subarray(this.available, requested)
      const position = this.filePosition(lsn + this.available)
      const read = await attemptAsync('read', this.segment.path, () =>
        this.#disk.read(file, target, position),
      )
      if (read === 0) return
      this.available += read
    }
  }

  /** Closes the file, unless it was given. What is in memory stays, and the next `fill` opens the file again. */
  close(): void {
    if (this.#file === undefined || this.#given) return
    const file = this.#file
    this.#file = undefined
    this.#disk.close(file)
  }

  #handle(): number {
    this.#file ??= this.#open()
    return this.#file
  }

  #open(): number {
    const { path } = this.segment
    return attempt('open', path, () => this.#disk.open(path, 'read'))
  }

  /** Moves the window to `lsn`; returns how many bytes to read, for which there is room then. */
  #begin(lsn: number, limitLsn: number, bytes: number): number {
    this.startLsn = lsn
    this.available = 0
    const most = Math.max(this.#chunkBytes, bytes)
    const requested = Math.min(most, Math.min(limitLsn, this.fileEndLsn) - lsn)
    const { byteLength } = this.bytes
    if (requested > byteLength) {
      this.bytes = Buffer.allocUnsafeSlow(Math.min(most, Math.max(requested, 2 * byteLength)))
    }
    return requested
  }
}
