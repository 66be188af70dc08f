import {
  cancelReasonNames,
  decodeCommand,
  EventCursor,
  eventKinds,
  fromSteps,
  type Grid,
  outcomeStatusNames,
  rejectCodeNames,
  replaceReasonNames,
  sideNames,
} from '../matching/index.js'
import type { InstrumentRegistry } from './instruments.js'
import type { PoolEvent } from './types.js'

/** Where a group stands: its words, and the LSN of its end. */
export interface GroupPlace {
  readonly words: Int32Array
  readonly from: number
  readonly to: number
  readonly lsn: number
}

const oneStep: Grid = { mantissa: 1, scale: 0 }
const cursor = new EventCursor()

/** The events of a group as the world outside sees them: symbols, and decimal strings. */
export function poolEvents(group: GroupPlace, registry: InstrumentRegistry): PoolEvent[] {
  const events: PoolEvent[] = []
  appendPoolEvents(events, group, registry)
  return events
}

/**
 * Appends a group's events to `events`. Each kind of event is one literal: objects put together by spreading cost
 * twenty times as much, and a subscriber gets every event of the log.
 */
export function appendPoolEvents(events: PoolEvent[], group: GroupPlace, registry: InstrumentRegistry): void {
  const { words, from, to, lsn } = group
  const instrument = registry.byId(words[from + 1]! >>> 0)
  const symbol = instrument?.definition.symbol ?? ''
  const prices = instrument?.grids.price ?? oneStep
  const lots = instrument?.grids.quantity ?? oneStep
  const tag = tagOf(words, from)
  cursor.reset(words, from, to)
  let index = 0
  for (let kind = cursor.next(); kind !== 0; kind = cursor.next(), index++) {
    switch (kind) {
      case eventKinds.trade:
        events.push({
          lsn,
          index,
          symbol,
          tag,
          event: 'trade',
          tradeId: cursor.tradeId,
          makerOrderId: cursor.makerOrderId,
          takerOrderId: cursor.takerOrderId,
          price: fromSteps(cursor.tradePrice, prices),
          quantity: fromSteps(cursor.tradeQuantity, lots),
          makerAccount: cursor.makerAccount,
          takerAccount: cursor.takerAccount,
          makerRemaining: fromSteps(cursor.makerRemaining, lots),
          takerRemaining: fromSteps(cursor.takerRemaining, lots),
          takerSide: sideNames[cursor.sell]!,
        })
        break
      case eventKinds.accepted: {
        const command = decodeCommand(words, from)
        if (command?.type !== 'new') break
        const { orderId, side } = command
        const price = optionalPrice(command.price, prices)
        const quantity = fromSteps(command.quantity, lots)
        events.push({ lsn, index, symbol, tag, event: 'accepted', orderId, side, price, quantity })
        break
      }
      case eventKinds.cancelled:
      case eventKinds.replaced: {
        const { orderId } = cursor
        const side = sideNames[cursor.sell]!
        const price = optionalPrice(cursor.price, prices)
        const quantity = fromSteps(cursor.quantity, lots)
        if (kind === eventKinds.cancelled) {
          const reason = cancelReasonNames[cursor.reason]!
          events.push({
            lsn,
            index,
            symbol,
            tag,
            event: 'cancelled',
            orderId,
            side,
            price,
            remaining: quantity,
            reason,
          })
        } else {
          const reason = replaceReasonNames[cursor.reason]!
          events.push({ lsn, index, symbol, tag, event: 'replaced', orderId, side, price, quantity, reason })
        }
        break
      }
      case eventKinds.rejected: {
        const code = rejectCodeNames[cursor.reason]!
        events.push({ lsn, index, symbol, tag, event: 'rejected', orderId: cursor.orderId, code })
        break
      }
      case eventKinds.repeated: {
        const { orderId, firstLsn } = cursor
        const status = outcomeStatusNames[cursor.firstStatus]!
        const code = rejectCodeNames[cursor.reason]
        events.push({ lsn, index, symbol, tag, event: 'repeated', orderId, status, code, firstLsn })
        break
      }
      case eventKinds.triggered:
        events.push({ lsn, index, symbol, tag, event: 'triggered', orderId: cursor.orderId })
        break
      default:
        events.push({ lsn, index, symbol, tag, event: plainNames[kind]! })
    }
  }
}

type PlainEventName = 'instrument-created' | 'halted' | 'resumed'

/** Events that say nothing but their name, by their kind. */
const plainNames: Record<number, PlainEventName> = {
  [eventKinds['instrument-created']]: 'instrument-created',
  [eventKinds.halted]: 'halted',
  [eventKinds.resumed]: 'resumed',
}

function optionalPrice(ticks: number, grid: Grid): string | undefined {
  return ticks === 0 ? undefined : fromSteps(ticks, grid)
}

function tagOf(words: Int32Array, from: number): bigint {
  const low = words[from + 2]! >>> 0
  const high = words[from + 3]! >>> 0
  return high === 0 ? BigInt(low) : (BigInt(high) << 32n) | BigInt(low)
}
