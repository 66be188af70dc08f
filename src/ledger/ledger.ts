import { setImmediate as nextTurn } from 'node:timers/promises'
import { checkOptions, NodeDisk, optionNames } from '../log/index.js'
import { accountOf } from '../matching/index.js'
import {
  type BatchReport,
  type Command,
  type CommandBatch,
  closedGuard,
  closedLedger,
  EnginePool,
  type ExecutionReport,
  type FollowedLedgerOf,
  type LedgerDoor,
  ledgerDoor,
  type TradeEvent,
} from '../pool/index.js'
import type { Assets } from './amounts/assets.js'
import { unitsOf } from './amounts/units.js'
import { CatchUp } from './catch-up.js'
import { LedgerCheckpoints } from './checkpoint.js'
import { LedgerGuard } from './commands/guard.js'
import { MoneyCommands } from './commands/money.js'
import { badArgument, LedgerError, ledgerClosed } from './errors.js'
import { LedgerFold } from './fold.js'
import { FollowedSnapshots } from './followed.js'
import { MovementListeners } from './movements.js'
import { LedgerQuestions } from './questions.js'
import { readLedgerSnapshot } from './snapshot.js'
import { LedgerState } from './state/ledger-state.js'
import type {
  AccountBalance,
  AccountBalances,
  AccountHolds,
  AccountPositions,
  AdjustCommand,
  Asset,
  AssetTotals,
  DepositCommand,
  FeesCommand,
  LedgerOptions,
  LedgerReceipt,
  LimitsCommand,
  Movement,
  OrderRates,
  RatesOptions,
  StatementOptions,
  TradeFees,
  TransferCommand,
  WithdrawCommand,
} from './types.js'

const ledgerOptions = optionNames<LedgerOptions>({ pool: true, assets: true, venueAccount: true })
const defaultVenueAccount = 0xffff_ffff

/** Pools that have an open ledger. */
const opened = new WeakSet<EnginePool>()

/**
 * The accounts of a pool: balances that can't be overspent. Every order holds what it may take before the pool gets it, or is refused;
 * what the log holds durably settles trades and frees holds. The state is made of the log alone, so it is there again after a crash.
 *
 * While a ledger is open, everything that the pool takes passes it, whichever way it comes.
 */
export class Ledger {
  readonly #pool: EnginePool
  readonly #door: LedgerDoor
  readonly #state: LedgerState
  readonly #guard: LedgerGuard
  readonly #money: MoneyCommands
  readonly #checkpoints: LedgerCheckpoints
  readonly #fold: LedgerFold
  readonly #listeners = new MovementListeners()
  readonly #questions: LedgerQuestions
  /** The last call of `addAssets`: the next one begins when it is over. */
  #adding: Promise<void> = Promise.resolve()
  #closed = false

  /**
   * Opens the ledger of a pool. On a log that has none it begins at the end of the log: nothing may be open in the books then.
   * Otherwise all that the log says since it began is there again.
   *
   * @throws LedgerError `TIDEMARK_BAD_ARGUMENT`, `TIDEMARK_ASSET_DIFFERS`, `TIDEMARK_SCALE_TOO_SMALL` with the scale that an instrument
   *   needs, `TIDEMARK_ORDERS_OPEN` when a ledger is to begin while orders are live, `TIDEMARK_LEDGER_OPEN`, `TIDEMARK_LEDGER_DAMAGED`;
   *   LogError `TIDEMARK_LOG_FORMAT` for records of a newer build; and what the pool throws.
   *
   * @example
   * ```js
   * import { EnginePool } from 'tidemark'
   * import { Ledger } from 'tidemark/ledger'
   *
   * const pool = await EnginePool.open({
   *   dir: './data',
   *   instruments: [
   *     { symbol: 'BTC-USD', tickSize: '0.01', lotSize: '0.00001', baseAsset: 'BTC', quoteAsset: 'USD' },
   *   ],
   * })
   * const ledger = await Ledger.open({
   *   pool,
   *   assets: [
   *     { id: 'USD', scale: 8 },
   *     { id: 'BTC', scale: 8 },
   *   ],
   * })
   * await ledger.deposit({ account: 7, asset: 'USD', amount: '100', key: 'wire 1' })
   * console.log(ledger.balance(7, 'USD').free) // 100.00000000
   * await pool.close()
   * ```
   */
  static async open(options: LedgerOptions): Promise<Ledger> {
    checkOptions('Ledger.open', options, ledgerOptions)
    const { pool, assets } = options
    if (!(pool instanceof EnginePool))
      throw badArgument('pool must be an open EnginePool.', { pool: typeof pool })
    if (!Array.isArray(assets)) throw badArgument('assets must be a list of { id, scale }.', { assets })
    const venue = options.venueAccount === undefined ? defaultVenueAccount : accountOf(options.venueAccount)
    if (opened.has(pool)) {
      throw new LedgerError('TIDEMARK_LEDGER_OPEN', 'This pool has an open ledger: there is one a pool.')
    }
    opened.add(pool)
    const door = pool[ledgerDoor]
    const before = door.intake.guard
    door.intake.guard = closedGuard
    try {
      const snapshot = await readLedgerSnapshot(door.log.dir, door.registry)
      const ledger = new Ledger(pool, door, snapshot)
      await ledger.#begin(assets, venue, options.venueAccount !== undefined)
      return ledger
    } catch (error) {
      opened.delete(pool)
      door.publisher.observer = undefined
      door.intake.guard = before
      throw error
    }
  }

  /** What keeps the snapshots of a ledger at a standby, which opens none. @internal */
  static follow(...args: Parameters<FollowedLedgerOf>): ReturnType<FollowedLedgerOf> {
    return new FollowedSnapshots(...args)
  }

  private constructor(pool: EnginePool, door: LedgerDoor, snapshot: LedgerState | undefined) {
    this.#pool = pool
    this.#door = door
    this.#state = snapshot ?? new LedgerState(door.registry)
    this.#checkpoints = new LedgerCheckpoints(door, this.#state)
    this.#questions = new LedgerQuestions(
      this.#state,
      door,
      () => this.#checkpoints.neededLsn,
      () => this.#closed,
    )
    this.#guard = new LedgerGuard(this.#state, door.registry, door.shards, door.clock)
    this.#money = new MoneyCommands(
      this.#state,
      door.log,
      () => door.refusal() ?? (this.#closed ? ledgerClosed() : undefined),
    )
    this.#fold = new LedgerFold(this.#state, {
      holds: this.#guard.holds,
      settle: (_, lsn) => this.#money.settle(lsn),
    })
  }

  /** Folds the log, follows it from then on, and lets orders pass. */
  async #begin(assets: readonly Asset[], venue: number, isVenueStated: boolean): Promise<void> {
    const door = this.#door
    const state = this.#state
    await door.intake.idle()
    // Records of a ledger that was closed may be on their way, and this one holds nothing for them.
    const { tailLsn } = door.log
    await door.log.waitDurable(tailLsn)
    if (state.lsn > tailLsn) throw aboveTheEnd(door.log.dir, state.lsn, tailLsn)
    // What is in the log already was held for by an earlier process, if at all.
    // A snapshot needs the log from its LSN on: where that is gone, reading it fails.
    const fromLsn = this.#checkpoints.isFirst ? door.log.firstLsn : state.lsn
    const past = new CatchUp(door.log.dir, fromLsn, new LedgerFold(state))
    try {
      for (;;) {
        const target = door.publisher.publishedLsn
        await past.to(target)
        if (door.publisher.publishedLsn !== target) continue
        // A pool that ends publishes no more.
        this.#checkPool()
        if (target < tailLsn) {
          await nextTurn()
          continue
        }
        door.publisher.observer = this.#fold
        break
      }
    } finally {
      past.close()
    }
    state.lsn = Math.max(state.lsn, door.publisher.publishedLsn)
    const missing = state.assets.missing(assets)
    if (!state.hasBegun) await this.#beginInLog(assets, venue)
    else {
      if (isVenueStated && venue !== state.venue) {
        throw badArgument(`The fees of this ledger go to account ${state.venue}.`, {
          logged: state.venue,
          wanted: venue,
        })
      }
      // Of the others, the guard refuses orders; their assets can be changed when the ledger is open.
      this.#checkInstruments(missing)
      if (missing.length > 0) await this.#money.append({ op: 'assets', assets: missing })
    }
    // From now on the folder says that it has a ledger, also to a process that opens the pool alone.
    if (this.#checkpoints.isFirst) await this.#checkpoints.write()
    this.#checkPool()
    door.checkpointer.ledger = this.#checkpoints
    door.intake.guard = this.#guard
  }

  /** @throws why the pool takes nothing any more. */
  #checkPool(): void {
    const refusal = this.#door.refusal()
    if (refusal) throw refusal
  }

  async #beginInLog(assets: readonly Asset[], venue: number): Promise<void> {
    this.#checkInstruments(assets)
    const { restingOrders } = await this.#pool.digest()
    if (restingOrders > 0) {
      throw new LedgerError(
        'TIDEMARK_ORDERS_OPEN',
        `A ledger begins when no order is live, because nothing is held for those that are: cancel the ${restingOrders} that are first.`,
        { orders: restingOrders },
      )
    }
    await this.#checkpoints.write()
    await this.#money.append({ op: 'open', assets, venue })
  }

  /** Refuses assets in which an instrument of the pool does not come out in whole units; returns all that there would be. */
  #checkInstruments(missing: readonly Asset[]): Assets {
    const all = new LedgerState(this.#door.registry).assets
    for (const asset of [...this.#state.assets.list(), ...missing]) all.add(asset)
    const isMissing = (asset: string | undefined) => missing.some(({ id }) => id === asset)
    for (const { id, baseAsset, quoteAsset } of this.#pool.instruments()) {
      if (!isMissing(baseAsset) && !isMissing(quoteAsset)) continue
      if (all.find(baseAsset) < 0 || all.find(quoteAsset) < 0) continue
      unitsOf(this.#door.registry.byId(id)!, all)
    }
    return all
  }

  /** LSN up to which balances count. */
  get lsn(): number {
    return this.#state.lsn
  }

  /**
   * Resolves when all records up to an LSN are counted. A subscription that reads the log's files may be a moment ahead.
   *
   * @throws LedgerError `TIDEMARK_BAD_ARGUMENT` for one that is not durable, `TIDEMARK_LEDGER_CLOSED`; what makes the pool unusable.
   */
  async counted(lsn: number): Promise<void> {
    const { log, publisher } = this.#door
    if (!(lsn <= log.durableLsn)) throw badArgument(`LSN ${lsn} is not durable.`, { lsn })
    while (this.#state.lsn < lsn) {
      // A pool goes on without a ledger that is closed.
      if (this.#closed) throw ledgerClosed()
      // What is published and not counted is no record: sync markers are not.
      if (publisher.publishedLsn >= lsn) return
      this.#checkPool()
      await nextTurn()
    }
  }

  /** Where the ledger begins in the log. */
  get startLsn(): number {
    return this.#state.startLsn
  }

  /** The account that gets the fees. */
  get venueAccount(): number {
    return this.#state.venue
  }

  /** The ledger's assets, in their order. */
  assets(): Asset[] {
    return this.#state.assets.list().map((asset) => ({ ...asset }))
  }

  /**
   * Adds assets, for instruments that come later. Those that are there already, with the same scale, stay as they are. Resolves when that is on
   * disk.
   *
   * @throws LedgerError `TIDEMARK_BAD_ARGUMENT`, `TIDEMARK_ASSET_DIFFERS`, `TIDEMARK_SCALE_TOO_SMALL` with the scale that an instrument needs,
   *   `TIDEMARK_LEDGER_CLOSED`; LogError as `deposit`.
   */
  addAssets(assets: readonly Asset[]): Promise<void> {
    const wanted = Array.isArray(assets) ? assets.map((asset) => ({ ...asset })) : undefined
    const adding = this.#adding.then(async () => {
      if (wanted === undefined) throw badArgument('addAssets takes a list of { id, scale }.', { assets })
      if (this.#closed) throw ledgerClosed()
      const missing = this.#state.assets.missing(wanted)
      this.#guard.assets = this.#checkInstruments(missing)
      try {
        if (missing.length > 0) await this.#money.append({ op: 'assets', assets: missing })
      } finally {
        this.#guard.assets = this.#state.assets
      }
    })
    this.#adding = adding.catch(() => {})
    return adding
  }

  /**
   * Executes one command as `EnginePool.submit` does, when the account can pay for it: what it may spend is held at once.
   *
   * @throws as `EnginePool.submit`; LedgerError `TIDEMARK_INSUFFICIENT_FUNDS` with `details` account, asset, needed, free and missing,
   *   `TIDEMARK_HOLD_UNBOUNDED` for an order that nothing limits, `TIDEMARK_NO_ASSETS`, `TIDEMARK_UNKNOWN_ASSET`,
   *   `TIDEMARK_AMOUNT_TOO_LARGE`, `TIDEMARK_ORDER_NOT_KNOWN`, `TIDEMARK_WORKING_ORDER_FIXED`, `TIDEMARK_ASSETS_CHANGING`,
   *   `TIDEMARK_FEES_CHANGING`: nothing was handed over, nothing is held.
   */
  submit(command: Command): Promise<ExecutionReport> {
    return this.#closed ? Promise.reject(ledgerClosed()) : this.#pool.submit(command)
  }

  /** Executes many commands as `EnginePool.submitBatch` does: all are held for and handed over, or none. @throws as `submit`. */
  submitBatch(commands: CommandBatch | readonly Command[]): Promise<BatchReport> {
    return this.#closed ? Promise.reject(ledgerClosed()) : this.#pool.submitBatch(commands)
  }

  /** An empty batch for the pool. */
  batch(): CommandBatch {
    return this.#pool.batch()
  }

  /**
   * Adds money that comes from outside. Resolves when that is on disk and in the balance.
   *
   * @throws LedgerError `TIDEMARK_UNKNOWN_ASSET`, `TIDEMARK_BAD_AMOUNT`, `TIDEMARK_AMOUNT_TOO_LARGE` when all that there is of the asset
   *   would not fit into 64 bits, `TIDEMARK_KEY_REUSED`, `TIDEMARK_BAD_ARGUMENT`; CommandError for a malformed account; LogError as
   *   `DurableLog.append`: with `TIDEMARK_LOG_POISONED` the outcome is unknown, and the key finds it out after the next opening.
   */
  async deposit(command: DepositCommand): Promise<LedgerReceipt> {
    return this.#money.deposit(command)
  }

  /** Takes out money that is free. @throws as `deposit`, and `TIDEMARK_INSUFFICIENT_FUNDS`. */
  async withdraw(command: WithdrawCommand): Promise<LedgerReceipt> {
    return this.#money.withdraw(command)
  }

  /** Moves money that is free to another account. @throws as `withdraw`. */
  async transfer(command: TransferCommand): Promise<LedgerReceipt> {
    return this.#money.transfer(command)
  }

  /** Corrects a balance, up or down. @throws as `withdraw`. */
  async adjust(command: AdjustCommand): Promise<LedgerReceipt> {
    return this.#money.adjust(command)
  }

  /**
   * Changes what orders pay that are accepted from now on. Lists are refused with `TIDEMARK_FEES_CHANGING` until that is on disk,
   * because what they hold depends on it.
   *
   * @throws as `deposit`; PoolError `TIDEMARK_UNKNOWN_SYMBOL`.
   */
  async setFees(command: FeesCommand): Promise<LedgerReceipt> {
    const guard = this.#guard
    guard.feeChanges++
    try {
      const instrumentOf = (symbol: string) => this.#door.registry.bySymbol(symbol).definition.instrumentId
      return await this.#money.setFees(command, instrumentOf, () => guard.listsOnTheWay)
    } finally {
      guard.feeChanges--
    }
  }

  /**
   * Changes what accounts may do at most; commands are held to it once that is on disk. What is open already, and what is on its way, stays.
   *
   * @throws as `deposit`; LedgerError `TIDEMARK_ASSETS_CHANGING` for an `orderNotional` or a `position`, and `TIDEMARK_NO_ASSETS`; PoolError
   *   `TIDEMARK_UNKNOWN_SYMBOL`; CommandError for a quantity that is no whole number of lots.
   */
  async setLimits(command: LimitsCommand): Promise<LedgerReceipt> {
    return this.#money.setLimits(command, this.#door.registry, (instrument) =>
      this.#guard.fixedUnits(instrument),
    )
  }

  /**
   * What an account has of an asset, as of the LSN in the answer; all zero when it never had any.
   *
   * @throws LedgerError `TIDEMARK_UNKNOWN_ASSET`; CommandError for a malformed account.
   */
  balance(account: number, asset: string): AccountBalance {
    return this.#questions.balance(account, asset)
  }

  /** What an account has of every asset that it ever had. @throws CommandError for a malformed account. */
  balances(account: number): AccountBalances {
    return this.#questions.balances(account)
  }

  /**
   * What holds an account's money: its open orders, and its commands on their way. Looks through all open orders.
   *
   * @throws CommandError for a malformed account.
   */
  holds(account: number): AccountHolds {
    return this.#questions.holds(account)
  }

  /** What an account has bought less sold, where positions are limited, and has open. @throws CommandError for a malformed account. */
  positions(account: number): AccountPositions {
    return this.#questions.positions(account)
  }

  /**
   * What changed an account's balances, in the order of the log: deposits and withdrawals, and of each trade what came in, what went out,
   * and the fees. It is folded out of the log anew, from the ledger's last snapshot before `from`, so it takes as long as that part of the log is.
   *
   * @throws LedgerError `TIDEMARK_STATEMENT_GONE` when the log no longer goes back to `from`, `TIDEMARK_BAD_ARGUMENT`,
   *   `TIDEMARK_LEDGER_CLOSED`; CommandError for a malformed account; LogError `TIDEMARK_BAD_LSN` when the log is deleted while it is read,
   *   `TIDEMARK_LOG_CORRUPT`, `TIDEMARK_LOG_IO`.
   *
   * @example
   * ```js
   * import { EnginePool } from 'tidemark'
   * import { Ledger } from 'tidemark/ledger'
   *
   * const pool = await EnginePool.open({ dir: './data' })
   * const ledger = await Ledger.open({ pool, assets: [{ id: 'USD', scale: 2 }] })
   * await ledger.deposit({ account: 7, asset: 'USD', amount: '100', key: 'wire 1' })
   * for await (const { kind, amount, balance } of ledger.statement(7)) console.log(kind, amount, balance) // deposit 100.00 100.00
   * await pool.close()
   * ```
   */
  statement(account: number, options: StatementOptions = {}): AsyncGenerator<Movement, void, undefined> {
    return this.#questions.statement(account, options)
  }

  /**
   * Calls `listener` with each change of a balance, once it is on disk, in the order of the log. Returns what ends that. A listener that throws
   * changes nothing: what it threw is thrown again outside of the ledger.
   *
   * @throws LedgerError `TIDEMARK_BAD_ARGUMENT`, `TIDEMARK_LEDGER_CLOSED`.
   */
  onMovement(listener: (movement: Movement) => void): () => void {
    if (typeof listener !== 'function') throw badArgument('onMovement takes a function.', { listener })
    if (this.#closed) throw ledgerClosed()
    const own = (movement: Movement) => listener(movement)
    this.#listeners.add(own)
    if (this.#listeners.size === 1) this.#fold.listener = this.#listeners.listenerOf(this.#state)
    return () => {
      this.#listeners.remove(own)
      if (this.#listeners.size === 0) this.#fold.listener = undefined
    }
  }

  /**
   * What orders of an account pay.
   *
   * @throws LedgerError `TIDEMARK_BAD_ARGUMENT`; PoolError `TIDEMARK_UNKNOWN_SYMBOL`; CommandError for a malformed account.
   */
  rates(account: number, options: RatesOptions = {}): OrderRates {
    return this.#questions.rates(account, options)
  }

  /**
   * What a trade cost its two orders: exactly what the ledger took of them and paid them. `makerLsn` and `takerLsn` are those of the
   * events that say that the orders were accepted, because they pay what was in force then.
   *
   * @throws LedgerError `TIDEMARK_BAD_ARGUMENT`; PoolError `TIDEMARK_UNKNOWN_SYMBOL`.
   */
  tradeFees(
    trade: TradeEvent,
    accepted: { readonly makerLsn: number; readonly takerLsn: number },
  ): TradeFees {
    return this.#questions.tradeFees(trade, accepted)
  }

  /** The sums over all accounts, by asset. Looks through all accounts. */
  totals(): { readonly lsn: number; readonly assets: readonly AssetTotals[] } {
    return this.#questions.totals()
  }

  /**
   * Lets go of the pool, which then takes no orders until a ledger is opened again. Closing the pool needs none of it.
   */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#door.publisher.observer = undefined
    this.#door.intake.guard = closedGuard
    this.#checkpoints.close()
    this.#money.close()
    this.#door.checkpointer.ledger = closedLedger(new NodeDisk(), this.#door.log.dir)
    opened.delete(this.#pool)
  }
}

function aboveTheEnd(dir: string, lsn: number, endLsn: number): LedgerError {
  return new LedgerError(
    'TIDEMARK_LEDGER_DAMAGED',
    `The ledger's newest snapshot in ${dir} was taken at LSN ${lsn}, but the log ends at ${endLsn}: a part of the log is missing, or the snapshot is another pool's. Restore the folder from a backup.`,
    { lsn, endLsn },
  )
}
