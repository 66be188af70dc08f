import { Turns } from '#tidemark/base/turns.js'
import { LiveFeed } from '#tidemark/log/read/live-feed.js'
import { LogReader, type LogReaderOptions } from '#tidemark/log/read/log-reader.js'
import { LogTailer } from '#tidemark/log/read/tailer.js'
import { LogViews } from '#tidemark/log/ring/memory.js'
import { ReleasedSignal } from '#tidemark/log/ring/released-signal.js'
import { InlineLog, type InlineLogOptions, inlineDirectory } from './inline-log.js'
import type { MemoryDisk } from './memory-disk.js'

/** An inline log with a tailer and readers in the same thread: what they meet is decided by the test alone. */
export class FollowedLog extends InlineLog {
  readonly feed = new LiveFeed()
  readonly tailer: LogTailer
  readonly #disk: MemoryDisk
  readonly #turns: Turns
  /** What the readers see of the acknowledgements. */
  acknowledgementsDue = false
  readonly #signal: ReleasedSignal
  #firstLsn = 0

  constructor(disk: MemoryDisk, options: InlineLogOptions & { onlyForFeed?: boolean; turns?: Turns } = {}) {
    super(disk, options)
    this.#disk = disk
    this.#turns = options.turns ?? new Turns()
    this.#signal = new ReleasedSignal(new LogViews(this.memory))
    this.tailer = new LogTailer({
      memory: this.memory,
      signal: this.#signal,
      disk,
      directory: inlineDirectory,
      fromLsn: this.released,
      feed: this.feed,
      onlyForFeed: options.onlyForFeed ?? false,
      turns: options.turns ?? new Turns(),
    })
  }

  get firstLsn(): number {
    return this.#firstLsn
  }

  reader(options: LogReaderOptions = {}): LogReader {
    return new LogReader(
      {
        disk: this.#disk,
        directory: inlineDirectory,
        signal: this.#signal,
        live: this.feed,
        firstLsn: () => this.#firstLsn,
        failure: () => undefined,
        reading: new Set(),
        turns: this.#turns,
        acknowledgementsDue: () => this.acknowledgementsDue,
      },
      options,
    )
  }

  /** Removes the segments wholly below an LSN, as retention does. */
  override removeBefore(lsn: number): number | undefined {
    const firstLsn = super.removeBefore(Math.min(lsn, this.tailer.neededLsn))
    this.#firstLsn = firstLsn ?? this.#firstLsn
    return firstLsn
  }

  async close(): Promise<void> {
    await this.tailer.stop()
    this.#signal.close()
  }
}
