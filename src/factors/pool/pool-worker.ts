import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads'
import { workerFile } from '../../base/own-files.js'
import { type DurableLog, fromErrorMessage, LogError, threadEnded } from '../../log/index.js'
import type { FactorReply, FactorRequest, FactorThreadData } from './pool-thread.js'
import { createTickRing, TickRingWriter } from './tick-ring.js'

/** What a worker answers. */
export type Answer = Extract<FactorReply, { kind: 'done' }>

const messageRetryMs = 1
const threadLimits = { maxOldGenerationSizeMb: 1024, stackSizeMb: 4 }

/** One worker thread as the caller's thread sees it. */
export class FactorWorker {
  readonly ring: TickRingWriter
  readonly ready: Promise<Extract<FactorReply, { kind: 'ready' }>>
  /** Resolves when the thread ended after `stop`; rejects with what ended it otherwise. */
  readonly ended: Promise<void>
  readonly #worker: Worker
  readonly #port: MessagePort
  readonly #asked = new Map<number, { resolve: (answer: Answer) => void; reject: (error: Error) => void }>()
  #nextId = 1
  /** Messages at the port that the ring had no room to announce. */
  #unannounced = 0
  #failure: Error | undefined

  constructor(
    log: DurableLog,
    queueTicks: number,
    place: Pick<FactorThreadData, 'worker' | 'workers' | 'firstLsn' | 'endLsn' | 'snapshot' | 'batchSize'>,
  ) {
    const ring = createTickRing(queueTicks)
    this.ring = new TickRingWriter(ring)
    const { port1, port2 } = new MessageChannel()
    this.#port = port1
    const workerData: FactorThreadData = {
      ...place,
      log: log.producerHandle(),
      ring,
      port: port2,
      directory: log.dir,
    }
    this.#worker = new Worker(workerFile('factors'), {
      workerData,
      transferList: [port2],
      name: `tidemark-factors-${place.worker}`,
      execArgv: [],
      resourceLimits: threadLimits,
    })
    let begun: (reply: Extract<FactorReply, { kind: 'ready' }>) => void
    let over: () => void
    let broken: (error: Error) => void
    this.ended = new Promise((resolve, reject) => {
      over = resolve
      broken = reject
    })
    this.ready = new Promise((resolve, reject) => {
      begun = resolve
      this.ended.catch(reject)
    })
    this.ready.catch(() => {})
    const take = (reply: FactorReply) => {
      if (reply.kind === 'ready') begun(reply)
      else if (reply.kind === 'stopped') over()
      else if (reply.kind === 'failed') broken(fromErrorMessage(reply.error))
      else {
        this.#asked.get(reply.id)?.resolve(reply)
        this.#asked.delete(reply.id)
      }
    }
    port1.on('message', take)
    this.#worker.on('error', (error) => broken(threadEnded(`factor worker ${place.worker}`, error)))
    this.#worker.on('exit', () => {
      // The last messages of the thread may still be at the port.
      for (let last = receiveMessageOnPort(port1); last; last = receiveMessageOnPort(port1))
        take(last.message)
      broken(died(place.worker))
    })
  }

  /** Whether a message has to go first. */
  get waiting(): boolean {
    return this.#unannounced > 0
  }

  /** Sends a message that the worker takes after the ticks sent before it. */
  send(request: FactorRequest): void {
    this.#port.postMessage(request)
    this.#unannounced++
    this.#announce()
  }

  ask(kind: 'sync' | 'snapshot' | 'values'): Promise<Answer> {
    if (this.#failure) return Promise.reject(this.#failure)
    const id = this.#nextId++
    return new Promise((resolve, reject) => {
      this.#asked.set(id, { resolve, reject })
      this.send({ kind, id })
    })
  }

  fail(error: Error): void {
    this.#failure = error
    for (const { reject } of this.#asked.values()) reject(error)
    this.#asked.clear()
  }

  async terminate(): Promise<void> {
    this.#port.close()
    await this.#worker.terminate()
  }

  #announce(): void {
    while (this.#unannounced > 0 && this.ring.announceMessage()) this.#unannounced--
    if (this.#unannounced > 0 && !this.#failure) setTimeout(() => this.#announce(), messageRetryMs)
  }
}

function died(worker: number): LogError {
  return new LogError('TIDEMARK_THREAD_DIED', `Factor worker ${worker} ended.`, { worker })
}
