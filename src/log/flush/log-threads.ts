import { Worker } from 'node:worker_threads'
import { workerFile } from '../../base/own-files.js'
import type { FolderIdentity } from '../disk/ownership.js'
import { type DiskMessage, fromErrorMessage, LogError, threadEnded, toErrorMessage } from '../errors.js'
import type { RecoveryReport } from '../recover/recovery.js'
import { fullFor, int32, type LogMemory, logState, noteShortage } from '../ring/memory.js'
import type { FlusherMessage, FlusherThreadData } from './flusher-thread.js'
import { ShortageReports } from './shortage-reports.js'

const threadLimits = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 16, stackSizeMb: 4 }

const restartMs = 1000

/** What the preallocator's thread is started with. */
export interface PreallocatorSettings {
  readonly directory: string
  readonly identity: FolderIdentity
  readonly segmentBytes: number
  readonly firstSegmentBytes: number
}

/** What the threads of a log report to its owner. */
export interface LogThreadEvents {
  /** The flusher ended, and with it the log. */
  failed(error: unknown): void
  disk(message: DiskMessage): void
}

/** The two threads of a log. */
export class LogThreads {
  #events: LogThreadEvents | undefined
  /** Reports from before there was an owner, in order. */
  readonly #early: ((events: LogThreadEvents) => void)[] = []
  /** How often a segment could not be made ready, for another reason than a shortage. */
  preallocationFailures = 0
  readonly #shortages: ShortageReports
  closed = false
  readonly #memory: LogMemory
  readonly #control32: Int32Array
  readonly workers: Worker[] = []
  readonly #exits: Promise<unknown>[] = []

  constructor(memory: LogMemory) {
    this.#memory = memory
    this.#control32 = new Int32Array(memory.control)
    this.#shortages = new ShortageReports(this.#control32)
  }

  /** Starts the flusher and waits until it has opened the log. */
  async start(data: FlusherThreadData): Promise<RecoveryReport> {
    const flusher = this.#spawn('flusher', data)
    const report = await new Promise<RecoveryReport>((resolve, reject) => {
      let stopped = false
      const fail = (error: unknown) => {
        reject(error)
        this.#report((events) => events.failed(error))
      }
      flusher.on('message', (message: FlusherMessage) => {
        if (message.kind === 'ready') resolve(message.report)
        else if (message.kind === 'closed') this.closed = true
        else if (message.kind === 'stopped') stopped = true
        else if (message.kind !== 'failed') this.#reportDisk(message)
        else fail(fromErrorMessage(message.error))
      })
      flusher.on('error', (error) => fail(threadEnded('the flusher', error)))
      flusher.on('exit', () => {
        if (!this.closed && !stopped) fail(new LogError('TIDEMARK_THREAD_DIED', 'The flusher thread ended.'))
      })
    })
    flusher.unref()
    return report
  }

  /** Starts the thread that makes segments ready. One that finds no descriptor for itself is started again a second later. */
  startPreallocator(settings: PreallocatorSettings): void {
    if (Atomics.load(this.#control32, int32.state) !== logState.open) return
    const preallocator = this.#spawn('preallocator', { memory: this.#memory, ...settings })
    let failure = new LogError('TIDEMARK_THREAD_DIED', 'The thread of the preallocator ended.')
    preallocator.on('error', (error) => {
      failure = threadEnded('the preallocator', error)
    })
    preallocator.on('exit', () => {
      if (Atomics.load(this.#control32, int32.state) !== logState.open) return
      const error = toErrorMessage(failure)
      if (failure.code === 'TIDEMARK_TOO_MANY_FILES') {
        noteShortage(this.#control32, fullFor.preallocator, 'files')
        this.#reportDisk({ kind: 'disk-full', shortage: 'files', error })
        this.workers.splice(this.workers.indexOf(preallocator), 1)
        setTimeout(() => this.startPreallocator(settings), restartMs).unref()
        return
      }
      // It ended without clearing its bit, and no other thread would.
      Atomics.and(this.#control32, int32.diskFull, ~fullFor.preallocator)
      this.#reportDisk({ kind: 'disk-ready' })
      this.#reportDisk({ kind: 'preallocation-failed', error })
    })
    preallocator.on('message', (message: DiskMessage) => this.#reportDisk(message))
    preallocator.unref()
  }

  /** Reports when the first of the two finds no room, and when the last finds some again. */
  #reportDisk(message: DiskMessage): void {
    if (message.kind === 'preallocation-failed') {
      this.preallocationFailures++
      this.#report((events) => events.disk(message))
      return
    }
    if (this.#shortages.passes(message)) this.#report((events) => events.disk(message))
  }

  /** Sets the owner, who hears first what was reported before there was one: a thread may fail as soon as it is ready. */
  own(events: LogThreadEvents): void {
    this.#events = events
    for (const report of this.#early.splice(0)) report(events)
  }

  #report(report: (events: LogThreadEvents) => void): void {
    if (this.#events) report(this.#events)
    else this.#early.push(report)
  }

  async ended(): Promise<void> {
    await Promise.all(this.#exits)
  }

  #spawn(name: 'flusher' | 'preallocator', workerData: unknown): Worker {
    const worker = new Worker(workerFile(`bundled/${name}`), {
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
