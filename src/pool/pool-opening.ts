import { type Clock, systemClock } from '../base/clock.js'
import { DurableLog, NodeDisk } from '../log/index.js'
import { rulesVersion } from '../matching/index.js'
import { Archiving } from './checkpoint/archiving.js'
import type { Checkpointer } from './checkpoint/checkpointer.js'
import { AcknowledgementLatency } from './delivery/acknowledgement-latency.js'
import { CursorStore } from './delivery/cursors.js'
import type { WaiterContext } from './delivery/pending-commands.js'
import { InstrumentRegistry } from './instruments.js'
import { listLedgerFiles } from './ledger-files.js'
import { poolLogKind } from './record-type.js'
import { type PoolSettings, resolvePoolSettings } from './settings.js'
import { ShardHandle } from './shard/shard-handle.js'
import { ShardThreads } from './shard/shard-threads.js'
import type { PoolSnapshot } from './snapshot/snapshot-file.js'
import { checkSnapshot, restoreNewest } from './snapshot/usable-snapshot.js'
import type { EnginePoolOptions } from './types.js'

/** Key under which tests open a pool as a build with other matching rules would. @internal */
export const rulesVersionOf = Symbol('rules version')

/** What a pool is made of: a log that was checked, and shards whose books are up to date with it. */
export interface PoolParts {
  readonly log: DurableLog
  readonly threads: ShardThreads
  readonly shards: readonly ShardHandle[]
  readonly waiting: WaiterContext
  readonly settings: PoolSettings
  /** What the books were restored from. */
  readonly snapshot: PoolSnapshot | undefined
  readonly cursors: CursorStore
  readonly archiving: Archiving | undefined
  readonly clock: Clock
  /** Whether the accounts of the folder are kept in a ledger, which takes commands once it is open. */
  readonly hasLedger: boolean
  /** What has taken the checkpoints until now, in a pool that was a standby's. */
  readonly checkpointer?: Checkpointer
}

/**
 * Opens the log and replays it. The shards' threads start while the log is checked, and restore the newest snapshot
 * meanwhile.
 *
 * @throws as `EnginePool.open`; then nothing is left open.
 */
export async function openParts(
  options: EnginePoolOptions & { [rulesVersionOf]?: number },
): Promise<PoolParts> {
  const settings = resolvePoolSettings(options)
  let snapshot: PoolSnapshot | undefined
  let started: (threads: ShardThreads | Promise<never>) => void = () => {}
  const starting = new Promise<ShardThreads>((resolve) => {
    started = resolve
  })
  starting.catch(() => {})
  const opening = DurableLog.openWithoutPreallocator(
    {
      ...options,
      dir: settings.dir,
      kind: poolLogKind,
      spinUs: settings.spinUs,
      contentVersion: options[rulesVersionOf] ?? rulesVersion,
      cursorKeepBytes: settings.cursorKeepBytes,
    },
    async (dir) => {
      // The log is checked from where the snapshot ends, so it must be known to be whole.
      snapshot = await restoreNewest(dir, async (candidate) => (await starting).restore(candidate))
      return snapshot?.header.replayFromLsn ?? 0
    },
  )
  // The lock is held by now, so a folder in use fails before any thread starts.
  await Promise.race([opening, undefined])
  const threads = await startShards(settings.shards, opening, started)
  const log = await opening.catch(async (error) => {
    await threads.destroy()
    throw error
  })
  const registry = new InstrumentRegistry(settings.shards)
  const waiting = { registry, latency: new AcknowledgementLatency() }
  const shards = Array.from(
    { length: settings.shards },
    (_, shard) =>
      new ShardHandle({
        shard,
        shards: settings.shards,
        log,
        maxInFlight: settings.maxInFlight,
        maxQuestions: settings.maxQuestions,
        spinUs: settings.spinUs,
        snapshot,
        waiting,
        start: (data, transferList) => threads.begin(data, transferList),
      }),
  )
  const clock = options.clock ?? systemClock
  const archiving = settings.archive === undefined ? undefined : new Archiving(log, settings.archive, clock)
  try {
    checkSnapshot(snapshot, log)
    const [cursors, ...ready] = await Promise.all([
      CursorStore.open(log, { keepBytes: settings.cursorKeepBytes, clock }),
      ...shards.map((shard) => Promise.race([shard.ready, shard.ended.then(endedBeforeReady)])),
    ])
    log.startPreallocator()
    registry.restore(ready.flatMap(({ instruments }) => instruments))
    // Its `error` event was emitted before the pool listens.
    if (log.poisoned) throw log.poisoned
    await archiving?.begin()
    const hasLedger = listLedgerFiles(new NodeDisk(), log.dir).length > 0
    return { log, threads, shards, waiting, settings, snapshot, cursors, archiving, clock, hasLedger }
  } catch (error) {
    await archiving?.close()
    for (const shard of shards) shard.inbound.stop()
    await threads.destroy()
    for (const shard of shards) shard.close()
    await log.close().catch(() => {}) // what failed first says more
    throw error
  }
}

/** The threads of the shards for a log that is being opened. When they cannot be started, the log is closed again. */
async function startShards(
  shards: number,
  opening: Promise<DurableLog>,
  started: (threads: ShardThreads | Promise<never>) => void,
): Promise<ShardThreads> {
  try {
    const threads = new ShardThreads(shards)
    started(threads)
    return threads
  } catch (error) {
    started(Promise.reject(error))
    await opening.then(
      (log) => log.close(),
      () => {},
    )
    throw error
  }
}

function endedBeforeReady(): never {
  throw new Error('a shard ended before its books were up to date')
}
