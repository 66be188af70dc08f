import { BroadcastChannel } from 'node:worker_threads'
import { type Clock, systemClock } from '../../base/clock.js'
import type { ReplicatedLog, ReplicationEngine } from '../../log/thread.js'
import { checkPoolName } from '../../log/thread.js'
import type { Kv } from '../kv/kv.js'
import { KvLog } from '../kv/kv-log.js'
import { checkOptions, requireNumber } from '../settings.js'
import { ChannelServer } from './channel-server.js'
import type { RemoteOptions } from './connect.js'
import { MemoryKv } from './memory-kv.js'
import { directNetwork, type MemoryNetwork } from './network.js'
import { MemoryStore } from './store.js'

/** What a cluster in memory is made with. */
export interface MemoryClusterOptions {
  /** What lies between its clients and the store. Default: a network that loses nothing and takes no time. */
  readonly network?: MemoryNetwork
  /** The time that leases and patience go by. Default: the machine's. */
  readonly clock?: Clock
  /** How long a client's calls are repeated that may be: 0 to 3,600,000; 0 for one attempt. Default 10,000. */
  readonly patienceMs?: number
}

const optionNames = { network: true, clock: true, patienceMs: true } as const
let clusters = 0

/**
 * The replicated logs of any number of pools, in the memory of the thread that makes it: for tests of programs that replicate. It keeps nothing, and it
 * is no replica of anything; the logs on it are the very code that runs on etcd, over a store that does as etcd does.
 */
export class MemoryCluster {
  readonly #store: MemoryStore
  readonly #network: MemoryNetwork
  readonly #clock: Clock
  readonly #patienceMs: number
  readonly #name: string
  #server: ChannelServer | undefined

  /** @throws ReplicationError `TIDEMARK_BAD_SETTING`. */
  constructor(options: MemoryClusterOptions = {}) {
    checkOptions('MemoryCluster', options, optionNames)
    const { network = directNetwork, clock = systemClock, patienceMs = 10_000 } = options
    this.#patienceMs = requireNumber('patienceMs', patienceMs, 0, 3_600_000)
    this.#network = network
    this.#clock = clock
    this.#store = new MemoryStore(clock)
    this.#name = `memory-${process.pid}-${++clusters}`
  }

  /** The log of a pool, for this thread. The network knows the caller as `client`. @throws ReplicationError `TIDEMARK_BAD_SETTING`. */
  connect(pool: string, client = 'client'): ReplicatedLog {
    return new KvLog(this.#kv(client), checkPoolName(pool))
  }

  /**
   * What other threads of this process connect to, while this thread turns its event loop: for `replication: { log }` of a pool. The network
   * knows them as `client`.
   */
  engine(client = 'client'): ReplicationEngine {
    this.#server ??= new ChannelServer(new BroadcastChannel(this.#name), (name) => this.#kv(name))
    const options: RemoteOptions = { channel: this.#name, client, patienceMs: this.#patienceMs }
    return { name: this.#name, module: new URL('./connect.js', import.meta.url).href, options }
  }

  /** Ends what other threads have under way. */
  async close(): Promise<void> {
    await this.#server?.close()
  }

  #kv(client: string): Kv {
    return new MemoryKv(this.#name, this.#store, this.#network, client, this.#clock, this.#patienceMs)
  }
}
