import { systemClock } from '../../base/clock.js'
import { TidemarkError } from '../../base/errors.js'
import type { Ledger, OrderRates, TradeFees } from '../../ledger/index.js'
import { followEvents, MarketData, type MarketUpdate } from '../../market-data/index.js'
import { CommandError } from '../../matching/index.js'
import {
  type Command,
  type EnginePool,
  type ExecutionReport,
  type Instrument,
  PoolError,
} from '../../pool/index.js'
import { ApiError, errors, unknownCode } from '../dialect/api-error.js'
import type { Balances } from './balances.js'
import { type HistoryLimits, type ListUpdate, OrderHistory, type OrderUpdate } from './history.js'
import { RecentFees } from './recent-fees.js'
import { RequestHistory } from './requests.js'

/** What the dialect takes as a symbol. */
const symbolPattern = /^[A-Z0-9._-]{1,20}$/

/** No part of what an order receives. */
export const noRate = '0.00000000'

export interface VenueOptions {
  readonly history: HistoryLimits
  /** Events that are kept of orders with a request id. */
  readonly requestEvents: number
  readonly ledger: Ledger | undefined
  readonly balances: Balances | undefined
  /** Called with what the dialect has no word for, and with what ends the reading of the log. */
  readonly onFailure: (error: unknown) => void
}

interface Waiting {
  readonly lsn: number
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/** An instrument that the dialect can name: with assets, and a symbol of the dialect's characters. */
export interface VenueSymbol extends Instrument {
  readonly baseAsset: string
  readonly quoteAsset: string
}

/**
 * A pool as its clients see it: what they may ask is made of durable events, and what they order is answered when it is durable. An
 * answer to whom ordered before is never older than what that was answered with.
 */
export class Venue {
  readonly pool: EnginePool
  readonly market: MarketData
  readonly history: OrderHistory
  readonly requests: RequestHistory
  readonly ledger: Ledger | undefined
  readonly balances: Balances | undefined
  /** Called for each change of the market, for each of an order, and for each of a list of orders. */
  onMarket: (update: MarketUpdate) => void = () => {}
  onOrder: (update: OrderUpdate) => void = () => {}
  onList: (update: ListUpdate) => void = () => {}
  readonly #feed: ReturnType<typeof followEvents>
  readonly #recentFees = new RecentFees()
  readonly #waiting: Waiting[] = []
  /** The highest LSN that was acknowledged here, and up to which events were taken. */
  #acknowledgedLsn = 0
  #takenLsn = 0
  #failure: Error | undefined
  readonly #onFailure: (error: unknown) => void

  constructor(pool: EnginePool, options: VenueOptions) {
    this.pool = pool
    this.#onFailure = options.onFailure
    this.ledger = options.ledger
    this.balances = options.balances
    this.market = new MarketData((symbol) => pool.instrument(symbol), {
      keepTrades: 10_000,
      keepDeltas: 1000,
      keepCandles: 1500,
    })
    this.history = new OrderHistory(
      options.history,
      (update) => this.onOrder(update),
      (update) => this.onList(update),
      options.ledger,
    )
    this.requests = new RequestHistory(options.requestEvents)
    this.market.on('update', (update) => this.onMarket(update))
    this.#feed = followEvents(pool, undefined, {
      before: (event) => (event.event === 'trade' ? this.#feesKnown(event.lsn) : undefined),
      apply: (event) => {
        this.market.apply(event)
        const fees = this.history.apply(event)
        this.requests.apply(event, fees)
        if (event.event === 'trade' && fees) this.#recentFees.add(event, fees)
      },
      endRecord: (lsn) => {
        this.market.endRecord(lsn)
        this.history.endRecord(lsn)
        this.#taken(lsn)
      },
    })
    this.#feed.ready.then(
      () => {
        this.isReady = true
      },
      () => {},
    )
    this.#feed.ended.then(
      () => this.#end(errors.closing()),
      (error: Error) => {
        this.#onFailure(error)
        this.#end(error)
      },
    )
  }

  /** Resolves when all that was durable at the beginning was read; rejects with why it can't be. */
  get ready(): Promise<void> {
    return this.#feed.ready
  }

  /** Whether what was durable at the beginning is read. */
  isReady = false

  /** Why nothing more can be answered, if so. */
  get failure(): Error | undefined {
    return this.#failure
  }

  /** Reports what failed inside, and was for no client to hear. */
  report(error: unknown): void {
    this.#onFailure(error)
  }

  /** Log that was acknowledged and can't be asked for yet. */
  lagBytes(): number {
    return Math.max(0, this.#acknowledgedLsn - this.#takenLsn)
  }

  /** LSN up to which events were taken. */
  get takenLsn(): number {
    return this.#takenLsn
  }

  nowMs(): number {
    return systemClock.wallMs()
  }

  /** The symbols that clients see. */
  symbols(): VenueSymbol[] {
    return this.pool.instruments().filter(isServed)
  }

  /** A symbol that clients see and that the market data have; `undefined` for any other. */
  find(name: string): VenueSymbol | undefined {
    const instrument =
      symbolPattern.test(name) && this.market.has(name) ? this.pool.instrument(name) : undefined
    return instrument && isServed(instrument) ? instrument : undefined
  }

  /** @throws ApiError -1121. */
  symbol(name: string): VenueSymbol {
    const found = this.find(name)
    if (!found) throw errors.badSymbol()
    return found
  }

  /** Executes a command. @throws ApiError with what the pool refuses it with. */
  async submit(command: Command): Promise<ExecutionReport> {
    let report: ExecutionReport
    try {
      report = await this.pool.submit(command)
    } catch (error) {
      throw this.#refusalOf(error)
    }
    // A command without events is never taken: nothing comes of it.
    const lsn = report.events.at(-1)?.lsn ?? 0
    if (lsn > this.#acknowledgedLsn) this.#acknowledgedLsn = lsn
    return report
  }

  /**
   * Executes a command that places orders; with `withFees`, says what their trades cost, by trade id, where a ledger does.
   *
   * @throws ApiError as `submit`.
   */
  async place(
    command: Command,
    withFees: boolean,
  ): Promise<ExecutionReport & { readonly fees?: ReadonlyMap<number, TradeFees> }> {
    if (!withFees || this.ledger === undefined) return this.submit(command)
    const asked = this.#recentFees.ask(this.#takenLsn)
    try {
      const report = await this.submit(command)
      const lsn = report.events.at(-1)?.lsn
      if (lsn === undefined) return report
      await this.caughtUp(lsn)
      return { ...report, fees: this.#recentFees.of(lsn) }
    } finally {
      this.#recentFees.end(asked)
    }
  }

  /** What an account's orders pay from now on, in a symbol or in those without rates of their own; nothing without a ledger. */
  rates(account: number, symbol?: string): Pick<OrderRates, 'maker' | 'taker'> {
    return this.ledger?.rates(account, { symbol }) ?? { maker: noRate, taker: noRate }
  }

  /** The highest request id that an account has had executed in a symbol. @throws ApiError. */
  async lastRequestId(account: number, symbol: string): Promise<number | undefined> {
    try {
      return (await this.pool.lastRequestId(account, symbol)).requestId
    } catch (error) {
      throw this.#refusalOf(error)
    }
  }

  /** Resolves when everything that was acknowledged so far can be asked for. */
  caughtUp(lsn: number = this.#acknowledgedLsn): Promise<void> | undefined {
    if (this.#failure) return Promise.reject(apiErrorOf(this.#failure))
    if (lsn <= this.#takenLsn) return undefined
    return new Promise((resolve, reject) => {
      let at = this.#waiting.length
      while (at > 0 && this.#waiting[at - 1]!.lsn > lsn) at--
      this.#waiting.splice(at, 0, { lsn, resolve, reject })
    })
  }

  close(): Promise<void> {
    return this.#feed.close()
  }

  #refusalOf(error: unknown): ApiError {
    const refusal = apiErrorOf(error)
    if (refusal.code === unknownCode) this.#onFailure(error)
    return refusal
  }

  /** The files of a log can be read before the ledger has counted what is in them. */
  #feesKnown(lsn: number): Promise<void> | undefined {
    const { ledger } = this
    if (ledger === undefined || ledger.lsn >= lsn) return undefined
    return ledger.counted(lsn).catch((error) => {
      // Fees do not change any more, and a call may still trade.
      if (!(error instanceof TidemarkError) || error.code !== 'TIDEMARK_LEDGER_CLOSED') throw error
    })
  }

  #taken(lsn: number): void {
    this.#takenLsn = lsn
    let count = 0
    while (count < this.#waiting.length && this.#waiting[count]!.lsn <= lsn) this.#waiting[count++]!.resolve()
    if (count > 0) this.#waiting.splice(0, count)
  }

  #end(error: Error): void {
    this.#failure = error
    for (const { reject } of this.#waiting.splice(0)) reject(apiErrorOf(error))
  }
}

function isServed(instrument: Instrument): instrument is VenueSymbol {
  return (
    instrument.baseAsset !== undefined &&
    instrument.quoteAsset !== undefined &&
    symbolPattern.test(instrument.symbol)
  )
}

/** What a client gets for a failure of the pool. */
export function apiErrorOf(error: unknown): ApiError {
  if (error instanceof ApiError) return error
  if (error instanceof CommandError) return fieldError(error)
  if (error instanceof PoolError && error.code === 'TIDEMARK_POOL_CLOSED') return errors.closing()
  if (error instanceof TidemarkError) {
    if (busyCodes.has(error.code)) return errors.busy()
    if (error.code === 'TIDEMARK_UNKNOWN_SYMBOL') return errors.badSymbol()
    const ofAccount = accountRefusals[error.code]
    if (ofAccount !== undefined) return ofAccount(error)
    if (error.code === 'TIDEMARK_LOG_POISONED' || error.code === 'TIDEMARK_FENCED')
      return errors.indeterminate()
  }
  return errors.unknown()
}

const busyCodes: ReadonlySet<string> = new Set([
  'TIDEMARK_BACKPRESSURE',
  'TIDEMARK_DISK_FULL',
  'TIDEMARK_TOO_MANY_FILES',
])

/** What a ledger refuses orders with. */
const accountRefusals: Readonly<Record<string, (error: TidemarkError) => ApiError>> = {
  TIDEMARK_INSUFFICIENT_FUNDS: () =>
    errors.rejected('Account has insufficient balance for requested action.'),
  TIDEMARK_HOLD_UNBOUNDED: ({ message }) => errors.rejected(message),
  TIDEMARK_WORKING_ORDER_FIXED: ({ message }) => errors.rejected(message),
  TIDEMARK_ORDER_NOT_KNOWN: ({ message }) => errors.rejected(message),
  TIDEMARK_AMOUNT_TOO_LARGE: ({ message }) => errors.rejected(message),
  TIDEMARK_NO_ASSETS: ({ message }) => errors.rejected(message),
  TIDEMARK_UNKNOWN_ASSET: ({ message }) => errors.rejected(message),
  TIDEMARK_SCALE_TOO_SMALL: ({ message }) => errors.rejected(message),
  TIDEMARK_ASSETS_CHANGING: () => errors.busy(),
  TIDEMARK_FEES_CHANGING: () => errors.busy(),
  TIDEMARK_LEDGER_NOT_OPEN: () => errors.closing(),
  TIDEMARK_LIVE_ORDERS_LIMIT: () => errors.filter('MAX_NUM_ORDERS'),
  TIDEMARK_ORDER_QUANTITY_LIMIT: () => errors.filter('LOT_SIZE'),
  TIDEMARK_ORDER_NOTIONAL_LIMIT: () => errors.filter('NOTIONAL'),
  TIDEMARK_PRICE_DISTANCE_LIMIT: () => errors.filter('PERCENT_PRICE'),
  TIDEMARK_POSITION_LIMIT: () => errors.filter('MAX_POSITION'),
  TIDEMARK_COMMAND_RATE_LIMIT: ({ details }) =>
    new ApiError(
      -1015,
      `Too many new orders; current limit is ${details['limit']} orders per SECOND.`,
      429,
      undefined,
      1,
    ),
}

const filterOfField: Readonly<Record<string, string>> = {
  price: 'PRICE_FILTER',
  stopPrice: 'PRICE_FILTER',
  quantity: 'LOT_SIZE',
  displayQuantity: 'ICEBERG_PARTS',
}

/** The filter of the dialect that a malformed value of a command would fail. */
function fieldError(error: CommandError): ApiError {
  // An order of a list: `orders[1].price`.
  const field = String(error.details['field']).replace(/^orders\[\d\]\./, '')
  if (field === 'quoteQuantity' && error.code === 'TIDEMARK_OFF_GRID')
    return errors.tooPrecise('quoteOrderQty')
  const filter = filterOfField[field]
  if (filter !== undefined) return errors.filter(filter)
  return new ApiError(-1013, error.message)
}
