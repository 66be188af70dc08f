import { EventEmitter } from 'node:events'
import * as path from 'node:path'
import type { Worker } from 'node:worker_threads'
import { Piscina } from 'piscina'
import { threadsOf } from '../log/durable-log.js'
import { LogError, type LogPoisonedError } from '../log/errors.js'
import type { LogFollower } from '../log/follower.js'
import { DurableLog, type RecoveryReport } from '../log/index.js'
import {
  accountOf,
  type Command,
  encodeCommand,
  encodeInstrument,
  fromSteps,
  type InstrumentCommand,
  maxCommandWords,
  rulesVersion,
  tagHighWord,
  tagLowWord,
  unknownType,
} from '../matching/index.js'
import { backupInThread } from './archive.js'
import type { BackupReport } from './backup.js'
import { Checkpointer } from './checkpointer.js'
import { CommandBatch } from './command-batch.js'
import { backpressure, PoolError, poolClosed } from './errors.js'
import { ReportSlab } from './execution-report.js'
import { describe, InstrumentRegistry, type PoolInstrument } from './instruments.js'
import { Publisher } from './publisher.js'
import { questionKind, requestWords } from './requests.js'
import { type PoolSettings, resolvePoolSettings } from './settings.js'
import { ShardHandle } from './shard-handle.js'
import type { ShardThreadData } from './shard-thread.js'
import { type Snapshot, soundSnapshots } from './snapshot-file.js'
import { subscription } from './subscription.js'
import type {
  BatchReport,
  CheckpointReport,
  Depth,
  DigestAnswer,
  EnginePoolOptions,
  ExecutionReport,
  Instrument,
  InstrumentOptions,
  LastRequestAnswer,
  OrderAnswer,
  PoolEvent,
  PoolStats,
  SubscribeOptions,
} from './types.js'
import { BatchWaiter, CommandWaiter, EverywhereWaiter, type Waiter } from './waiters.js'

export const depthLevelsMax = 100_000
const causeDelayMs = 300

interface PoolEvents {
  drain: []
  error: [LogPoisonedError]
}

/**
 * A pool of matching engines over one durable log. Every command is matched in a worker thread, and its promise
 * resolves when the command and all that it caused is on disk.
 *
 * Events: `drain`, when so much is settled that more may be submitted after `needsDrain` was true; `error`, once, when
 * the pool is poisoned: a write, a sync or a thread failed, every pending promise is rejected, and the pool must be
 * closed and opened again.
 */
export class EnginePool extends EventEmitter<PoolEvents> {
  readonly #log: DurableLog
  readonly #follower: LogFollower
  readonly #threads: Piscina
  readonly #shards: ShardHandle[]
  readonly #registry: InstrumentRegistry
  readonly #maxInFlight: number
  readonly #context: { slab: ReportSlab; registry: InstrumentRegistry }
  readonly #words = new Int32Array(maxCommandWords)
  readonly #following: Promise<void>
  readonly #checkpointer: Checkpointer
  #inFlight = 0
  #full = false
  #closing: Promise<void> | undefined
  #poisoned: LogPoisonedError | undefined

  /**
   * Opens the pool in a folder. Everything that was acknowledged there before is back: the log is checked, a torn tail
   * cut, and every book replayed, each logged event compared.
   *
   * @throws LogError `TIDEMARK_BAD_SETTING`, `TIDEMARK_LOG_LOCKED`, `TIDEMARK_LOG_CORRUPT`, `TIDEMARK_LOG_FORMAT`,
   *   `TIDEMARK_LOG_IO`, `TIDEMARK_REPLAY_DIFFERS`; PoolError `TIDEMARK_INSTRUMENT_DIFFERS`; CommandError for a
   *   malformed instrument.
   */
  static async open(options: EnginePoolOptions): Promise<EnginePool> {
    const settings = resolvePoolSettings(options)
    const log = await DurableLog.open({ ...options, dir: settings.dir, contentVersion: rulesVersion })
    const snapshot = await usableSnapshot(log).catch(async (error) => {
      await log.close()
      throw error
    })
    const threads = new Piscina<ShardThreadData, void>({
      filename: new URL('../../workers/shard.js', import.meta.url).href,
      minThreads: settings.shards,
      maxThreads: settings.shards,
      idleTimeout: Number.POSITIVE_INFINITY,
      concurrentTasksPerWorker: 1,
      recordTiming: false,
      execArgv: [],
    })
    const shards = Array.from(
      { length: settings.shards },
      (_, shard) =>
        new ShardHandle({
          shard,
          shards: settings.shards,
          log,
          maxInFlight: settings.maxInFlight,
          snapshot,
          start: (data, transferList) => threads.run(data, { transferList }),
        }),
    )
    try {
      const ready = await Promise.all(
        shards.map((shard) => Promise.race([shard.ready, shard.ended.then(unreachable)])),
      )
      const registry = new InstrumentRegistry(settings.shards)
      registry.restore(ready.flatMap(({ instruments }) => instruments))
      const pool = new EnginePool(log, threads, shards, registry, settings, snapshot)
      try {
        await Promise.all(
          registry.missing(options.instruments ?? []).map((instrument) => pool.addInstrument(instrument)),
        )
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
    threads: Piscina,
    shards: ShardHandle[],
    registry: InstrumentRegistry,
    settings: PoolSettings,
    snapshot: Snapshot | undefined,
  ) {
    super()
    this.#log = log
    this.#threads = threads
    this.#shards = shards
    this.#registry = registry
    this.#maxInFlight = settings.maxInFlight
    this.#context = { slab: new ReportSlab(), registry }
    const lastEndLsn = snapshot?.header.endLsn ?? log.firstLsn
    this.#checkpointer = new Checkpointer({
      log,
      shards,
      registry,
      settings: settings.checkpoints,
      lastEndLsn,
    })
    const publisher = new Publisher(shards)
    this.#follower = log.follow(log.recovery.endLsn)
    this.#following = this.#follower.start((chunk) => this.#settled(publisher.publish(chunk)))
    this.#following.catch((error) => log.poison(error))
    log.on('error', (error) => this.#fail(error))
    for (const shard of shards) shard.ended.catch((error) => this.#shardEnded(error))
  }

  /** The log's threads, then the shards'. @internal */
  get [threadsOf](): readonly Worker[] {
    return [...this.#log[threadsOf], ...this.#threads.threads]
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
    return this.#inFlight * 2 >= this.#maxInFlight
  }

  /**
   * Executes one command; the report says what became of it when that is on disk. A command that the book refuses is
   * an outcome (`status: 'rejected'`), not an error.
   *
   * @throws CommandError or PoolError for what is malformed: nothing was logged. `TIDEMARK_BACKPRESSURE` when
   *   `maxInFlight` commands are in flight, `TIDEMARK_POOL_CLOSED`, and `TIDEMARK_LOG_POISONED` when the outcome is
   *   unknown.
   */
  submit(command: Command): Promise<ExecutionReport> {
    return new Promise((resolve, reject) => {
      try {
        this.#checkUsable(1)
        if (typeof command !== 'object' || command === null) throw unknownType(command)
        if (command.type === 'cancel-all') {
          this.#cancelAll(command.account, command.tag, resolve, reject)
          return
        }
        const words = this.#words
        const waiter = new CommandWaiter(this.#context, resolve, reject)
        if (command.type === 'instrument') {
          this.#define(command, waiter)
          return
        }
        const { grids, shard: number } = this.#registry.ofCommand(command)
        const length = encodeCommand(words, 0, command, grids)
        this.#send(number, waiter, length)
      } catch (error) {
        reject(error)
      }
    })
  }

  /**
   * Executes many commands with one promise, which resolves when all are on disk. Takes a `CommandBatch`, which may be
   * filled again as soon as this returns, or plain objects as `submit` does. Either all are taken or none.
   *
   * @throws as `submit`; for plain objects `details.index` is the place of the malformed one.
   *   `TIDEMARK_BATCH_TOO_LARGE` for more than `maxInFlight` commands.
   */
  submitBatch(commands: CommandBatch | readonly Command[]): Promise<BatchReport> {
    return new Promise((resolve, reject) => {
      try {
        const batch = commands instanceof CommandBatch ? commands : this.#encode(commands)
        if (batch.length === 0) {
          resolve({ lsn: this.durableLsn, commands: 0, trades: 0, rejected: 0 })
          return
        }
        this.#checkUsable(batch.length)
        for (const [i, part] of batch.parts.entries()) {
          if (!this.#shards[i]!.inbound.fits(part.used)) throw backpressure(`the queue of shard ${i} is full`)
        }
        const waiter = new BatchWaiter(batch.length, resolve, reject)
        for (const [i, { words, used, commands: count }] of batch.parts.entries()) {
          if (count > 0) this.#shards[i]!.send(waiter.part(count), words, 0, used, count)
        }
        this.#taken(batch.length)
      } catch (error) {
        reject(error)
      }
    })
  }

  /** An empty batch for this pool. */
  batch(): CommandBatch {
    return new CommandBatch({ registry: this.#registry, shards: this.#shards.length })
  }

  /** Adds an instrument: a logged command like any other. @throws as `submit`, and `TIDEMARK_DUPLICATE_SYMBOL`. */
  addInstrument(instrument: InstrumentOptions): Promise<ExecutionReport> {
    return this.submit({ ...instrument, type: 'instrument' })
  }

  instruments(): Instrument[] {
    return this.#registry.list()
  }

  instrument(symbol: string): Instrument | undefined {
    const instrument = this.#registry.find(symbol)
    return instrument && describe(instrument)
  }

  /** The durable events in LSN order, gap-free, from behind `from` on, and live until the signal, `to` or `close`. */
  subscribe(options: SubscribeOptions = {}): AsyncIterableIterator<PoolEvent> {
    const { from, to, signal } = options
    const reader = this.#log.reader({
      ...(from !== undefined && { from }),
      ...(to !== undefined && { to }),
      ...(signal && { signal }),
    })
    return subscription(reader, this.#registry)
  }

  /** The best `levels` prices of both sides. @throws PoolError `TIDEMARK_UNKNOWN_SYMBOL`, `TIDEMARK_BAD_ARGUMENT`. */
  async depth(symbol: string, levels = 10): Promise<Depth> {
    if (!Number.isInteger(levels) || levels < 1 || levels > depthLevelsMax) {
      throw new PoolError(
        'TIDEMARK_BAD_ARGUMENT',
        `levels is ${levels}; use a whole number from 1 to ${depthLevelsMax}.`,
        { levels },
      )
    }
    const { instrument, lsn, answer } = await this.#ask(symbol, questionKind.depth, levels)
    if (answer.question !== 'depth') throw unreachable()
    const { price, quantity } = instrument.grids
    const decimals = (level: { price: number; quantity: number; orders: number }) => ({
      price: fromSteps(level.price, price),
      quantity: fromSteps(level.quantity, quantity),
      orders: level.orders,
    })
    return { lsn, symbol, bids: answer.bids.map(decimals), asks: answer.asks.map(decimals) }
  }

  /** One live order. @throws PoolError `TIDEMARK_UNKNOWN_SYMBOL`, `TIDEMARK_BAD_ARGUMENT`. */
  async order(symbol: string, orderId: number): Promise<OrderAnswer> {
    if (!Number.isSafeInteger(orderId) || orderId < 1) {
      throw new PoolError(
        'TIDEMARK_BAD_ARGUMENT',
        `orderId is ${orderId}; use a whole number from 1 to 2^53-1.`,
        { orderId },
      )
    }
    const { instrument, lsn, answer } = await this.#ask(symbol, questionKind.order, orderId)
    if (answer.question !== 'order') throw unreachable()
    const { order } = answer
    if (!order) return { lsn, order: undefined }
    const { price, quantity } = instrument.grids
    return {
      lsn,
      order: {
        orderId: order.orderId,
        symbol,
        account: order.account,
        side: order.side,
        orderType: order.orderType,
        timeInForce: order.timeInForce,
        status: order.status,
        price: order.price === 0 ? undefined : fromSteps(order.price, price),
        stopPrice: order.stopPrice === undefined ? undefined : fromSteps(order.stopPrice, price),
        remaining: fromSteps(order.quantity, quantity),
        filled: fromSteps(order.filled, quantity),
        shown: fromSteps(order.shown, quantity),
      },
    }
  }

  /**
   * The highest `requestId` that an account has had executed in a symbol: where to go on after a crash.
   *
   * @throws PoolError `TIDEMARK_UNKNOWN_SYMBOL`; CommandError for a malformed account.
   */
  async lastRequestId(account: number, symbol: string): Promise<LastRequestAnswer> {
    const { lsn, answer } = await this.#ask(symbol, questionKind.lastRequest, accountOf(account))
    if (answer.question !== 'lastRequest') throw unreachable()
    return { lsn, requestId: answer.requestId }
  }

  /** A digest of every book, for comparing two states: equal digests, equal futures. */
  async digest(): Promise<DigestAnswer> {
    const answers = await Promise.all(
      this.#shards.map((shard) => {
        this.#checkUsable(0)
        return shard.ask(questionKind.digest, 0, 0)
      }),
    )
    const symbols: Record<string, string> = {}
    let restingOrders = 0
    for (const { answer } of answers) {
      if (answer.question !== 'digest') throw unreachable()
      restingOrders += answer.orders
      for (const { instrumentId, digest } of answer.books) {
        symbols[this.#registry.byId(instrumentId)!.definition.symbol] = digest
      }
    }
    const sorted = Object.fromEntries(Object.entries(symbols).sort(([a], [b]) => (a < b ? -1 : 1)))
    return { lsn: Math.max(...answers.map(({ lsn }) => lsn)), symbols: sorted, restingOrders }
  }

  /**
   * Writes a snapshot of all books while the pool goes on, and removes what is kept no longer. Opening starts from the
   * newest sound snapshot and replays the log behind it.
   */
  async checkpoint(): Promise<CheckpointReport> {
    this.#checkUsable(0)
    return this.#checkpointer.checkpoint()
  }

  /**
   * Copies the pool, as it runs, into an empty folder that can be opened like this one: a fresh snapshot and the log
   * behind it.
   */
  async backup(dir: string): Promise<BackupReport> {
    await this.checkpoint()
    return backupInThread(this.dir, path.resolve(dir))
  }

  stats(): PoolStats {
    const shards = this.#shards.map((shard) => shard.stats())
    const sum = (count: (shard: (typeof shards)[number]) => number) =>
      shards.reduce((total, shard) => total + count(shard), 0)
    return {
      shards,
      commands: sum((shard) => shard.commands),
      trades: sum((shard) => shard.trades),
      rejected: sum((shard) => shard.rejected),
      inFlight: this.#inFlight,
      maxInFlight: this.#maxInFlight,
      needsDrain: this.needsDrain,
      log: this.#log.stats(),
    }
  }

  /** Takes nothing more, settles everything in flight, syncs the files, ends the threads. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #close(): Promise<void> {
    await this.#checkpointer.settled()
    for (const shard of this.#shards) shard.inbound.stop()
    await Promise.allSettled(this.#shards.map((shard) => shard.ended))
    await this.#log.close()
    for (const shard of this.#shards) {
      shard.fail(this.#poisoned ?? poolClosed())
      shard.close()
    }
    await this.#threads.destroy()
  }

  /** After poison: what is below the mark is still delivered, then everybody who waits gets the cause. */
  async #fail(error: LogPoisonedError): Promise<void> {
    this.#poisoned = error
    for (const shard of this.#shards) shard.inbound.stop()
    await this.#follower.stop().catch(() => {})
    for (const shard of this.#shards) shard.fail(error)
    this.#inFlight = 0
    if (this.listenerCount('error') > 0) this.emit('error', error)
  }

  /**
   * A shard that only found the log poisoned knows less than who poisoned it, whose message may still be under way: it
   * has its say first.
   */
  #shardEnded(error: { code?: string }): void {
    const delayMs = error.code === 'TIDEMARK_LOG_POISONED' ? causeDelayMs : 0
    setTimeout(() => this.#log.poison(error), delayMs).unref()
  }

  #checkUsable(commands: number): void {
    if (this.#poisoned) throw this.#poisoned
    if (this.#closing) throw poolClosed()
    if (commands > this.#maxInFlight) {
      throw new PoolError(
        'TIDEMARK_BATCH_TOO_LARGE',
        `The batch has ${commands} commands; at most ${this.#maxInFlight} (maxInFlight) may be in flight.`,
        {
          commands,
          maxInFlight: this.#maxInFlight,
        },
      )
    }
    if (this.#inFlight + commands > this.#maxInFlight) {
      throw backpressure(`${this.#inFlight} commands are in flight, the most is ${this.#maxInFlight}`, {
        inFlight: this.#inFlight,
        maxInFlight: this.#maxInFlight,
      })
    }
  }

  #send(number: number, waiter: Waiter, length: number): void {
    const shard = this.#shards[number]!
    if (!shard.inbound.fits(length)) throw backpressure(`the queue of shard ${number} is full`)
    shard.send(waiter, this.#words, 0, length, 1)
    this.#taken(1)
  }

  #define(command: InstrumentCommand, waiter: Waiter): void {
    const definition = this.#registry.define(command)
    const length = encodeInstrument(
      this.#words,
      0,
      tagLowWord(command.tag),
      tagHighWord(command.tag),
      definition,
    )
    this.#send(definition.instrumentId % this.#shards.length, waiter, length)
    this.#registry.add(definition)
  }

  #cancelAll(
    account: number,
    tag: number | bigint | undefined,
    resolve: (report: ExecutionReport) => void,
    reject: (error: Error) => void,
  ): void {
    accountOf(account)
    const low = tagLowWord(tag)
    const high = tagHighWord(tag)
    this.#checkUsable(this.#shards.length)
    for (const shard of this.#shards) {
      if (!shard.inbound.fits(requestWords)) throw backpressure(`the queue of shard ${shard.number} is full`)
    }
    const waiter = new EverywhereWaiter(this.#context, this.#shards.length, resolve, reject)
    for (const shard of this.#shards) shard.sendCancelAll(waiter, account, low, high)
    this.#taken(this.#shards.length)
  }

  #encode(commands: readonly Command[]): CommandBatch {
    if (!Array.isArray(commands)) {
      throw new PoolError(
        'TIDEMARK_BAD_ARGUMENT',
        'submitBatch takes a CommandBatch or an array of commands.',
      )
    }
    const batch = this.batch()
    for (const [index, command] of commands.entries()) {
      try {
        batch.add(command)
      } catch (error) {
        Object.assign((error as PoolError).details, { index })
        throw error
      }
    }
    return batch
  }

  async #ask(symbol: string, question: number, argument: number) {
    this.#checkUsable(0)
    const instrument: PoolInstrument = this.#registry.bySymbol(symbol)
    const shard = this.#shards[instrument.shard]!
    const { lsn, answer } = await shard.ask(question, instrument.definition.instrumentId, argument)
    return { instrument, lsn, answer }
  }

  #taken(commands: number): void {
    this.#inFlight += commands
    if (this.needsDrain) this.#full = true
  }

  #settled(commands: number): void {
    this.#inFlight -= commands
    // A checkpoint that fails leaves the last one in place, and is tried again when the log has grown further.
    if (this.#checkpointer.due && !this.#closing) this.#checkpointer.checkpoint().catch(() => {})
    if (!this.#full || this.#inFlight * 4 > this.#maxInFlight) return
    this.#full = false
    this.emit('drain')
  }
}

/** The newest sound snapshot that fits the log. One above the log's end can't be: it waited for the mark. */
async function usableSnapshot(log: DurableLog): Promise<Snapshot | undefined> {
  const { firstLsn, endLsn } = log.recovery
  const snapshots = await soundSnapshots(log.dir)
  for (const snapshot of snapshots) {
    const { header } = snapshot
    if (header.endLsn > endLsn) {
      throw new LogError(
        'TIDEMARK_LOG_CORRUPT',
        `${snapshot.path} was taken at LSN ${header.endLsn}, but the log ends at ${endLsn}: a part of the log is missing.`,
        { file: snapshot.path, lsn: header.endLsn, endLsn },
      )
    }
    if (header.rulesVersion === rulesVersion && header.replayFromLsn >= firstLsn) return snapshot
  }
  if (firstLsn > 0) {
    throw new LogError(
      'TIDEMARK_LOG_CORRUPT',
      `The log in ${log.dir} begins at LSN ${firstLsn} and no sound snapshot reaches that far back.`,
      { dir: log.dir, firstLsn },
    )
  }
  return undefined
}

function unreachable(): never {
  throw new Error('an answer of another kind than the question')
}
