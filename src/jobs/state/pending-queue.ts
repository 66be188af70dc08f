import { Heap } from '@datastructures-js/heap'
import type { LiveJob } from '../job.js'

interface Delayed {
  readonly job: LiveJob
  readonly dueMs: number
}

/** Below this size a heap is never searched for jobs that are pending no more. */
const sweepSizeMin = 256

/**
 * The pending jobs in the order in which they are dispatched: higher priority first, then FIFO by enqueue. A job that
 * comes back keeps its place; one that has to wait first gets it when it is due.
 */
export class PendingQueue {
  #ready = new Heap<LiveJob>(byPriorityThenAge)
  #delayed = new Heap<Delayed>(byDue)
  #stale = 0

  /** Jobs ready now, as of the last `first`. */
  get readySize(): number {
    return this.#ready.size()
  }

  /** When the next delayed job is due, by the monotonic clock, or `undefined` when none is delayed. */
  get nextDueMs(): number | undefined {
    this.#dropStaleDelayed()
    return this.#delayed.root()?.dueMs
  }

  /** Adds a job that is ready when `waitMs` from now are over; `nowMs` is the monotonic clock. */
  add(job: LiveJob, nowMs: number, waitMs: number): void {
    if (waitMs > 0) this.#delayed.insert({ job, dueMs: nowMs + waitMs })
    else this.#ready.insert(job)
  }

  /** Adds the jobs that opening found, in one step for all: one by one, many take long. */
  addAll(jobs: readonly LiveJob[], nowMs: number, waitMsOf: (job: LiveJob) => number): void {
    const ready = this.#ready.toArray()
    for (const job of jobs) {
      const waitMs = waitMsOf(job)
      if (waitMs > 0) this.add(job, nowMs, waitMs)
      else ready.push(job)
    }
    this.#ready = new Heap(byPriorityThenAge, ready)
  }

  /** The job to dispatch next, left in its place, or `undefined`. */
  first(nowMs: number): LiveJob | undefined {
    for (;;) {
      this.#dropStaleDelayed()
      const delayed = this.#delayed.root()
      if (!delayed || delayed.dueMs > nowMs) break
      this.#delayed.extractRoot()
      this.#ready.insert(delayed.job)
    }
    while (!this.#ready.isEmpty()) {
      const job = this.#ready.root()!
      if (job.state === 'pending') return job
      this.#ready.extractRoot()
      this.#stale--
    }
    return undefined
  }

  /** Takes out the job that `first` returned. */
  takeFirst(): void {
    this.#ready.extractRoot()
  }

  /** Notes that a pending job ended where it was. Those are swept out when they are the greater part. */
  noteStale(): void {
    this.#stale++
    if (this.#stale < sweepSizeMin || this.#stale * 2 < this.#ready.size() + this.#delayed.size()) return
    this.#stale = 0
    this.#ready = new Heap(byPriorityThenAge, this.#ready.toArray().filter(isPending))
    this.#delayed = new Heap(
      byDue,
      this.#delayed.toArray().filter(({ job }) => isPending(job)),
    )
  }

  #dropStaleDelayed(): void {
    while (!this.#delayed.isEmpty() && !isPending(this.#delayed.root()!.job)) {
      this.#delayed.extractRoot()
      this.#stale--
    }
  }
}

function isPending(job: LiveJob): boolean {
  return job.state === 'pending'
}

function byPriorityThenAge(a: LiveJob, b: LiveJob): number {
  return b.priority - a.priority || a.seq - b.seq
}

function byDue(a: Delayed, b: Delayed): number {
  return a.dueMs - b.dueMs || a.job.seq - b.job.seq
}
