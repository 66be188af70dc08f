import type { TransferListItem, Worker } from 'node:worker_threads'
import type { Piscina } from 'piscina'
import { ownPackage, workerFile } from '../base/own-files.js'
import { threadEnded } from './errors.js'

/** Set in `execArgv` where Node knows it: a thread that ends within `require` of a module aborts Node 20.20. */
const requiresNoModules = '--no-experimental-require-module'

/** A thread that found no descriptor for itself, or none to load its code. */
const startFailures = new Set<unknown>(['ERR_WORKER_INIT_FAILED', 'EMFILE', 'ENFILE'])

export interface TaskThreadsOptions {
  /** As `workerFile` takes it. */
  readonly worker: string
  /** What it does, as in "The thread of … ended". */
  readonly name: string
  readonly minThreads: number
  readonly maxThreads: number
}

/**
 * Threads that run tasks, by Piscina. Every promise settles: a thread that can't start or ends without a task is an `error`
 * event of Piscina's, which settles no task and, without a listener, ends the process. Here it fails all
 * tasks, and no thread is started in its place.
 */
export class TaskThreads<Task, Result> {
  readonly #pool: Piscina<Task, Result>
  readonly #name: string
  readonly #failed: Promise<never>
  readonly #watched = new WeakSet<Worker>()
  #fail: (cause: unknown) => void = () => {}

  /** @throws LogError `TIDEMARK_THREAD_DIED`, `TIDEMARK_TOO_MANY_FILES` when the system refuses a thread at once. */
  constructor({ worker, name, ...threads }: TaskThreadsOptions) {
    this.#name = name
    this.#pool = started(name, {
      filename: workerFile(worker).href,
      ...threads,
      idleTimeout: Number.POSITIVE_INFINITY,
      concurrentTasksPerWorker: 1,
      recordTiming: false,
      execArgv: process.allowedNodeEnvironmentFlags.has(requiresNoModules) ? [requiresNoModules] : [],
    })
    // Piscina starts a thread for each that ended, as long as there are fewer than this: none, now that these are started.
    this.#pool.options.minThreads = 0
    this.#failed = new Promise((_, reject) => {
      this.#fail = (cause) => {
        reject(threadEnded(name, cause))
        void this.destroy()
      }
      this.#pool.on('error', this.#fail)
    })
    this.#failed.catch(() => {})
  }

  get workers(): readonly Worker[] {
    return this.#pool.threads
  }

  /**
   * Runs a task in a thread.
   *
   * @throws what the task throws; LogError `TIDEMARK_THREAD_DIED`, `TIDEMARK_TOO_MANY_FILES` when a thread could not start.
   */
  run(task: Task, transferList: TransferListItem[] = []): Promise<Result> {
    const result = this.#pool.run(task, { transferList }).catch((error) => {
      throw startFailures.has(error?.code) ? threadEnded(this.#name, error) : error
    })
    for (const worker of this.#pool.threads) this.#watch(worker)
    return Promise.race([result, this.#failed])
  }

  /** Piscina reports no error when a thread ends, without one, before it took its first task: the task would wait for ever. */
  #watch(worker: Worker): void {
    if (this.#watched.has(worker)) return
    this.#watched.add(worker)
    worker.once('exit', (code) => {
      if (this.#pool.queueSize === 0 || this.#pool.threads.length > 0) return
      this.#fail(new Error(`it ended with code ${code} before it began`))
    })
  }

  /** Ends the threads; tasks that still run reject. */
  async destroy(): Promise<void> {
    await this.#pool.destroy().catch(() => {})
  }
}

const piscina = ownPackage<typeof import('piscina')>('piscina')

/** Piscina with its first threads. `new Worker` throws when the system has no thread left. */
function started<Task, Result>(
  name: string,
  options: ConstructorParameters<typeof Piscina>[0],
): Piscina<Task, Result> {
  const { Piscina } = piscina()
  try {
    return new Piscina<Task, Result>(options)
  } catch (error) {
    throw threadEnded(name, error)
  }
}
