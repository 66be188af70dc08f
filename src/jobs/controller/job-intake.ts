import {
  type FinishedJob,
  type JobDefaults,
  type JobSpec,
  type JobState,
  type LiveJob,
  type PlainJob,
  toPlainJob,
} from '../job.js'
import type { AppliedTransition, JobStore } from '../state/job-store.js'

/** What became of one job of `enqueueMany`. */
export interface EnqueueResult {
  /** The job's id. */
  readonly id: string
  /** False when the id is known already: nothing was added, and the job is as it was first given. */
  readonly added: boolean
  /** The state that it is in. */
  readonly state: JobState
}

/** So many jobs of a call are looked up, logged and added in one go at the most. */
const jobsAtOnceMax = 1000

export interface IntakeEvents {
  /** A job was added; called in the step that logs it. */
  readonly added: (applied: AppliedTransition) => void
  /** All jobs of a call were added, or as many as will be: only now may one of them be chosen before the others. */
  readonly allAdded: () => void
}

interface SomeEnqueued {
  readonly results: EnqueueResult[]
  readonly lsn: number
  readonly isAnyAdded: boolean
}

/** Checks jobs that callers add, and logs them in the order of the calls. */
export class JobIntake {
  readonly #store: JobStore
  readonly #defaults: JobDefaults
  readonly #events: IntakeEvents

  constructor(store: JobStore, defaults: JobDefaults, events: IntakeEvents) {
    this.#store = store
    this.#defaults = defaults
    this.#events = events
  }

  /** As of `JobController.enqueue`. */
  async enqueue(spec: JobSpec): Promise<EnqueueResult> {
    const { result, lsn } = await this.#enqueue(toPlainJob(spec, this.#defaults))
    await this.#store.log.waitDurable(lsn)
    return result
  }

  /** As of `JobController.enqueueMany`. */
  async enqueueMany(specs: readonly JobSpec[]): Promise<EnqueueResult[]> {
    const { log } = this.#store
    const jobs = specs.map((spec) => toPlainJob(spec, this.#defaults))
    for (const job of jobs) log.checkSize(Buffer.byteLength(job.payloadJson), job.id)
    const full = log.diskRefusal(jobs.reduce((sum, job) => sum + job.payloadJson.length, 0))
    if (full) throw full
    const results: EnqueueResult[] = []
    let lsn = 0
    let isAnyAdded = false
    await new Promise<void>((resolve, reject) => {
      const step = () => {
        while (results.length < jobs.length) {
          const next = this.#enqueueSome(jobs, results.length)
          results.push(...next.results)
          lsn = Math.max(lsn, next.lsn)
          isAnyAdded ||= next.isAnyAdded
        }
        this.#events.allAdded()
        resolve()
      }
      const failed = (error: unknown) => {
        if (isAnyAdded) this.#events.allAdded()
        reject(error)
      }
      // A full disk refuses the first job, and with it all others, or makes the others wait for room.
      log.inOrder(step, failed, () => isAnyAdded)
    })
    await log.waitDurable(lsn)
    return results
  }

  #enqueue(job: PlainJob): Promise<{ result: EnqueueResult; lsn: number }> {
    return new Promise((resolve, reject) => {
      const step = () => {
        const enqueued = this.#enqueueNow(job)
        if (enqueued.result.added) this.#events.allAdded()
        resolve(enqueued)
      }
      this.#store.log.inOrder(step, reject)
    })
  }

  /** Adds the next jobs from `from` on, one at least, up to the next one whose id is known, so that they are logged together. */
  #enqueueSome(jobs: readonly PlainJob[], from: number): SomeEnqueued {
    const ids = new Set<string>()
    let to = from
    for (; to < jobs.length && to - from < jobsAtOnceMax; to++) {
      const { id } = jobs[to]!
      if (ids.has(id) || this.#store.table.get(id)) break
      ids.add(id)
    }
    if (to === from) {
      const { result, lsn } = this.#enqueueNow(jobs[from]!)
      return { results: [result], lsn, isAnyAdded: false }
    }
    const applied = this.#store.enqueueSome(jobs.slice(from, to))
    for (const one of applied) this.#events.added(one)
    return {
      results: applied.map(({ job }) => ({ id: job.id, added: true, state: 'pending' })),
      lsn: applied.at(-1)!.lsn,
      isAnyAdded: true,
    }
  }

  #enqueueNow(plain: PlainJob): { result: EnqueueResult; lsn: number } {
    const { id } = plain
    const known: LiveJob | FinishedJob | undefined = this.#store.table.get(id)
    // The first caller's job may not be on disk yet: the second caller waits for it too.
    if (known) return { result: { id, added: false, state: known.state }, lsn: known.lsn }
    const applied = this.#store.enqueue(plain)
    this.#events.added(applied)
    return { result: { id, added: true, state: 'pending' }, lsn: applied.lsn }
  }
}
