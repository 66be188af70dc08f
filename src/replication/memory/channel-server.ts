import type { BroadcastChannel } from 'node:worker_threads'
import type { Kv, Operation, Transaction } from '../kv/kv.js'
import { type FromCluster, type ToCluster, toErrorText } from './channel.js'

/** Serves the clients that other threads are, in the thread of a cluster. */
export class ChannelServer {
  readonly #channel: BroadcastChannel
  readonly #kvOf: (client: string) => Kv
  readonly #kvs = new Map<string, Kv>()
  readonly #watches = new Map<string, AbortController>()

  constructor(channel: BroadcastChannel, kvOf: (client: string) => Kv) {
    this.#channel = channel
    this.#kvOf = kvOf
    channel.onmessage = (event) => this.#serve((event as { data: ToCluster }).data)
    // A cluster that nothing else keeps does not keep the process.
    ;(channel as unknown as { unref(): void }).unref()
  }

  async close(): Promise<void> {
    for (const watch of this.#watches.values()) watch.abort()
    for (const kv of this.#kvs.values()) await kv.close()
    this.#channel.close()
  }

  #serve(message: ToCluster): void {
    if (message.kind === 'call') this.#call(message)
    else if (message.kind === 'watch') this.#watch(message)
    else if (message.kind === 'end-watch') this.#watches.get(`${message.from}/${message.id}`)?.abort()
    else if (message.kind === 'leave') this.#leave(message.from)
  }

  async #call({ from, id, client, method, args }: ToCluster & { kind: 'call' }): Promise<void> {
    const kv = this.#kv(from, client)
    try {
      const call = kv[method] as (...args: unknown[]) => Promise<unknown>
      this.#send({ kind: 'reply', to: from, id, value: await call.apply(kv, args.map(withBuffers)) })
    } catch (error) {
      this.#send({ kind: 'failure', to: from, id, error: toErrorText(error) })
    }
  }

  async #watch({ from, id, client, range, revision }: ToCluster & { kind: 'watch' }): Promise<void> {
    const kv = this.#kv(from, client)
    const name = `${from}/${id}`
    const ending = new AbortController()
    this.#watches.set(name, ending)
    try {
      for await (const changes of kv.watch(range[0], range[1], revision, ending.signal))
        this.#send({ kind: 'changes', to: from, id, changes })
    } catch (error) {
      this.#send({ kind: 'failure', to: from, id, error: toErrorText(error) })
    } finally {
      this.#watches.delete(name)
    }
  }

  #leave(from: string): void {
    for (const [name, watch] of this.#watches) if (name.startsWith(`${from}/`)) watch.abort()
    this.#kvs.get(from)?.close()
    this.#kvs.delete(from)
  }

  #kv(from: string, client: string): Kv {
    const known = this.#kvs.get(from)
    if (known) return known
    const kv = this.#kvOf(client)
    this.#kvs.set(from, kv)
    return kv
  }

  #send(message: FromCluster): void {
    try {
      this.#channel.postMessage(message)
    } catch {
      // The cluster was closed.
    }
  }
}

/** A message between threads makes of each Buffer an array of bytes. */
function withBuffers(argument: unknown): unknown {
  const transaction = argument as Transaction
  if (transaction?.success === undefined) return argument
  return { ...transaction, success: transaction.success.map(withBuffer) }
}

function withBuffer(operation: Operation): Operation {
  if (operation.kind !== 'put') return operation
  const { buffer, byteOffset, length } = operation.value
  return { ...operation, value: Buffer.from(buffer, byteOffset, length) }
}
