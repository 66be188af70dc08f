import type { Clock } from '../../base/clock.js'
import { batchHeaderBytes, CheckpointRetries, LogError } from '../../log/index.js'
import type { CheckpointFailure, CheckpointOverdue, CheckpointReport, CheckpointStats } from '../types.js'

export interface CheckpointTimes {
  /** A checkpoint is taken when so many bytes of log have come since the last, and at the close; 0: only when asked. */
  readonly checkpointBytes: number
  /** One is also taken when the last is so old and something was logged since; 0: not by time. */
  readonly checkpointIntervalMs: number
}

/** What a schedule looks at. */
export interface ScheduledLog {
  readonly durableLsn: number
  readonly poisoned: Error | undefined
}

/** Where the books of the newest snapshot were taken. */
interface Taken {
  readonly endLsn: number
  readonly replayFromLsn: number
}

/** Decides when a checkpoint is taken, and reports its outcome. */
export class CheckpointSchedule {
  /** Called for each checkpoint that failed, except when the log was poisoned. */
  onFailed: (failure: CheckpointFailure) => void = () => {}
  /** Called when checkpoints fail and the log since the last one is a multiple of what it may be. */
  onOverdue: (overdue: CheckpointOverdue) => void = () => {}
  readonly #take: () => Promise<CheckpointReport>
  #log: ScheduledLog
  readonly #times: CheckpointTimes
  readonly #clock: Clock
  readonly #retries: CheckpointRetries
  #snapshot: Taken
  #hasSnapshot: boolean
  /** Whether commands were logged after the last checkpoint began. */
  #logged: boolean
  #lastMs: number
  /** When the newest snapshot was taken, or found by the opening. */
  #takenMs: number
  #callOff: (() => void) | undefined
  #running: Promise<CheckpointReport> | undefined

  constructor(options: {
    take: () => Promise<CheckpointReport>
    log: ScheduledLog
    times: CheckpointTimes
    clock: Clock
    /** The snapshot of the opening, or where the log begins. */
    snapshot: Taken
    hasSnapshot: boolean
  }) {
    this.#take = options.take
    this.#log = options.log
    this.#times = options.times
    this.#clock = options.clock
    this.#snapshot = options.snapshot
    this.#hasSnapshot = options.hasSnapshot
    this.#retries = new CheckpointRetries(() => this.#retry(), options.clock)
    // What an opening found after the snapshot may be a sync marker only: one checkpoint too many at worst.
    this.#logged = options.log.durableLsn > options.snapshot.endLsn
    this.#lastMs = options.clock.nowMs()
    this.#takenMs = this.#lastMs
    const { checkpointIntervalMs } = options.times
    if (checkpointIntervalMs > 0) this.#wait(checkpointIntervalMs)
  }

  /** Looks at this log from now on. */
  continueWith(log: ScheduledLog): void {
    this.#log = log
  }

  /** Takes note of commands that were settled; returns whether the next checkpoint is to begin. */
  due(commands: number): boolean {
    if (commands > 0) this.#logged = true
    if (!this.#isGrown) return false
    this.#warnOfGrowth()
    return this.#running === undefined && !this.#retries.waiting
  }

  /** Whether more than a sync marker was logged after the last snapshot, so that one at the close is worth its time. */
  get dueAtClose(): boolean {
    return (
      this.#times.checkpointBytes > 0 &&
      this.#log.durableLsn - this.#snapshot.replayFromLsn > batchHeaderBytes
    )
  }

  /** Takes a checkpoint, or joins the one that is being taken. */
  checkpoint(): Promise<CheckpointReport> {
    this.#running ??= this.#begin().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  /** Takes note of a snapshot that is in place, also when the checkpoint fails after it. */
  placed(snapshot: Taken): void {
    this.#snapshot = snapshot
    this.#hasSnapshot = true
    this.#takenMs = this.#clock.nowMs()
  }

  /** A full disk with what may have filled it: while checkpoints fail, old log is kept. */
  explain(full: LogError): LogError {
    const cause = this.#retries.lastFailure
    if (!cause) return full
    return new LogError(
      full.code,
      `${full.message} Checkpoints fail, and no log is deleted until one succeeds: ${cause.message}`,
      { ...full.details, failures: this.#retries.failuresInARow, logBytes: this.#logBytes },
      { cause },
    )
  }

  /** The disk has room again: what failed and is due is tried now. */
  diskReady(): void {
    this.#retries.retryNow()
  }

  stats(): CheckpointStats {
    return {
      ...this.#retries.counts,
      running: this.#running !== undefined,
      lastLsn: this.#hasSnapshot ? this.#snapshot.endLsn : undefined,
      ageMs: this.#hasSnapshot ? this.#clock.nowMs() - this.#takenMs : undefined,
      logBytes: this.#logBytes,
    }
  }

  /** Begins none by itself any more; resolves when none is being taken. */
  async close(): Promise<void> {
    this.#callOff?.()
    this.#callOff = undefined
    this.#retries.stop()
    await this.#running?.catch(() => {})
  }

  get #logBytes(): number {
    return Math.max(0, this.#log.durableLsn - this.#snapshot.endLsn)
  }

  get #isGrown(): boolean {
    const { checkpointBytes } = this.#times
    return checkpointBytes > 0 && this.#logBytes >= checkpointBytes
  }

  async #begin(): Promise<CheckpointReport> {
    this.#lastMs = this.#clock.nowMs()
    this.#logged = false
    try {
      const report = await this.#take()
      this.#retries.succeeded()
      return report
    } catch (error) {
      this.#logged = true
      this.#failed(error as Error)
      throw error
    }
  }

  #failed(error: Error): void {
    const { checkpointBytes, checkpointIntervalMs } = this.#times
    const again = (checkpointBytes > 0 || checkpointIntervalMs > 0) && this.#log.poisoned === undefined
    const retryMs = this.#retries.failed(error, again)
    if (this.#log.poisoned) return
    const { failuresInARow } = this.#retries
    this.onFailed({ error, failures: failuresInARow, retryMs, logBytes: this.#logBytes })
  }

  /** After a failure: a checkpoint begins if one is still due. */
  #retry(): void {
    const byTime = this.#times.checkpointIntervalMs > 0 && this.#logged
    if (this.#isGrown || byTime) this.checkpoint().catch(() => {})
  }

  #warnOfGrowth(): void {
    const { checkpointBytes } = this.#times
    const { lastFailure: error, failuresInARow: failures } = this.#retries
    const logBytes = this.#logBytes
    if (!error || !this.#retries.isOverdue(logBytes / checkpointBytes)) return
    this.onOverdue({ error, failures, logBytes, checkpointBytes })
  }

  #wait(delayMs: number): void {
    this.#callOff = this.#clock.after(delayMs, () => this.#intervalOver())
  }

  #intervalOver(): void {
    const { checkpointIntervalMs } = this.#times
    const leftMs = this.#lastMs + checkpointIntervalMs - this.#clock.nowMs()
    if (leftMs > 0) {
      this.#wait(Math.ceil(leftMs))
      return
    }
    if (this.#logged && !this.#retries.waiting) this.checkpoint().catch(() => {})
    this.#wait(checkpointIntervalMs)
  }
}
