import { isShortage } from '../../log/index.js'
import type { JobControllerSettings } from '../controller-settings.js'
import { JobError } from '../errors.js'
import type { JobEventDetail, JobEventType } from '../events/event.js'
import type { LiveJob } from '../job.js'
import { Durations } from '../metrics.js'
import type { AppliedTransition, JobStore } from '../state/job-store.js'
import { PendingQueue } from '../state/pending-queue.js'
import { retryDelay } from './backoff.js'
import { Cancellation, type JobRunner } from './handler.js'

/** One DISPATCH and what becomes of it. */
export interface Attempt {
  readonly jobId: string
  readonly payloadJson: string
  readonly attempt: number
  readonly attemptId: number
  readonly cancellation: Cancellation
  /** Of its deadline, which is counted from the call of its handler. */
  timer: NodeJS.Timeout | undefined
}

interface Change {
  readonly type: JobEventType
  readonly detail: JobEventDetail
}

type Outcome =
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly error: unknown }

export interface DispatcherEvents {
  /** A transition was logged and applied; it may be reported when its LSN is durable. */
  applied(transition: AppliedTransition, extra: unknown): void
  /** A result came of an attempt that is over. */
  late(attempt: Attempt, error: JobError): void
  /** The backoff gave no delay, and the default one was used. */
  badBackoff(error: JobError): void
  /** The log takes nothing any more. */
  failed(error: unknown): void
}

const errorLengthMax = 300
const timerMsMax = 2 ** 31 - 1

/**
 * Hands pending jobs to the runner, in order and as many at a time as are allowed, and logs what becomes of them. A
 * handler is called when its DISPATCH is on disk, so that no attempt escapes being counted.
 */
export class Dispatcher {
  readonly queue = new PendingQueue()
  readonly dispatchLatency = new Durations()
  readonly runTime = new Durations()
  readonly #store: JobStore
  readonly #settings: JobControllerSettings
  readonly #events: DispatcherEvents
  readonly #attempts = new Map<number, Attempt>()
  #runner: JobRunner | undefined
  #dispatching = false
  #pumping = false
  #delayTimer: NodeJS.Timeout | undefined
  #idle: (() => void) | undefined

  constructor(store: JobStore, settings: JobControllerSettings, events: DispatcherEvents) {
    this.#store = store
    this.#settings = settings
    this.#events = events
  }

  get dispatching(): boolean {
    return this.#dispatching
  }

  start(runner: JobRunner): void {
    this.#runner = runner
    this.#dispatching = true
    this.pump()
  }

  /** Queues a job that became pending now, which waits out its delay. The next `pump` chooses among all that are queued. */
  add(job: LiveJob): void {
    const nowMs = performance.now()
    job.readySinceMs = nowMs
    this.queue.add(job, nowMs, job.delayMs)
  }

  /**
   * Queues the jobs that were pending when the queue was opened. What is left of a delay, the wall clock says; a wrong
   * one makes no job wait longer than the whole delay.
   */
  restore(jobs: readonly LiveJob[]): void {
    const nowMs = performance.now()
    const wallMs = Date.now()
    for (const job of jobs) job.readySinceMs = nowMs
    this.queue.addAll(jobs, nowMs, ({ dueMs, delayMs }) => Math.min(dueMs - wallMs, delayMs))
  }

  /** Dispatches what may be dispatched. */
  pump(): void {
    if (!this.#dispatching || this.#pumping) return
    this.#pumping = true
    this.#store.log.inOrderWaiting(
      () => {
        this.#dispatchReady()
        this.#pumping = false
      },
      (error) => {
        this.#pumping = false
        if (!isShortage(error)) this.#events.failed(error)
      },
    )
  }

  /** Ends the attempt in flight of a job whose cancel was applied. */
  cancelled(attemptId: number): void {
    this.#drop(attemptId, new JobError('TIDEMARK_JOB_CANCELLED', 'The job was cancelled.', { attemptId }))
    this.pump()
  }

  /**
   * Dispatches nothing more, gives running attempts `graceMs` to end, and returns the jobs of those that did not to
   * pending. A full disk has as long to have room again; then `unlogged` attempts are left as they are in the log.
   */
  async stop(graceMs: number): Promise<void> {
    this.#stopDispatching()
    if (this.#attempts.size > 0 && graceMs > 0) await this.#idleWithin(graceMs)
    this.#store.log.giveUpDisk()
    const stopped = stoppedError()
    const given = [...this.#attempts.values()].map((attempt) => this.#requeue(attempt, stopped))
    await Promise.all(given)
  }

  /** Attempts in flight that the log knows nothing more of: their jobs are tried again when the queue is opened. */
  get unlogged(): number {
    return this.#attempts.size
  }

  /** Dispatches nothing more, at once, and aborts what runs: nothing that it does can be logged. */
  halt(error: JobError): void {
    this.#stopDispatching()
    for (const attemptId of [...this.#attempts.keys()]) this.#drop(attemptId, error)
  }

  #stopDispatching(): void {
    this.#dispatching = false
    clearTimeout(this.#delayTimer)
  }

  #dispatchReady(): void {
    const nowMs = performance.now()
    while (this.#dispatching && this.#attempts.size < this.#runner!.concurrency) {
      const job = this.queue.first(nowMs)
      if (!job) break
      this.#dispatch(job)
    }
    this.#armDelayTimer(nowMs)
  }

  #dispatch(job: LiveJob): void {
    const applied = this.#store.transition('DISPATCH', job.id, {
      attemptId: this.#store.log.lastSeq + 1,
      attempt: job.attempts + 1,
      worker: this.#settings.worker,
    })
    this.queue.takeFirst()
    const { attemptId } = job
    const attempt: Attempt = {
      jobId: job.id,
      payloadJson: job.payloadJson,
      attempt: job.attempts,
      attemptId,
      cancellation: new Cancellation(),
      timer: undefined,
    }
    this.#attempts.set(attemptId, attempt)
    this.#events.applied(applied, undefined)
    const { readySinceMs } = job
    this.#store.durable.add(
      applied.lsn,
      () => void this.#run(attempt, readySinceMs, job.timeoutMs),
      (error) => this.#events.failed(error),
    )
  }

  async #run(attempt: Attempt, readySinceMs: number, timeoutMs: number): Promise<void> {
    if (!this.#attempts.has(attempt.attemptId)) return
    if (!this.#dispatching) {
      await this.#requeue(attempt, stoppedError())
      return
    }
    attempt.timer = setTimeout(() => this.#timeOut(attempt, timeoutMs), timeoutMs)
    const startMs = performance.now()
    this.dispatchLatency.record(startMs - readySinceMs)
    const { jobId, payloadJson, attempt: number, attemptId, cancellation } = attempt
    const task = { id: jobId, payload: JSON.parse(payloadJson), attempt: number, attemptId }
    let outcome: Outcome
    try {
      outcome = { ok: true, result: await this.#runner!.run(task, cancellation) }
    } catch (error) {
      outcome = { ok: false, error }
    }
    this.runTime.record(performance.now() - startMs)
    // A handler that ended because its signal was aborted has no result to refuse.
    if (!outcome.ok && cancellation.cancelled) return
    this.#settle(attempt, outcome)
  }

  #settle(attempt: Attempt, outcome: Outcome): void {
    const { jobId, attemptId } = attempt
    const { log, table } = this.#store
    try {
      // A late result is refused by its attempt id alone, also when the log is closed already.
      table.check({ type: 'ACK', jobId, detail: { attemptId }, seq: log.lastSeq + 1 })
    } catch (error) {
      this.#refused(attempt, error)
      return
    }
    // The attempt ended in time, however long the log takes to say so.
    clearTimeout(attempt.timer)
    const change: Change = outcome.ok
      ? { type: 'ACK', detail: { attemptId } }
      : this.#failureOf(attempt, 'RETRY', 'failed', outcome.error)
    log.inOrderWaiting(
      () => {
        const applied = this.#store.transition(change.type, jobId, change.detail)
        this.#over(attempt, applied, outcome.ok ? outcome.result : outcome.error)
      },
      (error) => this.#refused(attempt, error),
    )
  }

  #timeOut(attempt: Attempt, timeoutMs: number): void {
    const { jobId, attemptId } = attempt
    const timeout = new JobError('TIDEMARK_JOB_TIMEOUT', `The attempt took longer than ${timeoutMs} ms.`, {
      attemptId,
      timeoutMs,
    })
    const change = this.#failureOf(attempt, 'TIMEOUT', 'timeout', timeout)
    this.#store.log.inOrderWaiting(
      () => {
        const applied = this.#store.transition(change.type, jobId, change.detail)
        this.#over(attempt, applied, timeout)
        attempt.cancellation.cancel(timeout)
      },
      (error) => this.#refused(attempt, error),
    )
  }

  /**
   * What a failed attempt does to its job: it is tried again, or dead after the last attempt. Decided before the step
   * that logs it, which may run more than once: the backoff is asked once.
   */
  #failureOf(
    attempt: Attempt,
    again: Extract<JobEventType, 'RETRY' | 'TIMEOUT'>,
    reason: 'failed' | 'timeout',
    cause: unknown,
  ): Change {
    const { jobId, attemptId } = attempt
    const job = this.#store.table.live.get(jobId)
    const counted = job ? job.attempts - job.interrupted : 0
    const error = messageOf(cause)
    if (job && counted >= job.maxAttempts) return { type: 'DEAD', detail: { attemptId, reason, error } }
    const { delayMs, failure } = retryDelay(this.#settings.backoff, jobId, Math.max(1, counted), cause)
    if (failure) this.#events.badBackoff(failure)
    if (again === 'TIMEOUT') return { type: again, detail: { attemptId, delayMs } }
    return { type: again, detail: { attemptId, delayMs, reason, error } }
  }

  #requeue(attempt: Attempt, stopped: JobError): Promise<void> {
    return new Promise((resolve) => {
      this.#store.log.inOrderWaiting(
        () => {
          const { jobId, attemptId } = attempt
          const detail = { attemptId, delayMs: 0, reason: 'stopped' }
          this.#over(attempt, this.#store.transition('RETRY', jobId, detail), stopped)
          attempt.cancellation.cancel(stopped)
          resolve()
        },
        () => resolve(),
      )
    })
  }

  /** An attempt ended and the log says so. */
  #over(attempt: Attempt, applied: AppliedTransition, extra: unknown): void {
    clearTimeout(attempt.timer)
    this.#attempts.delete(attempt.attemptId)
    this.#events.applied(applied, extra)
    if (applied.job.state === 'pending') this.add(applied.job)
    this.pump()
    if (this.#attempts.size === 0) this.#idle?.()
  }

  #refused(attempt: Attempt, error: unknown): void {
    if ((error as JobError).code === 'TIDEMARK_JOB_STALE_ATTEMPT')
      this.#events.late(attempt, error as JobError)
    // The queue is closing on a full disk: the attempt stays in `unlogged`.
    else if (!isShortage(error)) this.#events.failed(error)
  }

  #drop(attemptId: number, reason: JobError): void {
    const attempt = this.#attempts.get(attemptId)
    if (!attempt) return
    clearTimeout(attempt.timer)
    this.#attempts.delete(attemptId)
    attempt.cancellation.cancel(reason)
    if (this.#attempts.size === 0) this.#idle?.()
  }

  async #idleWithin(graceMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, graceMs)
      this.#idle = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    this.#idle = undefined
  }

  #armDelayTimer(nowMs: number): void {
    clearTimeout(this.#delayTimer)
    const dueMs = this.queue.nextDueMs
    if (dueMs === undefined || !this.#dispatching) return
    this.#delayTimer = setTimeout(() => this.pump(), Math.min(timerMsMax, Math.max(1, dueMs - nowMs)))
  }
}

function stoppedError(): JobError {
  return new JobError('TIDEMARK_JOB_STOPPED', 'The queue was stopped.')
}

/** What a handler threw, as a text that always can be logged. */
function messageOf(error: unknown): string {
  try {
    const text = (error as { message?: unknown } | null | undefined)?.message ?? error
    return String(text).slice(0, errorLengthMax)
  } catch {
    return 'an error that cannot be shown'
  }
}
