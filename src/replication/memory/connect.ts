import { randomUUID } from 'node:crypto'
import { BroadcastChannel } from 'node:worker_threads'
import { systemClock } from '../../base/clock.js'
import type { ReplicatedLog } from '../../log/thread.js'
import { ReplicationError } from '../../log/thread.js'
import type { KeyChange, Kv, Lease, Transaction, TransactionReply } from '../kv/kv.js'
import { KvLog } from '../kv/kv-log.js'
import { type CallName, type FromCluster, fromErrorText, type ToCluster } from './channel.js'
import { WatchQueue } from './watch-queue.js'

export interface RemoteOptions {
  readonly channel: string
  readonly client: string
  readonly patienceMs: number
}

/** Connects a thread to the `MemoryCluster` of another one. */
export async function connect(options: unknown, pool: string): Promise<ReplicatedLog> {
  return new KvLog(new RemoteKv(options as RemoteOptions), pool)
}

/** What its types do not say that it has. */
type Channel = BroadcastChannel & { ref(): void; unref(): void }

interface PendingCall {
  readonly resolve: (value: never) => void
  readonly reject: (error: Error) => void
}

/** A client of a cluster that another thread has. Without that thread its calls get no answer, and wait. */
class RemoteKv implements Kv {
  readonly name: string
  readonly clock = systemClock
  readonly patienceMs: number
  readonly #client: string
  readonly #channel: Channel
  readonly #from = randomUUID()
  readonly #calls = new Map<number, PendingCall>()
  readonly #watches = new Map<number, WatchQueue>()
  #ids = 0
  #closed = false

  constructor({ channel, client, patienceMs }: RemoteOptions) {
    this.name = channel
    this.patienceMs = patienceMs
    this.#client = client
    this.#channel = new BroadcastChannel(channel) as Channel
    this.#channel.onmessage = (event) => {
      const { data } = event as { data: FromCluster }
      if (data.to === this.#from) this.#take(data)
    }
    this.#channel.unref()
  }

  transact(transaction: Transaction): Promise<TransactionReply> {
    return this.#call<TransactionReply>('transact', transaction).then(withBuffers)
  }

  async *watch(
    from: string,
    to: string,
    revision: number,
    signal: AbortSignal,
  ): AsyncGenerator<readonly KeyChange[]> {
    if (this.#closed) throw this.#closedError()
    const id = ++this.#ids
    const queue = new WatchQueue()
    this.#watches.set(id, queue)
    this.#send({ kind: 'watch', from: this.#from, id, client: this.#client, range: [from, to], revision })
    try {
      yield* queue.read(signal)
    } finally {
      this.#watches.delete(id)
      if (!this.#closed) this.#send({ kind: 'end-watch', from: this.#from, id })
    }
  }

  grantLease(ttlMs: number): Promise<Lease> {
    return this.#call('grantLease', ttlMs)
  }

  keepLease(id: string): Promise<boolean> {
    return this.#call('keepLease', id)
  }

  endLease(id: string): Promise<void> {
    return this.#call('endLease', id)
  }

  compact(revision: number): Promise<void> {
    return this.#call('compact', revision)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#send({ kind: 'leave', from: this.#from })
    this.#closed = true
    const error = this.#closedError()
    for (const { reject } of this.#calls.values()) reject(error)
    for (const queue of this.#watches.values()) queue.fail(error)
    this.#calls.clear()
    this.#channel.close()
  }

  #call<T>(method: CallName, ...args: readonly unknown[]): Promise<T> {
    if (this.#closed) return Promise.reject(this.#closedError())
    const id = ++this.#ids
    return new Promise<T>((resolve, reject) => {
      this.#calls.set(id, { resolve, reject })
      // While a call is under way its thread must not end.
      this.#channel.ref()
      this.#send({ kind: 'call', from: this.#from, id, client: this.#client, method, args })
    })
  }

  #take(message: FromCluster): void {
    const { id } = message
    if (message.kind === 'changes') {
      this.#watches.get(id)?.push(message.changes.map(withBuffer))
      return
    }
    const call = this.#calls.get(id)
    this.#calls.delete(id)
    if (this.#calls.size === 0) this.#channel.unref()
    if (message.kind === 'reply') {
      call?.resolve(message.value as never)
    } else {
      const error = fromErrorText(message.error)
      this.#watches.get(id)?.fail(error)
      call?.reject(error)
    }
  }

  #send(message: ToCluster): void {
    this.#channel.postMessage(message)
  }

  #closedError(): ReplicationError {
    return new ReplicationError(
      'TIDEMARK_REPLICATION_CLOSED',
      `${this.name} was closed. Connect to it again.`,
    )
  }
}

/** A message between threads makes of each Buffer an array of bytes. */
function withBuffers(reply: TransactionReply): TransactionReply {
  const results = reply.results.map(({ keys, more }) => ({ keys: keys.map(withBuffer), more }))
  return { ...reply, results }
}

function withBuffer<Has extends { readonly value: Buffer | undefined }>(has: Has): Has {
  const { value } = has
  return value === undefined
    ? has
    : { ...has, value: Buffer.from(value.buffer, value.byteOffset, value.length) }
}
