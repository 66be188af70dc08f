import { decodeJobEvent, type JobEvent, jobRecordTypes } from '../../jobs/index.js'
import { StoreError } from '../errors.js'
import { Rows } from '../schema/columns.js'
import { jobChangeTypes, jobTypes } from '../schema/tables.js'
import type { StoreTarget } from '../targets/target.js'
import type { FoldedTransaction, LogFold } from './log-fold.js'

/** Numbers of `jobStates`, and the mark of an id that was enqueued anew. */
const [pending, inFlight, completed, dead, anew] = [0, 1, 2, 3, -1] as const

/** What one transaction knows of a job. */
interface TouchedJob {
  /** The event that enqueued it, if that is of this transaction. */
  readonly enqueued: JobEvent | undefined
  state: number
  attempts: number
  interrupted: number
  dueMs: number
  finishedMs: number
  reason: string | null
  error: string | null
  updatedMs: number
  updatedLsn: number
}

const same = 'j.job_id = c.job_id'
const removeAnew = `DELETE FROM job_rows j USING job_changes c WHERE ${same} AND c.state = ${anew}`
const update = `UPDATE job_rows j SET state = c.state, attempts = j.attempts + c.attempts,
  interrupted = j.interrupted + c.interrupted, due_ms = c.due_ms, finished_ms = c.finished_ms, reason = c.reason,
  error = c.error, updated_ms = c.updated_ms, updated_lsn = c.updated_lsn
FROM job_changes c WHERE ${same} AND c.state <> ${anew}`

/** The log of a job queue: one row for each job, its latest state. An id that is used again replaces the job that had it. */
export class JobLogFold implements LogFold {
  readonly kind = 'jobs'
  #jobs = new Map<string, TouchedJob>()

  begin(): Promise<void> {
    return Promise.resolve()
  }

  get rowCount(): number {
    return this.#jobs.size
  }

  visit(
    _words: Int32Array,
    _from: number,
    _to: number,
    lsn: number,
    type: number,
    _timeUs: number,
    { payload }: { readonly payload: Uint8Array },
  ): void {
    if (type !== jobRecordTypes.event) return
    const event = decodeJobEvent(Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength))
    const job = this.#touch(event)
    this.#apply(job, event)
    job.updatedMs = event.atMs
    job.updatedLsn = lsn
  }

  cut(): FoldedTransaction {
    const jobs = this.#jobs
    this.#jobs = new Map()
    return { rowCount: jobs.size, write: (target) => writeJobs(target, jobs) }
  }

  #touch(event: JobEvent): TouchedJob {
    const known = this.#jobs.get(event.jobId)
    if (known && event.type !== 'ENQUEUE') return known
    const job: TouchedJob = {
      enqueued: event.type === 'ENQUEUE' ? event : undefined,
      state: pending,
      attempts: 0,
      interrupted: 0,
      dueMs: 0,
      finishedMs: 0,
      reason: null,
      error: null,
      updatedMs: 0,
      updatedLsn: 0,
    }
    this.#jobs.set(event.jobId, job)
    return job
  }

  #apply(job: TouchedJob, { type, atMs, detail }: JobEvent): void {
    const { reason, error, delayMs } = detail
    switch (type) {
      case 'DISPATCH':
        job.state = inFlight
        job.attempts++
        job.dueMs = 0
        return
      case 'RETRY':
      case 'TIMEOUT':
        job.state = pending
        if (type === 'RETRY' && reason !== 'failed') job.interrupted++
        job.dueMs = delayMs === 0 ? 0 : atMs + Number(delayMs)
        return
      case 'ACK':
      case 'DEAD':
        job.state = type === 'ACK' ? completed : dead
        job.dueMs = 0
        job.finishedMs = atMs
        job.reason = type === 'DEAD' ? String(reason) : null
        job.error = typeof error === 'string' ? error : null
    }
  }
}

async function writeJobs(target: StoreTarget, jobs: ReadonlyMap<string, TouchedJob>): Promise<void> {
  const rows = new Rows('job_rows', jobTypes)
  const changes = new Rows('job_changes', jobChangeTypes)
  let changed = 0
  for (const [id, job] of jobs) {
    if (job.enqueued) addJob(rows, job, job.enqueued)
    else changed++
    addChange(changes, id, job)
  }
  if (changes.count === 0) return
  await target.append(changes)
  await target.run(removeAnew)
  const found = changed > 0 ? (await target.run(update)).changed : 0
  await target.run('TRUNCATE job_changes')
  if (found !== changed) {
    throw new StoreError(
      'TIDEMARK_STORE_DIFFERS',
      `${target.name} lacks ${changed - found} jobs that the log changes now: another program changed it. Store the log anew.`,
      { target: target.name, expected: changed, found },
    )
  }
  if (rows.count > 0) await target.append(rows)
}

function addJob(rows: Rows<typeof jobTypes>, job: TouchedJob, { jobId, seq, atMs, detail }: JobEvent): void {
  const row = rows.add()
  const { columns } = rows
  columns.job_id.set(row, jobId)
  columns.seq.set(row, seq)
  columns.state.set(row, job.state)
  columns.attempts.set(row, job.attempts)
  columns.interrupted.set(row, job.interrupted)
  columns.priority.set(row, Number(detail['priority']))
  columns.timeout_ms.set(row, Number(detail['timeoutMs']))
  columns.max_attempts.set(row, Number(detail['maxAttempts']))
  columns.payload.set(row, JSON.stringify(detail['payload']))
  columns.enqueued_ms.set(row, atMs)
  columns.due_ms.set(row, job.dueMs)
  columns.finished_ms.set(row, job.finishedMs)
  columns.reason.set(row, job.reason)
  columns.error.set(row, job.error)
  columns.updated_ms.set(row, job.updatedMs)
  columns.updated_lsn.set(row, job.updatedLsn)
}

function addChange(rows: Rows<typeof jobChangeTypes>, id: string, job: TouchedJob): void {
  const row = rows.add()
  const { columns } = rows
  columns.job_id.set(row, id)
  columns.state.set(row, job.enqueued ? anew : job.state)
  columns.attempts.set(row, job.attempts)
  columns.interrupted.set(row, job.interrupted)
  columns.due_ms.set(row, job.dueMs)
  columns.finished_ms.set(row, job.finishedMs)
  columns.reason.set(row, job.reason)
  columns.error.set(row, job.error)
  columns.updated_ms.set(row, job.updatedMs)
  columns.updated_lsn.set(row, job.updatedLsn)
}
