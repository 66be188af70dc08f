import { badSetting, checkOptions, optionNames } from '../../log/index.js'
import { JobError } from '../errors.js'

/** How long a job waits after a failed attempt: `baseMs * factor ** (attempt - 1)`, at most `maxMs`. */
export interface Backoff {
  /** How long the first wait is, in milliseconds. */
  readonly baseMs: number
  /** By how much each wait is longer than the one before. */
  readonly factor: number
  /** How long a wait may be, in milliseconds. */
  readonly maxMs: number
}

/**
 * Gives the delay in milliseconds after an attempt that failed: a number from 0, at once and not as a promise.
 * `attempt` is 1 for the first.
 */
export type BackoffFunction = (attempt: number, error: unknown) => number

/** A delay, and what was wrong with the backoff when it is the default one that is used instead. */
export interface RetryDelay {
  readonly delayMs: number
  readonly failure: JobError | undefined
}

const backoffMsMax = 2 ** 31 - 1
/** A hundred years: the due time must stay a whole number that a snapshot can hold. */
const delayMsMax = 100 * 365 * 24 * 60 * 60 * 1000
const defaultBackoff: Backoff = { baseMs: 1000, factor: 2, maxMs: 60_000 }
const defaultDelayMs = exponential(defaultBackoff)

const backoffOptions = optionNames<Backoff>({ baseMs: true, factor: true, maxMs: true })

/** @throws LogError `TIDEMARK_BAD_SETTING`. */
export function resolveBackoff(given: Partial<Backoff> | BackoffFunction = {}): BackoffFunction {
  if (typeof given === 'function') return given
  if (typeof given !== 'object' || given === null) {
    throw badSetting('backoff', given, 'a function, or an object of baseMs, factor and maxMs')
  }
  checkOptions('The option backoff', given, backoffOptions)
  const backoff = { ...defaultBackoff, ...given }
  checkMs('backoff.baseMs', backoff.baseMs)
  checkMs('backoff.maxMs', backoff.maxMs)
  const { factor } = backoff
  if (!(factor >= 1 && factor <= 1000)) throw badSetting('backoff.factor', factor, 'a number from 1 to 1000')
  return exponential(backoff)
}

/**
 * Asks the backoff for the delay after a failed attempt. One that throws, or gives what is no delay, must neither lose
 * the outcome of the attempt nor make the job spin: the job then waits as the default backoff says.
 */
export function retryDelay(
  backoff: BackoffFunction,
  jobId: string,
  attempt: number,
  error: unknown,
): RetryDelay {
  let reason: string
  let cause: unknown
  try {
    const given: unknown = backoff(attempt, error)
    if (typeof given === 'number' && given >= 0 && given <= delayMsMax) {
      return { delayMs: Math.round(given), failure: undefined }
    }
    // The rejection of a promise that is not awaited would end the process.
    if (given instanceof Promise) given.catch(() => {})
    reason = `gave ${given instanceof Promise ? 'a promise' : typeof given === 'number' ? given : `a value of type ${typeof given}`}`
  } catch (thrown) {
    reason = `threw: ${thrown instanceof Error ? thrown.message : typeof thrown}`
    cause = thrown
  }
  const delayMs = defaultDelayMs(attempt, error)
  const failure = new JobError(
    'TIDEMARK_JOB_BAD_BACKOFF',
    `The backoff for attempt ${attempt} of job ${jobId} ${reason}. The job waits ${delayMs} ms; let the backoff return a number of milliseconds from 0 to ${delayMsMax}.`,
    { jobId, attempt, delayMs },
    cause === undefined ? undefined : { cause },
  )
  return { delayMs, failure }
}

function exponential({ baseMs, factor, maxMs }: Backoff): BackoffFunction {
  return (attempt) => Math.min(maxMs, baseMs * factor ** (attempt - 1))
}

function checkMs(setting: string, value: number): void {
  if (Number.isInteger(value) && value >= 0 && value <= backoffMsMax) return
  throw badSetting(setting, value, `a whole number from 0 to ${backoffMsMax}`)
}
