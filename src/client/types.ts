import type { Values } from './signing.js'

/** Whether an order buys or sells. */
export type Side = 'BUY' | 'SELL'
/** What an order is now. */
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
  /** The instrument's symbol. */
  readonly symbol: string
  /** Whether it buys or sells. */
  readonly side: Side
  /** `LIMIT`, `LIMIT_MAKER`, `MARKET`, `STOP_LOSS`, `STOP_LOSS_LIMIT`, `TAKE_PROFIT` or `TAKE_PROFIT_LIMIT`. */
  readonly type: string
  /** How long it stays. */
  readonly timeInForce?: 'GTC' | 'IOC' | 'FOK' | undefined
  /** What is to be traded. */
  readonly quantity?: string | undefined
  /** Of a market order instead of `quantity`: the amount of the quote asset. */
  readonly quoteOrderQty?: string | undefined
  /** The limit price. */
  readonly price?: string | undefined
  /** The last price that it waits for. */
  readonly stopPrice?: string | undefined
  /** What an iceberg shows at a time. */
  readonly icebergQty?: string | undefined
  /** Parts of 10,000. */
  readonly trailingDelta?: number | undefined
  /** What happens where it would trade with an order of the same account. */
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
  /** The limit price. */
  readonly price: string
  /** The quantity. */
  readonly qty: string
  /** The commission. */
  readonly commission: string
  /** The asset that the commission is in. */
  readonly commissionAsset: string
  /** The trade's id. */
  readonly tradeId: number
}

/** What a new order came to, at once. */
export interface PlacedOrder {
  /** The instrument's symbol. */
  readonly symbol: string
  /** The venue's id. */
  readonly orderId: number
  /** The client's own id. */
  readonly clientOrderId: string
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  readonly transactTime: number
  /** The limit price. */
  readonly price: string
  /** The quantity that it was sent with. */
  readonly origQty: string
  /** What was traded so far. */
  readonly executedQty: string
  /** What was paid or received for that. */
  readonly cummulativeQuoteQty: string
  /** What the order is now. */
  readonly status: OrderStatus
  /** How long it stays. */
  readonly timeInForce: string
  /** The order's type. */
  readonly type: string
  /** Whether it buys or sells. */
  readonly side: Side
  /** What it traded at once. */
  readonly fills: readonly Fill[]
}

/** An order as queries and cancels give it. */
export interface Order {
  /** The instrument's symbol. */
  readonly symbol: string
  /** The venue's id. */
  readonly orderId: number
  /** The client's own id. */
  readonly clientOrderId: string
  /** The limit price. */
  readonly price: string
  /** The quantity that it was sent with. */
  readonly origQty: string
  /** What was traded so far. */
  readonly executedQty: string
  /** What was paid or received for that. */
  readonly cummulativeQuoteQty: string
  /** What the order is now. */
  readonly status: OrderStatus
  /** How long it stays. */
  readonly timeInForce: string
  /** The order's type. */
  readonly type: string
  /** Whether it buys or sells. */
  readonly side: Side
}

/** Names an order by one of its ids. */
export interface OrderName extends Values {
  /** The instrument's symbol. */
  readonly symbol: string
  /** The venue's id. */
  readonly orderId?: number
  /** The client's own id. */
  readonly origClientOrderId?: string
}

/** An `executionReport` of the dialect: what happened to an order. Decimals are strings, times milliseconds since 1970-01-01T00:00:00Z. */
export interface ExecutionReport {
  readonly e: 'executionReport'
  /** Symbol, client order id, side, type. */
  readonly s: string
  /** Client order id. */
  readonly c: string
  /** Side. */
  readonly S: Side
  /** Type. */
  readonly o: string
  /** Quantity and price of the order. */
  readonly q: string
  /** Price of the order. */
  readonly p: string
  /** What happened: `NEW`, `TRADE`, `CANCELED`, `EXPIRED` or `REPLACED`; and what the order is now. */
  readonly x: string
  /** What the order is now. */
  readonly X: OrderStatus
  /** Order id. */
  readonly i: number
  /** What was traded now, and at which price; what was traded in all. */
  readonly l: string
  /** The price of what was traded now. */
  readonly L: string
  /** What was traded in all. */
  readonly z: string
  /** Trade id; -1 when it is no trade. */
  readonly t: number
  /** Number of this event among those of all orders of the venue. */
  readonly I: number
  /** When it happened. */
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

/** An event of an account's order, and where it stands: given to `userEvents`, that place makes it continue after the event. */
export interface UserEvent extends EventPlace {
  /** What happened. */
  readonly report: ExecutionReport
}
