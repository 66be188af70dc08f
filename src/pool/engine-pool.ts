import * as path from 'node:path'
import type { Worker } from 'node:worker_threads'
import type { Clock } from '../base/clock.js'
import { Emitter } from '../base/emitter.js'
import { type DurableLog, type OutsideReader, type RecoveryReport, threadsOf } from '../log/index.js'
import type { Command, InstrumentDetailFields } from '../matching/index.js'
import type { Archiving } from './checkpoint/archiving.js'
import type { BackupReport } from './checkpoint/backup.js'
import { backupInThread } from './checkpoint/backup-thread.js'
import { Checkpointer } from './checkpoint/checkpointer.js'
import type { AcknowledgementLatency } from './delivery/acknowledgement-latency.js'
import type { CursorStore } from './delivery/cursors.js'
import { Publisher } from './delivery/publisher.js'
import type { Subscription } from './delivery/subscription.js'
import { Subscriptions } from './delivery/subscriptions.js'
import { PoolError, poolClosed } from './errors.js'
import { forwardEvents, type PoolEvents } from './event-forwarding.js'
import { describe, type InstrumentRegistry } from './instruments.js'
import type { CommandBatch } from './intake/command-batch.js'
import { closedGuard } from './intake/command-guard.js'
import { Intake } from './intake/intake.js'
import { PhaseSchedule, type ScheduledPhase } from './intake/phase-schedule.js'
import { PoolQuestions } from './intake/pool-questions.js'
import { type LedgerDoor, ledgerDoor } from './ledger-door.js'
import { PoolLifetime } from './pool-lifetime.js'
import { openParts, type PoolParts, type rulesVersionOf } from './pool-opening.js'
import type { ShardHandle } from './shard/shard-handle.js'
import type { ShardThreads } from './shard/shard-threads.js'
import type {
  BatchReport,
  CheckpointReport,
  CursorInfo,
  Depth,
  DigestAnswer,
  EnginePoolOptions,
  ExecutionReport,
  HighestOrderIdAnswer,
  IndicativeAnswer,
  Instrument,
  InstrumentOptions,
  LastRequestAnswer,
  OpenOrdersOptions,
  OpenOrdersPage,
  OrderAnswer,
  PoolStats,
  SubscribeOptions,
} from './types.js'

/**
 * A pool of matching engines over one durable log. Every command is matched in a worker thread, and its promise
 * resolves when the command and all that it caused is on disk.
 *
 * Events:
 * - `drain`, after `needsDrain` was true or a call was refused with `TIDEMARK_BACKPRESSURE`: so much is settled that more
 *   may be submitted;
 * - `error`, once: the pool is poisoned, because a write, a sync or a thread failed. Every pending promise is rejected, and
 *   the pool must be closed and opened again;
 * - `diskFull` and `diskReady`: the log soon has no room on the disk, or no descriptor, to continue; it has again;
 * - `preallocationFailed`: the log's next segment could not be preallocated for another reason, so rotations are slow;
 * - `cursorInvalidated`: the log that a cursor needs is deleted, because the cursor lags by more than `cursorKeepBytes`;
 * - `readerLost`, at the next checkpoint: a reader outside (a store, an archiver) that has a cursor died; its log is kept as before;
 * - `readerOvertaken`: the log that such a reader needs is deleted, because it lags by more than `cursorKeepBytes`;
 * - `checkpointFailed`, for each checkpoint that failed, also one that was asked for and the one of a close, which resolves
 *   all the same;
 * - `checkpointOverdue`, while they fail: the log after the last one has grown to 2, 4, 8 … times `checkpointBytes`;
 * - `fenced`: another primary took over, so this pool has ended; what it acknowledged is in the log that the other one has;
 * - `replicationStalled` and `replicationResumed`: the replicated log takes nothing, and takes entries again;
 *   `replicationIncomplete` when the pool is closed before all of its log is replicated;
 * - `archiveStalled`, for each try to archive that failed, and `archiveResumed`: the log keeps what is not archived meanwhile.
 */
export class EnginePool extends Emitter<PoolEvents> {
  readonly #log: DurableLog
  readonly #threads: ShardThreads
  readonly #shards: readonly ShardHandle[]
  readonly #registry: InstrumentRegistry
  readonly #latency: AcknowledgementLatency
  readonly #intake: Intake
  readonly #publisher: Publisher
  readonly #questions: PoolQuestions
  readonly #checkpointer: Checkpointer
  readonly #cursors: CursorStore
  readonly #archiving: Archiving | undefined
  readonly #subscriptions: Subscriptions
  readonly #lifetime: PoolLifetime
  readonly #clock: Clock
  readonly #schedules = new Set<PhaseSchedule>()

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
    return EnginePool.ofParts(await openParts(options), options.instruments)
  }

  /** A pool of what was opened already, with the instruments that it must have. @internal */
  static async ofParts(
    parts: PoolParts,
    instruments: readonly InstrumentOptions[] = [],
  ): Promise<EnginePool> {
    const pool = new EnginePool(parts)
    try {
      await pool.#intake.restoreBlocks()
      await pool.#addInstruments(parts.waiting.registry.missing(instruments))
    } catch (error) {
      await pool.close().catch(() => {}) // what failed first says more
      throw error
    }
    return pool
  }

  private constructor(parts: PoolParts) {
    super()
    const { log, threads, shards, waiting, settings, cursors } = parts
    const { registry, latency } = waiting
    this.#log = log
    this.#clock = settings.clock
    this.#threads = threads
    this.#shards = shards
    this.#registry = registry
    this.#latency = latency
    this.#cursors = cursors
    this.#archiving = parts.archiving
    this.#intake = new Intake({
      shards,
      waiting,
      maxInFlight: settings.maxInFlight,
      durableLsn: () => log.durableLsn,
      refusal: () => this.#lifetime.refusal ?? log.fullDisk(),
      expiryClock: settings.refuseExpired ? settings.clock : undefined,
      drain: () => this.emit('drain'),
    })
    if (parts.hasLedger) this.#intake.guard = closedGuard
    this.#questions = new PoolQuestions({
      shards,
      registry,
      max: settings.maxQuestions,
      checkUsable: () => this.#lifetime.checkUsable(),
    })
    this.#subscriptions = new Subscriptions(log, registry, cursors)
    this.#checkpointer =
      parts.checkpointer ?? new Checkpointer({ ...parts, registry, settings: settings.checkpoints })
    const queues = shards.map(({ waiters }) => waiters)
    const publisher = new Publisher(queues, waiting, () => log.durableLsn, log.recovery.endLsn)
    this.#publisher = publisher
    const tailer = log.tail(log.recovery.endLsn)
    this.#lifetime = new PoolLifetime({
      ...parts,
      tailer,
      checkpointer: this.#checkpointer,
      inFlight: () => this.#intake.inFlight,
      onPoisoned: (error) => {
        this.#intake.poisoned(error)
        this.emit('error', error)
      },
    })
    tailer.start((chunk) => this.#settled(publisher.publish(chunk))).catch((error) => log.poison(error))
    forwardEvents({ log, checkpointer: this.#checkpointer, cursors, archiving: parts.archiving }, this)
  }

  /** What a ledger needs of the pool. @internal */
  get [ledgerDoor](): LedgerDoor {
    return {
      clock: this.#clock,
      log: this.#log,
      registry: this.#registry,
      shards: this.#shards.length,
      intake: this.#intake,
      publisher: this.#publisher,
      checkpointer: this.#checkpointer,
      refusal: () => this.#lifetime.refusal,
    }
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

  /**
   * Changes what an instrument says of itself: fields that are stated count from now on, `null` removes one, the rest stays. A
   * logged command like any other. @throws as `submit`.
   *
   * @example
   * ```js
   * import { EnginePool } from 'tidemark'
   *
   * const pool = await EnginePool.open({
   *   dir: './data',
   *   instruments: [{ symbol: 'BTC-USD', tickSize: '0.01', lotSize: '0.00001', minNotional: 10 }],
   * })
   * await pool.changeInstrument('BTC-USD', { minPrice: '1', minNotional: null, info: { listed: '2024-01-05' } })
   * console.log(pool.instrument('BTC-USD')?.minPrice) // 1.00
   * await pool.close()
   * ```
   */
  changeInstrument(symbol: string, change: InstrumentDetailFields): Promise<ExecutionReport> {
    return this.submit({ ...change, symbol, type: 'instrument-change' })
  }

  /**
   * Sends phases when their time has come, by this process's clock; the log holds the commands only. Closing the pool stops it.
   *
   * @throws PoolError `TIDEMARK_BAD_ARGUMENT`, `TIDEMARK_UNKNOWN_SYMBOL`, CommandError for what is malformed, before anything is sent.
   *
   * @example
   * ```js
   * import { EnginePool } from 'tidemark'
   *
   * const pool = await EnginePool.open({
   *   dir: './data',
   *   instruments: [{ symbol: 'BTC-USD', tickSize: '0.01', lotSize: '0.00001', phase: 'closed' }],
   * })
   * const symbol = 'BTC-USD'
   * const day = pool.schedulePhases([
   *   { at: new Date('2024-01-05T08:00:00Z'), symbol, phase: 'pre-open' },
   *   { at: new Date('2024-01-05T09:00:00Z'), symbol, phase: 'continuous' }, // the opening: trades all that meets at one price
   *   { at: new Date('2024-01-05T17:00:00Z'), symbol, phase: 'auction', closing: true },
   *   { at: new Date('2024-01-05T17:05:00Z'), symbol, phase: 'closed' },
   * ])
   * await day.done // of a day that is over, the last phase is sent at once
   * console.log(pool.instrument(symbol)?.phase) // closed
   * await pool.close()
   * ```
   */
  schedulePhases(phases: readonly ScheduledPhase[]): PhaseSchedule {
    this.#lifetime.checkUsable()
    const schedule = new PhaseSchedule(phases, {
      clock: this.#clock,
      check: (command) => this.#intake.check(command),
      submit: (command) => this.submit(command),
    })
    this.#schedules.add(schedule)
    const forget = () => this.#schedules.delete(schedule)
    schedule.done.then(forget, forget)
    return schedule
  }

  /** Adds instruments in order, as many at once as surely fit. */
  async #addInstruments(instruments: readonly InstrumentOptions[]): Promise<void> {
    const step = this.#intake.instrumentsAtOnce
    for (let from = 0; from < instruments.length; from += step) {
      const part = instruments.slice(from, from + step)
      await Promise.all(part.map((instrument) => this.addInstrument(instrument)))
    }
  }

  /**
   * Cancels all orders of an account in every symbol, and refuses new ones with `ACCOUNT_BLOCKED` until it is unblocked: a logged command
   * like any other, which resolves when it is on disk for every symbol. @throws as `submit`.
   *
   * @example
   * ```js
   * import { EnginePool } from 'tidemark'
   *
   * const pool = await EnginePool.open({
   *   dir: './data',
   *   instruments: [{ symbol: 'BTC-USD', tickSize: '0.01', lotSize: '0.00001' }],
   * })
   * await pool.block(7)
   * const { status, code } = await pool.submit({
   *   type: 'new',
   *   symbol: 'BTC-USD',
   *   account: 7,
   *   side: 'buy',
   *   orderType: 'limit',
   *   price: 1,
   *   quantity: 1,
   * })
   * console.log(status, code, pool.blockedAccounts()) // rejected ACCOUNT_BLOCKED [ 7 ]
   * await pool.unblock(7)
   * await pool.close()
   * ```
   */
  block(account: number): Promise<ExecutionReport> {
    return this.submit({ type: 'block', account })
  }

  /** Takes orders of an account again. @throws as `submit`. */
  unblock(account: number): Promise<ExecutionReport> {
    return this.submit({ type: 'unblock', account })
  }

  /** The accounts that are blocked, as far as that is on disk, ascending. */
  blockedAccounts(): number[] {
    return this.#intake.blockedAccounts()
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
    if (this.#lifetime.isClosing) throw poolClosed()
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
   * Who reads this pool's log from outside, such as a store in another process, and has a named cursor on it. Log that one
   * needs is kept as for a cursor of the pool.
   *
   * @throws LogError `TIDEMARK_LOG_IO`.
   */
  readers(): Promise<OutsideReader[]> {
    return this.#cursors.outside.look()
  }

  /**
   * Deletes the cursor of a reader outside that does not have it open, so that it keeps no log any more.
   *
   * @throws PoolError `TIDEMARK_UNKNOWN_CURSOR`; LogError `TIDEMARK_CURSOR_IN_USE`, `TIDEMARK_LOG_IO`.
   */
  dropReader(name: string): Promise<void> {
    return this.#cursors.outside.drop(name)
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

  /**
   * The price of a call as it stands: what would trade, and at which price, if it ended now.
   *
   * @throws as `depth`.
   *
   * @example
   * ```js
   * import { EnginePool } from 'tidemark'
   *
   * const pool = await EnginePool.open({
   *   dir: './data',
   *   instruments: [{ symbol: 'BTC-USD', tickSize: '1', lotSize: '1', phase: 'pre-open' }],
   * })
   * const batch = pool.batch()
   * batch.add({ type: 'new', symbol: 'BTC-USD', orderType: 'limit', account: 1, side: 'buy', price: 102, quantity: 5 })
   * batch.add({ type: 'new', symbol: 'BTC-USD', orderType: 'limit', account: 2, side: 'sell', price: 100, quantity: 3 })
   * await pool.submitBatch(batch)
   * const { price, quantity, surplus, surplusSide } = await pool.indicative('BTC-USD')
   * console.log(price, quantity, surplus, surplusSide) // 102 3 2 buy
   * await pool.submit({ type: 'phase', symbol: 'BTC-USD', phase: 'continuous' }) // trades 3 at 102
   * await pool.close()
   * ```
   */
  indicative(symbol: string): Promise<IndicativeAnswer> {
    return this.#questions.indicative(symbol)
  }

  /** One live order. @throws as `depth`. */
  order(symbol: string, orderId: number): Promise<OrderAnswer> {
    return this.#questions.order(symbol, orderId)
  }

  /**
   * A page of an account's open orders, in one symbol or in all. Pages follow each other by the place where one ends, whatever
   * happens in between: an order that is open all the time is on one of them, once.
   *
   * @throws as `depth`; CommandError for a malformed account.
   *
   * @example
   * ```js
   * import { EnginePool } from 'tidemark'
   *
   * const pool = await EnginePool.open({
   *   dir: './data',
   *   instruments: [{ symbol: 'BTC-USD', tickSize: '0.01', lotSize: '0.00001' }],
   * })
   * let after
   * do {
   *   const { orders, next } = await pool.openOrders({ account: 7, symbol: 'BTC-USD', after })
   *   for (const { orderId, price, remaining } of orders) console.log(orderId, price, remaining)
   *   after = next
   * } while (after)
   * await pool.close()
   * ```
   */
  openOrders(options: OpenOrdersOptions): Promise<OpenOrdersPage> {
    return this.#questions.openOrders(options)
  }

  /** The highest id that an accepted order of a symbol has had, dead or alive: ids above it are free. @throws as `depth`. */
  highestOrderId(symbol: string): Promise<HighestOrderIdAnswer> {
    return this.#questions.highestOrderId(symbol)
  }

  /**
   * The highest `requestId` that an account has had executed in a symbol: where to resume after a crash.
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
   * Writes a snapshot of all books while the pool runs, and removes snapshots and log that are kept no longer. Opening starts from the
   * newest valid snapshot and replays the log after it. Matching continues: a shard copies its books in steps between commands,
   * and a thread of its own writes and checks the file.
   *
   * @throws LogError `TIDEMARK_LOG_IO`, `TIDEMARK_LOG_CORRUPT` when the file does not read back as it was written,
   *   `TIDEMARK_THREAD_DIED`, and others of the log; PoolError `TIDEMARK_POOL_CLOSED`, `TIDEMARK_CHECKPOINT_OVERRUN` when orders change
   *   faster than the snapshot can be written: the last one stays.
   */
  async checkpoint(): Promise<CheckpointReport> {
    this.#lifetime.checkUsable()
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
    const log = this.#log.stats()
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
      log,
      checkpoints: this.#checkpointer.schedule.stats(),
      archive: this.#archiving?.stats(),
      replication: log.replication,
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
    for (const schedule of this.#schedules) schedule.stop()
    return this.#lifetime.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #settled(commands: number): void {
    // One that fails is reported by the schedule, which tries again; the last one stays in place.
    if (this.#checkpointer.due(commands) && !this.#lifetime.isClosing)
      this.#checkpointer.checkpoint().catch(() => {})
    this.#intake.settled(commands)
    this.#lifetime.settled()
  }
}
