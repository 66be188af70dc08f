import { randomUUID } from 'node:crypto'
import { onTestFinished } from 'vitest'
import type { EnginePool } from '#tidemark/pool/index.js'
import { type ReplicatedLog, type ReplicationEpoch, takeOver } from '#tidemark/replication/index.js'
import { MemoryCluster } from '#tidemark/replication/memory/index.js'
import { Standby, type StandbyOptions } from '#tidemark/standby/index.js'
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
