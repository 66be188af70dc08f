import { assert } from '../../base/assert.js'
import { AtomicFile } from '../disk/atomic-file.js'
import { attemptAsync } from '../disk/attempt.js'
import type { Disk } from '../disk/disk.js'
import { LogError } from '../errors.js'
import {
  encodeSegmentHeader,
  type Segment,
  type SegmentHeader,
  segmentHeaderBytes,
  segmentName,
  segmentPath,
} from '../format/segment.js'

/** So many bytes are written at once. */
const writeBytesMax = 4 * 1024 * 1024
/** A segment gets zeros in steps of this many bytes, ahead of the batches: its syncs then find their blocks. */
const extensionBytes = 4 * 1024 * 1024
const zeros = Buffer.alloc(512 * 1024)

/** The last segment of a log that is followed: gets batches as they come, and ends where its successor's header says. */
export class FollowedSegment {
  readonly #disk: Disk
  readonly #directory: string
  /** Zeros are written up to here; segments of a primary with another setting may be larger. */
  readonly #segmentBytes: number
  #segment: Segment | undefined
  #file: number | undefined
  /** Bytes of batches for which the file has its blocks. */
  #allocated = 0
  #endLsn: number
  #pieces: Uint8Array[] = []
  #bytes = 0
  #written = false

  /** Continues in `last`, whose batches end at `endLsn`; without one it waits for the first `rotate`. */
  static async open(
    disk: Disk,
    directory: string,
    last: Segment | undefined,
    endLsn: number,
    segmentBytes: number,
  ): Promise<FollowedSegment> {
    const segment = new FollowedSegment(disk, directory, endLsn, segmentBytes)
    if (last) await segment.#open(last, endLsn - last.header.firstLsn)
    return segment
  }

  private constructor(disk: Disk, directory: string, endLsn: number, segmentBytes: number) {
    this.#disk = disk
    this.#directory = directory
    this.#segmentBytes = segmentBytes
    this.#endLsn = endLsn
  }

  /** LSN up to which batches were taken, written or not. */
  get endLsn(): number {
    return this.#endLsn
  }

  /** The file; only when there is one. */
  get path(): string {
    return this.#segment!.path
  }

  /** Takes batches after the last; `sync` puts them on disk. They must not change until then. */
  async write(bytes: Uint8Array): Promise<void> {
    this.#pieces.push(bytes)
    this.#bytes += bytes.byteLength
    this.#endLsn += bytes.byteLength
    if (this.#bytes >= writeBytesMax) await this.#flush()
  }

  async sync(): Promise<void> {
    await this.#flush()
    if (!this.#written) return
    const file = this.#file!
    await attemptAsync('sync', this.path, () => this.#disk.async.syncData(file))
    this.#written = false
  }

  /**
   * Continues in a segment of this header. What came before is synced, and the file gets its name with the header in it. One
   * that holds nothing is replaced.
   */
  async rotate(header: SegmentHeader): Promise<void> {
    await this.sync()
    const { firstLsn } = header
    assert(firstLsn === this.#endLsn, 'a segment begins where the one before ends', () => ({
      firstLsn,
      endLsn: this.#endLsn,
    }))
    await this.close()
    const file = await AtomicFile.create(this.#disk, this.#directory, 'segment')
    try {
      await file.write(encodeSegmentHeader(header))
      await file.publish(segmentName(firstLsn))
    } catch (error) {
      await file.discard()
      throw error
    }
    await this.#open({ path: segmentPath(this.#directory, firstLsn), header }, 0)
  }

  async close(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    if (file !== undefined) await this.#disk.async.close(file)
  }

  async #open(segment: Segment, bytes: number): Promise<void> {
    this.#segment = segment
    this.#allocated = bytes
    this.#file = await attemptAsync('open', segment.path, () => this.#disk.async.open(segment.path, 'write'))
  }

  async #flush(): Promise<void> {
    const bytes = this.#bytes
    if (bytes === 0) return
    const pieces = this.#pieces
    this.#pieces = []
    this.#bytes = 0
    const { header } = this.#segment!
    const from = this.#endLsn - bytes - header.firstLsn
    await this.#extend(from + bytes)
    await this.#put(pieces, bytes, segmentHeaderBytes + from)
    this.#written = true
  }

  /** Writes zeros ahead where `bytes` of batches have no room yet; what is larger than a segment gets none. */
  async #extend(bytes: number): Promise<void> {
    if (bytes <= this.#allocated) return
    const goal = Math.min(this.#segmentBytes, bytes + extensionBytes)
    while (this.#allocated < goal) {
      const piece = zeros.subarray(0, Math.min(zeros.byteLength, goal - this.#allocated))
      await this.#put([piece], piece.byteLength, segmentHeaderBytes + this.#allocated)
      this.#allocated += piece.byteLength
    }
  }

  async #put(pieces: Uint8Array[], bytes: number, position: number): Promise<void> {
    const file = this.#file!
    const written = await attemptAsync('write to', this.path, () =>
      this.#disk.async.write(file, pieces, position),
    )
    if (written === bytes) return
    throw new LogError(
      'TIDEMARK_LOG_IO',
      `Could not write to ${this.path}: only ${written} of ${bytes} bytes were taken; the disk may be full.`,
      { path: this.path, bytes, written },
    )
  }
}
