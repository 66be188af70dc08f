import type { Disk } from '../disk/disk.js'
import { attempt, type Segment, segmentHeaderBytes } from '../format/segment.js'

const chunkBytes = 1024 * 1024

/** A window of a segment file in memory, addressed by LSN. */
export class SegmentWindow {
  readonly segment: Segment
  readonly #disk: Disk
  #file: number | undefined
  readonly #bytesMax: number
  bytes: Buffer = Buffer.allocUnsafeSlow(0)
  /** LSN of the first byte of `bytes`, and how many bytes are there. */
  startLsn: number
  available = 0

  /**
   * A window of `minBytes` or more, where the file has as much: what a header says of its frames is not believed. `file` is
   * the segment's file when it is open already; the window closes it.
   */
  constructor(disk: Disk, segment: Segment, minBytes: number = chunkBytes, file?: number) {
    this.#disk = disk
    this.segment = segment
    this.#file = file ?? attempt('open', segment.path, () => disk.open(segment.path, 'read'))
    this.#bytesMax = Math.max(chunkBytes, minBytes)
    this.startLsn = segment.header.firstLsn
  }

  /** The open file, for whoever must read from the same one, whatever has its name by now. */
  get file(): number {
    return this.#handle()
  }

  /** LSN behind the last whole byte of the file. */
  get fileEndLsn(): number {
    const file = this.#handle()
    const size = attempt('read', this.segment.path, () => this.#disk.size(file))
    return this.segment.header.firstLsn + Math.max(0, size - segmentHeaderBytes)
  }

  filePosition(lsn: number): number {
    return segmentHeaderBytes + lsn - this.segment.header.firstLsn
  }

  /** Reads from `lsn` on, up to `limitLsn`, as much as the window holds. */
  fill(lsn: number, limitLsn: number): void {
    const wanted = this.#begin(lsn, limitLsn)
    const file = this.#handle()
    while (this.available < wanted) {
      const target = this.bytes.subarray(this.available, wanted)
      const position = this.filePosition(lsn + this.available)
      const read = attempt('read', this.segment.path, () => this.#disk.readSync(file, target, position))
      if (read === 0) return
      this.available += read
    }
  }

  /** Like `fill`, without blocking the thread. */
  async fillAsync(lsn: number, limitLsn: number): Promise<void> {
    const wanted = this.#begin(lsn, limitLsn)
    const file = this.#handle()
    while (this.available < wanted) {
      const target = this.bytes.subarray(this.available, wanted)
      const read = await this.#disk.read(file, target, this.filePosition(lsn + this.available))
      if (read === 0) return
      this.available += read
    }
  }

  /** Closes the file. What is in memory stays, and the next `fill` opens the file again. */
  close(): void {
    if (this.#file === undefined) return
    const file = this.#file
    this.#file = undefined
    this.#disk.close(file)
  }

  #handle(): number {
    const { path } = this.segment
    this.#file ??= attempt('open', path, () => this.#disk.open(path, 'read'))
    return this.#file
  }

  /** Moves the window to `lsn`; returns how many bytes to read, for which there is room then. */
  #begin(lsn: number, limitLsn: number): number {
    this.startLsn = lsn
    this.available = 0
    const wanted = Math.min(this.#bytesMax, Math.min(limitLsn, this.fileEndLsn) - lsn)
    const { byteLength } = this.bytes
    if (wanted > byteLength) {
      this.bytes = Buffer.allocUnsafeSlow(Math.min(this.#bytesMax, Math.max(wanted, 2 * byteLength)))
    }
    return wanted
  }
}
