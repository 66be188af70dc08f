import { assert } from '../../base/assert.js'
import type { Disk } from '../disk/disk.js'
import { LogError } from '../errors.js'
import {
  listSegmentNames,
  requireSegmentHeader,
  type SegmentHeader,
  segmentNameLsn,
  segmentPath,
} from '../format/segment.js'
import { type BatchChunk, type BatchDamage, BatchWalk } from './batch-walk.js'
import { damageReason } from './damage-reason.js'
import type { RecordAssembler } from './record-assembler.js'
import { SegmentWindow } from './segment-window.js'

export interface FileReaderOptions {
  /** Whether the CRCs are checked. Default true; `false` for what was verified a moment ago. */
  readonly verify?: boolean
  /** A batch is known to begin at `fromLsn`, so that anything else there is corruption and no mistake of the caller's. */
  readonly known?: boolean
  /** A chunk ends with the batch that passes so many bytes, also where more was read at once: for event loops. */
  readonly chunkBytes?: number
}

/**
 * Reads the batches of a log in LSN order from its files, across segments, checking each. It may stand beside a writer
 * as long as nothing above the durable LSN is asked for.
 */
export class FileReader {
  readonly #disk: Disk
  readonly #directory: string
  /** Where to begin, until the batch is found in which the record after that stands. */
  #start: number | undefined
  /** Records at or below are passed over: the first batch may have begun before. */
  #fromLsn: number
  readonly #verify: boolean
  readonly #chunkBytes: number
  #firstLsns: number[] = []
  #walk: BatchWalk | undefined
  #position: number

  /** Starts with the record after `fromLsn`, which is where a batch begins or a record ends. */
  constructor(disk: Disk, directory: string, fromLsn: number, options: FileReaderOptions = {}) {
    this.#verify = options.verify ?? true
    this.#chunkBytes = options.chunkBytes ?? Number.POSITIVE_INFINITY
    this.#disk = disk
    this.#directory = directory
    this.#start = options.known ? undefined : fromLsn
    this.#position = fromLsn
    this.#fromLsn = fromLsn
  }

  get position(): number {
    return this.#position
  }

  /** The header of the segment in which the last chunk stands; undefined before the first. */
  get segment(): SegmentHeader | undefined {
    return this.#walk?.window.segment.header
  }

  /**
   * The next batches below `limitLsn`, at most as many as one read gives; `undefined` when there are none. A batch ends at the limit,
   * as at every durable LSN: one that continues after it is taken for a torn one.
   */
  nextSync(limitLsn: number): BatchChunk | undefined {
    if (this.#position >= limitLsn) return undefined
    const inMemory = this.#walk && this.#take(this.#walk, limitLsn)
    if (inMemory) return inMemory
    const { walk, end } = this.#seek(limitLsn)
    if (this.#start !== undefined) {
      const found = this.#unlessRemoved(() => walk.seek(this.#position, end))
      const chunk = this.#begin(walk, found, end)
      if (chunk) return chunk
    }
    for (;;) {
      const hasMore = this.#unlessRemoved(() => walk.load(end))
      const chunk = this.#take(walk, end)
      if (chunk) return chunk
      if (!hasMore) throw this.#ended(walk)
    }
  }

  /** Like `nextSync`, without blocking the thread. */
  async next(limitLsn: number): Promise<BatchChunk | undefined> {
    if (this.#position >= limitLsn) return undefined
    const inMemory = this.#walk && this.#take(this.#walk, limitLsn)
    if (inMemory) return inMemory
    const { walk, end } = this.#seek(limitLsn)
    if (this.#start !== undefined) {
      const found = await walk.seekAsync(this.#position, end).catch((error) => {
        this.#checkStillThere()
        throw error
      })
      const chunk = this.#begin(walk, found, end)
      if (chunk) return chunk
    }
    for (;;) {
      const hasMore = await walk.loadAsync(end).catch((error) => {
        this.#checkStillThere()
        throw error
      })
      const chunk = this.#take(walk, end)
      if (chunk) return chunk
      if (!hasMore) throw this.#ended(walk)
    }
  }

  close(): void {
    this.#walk?.window.close()
    this.#walk = undefined
  }

  /** Closes its file, not while a read is under way, and keeps what was read: the next read of the file opens it again. */
  release(): void {
    this.#walk?.window.close()
  }

  /**
   * Opens the segment in which the position lies; returns its walk with the LSN up to which it may be read. The names are
   * listed after the caller took its limit from the durable LSN, so a segment that begins below the limit is among them.
   */
  #seek(limitLsn: number): { walk: BatchWalk; end: number } {
    let end = this.#firstLsns.find((lsn) => lsn > this.#position)
    if (!this.#walk || end === undefined || !this.#holdsPosition()) {
      this.#firstLsns = listSegmentNames(this.#disk, this.#directory).map((name) => segmentNameLsn(name)!)
      end = this.#firstLsns.find((lsn) => lsn > this.#position)
    }
    const walk = this.#walk && this.#holdsPosition() ? this.#walk : this.#open()
    return { walk, end: Math.min(limitLsn, end ?? limitLsn) }
  }

  /** Begins at the batch that holds what comes after the position; returns what is in memory of it. */
  #begin(walk: BatchWalk, batchLsn: number | undefined, end: number): BatchChunk | undefined {
    if (batchLsn === undefined) {
      this.#checkStillThere()
      throw notThere(this.#position)
    }
    this.#start = undefined
    this.#position = batchLsn
    walk.position = batchLsn
    return this.#take(walk, end)
  }

  #holdsPosition(): boolean {
    const firstLsn = this.#firstLsns.findLast((lsn) => lsn <= this.#position)
    return this.#walk?.window.segment.header.firstLsn === firstLsn
  }

  #open(): BatchWalk {
    const firstLsn = this.#firstLsns.findLast((lsn) => lsn <= this.#position)
    if (firstLsn === undefined) throw removed(this.#position, this.#firstLsns[0])
    const file = segmentPath(this.#directory, firstLsn)
    const header = this.#unlessRemoved(() => requireSegmentHeader(this.#disk, file, firstLsn))
    this.close()
    const window = new SegmentWindow(this.#disk, { path: file, header })
    this.#walk = new BatchWalk(window, { fromLsn: this.#position, verify: this.#verify })
    return this.#walk
  }

  /** Makes a call that a removal of the segment may make fail: then the removal is the error. */
  #unlessRemoved<T>(use: () => T): T {
    try {
      return use()
    } catch (error) {
      this.#checkStillThere()
      throw error
    }
  }

  /** The file of a segment that was removed may hold other batches by now. */
  #checkStillThere(): void {
    const name = listSegmentNames(this.#disk, this.#directory)[0]
    const firstLsn = name === undefined ? undefined : segmentNameLsn(name)
    if (firstLsn !== undefined && this.#position < firstLsn) throw removed(this.#position, firstLsn)
  }

  /** The next batches of what is in memory, checked; `undefined` when not even one is there whole. */
  #take(walk: BatchWalk, end: number): BatchChunk | undefined {
    const startLsn = this.#position
    assert(walk.position === startLsn, 'a reader and the walk of its segment stand at one place', () => ({
      startLsn,
      position: walk.position,
    }))
    const step = walk.stepInMemory(end, this.#chunkBytes)
    if (step !== 'batch' && step !== 'end' && step !== 'unread') {
      const lsn = walk.position
      walk.position = startLsn
      this.#checkStillThere()
      throw this.#damaged(walk, lsn, step)
    }
    if (walk.position === startLsn) return undefined
    this.#position = walk.position
    const { bytes, startLsn: windowLsn } = walk.window
    const fromLsn = Math.max(startLsn, this.#fromLsn)
    return {
      bytes: bytes.subarray(startLsn - windowLsn, walk.position - windowLsn),
      startLsn,
      endLsn: walk.position,
      fromLsn,
      toLsn: walk.position,
    }
  }

  /** No whole batch begins at the position, and the file has no more of it. */
  #ended(walk: BatchWalk): LogError {
    this.#checkStillThere()
    if (walk.window.available > 0) return this.#damaged(walk, this.#position, 'truncated')
    const file = walk.window.segment.path
    return new LogError('TIDEMARK_LOG_CORRUPT', `The log ends before LSN ${this.#position} in ${file}.`, {
      file,
      lsn: this.#position,
    })
  }

  #damaged({ window }: BatchWalk, lsn: number, reason: BatchDamage): LogError {
    const { path: file } = window.segment
    const offset = window.filePosition(lsn)
    return new LogError(
      'TIDEMARK_LOG_CORRUPT',
      `The log is corrupt at LSN ${lsn}, byte ${offset} of ${file}: ${damageReason(reason)}.`,
      { file, offset, lsn, reason },
    )
  }
}

function notThere(lsn: number): LogError {
  return new LogError(
    'TIDEMARK_BAD_LSN',
    `No valid record begins at LSN ${lsn}; read from the LSN of a record.`,
    { lsn },
  )
}

function removed(lsn: number, firstLsn: number | undefined): LogError {
  return new LogError(
    'TIDEMARK_BAD_LSN',
    `LSN ${lsn} is not in the log any more; the first one there is ${firstLsn}.`,
    { lsn, firstLsn },
  )
}

/** Reads on to `endLsn` through an assembler, with a turn of the event loop between two chunks. Closes the reader. */
export async function readRecords(
  reader: FileReader,
  endLsn: number,
  assembler: RecordAssembler,
): Promise<void> {
  try {
    for (let chunk = await reader.next(endLsn); chunk; chunk = await reader.next(endLsn))
      assembler.walk(chunk)
  } finally {
    reader.close()
  }
}

/** As `readRecords`. Blocks the thread. */
export function readRecordsSync(reader: FileReader, endLsn: number, assembler: RecordAssembler): void {
  try {
    for (let chunk = reader.nextSync(endLsn); chunk; chunk = reader.nextSync(endLsn)) assembler.walk(chunk)
  } finally {
    reader.close()
  }
}
