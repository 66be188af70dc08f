import { allAssertions, broken } from '../../base/assert.js'
import type { Clock } from '../clock.js'
import { JobError } from '../errors.js'
import { isCount, type JobEvent, type JobEventType } from '../events/event.js'
import type { DeadReason, FinishedJob, JobState, LiveJob } from '../job.js'
import { FinishedJobs, type KeepFinished } from './finished-jobs.js'

/** Counts over the whole life of a queue, forgotten jobs included. */
export interface JobTotals {
  /** Jobs that were enqueued. */
  enqueued: number
  /** Attempts that were begun. */
  dispatched: number
  /** Jobs that were completed. */
  completed: number
  /** Attempts that failed and were followed by another. */
  retried: number
  /** Attempts that took too long. */
  timedOut: number
  /** Jobs that are dead, whatever the reason. */
  dead: number
  /** Jobs that were cancelled. */
  cancelled: number
  /** Attempts that a stop or a restart interrupted. */
  interrupted: number
}

/** How many jobs are in which state now. */
export interface JobCounts {
  /** Jobs that wait. */
  readonly pending: number
  /** Jobs with an attempt that runs. */
  readonly inFlight: number
  /** Finished jobs whose ids are still recognized. */
  readonly finishedKept: number
}

/** Encodes jobs as they are now, before they change. */
interface TableCut {
  /** A live job is about to change. */
  keepLive(job: LiveJob): void
  /** A finished job is about to be forgotten. */
  keepFinished(job: FinishedJob): void
}

/** What is to happen to a job: an event without what the log adds to it. */
export type Transition = Pick<JobEvent, 'type' | 'jobId' | 'detail'> & { readonly seq: number }

const retryReasons: ReadonlySet<unknown> = new Set(['failed', 'stopped', 'restart'])
const deadReasons: ReadonlySet<unknown> = new Set(['failed', 'timeout', 'cancelled', 'interrupted'])

/**
 * The state of every job, as the events so far make it. It decides nothing: the same events always give the same live
 * jobs, live or replayed. Only how long a finished job is recognized goes by a clock.
 *
 * ```
 *              ENQUEUE                DISPATCH                ACK
 *   (unknown) ---------> pending -----------------> inFlight -----> completed
 *                          |  ^                      |  |
 *                          |  +------ RETRY, TIMEOUT +  |
 *                          |                            |
 *                          +---------- DEAD ------------+---------> dead
 * ```
 */
export class JobTable {
  readonly live = new Map<string, LiveJob>()
  readonly finished: FinishedJobs
  readonly totals: JobTotals
  #inFlight = 0
  #cut: TableCut | undefined

  constructor(keep: KeepFinished, totals: JobTotals = emptyTotals(), clock?: Clock) {
    this.finished = new FinishedJobs(keep, clock)
    this.totals = totals
  }

  get counts(): JobCounts {
    return {
      pending: this.live.size - this.#inFlight,
      inFlight: this.#inFlight,
      finishedKept: this.finished.size,
    }
  }

  get(id: string): LiveJob | FinishedJob | undefined {
    return this.live.get(id) ?? this.finished.get(id)
  }

  /** From now on `cut` is called with each job that is about to change or to be forgotten. For `SnapshotCut`. */
  beginCut(cut: TableCut): void {
    if (allAssertions) this.#checkCounts()
    this.#cut = cut
    this.finished.onForget = (job) => cut.keepFinished(job)
  }

  endCut(): void {
    this.#cut = undefined
    this.finished.onForget = undefined
  }

  /** Puts a job of a snapshot in its place. */
  restore(job: LiveJob): void {
    this.live.set(job.id, job)
    if (job.state === 'inFlight') this.#inFlight++
  }

  /**
   * Checks that a transition is one that the job can make now.
   *
   * @throws JobError `TIDEMARK_JOB_STALE_ATTEMPT` when it is of an attempt that is not the one in flight;
   *   `TIDEMARK_JOB_TRANSITION` otherwise.
   */
  check(transition: Transition): void {
    const { type, jobId, detail } = transition
    const job = this.live.get(jobId)
    if (type === 'ENQUEUE') {
      if (job) throw refused(transition, `it is ${job.state} already`)
      if (!isWholeJob(detail)) throw refused(transition, 'its detail is not a whole job')
      return
    }
    if (type === 'DISPATCH') {
      if (job?.state !== 'pending') throw refused(transition, `it is ${this.#stateOf(jobId)}`)
      if (detail['attemptId'] !== transition.seq)
        throw refused(transition, 'its attempt id is not its own number')
      if (detail['attempt'] !== job.attempts + 1)
        throw refused(transition, `attempt ${job.attempts + 1} is due`)
      return
    }
    if (type === 'DEAD' && job?.state === 'pending' && detail['attemptId'] === undefined) {
      if (detail['reason'] !== 'cancelled') throw refused(transition, 'it is pending')
      return
    }
    if (job?.state !== 'inFlight' || detail['attemptId'] !== job.attemptId) {
      throw staleAttempt(transition, job?.attemptId ?? 0, this.#stateOf(jobId))
    }
    if (type === 'DEAD' && !deadReasons.has(detail['reason'])) throw refused(transition, 'it has no reason')
    if (type === 'RETRY' && !retryReasons.has(detail['reason'])) throw refused(transition, 'it has no reason')
    if ((type === 'RETRY' || type === 'TIMEOUT') && !isCount(detail['delayMs'])) {
      throw refused(transition, 'it has no delay')
    }
  }

  /** Makes a transition that `check` let pass and the log holds; returns the job as it now is. */
  apply(event: JobEvent, lsn: number, payloadJson?: string): LiveJob {
    if (event.type === 'ENQUEUE') return this.#enqueue(event, lsn, payloadJson)
    const job = this.live.get(event.jobId)
    if (job === undefined) broken('an event changes a live job', { seq: event.seq, jobId: event.jobId })
    if (allAssertions) this.check(event)
    this.#cut?.keepLive(job)
    const { detail } = event
    job.lsn = lsn
    switch (event.type) {
      case 'DISPATCH':
        this.#inFlight++
        this.totals.dispatched++
        job.state = 'inFlight'
        job.attempts++
        job.attemptId = event.seq
        break
      case 'ACK':
        this.totals.completed++
        this.#finish(job, 'completed', event)
        break
      case 'RETRY':
      case 'TIMEOUT':
        this.#requeue(job, event)
        break
      case 'DEAD':
        this.totals.dead++
        if (detail['reason'] === 'cancelled') this.totals.cancelled++
        if (detail['reason'] === 'timeout') this.totals.timedOut++
        this.#finish(job, 'dead', event)
        break
    }
    return job
  }

  #enqueue(event: JobEvent, lsn: number, payloadJson?: string): LiveJob {
    const { jobId, detail } = event
    // An id that was forgotten when this was written may still be remembered by a table with other limits.
    this.finished.forget(jobId)
    this.totals.enqueued++
    const job: LiveJob = {
      id: jobId,
      payloadJson: payloadJson ?? JSON.stringify(detail['payload']),
      priority: detail['priority'] as number,
      timeoutMs: detail['timeoutMs'] as number,
      maxAttempts: detail['maxAttempts'] as number,
      seq: event.seq,
      enqueuedAtMs: event.atMs,
      state: 'pending',
      attempts: 0,
      interrupted: 0,
      attemptId: 0,
      dueMs: 0,
      delayMs: 0,
      lsn,
      readySinceMs: 0,
      cut: 0,
    }
    this.live.set(jobId, job)
    return job
  }

  #requeue(job: LiveJob, event: JobEvent): void {
    const { reason, delayMs } = event.detail
    this.#inFlight--
    if (event.type === 'TIMEOUT') {
      this.totals.timedOut++
    } else if (reason === 'failed') {
      this.totals.retried++
    } else {
      this.totals.interrupted++
      job.interrupted++
    }
    job.state = 'pending'
    job.attemptId = 0
    job.delayMs = delayMs as number
    job.dueMs = delayMs === 0 ? 0 : event.atMs + job.delayMs
  }

  #finish(job: LiveJob, state: 'completed' | 'dead', event: JobEvent): void {
    if (job.state === 'inFlight') this.#inFlight--
    job.state = state
    job.attemptId = 0
    this.live.delete(job.id)
    const { reason, error } = event.detail
    this.finished.add({
      id: job.id,
      state,
      attempts: job.attempts,
      finishedAtMs: event.atMs,
      reason: state === 'dead' ? (reason as DeadReason) : undefined,
      error: typeof error === 'string' ? error : undefined,
      lsn: job.lsn,
      cut: 0,
    })
  }

  #checkCounts(): void {
    let inFlight = 0
    for (const { state } of this.live.values()) if (state === 'inFlight') inFlight++
    if (inFlight !== this.#inFlight)
      broken('the jobs in flight are as many as are counted', { inFlight, counted: this.#inFlight })
  }

  #stateOf(id: string): JobState | 'unknown' {
    return this.get(id)?.state ?? 'unknown'
  }
}

export function emptyTotals(): JobTotals {
  return {
    enqueued: 0,
    dispatched: 0,
    completed: 0,
    retried: 0,
    timedOut: 0,
    dead: 0,
    cancelled: 0,
    interrupted: 0,
  }
}

function isWholeJob(detail: JobEvent['detail']): boolean {
  const { payload, timeoutMs, priority, maxAttempts } = detail
  return (
    payload !== undefined &&
    isCount(timeoutMs) &&
    timeoutMs > 0 &&
    Number.isSafeInteger(priority) &&
    isCount(maxAttempts) &&
    maxAttempts > 0
  )
}

function refused({ type, jobId, seq }: Transition, reason: string): JobError {
  return new JobError('TIDEMARK_JOB_TRANSITION', `Job ${jobId} refuses ${type}: ${reason}.`, {
    jobId,
    type: type satisfies JobEventType,
    seq,
  })
}

function staleAttempt({ type, jobId, detail }: Transition, attemptId: number, state: string): JobError {
  const named = String(detail['attemptId'])
  return new JobError(
    'TIDEMARK_JOB_STALE_ATTEMPT',
    `Job ${jobId} refuses ${type} of attempt ${named}: ${attemptId === 0 ? `it is ${state}` : `attempt ${attemptId} is in flight`}.`,
    { jobId, type, state, attemptId: detail['attemptId'], inFlight: attemptId },
  )
}
