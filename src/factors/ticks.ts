import { shown } from '../base/shown.js'
import { FactorError } from './errors.js'
import { usable } from './values.js'

/** What of a tick a factor can be made of, in the order of its cells. `close` is another name for `last`. */
export const fields = ['last', 'bid', 'ask', 'high', 'low', 'open', 'volume'] as const
export type Field = (typeof fields)[number]

/** A tick: whatever of it is known. A field that is left out keeps its last value and moves no factor. */
export interface Tick {
  readonly instrument: string
  /** The source's time: a finite number in whatever unit the source uses. */
  readonly timestamp: number
  readonly last?: number | undefined
  readonly bid?: number | undefined
  readonly ask?: number | undefined
  readonly high?: number | undefined
  readonly low?: number | undefined
  readonly open?: number | undefined
  /** Traded with this tick; not negative. */
  readonly volume?: number | undefined
}

/** A bar: `close` is what a tick calls `last`. */
export interface Bar {
  readonly instrument: string
  readonly timestamp: number
  readonly open: number
  readonly high: number
  readonly low: number
  readonly close: number
  readonly volume?: number | undefined
}

export function tickOfBar(bar: Bar): Tick {
  const { instrument, timestamp, open, high, low, close, volume } = bar
  return { instrument, timestamp, last: close, bid: undefined, ask: undefined, high, low, open, volume }
}

/**
 * Checks a tick as a whole and returns which fields it has, a bit for each. Nothing is changed by a tick that fails.
 *
 * @throws FactorError `TIDEMARK_BAD_TICK` that names the field.
 */
export function checkTick(tick: Tick): number {
  const { timestamp, last, bid, ask, high, low, open, volume } = tick
  if (!Number.isFinite(timestamp)) throw badTick(tick, 'timestamp', timestamp, 'a finite number')
  let mask = 0
  if (last !== undefined) mask |= usable(last) ? 1 : refuse(tick, 'last', last)
  if (bid !== undefined) mask |= usable(bid) ? 2 : refuse(tick, 'bid', bid)
  if (ask !== undefined) mask |= usable(ask) ? 4 : refuse(tick, 'ask', ask)
  if (high !== undefined) mask |= usable(high) ? 8 : refuse(tick, 'high', high)
  if (low !== undefined) mask |= usable(low) ? 16 : refuse(tick, 'low', low)
  if (open !== undefined) mask |= usable(open) ? 32 : refuse(tick, 'open', open)
  if (volume !== undefined) mask |= usable(volume) && volume >= 0 ? 64 : refuse(tick, 'volume', volume)
  if (high !== undefined && low !== undefined && high < low) {
    throw badTick(tick, 'high', high, `a number not below low, which is ${low}`)
  }
  if (mask === 0) throw badTick(tick, 'last', undefined, `at least one of ${fields.join(', ')}`)
  return mask
}

/** Writes the fields of a tick that passed `checkTick` to `cells` from `at` on. */
export function writeFields(tick: Tick, cells: Float64Array, at: number): void {
  if (tick.last !== undefined) cells[at] = tick.last
  if (tick.bid !== undefined) cells[at + 1] = tick.bid
  if (tick.ask !== undefined) cells[at + 2] = tick.ask
  if (tick.high !== undefined) cells[at + 3] = tick.high
  if (tick.low !== undefined) cells[at + 4] = tick.low
  if (tick.open !== undefined) cells[at + 5] = tick.open
  if (tick.volume !== undefined) cells[at + 6] = tick.volume
}

function refuse(tick: Tick, field: Field, value: unknown): never {
  throw badTick(
    tick,
    field,
    value,
    field === 'volume' ? 'a number from 0 to 1e60' : 'a finite number between -1e60 and 1e60',
  )
}

export function badTick(tick: Tick, field: string, value: unknown, allowed: string): FactorError {
  return new FactorError(
    'TIDEMARK_BAD_TICK',
    `${field} of a tick of ${tick.instrument} is ${shown(value)}; use ${allowed}. No factor was changed.`,
    { instrument: tick.instrument, field, value },
  )
}
