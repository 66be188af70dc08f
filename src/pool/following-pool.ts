import { systemClock } from '../base/clock.js'
import { endAll } from '../base/end-all.js'
import type { ReplicationEpoch } from '../log/index.js'
import {
  DurableLog,
  FollowedLog,
  type LogEntry,
  NodeDisk,
  RecordAssembler,
  resolveLogSettings,
  type TakenFolder,
} from '../log/index.js'
import { rulesVersion } from '../matching/index.js'
import { Archiving } from './checkpoint/archiving.js'
import { Checkpointer, type FollowedLedger } from './checkpoint/checkpointer.js'
import { AcknowledgementLatency } from './delivery/acknowledgement-latency.js'
import { CursorStore } from './delivery/cursors.js'
import { EnginePool } from './engine-pool.js'
import { poolClosed } from './errors.js'
import { InstrumentRegistry } from './instruments.js'
import { PoolQuestions } from './intake/pool-questions.js'
import { listLedgerFiles } from './ledger-files.js'
import { ledgerRecordType, poolLogKind } from './record-type.js'
import { type PoolSettings, resolvePoolSettings } from './settings.js'
import { ShardHandle } from './shard/shard-handle.js'
import { ShardThreads } from './shard/shard-threads.js'
import type { PoolSnapshot } from './snapshot/snapshot-file.js'
import { checkSnapshot, restoreNewest } from './snapshot/usable-snapshot.js'
import type { CheckpointFailure, CheckpointStats, EnginePoolOptions, Instrument } from './types.js'

/** What is made of a followed log to keep the snapshots of its ledger. */
export type FollowedLedgerOf = (
  log: Pick<FollowedLog, 'dir' | 'durableLsn'>,
  registry: InstrumentRegistry,
) => FollowedLedger

/** What a pool that follows is made of. */
interface FollowingParts {
  readonly options: EnginePoolOptions
  readonly settings: PoolSettings
  readonly log: FollowedLog
  readonly threads: ShardThreads
  readonly shards: readonly ShardHandle[]
  readonly registry: InstrumentRegistry
  readonly latency: AcknowledgementLatency
  readonly snapshot: PoolSnapshot | undefined
  readonly cursors: CursorStore
  readonly ledger: FollowedLedger
}

/**
 * The books of a pool that another machine runs, kept up to date by replaying its log: each record is executed as an opening
 * does, by the same threads, and compared with what the log holds. It answers questions, takes checkpoints, and becomes an
 * `EnginePool` without another replay.
 */
export class FollowingPool {
  /** Called once, with what ended it: a shard that failed, or a record that replays to something else. */
  onFailed: (error: Error) => void = () => {}
  /** The log's copy; entries go through `append`. */
  readonly log: FollowedLog
  readonly questions: PoolQuestions
  readonly #parts: FollowingParts
  readonly #checkpointer: Checkpointer
  #failure: Error | undefined
  #leads = false
  #closing: Promise<void> | undefined

  /**
   * Opens the copy in a folder that the caller has locked, and brings its books up to date. `ledgerOf` makes what keeps the snapshots
   * of a ledger that the log has.
   *
   * @throws as `EnginePool.open`; then the folder is released.
   */
  static async open(
    options: EnginePoolOptions,
    taken: TakenFolder,
    ledgerOf: FollowedLedgerOf,
  ): Promise<FollowingPool> {
    let threads: ShardThreads | undefined
    let log: FollowedLog | undefined
    try {
      const settings = resolvePoolSettings(options)
      const started = new ShardThreads(settings.shards)
      threads = started
      const snapshot = await restoreNewest(settings.dir, (candidate) => started.restore(candidate))
      log = await FollowedLog.open({
        dir: settings.dir,
        kind: poolLogKind,
        contentVersion: rulesVersion,
        settings: resolveLogSettings({ ...options, spinUs: settings.spinUs }),
        taken,
        coveredLsn: snapshot?.header.replayFromLsn ?? 0,
      })
      checkSnapshot(snapshot, log)
      return await FollowingPool.#begin(options, settings, log, threads, snapshot, ledgerOf)
    } catch (error) {
      await threads?.destroy()
      if (log) await log.close()
      else taken.release()
      throw error
    }
  }

  static async #begin(
    options: EnginePoolOptions,
    settings: PoolSettings,
    log: FollowedLog,
    threads: ShardThreads,
    snapshot: PoolSnapshot | undefined,
    ledgerOf: FollowedLedgerOf,
  ): Promise<FollowingPool> {
    const registry = new InstrumentRegistry(settings.shards)
    const latency = new AcknowledgementLatency()
    const { maxInFlight, maxQuestions, spinUs } = settings
    const shards = Array.from(
      { length: settings.shards },
      (_, shard) =>
        new ShardHandle({
          shard,
          shards: settings.shards,
          log,
          follows: true,
          maxInFlight,
          maxQuestions,
          spinUs,
          snapshot,
          waiting: { registry, latency },
          start: (data, transferList) => threads.begin(data, transferList),
        }),
    )
    try {
      const clock = options.clock ?? systemClock
      const [cursors, ...ready] = await Promise.all([
        CursorStore.open(log, { keepBytes: settings.cursorKeepBytes, clock }),
        ...shards.map((shard) => Promise.race([shard.ready, shard.ended.then(endedBeforeReady)])),
      ])
      registry.restore(ready.flatMap(({ instruments }) => instruments))
      const ledger = ledgerOf(log, registry)
      if (listLedgerFiles(new NodeDisk(), log.dir).length === 0) awaitLedger(log, ledger)
      return new FollowingPool({
        ledger,
        options,
        settings,
        log,
        threads,
        shards,
        registry,
        latency,
        snapshot,
        cursors,
      })
    } catch (error) {
      for (const shard of shards) {
        shard.inbound.stop()
        shard.close()
      }
      throw error
    }
  }

  private constructor(parts: FollowingParts) {
    const { options, settings, log, shards, registry, snapshot, cursors, ledger } = parts
    this.#parts = parts
    this.log = log
    this.questions = new PoolQuestions({
      shards,
      registry,
      max: settings.maxQuestions,
      checkUsable: () => this.#checkUsable(),
    })
    this.#checkpointer = new Checkpointer({
      log,
      shards,
      registry,
      settings: settings.checkpoints,
      cursors,
      archiving: undefined,
      clock: options.clock ?? systemClock,
      snapshot,
    })
    this.#checkpointer.ledger = ledger
    for (const shard of shards) {
      shard.onInstruments = (instruments) => registry.restore(instruments)
      shard.ended.catch((error) => this.#fail(error))
    }
  }

  /**
   * Appends entries of the log. Resolves when they are on disk; the shards replay them meanwhile.
   *
   * @throws as `FollowedLog.append`, and what ended a shard.
   */
  async append(entries: readonly LogEntry[]): Promise<void> {
    this.#checkUsable()
    await this.log.append(entries)
    for (const { inbound } of this.#parts.shards) inbound.wake()
    if (this.#checkpointer.due(entries.length)) this.#checkpointer.checkpoint().catch(() => {})
  }

  instruments(): Instrument[] {
    return this.#parts.registry.list()
  }

  checkpointStats(): CheckpointStats {
    return this.#checkpointer.schedule.stats()
  }

  /** Called for each checkpoint that failed. */
  set onCheckpointFailed(report: (failure: CheckpointFailure) => void) {
    this.#checkpointer.schedule.onFailed = report
  }

  /**
   * Continues as the pool that writes the log: in a new segment of this epoch, with the books as they are, and under the epoch
   * that was taken of the replicated log. Nothing may be appended any more.
   *
   * @param signal ends the wait for the replicated log to take what it must have first.
   * @throws as `EnginePool.open`; then nothing is left open.
   */
  async lead(segmentEpoch: bigint, epoch: ReplicationEpoch, signal?: AbortSignal): Promise<EnginePool> {
    this.#checkUsable()
    this.#leads = true
    const { options, settings, threads, shards, registry, latency, snapshot } = this.#parts
    const clock = options.clock ?? systemClock
    const folder = await this.log.handOver()
    const log = await DurableLog.continueFollowed(folder, {
      kind: poolLogKind,
      contentVersion: rulesVersion,
      epoch: segmentEpoch,
      cursorKeepBytes: settings.cursorKeepBytes,
      ...(options.replication && { replication: { options: options.replication, epoch, signal } }),
    }).catch(async (error) => {
      await this.#endThreads(error)
      throw error
    })
    const archiving = settings.archive === undefined ? undefined : new Archiving(log, settings.archive, clock)
    try {
      const [cursors, ...instruments] = await Promise.all([
        CursorStore.open(log, { keepBytes: settings.cursorKeepBytes, clock }),
        ...shards.map((shard) => shard.lead(log)),
      ])
      registry.restore(instruments.flat())
      log.startPreallocator()
      if (log.poisoned) throw log.poisoned
      await archiving?.begin()
      const checkpointer = this.#checkpointer
      checkpointer.continueWith(log, cursors, archiving)
      const waiting = { registry, latency }
      const parts = {
        log,
        threads,
        shards,
        waiting,
        settings,
        snapshot,
        cursors,
        archiving,
        clock,
        hasLedger: listLedgerFiles(new NodeDisk(), log.dir).length > 0,
        checkpointer,
      }
      return await EnginePool.ofParts(parts, options.instruments)
    } catch (error) {
      await archiving?.close()
      await this.#endThreads(error as Error)
      await log.close().catch(() => {}) // what failed first says more
      throw error
    }
  }

  /** Ends the threads and releases the folder. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const { log, cursors } = this.#parts
    const wasUsable = this.#failure === undefined
    await this.#checkpointer.close()
    // It saves the next opening the replay.
    if (wasUsable && this.#checkpointer.dueAtClose) await this.#checkpointer.checkpoint().catch(() => {})
    await cursors.close().catch(() => {})
    await endAll(
      () => this.#endThreads(poolClosed()),
      () => log.close(),
    )
  }

  async #endThreads(error: Error): Promise<void> {
    const { threads, shards } = this.#parts
    this.#failure ??= error
    for (const shard of shards) {
      shard.inbound.stop()
      shard.fail(error)
    }
    await Promise.allSettled(shards.map((shard) => shard.ended))
    for (const shard of shards) shard.close()
    await threads.destroy()
    await this.#checkpointer.endThread()
  }

  /** A pool that leads has its own way to fail. */
  #fail(error: Error): void {
    if (this.#leads || this.#failure) return
    this.#failure = error
    this.log.fail(error)
    for (const shard of this.#parts.shards) shard.fail(error)
    this.onFailed(error)
  }

  #checkUsable(): void {
    if (this.#failure) throw this.#failure
    if (this.#closing) throw poolClosed()
  }
}

function endedBeforeReady(): never {
  throw new Error('a shard ended before its books were up to date')
}

/**
 * Begins the snapshots of a ledger before the first record of one is written: as at the primary, a folder whose log has a ledger has
 * a snapshot of it at every moment. So no log is removed of which it was not counted, and no pool takes orders without it.
 */
function awaitLedger(log: FollowedLog, ledger: FollowedLedger): void {
  let beginLsn: number | undefined
  const records: RecordAssembler = new RecordAssembler({
    visit: (_words, _from, _to, _lsn, type) => {
      if (type === ledgerRecordType) beginLsn ??= records.lacksBeginning ? log.firstLsn : records.startLsn
    },
  })
  // The first may be the rest of a record whose beginning is in the folder.
  records.interrupt()
  log.beforeWrite = (batches, startLsn) => {
    records.take(batches, 0, batches.byteLength, startLsn)
    if (beginLsn === undefined) return undefined
    log.beforeWrite = undefined
    return ledger.begin(beginLsn)
  }
}
