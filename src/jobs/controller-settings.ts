import { badSetting, checkOptions, logOptionNames, optionNames } from '../log/index.js'
import { type Backoff, type BackoffFunction, resolveBackoff } from './dispatch/backoff.js'
import type { JobLogOptions } from './events/job-log.js'
import { type JobDefaults, maxAttemptsMax, timeoutMsMax } from './job.js'
import type { KeepFinished } from './state/finished-jobs.js'

/** What a queue is opened with. */
export interface JobControllerOptions {
  /** The folder of the queue; made when it is not there. */
  readonly dir: string
  /** Attempts in flight at a time. Default 16. */
  readonly concurrency?: number | undefined
  /** Of one attempt, for jobs that name none. Default 30,000 ms. */
  readonly timeoutMs?: number | undefined
  /** For jobs that name none. Default 3. */
  readonly maxAttempts?: number | undefined
  /**
   * Default: 1 s, doubled each time, at most 60 s. A function that throws, or gives what is no number of milliseconds
   * from 0, is reported by the event `error` (`TIDEMARK_JOB_BAD_BACKOFF`), and the default delay is used.
   */
  readonly backoff?: Partial<Backoff> | BackoffFunction | undefined
  /** Finished jobs that are kept to recognize their ids. Default: 10,000, of any age. */
  readonly keepFinished?: Partial<KeepFinished> | undefined
  /** A snapshot is written when this many events came since the last, and not fewer than there are live jobs. Default 100,000. */
  readonly snapshotEveryEvents?: number | undefined
  /** Keeps the whole log, also what snapshots make needless. Default false. */
  readonly keepHistory?: boolean | undefined
  /** A job whose attempts were interrupted more often than this, by crashes and stops, is dead at the next start. Default 100. */
  readonly interruptionsMax?: number | undefined
  /** Name of this worker in DISPATCH events. Default: the process id. */
  readonly worker?: string | undefined
  /** Settings of its log. */
  readonly log?: JobLogOptions | undefined
}

const controllerOptions = optionNames<JobControllerOptions>({
  dir: true,
  concurrency: true,
  timeoutMs: true,
  maxAttempts: true,
  backoff: true,
  keepFinished: true,
  snapshotEveryEvents: true,
  keepHistory: true,
  interruptionsMax: true,
  worker: true,
  log: true,
})
const keepFinishedOptions = optionNames<KeepFinished>({ count: true, ageMs: true })

export interface JobControllerSettings extends JobDefaults {
  readonly dir: string
  readonly concurrency: number
  readonly backoff: BackoffFunction
  readonly keepFinished: KeepFinished
  readonly snapshotEveryEvents: number
  readonly keepHistory: boolean
  readonly interruptionsMax: number
  readonly worker: string
  readonly log: JobLogOptions
}

const concurrencyMax = 100_000
const workerLengthMax = 256
const keepFinishedMax = 10_000_000
const defaultKeepFinished: KeepFinished = { count: 10_000, ageMs: Number.POSITIVE_INFINITY }

/** @throws LogError `TIDEMARK_BAD_SETTING` that names the setting, the value and what is allowed. */
export function resolveControllerSettings(options: JobControllerOptions): JobControllerSettings {
  checkOptions('JobController.open', options, controllerOptions)
  if (options.log !== undefined) checkOptions('The option log', options.log, logOptionNames)
  if (typeof options.dir !== 'string' || options.dir === '') {
    throw badSetting('dir', options.dir, 'the path of a folder')
  }
  return {
    dir: options.dir,
    concurrency: whole('concurrency', options.concurrency ?? 16, 1, concurrencyMax),
    timeoutMs: whole('timeoutMs', options.timeoutMs ?? 30_000, 1, timeoutMsMax),
    maxAttempts: whole('maxAttempts', options.maxAttempts ?? 3, 1, maxAttemptsMax),
    backoff: resolveBackoff(options.backoff),
    keepFinished: resolveKeepFinished(options.keepFinished),
    snapshotEveryEvents: whole(
      'snapshotEveryEvents',
      options.snapshotEveryEvents ?? 100_000,
      1,
      Number.MAX_SAFE_INTEGER,
    ),
    keepHistory: options.keepHistory ?? false,
    interruptionsMax: whole('interruptionsMax', options.interruptionsMax ?? 100, 0, Number.MAX_SAFE_INTEGER),
    worker: resolveWorker(options.worker ?? `pid-${process.pid}`),
    log: options.log ?? {},
  }
}

function resolveWorker(worker: string): string {
  if (typeof worker === 'string' && worker.length <= workerLengthMax) return worker
  throw badSetting('worker', worker, `a text of at most ${workerLengthMax} characters`)
}

function resolveKeepFinished(given: Partial<KeepFinished> = {}): KeepFinished {
  checkOptions('The option keepFinished', given, keepFinishedOptions)
  const { count, ageMs } = { ...defaultKeepFinished, ...given }
  whole('keepFinished.count', count, 0, keepFinishedMax)
  if (!(ageMs >= 0)) throw badSetting('keepFinished.ageMs', ageMs, 'a number of milliseconds from 0')
  return { count, ageMs }
}

function whole(setting: string, value: number, min: number, max: number): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value
  throw badSetting(setting, value, `a whole number from ${min} to ${max}`)
}
