import { setTimeout } from 'node:timers/promises'
import { LatencyHistogram, type LatencySummary } from '../base/latency-histogram.js'
import {
  type BatchChunk,
  type FolderTailer,
  LogError,
  type ReaderCursor,
  RecordAssembler,
} from '../log/index.js'
import { StoreError } from './errors.js'
import type { FoldedTransaction, LogFold } from './fold/log-fold.js'
import { payloadCrc } from './log-identity.js'
import { type Progress, writeProgress } from './progress.js'
import type { StoreTarget } from './targets/target.js'

/** How often a log that gives nothing new is looked at. */
const pollMs = 20

export interface SyncOptions {
  /** The log's folder. */
  readonly dir: string
  /** Ends when all that is synced is stored, instead of waiting for more. */
  readonly follow: boolean
  /** A transaction is committed when it has so many rows … */
  readonly transactionRows: number
  /** … or when its oldest record was read so long ago. */
  readonly transactionDelayMs: number
}

/** A record as it was visited last; its payload is valid until the next chunk is read. */
interface LastRecord {
  words: Int32Array
  from: number
  to: number
  lsn: number
  startLsn: number
  timeUs: number
}

/** Carries a log into a target, in transactions of whole records. */
export class LogSync {
  readonly #target: StoreTarget
  readonly #tailer: FolderTailer
  readonly #fold: LogFold
  readonly #cursor: ReaderCursor | undefined
  readonly #options: SyncOptions
  readonly #stopping = new AbortController()
  readonly #latency = new LatencyHistogram()
  readonly #last: LastRecord = { words: new Int32Array(0), from: 0, to: 0, lsn: 0, startLsn: 0, timeUs: 0 }
  readonly #assembler: RecordAssembler = new RecordAssembler({
    visit: (words, from, to, lsn, type) => {
      const { startLsn, timestampUs } = this.#assembler
      this.#fold.visit(words, from, to, lsn, type, timestampUs, this.#assembler)
      const last = this.#last
      last.words = words
      last.from = from
      last.to = to
      last.lsn = lsn
      last.startLsn = startLsn
      last.timeUs = timestampUs
      if (this.#oldestUs === 0) {
        this.#oldestUs = timestampUs
        this.#oldestMs = performance.now()
      }
    },
  })
  #progress: Progress | undefined
  /** Of the transaction under way: what its progress will be, and of its first record when it was logged and read. */
  #next: Progress
  #oldestUs = 0
  #oldestMs = 0
  /** The transaction before, while it is being written; what is read meanwhile is of the next. */
  #writing: Promise<void> | undefined
  #writingUs = 0
  #failed = false
  readonly #openedUs = Date.now() * 1000
  #storedLsn: number
  #rows = 0
  #transactions = 0
  #wanted = 0
  /** Called when more is stored, and at the end. */
  onStored: () => void = () => {}

  constructor(
    parts: {
      target: StoreTarget
      tailer: FolderTailer
      fold: LogFold
      progress: Progress | undefined
      cursor: ReaderCursor | undefined
    },
    fromLsn: number,
    options: SyncOptions,
  ) {
    this.#target = parts.target
    this.#tailer = parts.tailer
    this.#fold = parts.fold
    this.#cursor = parts.cursor
    this.#progress = parts.progress
    this.#options = options
    this.#storedLsn = fromLsn
    const { kind } = parts.fold
    this.#next = parts.progress ?? { kind, lsn: fromLsn, recordStartLsn: fromLsn, recordCrc: 0, loggedUs: 0 }
  }

  /** Everything up to here can be read from the target. */
  get storedLsn(): number {
    return this.#storedLsn
  }

  get syncedLsn(): number {
    return Math.max(this.#tailer.syncedLsn, this.#storedLsn)
  }

  get rows(): number {
    return this.#rows
  }

  get transactions(): number {
    return this.#transactions
  }

  /** From when records were logged to when they could be read here, the oldest of each transaction, of those logged since the opening. */
  get latency(): LatencySummary {
    return this.#latency.snapshot()
  }

  /** How old the oldest record is that was read and is not stored, in milliseconds; 0 when there is none. */
  get lagMs(): number {
    const oldestUs = this.#writingUs || this.#oldestUs
    return oldestUs === 0 ? 0 : Math.max(0, Date.now() - oldestUs / 1000)
  }

  /** A caller waits for this LSN: the transaction that holds it does not wait for more. */
  want(lsn: number): void {
    if (lsn > this.#wanted) this.#wanted = lsn
  }

  /** Resolves at the end of the log, unless it follows, or after `stop`. What was read by then is stored. */
  async run(): Promise<void> {
    try {
      await this.#run()
    } catch (error) {
      if (error instanceof LogError && error.code === 'TIDEMARK_BAD_LSN') throw this.#overtaken(error)
      throw error
    } finally {
      // Nothing may be under way when the target is closed.
      await this.#writing?.catch(() => {})
      this.#tailer.close()
      // The failure that ended the storing says more than one of this.
      await this.#cursor?.close(this.#storedLsn).catch(() => {})
    }
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      if (this.#failed) await this.#writing
      const chunk = await this.#tailer.next()
      if (chunk) this.#take(chunk)
      if (this.#isDue(chunk === undefined)) await this.#commit()
      await this.#cursor?.advance(this.#storedLsn)
      if (chunk) continue
      if (this.#oldestUs === 0 && !this.#writing) this.#passed(this.#next.lsn)
      if (!this.#options.follow) break
      await setTimeout(pollMs, undefined, { signal: this.#stopping.signal }).catch(() => {})
    }
    if (this.#oldestUs !== 0) await this.#commit()
    await this.#writing
    this.#passed(this.#next.lsn)
  }

  #overtaken(cause: LogError): StoreError {
    const { dir } = this.#options
    const storedLsn = this.#storedLsn
    return new StoreError(
      'TIDEMARK_STORE_LOG_GONE',
      `The log in ${dir} was deleted up to where the store, which has it up to LSN ${storedLsn}, has yet to read: it is further back than the log is kept for it (cursorKeepBytes). Store it anew from a backup that has it.`,
      { dir, storedLsn },
      { cause },
    )
  }

  stop(): void {
    this.#stopping.abort()
  }

  #take(chunk: BatchChunk): void {
    const before = this.#last.lsn
    this.#assembler.walk(chunk)
    const last = this.#last
    const { kind } = this.#fold
    // After a chunk that ends within a record the place to continue from is where the last whole one ended.
    const lsn = this.#assembler.unfinishedLsn === undefined ? chunk.endLsn : last.lsn
    if (last.lsn === before) {
      if (lsn > this.#next.lsn) this.#next = { ...this.#next, lsn }
      return
    }
    const { words, from, to, startLsn, timeUs } = last
    const recordCrc = payloadCrc(words, from, to)
    this.#next = { kind, lsn, recordStartLsn: startLsn, recordCrc, loggedUs: timeUs }
  }

  #isDue(idle: boolean): boolean {
    if (this.#oldestUs === 0) return false
    const { transactionRows, transactionDelayMs, follow } = this.#options
    if (this.#fold.rowCount >= transactionRows) return true
    if (idle && !follow) return true
    if (this.#wanted > this.#storedLsn && this.#next.lsn >= this.#wanted) return true
    // While more is there to be read a transaction grows; it is cut when it gets old all the same.
    const ageMs = performance.now() - this.#oldestMs
    return ageMs >= (idle ? transactionDelayMs : 5 * transactionDelayMs)
  }

  /** Hands the transaction over to be written, when the one before is; reading continues meanwhile. */
  async #commit(): Promise<void> {
    await this.#writing
    const transaction = this.#fold.cut()
    const progress = this.#next
    this.#writingUs = this.#oldestUs
    this.#oldestUs = 0
    const writing = this.#write(transaction, progress)
    // Its failure is thrown where it is awaited next, which is at once, whether there is more to be read or not.
    writing.catch(() => {
      this.#failed = true
    })
    this.#writing = writing
  }

  async #write(transaction: FoldedTransaction, progress: Progress): Promise<void> {
    await this.#target.transaction(async () => {
      await transaction.write(this.#target)
      await writeProgress(this.#target, progress, this.#progress === undefined)
    })
    // What was there before is history that is caught up with, and says nothing of how late the store is.
    if (this.#writingUs >= this.#openedUs) this.#latency.record(Date.now() * 1000 - this.#writingUs)
    this.#writingUs = 0
    this.#writing = undefined
    this.#progress = progress
    this.#rows += transaction.rowCount
    this.#transactions++
    this.#passed(progress.lsn)
  }

  /** Everything up to an LSN is stored; after the last record only markers of the log's own may stand there. */
  #passed(lsn: number): void {
    if (lsn === this.#storedLsn) return
    this.#storedLsn = lsn
    this.onStored()
  }
}
