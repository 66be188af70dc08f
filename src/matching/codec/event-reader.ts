import { readU64 } from './command-layout.js'
import { decodeDetails, type InstrumentDetails } from './instrument-details.js'
import {
  type CancelReason,
  cancelReasonNames,
  eventKinds,
  type InstrumentStatus,
  type OutcomeStatus,
  outcomeStatusNames,
  type RejectCode,
  type ReplaceReason,
  rejectCodeNames,
  replaceReasonNames,
  type Side,
  sideNames,
} from './names.js'

/** Words of the header that every event starts with. */
export const EVENT_WORDS = 2

/** The new order passed every check. The trades that it made, and what became of the rest, follow in their own events. */
export interface AcceptedEvent {
  readonly event: 'accepted'
}

/** One fill, at the maker's price. Prices in ticks, quantities in lots. */
export interface TradeEvent {
  readonly event: 'trade'
  readonly tradeId: number
  readonly makerOrderId: number
  readonly takerOrderId: number
  readonly price: number
  readonly quantity: number
  readonly makerAccount: number
  readonly takerAccount: number
  /** Open quantity left, hidden part included. */
  readonly makerRemaining: number
  readonly takerRemaining: number
  readonly takerSide: Side
}

/** An order, or what was left of it, went away without trading. Prices in ticks, quantities in lots. */
export interface CancelledEvent {
  readonly event: 'cancelled'
  readonly orderId: number
  readonly side: Side
  /** Limit price; 0 for market and stop orders. */
  readonly price: number
  /** What was open. */
  readonly remaining: number
  readonly reason: CancelReason
}

/** The open quantity or the price of an order changed without a trade. Prices in ticks, quantities in lots. */
export interface ReplacedEvent {
  readonly event: 'replaced'
  readonly orderId: number
  readonly side: Side
  readonly price: number
  /** The open quantity from now on (before the trades that may follow in the same group). */
  readonly quantity: number
  readonly reason: ReplaceReason
}

/** The book refused the command, which changed nothing. */
export interface RejectedEvent {
  readonly event: 'rejected'
  /** 0 where the command names no order. */
  readonly orderId: number
  readonly code: RejectCode
}

/** A waiting stop became a market or limit order, because the last trade price reached its stop price. */
export interface TriggeredEvent {
  readonly event: 'triggered'
  readonly orderId: number
}

/** The command's request was executed before; this is what came of it then. */
export interface RepeatedEvent {
  readonly event: 'repeated'
  readonly orderId: number
  readonly status: OutcomeStatus
  readonly code: RejectCode | undefined
  /** Lots; -1 where the first outcome does not say. */
  readonly filled: number
  readonly remaining: number
  /** LSN of the first execution. */
  readonly firstLsn: number
}

/** What happened to the instrument of the command. */
export interface InstrumentEvent {
  readonly event: 'instrument-created' | 'halted' | 'resumed'
}

/** What the instrument of the command says of itself now. */
export interface InstrumentChangedEvent {
  readonly event: 'instrument-changed'
  readonly status: InstrumentStatus
  readonly details: InstrumentDetails
}

/** An event record as an object. */
export type DecodedEvent =
  | AcceptedEvent
  | TradeEvent
  | CancelledEvent
  | ReplacedEvent
  | RejectedEvent
  | TriggeredEvent
  | RepeatedEvent
  | InstrumentEvent
  | InstrumentChangedEvent

/** Reads the event record at a word offset; undefined for a kind that does not exist. */
export function decodeEvent(words: Int32Array, at: number): DecodedEvent | undefined {
  const side = sideNames[(words[at]! >>> 8) & 1]!
  const aux = words[at + 1]!
  switch (words[at]! & 0xff) {
    case eventKinds.accepted:
      return { event: 'accepted' }
    case eventKinds.trade:
      return {
        event: 'trade',
        tradeId: readU64(words, at + 2),
        makerOrderId: readU64(words, at + 4),
        takerOrderId: readU64(words, at + 6),
        price: readU64(words, at + 8),
        quantity: readU64(words, at + 10),
        makerAccount: words[at + 12]! >>> 0,
        takerAccount: words[at + 13]! >>> 0,
        makerRemaining: readU64(words, at + 14),
        takerRemaining: readU64(words, at + 16),
        takerSide: side,
      }
    case eventKinds.cancelled: {
      const [orderId, price, remaining] = [
        readU64(words, at + 2),
        readU64(words, at + 4),
        readU64(words, at + 6),
      ]
      return { event: 'cancelled', orderId, side, price, remaining, reason: cancelReasonNames[aux]! }
    }
    case eventKinds.replaced: {
      const [orderId, price, quantity] = [
        readU64(words, at + 2),
        readU64(words, at + 4),
        readU64(words, at + 6),
      ]
      return { event: 'replaced', orderId, side, price, quantity, reason: replaceReasonNames[aux]! }
    }
    case eventKinds.rejected:
      return { event: 'rejected', orderId: readU64(words, at + 2), code: rejectCodeNames[aux]! }
    case eventKinds.triggered:
      return { event: 'triggered', orderId: readU64(words, at + 2) }
    case eventKinds.repeated:
      return {
        event: 'repeated',
        orderId: readU64(words, at + 2),
        status: outcomeStatusNames[(words[at]! >>> 8) & 0xff]!,
        code: rejectCodeNames[aux],
        filled: readU64(words, at + 4) - 1,
        remaining: readU64(words, at + 6) - 1,
        firstLsn: readU64(words, at + 8),
      }
    case eventKinds['instrument-created']:
      return { event: 'instrument-created' }
    case eventKinds['instrument-changed']: {
      const { set, status = 'open' } = decodeDetails(words, at + EVENT_WORDS)
      return { event: 'instrument-changed', status, details: set }
    }
    case eventKinds.halted:
      return { event: 'halted' }
    case eventKinds.resumed:
      return { event: 'resumed' }
    default:
      return undefined
  }
}

/** Reads every event of the group (command record first) that spans the words `from` to `end`. */
export function decodeEvents(words: Int32Array, from: number, end: number): DecodedEvent[] {
  const events: DecodedEvent[] = []
  for (let at = from + (words[from]! >>> 18); at < end; at += words[at]! >>> 18) {
    const event = decodeEvent(words, at)
    if (event !== undefined) events.push(event)
  }
  return events
}

/**
 * Walks the events of a group without allocating: point it at a group with `reset`, then call `next` until it returns
 * 0. Each accessor reads the event at hand and is meaningful only for kinds that have that field.
 */
export class EventCursor {
  #words: Int32Array = new Int32Array(0)
  #at = 0
  #next = 0
  #end = 0

  /** `from` and `end` are word offsets of a whole group, whose first record is the command. */
  reset(words: Int32Array, from: number, end: number): void {
    this.#words = words
    this.#next = from + (words[from]! >>> 18)
    this.#end = end
  }

  /** Moves to the next event; its kind code (`eventKinds`), or 0 after the last. */
  next(): number {
    if (this.#next >= this.#end) return 0
    this.#at = this.#next
    const header = this.#words[this.#at]!
    this.#next += header >>> 18
    return header & 0xff
  }

  /** 1 when the order, in a trade the taker, sells. */
  get sell(): number {
    return (this.#words[this.#at]! >>> 8) & 1
  }
  /** Reason of a `cancelled` or `replaced` event, code of a `rejected` one. */
  get reason(): number {
    return this.#words[this.#at + 1]!
  }
  get orderId(): number {
    return readU64(this.#words, this.#at + 2)
  }
  /** Price of a `cancelled` or `replaced` event, ticks. */
  get price(): number {
    return readU64(this.#words, this.#at + 4)
  }
  /** Quantity of a `cancelled` or `replaced` event, lots. */
  get quantity(): number {
    return readU64(this.#words, this.#at + 6)
  }
  /** Of a `repeated` event: the first outcome's status code, quantities (-1: unknown) and LSN. */
  get firstStatus(): number {
    return (this.#words[this.#at]! >>> 8) & 0xff
  }
  get firstFilled(): number {
    return readU64(this.#words, this.#at + 4) - 1
  }
  get firstRemaining(): number {
    return readU64(this.#words, this.#at + 6) - 1
  }
  get firstLsn(): number {
    return readU64(this.#words, this.#at + 8)
  }
  get tradeId(): number {
    return readU64(this.#words, this.#at + 2)
  }
  get makerOrderId(): number {
    return readU64(this.#words, this.#at + 4)
  }
  get takerOrderId(): number {
    return readU64(this.#words, this.#at + 6)
  }
  get tradePrice(): number {
    return readU64(this.#words, this.#at + 8)
  }
  get tradeQuantity(): number {
    return readU64(this.#words, this.#at + 10)
  }
  get makerAccount(): number {
    return this.#words[this.#at + 12]! >>> 0
  }
  get takerAccount(): number {
    return this.#words[this.#at + 13]! >>> 0
  }
  get makerRemaining(): number {
    return readU64(this.#words, this.#at + 14)
  }
  get takerRemaining(): number {
    return readU64(this.#words, this.#at + 16)
  }
}
