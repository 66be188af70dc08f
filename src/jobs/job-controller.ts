import { Emitter } from '../base/emitter.js'
import { endAll } from '../base/end-all.js'
import { checkOptions, forwardReplication, shortageError } from '../log/index.js'
import { Announcements } from './controller/announcements.js'
import { type EnqueueResult, JobIntake } from './controller/job-intake.js'
import { returnInFlight } from './controller/restart.js'
import type { CheckpointFailure, JobControllerEvents } from './controller-events.js'
import {
  type JobControllerOptions,
  type JobControllerSettings,
  resolveControllerSettings,
} from './controller-settings.js'
import { type Attempt, Dispatcher } from './dispatch/dispatcher.js'
import { createRunner, type JobHandler, type JobRunner } from './dispatch/handler.js'
import { closedError, JobError } from './errors.js'
import { type JobSpec, type JobView, viewOf } from './job.js'
import type { JobMetrics } from './metrics.js'
import { JobCheckpoints } from './state/job-checkpoints.js'
import { type AppliedTransition, JobStore } from './state/job-store.js'
import type { JobCounts, JobTotals } from './state/job-table.js'

/** The state of a queue, as of what is on disk. */
export interface JobStatus extends JobCounts {
  /** Whether handlers run. */
  readonly state: 'open' | 'running' | 'stopping' | 'closed' | 'failed'
  /** What happened since the log was created. */
  readonly totals: Readonly<JobTotals>
  /** The number of the last event. */
  readonly lastSeq: number
}

const graceMsDefault = 10_000
const closeOptions = new Set(['graceMs'])

/**
 * A durable job queue: jobs and all that happens to them are events of one log.
 *
 * A promise that resolves, and an event that is emitted, report what is on disk. Execution is
 * at-least-once: a crash in the middle of an attempt runs the job again. The queue's own state is exactly-once: a job
 * is completed or dead once, and each attempt is counted once.
 *
 * @example
 * ```js
 * import { JobController } from 'tidemark/jobs'
 *
 * const queue = await JobController.open({ dir: './jobs' })
 * queue.start(async ({ id, payload, attempt }) => {
 *   console.log(id, payload, attempt) // may run again after a crash: make its effects repeatable
 * })
 * await queue.enqueue({ id: 'mail-1', payload: { to: 'a@example.org' } }) // on disk
 * await queue.drained()
 * await queue.close()
 * ```
 */
export class JobController extends Emitter<JobControllerEvents> {
  /** The settings that hold. */
  readonly settings: JobControllerSettings
  readonly #store: JobStore
  readonly #dispatcher: Dispatcher
  readonly #checkpoints: JobCheckpoints
  readonly #announcements: Announcements
  readonly #intake: JobIntake
  #runner: JobRunner | undefined
  #state: JobStatus['state'] = 'open'
  #failure: unknown
  #closing: Promise<void> | undefined
  #lateResults = 0
  #backoffFailures = 0

  /**
   * Opens the queue in a folder: snapshot, replay, and jobs that were in flight returned to pending, which is logged.
   *
   * @throws JobError and LogError as of `JobStore.open`; LogError `TIDEMARK_BAD_SETTING`, `TIDEMARK_DISK_FULL` when there
   *   is no room to return jobs to pending.
   */
  static async open(options: JobControllerOptions): Promise<JobController> {
    const settings = resolveControllerSettings(options)
    const store = await JobStore.open(settings)
    const controller = new JobController(settings, store)
    try {
      const { interruptionsMax } = settings
      await returnInFlight(store, interruptionsMax, (job) => controller.#dispatcher.add(job))
    } catch (error) {
      await store.close()
      throw error
    }
    return controller
  }

  private constructor(settings: JobControllerSettings, store: JobStore) {
    super()
    this.settings = settings
    this.#store = store
    this.#announcements = new Announcements(this, store)
    this.#intake = new JobIntake(store, settings, {
      added: (applied) => {
        this.#applied(applied, undefined)
        this.#dispatcher.add(applied.job)
      },
      allAdded: () => this.#dispatcher.pump(),
    })
    this.#dispatcher = new Dispatcher(store, settings, {
      applied: (transition, extra) => this.#applied(transition, extra),
      late: (attempt, error) => this.#late(attempt, error),
      badBackoff: (error) => this.#badBackoff(error),
      failed: (error) => this.#fail(error),
    })
    this.#checkpoints = new JobCheckpoints({
      store,
      everyEvents: () => Math.max(settings.snapshotEveryEvents, store.table.live.size),
      taken: () => this.emit('checkpoint', { lastSeq: store.log.lastSeq }),
      failed: (failure) => this.#checkpointFailed(failure),
      overdue: (overdue) => this.emit('checkpointOverdue', overdue),
    })
    store.log.on('error', (error) => this.#fail(error))
    forwardReplication(store.log, this)
    store.log.on('diskFull', (error) => this.emit('diskFull', error))
    store.log.on('diskReady', () => {
      this.#checkpoints.diskReady()
      this.emit('diskReady')
    })
    this.#dispatcher.restore([...store.table.live.values()].filter(({ state }) => state === 'pending'))
  }

  /** The log below: for its statistics, its replay, and its events in full. */
  get log(): JobStore['log'] {
    return this.#store.log
  }

  /**
   * Begins to run jobs. Once for a controller.
   *
   * @throws JobError `TIDEMARK_JOB_BAD_HANDLER`, `TIDEMARK_JOB_LOG_CLOSED`, `TIDEMARK_JOB_SYNC_FAILED`.
   */
  start(handler: JobHandler): void {
    this.#checkOpen()
    if (this.#runner) {
      throw new JobError('TIDEMARK_JOB_BAD_HANDLER', 'The queue runs already; one handler serves it.')
    }
    this.#runner = createRunner(handler, this.settings.concurrency)
    this.#state = 'running'
    this.#dispatcher.start(this.#runner)
  }

  /**
   * Adds a job; resolves when it is on disk. A job whose id is known, live or finished and still kept, is not added
   * again: `added` is then false.
   *
   * @throws JobError `TIDEMARK_JOB_BAD_SPEC`, `TIDEMARK_JOB_BAD_EVENT` (too large), `TIDEMARK_JOB_LOG_CLOSED`,
   *   `TIDEMARK_JOB_SYNC_FAILED` (the job may or may not be there when the queue is opened again); LogError
   *   `TIDEMARK_DISK_FULL` (nothing was added, try again at `diskReady`).
   */
  async enqueue(spec: JobSpec): Promise<EnqueueResult> {
    this.#checkOpen()
    return this.#intake.enqueue(spec)
  }

  /**
   * Adds jobs in the order given; resolves when all are on disk. All are checked before the first is added, and a full
   * disk refuses all or none of them; after a crash, a first part of them may be there.
   *
   * @throws Errors as of `enqueue`.
   */
  async enqueueMany(specs: readonly JobSpec[]): Promise<EnqueueResult[]> {
    this.#checkOpen()
    return this.#intake.enqueueMany(specs)
  }

  /** One job as it stands on disk, or `undefined` when its id is unknown or forgotten. */
  async get(id: string): Promise<JobView | undefined> {
    this.#checkOpen()
    const job = this.#store.table.get(id)
    const view = job && viewOf(job)
    await this.#store.log.waitDurable(job?.lsn ?? 0)
    return view
  }

  /**
   * Ends a job that is not finished: it is dead, for the reason `cancelled`, and its handler's signal is aborted.
   * Resolves when that is on disk; false when there was nothing to end.
   */
  async cancel(id: string): Promise<boolean> {
    this.#checkOpen()
    const lsn = await new Promise<number | undefined>((resolve, reject) => {
      this.#store.log.inOrder(() => resolve(this.#cancelNow(id)), reject)
    })
    if (lsn === undefined) return false
    await this.#store.log.waitDurable(lsn)
    return true
  }

  /** How many jobs are in which state, and what happened since the queue was made; all of it on disk. */
  async status(): Promise<JobStatus> {
    const { log, table } = this.#store
    const status = { state: this.#state, ...table.counts, totals: { ...table.totals }, lastSeq: log.lastSeq }
    if (this.#state === 'open' || this.#state === 'running') await log.waitDurable(log.tailLsn)
    return status
  }

  /** Latencies and counts since the queue was opened. */
  metrics(): JobMetrics {
    return {
      dispatchLatency: this.#dispatcher.dispatchLatency.summary(),
      runTime: this.#dispatcher.runTime.summary(),
      lateResults: this.#lateResults,
      ...this.#checkpoints.metrics(),
      backoffFailures: this.#backoffFailures,
      waitingSteps: this.#store.log.waitingSteps,
      diskFull: this.#store.log.diskFull !== undefined,
      eventsSinceSnapshot: this.#store.eventsSinceSnapshot,
      log: this.#store.log.stats(),
    }
  }

  /** Resolves when no job is pending or in flight, and rejects when the queue fails or is closed before. */
  async drained(): Promise<void> {
    this.#checkOpen()
    const { table, log } = this.#store
    if (table.live.size > 0) await this.#announcements.drained()
    await log.waitDurable(log.tailLsn)
  }

  /**
   * Writes a snapshot now, and removes the part of the log that no start needs any more.
   *
   * @throws JobError as of `JobStore.checkpoint`.
   */
  async checkpoint(): Promise<void> {
    this.#checkOpen()
    await this.#checkpoints.take()
  }

  /**
   * Stops and closes: dispatches nothing more, gives running handlers `graceMs` to end, returns the jobs of those
   * that did not to pending, writes a snapshot if anything happened since the last, and closes the log. The signals of handlers that are still running
   * are aborted; their results count for nothing. When the snapshot can't be written, `checkpointFailed` is emitted, and
   * this resolves all the same: the log holds everything.
   *
   * @throws LogError `TIDEMARK_DISK_FULL` when the disk was full all the time: the log is closed, and attempts whose
   *   outcome had no room in it are made again at the next start.
   */
  close(options: { graceMs?: number } = {}): Promise<void> {
    let graceMs: number
    try {
      checkOptions('close', options, closeOptions)
      graceMs = options.graceMs ?? graceMsDefault
    } catch (error) {
      return Promise.reject(error)
    }
    this.#closing ??= this.#close(graceMs)
    return this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #close(graceMs: number): Promise<void> {
    const failed = this.#state === 'failed'
    if (!failed) this.#state = 'stopping'
    this.#checkpoints.stop()
    try {
      if (!failed) await this.#store.log.settle(this.#settle(graceMs))
    } finally {
      this.#dispatcher.halt(closedError())
      await endAll(
        () => this.#runner?.close(),
        () => this.#store.close(),
        () => {
          if (!this.#failure) this.#state = 'closed'
          this.#announcements.settle(closedError())
        },
      )
    }
  }

  async #settle(graceMs: number): Promise<void> {
    await this.#dispatcher.stop(graceMs)
    this.#checkUnlogged()
    // The log holds everything; a snapshot only saves the next start its replay.
    if (!this.#failure) await this.#checkpoints.takeLast().catch(() => {})
  }

  #checkUnlogged(): void {
    const attempts = this.#dispatcher.unlogged
    if (this.#failure || attempts === 0) return
    const files = this.#store.log.diskFull?.code === 'TIDEMARK_TOO_MANY_FILES'
    throw shortageError(this.settings.dir, files ? 'files' : 'space', {
      attempts,
      reason: `The outcome of ${attempts} attempts could not be logged; their jobs are tried again when the queue is opened.`,
    })
  }

  #cancelNow(id: string): number | undefined {
    const job = this.#store.table.live.get(id)
    if (!job) return undefined
    const { attemptId } = job
    const detail = attemptId === 0 ? { reason: 'cancelled' } : { attemptId, reason: 'cancelled' }
    const applied = this.#store.transition('DEAD', id, detail)
    // Announced first: the place that it leaves may be taken at once, by a job whose dispatch has a later LSN.
    this.#applied(applied, undefined)
    if (attemptId === 0) this.#dispatcher.queue.noteStale()
    else this.#dispatcher.cancelled(attemptId)
    return applied.lsn
  }

  #applied(applied: AppliedTransition, extra: unknown): void {
    const { job, event, lsn } = applied
    this.#announcements.announce(job, event, lsn, extra)
    this.#checkpoints.changed()
  }

  #late({ jobId, attemptId }: Attempt, error: JobError): void {
    this.#lateResults++
    this.emit('late', { id: jobId, attemptId, error })
  }

  /** It must not pass unseen: without a listener, it is a warning of the process. */
  #badBackoff(error: JobError): void {
    this.#backoffFailures++
    if (this.emit('error', error)) return
    process.emitWarning(error.message, { type: error.name, code: error.code })
  }

  /** A log that failed is reported as `error`. */
  #checkpointFailed(failure: CheckpointFailure): void {
    if (this.#failure || (failure.error as JobError).code === 'TIDEMARK_JOB_SYNC_FAILED') return
    this.emit('checkpointFailed', failure)
  }

  /** The log takes nothing any more: no dispatch, no enqueue, and what waits is rejected with the cause. */
  #fail(error: unknown): void {
    if (this.#failure || this.#state === 'closed') return
    this.#failure = error
    this.#state = 'failed'
    this.#dispatcher.halt(toJobError(error))
    this.#announcements.settle(error as Error)
    this.emit('error', error as Error)
  }

  #checkOpen(): void {
    if (this.#failure) throw this.#failure
    if (this.#closing) throw closedError()
  }
}

function toJobError(error: unknown): JobError {
  if (error instanceof JobError) return error
  return new JobError('TIDEMARK_JOB_STOPPED', 'The queue stopped for an error.', {}, { cause: error })
}
