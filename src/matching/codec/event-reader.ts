import { flagsOf, LENGTH_SHIFT, readU64 } from './command-layout.js'
import { phaseOf } from './command-reader.js'
import { OrderEventFields, TradeFields } from './event-fields.js'
import { EVENT_HEADER_WORDS, REPEATED_STATUS, reasonOf, TRADE_IN_UNCROSS } from './event-layout.js'
import { decodeDetails, type InstrumentDetails } from './instrument-details.js'
import {
  type CancelReason,
  cancelReasonNames,
  eventKinds,
  type OutcomeStatus,
  outcomeStatusNames,
  type Phase,
  type RejectCode,
  type ReplaceReason,
  rejectCodeNames,
  replaceReasonNames,
  type Side,
  sideNames,
} from './names.js'
import { acceptedOrderAt } from './order-lists.js'

/**
 * The new order passed every check; its other fields are those of the command. The trades that it made, and what became of the
 * rest, follow in their own events.
 */
export interface AcceptedEvent {
  /** What happened. */
  readonly event: 'accepted'
  /** The account. */
  readonly account: number
  /** Only of an order of a list: which one, and its list. */
  readonly orderId?: number
  /** The list that the order belongs to. */
  readonly listId?: number
}

/** One fill, at the maker's price. Prices in ticks, quantities in lots. */
export interface TradeEvent {
  readonly event: 'trade'
  /** The trade's id: 1, 2, 3, … for each symbol. */
  readonly tradeId: number
  /** The order that rested. */
  readonly makerOrderId: number
  /** The order that came. */
  readonly takerOrderId: number
  /** The maker's price, in ticks. */
  readonly price: number
  /** What was traded, in lots. */
  readonly quantity: number
  /** The account of the maker. */
  readonly makerAccount: number
  /** The account of the taker. */
  readonly takerAccount: number
  /** Open quantity left, hidden part included. */
  readonly makerRemaining: number
  /** Lots of the taker left open. */
  readonly takerRemaining: number
  /** Whether the taker bought or sold. */
  readonly takerSide: Side
  /** Made at the price of a call: then the buyer is said to be the maker. */
  readonly uncross?: true
}

/** An order, or what was left of it, went away without trading. Prices in ticks, quantities in lots. */
export interface CancelledEvent {
  readonly event: 'cancelled'
  /** The order's id. */
  readonly orderId: number
  /** The account. */
  readonly account: number
  /** Whether it buys or sells. */
  readonly side: Side
  /** Limit price; 0 for market and stop orders. */
  readonly price: number
  /** What was open. */
  readonly remaining: number
  /** What it had traded. */
  readonly filled: number
  /** The client's own name for the order; not there without one. */
  readonly clientOrderId?: string
  /** Why it went away. */
  readonly reason: CancelReason
}

/** The open quantity or the price of an order changed without a trade. Prices in ticks, quantities in lots. */
export interface ReplacedEvent {
  readonly event: 'replaced'
  /** The order's id. */
  readonly orderId: number
  /** The account. */
  readonly account: number
  /** Whether it buys or sells. */
  readonly side: Side
  /** The price from now on, in ticks. */
  readonly price: number
  /** The open quantity from now on (before the trades that may follow in the same record). */
  readonly quantity: number
  /** What it had traded before. */
  readonly filled: number
  /** The client's own name for the order; not there without one. */
  readonly clientOrderId?: string
  /** Why it changed. */
  readonly reason: ReplaceReason
}

/**
 * The book refused the command, which changed nothing. Side, price and what was filled are those of the new order, or of the
 * live order that the command names, and absent when there is none or it belongs to another account.
 */
export interface RejectedEvent {
  readonly event: 'rejected'
  /** 0 where the command names no order. */
  readonly orderId: number
  /** Why it was refused. */
  readonly code: RejectCode
  /** The account that the command states, or of the live order that it names. */
  readonly account?: number
  /** Whether it buys or sells. */
  readonly side?: Side
  /** Limit price in ticks; 0 for market and stop orders. */
  readonly price?: number
  /** Lots. */
  readonly filled?: number
  /** The client's own name for the order; not there without one. */
  readonly clientOrderId?: string
}

/** A waiting stop became a market or limit order, because the last trade price reached its stop price. */
export interface TriggeredEvent {
  readonly event: 'triggered'
  /** The order's id. */
  readonly orderId: number
  /** The account. */
  readonly account: number
  /** Whether it buys or sells. */
  readonly side: Side
  /** Limit price in ticks; 0 for a stop that becomes a market order. */
  readonly price: number
  /** What is open, lots. */
  readonly quantity: number
  /** What it had traded before, lots. */
  readonly filled: number
  /** The client's own name for the order; not there without one. */
  readonly clientOrderId?: string
}

/** A pending order of a list is no longer so, because the working order was filled: it waits for its stop price, or acts. */
export interface EnteredEvent extends Omit<TriggeredEvent, 'event'> {
  readonly event: 'entered'
  /** Whether it waits for its stop price from now on; otherwise it acts. */
  readonly waiting: boolean
}

/** The command's request was executed before; this is what came of it then. */
export interface RepeatedEvent {
  readonly event: 'repeated'
  /** The order's id. */
  readonly orderId: number
  /** The account. */
  readonly account: number
  /** What became of it then. */
  readonly status: OutcomeStatus
  /** Why it was refused then; undefined where it was not. */
  readonly code: RejectCode | undefined
  /** Lots; -1 where the first outcome does not say. */
  readonly filled: number
  /** Lots that were left open then; -1 where the first outcome does not say. */
  readonly remaining: number
  /** LSN of the first execution. */
  readonly firstLsn: number
}

/** What happened to the instrument of the command. */
export interface InstrumentEvent {
  /** What happened. */
  readonly event: 'instrument-created' | 'volatility-interruption'
}

/** The instrument of the command is in this phase now. */
export interface PhaseChangedEvent {
  readonly event: 'phase-changed'
  /** The phase that it is in. */
  readonly phase: Phase
  /** Of `auction`: whether it is the closing call. */
  readonly closing?: true
  /** Of `halted`: whether orders are taken as in a call. */
  readonly takesOrders?: true
}

/** The trade that the command names does not count. */
export interface TradeBustedEvent {
  readonly event: 'trade-busted'
  /** The trade's id: 1, 2, 3, … for each symbol. */
  readonly tradeId: number
}

/** What the instrument of the command says of itself now. */
export interface InstrumentChangedEvent {
  readonly event: 'instrument-changed'
  /** All that it says of itself from now on. */
  readonly details: InstrumentDetails
}

/** The instrument of the command takes no orders of an account from now on, or takes them again. */
export interface AccountEvent {
  /** Whether it is blocked or not any more. */
  readonly event: 'account-blocked' | 'account-unblocked'
  /** The account. */
  readonly account: number
}

/** An event record as an object. */
export type DecodedEvent =
  | AcceptedEvent
  | TradeEvent
  | CancelledEvent
  | ReplacedEvent
  | RejectedEvent
  | TriggeredEvent
  | EnteredEvent
  | RepeatedEvent
  | InstrumentEvent
  | PhaseChangedEvent
  | TradeBustedEvent
  | InstrumentChangedEvent
  | AccountEvent

const fields = new OrderEventFields()
const trade = new TradeFields()

/**
 * Reads the event at `at` of the record whose command is at `from`, both word offsets; undefined for a kind that does not
 * exist.
 */
export function decodeEvent(words: Int32Array, at: number, from: number): DecodedEvent | undefined {
  switch (words[at]! & 0xff) {
    case eventKinds.accepted:
      return decodeAccepted(words, at, from)
    case eventKinds.trade: {
      trade.read(words, at, from)
      return {
        event: 'trade',
        ...trade,
        takerSide: sideNames[flagsOf(words, at) & 1]!,
        ...((flagsOf(words, at) & TRADE_IN_UNCROSS) !== 0 && { uncross: true as const }),
      }
    }
    case eventKinds.cancelled: {
      const { quantity: remaining, reason, ...order } = decodeOrder(words, at, from)
      return { event: 'cancelled', ...order, remaining, reason: cancelReasonNames[reason]! }
    }
    case eventKinds.replaced: {
      const { reason, ...order } = decodeOrder(words, at, from)
      return { event: 'replaced', ...order, reason: replaceReasonNames[reason]! }
    }
    case eventKinds.rejected: {
      fields.read(words, at, from)
      const { orderId, account, sell, price, filled, reason, hasOrder, clientOrderId } = fields
      return {
        event: 'rejected',
        orderId,
        code: rejectCodeNames[reason]!,
        ...(account >= 0 && { account }),
        ...(hasOrder && { side: sideNames[sell]!, price, filled }),
        ...(clientOrderId !== undefined && { clientOrderId }),
      }
    }
    case eventKinds.triggered: {
      const { reason: _, ...order } = decodeOrder(words, at, from)
      return { event: 'triggered', ...order }
    }
    case eventKinds.entered: {
      const { reason, ...order } = decodeOrder(words, at, from)
      return { event: 'entered', ...order, waiting: reason === 1 }
    }
    case eventKinds.repeated:
      return {
        event: 'repeated',
        orderId: readU64(words, from + 2),
        account: words[at + 1]! >>> 0,
        status: outcomeStatusNames[flagsOf(words, at) & REPEATED_STATUS]!,
        code: rejectCodeNames[reasonOf(words, at)],
        filled: readU64(words, at + 2) - 1,
        remaining: readU64(words, at + 4) - 1,
        firstLsn: readU64(words, at + 6),
      }
    case eventKinds['instrument-created']:
      return { event: 'instrument-created' }
    case eventKinds['instrument-changed']: {
      const { set } = decodeDetails(words, at + EVENT_HEADER_WORDS)
      return { event: 'instrument-changed', details: set }
    }
    case eventKinds['phase-changed']:
      return { event: 'phase-changed', ...phaseOf(reasonOf(words, at), flagsOf(words, at)) }
    case eventKinds['volatility-interruption']:
      return { event: 'volatility-interruption' }
    case eventKinds['trade-busted']:
      return { event: 'trade-busted', tradeId: readU64(words, from + 2) }
    case eventKinds['account-blocked']:
      return { event: 'account-blocked', account: words[at + 1]! >>> 0 }
    case eventKinds['account-unblocked']:
      return { event: 'account-unblocked', account: words[at + 1]! >>> 0 }
    default:
      return undefined
  }
}

function decodeAccepted(words: Int32Array, at: number, from: number): AcceptedEvent | undefined {
  const order = acceptedOrderAt(words, at, from)
  if (order < 0) return undefined
  const accepted = { event: 'accepted', account: words[at + 1]! >>> 0 } as const
  if (order === from) return accepted
  return { ...accepted, orderId: readU64(words, order + 2), listId: readU64(words, from + 2) }
}

function decodeOrder(words: Int32Array, at: number, from: number) {
  fields.read(words, at, from)
  const { orderId, account, sell, price, quantity, filled, reason, clientOrderId } = fields
  return {
    orderId,
    account,
    side: sideNames[sell]!,
    price,
    quantity,
    filled,
    reason,
    ...(clientOrderId !== undefined && { clientOrderId }),
  }
}

/** Reads every event of the record (command first) that spans the words `from` to `end`. */
export function decodeEvents(words: Int32Array, from: number, end: number): DecodedEvent[] {
  const events: DecodedEvent[] = []
  for (let at = from + (words[from]! >>> LENGTH_SHIFT); at < end; at += words[at]! >>> LENGTH_SHIFT) {
    const event = decodeEvent(words, at, from)
    if (event !== undefined) events.push(event)
  }
  return events
}

/**
 * Walks the events of a record without allocating: point it at a record with `reset`, then call `next` until it returns
 * 0. The fields of the event at hand are read when `order` or `trade` is.
 */
export class EventCursor {
  #words: Int32Array = new Int32Array(0)
  #from = 0
  #at = 0
  #next = 0
  #end = 0
  readonly #order = new OrderEventFields()
  readonly #trade = new TradeFields()

  /** `from` and `end` are word offsets of a whole record, which begins with the command. */
  reset(words: Int32Array, from: number, end: number): void {
    this.#words = words
    this.#from = from
    this.#next = from + (words[from]! >>> LENGTH_SHIFT)
    this.#end = end
  }

  /** Moves to the next event; its kind code (`eventKinds`), or 0 after the last. */
  next(): number {
    if (this.#next >= this.#end) return 0
    this.#at = this.#next
    const header = this.#words[this.#at]!
    this.#next += header >>> LENGTH_SHIFT
    return header & 0xff
  }

  /** 1 when the order, in a trade the taker, sells. */
  get sell(): number {
    return flagsOf(this.#words, this.#at) & 1
  }
  /** Of a `cancelled`, `replaced`, `rejected` or `triggered` event; the same object each time. */
  get order(): OrderEventFields {
    this.#order.read(this.#words, this.#at, this.#from)
    return this.#order
  }
  /** Of a `trade` event; the same object each time. */
  get trade(): TradeFields {
    this.#trade.read(this.#words, this.#at, this.#from)
    return this.#trade
  }
}
