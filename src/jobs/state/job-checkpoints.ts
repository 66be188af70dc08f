import type { Clock } from '../../base/clock.js'
import { CheckpointRetries } from '../../log/index.js'
import type { CheckpointFailure, CheckpointOverdue } from '../controller-events.js'
import type { JobStore } from './job-store.js'

/** What became of checkpoints, as `metrics()` says. */
export interface CheckpointMetrics {
  /** How many were taken since the opening. */
  readonly checkpoints: number
  /** How many failed since the opening. */
  readonly checkpointFailures: number
  /** What the last one failed with, also when one was taken since. */
  readonly checkpointError: { readonly code: string; readonly message: string } | undefined
  /** When the next is tried after a failure, in milliseconds since 1970; `undefined` when none is waited for. */
  readonly checkpointRetryAtMs: number | undefined
}

type CheckpointedStore = Pick<
  JobStore,
  'checkpoint' | 'checkpointing' | 'checkpointSettled' | 'eventsSinceSnapshot' | 'isCheckpointDue'
>

/** Decides when a queue takes a checkpoint by itself, and reports what became of each. */
export class JobCheckpoints {
  readonly #store: CheckpointedStore
  readonly #everyEvents: () => number
  readonly #taken: () => void
  readonly #failed: (failure: CheckpointFailure) => void
  readonly #overdue: (overdue: CheckpointOverdue) => void
  readonly #retries: CheckpointRetries
  #stopped = false

  constructor(options: {
    store: CheckpointedStore
    /** Events after which a checkpoint is due, as of now. */
    everyEvents: () => number
    taken: () => void
    failed: (failure: CheckpointFailure) => void
    overdue: (overdue: CheckpointOverdue) => void
    clock?: Clock | undefined
  }) {
    this.#store = options.store
    this.#everyEvents = options.everyEvents
    this.#taken = options.taken
    this.#failed = options.failed
    this.#overdue = options.overdue
    this.#retries = new CheckpointRetries(() => this.changed(), options.clock)
  }

  /** Takes note of a change: begins a checkpoint when one is due. */
  changed(): void {
    const { eventsSinceSnapshot: events, checkpointing } = this.#store
    const everyEvents = this.#everyEvents()
    if (events < everyEvents || this.#stopped) return
    const { lastFailure: error, failuresInARow: failures } = this.#retries
    if (error && this.#retries.isOverdue(events / everyEvents)) this.#overdue({ error, failures, events })
    if (!checkpointing && !this.#retries.waiting) this.take().catch(() => {})
  }

  /** Takes a checkpoint now. @throws JobError as of `JobStore.checkpoint`. */
  async take(): Promise<void> {
    try {
      await this.#store.checkpoint()
    } catch (cause) {
      const error = cause as Error
      const retryMs = this.#retries.failed(error)
      const { failuresInARow: failures } = this.#retries
      this.#failed({ error, failures, retryMs, events: this.#store.eventsSinceSnapshot })
      throw error
    }
    this.#retries.succeeded()
    this.#taken()
  }

  /** Takes one when nothing comes after it any more, unless the last holds everything. Errors as of `take`. */
  async takeLast(): Promise<void> {
    await this.#store.checkpointSettled()
    if (this.#store.isCheckpointDue) await this.take()
  }

  metrics(): CheckpointMetrics {
    const { taken, failed, lastError, retryAtMs } = this.#retries.counts
    return {
      checkpoints: taken,
      checkpointFailures: failed,
      checkpointError: lastError,
      checkpointRetryAtMs: retryAtMs,
    }
  }

  /** The disk has room again: what failed and is due is tried now. */
  diskReady(): void {
    this.#retries.retryNow()
  }

  /** From now on no checkpoint begins by itself. */
  stop(): void {
    this.#stopped = true
    this.#retries.stop()
  }
}
