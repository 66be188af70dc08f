import { randomUUID } from 'node:crypto'
import { expect, onTestFinished } from 'vitest'
import type { EnginePool } from '#tidemark/pool/index.js'
import {
  type ReplicatedLog,
  type ReplicationEpoch,
  ReplicationError,
  takeOver,
} from '#tidemark/replication/index.js'
import { MemoryCluster, type WatchSink } from '#tidemark/replication/memory/index.js'
import { Standby, type StandbyOptions } from '#tidemark/standby/index.js'
import { GatedNetwork } from './gated-network.js'
import { limit } from './pools.js'
import { entriesOf } from './shipped-log.js'
import { temporaryDirectory } from './temporary.js'

/** Small segments, so that rotations are many. */
export const smallLog = { segmentBytes: 16 * 1024, ringBytes: 64 * 1024, maxBatchBytes: 4096 }

export function memoryCluster(): { cluster: MemoryCluster; log: ReplicatedLog } {
  const cluster = new MemoryCluster()
  const log = cluster.connect('btc')
  onTestFinished(async () => {
    await log.close()
    await cluster.close()
  })
  return { cluster, log }
}

/** Ends the watches of a client, as the network does that is cut. */
class WatchGate {
  readonly #sinks: WatchSink[] = []

  watch(sink: WatchSink): WatchSink {
    this.#sinks.push(sink)
    return sink
  }

  cut(): void {
    for (const sink of this.#sinks.splice(0))
      sink.fail(new ReplicationError('TIDEMARK_REPLICATION_UNAVAILABLE', 'The network is down.'))
  }
}

/** A cluster of which one client, `far`, can be cut off: its calls fail (`down`) or get no answer (`silent`), and its watches end unless they go on. */
export function farCluster() {
  const network = new GatedNetwork()
  const gate = new WatchGate()
  const cluster = new MemoryCluster({
    network: {
      call: async (client, deliver) => (client === 'far' ? network.call(client, deliver) : deliver()),
      watch: (client, sink) => (client === 'far' ? gate.watch(sink) : sink),
    },
  })
  const log = cluster.connect('btc')
  onTestFinished(async () => {
    network.set('up')
    await log.close()
    await cluster.close()
  })
  const far = {
    options: { replication: { log: cluster.engine('far'), pool: 'btc' } },
    down: () => {
      network.set('down')
      gate.cut()
    },
    silent: () => network.set('silent'),
    cutWatches: () => gate.cut(),
    up: () => network.set('up'),
  }
  return { cluster, log, far }
}

/** Opens a standby that is closed when the test is over. */
export async function openStandby(
  cluster: MemoryCluster,
  options: Partial<StandbyOptions> = {},
): Promise<Standby> {
  const standby = await Standby.open({
    dir: temporaryDirectory(),
    replication: { log: cluster.engine(), pool: 'btc' },
    ...smallLog,
    ...options,
  })
  onTestFinished(() => standby.close())
  return standby
}

/** Ships the log of a pool by hand, as its primary of an epoch of its own: what an entry holds is the test's choice. */
export class Shipper {
  readonly #log: ReplicatedLog
  readonly #pool: EnginePool
  readonly epoch: ReplicationEpoch
  #shippedLsn: number

  static async begin(log: ReplicatedLog, pool: EnginePool): Promise<Shipper> {
    const epoch = await takeOver(log, randomUUID(), undefined, () => {})
    return new Shipper(log, pool, epoch)
  }

  private constructor(log: ReplicatedLog, pool: EnginePool, epoch: ReplicationEpoch) {
    this.#log = log
    this.#pool = pool
    this.epoch = epoch
    this.#shippedLsn = 0
  }

  /** Ships what is durable. */
  async ship(entryBytes: () => number = () => 8192): Promise<number> {
    const { durableLsn, dir } = this.#pool
    for (const entry of entriesOf(dir, this.#shippedLsn, durableLsn, entryBytes))
      await this.#log.append(this.epoch, entry)
    this.#shippedLsn = durableLsn
    return durableLsn
  }
}

export function failureOf(standby: Standby): Promise<{ code?: string }> {
  return new Promise((resolve) => {
    standby.once('error', (error: Error & { code?: string }) => resolve(error))
  })
}

export async function trade(pool: EnginePool, from: number, count: number): Promise<void> {
  const reports = Array.from({ length: count }, (_, i) => {
    const side = i % 2 ? 'buy' : 'sell'
    return pool.submit(limit(from + i, side, i % 3 ? '100.00' : side === 'buy' ? '99.00' : '101.00', '1'))
  })
  await Promise.all(reports)
}

export async function follows(standby: Standby, lsn: number): Promise<void> {
  // A seed may bring a sync marker that was not shipped yet.
  await expect.poll(() => standby.lsn, { timeout: 20_000 }).toBeGreaterThanOrEqual(lsn)
}
