import type { Disk } from './disk.js'
import { LogError } from './errors.js'
import { FileReader, forEachFrame } from './file-reader.js'
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
 * reader that stops reading costs nothing.
 */
export class LogReader implements AsyncIterable<LogRecord> {
  readonly #source: LogReaderSource
  readonly #options: LogReaderOptions

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
    this.#options = options
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<LogRecord, void, undefined> {
    const { disk, directory } = this.#source
    const { to, signal } = this.#options
    const files = new FileReader(disk, directory, this.#options.from ?? this.#source.firstLsn())
    const groups = new GroupAssembler()
    try {
      for (;;) {
        if (signal?.aborted) return
        const released = this.#source.signal.released
        const chunk = await files.next(to === undefined ? released : Math.min(to, released))
        if (chunk) {
          for (const record of groups.add(chunk)) {
            if (signal?.aborted) return
            yield record
          }
          continue
        }
        if (to !== undefined && files.position >= to) return
        const failure = this.#source.failure()
        if (failure?.code === 'TIDEMARK_LOG_CLOSED') return
        if (failure) throw failure
        await this.#moved(released)
      }
    } finally {
      files.close()
    }
  }

  async #moved(seen: number): Promise<void> {
    const source = this.#source.signal
    const { signal } = this.#options
    source.hold()
    let aborted: (() => void) | undefined
    try {
      await Promise.race([
        source.until(() => source.released !== seen || this.#source.failure() !== undefined),
        new Promise<void>((resolve) => {
          aborted = () => resolve()
          signal?.addEventListener('abort', aborted, { once: true })
        }),
      ])
    } finally {
      if (aborted) signal?.removeEventListener('abort', aborted)
      source.letGo()
    }
  }
}

/** Puts the pieces of groups together again, over as many chunks as it takes. */
export class GroupAssembler {
  #pieces: Uint8Array[] = []

  /** The application's groups that end in this chunk, each with a payload of its own. */
  add(chunk: Parameters<typeof forEachFrame>[0]): LogRecord[] {
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
