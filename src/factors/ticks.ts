import { shown } from '../base/shown.js'
import { FactorError } from './errors.js'
import { usable } from './values.js'

/** What of a tick a factor can be made of, in the order of its cells. `close` is another name for `last`. */
export const fields = ['last', 'bid', 'ask', 'high', 'low', 'open', 'volume'] as const
/** The name of a field of a tick. */
export type Field = (typeof fields)[number]

/** A tick: whatever of it is known. A field that is left out keeps its last value and moves no factor. */
export interface Tick {
  /** The instrument's name. */
  readonly instrument: string
  /** The source's time: a finite number in whatever unit the source uses. */
  readonly timestamp: number
  /** The price of the last trade. */
  readonly last?: number | undefined
  /** The best price to sell at. */
  readonly bid?: number | undefined
  /** The best price to buy at. */
  readonly ask?: number | undefined
  /** The highest price of its span. */
  readonly high?: number | undefined
  /** The lowest price of its span. */
  readonly low?: number | undefined
  /** The first price of its span. */
  readonly open?: number | undefined
  /** Traded with this tick; not negative. */
  readonly volume?: number | undefined
}

/** A bar: `close` is what a tick calls `last`. */
export interface Bar {
  /** The instrument's name. */
  readonly instrument: string
  /** Its time, in the caller's unit. */
  readonly timestamp: number
  /** The first price. */
  readonly open: number
  /** The highest price. */
  readonly high: number
  /** The lowest price. */
  readonly low: number
  /** The last price. */
  readonly close: number
  /** The quantity that was traded. */
  readonly volume?: number | undefined
}

export function tickOfBar(bar: Bar): Tick {
  const { instrument, timestamp, open, high, low, close, volume } = bar
  return { instrument, timestamp, last: close, bid: undefined, ask: undefined, high, low, open, volume }
}

/**
 * The fields of the tick that passed `checkTick` last, and its timestamp. A tick is the caller's object, whose getters may
 * answer differently each time or send another tick: so each of its fields is read once, and no code of the caller's runs
 * between the check and what is made of it.
 */
const timestampAt = fields.length
const checked = new Float64Array(timestampAt + 1)

/**
 * Checks a tick as a whole and returns which fields it has, a bit for each. Nothing is changed by a tick that fails.
 * `copyChecked` and `checkedTimestamp` give what was read.
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
  // What is left out becomes NaN, which the mask keeps from being read.
  checked[0] = last as number
  checked[1] = bid as number
  checked[2] = ask as number
  checked[3] = high as number
  checked[4] = low as number
  checked[5] = open as number
  checked[6] = volume as number
  checked[timestampAt] = timestamp
  return mask
}

/** Writes the fields of the tick that was checked last, of which `mask` is, to `cells` from `at` on. */
export function copyChecked(mask: number, cells: Float64Array, at: number): void {
  if ((mask & 1) !== 0) cells[at] = checked[0]!
  if ((mask & 2) !== 0) cells[at + 1] = checked[1]!
  if ((mask & 4) !== 0) cells[at + 2] = checked[2]!
  if ((mask & 8) !== 0) cells[at + 3] = checked[3]!
  if ((mask & 16) !== 0) cells[at + 4] = checked[4]!
  if ((mask & 32) !== 0) cells[at + 5] = checked[5]!
  if ((mask & 64) !== 0) cells[at + 6] = checked[6]!
}

/** The timestamp of the tick that was checked last. */
export function checkedTimestamp(): number {
  return checked[timestampAt]!
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
