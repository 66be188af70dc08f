import type { Disk } from '../disk/disk.js'
import { LogError } from '../errors.js'
import {
  listSegmentNames,
  requireSegmentHeader,
  type SegmentHeader,
  segmentNameLsn,
  segmentPath,
} from '../format/segment.js'
import { type BatchChunk, BatchWalk } from './batch-walk.js'
import { FileReader } from './file-reader.js'
import { SegmentWindow } from './segment-window.js'

/** Bytes of the segment being written that are looked at at a time. */
const lookBytes = 64 * 1024
/** A chunk ends with the batch that passes so many bytes. */
const chunkBytes = 256 * 1024

/**
 * Reads a log that another process may have open and be writing: without its lock, and writing nothing. It gives only what
 * the log itself says is synced: batches carry the synced LSN that was known when they were written, and a log that is
 * idle writes a sync marker within 100 ms. What was written and not synced yet a power cut may take away, and a new opening
 * may write anew; neither is ever given.
 *
 * Not for several calls at once.
 */
export class FolderTailer {
  readonly #disk: Disk
  readonly #directory: string
  readonly #reader: FileReader
  #walk: BatchWalk | undefined
  #syncedLsn: number

  /**
   * Begins with the record after `fromLsn`, which is a record's LSN, or where the log begins.
   *
   * @throws LogError `TIDEMARK_BAD_LSN` when the log begins after it.
   */
  constructor(disk: Disk, directory: string, fromLsn: number) {
    this.#disk = disk
    this.#directory = directory
    this.#syncedLsn = 0
    const firstLsn = firstLsnOf(disk, directory)
    if (firstLsn === undefined || fromLsn < firstLsn) {
      throw new LogError(
        'TIDEMARK_BAD_LSN',
        `LSN ${fromLsn} is not in the log in ${directory}; the first one there is ${firstLsn}.`,
        { lsn: fromLsn, firstLsn },
      )
    }
    this.#reader = new FileReader(disk, directory, fromLsn, { chunkBytes })
  }

  /** LSN up to which the log is known to be synced. */
  get syncedLsn(): number {
    return this.#syncedLsn
  }

  /** LSN up to which the last look found valid batches, synced or not. */
  get writtenLsn(): number {
    return Math.max(this.#syncedLsn, this.#walk?.position ?? 0)
  }

  /** LSN up to which batches were given. */
  get position(): number {
    return this.#reader.position
  }

  /**
   * The next synced batches, in memory that the next call may use again; `undefined` when no more are known to be synced
   * now.
   *
   * @throws LogError `TIDEMARK_BAD_LSN` when what comes next was removed, `TIDEMARK_LOG_CORRUPT`, `TIDEMARK_LOG_IO`.
   */
  async next(): Promise<BatchChunk | undefined> {
    if (this.#reader.position >= this.#syncedLsn) await this.look()
    return this.#reader.next(this.#syncedLsn)
  }

  close(): void {
    this.#reader.close()
    this.#walk?.window.close()
    this.#walk = undefined
  }

  /** Finds out how far the log is synced by now. `next` does so by itself when it has nothing more to give. */
  async look(): Promise<void> {
    const last = lastFirstLsn(this.#disk, this.#directory)
    if (last === undefined) return
    // The header of a segment is written when everything before it is on disk.
    this.#advance(last)
    const header = this.#headerOf(last)
    if (!header) return
    const walk = this.#walkOf(header)
    try {
      for (;;) {
        const before = walk.position
        const step = walk.stepInMemory(Number.POSITIVE_INFINITY, lookBytes)
        if (walk.position > before) this.#advance(walk.header.synced)
        if (step === 'batch') continue
        // What is in memory may be older than the file: after one look that brings nothing, the next call looks again.
        const isNew = await walk.loadAsync(Number.POSITIVE_INFINITY)
        const again = walk.stepInMemory(Number.POSITIVE_INFINITY)
        if (again === 'batch') this.#advance(walk.header.synced)
        else if (again !== 'unread' || !isNew) return
      }
    } catch (error) {
      // The file was replaced or removed meanwhile: the next call finds what there is then.
      if (lastFirstLsn(this.#disk, this.#directory) === last) throw error
      this.#walk = undefined
    }
  }

  #advance(syncedLsn: number): void {
    if (syncedLsn > this.#syncedLsn) this.#syncedLsn = syncedLsn
  }

  /** The header of the last segment; `undefined` while an opening or a removal is at work there. */
  #headerOf(firstLsn: number): SegmentHeader | undefined {
    try {
      return requireSegmentHeader(this.#disk, segmentPath(this.#directory, firstLsn), firstLsn)
    } catch (error) {
      if (lastFirstLsn(this.#disk, this.#directory) === firstLsn) throw error
      return undefined
    }
  }

  #walkOf(header: SegmentHeader): BatchWalk {
    const current = this.#walk?.window.segment.header
    if (this.#walk && current?.firstLsn === header.firstLsn && current.epoch === header.epoch) {
      return this.#walk
    }
    this.#walk?.window.close()
    const path = segmentPath(this.#directory, header.firstLsn)
    const window = new SegmentWindow(this.#disk, { path, header }, { chunkBytes: lookBytes })
    this.#walk = new BatchWalk(window)
    return this.#walk
  }
}

/** Where the log in a folder begins; `undefined` when there is none. */
export function firstLsnOf(disk: Disk, directory: string): number | undefined {
  const name = listSegmentNames(disk, directory)[0]
  return name === undefined ? undefined : segmentNameLsn(name)
}

function lastFirstLsn(disk: Disk, directory: string): number | undefined {
  const name = listSegmentNames(disk, directory).at(-1)
  return name === undefined ? undefined : segmentNameLsn(name)
}
