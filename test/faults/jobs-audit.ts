import type { JobEvent, StoredJobs } from '#tidemark/jobs/index.js'

interface Audited {
  readonly id: string
  readonly seq: number
  readonly priority: number
  state: 'pending' | 'inFlight' | 'completed' | 'dead'
  attempts: number
  attemptId: number
  dueMs: number
}

/** A delayed job that has been due for this long must not be passed over. */
const dueSlackMs = 1000

/**
 * An account of a queue of its own, kept from the events alone, in the plainest way there is. It knows nothing of the
 * queue's table, and throws at the first event that breaks a promise.
 */
export class JobAudit {
  readonly jobs = new Map<string, Audited>()
  readonly counts: Record<string, number> = {}
  readonly #live = new Set<Audited>()
  lastSeq = 0

  add(event: JobEvent): void {
    const { seq, type, jobId, detail } = event
    this.#require(seq === this.lastSeq + 1, event, `event ${this.lastSeq + 1} is due`)
    this.lastSeq = seq
    const reason = String(detail['reason'] ?? '')
    const key = reason === '' ? type : `${type} ${reason}`
    this.counts[key] = (this.counts[key] ?? 0) + 1
    if (type === 'ENQUEUE') {
      this.#require(!this.jobs.has(jobId), event, 'the job is there already')
      const priority = detail['priority'] as number
      const job: Audited = { id: jobId, seq, priority, state: 'pending', attempts: 0, attemptId: 0, dueMs: 0 }
      this.jobs.set(jobId, job)
      this.#live.add(job)
      return
    }
    const job = this.jobs.get(jobId)
    this.#require(job !== undefined, event, 'the job is unknown')
    if (type === 'DISPATCH') this.#dispatch(job!, event)
    else this.#endAttempt(job!, event)
  }

  #dispatch(job: Audited, event: JobEvent): void {
    this.#require(job.state === 'pending', event, `it is ${job.state}`)
    this.#require(event.detail['attempt'] === job.attempts + 1, event, `attempt ${job.attempts + 1} is due`)
    this.#require(job.dueMs <= event.atMs, event, 'it had to wait for longer')
    for (const other of this.#live) {
      const ready = other.state === 'pending' && (other.dueMs === 0 || other.dueMs + dueSlackMs < event.atMs)
      const before = other.priority > job.priority || (other.priority === job.priority && other.seq < job.seq)
      this.#require(!(ready && before), event, `${other.id} was before it`)
    }
    job.state = 'inFlight'
    job.attempts++
    job.attemptId = event.seq
  }

  #endAttempt(job: Audited, event: JobEvent): void {
    const { type, detail, atMs } = event
    if (!(type === 'DEAD' && job.state === 'pending' && detail['reason'] === 'cancelled')) {
      this.#require(job.state === 'inFlight', event, `it is ${job.state}`)
      this.#require(detail['attemptId'] === job.attemptId, event, `attempt ${job.attemptId} is in flight`)
    }
    if (type === 'ACK') job.state = 'completed'
    else if (type === 'DEAD') job.state = 'dead'
    else {
      const delayMs = detail['delayMs'] as number
      job.state = 'pending'
      job.dueMs = delayMs === 0 ? 0 : atMs + delayMs
    }
    if (job.state !== 'pending') this.#live.delete(job)
  }

  /** What a queue's own files say, against this account: the same jobs, each in one state, with the same attempts. */
  compare({ table, lastSeq }: StoredJobs): void {
    if (lastSeq !== this.lastSeq)
      throw new Error(`the queue is at event ${lastSeq}, the audit at ${this.lastSeq}`)
    const known = table.live.size + table.finished.size
    if (known !== this.jobs.size)
      throw new Error(`the queue knows ${known} jobs, the audit ${this.jobs.size}`)
    for (const job of this.jobs.values()) {
      const own = table.get(job.id)
      const both = table.live.has(job.id) && table.finished.get(job.id) !== undefined
      if (own?.state !== job.state || own.attempts !== job.attempts || both) {
        throw new Error(
          `${job.id} is ${own?.state} after ${own?.attempts}, the audit says ${job.state} after ${job.attempts}`,
        )
      }
    }
  }

  #require(holds: boolean, event: JobEvent, reason: string): void {
    if (!holds) throw new Error(`${reason}: ${JSON.stringify(event)}`)
  }
}
