import {
  countOrders,
  type DepthLevel,
  depthOf,
  orderState,
  type SideTotals,
  totalsOf,
} from '../book/book-queries.js'
import { type BookState, bookDigest, bookState } from '../book/book-state.js'
import { OpenOrders, type OpenOrdersQuery } from '../book/open-orders.js'
import type { OrderState } from '../book/order-state.js'
import { SIDE_ASKS, SIDE_BIDS } from '../book/price-levels.js'
import { isMarketQueue } from '../book/queue-price.js'
import type { ShardBooks } from '../book/shard-books.js'
import type { InstrumentDefinition } from '../codec/instrument-record.js'
import type { Phase } from '../codec/names.js'
import { type Indicative, indicativeOf } from './call-price.js'

/** How many instruments, live orders (waiting stops included) and price levels a shard has. */
export interface EngineCounters {
  /** How many instruments it has. */
  readonly instruments: number
  /** How many live orders they have. */
  readonly orders: number
  /** How many price levels they have. */
  readonly levels: number
}

/** An instrument as it stands. */
export interface InstrumentState extends InstrumentDefinition {
  readonly phase: Phase
  /** Whether it is in the closing call. */
  readonly closing: boolean
  /** Whether it takes orders: in a call, in continuous trading, and in a halt that was said to take them. */
  readonly takesOrders: boolean
  /** Price of the last trade in ticks, 0 before the first. */
  readonly lastPrice: number
  /** Trades so far; the last one's id. */
  readonly trades: number
  /** The highest id that an accepted order has had, 0 before the first. */
  readonly highestOrderId: number
  /** Live orders, waiting stops included. */
  readonly orders: number
}

/** What can be asked of the order books of one shard. No question changes anything. */
export class BookQuestions {
  /** The books of this shard. */
  protected readonly shard: ShardBooks

  constructor(shard: ShardBooks) {
    this.shard = shard
  }

  /** The instruments of this shard, in the order in which they were created. */
  instruments(): InstrumentState[] {
    return this.shard.books.definitions.map((definition) => this.instrument(definition.instrumentId)!)
  }

  /** What is known of an instrument, by its number; undefined for one that there is not. */
  instrument(instrumentId: number): InstrumentState | undefined {
    const { books } = this.shard
    const book = books.find(instrumentId)
    if (book < 0) return undefined
    return {
      ...books.definitions[book]!,
      phase: books.phase(book),
      closing: books.isClosing(book),
      takesOrders: books.isCall(book) || books.isContinuous(book),
      lastPrice: books.lastPrice(book),
      trades: books.trades(book),
      highestOrderId: books.highestOrderId(book),
      orders: countOrders(this.shard, book),
    }
  }

  /** The ids of the instruments in which the account has live orders (waiting stops included), ascending. */
  instrumentsOf(account: number): number[] {
    const { accounts, books } = this.shard
    return accounts
      .booksOf(account)
      .map((book) => books.instrumentId(book))
      .sort((a, b) => a - b)
  }

  /** The ids of the instruments in which the account is blocked, or those in which it is not, ascending. */
  instrumentsBlocking(account: number, isBlocked: boolean): number[] {
    const { blocked, books } = this.shard
    return books.definitions
      .filter((_, book) => blocked.has(book, account) === isBlocked)
      .map(({ instrumentId }) => instrumentId)
      .sort((a, b) => a - b)
  }

  /** In how many instruments each account is blocked, of those that are blocked in any. */
  blockedAccounts(): Map<number, number> {
    return this.shard.blocked.booksByAccount()
  }

  /** Whether the instrument is known here. */
  has(instrumentId: number): boolean {
    return this.shard.books.find(instrumentId) >= 0
  }

  /**
   * The best price levels of both sides, best first: price in ticks, visible quantity in lots (the hidden part of
   * icebergs is not in it), number of orders. Empty for an unknown instrument.
   */
  depth(instrumentId: number, levels: number): { bids: DepthLevel[]; asks: DepthLevel[] } {
    const book = this.shard.books.find(instrumentId)
    if (book < 0) return { bids: [], asks: [] }
    return {
      bids: depthOf(this.shard, book * 4 + SIDE_BIDS, levels),
      asks: depthOf(this.shard, book * 4 + SIDE_ASKS, levels),
    }
  }

  /** The best bid in ticks, or undefined; market orders in a call have no price. */
  bestBid(instrumentId: number): number | undefined {
    return this.#best(instrumentId, SIDE_BIDS)
  }

  /** The best ask in ticks, or undefined. */
  bestAsk(instrumentId: number): number | undefined {
    return this.#best(instrumentId, SIDE_ASKS)
  }

  /**
   * Open quantity (hidden parts included), orders and levels of each side, counted on call. A quantity above 2^53-1 is
   * the nearest double.
   */
  totals(instrumentId: number): { bids: SideTotals; asks: SideTotals } {
    const book = this.shard.books.find(instrumentId)
    if (book < 0)
      return { bids: { quantity: 0, orders: 0, levels: 0 }, asks: { quantity: 0, orders: 0, levels: 0 } }
    return {
      bids: totalsOf(this.shard, book * 4 + SIDE_BIDS),
      asks: totalsOf(this.shard, book * 4 + SIDE_ASKS),
    }
  }

  /** What an uncross would give now; `undefined` for an unknown instrument. */
  indicative(instrumentId: number): Indicative | undefined {
    const book = this.shard.books.find(instrumentId)
    return book < 0 ? undefined : indicativeOf(this.shard, book)
  }

  /** A live order, resting or waiting for its stop price; undefined for an unknown id. */
  order(instrumentId: number, orderId: number): OrderState | undefined {
    const shard = this.shard
    const book = shard.books.find(instrumentId)
    const order = book < 0 ? 0 : shard.index.find(book, orderId | 0, (orderId / 4294967296) | 0)
    return order === 0 ? undefined : orderState(shard, order)
  }

  /** Begins to look for a page of an account's live orders. Commands may be executed between its steps; one at a time is made. */
  openOrders(query: OpenOrdersQuery): OpenOrders {
    return new OpenOrders(this.shard, query)
  }

  /** The highest id that an accepted order of the instrument has had, or undefined. */
  highestOrderId(instrumentId: number): number | undefined {
    const book = this.shard.books.find(instrumentId)
    return book < 0 ? undefined : this.shard.books.highestOrderId(book) || undefined
  }

  /** Everything that decides the book's future, as an object; undefined for an unknown instrument. */
  bookState(instrumentId: number): BookState | undefined {
    const book = this.shard.books.find(instrumentId)
    return book < 0 ? undefined : bookState(this.shard, book)
  }

  /**
   * A fingerprint (16 hex digits) of everything that decides the book's future: equal books have equal digests,
   * whichever shard holds them. Empty for an unknown instrument.
   */
  digest(instrumentId: number): string {
    const book = this.shard.books.find(instrumentId)
    return book < 0 ? '' : bookDigest(this.shard, book)
  }

  /** The last request id of an account in an instrument, or undefined. */
  lastRequestId(instrumentId: number, account: number): number | undefined {
    const book = this.shard.books.find(instrumentId)
    return book < 0 ? undefined : this.shard.requests.find(book, account)?.requestId
  }

  /** How much the engine holds. */
  counters(): EngineCounters {
    const shard = this.shard
    return { instruments: shard.books.size, orders: shard.index.size, levels: shard.levels.live }
  }

  #best(instrumentId: number, side: number): number | undefined {
    const { books, levels } = this.shard
    const book = books.find(instrumentId)
    let level = book < 0 ? 0 : levels.best(book * 4 + side)
    if (level !== 0 && isMarketQueue(levels.price(level))) level = levels.worse(level)
    return level === 0 ? undefined : levels.price(level)
  }
}
