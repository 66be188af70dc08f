import {
  type CancelReason,
  cancelReasonNames,
  decodeDetails,
  EVENT_WORDS,
  eventKinds,
  type Grid,
  type InstrumentStatus,
  newOrderPrice,
  newOrderQuantity,
  newOrderSell,
  type OutcomeStatus,
  outcomeStatusNames,
  priceText,
  quantityText,
  type RejectCode,
  type ReplaceReason,
  readU64,
  rejectCodeNames,
  replaceReasonNames,
  type Side,
  sideNames,
} from '../../matching/index.js'
import { describeDetails } from '../instrument-details.js'
import type { PoolEvent, TradeEvent } from '../types.js'

type EventOf<Name extends PoolEvent['event']> = Extract<PoolEvent, { event: Name }>
type InstrumentEventName = 'instrument-created' | 'halted' | 'resumed'

/** The record that an event is read from, and the event's number in it. Offsets in docs/command-format.md. */
export interface EventSource {
  words: Int32Array
  /** Word offset of the command, which begins the record. */
  from: number
  /** Where the record ends. */
  lsn: number
  index: number
  symbol: string
  tag: bigint
  prices: Grid
  lots: Grid
}

/**
 * What every event has. All fields are plain data, so events can be printed, spread and cloned; JSON knows no bigint, so
 * there the tag is a string. Each kind is a class that reads its fields from the words at `at` and assigns them once, in
 * their order: a subscriber gets every event of the log, and `declare` keeps the compiler from assigning them twice.
 */
abstract class EventRecord {
  declare readonly lsn: number
  declare readonly index: number
  declare readonly symbol: string
  declare readonly tag: bigint

  constructor(source: EventSource) {
    this.lsn = source.lsn
    this.index = source.index
    this.symbol = source.symbol
    this.tag = source.tag
  }

  toJSON(): object {
    return { ...this, tag: String(this.tag) }
  }
}

export class TradeRecord extends EventRecord implements TradeEvent {
  declare readonly event: 'trade'
  declare readonly tradeId: number
  declare readonly makerOrderId: number
  declare readonly takerOrderId: number
  declare readonly price: string
  declare readonly quantity: string
  declare readonly makerAccount: number
  declare readonly takerAccount: number
  declare readonly makerRemaining: string
  declare readonly takerRemaining: string
  declare readonly takerSide: Side

  constructor(source: EventSource, at: number) {
    super(source)
    const { words, lots } = source
    this.event = 'trade'
    this.tradeId = readU64(words, at + 2)
    this.makerOrderId = readU64(words, at + 4)
    this.takerOrderId = readU64(words, at + 6)
    this.price = priceText(readU64(words, at + 8), source.prices)
    this.quantity = quantityText(readU64(words, at + 10), lots)
    this.makerAccount = words[at + 12]! >>> 0
    this.takerAccount = words[at + 13]! >>> 0
    this.makerRemaining = quantityText(readU64(words, at + 14), lots)
    this.takerRemaining = quantityText(readU64(words, at + 16), lots)
    this.takerSide = sideOf(words, at)
  }
}

/** Only a new order is accepted, and the event repeats nothing of it: the fields are those of the command. */
export class AcceptedRecord extends EventRecord implements EventOf<'accepted'> {
  declare readonly event: 'accepted'
  declare readonly orderId: number
  declare readonly side: Side
  declare readonly price: string | undefined
  declare readonly quantity: string

  constructor(source: EventSource) {
    super(source)
    const { words, from } = source
    this.event = 'accepted'
    this.orderId = readU64(words, from + 4)
    this.side = sideNames[newOrderSell(words, from)]!
    this.price = optionalPrice(newOrderPrice(words, from), source.prices)
    this.quantity = quantityText(newOrderQuantity(words, from), source.lots)
  }
}

export class ReplacedRecord extends EventRecord implements EventOf<'replaced'> {
  declare readonly event: 'replaced'
  declare readonly orderId: number
  declare readonly side: Side
  declare readonly price: string | undefined
  declare readonly quantity: string
  declare readonly reason: ReplaceReason

  constructor(source: EventSource, at: number) {
    super(source)
    const { words } = source
    this.event = 'replaced'
    this.orderId = readU64(words, at + 2)
    this.side = sideOf(words, at)
    this.price = optionalPrice(readU64(words, at + 4), source.prices)
    this.quantity = quantityText(readU64(words, at + 6), source.lots)
    this.reason = replaceReasonNames[words[at + 1]!]!
  }
}

export class CancelledRecord extends EventRecord implements EventOf<'cancelled'> {
  declare readonly event: 'cancelled'
  declare readonly orderId: number
  declare readonly side: Side
  declare readonly price: string | undefined
  declare readonly remaining: string
  declare readonly reason: CancelReason

  constructor(source: EventSource, at: number) {
    super(source)
    const { words } = source
    this.event = 'cancelled'
    this.orderId = readU64(words, at + 2)
    this.side = sideOf(words, at)
    this.price = optionalPrice(readU64(words, at + 4), source.prices)
    this.remaining = quantityText(readU64(words, at + 6), source.lots)
    this.reason = cancelReasonNames[words[at + 1]!]!
  }
}

export class RejectedRecord extends EventRecord implements EventOf<'rejected'> {
  declare readonly event: 'rejected'
  declare readonly orderId: number
  declare readonly code: RejectCode

  constructor(source: EventSource, at: number) {
    super(source)
    this.event = 'rejected'
    this.orderId = readU64(source.words, at + 2)
    this.code = rejectCodeNames[source.words[at + 1]!]!
  }
}

export class TriggeredRecord extends EventRecord implements EventOf<'triggered'> {
  declare readonly event: 'triggered'
  declare readonly orderId: number

  constructor(source: EventSource, at: number) {
    super(source)
    this.event = 'triggered'
    this.orderId = readU64(source.words, at + 2)
  }
}

export class RepeatedRecord extends EventRecord implements EventOf<'repeated'> {
  declare readonly event: 'repeated'
  declare readonly orderId: number
  declare readonly status: OutcomeStatus
  declare readonly code: RejectCode | undefined
  declare readonly firstLsn: number

  constructor(source: EventSource, at: number) {
    super(source)
    const { words } = source
    this.event = 'repeated'
    this.orderId = readU64(words, at + 2)
    this.status = outcomeStatusNames[(words[at]! >>> 8) & 0xff]!
    this.code = rejectCodeNames[words[at + 1]!]
    this.firstLsn = readU64(words, at + 8)
  }
}

/** What happened to the instrument as a whole: the event is its kind and nothing else. */
export class InstrumentRecord extends EventRecord implements EventOf<InstrumentEventName> {
  declare readonly event: InstrumentEventName

  constructor(source: EventSource, at: number) {
    super(source)
    this.event = instrumentEventNames[source.words[at]! & 0xff]!
  }
}

/** What an instrument says of itself from now on. */
export class InstrumentChangedRecord extends EventRecord implements EventOf<'instrument-changed'> {
  declare readonly event: 'instrument-changed'
  declare readonly status: InstrumentStatus
  declare readonly baseAsset: string | undefined
  declare readonly quoteAsset: string | undefined
  declare readonly minPrice: string | undefined
  declare readonly maxPrice: string | undefined
  declare readonly minQuantity: string | undefined
  declare readonly maxQuantity: string | undefined
  declare readonly minNotional: string | undefined
  declare readonly info: Readonly<Record<string, unknown>> | undefined

  constructor(source: EventSource, at: number) {
    super(source)
    const { set, status = 'open' } = decodeDetails(source.words, at + EVENT_WORDS)
    this.event = 'instrument-changed'
    this.status = status
    Object.assign(this, describeDetails(set, { price: source.prices, quantity: source.lots }))
  }
}

const instrumentEventNames: Record<number, InstrumentEventName> = {
  [eventKinds['instrument-created']]: 'instrument-created',
  [eventKinds.halted]: 'halted',
  [eventKinds.resumed]: 'resumed',
}

/** The side in the flags of an event. */
function sideOf(words: Int32Array, at: number): Side {
  return sideNames[(words[at]! >>> 8) & 1]!
}

function optionalPrice(ticks: number, grid: Grid): string | undefined {
  return ticks === 0 ? undefined : priceText(ticks, grid)
}
