import {
  acceptedOrderAt,
  cancelReasonNames,
  decodeDetails,
  EVENT_HEADER_WORDS,
  eventKinds,
  flagsOf,
  type Grid,
  NewOrderFields,
  OrderEventFields,
  type OrderType,
  orderTypeNames,
  outcomeStatusNames,
  phaseOf,
  priceText,
  quantityText,
  REPEATED_STATUS,
  type RejectCode,
  readU64,
  reasonOf,
  rejectCodeNames,
  replaceReasonNames,
  type Side,
  selfTradePreventionNames,
  sideNames,
  TRADE_IN_UNCROSS,
  TradeFields,
  timeInForceNames,
} from '../../matching/index.js'
import { describeDetails } from '../instrument-details.js'
import { describeTerms } from '../order-terms.js'
import type {
  AcceptedEvent,
  AccountEvent,
  CancelledEvent,
  InstrumentChangedEvent,
  InstrumentEvent,
  PhaseChangedEvent,
  RejectedEvent,
  RepeatedEvent,
  ReplacedEvent,
  TradeBustedEvent,
  TradeEvent,
} from '../types.js'

/** The record that an event is read from, and the event's number in it. Offsets in docs/command-format.md. */
export interface EventSource {
  words: Int32Array
  /** Word offset of the command, which begins the record. */
  from: number
  /** Where the record ends. */
  lsn: number
  index: number
  /** When it was logged, microseconds since 1970-01-01T00:00:00Z. */
  timeUs: number
  symbol: string
  tag: bigint
  prices: Grid
  lots: Grid
}

/** Read again for every event. */
const order = new OrderEventFields()
const trade = new TradeFields()
const accepted = new NewOrderFields()

/**
 * What every event has. All fields are plain data, so events can be printed, spread and cloned; JSON knows no bigint, so
 * there the tag is a string. Each kind is a class that reads its fields from the words at `at` and assigns them once, in
 * their order: a subscriber gets every event of the log, and `declare` keeps the compiler from assigning them twice.
 */
abstract class EventRecord {
  declare readonly lsn: number
  declare readonly index: number
  declare readonly timeUs: number
  declare readonly symbol: string
  declare readonly tag: bigint

  constructor(source: EventSource) {
    this.lsn = source.lsn
    this.index = source.index
    this.timeUs = source.timeUs
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
  declare readonly uncross: boolean

  constructor(source: EventSource, at: number) {
    super(source)
    const { lots } = source
    trade.read(source.words, at, source.from)
    this.event = 'trade'
    this.tradeId = trade.tradeId
    this.makerOrderId = trade.makerOrderId
    this.takerOrderId = trade.takerOrderId
    this.price = priceText(trade.price, source.prices)
    this.quantity = quantityText(trade.quantity, lots)
    this.makerAccount = trade.makerAccount
    this.takerAccount = trade.takerAccount
    this.makerRemaining = quantityText(trade.makerRemaining, lots)
    this.takerRemaining = quantityText(trade.takerRemaining, lots)
    const flags = flagsOf(source.words, at)
    this.takerSide = sideNames[flags & 1]!
    this.uncross = (flags & TRADE_IN_UNCROSS) !== 0
  }
}

/** Only a new order is accepted, and the event repeats nothing of it: the fields are those of the command. */
export class AcceptedRecord extends EventRecord implements AcceptedEvent {
  declare readonly event: 'accepted'
  declare readonly orderId: number
  declare readonly clientOrderId: string | undefined
  declare readonly account: number
  declare readonly side: Side
  declare readonly orderType: OrderType
  declare readonly timeInForce: AcceptedEvent['timeInForce']
  declare readonly price: string | undefined
  declare readonly quantity: string
  declare readonly stopPrice: string | undefined
  declare readonly displayQuantity: string | undefined
  declare readonly postOnly: boolean
  declare readonly expireTime: number | undefined
  declare readonly selfTradePrevention: AcceptedEvent['selfTradePrevention']

  constructor(source: EventSource, at: number) {
    super(source)
    const { words, from, prices, lots } = source
    accepted.read(words, acceptedOrderAt(words, at, from))
    const { displayQuantity, expireTime } = accepted
    const terms = describeTerms(accepted, words, acceptedOrderAt(words, at, from), from, prices, lots)
    this.event = 'accepted'
    this.orderId = accepted.orderId
    this.clientOrderId = accepted.clientOrderId
    this.account = accepted.account
    this.side = sideNames[accepted.sell]!
    this.orderType = orderTypeNames[accepted.orderType]!
    this.timeInForce = timeInForceNames[accepted.timeInForce]!
    this.price = optionalPrice(accepted.price, prices)
    this.quantity = quantityText(accepted.quantity, lots)
    this.stopPrice =
      terms?.activationPrice === undefined ? optionalPrice(accepted.stopPrice, prices) : undefined
    this.displayQuantity = displayQuantity === 0 ? undefined : quantityText(displayQuantity, lots)
    this.postOnly = accepted.postOnly
    this.expireTime = expireTime === 0 ? undefined : expireTime
    this.selfTradePrevention = selfTradePreventionNames[accepted.prevention]
    if (terms !== undefined) Object.assign(this, terms)
  }
}

export class ReplacedRecord extends EventRecord implements ReplacedEvent {
  declare readonly event: 'replaced'
  declare readonly orderId: number
  declare readonly clientOrderId: string | undefined
  declare readonly account: number
  declare readonly side: Side
  declare readonly price: string | undefined
  declare readonly quantity: string
  declare readonly filled: string
  declare readonly reason: ReplacedEvent['reason']

  constructor(source: EventSource, at: number) {
    super(source)
    order.read(source.words, at, source.from)
    this.event = 'replaced'
    this.orderId = order.orderId
    this.clientOrderId = order.clientOrderId
    this.account = order.account
    this.side = sideNames[order.sell]!
    this.price = optionalPrice(order.price, source.prices)
    this.quantity = quantityText(order.quantity, source.lots)
    this.filled = quantityText(order.filled, source.lots)
    this.reason = replaceReasonNames[order.reason]!
  }
}

export class CancelledRecord extends EventRecord implements CancelledEvent {
  declare readonly event: 'cancelled'
  declare readonly orderId: number
  declare readonly clientOrderId: string | undefined
  declare readonly account: number
  declare readonly side: Side
  declare readonly price: string | undefined
  declare readonly remaining: string
  declare readonly filled: string
  declare readonly reason: CancelledEvent['reason']

  constructor(source: EventSource, at: number) {
    super(source)
    order.read(source.words, at, source.from)
    this.event = 'cancelled'
    this.orderId = order.orderId
    this.clientOrderId = order.clientOrderId
    this.account = order.account
    this.side = sideNames[order.sell]!
    this.price = optionalPrice(order.price, source.prices)
    this.remaining = quantityText(order.quantity, source.lots)
    this.filled = quantityText(order.filled, source.lots)
    this.reason = cancelReasonNames[order.reason]!
  }
}

export class RejectedRecord extends EventRecord implements RejectedEvent {
  declare readonly event: 'rejected'
  declare readonly orderId: number
  declare readonly clientOrderId: string | undefined
  declare readonly account: number | undefined
  declare readonly side: Side | undefined
  declare readonly price: string | undefined
  declare readonly filled: string | undefined
  declare readonly code: RejectCode

  constructor(source: EventSource, at: number) {
    super(source)
    order.read(source.words, at, source.from)
    const { account, hasOrder } = order
    this.event = 'rejected'
    this.orderId = order.orderId
    this.clientOrderId = order.clientOrderId
    this.account = account < 0 ? undefined : account
    this.side = hasOrder ? sideNames[order.sell] : undefined
    this.price = hasOrder ? optionalPrice(order.price, source.prices) : undefined
    this.filled = hasOrder ? quantityText(order.filled, source.lots) : undefined
    this.code = rejectCodeNames[order.reason]!
  }
}

export class TriggeredRecord extends EventRecord {
  declare readonly event: 'triggered' | 'entered'
  declare readonly orderId: number
  declare readonly clientOrderId: string | undefined
  declare readonly account: number
  declare readonly side: Side
  declare readonly price: string | undefined
  declare readonly remaining: string
  declare readonly filled: string

  constructor(source: EventSource, at: number) {
    super(source)
    order.read(source.words, at, source.from)
    this.event = 'triggered'
    this.orderId = order.orderId
    this.clientOrderId = order.clientOrderId
    this.account = order.account
    this.side = sideNames[order.sell]!
    this.price = optionalPrice(order.price, source.prices)
    this.remaining = quantityText(order.quantity, source.lots)
    this.filled = quantityText(order.filled, source.lots)
  }
}

/** `triggered` with another name, and whether the order waits on. */
export class EnteredRecord extends TriggeredRecord {
  declare readonly waiting: boolean

  constructor(source: EventSource, at: number) {
    super(source, at)
    Object.assign(this, { event: 'entered', waiting: reasonOf(source.words, at) === 1 })
  }
}

export class RepeatedRecord extends EventRecord implements RepeatedEvent {
  declare readonly event: 'repeated'
  declare readonly orderId: number
  declare readonly account: number
  declare readonly status: RepeatedEvent['status']
  declare readonly code: RejectCode | undefined
  declare readonly firstLsn: number

  constructor(source: EventSource, at: number) {
    super(source)
    const { words } = source
    this.event = 'repeated'
    this.orderId = readU64(words, source.from + 2)
    this.account = words[at + 1]! >>> 0
    this.status = outcomeStatusNames[flagsOf(words, at) & REPEATED_STATUS]!
    this.code = rejectCodeNames[reasonOf(words, at)]
    this.firstLsn = readU64(words, at + 6)
  }
}

/** What happened to the instrument as a whole: the event is its kind and nothing else. */
export class InstrumentRecord extends EventRecord implements InstrumentEvent {
  declare readonly event: InstrumentEvent['event']

  constructor(source: EventSource, at: number) {
    super(source)
    this.event = instrumentEventNames[source.words[at]! & 0xff]!
  }
}

export class PhaseChangedRecord extends EventRecord implements PhaseChangedEvent {
  declare readonly event: 'phase-changed'
  declare readonly phase: PhaseChangedEvent['phase']
  declare readonly closing: boolean
  declare readonly takesOrders: boolean

  constructor(source: EventSource, at: number) {
    super(source)
    const {
      phase,
      closing = false,
      takesOrders = false,
    } = phaseOf(reasonOf(source.words, at), flagsOf(source.words, at))
    this.event = 'phase-changed'
    this.phase = phase
    this.closing = closing
    this.takesOrders = takesOrders
  }
}

export class TradeBustedRecord extends EventRecord implements TradeBustedEvent {
  declare readonly event: 'trade-busted'
  declare readonly tradeId: number

  constructor(source: EventSource) {
    super(source)
    this.event = 'trade-busted'
    this.tradeId = readU64(source.words, source.from + 2)
  }
}

/** The instrument takes no orders of an account from now on, or takes them again. */
export class AccountRecord extends EventRecord implements AccountEvent {
  declare readonly event: AccountEvent['event']
  declare readonly account: number

  constructor(source: EventSource, at: number) {
    super(source)
    const { words } = source
    const isBlocked = (words[at]! & 0xff) === eventKinds['account-blocked']
    this.event = isBlocked ? 'account-blocked' : 'account-unblocked'
    this.account = words[at + 1]! >>> 0
  }
}

/** What an instrument says of itself from now on. */
export class InstrumentChangedRecord extends EventRecord implements InstrumentChangedEvent {
  declare readonly event: 'instrument-changed'
  declare readonly baseAsset: string | undefined
  declare readonly quoteAsset: string | undefined
  declare readonly minPrice: string | undefined
  declare readonly maxPrice: string | undefined
  declare readonly minQuantity: string | undefined
  declare readonly maxQuantity: string | undefined
  declare readonly minNotional: string | undefined
  declare readonly referencePrice: string | undefined
  declare readonly staticBand: string | undefined
  declare readonly staticBandBasisPoints: number | undefined
  declare readonly dynamicBand: string | undefined
  declare readonly dynamicBandBasisPoints: number | undefined
  declare readonly bandAction: InstrumentChangedEvent['bandAction']
  declare readonly maxAccountOrders: number | undefined
  declare readonly tickTable: InstrumentChangedEvent['tickTable']
  declare readonly info: Readonly<Record<string, unknown>> | undefined

  constructor(source: EventSource, at: number) {
    super(source)
    const { set } = decodeDetails(source.words, at + EVENT_HEADER_WORDS)
    this.event = 'instrument-changed'
    Object.assign(this, describeDetails(set, { price: source.prices, quantity: source.lots }))
  }
}

const instrumentEventNames: Record<number, InstrumentEvent['event']> = {
  [eventKinds['instrument-created']]: 'instrument-created',
  [eventKinds['volatility-interruption']]: 'volatility-interruption',
}

function optionalPrice(ticks: number, grid: Grid): string | undefined {
  return ticks === 0 ? undefined : priceText(ticks, grid)
}
