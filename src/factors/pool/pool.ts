import * as path from 'node:path'
import { Emitter } from '../../base/emitter.js'
import { endAll } from '../../base/end-all.js'
import { withoutStack } from '../../base/errors.js'
import {
  DurableLog,
  forwardReplication,
  LogError,
  type ReplicationEvents,
  settleOrPoison,
  spinSetting,
} from '../../log/index.js'
import { type SnapshotInfo, SnapshotStore } from '../durable/snapshot-store.js'
import { decodeState, encodeState } from '../durable/state-codec.js'
import { checkName, type Definition, expressionsOf } from '../engine/engine.js'
import { FactorInstrument } from '../engine/instrument.js'
import type { Definitions } from '../engine/program.js'
import { ranksOf } from '../engine/ranks.js'
import {
  entryKind,
  factorContentVersion,
  factorRecordType,
  factorsLogKind,
  sessionEntry,
  textEntry,
  textWords,
} from '../entries.js'
import { FactorError } from '../errors.js'
import { checkTick, type Tick } from '../ticks.js'
import { type FactorPoolOptions, type FactorPoolStats, resolvePoolOptions } from './pool-options.js'
import { type FactorReply, type InstrumentValues, workerOf } from './pool-thread.js'
import { type Answer, FactorWorker } from './pool-worker.js'

/** An instrument's place among others by one factor: 1 is the greatest, equal ones share the mean of their places. */
export interface RankedInstrument {
  /** The instrument's name. */
  readonly instrument: string
  /** The value that it was ranked by. */
  readonly value: number
  /** Its place: 1 is the greatest, equal ones share the mean of their places. */
  readonly rank: number
}

/** The caller's, and the flusher. */
const threadsBesideWorkers = 2

interface PoolInstrument {
  readonly number: number
  readonly worker: FactorWorker
  /** The shape of its factors; the values are in the worker. */
  readonly shape: FactorInstrument
}

interface FactorPoolEvents extends ReplicationEvents {
  error: [Error]
  diskFull: [LogError]
  diskReady: []
}

/**
 * Many instruments over worker threads, which write into one durable log. Each tick and its values are one entry, as a
 * `DurableFactorEngine` writes them, and either opens what the other left.
 *
 * Answers (`get`, `rank`, …) are those after every tick sent before, and are given when they are on disk.
 *
 * Events: `error`, once, when the log was poisoned or a worker died: close the pool and open it again; `diskFull` and
 * `diskReady`, when the disk is about to have no room for the log, and when it has room again; with `replication` in `log` also
 * those of `ReplicationEvents`.
 *
 * @example
 * ```js
 * import { FactorPool } from 'tidemark/factors'
 *
 * const pool = await FactorPool.open({ dir: './factors', workers: 2 })
 * for (const instrument of ['ACME', 'EMCA']) {
 *   if (!pool.instruments.includes(instrument)) pool.registerAll(instrument, { ma2: 'mean(last, 2)' })
 *   pool.processTick({ instrument, timestamp: 1, last: 100 })
 *   pool.processTick({ instrument, timestamp: 2, last: 104 })
 * }
 * console.log(await pool.getAll('EMCA')) // { ma2: 102 }
 * await pool.close()
 * ```
 */
export class FactorPool extends Emitter<FactorPoolEvents> {
  /** The time of the last tick in the log that was opened, in the caller's unit. */
  readonly lastTimestamp: number | undefined
  readonly #log: DurableLog
  readonly #snapshots: SnapshotStore
  readonly #workers: FactorWorker[]
  readonly #instruments = new Map<string, PoolInstrument>()
  readonly #whenFull: 'wait' | 'drop'
  #ticks = 0
  #dropped = 0
  #refused = 0
  #closing: Promise<void> | undefined

  /**
   * Opens a pool of factors on a folder and starts its workers.
   *
   * @throws LogError as `DurableLog.open` does; FactorError as `DurableFactorEngine.open` does.
   */
  static async open(options: FactorPoolOptions): Promise<FactorPool> {
    const { workers, queueTicks, batchSize, whenFull } = resolvePoolOptions(options)
    const log = await DurableLog.open({
      ...options.log,
      spinUs: spinSetting(options.log?.spinUs, process.env, workers + threadsBesideWorkers),
      dir: options.dir,
      kind: factorsLogKind,
      contentVersion: factorContentVersion,
    })
    const threads: FactorWorker[] = []
    try {
      const snapshots = SnapshotStore.open(path.join(log.dir, 'snapshots'))
      const { snapshot } = snapshots.newest(log.durableLsn)
      for (let worker = 0; worker < workers; worker++) {
        const place = { worker, workers, firstLsn: log.firstLsn, endLsn: log.durableLsn, snapshot, batchSize }
        threads.push(new FactorWorker(log, queueTicks, place))
      }
      const ready = await Promise.all(threads.map((thread) => thread.ready))
      const pool = new FactorPool(log, snapshots, threads, ready, whenFull)
      await pool.#begin(ready)
      return pool
    } catch (error) {
      log.poison(error)
      await Promise.all(threads.map((thread) => thread.terminate()))
      await log.close().catch(() => {}) // what failed first says more
      throw error
    }
  }

  private constructor(
    log: DurableLog,
    snapshots: SnapshotStore,
    workers: FactorWorker[],
    ready: Extract<FactorReply, { kind: 'ready' }>[],
    whenFull: 'wait' | 'drop',
  ) {
    super()
    this.#log = log
    this.#snapshots = snapshots
    this.#workers = workers
    this.#whenFull = whenFull
    const last = Math.max(...ready.map(({ lastTimestamp }) => lastTimestamp))
    this.lastTimestamp = last === Number.NEGATIVE_INFINITY ? undefined : last
    log.on('error', (error) => this.#fail(error))
    forwardReplication(log, this)
    log.on('diskFull', (error) => this.emit('diskFull', error))
    log.on('diskReady', () => this.emit('diskReady'))
    for (const worker of workers) worker.ended.catch((error) => log.poison(error))
  }

  /** The log, for consumers beside this pool: `FactorConsumer.attach(pool.log)`. */
  get log(): DurableLog {
    return this.#log
  }

  /** The names of the instruments that have factors. */
  get instruments(): string[] {
    return [...this.#instruments.keys()]
  }

  /** Like `FactorEngine.registerAll`, without `rank`, for which there is the method; logged before the next tick. */
  registerAll(name: string, definitions: Readonly<Record<string, Definition>>): void {
    this.#checkUsable()
    checkName('instrument', name)
    const texts = expressionsOf(definitions)
    const known = this.#instruments.get(name)
    const trial = new FactorInstrument(name, 0)
    for (const batch of known?.shape.program.history ?? []) trial.program.register(batch)
    trial.program.register(texts)
    if (trial.program.ranks.length > 0) {
      throw new FactorError(
        'TIDEMARK_BAD_EXPRESSION',
        'The instruments of a pool are in several threads, so rank is no factor of one; use FactorPool.rank.',
      )
    }
    const bytes = Buffer.byteLength(
      JSON.stringify({ instrument: name, factors: trial.factors, definitions: texts }),
    )
    if (textWords(bytes) * 8 > this.#log.settings.maxBatchBytes / 2) {
      throw new FactorError(
        'TIDEMARK_VECTOR_TOO_LARGE',
        `A definition of ${bytes} bytes does not fit into one record.`,
        {
          bytes,
        },
      )
    }
    const worker = known?.worker ?? this.#workers[workerOf(name, this.#workers.length)]!
    const number = known?.number ?? this.#instruments.size
    worker.send({ kind: 'register', number, instrument: name, definitions: texts })
    this.#instruments.set(name, { number, worker, shape: trial })
  }

  /**
   * Hands a tick to its instrument's worker. Returns whether it was taken: false only under `drop`.
   *
   * @throws FactorError `TIDEMARK_BAD_TICK`, `TIDEMARK_UNKNOWN_INSTRUMENT`, `TIDEMARK_CHANNEL_FULL`,
   *   `TIDEMARK_PERSISTER_CLOSED`; LogError `TIDEMARK_LOG_POISONED`.
   */
  processTick(tick: Tick): boolean {
    const { number, worker } = this.#instrument(tick.instrument)
    const mask = checkTick(tick)
    this.#checkUsable()
    if (worker.waiting || !worker.ring.write(number, mask)) {
      if (this.#whenFull === 'drop') {
        this.#dropped++
        return false
      }
      this.#refused++
      throw withoutStack(
        () =>
          new FactorError(
            'TIDEMARK_CHANNEL_FULL',
            `The queue of the worker of ${tick.instrument} is full. Await ready(), then send again.`,
            { instrument: tick.instrument },
          ),
      )
    }
    this.#ticks++
    return true
  }

  /** Whether a tick of this instrument finds no room now. @throws FactorError `TIDEMARK_UNKNOWN_INSTRUMENT`. */
  full(instrument: string): boolean {
    const { worker } = this.#instrument(instrument)
    return worker.waiting || !worker.ring.fitsTick
  }

  /** Resolves when the workers have taken everything sent so far. @throws LogError `TIDEMARK_LOG_POISONED`. */
  async ready(): Promise<void> {
    await this.#ask('sync')
  }

  /** Resolves with the LSN at which every tick sent so far, and its values, are on disk. */
  async flush(): Promise<number> {
    return this.#durable(await this.#ask('sync'))
  }

  /** One value. @throws FactorError `TIDEMARK_UNKNOWN_INSTRUMENT`, `TIDEMARK_UNKNOWN_FACTOR`. */
  async get(instrument: string, factor: string): Promise<number | undefined> {
    this.#instrument(instrument).shape.program.cellOf(factor)
    return (await this.getAll(instrument))[factor]
  }

  /** Every value of an instrument. @throws FactorError `TIDEMARK_UNKNOWN_INSTRUMENT`. */
  async getAll(instrument: string): Promise<Record<string, number | undefined>> {
    const { worker } = this.#instrument(instrument)
    const all = await this.#values([worker])
    const found = all.find((one) => one.instrument === instrument)!
    return Object.fromEntries(
      found.factors.map((factor, i) => [
        factor,
        Number.isNaN(found.values[i]!) ? undefined : found.values[i],
      ]),
    )
  }

  /** The instruments in the order of one factor, greatest first: a barrier over everything sent so far. */
  async rank(factor: string): Promise<RankedInstrument[]> {
    const values: { instrument: string; value: number }[] = []
    for (const { instrument, factors, values: all } of await this.#values(this.#workers)) {
      const value = all[factors.indexOf(factor)] ?? Number.NaN
      if (!Number.isNaN(value)) values.push({ instrument, value })
    }
    values.sort((a, b) => b.value - a.value)
    const ranks = ranksOf(values)
    return values.map((one, i) => ({ ...one, rank: ranks[i]! }))
  }

  /** Takes a snapshot after everything sent so far; recovery begins with it. Errors as of `DurableFactorEngine`. */
  async createSnapshot(checkpointId: string): Promise<SnapshotInfo> {
    checkName('checkpoint', checkpointId)
    const answers = await this.#ask('snapshot')
    await this.#log.waitSynced(Math.max(...answers.map(({ lsn }) => lsn)))
    const states = answers.flatMap(({ answer }) => decodeState(answer as Uint8Array).instruments)
    const times = states.map(({ cells }) => cells[1]!).filter((time) => !Number.isNaN(time))
    const info: SnapshotInfo = {
      checkpointId,
      lsn: Math.min(...answers.map(({ lsn }) => lsn)),
      timestamp: times.length > 0 ? Math.max(...times) : undefined,
    }
    const series = [...this.#instruments.values()].map(({ number, shape }) => ({
      number,
      instrument: shape.name,
      factors: shape.factors,
      computed: true,
    }))
    await this.#snapshots.write({ info, series, state: encodeState({ instruments: states }) })
    await this.#snapshots.prune(2)
    return info
  }

  /** Figures of the pool and its log. */
  stats(): FactorPoolStats {
    return {
      ticks: this.#ticks,
      dropped: this.#dropped,
      refused: this.#refused,
      queued: this.#workers.map(({ ring }) => ring.queued),
      instruments: this.#instruments.size,
      log: this.#log.stats(),
    }
  }

  /**
   * Takes nothing more, computes and syncs everything sent, ends the threads, and releases the folder.
   *
   * @throws what made the log fail, after closing it; LogError `TIDEMARK_DISK_FULL` when the disk stays full: ticks that were
   *   not acknowledged are lost as in a crash.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #close(): Promise<void> {
    for (const worker of this.#workers) worker.send({ kind: 'stop' })
    await endAll(
      async () => {
        const stuck = await this.#endWorkers()
        await Promise.all(this.#workers.map((worker) => worker.terminate()))
        const failure = stuck ?? this.#log.poisoned
        if (failure) throw failure
      },
      () => this.#log.close(),
    )
  }

  /**
   * Resolves when every worker has ended. On a disk that stays full, or with a replicated log that takes nothing, their ticks have
   * nowhere to go: then the log is poisoned, so that they end, and the error that says so is returned.
   */
  async #endWorkers(): Promise<LogError | undefined> {
    const ended = Promise.allSettled(this.#workers.map((worker) => worker.ended))
    return settleOrPoison(this.#log, ended, (closingMs) => this.#log.isStuckSince(closingMs))
  }

  /** Logs the session, and what stands for each instrument in it, as fast as the disk takes it. */
  async #begin(ready: Extract<FactorReply, { kind: 'ready' }>[]): Promise<void> {
    await this.#append(sessionEntry())
    for (const [i, { instruments }] of ready.entries()) {
      for (const { name, history } of instruments) await this.#adopt(this.#workers[i]!, name, history)
    }
  }

  async #append(entry: Uint8Array): Promise<void> {
    for (;;) {
      try {
        this.#log.append(entry, factorRecordType)
        return
      } catch (error) {
        if (!(error instanceof LogError && error.code === 'TIDEMARK_RING_FULL')) throw error
        await this.#log.waitDurable(this.#log.tailLsn)
      }
    }
  }

  async #adopt(worker: FactorWorker, name: string, history: readonly Definitions[]): Promise<void> {
    const shape = new FactorInstrument(name, 0)
    for (const batch of history) shape.program.register(batch)
    const number = this.#instruments.size
    await this.#append(
      textEntry(entryKind.series, number, { instrument: name, factors: shape.factors, definitions: [] }),
    )
    worker.send({ kind: 'known', number, instrument: name })
    this.#instruments.set(name, { number, worker, shape })
  }

  #instrument(name: string): PoolInstrument {
    const instrument = this.#instruments.get(name)
    if (instrument) return instrument
    throw new FactorError(
      'TIDEMARK_UNKNOWN_INSTRUMENT',
      `There is no instrument "${name}"; register a factor for it first.`,
      {
        instrument: name,
      },
    )
  }

  async #values(workers: readonly FactorWorker[]): Promise<InstrumentValues[]> {
    const answers = await this.#ask('values', workers)
    await this.#durable(answers)
    return answers.flatMap(({ answer }) => answer as InstrumentValues[])
  }

  #ask(
    kind: 'sync' | 'snapshot' | 'values',
    workers: readonly FactorWorker[] = this.#workers,
  ): Promise<Answer[]> {
    this.#checkUsable()
    return Promise.all(workers.map((worker) => worker.ask(kind)))
  }

  async #durable(answers: readonly Answer[]): Promise<number> {
    const lsn = Math.max(...answers.map((answer) => answer.lsn))
    await this.#log.waitDurable(lsn)
    return lsn
  }

  #fail(error: Error): void {
    for (const worker of this.#workers) worker.fail(error)
    this.emit('error', error)
  }

  #checkUsable(): void {
    if (this.#log.poisoned) throw this.#log.poisoned
    if (this.#closing) {
      throw new FactorError('TIDEMARK_PERSISTER_CLOSED', 'The factor pool was closed; it takes nothing more.')
    }
  }
}
