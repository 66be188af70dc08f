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

export interface EnqueueResult {
  readonly id: string
  /** False when the id is known already: nothing was added, and the job is as it was first given. */
  readonly added: boolean
  readonly state: JobState
}

/** Jobs of one call: a full disk refuses the first and with it all others, or makes the others wait for room. */
interface Together {
  added: boolean
  refusal: unknown
}

/** Checks jobs that callers add, and logs them in the order of the calls. */
export class JobIntake {
  readonly #store: JobStore
  readonly #defaults: JobDefaults
  readonly #added: (applied: AppliedTransition) => void

  /** `added` is called for each job that was added, in the step that logs it. */
  constructor(store: JobStore, defaults: JobDefaults, added: (applied: AppliedTransition) => void) {
    this.#store = store
    this.#defaults = defaults
    this.#added = added
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
    const together: Together = { added: false, refusal: undefined }
    const added = await Promise.all(jobs.map((job) => this.#enqueue(job, together)))
    await log.waitDurable(added.reduce((lsn, entry) => Math.max(lsn, entry.lsn), 0))
    return added.map(({ result }) => result)
  }

  #enqueue(job: PlainJob, together?: Together): Promise<{ result: EnqueueResult; lsn: number }> {
    return new Promise((resolve, reject) => {
      this.#store.log.inOrder(
        () => {
          if (together?.refusal) throw together.refusal
          resolve(this.#enqueueNow(job))
          if (together) together.added = true
        },
        (error) => {
          if (together && !together.added) together.refusal = error
          reject(error)
        },
        () => together?.added === true,
      )
    })
  }

  #enqueueNow(plain: PlainJob): { result: EnqueueResult; lsn: number } {
    const { id } = plain
    const known: LiveJob | FinishedJob | undefined = this.#store.table.get(id)
    // The first caller's job may not be on disk yet: the second caller waits for it too.
    if (known) return { result: { id, added: false, state: known.state }, lsn: known.lsn }
    const applied = this.#store.enqueue(plain)
    this.#added(applied)
    return { result: { id, added: true, state: 'pending' }, lsn: applied.lsn }
  }
}
