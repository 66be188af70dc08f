import * as path from 'node:path'
import { crc32 } from 'node:zlib'
import type { Disk } from './disk.js'
import { LogError, makingRoom } from './errors.js'
import { reserveBytes } from './preparer.js'
import {
  attempt,
  encodeSegmentHeader,
  type Segment,
  type SegmentHeader,
  segmentHeaderBytes,
  segmentPath,
  spareName,
} from './segment.js'

/**
 * A segment that nobody made ready gets its zeros in steps of this many bytes, each ahead of the frames: a full disk is
 * then noticed between two frames and never within one.
 */
export const extensionBytes = 4 * 1024 * 1024

/** A file that was made ready ahead of need: full of zeros, or of what an earlier use left in it. */
export interface Spare {
  readonly serial: number
  readonly recycled: boolean
}

/** Hands out files that were made ready ahead of need. */
export interface SpareSource {
  readonly ready: boolean
  /** A spare that is ready, now taken, or `undefined` when none is. */
  take(): Spare | undefined
}

/**
 * Writes frames at the end of the active segment and goes on to the next one when a group's frame no longer fits.
 * Used by the flusher alone.
 */
export class SegmentWriter {
  readonly #disk: Disk
  readonly #directory: string
  readonly #spares: SpareSource
  readonly #segmentBytes: number
  #active: Segment
  #file: number
  #capacity: number
  /** Bytes of frames for which the file has its blocks; up to `#capacity`. */
  #allocated: number
  #end: number
  /** Of the frames of the active segment; goes into the header of the next one. */
  #crc: number

  /**
   * Goes on in `active`, whose last frame ends at `endLsn`, whose frames have the CRC `crc`, and whose file is
   * to take `capacity` bytes of frames, for the first `allocated` of which it has zeros.
   */
  constructor(options: {
    disk: Disk
    directory: string
    spares: SpareSource
    segmentBytes: number
    active: Segment
    capacity: number
    allocated?: number
    endLsn: number
    crc: number
  }) {
    this.#disk = options.disk
    this.#directory = options.directory
    this.#spares = options.spares
    this.#segmentBytes = options.segmentBytes
    this.#active = options.active
    this.#capacity = options.capacity
    this.#allocated = options.allocated ?? options.capacity
    this.#end = options.endLsn
    this.#crc = options.crc
    this.#file = attempt('open', options.active.path, () => this.#disk.open(options.active.path, 'write'))
  }

  get directory(): string {
    return this.#directory
  }

  get hasSpare(): boolean {
    return this.#spares.ready
  }

  /** Where the active segment begins. */
  get firstLsn(): number {
    return this.#active.header.firstLsn
  }

  /** LSN up to which the active segment has room that is there for certain. */
  get limit(): number {
    return this.#active.header.firstLsn + this.#allocated
  }

  /**
   * Gives the active segment more room, if it has not all that it may have; returns whether it did.
   *
   * @throws LogError `TIDEMARK_DISK_FULL`: nothing has changed, and it may be tried again.
   */
  extend(): boolean {
    const bytes = Math.min(extensionBytes, this.#capacity - this.#allocated)
    if (bytes === 0) return false
    const { path: file } = this.#active
    makingRoom(this.#directory, () =>
      reserveBytes(this.#disk, this.#file, file, segmentHeaderBytes + this.#allocated, bytes),
    )
    this.#allocated += bytes
    return true
  }

  /** Writes the pieces behind the last frame. A short write is a failure, because its reason is lost. */
  write(pieces: Uint8Array[], bytes: number): void {
    const position = segmentHeaderBytes + this.#end - this.#active.header.firstLsn
    const written = attempt('write to', this.#active.path, () =>
      this.#disk.write(this.#file, pieces, position),
    )
    if (written !== bytes) {
      throw new LogError(
        'TIDEMARK_LOG_IO',
        `Could not write to ${this.#active.path}: only ${written} of ${bytes} bytes were taken; the disk may be full.`,
        { path: this.#active.path, bytes, written },
      )
    }
    this.#end += bytes
    for (const piece of pieces) this.#crc = crc32(piece, this.#crc)
  }

  sync(): void {
    attempt('sync', this.#active.path, () => this.#disk.syncData(this.#file))
  }

  /**
   * Goes on to the next segment. The active one is synced first, and the header of the next is durable before any
   * frame is written behind it: a sound header proves that all before it is on disk, and a segment without one holds
   * nothing. `withinGroup`: the group whose frames were written last goes on in it. Returns whether a spare was ready.
   *
   * @throws LogError `TIDEMARK_DISK_FULL`: there was no room for a file, nothing has changed, and it may be tried again.
   *   Every other failure is final: a sync failed, or a restart may find the new header.
   */
  rotate(withinGroup = false): boolean {
    this.sync()
    const disk = this.#disk
    const ready = this.#spares.take()
    const spare = path.join(this.#directory, spareName(ready?.serial ?? 0))
    const file = ready
      ? attempt('open', spare, () => disk.open(spare, 'write'))
      : makingRoom(this.#directory, () => this.#create(spare))
    const previous = this.#active.header
    const header: SegmentHeader = {
      ...previous,
      firstLsn: this.#end,
      previous: { firstLsn: previous.firstLsn, epoch: previous.epoch, crc: this.#crc },
      createdUs: Date.now() * 1000,
      recycled: ready?.recycled ?? false,
      withinGroup,
    }
    const target = segmentPath(this.#directory, header.firstLsn)
    try {
      const block = encodeSegmentHeader(header)
      const written = attempt('write to', spare, () => disk.write(file, [block], 0))
      if (written !== block.byteLength) {
        throw new LogError(
          'TIDEMARK_LOG_IO',
          `Could not write the header of ${spare}: the disk may be full.`,
          { path: spare },
        )
      }
      attempt('sync', spare, () => disk.syncData(file))
      // A spare's name is durable, and recovery knows a segment by its header: the new name may follow later.
      attempt('rename', spare, () => disk.rename(spare, target))
      if (!ready) attempt('sync', this.#directory, () => disk.syncDirectory(this.#directory))
    } catch (error) {
      disk.close(file)
      throw error
    }
    disk.close(this.#file)
    this.#file = file
    this.#active = { path: target, header }
    this.#capacity = this.#segmentBytes
    this.#allocated = ready ? this.#segmentBytes : Math.min(extensionBytes, this.#segmentBytes)
    this.#crc = 0
    return ready !== undefined
  }

  close(): void {
    this.#disk.close(this.#file)
  }

  /** Makes the file of a segment that nobody made ready, with its first zeros; on failure nothing of it is left. */
  #create(name: string): number {
    const disk = this.#disk
    const file = attempt('create', name, () => disk.create(name))
    try {
      reserveBytes(disk, file, name, 0, segmentHeaderBytes + Math.min(extensionBytes, this.#segmentBytes))
    } catch (error) {
      disk.close(file)
      disk.remove(name)
      throw error
    }
    return file
  }
}
