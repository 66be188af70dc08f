import { readerTurns } from '../base/turns.js'
import type { Disk } from './disk/disk.js'
import type { LogError } from './errors.js'
import { LiveFeed } from './read/live-feed.js'
import { LogReader, type LogReaderOptions } from './read/log-reader.js'
import { LogTailer } from './read/tailer.js'
import type { LogMemory } from './ring/memory.js'
import type { ReleasedSignal } from './ring/released-signal.js'

/** What readers need of an open log. */
interface ReadableLog {
  readonly disk: Disk
  readonly directory: string
  readonly memory: LogMemory
  readonly signal: ReleasedSignal
  readonly firstLsn: () => number
  readonly tailLsn: () => number
  /** Whether the log is being closed, or failed: then no tailer is made for its readers. */
  readonly isEnding: () => boolean
  /** Why nothing more can be read, once there is a reason. */
  readonly failure: () => LogError | undefined
}

/** The readers of an open log, and the one tailer that feeds those that have caught up from the ring. */
export class LogReaders {
  readonly #log: ReadableLog
  readonly #feed = new LiveFeed()
  readonly #reading = new Set<LogReader>()
  #tailer: LogTailer | undefined

  constructor(log: ReadableLog) {
    this.#log = log
    this.#feed.onRequested = () => this.#feedReaders()
  }

  /** LSN from which the tailer has yet to read; `undefined` without a tailer. */
  get neededLsn(): number | undefined {
    return this.#tailer?.neededLsn
  }

  reader(options: LogReaderOptions): LogReader {
    const { disk, directory, signal, firstLsn, failure } = this.#log
    return new LogReader(
      {
        disk,
        directory,
        signal,
        firstLsn,
        failure,
        live: this.#feed,
        reading: this.#reading,
        turns: readerTurns,
        acknowledgementsDue: () =>
          this.#log.tailLsn() > Math.min(signal.released, this.neededLsn ?? Number.POSITIVE_INFINITY),
      },
      options,
    )
  }

  tail(fromLsn: number): LogTailer {
    return this.#tail(fromLsn, false)
  }

  #tail(fromLsn: number, onlyForFeed: boolean): LogTailer {
    if (this.#tailer)
      throw new Error('The log has a tailer already: call tail() once, before the first reader catches up.')
    const { disk, directory, memory, signal } = this.#log
    this.#tailer = new LogTailer({ memory, signal, disk, directory, fromLsn, feed: this.#feed, onlyForFeed })
    return this.#tailer
  }

  /** A log without a tailer gets one of its own when a reader has caught up; it works while one has. */
  #feedReaders(): void {
    if (this.#log.isEnding()) return
    // When it fails, its readers continue from the files, where they meet the cause themselves, and another may be made.
    this.#tail(this.#log.signal.released, true)
      .start(() => {})
      .catch(() => {
        this.#tailer = undefined
      })
  }

  /** Resolves when the tailer has delivered what is durable, and has left the ring. Its failure is reported by `start`. */
  async stopTailer(): Promise<void> {
    await this.#tailer?.stop().catch(() => {})
  }

  /** Closes the files of readers that their callers neither ended nor read to the end. */
  async releaseFiles(): Promise<void> {
    await Promise.all([...this.#reading].map((reader) => reader.releaseFiles()))
  }
}
