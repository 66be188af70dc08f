import {
  cancelReasonNames,
  commandKinds,
  commandOrder,
  eventKinds,
  type Grid,
  newOrderPrice,
  newOrderQuantity,
  newOrderSell,
  outcomeStatusNames,
  priceText,
  quantityText,
  readU64,
  rejectCodeNames,
  replaceReasonNames,
  sideNames,
} from '../../matching/index.js'
import type { InstrumentRegistry, PoolInstrument } from '../instruments.js'
import type { PoolEvent } from '../types.js'
import {
  AcceptedRecord,
  CancelledRecord,
  type InstrumentEventName,
  InstrumentRecord,
  RejectedRecord,
  RepeatedRecord,
  ReplacedRecord,
  TradeRecord,
  TriggeredRecord,
} from './event-records.js'

/** Where a group stands: its words, and the LSN of its end. */
export interface GroupPlace {
  readonly words: Int32Array
  readonly from: number
  readonly to: number
  readonly lsn: number
}

const noTag = 0n
const oneStep: Grid = { mantissa: 1, scale: 0 }

/** The events of a group as the world outside sees them: symbols, and decimal strings. */
export function poolEvents(group: GroupPlace, registry: InstrumentRegistry): PoolEvent[] {
  const events: PoolEvent[] = []
  appendPoolEvents(events, group, registry)
  return events
}

/** Appends a group's events to `events`. */
export function appendPoolEvents(events: PoolEvent[], group: GroupPlace, registry: InstrumentRegistry): void {
  const { words, from, to, lsn } = group
  const instrument = registry.byId(words[from + 1]! >>> 0)
  const tag = tagOf(words, from)
  let index = 0
  for (let at = from + (words[from]! >>> 18); at < to; at += words[at]! >>> 18, index++) {
    // Only a damaged log says that another command than a new order was accepted.
    if ((words[at]! & 0xff) === eventKinds.accepted && (words[from]! & 0xff) !== commandKinds.new) continue
    events.push(eventAt(words, from, at, lsn, index, tag, instrument))
  }
}

/** The event at the word offset `at`, of the group whose command is at `from`; offsets in docs/command-format.md. */
function eventAt(
  words: Int32Array,
  from: number,
  at: number,
  lsn: number,
  index: number,
  tag: bigint,
  instrument: PoolInstrument | undefined,
): PoolEvent {
  const symbol = instrument === undefined ? '' : instrument.definition.symbol
  const prices = instrument === undefined ? oneStep : instrument.grids.price
  const lots = instrument === undefined ? oneStep : instrument.grids.quantity
  const kind = words[at]! & 0xff
  const side = sideNames[(words[at]! >>> 8) & 1]!
  switch (kind) {
    case eventKinds.trade:
      return new TradeRecord(
        lsn,
        index,
        symbol,
        tag,
        readU64(words, at + 2),
        readU64(words, at + 4),
        readU64(words, at + 6),
        priceText(readU64(words, at + 8), prices),
        quantityText(readU64(words, at + 10), lots),
        words[at + 12]! >>> 0,
        words[at + 13]! >>> 0,
        quantityText(readU64(words, at + 14), lots),
        quantityText(readU64(words, at + 16), lots),
        side,
      )
    case eventKinds.accepted: {
      const orderSide = sideNames[newOrderSell(words, from)]!
      const price = optionalPrice(newOrderPrice(words, from), prices)
      const quantity = quantityText(newOrderQuantity(words, from), lots)
      return new AcceptedRecord(
        lsn,
        index,
        symbol,
        tag,
        commandOrder(words, from)!,
        orderSide,
        price,
        quantity,
      )
    }
    case eventKinds.cancelled:
    case eventKinds.replaced: {
      const orderId = readU64(words, at + 2)
      const reason = words[at + 1]!
      const price = optionalPrice(readU64(words, at + 4), prices)
      const quantity = quantityText(readU64(words, at + 6), lots)
      return kind === eventKinds.cancelled
        ? new CancelledRecord(
            lsn,
            index,
            symbol,
            tag,
            orderId,
            side,
            price,
            quantity,
            cancelReasonNames[reason]!,
          )
        : new ReplacedRecord(
            lsn,
            index,
            symbol,
            tag,
            orderId,
            side,
            price,
            quantity,
            replaceReasonNames[reason]!,
          )
    }
    case eventKinds.rejected:
      return new RejectedRecord(
        lsn,
        index,
        symbol,
        tag,
        readU64(words, at + 2),
        rejectCodeNames[words[at + 1]!]!,
      )
    case eventKinds.repeated: {
      const status = outcomeStatusNames[(words[at]! >>> 8) & 0xff]!
      const code = rejectCodeNames[words[at + 1]!]
      return new RepeatedRecord(
        lsn,
        index,
        symbol,
        tag,
        readU64(words, at + 2),
        status,
        code,
        readU64(words, at + 8),
      )
    }
    case eventKinds.triggered:
      return new TriggeredRecord(lsn, index, symbol, tag, readU64(words, at + 2))
    default:
      return new InstrumentRecord(lsn, index, symbol, tag, plainNames[kind]!)
  }
}

/** Events that say nothing but their name, by their kind. */
const plainNames: Record<number, InstrumentEventName> = {
  [eventKinds['instrument-created']]: 'instrument-created',
  [eventKinds.halted]: 'halted',
  [eventKinds.resumed]: 'resumed',
}

function optionalPrice(ticks: number, grid: Grid): string | undefined {
  return ticks === 0 ? undefined : priceText(ticks, grid)
}

/** The tag of the command at `from`. */
export function tagOf(words: Int32Array, from: number): bigint {
  const low = words[from + 2]! >>> 0
  const high = words[from + 3]! >>> 0
  if ((low | high) === 0) return noTag
  return high === 0 ? BigInt(low) : (BigInt(high) << 32n) | BigInt(low)
}
