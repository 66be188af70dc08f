import type { Values } from './signing.js'

export type Side = 'BUY' | 'SELL'
export type OrderStatus =
  | 'NEW'
  | 'PARTIALLY_FILLED'
  | 'FILLED'
  | 'CANCELED'
  | 'EXPIRED'
  | 'EXPIRED_IN_MATCH'
  | 'REJECTED'

/** A new order; names and values are the dialect's, decimals are strings such as `'0.50'`. What its type does not take is refused. */
export interface NewOrder {
  readonly symbol: string
  readonly side: Side
  /** `LIMIT`, `LIMIT_MAKER`, `MARKET`, `STOP_LOSS`, `STOP_LOSS_LIMIT`, `TAKE_PROFIT` or `TAKE_PROFIT_LIMIT`. */
  readonly type: string
  readonly timeInForce?: 'GTC' | 'IOC' | 'FOK' | undefined
  readonly quantity?: string | undefined
  readonly quoteOrderQty?: string | undefined
  readonly price?: string | undefined
  readonly stopPrice?: string | undefined
  readonly icebergQty?: string | undefined
  /** Parts of 10,000. */
  readonly trailingDelta?: number | undefined
  readonly selfTradePreventionMode?: string | undefined
  /** Default: one that no other order has. */
  readonly newClientOrderId?: string | undefined
  /**
   * Default: the next one of the account in the symbol. With one of your own, an order that your program sends again after it was
   * started again is executed once; it needs `newClientOrderId` then.
   */
  readonly requestId?: number | undefined
}

/** A fill of a new order. */
export interface Fill {
  readonly price: string
  readonly qty: string
  readonly commission: string
  readonly commissionAsset: string
  readonly tradeId: number
}

/** What a new order came to, at once. */
export interface PlacedOrder {
  readonly symbol: string
  readonly orderId: number
  readonly clientOrderId: string
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  readonly transactTime: number
  readonly price: string
  readonly origQty: string
  readonly executedQty: string
  readonly cummulativeQuoteQty: string
  readonly status: OrderStatus
  readonly timeInForce: string
  readonly type: string
  readonly side: Side
  readonly fills: readonly Fill[]
}

/** An order as queries and cancels give it. */
export interface Order {
  readonly symbol: string
  readonly orderId: number
  readonly clientOrderId: string
  readonly price: string
  readonly origQty: string
  readonly executedQty: string
  readonly cummulativeQuoteQty: string
  readonly status: OrderStatus
  readonly timeInForce: string
  readonly type: string
  readonly side: Side
}

/** Names an order by one of its ids. */
export interface OrderName extends Values {
  readonly symbol: string
  readonly orderId?: number
  readonly origClientOrderId?: string
}

/** An `executionReport` of the dialect: what happened to an order. Decimals are strings, times milliseconds since 1970-01-01T00:00:00Z. */
export interface ExecutionReport {
  readonly e: 'executionReport'
  /** Symbol, client order id, side, type. */
  readonly s: string
  readonly c: string
  readonly S: Side
  readonly o: string
  /** Quantity and price of the order. */
  readonly q: string
  readonly p: string
  /** What happened: `NEW`, `TRADE`, `CANCELED`, `EXPIRED` or `REPLACED`; and what the order is now. */
  readonly x: string
  readonly X: OrderStatus
  readonly i: number
  /** What was traded now, and at which price; what was traded in all. */
  readonly l: string
  readonly L: string
  readonly z: string
  /** Trade id; -1 when it is no trade. */
  readonly t: number
  /** Number of this event among those of all orders of the venue. */
  readonly I: number
  readonly T: number
  readonly [field: string]: unknown
}

/** Where an account's events have been read to. */
export interface EventPlace {
  /** LSN of the event's record in the venue's log. */
  readonly lsn: number
  /** Number of the event among those of all orders of the venue; a record may have several. */
  readonly executionId: number
}

/** An event of an account's order, and where it stands: given to `userEvents`, that place makes it go on after the event. */
export interface UserEvent extends EventPlace {
  readonly report: ExecutionReport
}
