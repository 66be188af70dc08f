import { join as segmentFile } from 'node:path'
import { assert } from '../../base/assert.js'
import { attempt, removeQuietly } from '../disk/attempt.js'
import type { Disk } from '../disk/disk.js'
import type { Ownership } from '../disk/ownership.js'
import { LogError, makingRoom } from '../errors.js'
import {
  encodeSegmentHeader,
  notPreallocatedName,
  preallocatedName,
  type Segment,
  type SegmentHeader,
  segmentHeaderBytes,
  segmentPath,
} from '../format/segment.js'
import { reserveBytes } from './preallocator.js'

/**
 * A segment that was not preallocated gets its zeros in steps of this many bytes, each ahead of the batches: a full disk is
 * then noticed between two batches and never within one.
 */
export const extensionBytes = 4 * 1024 * 1024

/** A file that was made ready ahead of need: full of zeros, or of what an earlier use left in it. */
export interface PreallocatedSegment {
  readonly serial: number
  readonly recycled: boolean
  /** Bytes of batches that it takes. */
  readonly bytes: number
}

/** Hands out files that were made ready ahead of need. */
export interface PreallocatedSource {
  /** The segment that is ready, or `undefined` when none is. It stays ready until it is taken. */
  readonly ready: PreallocatedSegment | undefined
  take(): void
}

/** The file of the next segment, open; its name is durable and says that it holds nothing yet. */
interface NextSegment {
  readonly path: string
  readonly file: number
  readonly recycled: boolean
  readonly preallocated: boolean
  /** Bytes of batches that it may take, and those for which the file has its blocks. */
  readonly capacity: number
  readonly allocated: number
}

/**
 * Writes batches at the end of the active segment and continues in the next one when a batch no longer fits.
 * Used by the flusher alone.
 */
export class SegmentWriter {
  readonly #disk: Disk
  readonly #directory: string
  readonly #preallocated: PreallocatedSource
  readonly #ownership: Ownership | undefined
  readonly #segmentBytes: number
  #active: Segment
  #file: number
  #capacity: number
  /** Bytes of batches for which the file has its blocks; up to `#capacity`. */
  #allocated: number
  #end: number
  /** The segment that is ready, open already. */
  #ahead: NextSegment | undefined
  /** How many segments were made that were not preallocated. */
  #notPreallocated = 0

  /**
   * Continues in `active`, whose last batch ends at `endLsn`, and whose file is to take `capacity` bytes of batches, for the
   * first `allocated` of which it has zeros.
   */
  constructor(options: {
    disk: Disk
    directory: string
    preallocated: PreallocatedSource
    ownership?: Ownership
    segmentBytes: number
    active: Segment
    capacity: number
    allocated?: number
    endLsn: number
  }) {
    this.#disk = options.disk
    this.#directory = options.directory
    this.#preallocated = options.preallocated
    this.#ownership = options.ownership
    this.#segmentBytes = options.segmentBytes
    this.#active = options.active
    this.#capacity = options.capacity
    this.#allocated = options.allocated ?? options.capacity
    this.#end = options.endLsn
    this.#file = attempt('open', options.active.path, () => this.#disk.open(options.active.path, 'write'))
    this.#ownership?.watch(options.active.path)
  }

  get directory(): string {
    return this.#directory
  }

  get hasPreallocated(): boolean {
    return this.#preallocated.ready !== undefined
  }

  /** Where the active segment begins. */
  get firstLsn(): number {
    return this.#active.header.firstLsn
  }

  /** LSN up to which batches were written. */
  get end(): number {
    return this.#end
  }

  /** LSN up to which the active segment has room that is there for certain. */
  get limit(): number {
    return this.#active.header.firstLsn + this.#allocated
  }

  /** Whether the active segment has not all the room yet that it may have. */
  get canExtend(): boolean {
    return this.#allocated < this.#capacity
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

  /** Writes the pieces after the last batch. A short write is a failure, because its reason is lost. */
  write(pieces: Uint8Array[], bytes: number): void {
    assert(this.#end + bytes <= this.limit, 'batches are written where their segment has room', () => ({
      end: this.#end,
      bytes,
      limit: this.limit,
    }))
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
  }

  sync(): void {
    attempt('sync', this.#active.path, () => this.#disk.syncData(this.#file))
  }

  /**
   * Continues in the next segment. The active one is synced first, and the header of the next is durable before any
   * batch is written after it: a valid header proves that all before it is on disk, and a segment without one holds
   * nothing. `withinRecord`: the record whose piece was written last continues in it. Returns whether a preallocated segment
   * was ready.
   *
   * @throws LogError `TIDEMARK_DISK_FULL`, `TIDEMARK_TOO_MANY_FILES`: there was no room or no descriptor for a file, nothing
   *   has changed, and it may be tried again. Every other failure is final: a sync failed, or a restart may find the new header.
   */
  rotate(withinRecord = false): boolean {
    this.sync()
    const disk = this.#disk
    const next = this.#openNext()
    const previous = this.#active.header
    const header: SegmentHeader = {
      ...previous,
      firstLsn: this.#end,
      previous: { firstLsn: previous.firstLsn, epoch: previous.epoch },
      createdUs: Date.now() * 1000,
      recycled: next.recycled,
      withinRecord,
    }
    assert(
      header.firstLsn > previous.firstLsn && header.firstLsn % 8 === 0,
      'first LSNs of segments rise',
      () => ({
        previous: previous.firstLsn,
        next: header.firstLsn,
      }),
    )
    const target = segmentPath(this.#directory, header.firstLsn)
    const { file } = next
    // No call from here on takes a descriptor: having none is noticed above, where it may be tried again.
    try {
      const block = encodeSegmentHeader(header)
      const written = attempt('write to', next.path, () => disk.write(file, [block], 0))
      if (written !== block.byteLength) {
        throw new LogError(
          'TIDEMARK_LOG_IO',
          `Could not write the header of ${next.path}: the disk may be full.`,
          { path: next.path },
        )
      }
      attempt('sync', next.path, () => disk.syncData(file))
      // The file's first name is durable, and recovery knows a segment by its header: the new name may follow later.
      // In a folder that is another owner's by now, the name may be one of its segments'.
      this.#ownership?.check()
      attempt('rename', next.path, () => disk.rename(next.path, target))
      this.#ownership?.watch(target)
    } catch (error) {
      disk.close(file)
      throw error
    }
    disk.close(this.#file)
    this.#file = file
    this.#active = { path: target, header }
    this.#capacity = next.capacity
    this.#allocated = next.allocated
    return next.preallocated
  }

  close(): void {
    this.#disk.close(this.#file)
    if (this.#ahead) this.#disk.close(this.#ahead.file)
    this.#ahead = undefined
  }

  /** Whether a segment is ready that was not opened yet. */
  get mayOpenAhead(): boolean {
    return this.#ahead === undefined && this.#preallocated.ready !== undefined
  }

  /**
   * Opens the segment that is ready, so that the rotation needs no descriptor: having none is then known while the active
   * segment still has room for what is under way.
   *
   * @throws LogError `TIDEMARK_TOO_MANY_FILES`: nothing has changed, and it may be tried again.
   */
  openAhead(): void {
    const ready = this.#preallocated.ready
    if (this.#ahead || !ready) return
    const path = segmentFile(this.#directory, preallocatedName(ready.serial))
    const file = makingRoom(this.#directory, () =>
      attempt('open', path, () => this.#disk.open(path, 'write')),
    )
    const { recycled, bytes } = ready
    this.#ahead = { path, file, recycled, preallocated: true, capacity: bytes, allocated: bytes }
  }

  #openNext(): NextSegment {
    this.openAhead()
    const next = this.#ahead
    if (!next) return makingRoom(this.#directory, () => this.#create())
    this.#ahead = undefined
    this.#preallocated.take()
    return next
  }

  /**
   * Makes the file of a segment that was not preallocated, with its first zeros and a durable name; on failure nothing of it is
   * left. No name is used twice: the rename of the last one need not be durable yet.
   */
  #create(): NextSegment {
    const disk = this.#disk
    const path = segmentFile(this.#directory, notPreallocatedName(++this.#notPreallocated))
    const capacity = this.#segmentBytes
    const allocated = Math.min(extensionBytes, capacity)
    const file = attempt('create', path, () => disk.create(path))
    try {
      reserveBytes(disk, file, path, 0, segmentHeaderBytes + allocated)
      attempt('sync', this.#directory, () => disk.syncDirectory(this.#directory))
    } catch (error) {
      disk.close(file)
      removeQuietly(disk, path)
      throw error
    }
    return { path, file, recycled: false, preallocated: false, capacity, allocated }
  }
}
