import type { ClientDuplexStream } from '@grpc/grpc-js'
import { type Clock, systemClock } from '../../base/clock.js'
import { ReplicationError } from '../../log/thread.js'
import {
  Compacted,
  type KeyChange,
  type KeyValue,
  type Kv,
  type Lease,
  type Operation,
  type RangeResult,
  type Transaction,
  type TransactionReply,
} from '../kv/kv.js'
import { EtcdClient } from './client.js'
import type { EtcdSettings } from './options.js'
import {
  type EtcdKeyValue,
  etcdEnum,
  type LeaseResponse,
  type TxnResponse,
  type WatchResponse,
} from './schema.js'
import { StreamReader } from './stream-reader.js'

const nothing: RangeResult = { keys: [], more: false }

/** The keys of etcd. */
export class EtcdKv implements Kv {
  readonly name: string
  readonly clock: Clock = systemClock
  readonly patienceMs: number
  readonly #client: EtcdClient
  readonly #callTimeoutMs: number

  constructor(settings: EtcdSettings) {
    this.#client = new EtcdClient(settings)
    this.name = this.#client.name
    this.patienceMs = settings.patienceMs
    this.#callTimeoutMs = settings.callTimeoutMs
  }

  async transact({ compare, success, failure }: Transaction): Promise<TransactionReply> {
    const reply = await this.#client.call<TxnResponse>('KV', 'Txn', {
      compare: compare.map(({ key, revision }) => ({
        result: etcdEnum.equal,
        target: etcdEnum.modRevision,
        key: bytesOf(key),
        modRevision: revision,
      })),
      success: success.map(requestOf),
      failure: failure.map(requestOf),
    })
    return {
      revision: Number(reply.header.revision),
      succeeded: reply.succeeded,
      results: reply.responses.map(({ responseRange }) =>
        responseRange ? { keys: responseRange.kvs.map(keyValueOf), more: responseRange.more } : nothing,
      ),
    }
  }

  async *watch(
    from: string,
    to: string,
    revision: number,
    signal: AbortSignal,
  ): AsyncGenerator<readonly KeyChange[]> {
    const createRequest = { key: bytesOf(from), rangeEnd: bytesOf(to), startRevision: revision }
    const use = (stream: ClientDuplexStream<object, WatchResponse>) => {
      stream.write({ createRequest })
      return this.#changesOf(stream, signal)
    }
    yield* this.#client.stream<object, WatchResponse, readonly KeyChange[]>('Watch', 'Watch', use)
  }

  async *#changesOf(
    stream: ClientDuplexStream<object, WatchResponse>,
    signal: AbortSignal,
  ): AsyncGenerator<readonly KeyChange[]> {
    // A paused node keeps its connections and says nothing: it is asked, and must answer.
    const ask = () => stream.write({ progressRequest: {} })
    const reader = new StreamReader(stream, this.#callTimeoutMs, ask)
    const end = () => reader.end()
    signal.addEventListener('abort', end, { once: true })
    if (signal.aborted) end()
    try {
      for (let reply = await reader.next(); reply !== undefined; reply = await reader.next()) {
        if (Number(reply.compactRevision) > 0) throw new Compacted(`revision ${reply.compactRevision}`)
        if (reply.canceled) throw this.#cancelled(reply.cancelReason)
        if (reply.events.length > 0) yield reply.events.map(changeOf)
      }
      if (!signal.aborted) throw this.#cancelled('')
    } finally {
      signal.removeEventListener('abort', end)
    }
  }

  #cancelled(reason: string): ReplicationError {
    const denied = /permission denied|auth/.test(reason)
    return new ReplicationError(
      denied ? 'TIDEMARK_REPLICATION_DENIED' : 'TIDEMARK_REPLICATION_UNAVAILABLE',
      `${this.name} ended a watch: ${reason || 'it gave no reason'}.`,
      { reason },
    )
  }

  async grantLease(ttlMs: number): Promise<Lease> {
    const request = { TTL: Math.ceil(ttlMs / 1000) }
    const { ID, TTL } = await this.#client.call<LeaseResponse>('Lease', 'LeaseGrant', request)
    return { id: ID, ttlMs: Number(TTL) * 1000 }
  }

  async keepLease(id: string): Promise<boolean> {
    const callTimeoutMs = this.#callTimeoutMs
    const use = async function* (stream: ClientDuplexStream<object, LeaseResponse>) {
      const reader = new StreamReader(stream, callTimeoutMs, () => {})
      stream.write({ ID: id })
      yield await reader.next()
    }
    const replies = this.#client.stream('Lease', 'LeaseKeepAlive', use)
    for await (const reply of replies) return Number(reply?.TTL ?? 0) > 0
    return false
  }

  async endLease(id: string): Promise<void> {
    await this.#client.call('Lease', 'LeaseRevoke', { ID: id })
  }

  async compact(revision: number): Promise<void> {
    await this.#client.call('KV', 'Compact', { revision })
  }

  async close(): Promise<void> {
    this.#client.close()
  }
}

function requestOf(operation: Operation): object {
  if (operation.kind === 'put') {
    const { key, value, lease } = operation
    return { requestPut: { key: bytesOf(key), value, ...(lease !== undefined && { lease }) } }
  }
  const { from, to } = operation
  const range = { key: bytesOf(from), ...(to !== undefined && { rangeEnd: bytesOf(to) }) }
  if (operation.kind === 'delete') return { requestDeleteRange: range }
  const { limit, descending, keysOnly, revision } = operation
  return {
    requestRange: {
      ...range,
      ...(limit !== undefined && { limit }),
      ...(descending && { sortOrder: etcdEnum.descending }),
      ...(keysOnly && { keysOnly }),
      ...(revision !== undefined && { revision }),
    },
  }
}

function keyValueOf({ key, value, modRevision }: EtcdKeyValue): KeyValue {
  return { key: key.toString('latin1'), value, revision: Number(modRevision) }
}

function changeOf({ type, kv }: WatchResponse['events'][number]): KeyChange {
  const { key, value, revision } = keyValueOf(kv)
  return { key, value: type === etcdEnum.deleted ? undefined : value, revision }
}

function bytesOf(key: string): Buffer {
  return Buffer.from(key, 'latin1')
}
