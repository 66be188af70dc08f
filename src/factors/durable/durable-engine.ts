import * as path from 'node:path'
import { Emitter } from '../../base/emitter.js'
import { endAll } from '../../base/end-all.js'
import {
  DurableLog,
  forwardReplication,
  type LogError,
  type LogStats,
  type ReplicationEvents,
  settleOrPoison,
} from '../../log/index.js'
import { checkBarrier, type Definition, expressionsOf, type FactorEngine } from '../engine/engine.js'
import { FactorInstrument } from '../engine/instrument.js'
import { fieldsCell } from '../engine/program.js'
import {
  entryHeadWords,
  entryKind,
  factorContentVersion,
  factorsLogKind,
  fieldCount,
  writeHead,
} from '../entries.js'
import type { FactorError } from '../errors.js'
import { type Bar, checkedTimestamp, checkTick, copyChecked, fields, type Tick, tickOfBar } from '../ticks.js'
import { FactorConsumer, type FactorUpdate } from './consumer.js'
import { type DurableFactorOptions, type EngineSettings, resolveEngineOptions } from './engine-options.js'
import { FactorPersister, type PersisterStats } from './persister.js'
import { onlyPersister } from './persister-settings.js'
import { FactorReplay, replayFiles } from './replay.js'
import { type SnapshotFailure, type SnapshotOverdue, SnapshotSchedule } from './snapshot-schedule.js'
import { type SnapshotInfo, SnapshotStore } from './snapshot-store.js'
import { encodeState } from './state-codec.js'
import { UpdateFeed } from './update-feed.js'

/** What opening found. */
export interface FactorRecovery {
  /** The snapshot it began with. */
  readonly snapshot: SnapshotInfo | undefined
  /** Newer snapshots that were not valid. */
  readonly skippedSnapshots: readonly FactorError[]
  /** Entries of the log that were executed after it. */
  readonly replayedEntries: number
  /** How many ticks the engine had seen. */
  readonly ticks: number
  /** The time of the last tick, in the caller's unit. */
  readonly lastTimestamp: number | undefined
  /** Where the log ends that was recovered. */
  readonly lsn: number
  /** How long the recovery took. */
  readonly milliseconds: number
}

/** Figures of a durable factor engine. */
export interface DurableFactorStats {
  /** How many ticks it has seen since it was made. */
  readonly ticks: number
  /** How many instruments have factors. */
  readonly instruments: number
  /** How many snapshots failed since the opening. */
  readonly snapshotFailures: number
  /** What the last one failed with, also when one was taken since. */
  readonly snapshotError: { readonly code: string; readonly message: string } | undefined
  /** When the next is tried after a failure, in milliseconds since 1970; `undefined` when none is waited for. */
  readonly snapshotRetryAtMs: number | undefined
  /** Figures of what it hands to the log. */
  readonly persister: PersisterStats
  /** Figures of the log. */
  readonly log: LogStats
}

interface DurableFactorEvents extends ReplicationEvents {
  error: [Error]
  snapshotFailed: [SnapshotFailure]
  snapshotOverdue: [SnapshotOverdue]
  /** `TIDEMARK_UPDATES_ENDED`: the listeners of `onUpdate` were removed, because the log can't be read where they are. */
  updatesFailed: [FactorError]
  /** The disk has no room: ticks wait in the channel, and are lost only if the engine is closed before it has. */
  diskFull: [LogError]
  diskReady: []
}

/**
 * A factor engine whose state survives a crash: each tick and all its values are one entry of a durable log, and after
 * reopening the engine computes, bit by bit, what it would have computed without the crash.
 *
 * `get` and `getAll` return what the engine computed; `onUpdate` and promises report only what is on disk.
 *
 * Events: `error`, once, when the log was poisoned: close it and open it again; `snapshotFailed`, for each snapshot that could
 * not be written, requested or automatic, also at the close; `snapshotOverdue`, while they fail, when the ticks after the last one
 * are 2, 4, 8 … times `snapshotEveryTicks`; `diskFull` and `diskReady`, when the disk is about to have no room for the log,
 * and when it has room again; `updatesFailed`, when the log can't be read where the listeners of `onUpdate` are, and they were
 * removed: `reclaimLog` may overtake slow ones; with `replication` in `log` also those of `ReplicationEvents`.
 *
 * @example
 * ```js
 * import { DurableFactorEngine } from 'tidemark/factors'
 *
 * const engine = await DurableFactorEngine.open({ dir: './factors' })
 * if (engine.instruments.length === 0) engine.register('ACME', 'ma2', 'mean(last, 2)')
 * engine.processTick({ instrument: 'ACME', timestamp: 1, last: 100 })
 * engine.processTick({ instrument: 'ACME', timestamp: 2, last: 104 })
 * const lsn = await engine.flush() // both ticks and their values are on disk
 * console.log(lsn, engine.get('ACME', 'ma2')) // … 102
 * await engine.close()
 * ```
 */
export class DurableFactorEngine extends Emitter<DurableFactorEvents> {
  /** What the opening found. */
  readonly recovery: FactorRecovery
  /** Whether each tick is handed to the log by `processTick` itself. */
  readonly autoPersist: boolean
  readonly #engine: FactorEngine
  readonly #log: DurableLog
  readonly #persister: FactorPersister
  readonly #snapshots: SnapshotStore
  readonly #keepSnapshots: number
  readonly #reclaimLog: boolean
  /** Number of the series of each instrument in this session. */
  readonly #series: number[] = []
  readonly #schedule: SnapshotSchedule
  readonly #updates: UpdateFeed
  #closing: Promise<void> | undefined

  /**
   * Opens the engine of a folder and brings it to where it was: the newest snapshot, and every tick after it executed
   * again and compared.
   *
   * @throws LogError as of `DurableLog.open`; FactorError `TIDEMARK_SNAPSHOT_CORRUPT`, `TIDEMARK_SNAPSHOT_IO`,
   *   `TIDEMARK_REPLAY_DIFFERS`, `TIDEMARK_FACTOR_LOG_CORRUPT`.
   */
  static async open(options: DurableFactorOptions): Promise<DurableFactorEngine> {
    const settings = resolveEngineOptions(options)
    const startMs = performance.now()
    const log = await DurableLog.open({
      ...options.log,
      dir: options.dir,
      kind: factorsLogKind,
      contentVersion: factorContentVersion,
    })
    try {
      const snapshots = SnapshotStore.open(path.join(log.dir, 'snapshots'))
      const { snapshot, skipped } = snapshots.newest(log.durableLsn)
      const replay = new FactorReplay(snapshot, log.firstLsn)
      await replayFiles(replay, log, log.durableLsn)
      return new DurableFactorEngine(options, settings, log, snapshots, replay, {
        snapshot: snapshot?.info,
        skippedSnapshots: skipped,
        replayedEntries: replay.entries,
        ticks: replay.engine.ticks,
        lastTimestamp: replay.lastTimestamp === Number.NEGATIVE_INFINITY ? undefined : replay.lastTimestamp,
        lsn: log.durableLsn,
        milliseconds: performance.now() - startMs,
      })
    } catch (error) {
      await log.close().catch(() => {}) // what failed first says more
      throw error
    }
  }

  private constructor(
    options: DurableFactorOptions,
    settings: EngineSettings,
    log: DurableLog,
    snapshots: SnapshotStore,
    replay: FactorReplay,
    recovery: FactorRecovery,
  ) {
    super()
    this.recovery = recovery
    this.autoPersist = settings.autoPersist
    this.#engine = replay.engine
    this.#log = log
    this.#snapshots = snapshots
    this.#keepSnapshots = settings.keepSnapshots
    this.#reclaimLog = settings.reclaimLog
    this.#schedule = new SnapshotSchedule(
      settings.snapshotEveryTicks,
      (id) => this.#snapshot(id),
      options.clock,
    )
    this.#schedule.onFailed = (failure) => this.emit('snapshotFailed', failure)
    this.#schedule.onOverdue = (overdue) => this.emit('snapshotOverdue', overdue)
    this.#persister = new FactorPersister(log, { ...onlyPersister(options), snapshots })
    this.#updates = new UpdateFeed(
      () => FactorConsumer.attach(log, snapshots),
      () => this.#persister.flush(),
      () => log.poisoned !== undefined,
    )
    this.#updates.onFailed = (error) => this.emit('updatesFailed', error)
    this.#persister.on('error', (error) => this.emit('error', error))
    forwardReplication(log, this)
    log.on('diskFull', (error) => this.emit('diskFull', error))
    log.on('diskReady', () => {
      this.#schedule.diskReady()
      this.emit('diskReady')
    })
    for (const instrument of this.#engine.instruments) this.#define(instrument, [])
    for (const { series, values, timestamp } of replay.vectors.values()) {
      this.#persister.adopt(series.instrument, series.factors, values, timestamp)
    }
  }

  /** The log, for readers and producers beside this engine. */
  get log(): DurableLog {
    return this.#log
  }

  /** Writes what is no tick: vectors and updates of the caller's own. */
  get persister(): FactorPersister {
    return this.#persister
  }

  /** The instruments that have factors, with the ticks that each has seen. */
  get instruments(): readonly FactorInstrument[] {
    return this.#engine.instruments
  }

  /** Like `FactorEngine.register`, and logged. */
  register(instrument: string, name: string, definition: Definition): void {
    this.registerAll(instrument, { [name]: definition })
  }

  /** Like `FactorEngine.registerAll`, and logged; also errors as of `processTick`. */
  registerAll(instrument: string, definitions: Readonly<Record<string, Definition>>): void {
    const texts = expressionsOf(definitions)
    const known = this.#engine.instruments.find(({ name }) => name === instrument)
    const trial = new FactorInstrument(instrument, 0)
    for (const batch of known?.program.history ?? []) trial.program.register(batch)
    trial.program.register(texts)
    this.#persister.checkDefinition({ instrument, factors: trial.factors, definitions: texts })
    this.#engine.registerAll(instrument, definitions)
    this.#define(this.#engine.instrument(instrument), texts)
  }

  /**
   * Takes a tick: computes every factor that it moves, and hands the tick with all values to the log. Returns whether
   * it was taken: false only under `whenFull: 'drop'`, and then no factor has moved and it is counted.
   *
   * @throws FactorError `TIDEMARK_BAD_TICK`, `TIDEMARK_UNKNOWN_INSTRUMENT`, `TIDEMARK_CHANNEL_FULL` (await `ready` and
   *   send it again), `TIDEMARK_PERSISTER_CLOSED`; LogError `TIDEMARK_LOG_POISONED`. Nothing was changed then.
   */
  processTick(tick: Tick): boolean {
    const engine = this.#engine
    const instrument = engine.instrument(tick.instrument)
    const mask = checkTick(tick)
    const { program } = instrument
    const timestamp = checkedTimestamp()
    if (!this.autoPersist) {
      copyChecked(mask, program.cells, fieldsCell)
      engine.advance(instrument, mask, timestamp)
      this.#schedule.tick()
      return true
    }
    const { columns } = program
    const words = entryHeadWords + fieldCount(mask) + columns.length
    const at = this.#persister.beginEntry(words)
    if (at < 0) return false
    copyChecked(mask, program.cells, fieldsCell)
    engine.advance(instrument, mask, timestamp)
    const { channel } = this.#persister
    const { float64 } = channel
    const series = this.#series[instrument.number]!
    writeHead(channel.int32, float64, at, entryKind.tick, mask, columns.length, series, timestamp)
    const { cells } = program
    let word = at + entryHeadWords
    for (let field = 0; field < fields.length; field++) {
      if ((mask & (1 << field)) !== 0) float64[word++] = cells[fieldsCell + field]!
    }
    for (let i = 0; i < columns.length; i++) float64[word++] = cells[columns[i]!.cell]!
    this.#persister.endEntry(words, timestamp)
    this.#schedule.tick()
    return true
  }

  /** Like `processTick`, for a bar. */
  processBar(bar: Bar): boolean {
    return this.processTick(tickOfBar(bar))
  }

  /**
   * Takes a tick, waiting for room if need be, and resolves with the LSN at which the tick and its values are on disk.
   * Errors as of `processTick`, by rejection.
   */
  async persistTick(tick: Tick): Promise<number> {
    while (this.#persister.full && this.#persister.settings.whenFull === 'wait') await this.#persister.ready()
    if (!this.autoPersist) {
      this.processTick(tick)
      return this.persist(tick.instrument)
    }
    return this.#persister.promised(() => this.processTick(tick))
  }

  /** Hands the present values of an instrument to the log as a vector; for engines without `autoPersist`. */
  async persist(instrument: string): Promise<number> {
    const known = this.#engine.instrument(instrument)
    const series = this.#persister.series(instrument, known.factors)
    return this.#persister.persistVector(series, known.values(), known.lastTimestamp ?? 0)
  }

  /** Computes the ranks across instruments; logged. Errors as of `processTick`. */
  barrier(timestamp: number): boolean {
    checkBarrier(timestamp)
    const at = this.autoPersist ? this.#persister.beginEntry(entryHeadWords) : 0
    if (at < 0) return false
    this.#engine.barrier(timestamp)
    if (!this.autoPersist) return true
    const { int32, float64 } = this.#persister.channel
    writeHead(int32, float64, at, entryKind.barrier, 0, 0, 0, timestamp)
    this.#persister.endEntry(entryHeadWords, timestamp)
    return true
  }

  /** One value as computed last. @throws FactorError `TIDEMARK_UNKNOWN_INSTRUMENT`, `TIDEMARK_UNKNOWN_FACTOR`. */
  get(instrument: string, factor: string): number | undefined {
    return this.#engine.get(instrument, factor)
  }

  /** Every value of an instrument as computed last. */
  getAll(instrument: string): Record<string, number | undefined> {
    return this.#engine.getAll(instrument)
  }

  /**
   * Calls `listener` for each tick, vector and barrier from now on when it is on disk, until the returned call. What it
   * throws is an uncaught exception of the process, and changes nothing here.
   */
  onUpdate(listener: (update: FactorUpdate) => void): () => void {
    return this.#updates.add(listener)
  }

  /** Resolves when there is room for ticks again. @throws LogError `TIDEMARK_LOG_POISONED`. */
  ready(): Promise<void> {
    return this.#persister.ready()
  }

  /** Whether a tick that comes now finds no room. */
  get full(): boolean {
    return this.#persister.full
  }

  /** Writes what waits; resolves with the LSN at which every tick taken so far is on disk. */
  flush(): Promise<number> {
    return this.#persister.flush()
  }

  /**
   * Takes a snapshot of everything up to now; recovery begins with it from then on. Resolves when it is in place.
   *
   * @throws FactorError `TIDEMARK_SNAPSHOT_IO`, `TIDEMARK_BAD_NAME`; LogError `TIDEMARK_LOG_POISONED`.
   */
  createSnapshot(checkpointId: string): Promise<SnapshotInfo> {
    return this.#schedule.take(checkpointId)
  }

  /** Figures of the engine, its persister and its log. */
  stats(): DurableFactorStats {
    const { failed, lastError, retryAtMs } = this.#schedule.counts
    return {
      ticks: this.#engine.ticks,
      instruments: this.#engine.instruments.length,
      snapshotFailures: failed,
      snapshotError: lastError,
      snapshotRetryAtMs: retryAtMs,
      persister: this.#persister.stats(),
      log: this.#log.stats(),
    }
  }

  /**
   * Takes nothing more, writes and syncs everything, leaves a snapshot so that the next opening has nothing to replay,
   * and releases the folder. When that snapshot can't be written, `snapshotFailed` is emitted, and this resolves all the
   * same. @throws what made the log fail, after closing it.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #close(): Promise<void> {
    try {
      this.#schedule.stop()
      // The log holds everything; a snapshot only saves the next opening the replay of the ticks after the last.
      const last = this.#schedule.ticks > 0 ? this.createSnapshot('close').catch(() => {}) : undefined
      const settled = Promise.all([last, this.#persister.shutdown()])
      await settleOrPoison(this.#log, settled, (closingMs) => this.#log.isUnreplicatedSince(closingMs))
      await settled
    } finally {
      await endAll(
        () => this.#updates.close(),
        () => this.#log.close(),
      )
    }
  }

  #define(instrument: FactorInstrument, definitions: readonly (readonly [string, string])[]): void {
    const number = (this.#series[instrument.number] ??= this.#persister.nextSeries())
    const { name, factors } = instrument
    this.#persister.defineSeries(number, { instrument: name, factors, definitions })
  }

  async #snapshot(checkpointId: string): Promise<SnapshotInfo> {
    const info = await this.#persister.snapshot(checkpointId, encodeState(this.#engine.save()))
    const oldest = await this.#snapshots.prune(this.#keepSnapshots)
    if (this.#reclaimLog && oldest !== undefined && !this.#closing) await this.#log.removeBefore(oldest)
    return info
  }
}
