import type { Clock } from '../../base/clock.js'
import { type CheckpointCounts, CheckpointRetries, LogError } from '../../log/index.js'
import { FactorError } from '../errors.js'
import type { SnapshotInfo } from './snapshot-store.js'

/** A snapshot that could not be written. The one before stays in place, and so does the log after that. */
export interface SnapshotFailure {
  /** FactorError `TIDEMARK_SNAPSHOT_IO` or LogError `TIDEMARK_LOG_IO`. */
  readonly error: Error
  /** Failures in a row, this one among them. */
  readonly failures: number
  /** Milliseconds until the next try, if one is due then; `undefined`: the engine closes, or takes none by itself. */
  readonly retryMs: number | undefined
  /** Ticks after the last snapshot: what the next opening executes again. */
  readonly ticks: number
}

/** Snapshots fail, and the log after the last one grows. */
export interface SnapshotOverdue {
  /** What the last one failed with. */
  readonly error: Error
  /** How many failed since the last one. */
  readonly failures: number
  /** How many ticks came since the last one. */
  readonly ticks: number
}

/** Decides when an engine takes a snapshot by itself, and reports each that failed. */
export class SnapshotSchedule {
  onFailed: (failure: SnapshotFailure) => void = () => {}
  onOverdue: (overdue: SnapshotOverdue) => void = () => {}
  readonly #everyTicks: number
  readonly #take: (checkpointId: string) => Promise<SnapshotInfo>
  readonly #retries: CheckpointRetries
  #ticks = 0
  #automatic = 0
  #running = false
  #stopped = false

  /** `everyTicks`: 0 for none by itself. */
  constructor(everyTicks: number, take: (checkpointId: string) => Promise<SnapshotInfo>, clock?: Clock) {
    this.#everyTicks = everyTicks
    this.#take = take
    this.#retries = new CheckpointRetries(() => this.#takeIfDue(), clock)
  }

  /** Ticks after the last snapshot. */
  get ticks(): number {
    return this.#ticks
  }

  get counts(): CheckpointCounts {
    return this.#retries.counts
  }

  /** Counts a tick, and takes a snapshot when one is due. */
  tick(): void {
    this.#ticks++
    if (this.#everyTicks > 0 && this.#ticks >= this.#everyTicks) this.#takeIfDue()
  }

  /** Takes a snapshot now. */
  async take(checkpointId: string): Promise<SnapshotInfo> {
    const ticks = this.#ticks
    this.#ticks = 0
    try {
      const info = await this.#take(checkpointId)
      this.#retries.succeeded()
      return info
    } catch (error) {
      this.#ticks += ticks
      if (isDisks(error)) this.#failed(error)
      throw error
    }
  }

  /** The disk has room again: what failed and is due is tried now. */
  diskReady(): void {
    this.#retries.retryNow()
  }

  /** From now on no snapshot begins by itself. */
  stop(): void {
    this.#stopped = true
    this.#retries.stop()
  }

  #takeIfDue(): void {
    const ticks = this.#ticks
    if (ticks < this.#everyTicks || this.#stopped) return
    const { lastFailure: error, failuresInARow: failures } = this.#retries
    if (error && this.#retries.isOverdue(ticks / this.#everyTicks)) this.onOverdue({ error, failures, ticks })
    if (this.#running || this.#retries.waiting) return
    this.#running = true
    this.take(`auto-${++this.#automatic}`)
      .catch(() => {})
      .finally(() => {
        this.#running = false
      })
  }

  #failed(error: Error): void {
    const retryMs = this.#retries.failed(error, this.#everyTicks > 0)
    this.onFailed({ error, failures: this.#retries.failuresInARow, retryMs, ticks: this.#ticks })
  }
}

/** What a caller did wrong is the caller's to hear, and a log that failed is reported as such. */
function isDisks(error: unknown): error is FactorError | LogError {
  if (error instanceof FactorError) return error.code === 'TIDEMARK_SNAPSHOT_IO'
  return error instanceof LogError && error.code === 'TIDEMARK_LOG_IO'
}
