import type { CancelReason, OutcomeStatus, RejectCode, ReplaceReason, Side } from '../../matching/index.js'
import type { PoolEvent, TradeEvent } from '../types.js'

type EventOf<Name extends PoolEvent['event']> = Extract<PoolEvent, { event: Name }>
export type InstrumentEventName = 'instrument-created' | 'halted' | 'resumed'

/**
 * What every event has. All fields are plain data, so events can be printed, spread and cloned; JSON knows no bigint, so
 * there the tag is a string. Each kind is a class that assigns its fields once, in their order: a subscriber gets every
 * event of the log, and `declare` keeps the compiler from assigning them twice.
 */
abstract class EventRecord {
  declare readonly lsn: number
  declare readonly index: number
  declare readonly symbol: string
  declare readonly tag: bigint

  constructor(lsn: number, index: number, symbol: string, tag: bigint) {
    this.lsn = lsn
    this.index = index
    this.symbol = symbol
    this.tag = tag
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

  constructor(
    lsn: number,
    index: number,
    symbol: string,
    tag: bigint,
    tradeId: number,
    makerOrderId: number,
    takerOrderId: number,
    price: string,
    quantity: string,
    makerAccount: number,
    takerAccount: number,
    makerRemaining: string,
    takerRemaining: string,
    takerSide: Side,
  ) {
    super(lsn, index, symbol, tag)
    this.event = 'trade'
    this.tradeId = tradeId
    this.makerOrderId = makerOrderId
    this.takerOrderId = takerOrderId
    this.price = price
    this.quantity = quantity
    this.makerAccount = makerAccount
    this.takerAccount = takerAccount
    this.makerRemaining = makerRemaining
    this.takerRemaining = takerRemaining
    this.takerSide = takerSide
  }
}

export class AcceptedRecord extends EventRecord implements EventOf<'accepted'> {
  declare readonly event: 'accepted'
  declare readonly orderId: number
  declare readonly side: Side
  declare readonly price: string | undefined
  declare readonly quantity: string

  constructor(
    lsn: number,
    index: number,
    symbol: string,
    tag: bigint,
    orderId: number,
    side: Side,
    price: string | undefined,
    quantity: string,
  ) {
    super(lsn, index, symbol, tag)
    this.event = 'accepted'
    this.orderId = orderId
    this.side = side
    this.price = price
    this.quantity = quantity
  }
}

export class ReplacedRecord extends EventRecord implements EventOf<'replaced'> {
  declare readonly event: 'replaced'
  declare readonly orderId: number
  declare readonly side: Side
  declare readonly price: string | undefined
  declare readonly quantity: string
  declare readonly reason: ReplaceReason

  constructor(
    lsn: number,
    index: number,
    symbol: string,
    tag: bigint,
    orderId: number,
    side: Side,
    price: string | undefined,
    quantity: string,
    reason: ReplaceReason,
  ) {
    super(lsn, index, symbol, tag)
    this.event = 'replaced'
    this.orderId = orderId
    this.side = side
    this.price = price
    this.quantity = quantity
    this.reason = reason
  }
}

export class CancelledRecord extends EventRecord implements EventOf<'cancelled'> {
  declare readonly event: 'cancelled'
  declare readonly orderId: number
  declare readonly side: Side
  declare readonly price: string | undefined
  declare readonly remaining: string
  declare readonly reason: CancelReason

  constructor(
    lsn: number,
    index: number,
    symbol: string,
    tag: bigint,
    orderId: number,
    side: Side,
    price: string | undefined,
    remaining: string,
    reason: CancelReason,
  ) {
    super(lsn, index, symbol, tag)
    this.event = 'cancelled'
    this.orderId = orderId
    this.side = side
    this.price = price
    this.remaining = remaining
    this.reason = reason
  }
}

export class RejectedRecord extends EventRecord implements EventOf<'rejected'> {
  declare readonly event: 'rejected'
  declare readonly orderId: number
  declare readonly code: RejectCode

  constructor(lsn: number, index: number, symbol: string, tag: bigint, orderId: number, code: RejectCode) {
    super(lsn, index, symbol, tag)
    this.event = 'rejected'
    this.orderId = orderId
    this.code = code
  }
}

export class TriggeredRecord extends EventRecord implements EventOf<'triggered'> {
  declare readonly event: 'triggered'
  declare readonly orderId: number

  constructor(lsn: number, index: number, symbol: string, tag: bigint, orderId: number) {
    super(lsn, index, symbol, tag)
    this.event = 'triggered'
    this.orderId = orderId
  }
}

export class RepeatedRecord extends EventRecord implements EventOf<'repeated'> {
  declare readonly event: 'repeated'
  declare readonly orderId: number
  declare readonly status: OutcomeStatus
  declare readonly code: RejectCode | undefined
  declare readonly firstLsn: number

  constructor(
    lsn: number,
    index: number,
    symbol: string,
    tag: bigint,
    orderId: number,
    status: OutcomeStatus,
    code: RejectCode | undefined,
    firstLsn: number,
  ) {
    super(lsn, index, symbol, tag)
    this.event = 'repeated'
    this.orderId = orderId
    this.status = status
    this.code = code
    this.firstLsn = firstLsn
  }
}

export class InstrumentRecord extends EventRecord implements EventOf<InstrumentEventName> {
  declare readonly event: InstrumentEventName

  constructor(lsn: number, index: number, symbol: string, tag: bigint, event: InstrumentEventName) {
    super(lsn, index, symbol, tag)
    this.event = event
  }
}
