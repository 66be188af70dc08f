import { inspect } from 'node:util'
import {
  cancelReasonNames,
  commandKinds,
  eventKinds,
  newOrderPrice,
  newOrderQuantity,
  newOrderSell,
  type Outcome,
  priceText,
  quantityText,
  readU64,
  rejectCodeNames,
  replaceReasonNames,
  sideNames,
} from '../../matching/index.js'
import type { PoolInstrument } from '../instruments.js'
import type { ExecutionReport, PoolEvent, ReportStatus, TradeEvent } from '../types.js'
import { AcceptedRecord, CancelledRecord, RejectedRecord, ReplacedRecord } from './event-records.js'
import { tagOf } from './pool-events.js'

export const noTrades: readonly TradeEvent[] = Object.freeze([])

/**
 * Whether all that happened in the record at `from` is one event, at `at`, of the command's own order, and of the kinds
 * that `LoneReport` knows: so it is for nearly every command that does not trade.
 */
export function isLone(words: Int32Array, from: number, at: number, to: number, orderId: number): boolean {
  if (at >= to || at + (words[at]! >>> 18) !== to) return false
  const kind = words[at]! & 0xff
  if (kind === eventKinds.accepted) return (words[from]! & 0xff) === commandKinds.new
  if (kind !== eventKinds.cancelled && kind !== eventKinds.replaced && kind !== eventKinds.rejected)
    return false
  return readU64(words, at + 2) === orderId
}

/**
 * The report of a command with one event. Most callers look at two fields of it, and with thousands of promises in flight
 * what is allocated for a report costs more than what is computed: each collection copies all of those promises. So
 * the event is made when somebody looks at it, of four fields that the report keeps, by an accessor that is the
 * report's own and that all reports share.
 */
export class LoneReport implements ExecutionReport {
  declare readonly lsn: number
  declare readonly symbol: string | undefined
  declare readonly orderId: number
  declare readonly status: ReportStatus
  declare readonly code: string | undefined
  declare readonly filled: string | undefined
  declare readonly remaining: string | undefined
  declare readonly repeated: boolean
  declare readonly trades: readonly TradeEvent[]
  declare readonly events: readonly PoolEvent[]
  /** The event's kind, in 8 bits, its side, in one, and its reason. */
  readonly #traits: number
  readonly #price: string | undefined
  readonly #quantity: string
  readonly #tag: bigint

  /** For the record whose command is at `from`, with the event at `at`. */
  constructor(
    words: Int32Array,
    from: number,
    at: number,
    lsn: number,
    orderId: number,
    { status, code, filled, remaining }: Outcome,
    { definition, grids }: PoolInstrument,
  ) {
    const kind = words[at]! & 0xff
    let sell = (words[at]! >>> 8) & 1
    let ticks = 0
    let lots = 0
    if (kind === eventKinds.accepted) {
      sell = newOrderSell(words, from)
      ticks = newOrderPrice(words, from)
      lots = newOrderQuantity(words, from)
    } else if (kind !== eventKinds.rejected) {
      ticks = readU64(words, at + 4)
      lots = readU64(words, at + 6)
    }
    this.#traits = kind | (sell << 8) | (words[at + 1]! << 9)
    this.#price = ticks === 0 ? undefined : priceText(ticks, grids.price)
    this.#quantity = quantityText(lots, grids.quantity)
    this.#tag = tagOf(words, from)
    this.lsn = lsn
    this.symbol = definition.symbol
    this.orderId = orderId
    this.status = status
    this.code = code
    this.filled = filled >= 0 ? quantityText(filled, grids.quantity) : undefined
    this.remaining = remaining >= 0 ? quantityText(remaining, grids.quantity) : undefined
    this.repeated = false
    this.trades = noTrades
    // The last one: an object loses its fast layout when a field of it becomes an accessor.
    defineGetter(this, 'events', readEvents)
  }

  static eventOf(report: LoneReport): PoolEvent {
    const { lsn, orderId } = report
    const symbol = report.symbol!
    const tag = report.#tag
    const price = report.#price
    const quantity = report.#quantity
    const reason = report.#traits >>> 9
    const side = sideNames[(report.#traits >>> 8) & 1]!
    switch (report.#traits & 0xff) {
      case eventKinds.accepted:
        return new AcceptedRecord(lsn, 0, symbol, tag, orderId, side, price, quantity)
      case eventKinds.cancelled:
        return new CancelledRecord(
          lsn,
          0,
          symbol,
          tag,
          orderId,
          side,
          price,
          quantity,
          cancelReasonNames[reason]!,
        )
      case eventKinds.replaced:
        return new ReplacedRecord(
          lsn,
          0,
          symbol,
          tag,
          orderId,
          side,
          price,
          quantity,
          replaceReasonNames[reason]!,
        )
      default:
        return new RejectedRecord(lsn, 0, symbol, tag, orderId, rejectCodeNames[reason]!)
    }
  }

  [inspect.custom](): ExecutionReport {
    return { ...this }
  }
}

/** Read once: from then on it is a plain property, except in a report that somebody froze. */
function readEvents(this: LoneReport): readonly PoolEvent[] {
  const value = [LoneReport.eventOf(this)]
  Reflect.defineProperty(this, 'events', { value, enumerable: true, configurable: true, writable: true })
  return value
}

/** An enumerable accessor of the report's own, without the descriptor that `Object.defineProperty` takes and reads. */
export function defineGetter(report: ExecutionReport, name: string, read: () => unknown): void {
  const target = report as unknown as { __defineGetter__(name: string, read: () => unknown): void }
  target.__defineGetter__(name, read)
}
