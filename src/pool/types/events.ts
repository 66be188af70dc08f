import type {
  CancelReason,
  OrderType,
  OutcomeStatus,
  Phase,
  RejectCode,
  ReplaceReason,
  SelfTradePrevention,
  Side,
  TimeInForce,
} from '../../matching/index.js'
import type { OrderTerms } from './answers.js'
import type { InstrumentDetails } from './instruments.js'

interface EventPlace {
  /** The event's command's LSN, and its number within the record: (lsn, index) orders all events of a log. */
  readonly lsn: number
  /** The event's number within its record, from 0 on. */
  readonly index: number
  /**
   * When it was logged, in microseconds since 1970-01-01T00:00:00Z by the clock of the machine that logged it. Events that were
   * logged together have the same time, and a clock that is set back takes it with it.
   */
  readonly timeUs: number
  /** The instrument's symbol. */
  readonly symbol: string
  /** The command's tag: the caller's own 64 bits, 0 without one. In JSON a string. */
  readonly tag: bigint
}

/** A fill, at the maker's price. */
export type TradeEvent = EventPlace & {
  readonly event: 'trade'
  /** 1, 2, 3, … for each symbol. */
  readonly tradeId: number
  /** The order that rested. */
  readonly makerOrderId: number
  /** The order that came. */
  readonly takerOrderId: number
  /** The maker's price. */
  readonly price: string
  /** What was traded. */
  readonly quantity: string
  /** Whether the taker bought or sold. */
  readonly takerSide: Side
  /** The account of the maker. */
  readonly makerAccount: number
  /** The account of the taker. */
  readonly takerAccount: number
  /** Open afterwards, hidden part included. */
  readonly makerRemaining: string
  /** What of the taker is open afterwards, hidden part included. */
  readonly takerRemaining: string
  /** Made at the one price of a call, where no order is first: the buyer is said to be the maker. */
  readonly uncross: boolean
}

interface OrderPlace extends EventPlace {
  /** The order's id. */
  readonly orderId: number
  /** The client's own name for the order; `undefined` without one. */
  readonly clientOrderId: string | undefined
  /** The account. */
  readonly account: number
  /** Whether it buys or sells. */
  readonly side: Side
  /** Limit price; `undefined` for orders without a limit. */
  readonly price: string | undefined
}

/** A new order passed every check: the whole of it as it was sent. What it traded, and what became of the rest, follows. */
export type AcceptedEvent = OrderPlace &
  OrderTerms & {
    /** What happened. */
    readonly event: 'accepted'
    /** The order's type. */
    readonly orderType: OrderType
    /** How long it stays. */
    readonly timeInForce: TimeInForce
    /** The quantity of the order, hidden part included. */
    readonly quantity: string
    /** `undefined` unless it is a stop or take-profit without a trail. */
    readonly stopPrice: string | undefined
    /** The visible part of an iceberg; `undefined` for others. */
    readonly displayQuantity: string | undefined
    /** Whether it is refused where it would trade at once. */
    readonly postOnly: boolean
    /** Milliseconds since 1970-01-01T00:00:00Z; `undefined` unless it is GTD. */
    readonly expireTime: number | undefined
    /** `undefined` where the instrument's holds. */
    readonly selfTradePrevention: SelfTradePrevention | undefined
  }

/** The open quantity or the price of an order changed without a trade. */
export type ReplacedEvent = OrderPlace & {
  readonly event: 'replaced'
  /** Open from now on, before the trades that may follow in the same record. */
  readonly quantity: string
  /** What the order had traded before. */
  readonly filled: string
  /** Why it changed. */
  readonly reason: ReplaceReason
}

/** An order, or what was left of it, went away without trading. */
export type CancelledEvent = OrderPlace & {
  readonly event: 'cancelled'
  /** What was open. */
  readonly remaining: string
  /** What the order had traded. */
  readonly filled: string
  /** Why it went away. */
  readonly reason: CancelReason
}

/** A waiting order became a market or limit order. */
export type TriggeredEvent = OrderPlace & {
  readonly event: 'triggered'
  /** What is open. */
  readonly remaining: string
  /** What the order had traded before. */
  readonly filled: string
}

/** A pending order of a list is no longer so, because the working order was filled: it waits for its stop price, or acts. */
export type EnteredEvent = Omit<TriggeredEvent, 'event'> & {
  readonly event: 'entered'
  /** Whether it waits for its stop price from now on; otherwise it acts. */
  readonly waiting: boolean
}

/**
 * The book refused a command, which changed nothing. Side, price and what was filled are those of the new order, or of the live
 * order that the command names, and `undefined` when that is not live or belongs to another account.
 */
export type RejectedEvent = EventPlace & {
  readonly event: 'rejected'
  /** 0 where the command names no order. */
  readonly orderId: number
  /** Of the command, or of the live order that it names. */
  readonly clientOrderId: string | undefined
  /** The account that the command states, or of the live order that it names. */
  readonly account: number | undefined
  /** Whether it buys or sells. */
  readonly side: Side | undefined
  /** The limit price. */
  readonly price: string | undefined
  /** What it had traded. */
  readonly filled: string | undefined
  /** Why it was refused. */
  readonly code: RejectCode
}

/** A request was sent again that had been executed before. */
export type RepeatedEvent = EventPlace & {
  readonly event: 'repeated'
  /** The order's id. */
  readonly orderId: number
  /** The account. */
  readonly account: number
  /** What became of it then. */
  readonly status: OutcomeStatus
  /** Why it was refused then; undefined where it was not. */
  readonly code: RejectCode | undefined
  /** LSN of the first execution. */
  readonly firstLsn: number
}

/** Something happened to an instrument as a whole. */
export type InstrumentEvent = EventPlace & {
  /** What happened. */
  readonly event: 'instrument-created' | 'volatility-interruption'
}

/** An instrument is in another phase. What an uncross trades, and what the change cancels, follows in the same record. */
export type PhaseChangedEvent = EventPlace & {
  readonly event: 'phase-changed'
  /** The phase that it is in. */
  readonly phase: Phase
  /** Of `auction`: it is the closing call. */
  readonly closing: boolean
  /** Of `halted`: orders are taken as in a call. */
  readonly takesOrders: boolean
}

/** A trade that was published does not count. */
export type TradeBustedEvent = EventPlace & {
  readonly event: 'trade-busted'
  /** The trade's id: 1, 2, 3, … for each symbol. */
  readonly tradeId: number
}

/** The symbol takes no orders of an account from now on, or takes them again. A block is one such event for each symbol. */
export type AccountEvent = EventPlace & {
  /** Whether it is blocked or not any more. */
  readonly event: 'account-blocked' | 'account-unblocked'
  /** The account. */
  readonly account: number
}

/** What an instrument says of itself from now on. */
export type InstrumentChangedEvent = EventPlace & InstrumentDetails & { readonly event: 'instrument-changed' }

/** A durable event, prices and quantities as decimal strings. */
export type PoolEvent =
  | TradeEvent
  | AcceptedEvent
  | ReplacedEvent
  | CancelledEvent
  | RejectedEvent
  | TriggeredEvent
  | EnteredEvent
  | RepeatedEvent
  | InstrumentEvent
  | PhaseChangedEvent
  | TradeBustedEvent
  | InstrumentChangedEvent
  | AccountEvent
