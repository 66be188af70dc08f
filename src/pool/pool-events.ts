import {
  type DecodedCommand,
  type DecodedEvent,
  decodeCommand,
  decodeEvents,
  fromSteps,
  type Grid,
} from '../matching/index.js'
import type { InstrumentRegistry, PoolInstrument } from './instruments.js'
import type { PoolEvent } from './types.js'

/** Where a group stands: its words, and the LSN of its end. */
export interface GroupPlace {
  readonly words: Int32Array
  readonly from: number
  readonly to: number
  readonly lsn: number
}

/** The events of a group as the world outside sees them: symbols, and decimal strings. */
export function poolEvents(group: GroupPlace, registry: InstrumentRegistry): PoolEvent[] {
  const command = decodeCommand(group.words, group.from)
  if (!command) return []
  const instrument = registry.byId(command.instrumentId)
  return decodeEvents(group.words, group.from, group.to).map((event, index) =>
    poolEvent(event, command, instrument, group.lsn, index),
  )
}

function poolEvent(
  event: DecodedEvent,
  command: DecodedCommand,
  instrument: PoolInstrument | undefined,
  lsn: number,
  index: number,
): PoolEvent {
  const place = { lsn, index, symbol: instrument?.definition.symbol ?? '', tag: tagOf(command) }
  const grids = instrument?.grids
  const price = (ticks: number) => (ticks === 0 ? undefined : decimal(ticks, grids?.price))
  const quantity = (lots: number) => decimal(lots, grids?.quantity)
  switch (event.event) {
    case 'trade':
      return {
        ...place,
        ...event,
        price: decimal(event.price, grids?.price),
        quantity: quantity(event.quantity),
        makerRemaining: quantity(event.makerRemaining),
        takerRemaining: quantity(event.takerRemaining),
      }
    case 'accepted': {
      if (command.type !== 'new') throw new Error('an accepted event belongs to a new order')
      const { orderId, side } = command
      return {
        ...place,
        event: 'accepted',
        orderId,
        side,
        price: price(command.price),
        quantity: quantity(command.quantity),
      }
    }
    case 'replaced':
      return { ...place, ...event, price: price(event.price), quantity: quantity(event.quantity) }
    case 'cancelled':
      return { ...place, ...event, price: price(event.price), remaining: quantity(event.remaining) }
    default:
      return { ...place, ...event }
  }
}

function decimal(steps: number, grid: Grid | undefined): string {
  return grid ? fromSteps(steps, grid) : String(steps)
}

function tagOf(command: DecodedCommand): bigint {
  return (BigInt(command.tagHigh) << 32n) | BigInt(command.tagLow)
}
