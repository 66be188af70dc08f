import { Worker } from 'node:worker_threads'
import { type DiskMessage, fromErrorMessage, LogError } from './errors.js'
import type { FlusherMessage, FlusherThreadData } from './flusher-thread.js'
import { fullFor, int32, type LogMemory, logState } from './memory.js'
import type { RecoveryReport } from './recovery.js'

const threadLimits = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 16, stackSizeMb: 4 }

/** The two threads of a log. */
export class LogThreads {
  onFailure: (error: unknown) => void = () => {}
  onDisk: (message: DiskMessage) => void = () => {}
  /** Who has found no room, and has not found any since. */
  readonly #full = new Set<'flusher' | 'preparer'>()
  closed = false
  readonly #memory: LogMemory
  readonly #control32: Int32Array
  readonly workers: Worker[] = []
  readonly #exits: Promise<unknown>[] = []

  constructor(memory: LogMemory) {
    this.#memory = memory
    this.#control32 = new Int32Array(memory.control)
  }

  /** Starts the flusher and waits until it has opened the log. */
  async start(data: FlusherThreadData): Promise<RecoveryReport> {
    const flusher = this.#spawn('flusher', data)
    const report = await new Promise<RecoveryReport>((resolve, reject) => {
      const fail = (error: unknown) => {
        reject(error)
        this.onFailure(error)
      }
      flusher.on('message', (message: FlusherMessage) => {
        if (message.kind === 'ready') resolve(message.report)
        else if (message.kind === 'closed') this.closed = true
        else if (message.kind !== 'failed') this.#tellDisk('flusher', message)
        else fail(fromErrorMessage(message.error))
      })
      flusher.on('error', fail)
      flusher.on('exit', () => {
        if (!this.closed) fail(new LogError('TIDEMARK_THREAD_DIED', 'The flusher thread ended.'))
      })
    })
    flusher.unref()
    return report
  }

  startPreparer(directory: string, segmentBytes: number, firstSegmentBytes: number): void {
    const spares = { memory: this.#memory, directory, segmentBytes, firstSegmentBytes }
    const preparer = this.#spawn('preparer', spares)
    preparer.on('error', () => {})
    // What it found full, nobody else would find to have room again.
    preparer.on('exit', () => {
      Atomics.and(this.#control32, int32.diskFull, ~fullFor.preparer)
      if (Atomics.load(this.#control32, int32.state) === logState.open)
        this.#tellDisk('preparer', { kind: 'disk-ready' })
    })
    preparer.on('message', (message: DiskMessage) => this.#tellDisk('preparer', message))
    preparer.unref()
  }

  /** Tells when the first finds no room, and when the last of them finds some again. */
  #tellDisk(thread: 'flusher' | 'preparer', message: DiskMessage): void {
    const before = this.#full.size
    if (message.kind === 'disk-full') this.#full.add(thread)
    else this.#full.delete(thread)
    if ((before === 0) !== (this.#full.size === 0)) this.onDisk(message)
  }

  async ended(): Promise<void> {
    await Promise.all(this.#exits)
  }

  #spawn(name: 'flusher' | 'preparer', workerData: unknown): Worker {
    const file = new URL(`../../workers/${name}.js`, import.meta.url)
    const worker = new Worker(file, {
      workerData,
      name: `tidemark-${name}`,
      execArgv: [],
      resourceLimits: threadLimits,
    })
    this.workers.push(worker)
    this.#exits.push(new Promise((resolve) => worker.once('exit', resolve)))
    return worker
  }
}
