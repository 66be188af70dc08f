import { availableParallelism } from 'node:os'
import { ownPackage, workerFile } from '../../base/own-files.js'
import { JobError } from '../errors.js'

/** What a handler gets: one attempt of one job. */
export interface JobTask {
  /** The job's id. */
  readonly id: string
  /** What the job was enqueued with. */
  readonly payload: unknown
  /** 1 for the first attempt. */
  readonly attempt: number
  /** Unique over the life of the queue, and greater than that of every attempt before. */
  readonly attemptId: number
}

/** What a handler's thread gets: one attempt, and where its function stands. */
export interface ThreadTask {
  readonly filename: string
  readonly name: string
  readonly task: JobTask
}

/** What a handler gets beside its job. */
export interface JobContext {
  /** Aborted when the attempt is over for the queue: timeout, cancel, stop. Its reason is a JobError. */
  readonly signal: AbortSignal
}

/** Whether an attempt is over before its handler ended. The signal is made when a handler first asks for it: most never do. */
export class Cancellation implements JobContext {
  #controller: AbortController | undefined
  #reason: unknown

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController()
      if (this.cancelled) this.#controller.abort(this.#reason)
    }
    return this.#controller.signal
  }

  get cancelled(): boolean {
    return this.#reason !== undefined
  }

  cancel(reason: JobError): void {
    this.#reason = reason
    this.#controller?.abort(reason)
  }
}

/**
 * An async function of the caller. What it resolves with goes into the `completed` event; when it rejects, the
 * attempt failed. It may run more than once for a job: make its effects repeatable.
 */
export type JobFunction = (task: JobTask, context: JobContext) => unknown

/**
 * Runs attempts as Piscina tasks in worker threads. An attempt that is over loses its thread at once. A module that
 * cannot be loaded fails the attempt, and the next one loads it anew.
 */
export interface PiscinaHandler {
  /** A module whose export takes a JobTask: an absolute path or a file URL. */
  readonly filename: string
  /** Which export. Default: the default export. */
  readonly name?: string | undefined
  /** Worker threads, and attempts at a time. Default: one for each processor, at most `concurrency`. */
  readonly threads?: number | undefined
}

/** What runs a job: a function, or the file of one that runs in worker threads. */
export type JobHandler = JobFunction | PiscinaHandler

/** Runs attempts, and says how many at a time. */
export interface JobRunner {
  readonly concurrency: number
  run(task: JobTask, context: JobContext): Promise<unknown>
  close(): Promise<void>
}

const piscina = ownPackage<typeof import('piscina')>('piscina')
const idleTimeoutMs = 30_000

/** @throws JobError `TIDEMARK_JOB_BAD_HANDLER`. */
export function createRunner(handler: JobHandler, concurrency: number): JobRunner {
  if (typeof handler === 'function') {
    return {
      concurrency,
      run: async (task, context) => handler(task, context),
      close: async () => {},
    }
  }
  const threads = handler?.threads ?? Math.min(concurrency, availableParallelism())
  if (typeof handler?.filename !== 'string' || !(Number.isInteger(threads) && threads >= 1)) {
    throw new JobError(
      'TIDEMARK_JOB_BAD_HANDLER',
      'The handler must be a function, or name the file of one and a whole number of threads.',
      { handler },
    )
  }
  const { filename, name = 'default' } = handler
  const { Piscina } = piscina()
  const pool = new Piscina<ThreadTask, unknown>({
    filename: workerFile('job').href,
    minThreads: 1,
    maxThreads: threads,
    idleTimeout: idleTimeoutMs,
    recordTiming: false,
  })
  // A thread that ends by itself rejects its task; the pool's own event says nothing more.
  pool.on('error', () => {})
  return {
    concurrency: threads,
    run: (task, { signal }) => pool.run({ filename, name, task }, { signal }),
    close: () => pool.destroy(),
  }
}
