import type { OrderType, Peg, Phase, SelfTradePrevention, Side, TimeInForce } from '../../matching/index.js'

/** One side's price level: decimal strings, and the number of orders. */
export interface DepthLevel {
  /** The price. */
  readonly price: string
  /** The visible quantity of all orders there. */
  readonly quantity: string
  /** How many orders stand there. */
  readonly orders: number
}

/** The best prices of an order book. */
export interface Depth {
  /** What the answer is taken at; it is given when that is on disk. */
  readonly lsn: number
  /** The instrument's symbol. */
  readonly symbol: string
  /** The buying side, the best price first. */
  readonly bids: readonly DepthLevel[]
  /** The selling side, the best price first. */
  readonly asks: readonly DepthLevel[]
}

/** What an uncross of a book would give, as of an LSN. */
export interface IndicativeAnswer {
  /** What the answer is taken at; it is given when that is on disk. */
  readonly lsn: number
  /** The instrument's symbol. */
  readonly symbol: string
  /** The phase that it is in. */
  readonly phase: Phase
  /** The price at which all would trade; `undefined` when nothing would. */
  readonly price: string | undefined
  /** What would trade, a decimal string. */
  readonly quantity: string
  /** What would trade at the price and finds no other side, and of which side it is. */
  readonly surplus: string
  /** The side that has the surplus; undefined without one. */
  readonly surplusSide: Side | undefined
}

/** What only some new orders have; decimal strings. What an order has not is not there. */
export interface OrderTerms {
  /** How far the stop price of a trail stays from the best last price: a price, or … */
  readonly trailingOffset?: string
  /** … parts of 10,000 of it. */
  readonly trailingBasisPoints?: number
  /** The last price from which on the trail follows it. */
  readonly activationPrice?: string
  /** The group whose orders count as the order's own under self-trade prevention. */
  readonly selfTradeGroup?: number
  /** Of a new order only. */
  readonly minQuantity?: string
  /** The list that the order belongs to. */
  readonly listId?: number
  /** Of an accepted order of a list only: the client's own id of the list. */
  readonly clientListId?: string
  /** Of an accepted order of a list that stands aside until it has `entered`; otherwise not there. */
  readonly pending?: true
  /** Of a new order only: the amount of the quote asset that it is for; its quantity is what that came to. */
  readonly quoteQuantity?: string
  /** What the price follows, and what is added to that; `limitPrice` is the limit, and the price what it is now. */
  readonly peg?: Peg
  /** What is added to the reference. */
  readonly pegOffset?: string
  /** The limit of a pegged order. */
  readonly limitPrice?: string
}

/** One order, as of an LSN. */
export interface OrderAnswer {
  /** What the answer is taken at; it is given when that is on disk. */
  readonly lsn: number
  /** The live order, or `undefined`. */
  readonly order: OrderState | undefined
}

/** A live order; quantities and prices are decimal strings. */
export interface OrderState extends OrderTerms {
  /** The order's id. */
  readonly orderId: number
  /** The client's own name for it; `undefined` without one. */
  readonly clientOrderId: string | undefined
  /** The instrument's symbol. */
  readonly symbol: string
  /** The account. */
  readonly account: number
  /** Whether it buys or sells. */
  readonly side: 'buy' | 'sell'
  /** The order's type. */
  readonly orderType: OrderType
  /** How long it stays. */
  readonly timeInForce: TimeInForce
  /**
   * `waiting`: a stop or take-profit that was not triggered yet, or an order for the closing call before that. `pending`: of a list whose
   * working order is not filled yet.
   */
  readonly status: 'resting' | 'waiting' | 'pending'
  /** Absent for an order without a limit. */
  readonly price: string | undefined
  /** Of a trail: where it is now; `undefined` while it does not follow the last price, and where no price could be. */
  readonly stopPrice: string | undefined
  /** Open quantity, hidden part included; what traded so far; what of the open quantity is visible. */
  readonly remaining: string
  /** What traded so far. */
  readonly filled: string
  /** What of the open quantity is visible. */
  readonly shown: string
  /** Whether it is refused where it would trade at once. */
  readonly postOnly: boolean
  /** What an iceberg shows at a time. */
  readonly displayQuantity: string | undefined
  /** Milliseconds since 1970-01-01T00:00:00Z, of a GTD order. */
  readonly expireTime: number | undefined
  /** `undefined`: as the instrument says. */
  readonly selfTradePrevention: SelfTradePrevention | undefined
  /** The best last price since a trail follows it; absent while it does not. `activationPrice` is there only before. */
  readonly trailingReference?: string
}

/** A place among an account's open orders, which are in the order of their instruments' ids, then of their own. */
export interface OpenOrdersPlace {
  /** The instrument's symbol. */
  readonly symbol: string
  /** The order's id. */
  readonly orderId: number
}

/** Which open orders are asked for. */
export interface OpenOrdersOptions {
  /** The account. */
  readonly account: number
  /** In this symbol only; in every one unless stated. */
  readonly symbol?: string | undefined
  /** The most orders of a page, 1 to 1,000 (`openOrdersMax`). Default 500. */
  readonly limit?: number | undefined
  /** The place after which to begin: `next` of the page before. */
  readonly after?: OpenOrdersPlace | undefined
}

/** A page of an account's open orders. */
export interface OpenOrdersPage {
  /**
   * What the page is taken at; it is given when that is on disk. Each shard's orders are taken at one LSN; of several shards
   * this is the highest.
   */
  readonly lsn: number
  /** Live orders, waiting stops included, by ascending instrument id and order id. May be fewer than `limit`, or none, also when more follow. */
  readonly orders: readonly OrderState[]
  /** Where the next page begins; `undefined` when this is the last one. */
  readonly next: OpenOrdersPlace | undefined
}

/** The highest order id of a symbol, as of an LSN. */
export interface HighestOrderIdAnswer {
  /** What the answer is taken at; it is given when that is on disk. */
  readonly lsn: number
  /** The highest id that an accepted order has had, dead or alive; `undefined` before the first. */
  readonly orderId: number | undefined
}

/** The last request of an account in a symbol, as of an LSN. */
export interface LastRequestAnswer {
  /** What the answer is taken at; it is given when that is on disk. */
  readonly lsn: number
  /** The highest request id that was executed, or `undefined` when there was none. */
  readonly requestId: number | undefined
}

/** Fingerprints of all books, as of an LSN. */
export interface DigestAnswer {
  /** The highest LSN at which a shard was taken; the answer is given when that is on disk. */
  readonly lsn: number
  /** For each symbol a digest of all that decides its future: books, queues, stops, counters. */
  readonly symbols: Readonly<Record<string, string>>
  /** How many live orders there are. */
  readonly restingOrders: number
}
