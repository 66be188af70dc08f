import type { FollowedChange, ReplicatedEntry, ReplicatedLog } from '../log/index.js'

/** Entries that wait for the disk; while there are more, none are read. */
const waitingBytesMax = 16 * 1024 * 1024

/** What is done with what happens to the log. */
export interface FollowingTarget {
  /** Puts entries on disk. One call at a time. */
  append(entries: readonly ReplicatedEntry[]): Promise<void>
  /** Everything but entries, in the order in which it happened among them. */
  changed(change: Exclude<FollowedChange, { kind: 'entry' }>): void
}

/** Follows a replicated log, and hands on what comes: the entries of one sync gather while the sync before lasts. */
export class Following {
  /** Settles when following has ended: it rejects with what ended it, if that was not `stop`. */
  readonly ended: Promise<void>
  readonly #target: FollowingTarget
  readonly #abort = new AbortController()
  #waiting: ReplicatedEntry[] = []
  #waitingBytes = 0
  #appending: Promise<void> | undefined
  #isOver = false

  constructor(log: ReplicatedLog, fromLsn: number, target: FollowingTarget) {
    this.#target = target
    this.ended = this.#run(log, fromLsn)
    this.ended.catch(() => {})
  }

  /** Whether it was stopped, or has ended by itself. */
  get isOver(): boolean {
    return this.#isOver || this.#abort.signal.aborted
  }

  /** Resolves when nothing more is appended. */
  async stop(): Promise<void> {
    this.#abort.abort()
    await this.ended.catch(() => {})
  }

  async #run(log: ReplicatedLog, fromLsn: number): Promise<void> {
    try {
      for await (const change of log.follow(fromLsn, { signal: this.#abort.signal })) {
        if (change.kind !== 'entry') {
          // What is said of the end of the log is true when all before it is on disk.
          if (change.kind === 'caught-up') await this.#drain()
          this.#target.changed(change)
          continue
        }
        this.#waiting.push(change.entry)
        this.#waitingBytes += change.entry.bytes.byteLength
        if (!this.#appending) {
          this.#appending = this.#append()
          // The end of the loop reports it.
          this.#appending.catch(() => {})
        }
        while (this.#waitingBytes > waitingBytesMax) await this.#appending
      }
    } finally {
      this.#isOver = true
      await this.#drain()
    }
  }

  async #drain(): Promise<void> {
    await this.#appending
  }

  /** Appends all that waits, and what gathers meanwhile. */
  async #append(): Promise<void> {
    try {
      while (this.#waiting.length > 0) {
        const entries = this.#waiting
        this.#waiting = []
        await this.#target.append(entries)
        this.#waitingBytes -= entries.reduce((sum, { bytes }) => sum + bytes.byteLength, 0)
      }
      this.#appending = undefined
    } catch (error) {
      this.#abort.abort()
      throw error
    }
  }
}
