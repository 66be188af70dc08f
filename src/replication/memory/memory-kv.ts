import type { Clock } from '../../base/clock.js'
import { ReplicationError } from '../../log/thread.js'
import type { KeyChange, Kv, Lease, Transaction, TransactionReply } from '../kv/kv.js'
import type { MemoryNetwork } from './network.js'
import type { MemoryStore } from './store.js'
import { WatchQueue } from './watch-queue.js'

/** One client of a `MemoryCluster`, in the cluster's own thread. */
export class MemoryKv implements Kv {
  readonly name: string
  readonly clock: Clock
  readonly patienceMs: number
  readonly #store: MemoryStore
  readonly #network: MemoryNetwork
  readonly #client: string
  readonly #watches = new Set<WatchQueue>()
  readonly #closing: Promise<never>
  #closeNow: (error: Error) => void = () => {}
  #closed = false

  constructor(
    name: string,
    store: MemoryStore,
    network: MemoryNetwork,
    client: string,
    clock: Clock,
    patienceMs: number,
  ) {
    this.name = name
    this.#store = store
    this.#network = network
    this.#client = client
    this.clock = clock
    this.patienceMs = patienceMs
    this.#closing = new Promise((_resolve, reject) => {
      this.#closeNow = reject
    })
    this.#closing.catch(() => {})
  }

  transact(transaction: Transaction): Promise<TransactionReply> {
    return this.#call(() => this.#store.transact(transaction))
  }

  async *watch(
    from: string,
    to: string,
    revision: number,
    signal: AbortSignal,
  ): AsyncGenerator<readonly KeyChange[]> {
    const queue = new WatchQueue()
    const isOurs = ({ key }: KeyChange) => key >= from && key < to
    let stop = () => {}
    this.#watches.add(queue)
    try {
      await this.#call(() => {
        stop()
        const sink = this.#network.watch(this.#client, queue)
        const push = (changes: readonly KeyChange[]) => {
          const ours = changes.filter(isOurs)
          if (ours.length > 0) sink.push(ours)
        }
        push(this.#store.changesFrom(revision))
        stop = this.#store.listen(push)
      })
      yield* queue.read(signal)
    } finally {
      this.#watches.delete(queue)
      stop()
    }
  }

  grantLease(ttlMs: number): Promise<Lease> {
    return this.#call(() => this.#store.grant(ttlMs))
  }

  keepLease(id: string): Promise<boolean> {
    return this.#call(() => this.#store.keep(id))
  }

  endLease(id: string): Promise<void> {
    return this.#call(() => this.#store.end(id))
  }

  compact(revision: number): Promise<void> {
    return this.#call(() => this.#store.compact(revision))
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    const error = closedError(this.name)
    for (const queue of this.#watches) queue.fail(error)
    this.#closeNow(error)
  }

  async #call<T>(deliver: () => T): Promise<T> {
    if (this.#closed) throw closedError(this.name)
    return Promise.race([this.#network.call(this.#client, deliver), this.#closing])
  }
}

function closedError(name: string): ReplicationError {
  return new ReplicationError('TIDEMARK_REPLICATION_CLOSED', `${name} was closed. Connect to it again.`)
}
