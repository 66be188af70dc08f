import { Queue } from '@datastructures-js/queue'
import type { FinishedJob } from './job.js'

/** How many finished jobs, and for how long, are kept to recognize their ids. */
export interface KeepFinished {
  readonly count: number
  /** Milliseconds since the job finished. */
  readonly ageMs: number
}

/** The finished jobs that are still recognized, in the order in which they finished. */
export class FinishedJobs {
  readonly #keep: KeepFinished
  readonly #byId = new Map<string, FinishedJob>()
  /** Entries of ids that were used again since are stale here, and fall out at the front like all others. */
  readonly #order = new Queue<FinishedJob>()

  constructor(keep: KeepFinished) {
    this.#keep = keep
  }

  get size(): number {
    return this.#byId.size
  }

  get(id: string): FinishedJob | undefined {
    return this.#byId.get(id)
  }

  /** In the order in which they finished. */
  *values(): Generator<FinishedJob> {
    for (const job of this.#order.toArray()) if (this.#byId.get(job.id) === job) yield job
  }

  add(job: FinishedJob): void {
    this.#byId.set(job.id, job)
    this.#order.enqueue(job)
    while (this.#order.size() > this.#keep.count) this.#dropFirst()
  }

  forget(id: string): void {
    this.#byId.delete(id)
  }

  /** Forgets those that finished longer ago than is kept. */
  forgetBefore(nowMs: number): void {
    const sinceMs = nowMs - this.#keep.ageMs
    while (!this.#order.isEmpty() && this.#order.front()!.finishedAtMs < sinceMs) this.#dropFirst()
  }

  #dropFirst(): void {
    const job = this.#order.dequeue()!
    if (this.#byId.get(job.id) === job) this.#byId.delete(job.id)
  }
}
