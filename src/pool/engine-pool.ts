import * as path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'
import { type Clock, systemClock } from '../base/clock.js'
import { Emitter } from '../base/emitter.js'
import type { LogError, LogPoisonedError, LogTailer } from '../log/index.js'
import { DurableLog, type RecoveryReport, threadsOf } from '../log/index.js'
import { type Command, rulesVersion } from '../matching/index.js'
import type { BackupReport } from './checkpoint/backup.js'
import { backupInThread } from './checkpoint/backup-thread.js'
import { Checkpointer } from './checkpoint/checkpointer.js'
import { AcknowledgementLatency } from './delivery/acknowledgement-latency.js'
import { CursorStore } from './delivery/cursors.js'
import type { WaiterContext } from './delivery/pending-commands.js'
import { Publisher } from './delivery/publisher.js'
import type { Subscription } from './delivery/subscription.js'
import { Subscriptions } from './delivery/subscriptions.js'
import { PoolError, poolClosed } from './errors.js'
import { describe, InstrumentRegistry } from './instruments.js'
import type { CommandBatch } from './intake/command-batch.js'
import { Intake } from './intake/intake.js'
import { PoolQuestions } from './intake/pool-questions.js'
import { type PoolSettings, resolvePoolSettings } from './settings.js'
import { ShardHandle } from './shard/shard-handle.js'
import { ShardThreads } from './shard/shard-threads.js'
import type { PoolSnapshot } from './snapshot/snapshot-file.js'
import { checkSnapshot, restoreNewest } from './snapshot/usable-snapshot.js'
import type {
  BatchReport,
  CheckpointFailure,
  CheckpointOverdue,
  CheckpointReport,
  CursorInfo,
  CursorInvalidation,
  Depth,
  DigestAnswer,
  EnginePoolOptions,
  ExecutionReport,
  Instrument,
  InstrumentOptions,
  LastRequestAnswer,
  OrderAnswer,
  PoolStats,
  SubscribeOptions,
} from './types.js'

/** Key under which tests open a pool as a build with other matching rules would. @internal */
export const rulesVersionOf = Symbol('rules version')

const causeDelayMs = 300
/** How often a pool that closes looks whether the disk still takes what is under way. */
const stuckLookMs = 20

interface PoolEvents {
  drain: []
  error: [LogPoisonedError]
  diskFull: [LogError]
  diskReady: []
  preallocationFailed: [LogError]
  cursorInvalidated: [CursorInvalidation]
  checkpointFailed: [CheckpointFailure]
  checkpointOverdue: [CheckpointOverdue]
}

/**
 * A pool of matching engines over one durable log. Every command is matched in a worker thread, and its promise
 * resolves when the command and all that it caused is on disk.
 *
 * Events: `drain`, when so much is settled that more may be submitted, after `needsDrain` was true or a call was refused
 * with `TIDEMARK_BACKPRESSURE`; `error`, once, when
 * the pool is poisoned: a write, a sync or a thread failed, every pending promise is rejected, and the pool must be
 * closed and opened again; `diskFull` and `diskReady`, when the log has no room on the disk, or no descriptor, to go on
 * for long, and when it has again; `preallocationFailed`, when the log's next segment could not be made ready for another
 * reason, so that rotations are slow; `cursorInvalidated`, when the log that a cursor needs is deleted because the cursor is further behind
 * than `cursorKeepBytes`; `checkpointFailed`, for each checkpoint that failed, whoever asked for it, also at the close,
 * which resolves all the same; `checkpointOverdue`, while they fail, when the log after the last one has grown to 2, 4, 8 …
 * times `checkpointBytes`.
 */
export class EnginePool extends Emitter<PoolEvents> {
  readonly #log: DurableLog
  readonly #follower: LogTailer
  readonly #threads: ShardThreads
  readonly #shards: ShardHandle[]
  readonly #registry: InstrumentRegistry
  readonly #latency: AcknowledgementLatency
  readonly #intake: Intake
  readonly #questions: PoolQuestions
  readonly #following: Promise<void>
  readonly #checkpointer: Checkpointer
  readonly #cursors: CursorStore
  readonly #subscriptions: Subscriptions
  #closing: Promise<void> | undefined
  #poisoned: LogPoisonedError | undefined
  #onDrained: (() => void) | undefined

  /**
   * Opens the pool in a folder. Everything that was acknowledged there before is back: the log is checked, a torn tail
   * cut, and every book replayed, each logged event compared.
   *
   * @throws LogError `TIDEMARK_BAD_SETTING`, `TIDEMARK_LOG_LOCKED`, `TIDEMARK_LOG_CORRUPT`, `TIDEMARK_LOG_FORMAT`,
   *   `TIDEMARK_RULES_DIFFER`, `TIDEMARK_LOG_IO`, `TIDEMARK_REPLAY_DIFFERS`; PoolError `TIDEMARK_INSTRUMENT_DIFFERS`; CommandError for a
   *   malformed instrument.
   *
   * @example
   * ```js
   * import { EnginePool } from 'tidemark'
   *
   * const pool = await EnginePool.open({
   *   dir: './data',
   *   instruments: [{ symbol: 'BTC-USD', tickSize: '0.01', lotSize: '0.00001' }],
   * })
   * console.log(pool.recovery.tornTail) // undefined, or what a crash left at the end of the log and was cut
   * await pool.close() // a pool that is open keeps the process alive
   * ```
   */
  static async open(options: EnginePoolOptions & { [rulesVersionOf]?: number }): Promise<EnginePool> {
    const settings = resolvePoolSettings(options)
    let snapshot: PoolSnapshot | undefined
    let started: (threads: ShardThreads | Promise<never>) => void = () => {}
    const starting = new Promise<ShardThreads>((resolve) => {
      started = resolve
    })
    starting.catch(() => {})
    const opening = DurableLog.openWithoutPreallocator(
      { ...options, dir: settings.dir, contentVersion: options[rulesVersionOf] ?? rulesVersion },
      async (dir) => {
        // The log is checked from where the snapshot ends, so it must be known to be whole.
        snapshot = await restoreNewest(dir, async (candidate) => (await starting).restore(candidate))
        return snapshot?.header.replayFromLsn ?? 0
      },
    )
    // A folder that is in use is known by now, and is no reason to start threads.
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
          snapshot,
          waiting,
          start: (data, transferList) => threads.begin(data, transferList),
        }),
    )
    try {
      checkSnapshot(snapshot, log)
      const clock = options.clock ?? systemClock
      const [cursors, ...ready] = await Promise.all([
        CursorStore.open(log, { keepBytes: settings.cursorKeepBytes, clock }),
        ...shards.map((shard) => Promise.race([shard.ready, shard.ended.then(unreachable)])),
      ])
      log.startPreallocator()
      registry.restore(ready.flatMap(({ instruments }) => instruments))
      // Whoever waits for the log's `error` from here on would wait for an event that was.
      if (log.poisoned) throw log.poisoned
      const pool = new EnginePool(log, threads, shards, waiting, settings, snapshot, cursors, clock)
      try {
        await pool.#addInstruments(registry.missing(options.instruments ?? []))
      } catch (error) {
        await pool.close()
        throw error
      }
      return pool
    } catch (error) {
      for (const shard of shards) shard.inbound.stop()
      await threads.destroy()
      for (const shard of shards) shard.close()
      await log.close()
      throw error
    }
  }

  private constructor(
    log: DurableLog,
    threads: ShardThreads,
    shards: ShardHandle[],
    waiting: WaiterContext,
    settings: PoolSettings,
    snapshot: PoolSnapshot | undefined,
    cursors: CursorStore,
    clock: Clock,
  ) {
    super()
    this.#log = log
    this.#threads = threads
    this.#shards = shards
    const { registry, latency } = waiting
    this.#registry = registry
    this.#latency = latency
    this.#intake = new Intake({
      shards,
      waiting,
      maxInFlight: settings.maxInFlight,
      durableLsn: () => log.durableLsn,
      refusal: () => this.#refusal() ?? log.fullDisk(),
      drain: () => this.emit('drain'),
    })
    this.#questions = new PoolQuestions({
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
      clock,
      snapshot,
    })
    const { schedule } = this.#checkpointer
    schedule.onFailed = (failure) => this.emit('checkpointFailed', failure)
    schedule.onOverdue = (overdue) => this.emit('checkpointOverdue', overdue)
    this.#cursors = cursors
    cursors.onInvalidated = (invalidation) => this.emit('cursorInvalidated', invalidation)
    this.#subscriptions = new Subscriptions(log, registry, cursors)
    const publisher = new Publisher(
      shards.map(({ waiters }) => waiters),
      latency,
      () => log.durableLsn,
    )
    this.#follower = log.tail(log.recovery.endLsn)
    this.#following = this.#follower.start((chunk) => this.#settled(publisher.publish(chunk)))
    this.#following.catch((error) => log.poison(error))
    log.on('error', (error) => this.#fail(error))
    log.on('diskFull', (error) => this.emit('diskFull', schedule.explain(error)))
    log.on('diskReady', () => {
      schedule.diskReady()
      this.emit('diskReady')
    })
    log.on('preallocationFailed', (error) => this.emit('preallocationFailed', error))
    for (const shard of shards) shard.ended.catch((error) => this.#shardEnded(error))
  }

  /** The log's threads, then the shards'. @internal */
  get [threadsOf](): readonly Worker[] {
    return [...this.#log[threadsOf], ...this.#threads.workers]
  }

  /** LSN up to which everything is on disk. */
  get durableLsn(): number {
    return this.#log.durableLsn
  }

  /** What opening found; see `RecoveryReport`. */
  get recovery(): RecoveryReport {
    return this.#log.recovery
  }

  /** The pool's folder. */
  get dir(): string {
    return this.#log.dir
  }

  /** Whether so much is in flight that a well-behaved caller waits for `drain` before it submits more. */
  get needsDrain(): boolean {
    return this.#intake.needsDrain
  }

  /**
   * Executes one command; the report says what became of it when that is on disk. A command that the book refuses is
   * an outcome (`status: 'rejected'`), not an error.
   *
   * @throws CommandError or PoolError for what is malformed: nothing was logged. `TIDEMARK_BACKPRESSURE`, which carries
   *   no stack frames and is shared by the calls that are refused in one turn, when `maxInFlight` commands are in flight: wait for `drain`; `TIDEMARK_DISK_FULL` and `TIDEMARK_TOO_MANY_FILES` until `diskReady`, `TIDEMARK_POOL_CLOSED`, and `TIDEMARK_LOG_POISONED` when the outcome is
   *   unknown.
   *
   * @example
   * ```js
   * import { EnginePool } from 'tidemark'
   *
   * const pool = await EnginePool.open({
   *   dir: './data',
   *   instruments: [{ symbol: 'BTC-USD', tickSize: '0.01', lotSize: '0.00001' }],
   * })
   * const report = await pool.submit({
   *   type: 'new',
   *   symbol: 'BTC-USD',
   *   orderId: 1,
   *   account: 7,
   *   side: 'buy',
   *   orderType: 'limit',
   *   price: '64000.00', // decimal strings, or numbers that stand for them exactly
   *   quantity: '0.5',
   * })
   * console.log(report.status, report.filled, report.remaining) // resting 0.00000 0.50000
   * await pool.close()
   * ```
   */
  submit(command: Command): Promise<ExecutionReport> {
    return this.#intake.submit(command)
  }

  /**
   * Executes many commands with one promise, which resolves when all are on disk. Takes a `CommandBatch`, which may be
   * filled again as soon as this returns, or plain objects as `submit` does. Either all are taken or none.
   *
   * @throws as `submit`; for plain objects `details.index` is the place of the malformed one.
   *   `TIDEMARK_BATCH_TOO_LARGE` for more than `maxInFlight` commands, or more bytes than a shard's queue takes.
   *
   * @example
   * ```js
   * import { EnginePool } from 'tidemark'
   *
   * const pool = await EnginePool.open({
   *   dir: './data',
   *   instruments: [{ symbol: 'BTC-USD', tickSize: '0.01', lotSize: '0.00001' }],
   * })
   * const report = await pool.submitBatch([
   *   { type: 'cancel', symbol: 'BTC-USD', orderId: 1 },
   *   { type: 'cancel', symbol: 'BTC-USD', orderId: 2 },
   * ])
   * console.log(report.commands, report.rejected) // 2 2: there are no such orders
   * await pool.close()
   * ```
   */
  submitBatch(commands: CommandBatch | readonly Command[]): Promise<BatchReport> {
    return new Promise((resolve, reject) => {
      this.#intake.submitBatch(commands, resolve, reject)
    })
  }

  /** An empty batch for this pool. */
  batch(): CommandBatch {
    return this.#intake.batch()
  }

  /** Adds an instrument: a logged command like any other. @throws as `submit`, and `TIDEMARK_DUPLICATE_SYMBOL`. */
  addInstrument(instrument: InstrumentOptions): Promise<ExecutionReport> {
    return this.submit({ ...instrument, type: 'instrument' })
  }

  /** Adds instruments in order, as many at once as surely fit. */
  async #addInstruments(instruments: readonly InstrumentOptions[]): Promise<void> {
    const step = this.#intake.instrumentsAtOnce
    for (let from = 0; from < instruments.length; from += step) {
      const part = instruments.slice(from, from + step)
      await Promise.all(part.map((instrument) => this.addInstrument(instrument)))
    }
  }

  /** Every instrument of the pool, in the order in which they were added. */
  instruments(): Instrument[] {
    return this.#registry.list()
  }

  /** The instrument of a symbol; `undefined` when there is none. */
  instrument(symbol: string): Instrument | undefined {
    const instrument = this.#registry.find(symbol)
    return instrument && describe(instrument)
  }

  /**
   * The durable events in LSN order, gap-free, from after `from` or after what a `cursor` acknowledged, and live
   * until the signal, `to` or `close`. A subscriber reads files until it has caught up and then gets events from memory;
   * one that stops reading slows nothing.
   *
   * @throws LogError `TIDEMARK_BAD_LSN` when `from` is not in the log, or not any more, `TIDEMARK_BAD_SETTING`; PoolError
   *   `TIDEMARK_POOL_CLOSED`; with a cursor also `TIDEMARK_CURSOR_IN_USE`, `TIDEMARK_CURSOR_EXISTS`,
   *   `TIDEMARK_CURSOR_INVALIDATED`, `TIDEMARK_CURSOR_DAMAGED`, `TIDEMARK_BAD_ARGUMENT`.
   *
   * @example
   * ```js
   * import { EnginePool } from 'tidemark'
   *
   * const pool = await EnginePool.open({
   *   dir: './data',
   *   instruments: [{ symbol: 'BTC-USD', tickSize: '0.01', lotSize: '0.00001' }],
   * })
   * const risk = pool.subscribe({ cursor: 'risk' }) // continues after what was acknowledged, also in another process
   * for await (const event of risk) {
   *   console.log(event.event, event.symbol) // instrument-created BTC-USD
   *   risk.acknowledge()
   *   break
   * }
   * await risk.flush() // the acknowledgement is on disk
   * await pool.close()
   * ```
   */
  subscribe(options: SubscribeOptions = {}): Subscription {
    if (this.#closing) throw poolClosed()
    return this.#subscriptions.open(options)
  }

  /** Every cursor of the pool, by name. */
  cursors(): CursorInfo[] {
    return this.#cursors.list()
  }

  /**
   * Deletes a cursor that no subscription holds, in whatever state it is; it keeps no log any more.
   *
   * @throws PoolError `TIDEMARK_UNKNOWN_CURSOR`, `TIDEMARK_CURSOR_IN_USE`, `TIDEMARK_POOL_CLOSED`; LogError
   *   `TIDEMARK_LOG_IO`.
   */
  dropCursor(name: string): Promise<void> {
    return this.#cursors.drop(name)
  }

  /**
   * The best `levels` prices of both sides.
   *
   * @throws PoolError `TIDEMARK_UNKNOWN_SYMBOL`, `TIDEMARK_BAD_ARGUMENT`; `TIDEMARK_BACKPRESSURE` when `maxQuestions`
   *   questions wait for their answers.
   *
   * @example
   * ```js
   * import { EnginePool } from 'tidemark'
   *
   * const pool = await EnginePool.open({
   *   dir: './data',
   *   instruments: [{ symbol: 'BTC-USD', tickSize: '0.01', lotSize: '0.00001' }],
   * })
   * const { bids, asks, lsn } = await pool.depth('BTC-USD', 5)
   * console.log(bids.length, asks.length, lsn) // each level has price, quantity and orders
   * await pool.close()
   * ```
   */
  depth(symbol: string, levels = 10): Promise<Depth> {
    return this.#questions.depth(symbol, levels)
  }

  /** One live order. @throws as `depth`. */
  order(symbol: string, orderId: number): Promise<OrderAnswer> {
    return this.#questions.order(symbol, orderId)
  }

  /**
   * The highest `requestId` that an account has had executed in a symbol: where to go on after a crash.
   *
   * @throws as `depth`; CommandError for a malformed account.
   */
  lastRequestId(account: number, symbol: string): Promise<LastRequestAnswer> {
    return this.#questions.lastRequestId(account, symbol)
  }

  /**
   * A digest of every book, for comparing two states: equal digests, equal futures. A shard walks all of its books in one
   * go, and its commands wait meanwhile: a sixth of a millisecond for each thousand resting orders, half a second for
   * three million. Ask for it to compare, and not while others trade.
   *
   * @throws as `depth`.
   */
  digest(): Promise<DigestAnswer> {
    return this.#questions.digest()
  }

  /**
   * Writes a snapshot of all books while the pool goes on, and removes what is kept no longer. Opening starts from the
   * newest valid snapshot and replays the log after it. Matching goes on: a shard copies its books in steps between commands,
   * and a thread of its own writes and checks the file.
   *
   * @throws LogError `TIDEMARK_LOG_IO`, `TIDEMARK_LOG_CORRUPT` when the file does not read back as it was written,
   *   `TIDEMARK_THREAD_DIED`, and others of the log; PoolError `TIDEMARK_POOL_CLOSED`, `TIDEMARK_CHECKPOINT_OVERRUN` when orders change
   *   faster than the snapshot can be written: the last one stays.
   */
  async checkpoint(): Promise<CheckpointReport> {
    this.#checkUsable()
    return this.#checkpointer.checkpoint()
  }

  /**
   * Copies the pool, as it runs, into an empty folder that can be opened like this one: a fresh snapshot and the log
   * after it.
   *
   * @throws as `checkpoint`, and PoolError `TIDEMARK_BAD_ARGUMENT` (the folder is not empty), `TIDEMARK_BACKUP_OVERTAKEN`;
   *   LogError `TIDEMARK_LOG_IO`, `TIDEMARK_LOG_CORRUPT`.
   */
  async backup(dir: string): Promise<BackupReport> {
    if (typeof dir !== 'string' || dir === '') {
      throw new PoolError('TIDEMARK_BAD_ARGUMENT', 'backup takes the path of a folder.', { dir })
    }
    await this.checkpoint()
    return backupInThread({ source: this.dir, target: path.resolve(dir), syncedLsn: this.durableLsn })
  }

  /** Counts since the pool was opened, and what is under way now; see `PoolStats`. */
  stats(): PoolStats {
    const shards = this.#shards.map((shard) => shard.stats())
    const sum = (count: (shard: (typeof shards)[number]) => number) =>
      shards.reduce((total, shard) => total + count(shard), 0)
    return {
      shards,
      commands: sum((shard) => shard.commands),
      trades: sum((shard) => shard.trades),
      rejected: sum((shard) => shard.rejected),
      inFlight: this.#intake.inFlight,
      maxInFlight: this.#intake.maxInFlight,
      needsDrain: this.needsDrain,
      questions: this.#questions.waiting,
      maxQuestions: this.#questions.max,
      acknowledgementLatency: this.#latency.summary(),
      log: this.#log.stats(),
      checkpoints: this.#checkpointer.schedule.stats(),
      subscriptions: this.#subscriptions.stats(),
    }
  }

  /**
   * Takes nothing more, settles everything in flight, takes a checkpoint, stores what cursors acknowledged, syncs the
   * files, ends the threads. Subscriptions with a cursor end; the others get the log to its end. A pool that is not closed
   * keeps the process alive.
   *
   * @throws LogError `TIDEMARK_LOG_IO`, when all of that is done, for a cursor that could not be stored.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #close(): Promise<void> {
    await this.#settleAll()
    // Only a convenience for the next opening, which needs it if its matching rules are others.
    if (!this.#poisoned && this.#checkpointer.dueAtClose)
      await this.#checkpointer.checkpoint().catch(() => {})
    for (const shard of this.#shards) shard.inbound.stop()
    await Promise.allSettled(this.#shards.map((shard) => shard.ended))
    // While the folder is still this pool's.
    const unstored = await this.#cursors.close().catch((error: unknown) => error)
    await this.#log.close()
    for (const shard of this.#shards) {
      shard.fail(this.#poisoned ?? poolClosed())
      shard.close()
    }
    await this.#threads.destroy()
    await this.#checkpointer.endThread()
    if (unstored) throw unstored
  }

  /** After poison: what is below the mark is still delivered, then everybody who waits gets the cause. */
  async #fail(error: LogPoisonedError): Promise<void> {
    this.#poisoned = error
    this.#onDrained?.()
    for (const shard of this.#shards) shard.inbound.stop()
    await this.#follower.stop().catch(() => {})
    for (const shard of this.#shards) shard.fail(error)
    this.emit('error', error)
  }

  /**
   * A shard that only found the log poisoned knows less than who poisoned it, whose message may still be under way: it
   * has its say first.
   */
  #shardEnded(error: { code?: string }): void {
    const delayMs = error.code === 'TIDEMARK_LOG_POISONED' ? causeDelayMs : 0
    setTimeout(() => this.#log.poison(error), delayMs).unref()
  }

  #settled(commands: number): void {
    // One that fails leaves the last one in place; the schedule tells of it and tries again later.
    if (this.#checkpointer.due(commands) && !this.#closing) this.#checkpointer.checkpoint().catch(() => {})
    this.#intake.settled(commands)
    if (this.#intake.inFlight === 0) this.#onDrained?.()
  }

  /** Waits until everything in flight is settled; where the disk has no room for it, it is rejected instead. */
  async #settleAll(): Promise<void> {
    let over = false
    const settled = this.#checkpointer
      .close()
      .then(() => this.#drained())
      .finally(() => {
        over = true
      })
    while (!over && !this.#log.isStuck) await Promise.race([settled, sleep(stuckLookMs)])
    if (!over) this.#log.poison(this.#log.stuckError)
    await settled
  }

  /** Resolves when nothing is in flight any more, or nothing will settle it. */
  async #drained(): Promise<void> {
    if (this.#intake.inFlight === 0 || this.#poisoned) return
    await new Promise<void>((resolve) => {
      this.#onDrained = resolve
    })
  }

  /** Why nothing is taken any more, once nothing is. */
  #refusal(): Error | undefined {
    return this.#poisoned ?? (this.#closing && poolClosed())
  }

  #checkUsable(): void {
    const refusal = this.#refusal()
    if (refusal) throw refusal
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

function unreachable(): never {
  throw new Error('an answer of another kind than the question')
}
