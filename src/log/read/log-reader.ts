import { shown } from '../../base/shown.js'
import type { Turns } from '../../base/turns.js'
import type { Disk } from '../disk/disk.js'
import { badSetting, LogError } from '../errors.js'
import { checkOptions, checkSignal, optionNames } from '../options.js'
import type { ReleasedSignal } from '../ring/released-signal.js'
import type { BatchChunk } from './batch-walk.js'
import { ChunkIterator } from './chunk-iterator.js'
import { FileReader } from './file-reader.js'
import type { LiveFeed } from './live-feed.js'
import { type LiveTail, takeBytes } from './live-tail.js'
import { type LogRecord, RecordCollector } from './log-record.js'

/** What a reader of a log is made with. */
export interface LogReaderOptions {
  /** The LSN after which to begin: that of the last record read before, or where the log begins. Default: its beginning. */
  readonly from?: number
  /** Ends the reading at this LSN, which is a record's, instead of continuing live. Such a reader reads files only. */
  readonly to?: number
  /** Ends the reader when it is aborted. */
  readonly signal?: AbortSignal
  /**
   * Bytes that may wait in memory for a reader that has caught up; one that lets more gather reads the files until it
   * has caught up again. 64 KiB to 1 GiB, default 4 MiB.
   */
  readonly bufferBytes?: number
}

const readerOptions = optionNames<LogReaderOptions>({ from: true, to: true, signal: true, bufferBytes: true })

export const readerBufferBytesMin = 64 * 1024
export const readerBufferBytesMax = 1024 * 1024 * 1024
export const readerBufferBytesDefault = 4 * 1024 * 1024

/** Where a reader stands. */
export interface LogReaderStats {
  /** LSN up to which it has taken the log. */
  readonly lsn: number
  /** `ring` while it gets new records from memory, as they become durable; `files` while it reads them from there. */
  readonly source: 'ring' | 'files'
  /** What waits for it in memory; never more than `bufferBytes`. */
  readonly bufferedBytes: number
  /** How often it changed from the files to memory, and how often back because its buffer was full. */
  readonly attached: number
  /** How often what waited was dropped from memory, to be read from the files again. */
  readonly overflowed: number
}

export interface LogReaderSource {
  readonly disk: Disk
  readonly directory: string
  readonly signal: ReleasedSignal
  /** What readers that have caught up are fed from. */
  readonly live: LiveFeed
  /** Where the log begins now. */
  firstLsn(): number
  /** Why no more records will come, once none will. From then on a reader keeps no file open between two reads. */
  failure(): LogError | undefined
  /** The readers that may have a file open, so that a log that closes can close it. */
  readonly reading: Set<LogReader>
  /** What readers may have of the event loop. */
  readonly turns: Turns
  /** Whether anything is appended whose acknowledgement, in this thread, is yet to come. */
  acknowledgementsDue(): boolean
}

/**
 * Reads records in LSN order, without gaps, each one only when it is durable: from the files until it has caught up, then
 * from the memory of the log, and from the files again when it lets more than `bufferBytes` wait. At the
 * end of the log it waits for more, until `to`, the abort signal, or the log's close; then it still yields what is
 * durable. It keeps at most that buffer and one window of a file, and slows nothing, however slowly it is read. A
 * reader is iterated once.
 *
 * @example
 * ```js
 * import { DurableLog } from 'tidemark/log'
 *
 * const log = await DurableLog.open({ dir: './log' })
 * const lsn = log.append(new TextEncoder().encode('hello'))
 * await log.waitDurable(lsn)
 * // Without `to` the loop waits for more until the log is closed.
 * for await (const record of log.reader({ to: lsn })) {
 *   console.log(record.lsn, new TextDecoder().decode(record.payload))
 * }
 * await log.close()
 * ```
 */
export class LogReader implements AsyncIterable<LogRecord> {
  readonly #source: LogReaderSource
  readonly #to: number | undefined
  readonly #bufferBytes: number
  readonly #signal: AbortSignal | undefined
  readonly #stopping = new AbortController()
  readonly #stop = () => this.stop()
  #stopped = false
  #position: number
  #files: FileReader | undefined
  #read: Promise<BatchChunk | undefined> | undefined
  #tail: LiveTail | undefined
  /** Whether a batch begins at its position: within one it can't go over to memory, where only whole batches are. */
  #atBatch: boolean
  /** Up to where it had read when it last gave the event loop a turn. */
  #passedLsn: number
  #joined = false
  #attached = 0
  #overflowed = 0

  /** @throws LogError `TIDEMARK_BAD_LSN`, `TIDEMARK_BAD_SETTING`. */
  constructor(source: LogReaderSource, options: LogReaderOptions) {
    checkOptions('reader', options, readerOptions)
    const firstLsn = source.firstLsn()
    const { from = firstLsn, to, bufferBytes = readerBufferBytesDefault } = options
    if (!Number.isSafeInteger(from) || from < firstLsn || from > source.signal.released || from % 8 !== 0) {
      throw new LogError(
        'TIDEMARK_BAD_LSN',
        `Cannot read from LSN ${shown(from)}: the log goes from ${firstLsn} to ${source.signal.released}.`,
        { lsn: from, firstLsn, durableLsn: source.signal.released },
      )
    }
    if (to !== undefined && !(Number.isSafeInteger(to) && to >= 0 && to % 8 === 0)) {
      throw new LogError(
        'TIDEMARK_BAD_LSN',
        `Cannot read up to LSN ${shown(to)}: it is not the LSN of a record.`,
        {
          lsn: to,
        },
      )
    }
    const [min, max] = [readerBufferBytesMin, readerBufferBytesMax]
    if (!Number.isInteger(bufferBytes) || bufferBytes < min || bufferBytes > max) {
      throw badSetting('bufferBytes', bufferBytes, `a whole number from ${min} to ${max}`)
    }
    checkSignal(options.signal)
    this.#source = source
    this.#to = to
    this.#bufferBytes = bufferBytes
    this.#signal = options.signal
    this.#position = from
    this.#passedLsn = from
    this.#atBatch = from === firstLsn || from === source.signal.released
    this.#files = new FileReader(source.disk, source.directory, from, { chunkBytes: takeBytes })
    this.#signal?.addEventListener('abort', this.#stop)
    if (this.#signal?.aborted) this.stop()
  }

  /** LSN up to which the log was taken. */
  get position(): number {
    return this.#position
  }

  /** Whether `stop` was called. */
  get stopped(): boolean {
    return this.#stopped
  }

  /** How far the reader has come, and what waits for it. */
  stats(): LogReaderStats {
    const tail = this.#tail
    return {
      lsn: this.#position,
      source: tail?.startLsn === this.#position ? 'ring' : 'files',
      bufferedBytes: tail?.bufferedBytes ?? 0,
      attached: this.#attached,
      overflowed: this.#overflowed,
    }
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<LogRecord> {
    const records = new RecordCollector()
    return new ChunkIterator({
      more: async () => {
        const chunk = await this.nextChunk()
        return chunk && records.take(chunk)
      },
      ended: () => this.#stopped,
      stop: this.#stop,
      close: () => this.close(),
    })
  }

  /**
   * The next batches, in memory that the next call may use again; `undefined` at the end.
   *
   * @throws LogError `TIDEMARK_BAD_LSN` when what comes next is not in the log any more.
   */
  async nextChunk(): Promise<BatchChunk | undefined> {
    if (this.#position - this.#passedLsn >= takeBytes) {
      this.#passedLsn = this.#position
      await this.#source.turns.pass(this.#source.acknowledgementsDue)
    }
    const { signal } = this.#source
    while (!this.#stopped) {
      if (this.#tail?.startLsn === this.#position) {
        const chunk = this.#tail.take()
        if (chunk) return this.#live(chunk)
        if (this.#tail.ended) this.#detach()
        else {
          // The process must not end in the middle of the caller's loop.
          signal.hold()
          await this.#tail.ready(this.#stopping.signal)
          signal.letGo()
        }
        continue
      }
      const { released } = signal
      const chunk = await this.#fromFiles(released)
      if (chunk) return chunk
      if (this.#tail?.startLsn === this.#position) continue
      if (this.#to !== undefined && this.#position >= this.#to) return undefined
      const failure = this.#source.failure()
      if (failure?.code === 'TIDEMARK_LOG_CLOSED') return undefined
      if (failure) throw failure
      signal.hold()
      await this.#moved(released)
      signal.letGo()
    }
    return undefined
  }

  /** Makes `nextChunk` resolve with `undefined`: a call that waits, and every later one. */
  stop(): void {
    this.#stopped = true
    this.#stopping.abort()
  }

  /** Frees what it holds; not while `nextChunk` is under way. */
  close(): void {
    this.stop()
    this.#signal?.removeEventListener('abort', this.#stop)
    this.#closeFiles()
    if (this.#tail) this.#source.live.detach(this.#tail)
    this.#tail = undefined
    if (this.#joined) this.#source.live.leave()
    this.#joined = false
  }

  /** Closes its file, after a read that is under way. A later read opens it again. */
  async releaseFiles(): Promise<void> {
    await this.#read?.catch(() => {})
    this.#files?.release()
  }

  #closeFiles(): void {
    this.#files?.close()
    this.#files = undefined
    this.#source.reading.delete(this)
  }

  #live(chunk: BatchChunk): BatchChunk {
    this.#closeFiles()
    this.#position = chunk.endLsn
    return chunk
  }

  async #fromFiles(released: number): Promise<BatchChunk | undefined> {
    if (!this.#tail) this.#attach(released)
    const limit =
      this.#to !== undefined && this.#position >= this.#to
        ? this.#position
        : Math.min(released, this.#tail?.startLsn ?? released)
    const { disk, directory } = this.#source
    this.#files ??= new FileReader(disk, directory, this.#position, { known: true, chunkBytes: takeBytes })
    this.#source.reading.add(this)
    try {
      this.#read = this.#files.next(limit)
      const chunk = await this.#read
      if (!chunk) return undefined
      this.#position = chunk.endLsn
      this.#atBatch = true
      return this.#to !== undefined && this.#to < chunk.endLsn ? { ...chunk, toLsn: this.#to } : chunk
    } catch (error) {
      throw this.#position < this.#source.firstLsn() ? this.#gone() : error
    } finally {
      this.#read = undefined
      if (this.#source.failure()) this.#files?.release()
    }
  }

  /** Attaches to the feed as soon as the feed holds what comes next, or nearly. */
  #attach(released: number): void {
    if (this.#to !== undefined || !this.#atBatch) return
    const feed = this.#source.live
    if (!this.#joined && this.#position >= released) {
      this.#joined = true
      feed.join()
    }
    this.#tail = feed.attach(this.#position, this.#bufferBytes)
    if (this.#tail) this.#attached++
  }

  #detach(): void {
    if (this.#tail!.full) this.#overflowed++
    this.#tail = undefined
  }

  #gone(): LogError {
    const lsn = this.#position
    const firstLsn = this.#source.firstLsn()
    return new LogError(
      'TIDEMARK_BAD_LSN',
      `LSN ${lsn} is not in the log any more; the first one there is ${firstLsn}.`,
      { lsn, firstLsn },
    )
  }

  /** Resolves when more than `seen` is released, when no more will come, or when the reader is stopped. */
  #moved(seen: number): Promise<void> {
    const { signal } = this.#source
    const isMoved = () => signal.released !== seen || this.#source.failure() !== undefined
    return signal.until(isMoved, this.#stopping.signal)
  }
}
