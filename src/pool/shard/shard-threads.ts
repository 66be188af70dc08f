import { MessageChannel, type MessagePort, type Worker } from 'node:worker_threads'
import { fromErrorMessage, TaskThreads } from '../../log/index.js'
import type { PoolSnapshot } from '../snapshot/snapshot-file.js'
import type { RestoreMessage, ShardForecast, ShardThreadData } from './shard-thread.js'

/**
 * The threads of the shards. They start, and load their code, before there is anything for them to do: while the log is
 * checked. Each then gets what it is to work with.
 */
export class ShardThreads {
  readonly #threads: TaskThreads<{ port: MessagePort }, void>
  readonly #slots: { readonly port: MessagePort; readonly ended: Promise<void> }[]

  constructor(shards: number) {
    this.#threads = new TaskThreads({
      worker: 'bundled/shard',
      name: 'a shard',
      minThreads: shards,
      maxThreads: shards,
    })
    this.#slots = Array.from({ length: shards }, () => {
      const { port1, port2 } = new MessageChannel()
      const ended = this.#threads.run({ port: port2 }, [port2])
      // `begin` returns it; a shard that is never begun ends with the threads, and its failure is of no use to anyone.
      ended.catch(() => {})
      return { port: port1, ended }
    })
  }

  get workers(): readonly Worker[] {
    return this.#threads.workers
  }

  /**
   * Has the shards restore their books from a snapshot. Returns whether all of it was valid; the books are then what the
   * shards begin with.
   *
   * @throws LogError what kept a shard from it.
   */
  async restore(snapshot: PoolSnapshot): Promise<boolean> {
    const outcomes = await Promise.all(
      this.#slots.map(async ({ port, ended }, shard) => {
        const answer = new Promise<RestoreMessage>((resolve) => port.once('message', resolve))
        const forecast: ShardForecast = { shard, shards: this.#slots.length, snapshot }
        port.postMessage({ forecast })
        return Promise.race([answer, ended.then(() => undefined)])
      }),
    )
    for (const answer of outcomes) if (answer?.outcome === 'failed') throw fromErrorMessage(answer.error)
    return outcomes.every((answer) => answer?.outcome === 'restored')
  }

  /** Sets one shard to work; settles when its loop is over. */
  begin(data: ShardThreadData, transfer: MessagePort[]): Promise<void> {
    const { port, ended } = this.#slots[data.shard]!
    port.postMessage({ data }, transfer)
    port.unref()
    return ended
  }

  /**
   * Ends the threads. The inbound rings of those that were begun must be stopped. A thread that is terminated while it still loads
   * its code can take the process with it (Node 20.20 aborts in `require` of a module), so each first ends by itself.
   */
  async destroy(): Promise<void> {
    for (const { port } of this.#slots) port.postMessage({ end: true })
    await Promise.allSettled(this.#slots.map(({ ended }) => ended))
    for (const { port } of this.#slots) port.close()
    await this.#threads.destroy()
  }
}
