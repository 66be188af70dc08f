import { BatchIterator } from './batch-iterator.js'
import type { Disk } from './disk.js'
import { LogError } from './errors.js'
import { FileReader, type FrameChunk, forEachFrame } from './file-reader.js'
import { frameFlag, markFrameType, maxApplicationType } from './frame.js'
import type { ReleasedSignal } from './released-signal.js'

/** One group of the log. */
export interface LogRecord {
  /** Where the record ends; reading on `from` it gives the next one. */
  readonly lsn: number
  readonly type: number
  readonly flags: number
  /** Microseconds since 1970 by the writer's clock. */
  readonly timestampUs: number
  /** A copy that may be kept. */
  readonly payload: Uint8Array
}

export interface LogReaderOptions {
  /** The LSN behind which to begin: the LSN of the last record known, or where the log begins. Default: its beginning. */
  readonly from?: number
  /** Ends the reading at this LSN instead of going on live. */
  readonly to?: number
  readonly signal?: AbortSignal
}

export interface LogReaderSource {
  readonly disk: Disk
  readonly directory: string
  readonly signal: ReleasedSignal
  /** Where the log begins now. */
  firstLsn(): number
  /** Why no more records will come, once none will. */
  failure(): LogError | undefined
}

/**
 * Reads records in LSN order, without gaps, each one only when it is durable. At the end of the log it waits for
 * more, until `to`, the abort signal, or the log's close; it holds nothing in memory but one window of the file, so a
 * reader that stops reading costs nothing. A reader is iterated once.
 */
export class LogReader implements AsyncIterable<LogRecord> {
  readonly #source: LogReaderSource
  readonly #to: number | undefined
  readonly #signal: AbortSignal | undefined
  readonly #files: FileReader

  constructor(source: LogReaderSource, options: LogReaderOptions) {
    const firstLsn = source.firstLsn()
    const from = options.from ?? firstLsn
    if (!Number.isSafeInteger(from) || from < firstLsn || from > source.signal.released || from % 8 !== 0) {
      throw new LogError(
        'TIDEMARK_BAD_LSN',
        `Cannot read from LSN ${from}: the log goes from ${firstLsn} to ${source.signal.released}.`,
        { lsn: from, firstLsn, durableLsn: source.signal.released },
      )
    }
    this.#source = source
    this.#to = options.to
    this.#signal = options.signal
    this.#files = new FileReader(source.disk, source.directory, from)
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<LogRecord> {
    const groups = new GroupAssembler()
    return this.iterate((chunk) => groups.add(chunk))
  }

  /** Iterates over what `read` makes of each chunk of frames; the chunk's memory is valid during the call only. */
  iterate<T>(read: (chunk: FrameChunk) => readonly T[]): AsyncIterableIterator<T> {
    return new BatchIterator({
      more: async () => {
        const chunk = await this.#nextChunk()
        return chunk && read(chunk)
      },
      ended: () => this.#signal?.aborted ?? false,
      close: () => this.#files.close(),
    })
  }

  async #nextChunk(): Promise<FrameChunk | undefined> {
    const { signal } = this.#source
    for (;;) {
      if (this.#signal?.aborted) return undefined
      const { released } = signal
      const limit = this.#to === undefined ? released : Math.min(this.#to, released)
      const chunk = await this.#files.next(limit)
      if (chunk) return chunk
      if (this.#to !== undefined && this.#files.position >= this.#to) return undefined
      const failure = this.#source.failure()
      if (failure?.code === 'TIDEMARK_LOG_CLOSED') return undefined
      if (failure) throw failure
      await this.#moved(released)
    }
  }

  async #moved(seen: number): Promise<void> {
    const { signal } = this.#source
    const moved = () => signal.released !== seen || this.#source.failure() !== undefined
    signal.hold()
    try {
      await signal.until(moved, this.#signal)
    } finally {
      signal.letGo()
    }
  }
}

/** Puts the pieces of groups together again, over as many chunks as it takes. */
export class GroupAssembler {
  #pieces: Uint8Array[] = []

  /** The application's groups that end in this chunk, each with a payload of its own. */
  add(chunk: FrameChunk): LogRecord[] {
    const records: LogRecord[] = []
    forEachFrame(chunk, (frame, start, end) => {
      if (frame.type > maxApplicationType) {
        if (frame.type === markFrameType) return
        throw new LogError(
          'TIDEMARK_LOG_FORMAT',
          `LSN ${frame.lsn} holds a record of type ${frame.type}, which this build does not know.`,
          {
            lsn: frame.lsn,
            type: frame.type,
          },
        )
      }
      const piece = Uint8Array.from(chunk.bytes.subarray(start, end))
      if (frame.flags & frameFlag.continues) {
        this.#pieces.push(piece)
        return
      }
      records.push({
        lsn: frame.lsn + ((frame.length + 7) & ~7),
        type: frame.type,
        flags: frame.flags & frameFlag.applicationMask,
        timestampUs: frame.timestampUs,
        payload: this.#pieces.length === 0 ? piece : Buffer.concat([...this.#pieces.splice(0), piece]),
      })
    })
    return records
  }
}
