import { randomUUID } from 'node:crypto'
import { didYouMean, unknownFieldOf } from '../base/known-fields.js'
import { optionNames } from '../log/index.js'
import { JobError } from './errors.js'

/** A job as the caller gives it. */
export interface JobSpec {
  /** The caller's own id, by which a repeated enqueue is recognized. Default: a random UUID. */
  readonly id?: string | undefined
  /** Anything that JSON holds; handlers get it as JSON gives it back. Default null. */
  readonly payload?: unknown
  /** Jobs of a higher number go first. A whole number; default 0. */
  readonly priority?: number | undefined
  /** How long one attempt may take, in milliseconds. */
  readonly timeoutMs?: number | undefined
  /** How often the job is tried before it is dead. */
  readonly maxAttempts?: number | undefined
}

const specFields = optionNames<JobSpec>({
  id: true,
  payload: true,
  priority: true,
  timeoutMs: true,
  maxAttempts: true,
})

export interface JobDefaults {
  readonly timeoutMs: number
  readonly maxAttempts: number
}

/** A whole job as it is logged and kept. */
export interface PlainJob {
  readonly id: string
  readonly payloadJson: string
  readonly priority: number
  readonly timeoutMs: number
  readonly maxAttempts: number
}

/** The state of a job. Those that are `completed` or `dead` stay so. */
export type JobState = 'pending' | 'inFlight' | 'completed' | 'dead'

/** Why a job is dead: its attempts failed, took too long, it was cancelled, or attempts of it ended the process. */
export type DeadReason = 'failed' | 'timeout' | 'cancelled' | 'interrupted'

/** A job that is not finished, in the table. Fields that change do so in `JobTable.apply` alone. */
export interface LiveJob extends PlainJob {
  /** Sequence number of its ENQUEUE: the FIFO order. */
  readonly seq: number
  readonly enqueuedAtMs: number
  state: JobState
  /** DISPATCH events so far. */
  attempts: number
  /** Attempts that a stop or a restart interrupted. They do not count against `maxAttempts`. */
  interrupted: number
  /** The attempt in flight: the sequence number of its DISPATCH; 0 when none is. */
  attemptId: number
  /** When a pending job may be dispatched by the wall clock, in milliseconds since 1970; 0: now. */
  dueMs: number
  /** How long it had to wait when it was requeued; no restart makes it wait longer. */
  delayMs: number
  /** LSN of its last event; 0 when a snapshot holds it. */
  lsn: number
  /** When it became pending, by `performance.now()`: for measurement, no part of the state. */
  readySinceMs: number
  /** The last snapshot that holds it as it is, or as it was; see `SnapshotCut`. No part of the state. */
  cut: number
}

/** What is kept of a finished job, so that its id is still recognized. */
export interface FinishedJob {
  readonly id: string
  readonly state: 'completed' | 'dead'
  readonly attempts: number
  readonly finishedAtMs: number
  readonly reason: DeadReason | undefined
  readonly error: string | undefined
  readonly lsn: number
  /** As in `LiveJob`. */
  cut: number
}

/** A job as a question about it is answered. */
export interface JobView {
  /** Its id. */
  readonly id: string
  /** Its state. */
  readonly state: JobState
  /** How many attempts of it were dispatched. */
  readonly attempts: number
  /** undefined once the job is finished: only what recognizes it is kept. */
  readonly job:
    | {
        readonly payload: unknown
        readonly priority: number
        readonly timeoutMs: number
        readonly maxAttempts: number
        readonly enqueuedAtMs: number
        readonly dueMs: number
      }
    | undefined
  /** When it was completed or died, in milliseconds since 1970; undefined before. */
  readonly finishedAtMs: number | undefined
  /** Why it is dead; undefined for others. */
  readonly reason: DeadReason | undefined
  /** The message of the last error; undefined without one. */
  readonly error: string | undefined
}

export const timeoutMsMax = 2 ** 31 - 1
export const maxAttemptsMax = 1_000_000
/** JSON makes at most six bytes of a character: an id, a worker's name or an error always fit the smallest record. */
const idLengthMax = 256

/**
 * Checks a job and fills in what it leaves open.
 *
 * @throws JobError `TIDEMARK_JOB_BAD_SPEC` that names the field, the value and what is allowed.
 */
export function toPlainJob(spec: JobSpec, defaults: JobDefaults): PlainJob {
  if (typeof spec !== 'object' || spec === null) throw badSpec('spec', spec, 'an object')
  const unknown = unknownFieldOf(spec, specFields)
  if (unknown !== undefined) {
    throw new JobError(
      'TIDEMARK_JOB_BAD_SPEC',
      `A job has no field ${JSON.stringify(unknown)}.${didYouMean(unknown, specFields)}`,
      { field: unknown, value: (spec as Record<string, unknown>)[unknown] },
    )
  }
  const id = spec.id ?? randomUUID()
  if (typeof id !== 'string' || id === '' || id.length > idLengthMax) {
    throw badSpec('id', id, `a text of 1 to ${idLengthMax} characters`)
  }
  const priority = spec.priority ?? 0
  if (!Number.isSafeInteger(priority)) throw badSpec('priority', priority, 'a whole number')
  const timeoutMs = spec.timeoutMs ?? defaults.timeoutMs
  checkRange('timeoutMs', timeoutMs, timeoutMsMax)
  const maxAttempts = spec.maxAttempts ?? defaults.maxAttempts
  checkRange('maxAttempts', maxAttempts, maxAttemptsMax)
  return { id, payloadJson: payloadToJson(spec.payload ?? null), priority, timeoutMs, maxAttempts }
}

/** The detail of an ENQUEUE event as JSON: the same text that `JSON.stringify` makes of the detail when it is read back. */
export function enqueueDetailJson(job: PlainJob): string {
  return `{"payload":${job.payloadJson},"timeoutMs":${job.timeoutMs},"priority":${job.priority},"maxAttempts":${job.maxAttempts}}`
}

export function viewOf(job: LiveJob | FinishedJob): JobView {
  if ('finishedAtMs' in job) {
    const { id, state, attempts, finishedAtMs, reason, error } = job
    return { id, state, attempts, job: undefined, finishedAtMs, reason, error }
  }
  const { id, state, attempts, priority, timeoutMs, maxAttempts, enqueuedAtMs, dueMs } = job
  const payload = JSON.parse(job.payloadJson)
  return {
    id,
    state,
    attempts,
    job: { payload, priority, timeoutMs, maxAttempts, enqueuedAtMs, dueMs },
    finishedAtMs: undefined,
    reason: undefined,
    error: undefined,
  }
}

function payloadToJson(payload: unknown): string {
  try {
    const json = JSON.stringify(payload)
    if (json !== undefined) return json
  } catch (cause) {
    throw new JobError(
      'TIDEMARK_JOB_BAD_SPEC',
      `JSON cannot hold the payload: ${(cause as Error).message}`,
      { field: 'payload' },
      { cause },
    )
  }
  throw badSpec('payload', typeof payload, 'a value that JSON holds')
}

function checkRange(field: string, value: unknown, max: number): void {
  if (!(Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= max)) {
    throw badSpec(field, value, `a whole number from 1 to ${max}`)
  }
}

function badSpec(field: string, value: unknown, allowed: string): JobError {
  const text = typeof value === 'string' ? JSON.stringify(value.slice(0, 100)) : String(value)
  return new JobError('TIDEMARK_JOB_BAD_SPEC', `The job's ${field} is ${text}; use ${allowed}.`, {
    field,
    value,
  })
}
