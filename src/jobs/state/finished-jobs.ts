import { Queue } from '@datastructures-js/queue'
import { type Clock, systemClock } from '../clock.js'
import type { FinishedJob } from '../job.js'

/** How many finished jobs, and for how long, are kept to recognize their ids. */
export interface KeepFinished {
  /** How many are kept at most. */
  readonly count: number
  /** Milliseconds since the job finished. */
  readonly ageMs: number
}

interface Kept {
  readonly job: FinishedJob
  /** By the monotonic clock. */
  readonly expiresMs: number
}

/** The finished jobs that are still recognized, in the order in which they finished. */
export class FinishedJobs {
  readonly #keep: KeepFinished
  readonly #clock: Clock
  readonly #byId = new Map<string, Kept>()
  /** Entries of ids that were used again since are stale here, and fall out at the front like all others. */
  readonly #order = new Queue<Kept>()
  /** Called before a job is forgotten. */
  onForget: ((job: FinishedJob) => void) | undefined

  constructor(keep: KeepFinished, clock: Clock = systemClock) {
    this.#keep = keep
    this.#clock = clock
  }

  get size(): number {
    return this.#byId.size
  }

  /** Returns undefined also for a job that is too old, whether it was forgotten already or not. */
  get(id: string): FinishedJob | undefined {
    const kept = this.#byId.get(id)
    if (!kept || this.#isExpired(kept)) return undefined
    return kept.job
  }

  /** In the order in which they finished; jobs may be added or forgotten meanwhile. */
  *values(): Generator<FinishedJob> {
    for (const { job } of this.#byId.values()) yield job
  }

  add(job: FinishedJob): void {
    const kept = { job, expiresMs: this.#expiryOf(job) }
    this.forget(job.id)
    this.#byId.set(job.id, kept)
    this.#order.enqueue(kept)
    while (this.#order.size() > this.#keep.count) this.#dropFirst()
    this.forgetExpired()
  }

  forget(id: string): void {
    const kept = this.#byId.get(id)
    if (!kept) return
    this.onForget?.(kept.job)
    this.#byId.delete(id)
  }

  /** Forgets the jobs that are too old. Returns in how many milliseconds the next will be, if there is one. */
  forgetExpired(): number | undefined {
    if (this.#keep.ageMs === Number.POSITIVE_INFINITY) return undefined
    while (!this.#order.isEmpty() && this.#isExpired(this.#order.front()!)) this.#dropFirst()
    if (this.#order.isEmpty()) return undefined
    return this.#order.front()!.expiresMs - this.#clock.monotonicMs()
  }

  /**
   * A job that finished just now has its whole age before it. One of a log or a snapshot has spent what the wall clock
   * says, which never makes it live longer than `ageMs` from now on.
   */
  #expiryOf({ finishedAtMs }: FinishedJob): number {
    const { ageMs } = this.#keep
    if (ageMs === Number.POSITIVE_INFINITY) return ageMs
    return this.#clock.monotonicMs() + ageMs - Math.max(0, this.#clock.wallMs() - finishedAtMs)
  }

  #isExpired({ expiresMs }: Kept): boolean {
    return expiresMs !== Number.POSITIVE_INFINITY && expiresMs <= this.#clock.monotonicMs()
  }

  #dropFirst(): void {
    const kept = this.#order.dequeue()!
    if (this.#byId.get(kept.job.id) === kept) this.forget(kept.job.id)
  }
}
