import { CommandError, conflict } from './command-errors.js'
import type { TickRange } from './commands.js'
import { type Grid, toSteps } from './decimal.js'
import { limits } from './limits.js'

/**
 * The grids of prices by ranges. In commands, events and snapshots it is a text: `from:tick` of each range, in ticks of the instrument,
 * joined by commas.
 */
export class TickTable {
  /** By range, ascending: the price that it begins with, and the distance of prices from there on. Below the first, every tick counts. */
  readonly #from: Float64Array
  readonly #tick: Float64Array

  /** @throws RangeError when the text was not made by `tickTableText`. */
  constructor(text: string) {
    const numbers = text.split(/[:,]/).map(Number)
    if (numbers.length % 2 !== 0 || !numbers.every((number) => number >= 1)) {
      throw new RangeError(`There is no tick table ${JSON.stringify(text)}.`)
    }
    this.#from = Float64Array.from(numbers.filter((_, at) => at % 2 === 0))
    this.#tick = Float64Array.from(numbers.filter((_, at) => at % 2 === 1))
  }

  get size(): number {
    return this.#from.length
  }

  from(range: number): number {
    return this.#from[range]!
  }

  tick(range: number): number {
    return this.#tick[range]!
  }

  has(price: number): boolean {
    return price % this.#tickAt(price) === 0
  }

  /** The highest price of the table that is not above this one. */
  atOrBelow(price: number): number {
    return price - (price % this.#tickAt(price))
  }

  /** The lowest price of the table that is not below this one. */
  atOrAbove(price: number): number {
    const below = this.atOrBelow(price)
    if (below === price) return price
    const next = below + this.#tickAt(price)
    // A range begins on its own grid, wherever the one before it ends.
    const range = this.#rangeOf(price) + 1
    return range < this.size ? Math.min(next, this.#from[range]!) : next
  }

  #tickAt(price: number): number {
    const range = this.#rangeOf(price)
    return range < 0 ? 1 : this.#tick[range]!
  }

  #rangeOf(price: number): number {
    let range = this.size - 1
    while (range >= 0 && this.#from[range]! > price) range--
    return range
  }
}

/** Reads the tick table of a command. @throws CommandError when it is malformed. */
export function tickTableText(value: unknown, grid: Grid): string {
  if (!Array.isArray(value)) {
    const message = 'tickTable must be an array of { from, tick }.'
    throw new CommandError('TIDEMARK_FIELD_TYPE', 'tickTable', value, message)
  }
  if (value.length < 1 || value.length > limits.maxTickRanges) {
    const message = `tickTable must have 1 to ${limits.maxTickRanges} ranges.`
    throw new CommandError('TIDEMARK_FIELD_RANGE', 'tickTable', value, message)
  }
  let before = 0
  const ranges = Array.from(value as readonly unknown[], (range) => {
    const { from, tick } = rangeOf(range)
    const [fromTicks, ticks] = [toSteps('tickTable', from, grid), toSteps('tickTable', tick, grid)]
    if (fromTicks <= before) {
      throw conflict('tickTable', value, 'The ranges of a tickTable begin at ascending prices.')
    }
    if (fromTicks % ticks !== 0) {
      throw conflict('tickTable', value, 'Each range of a tickTable begins at a multiple of its own tick.')
    }
    before = fromTicks
    return `${fromTicks}:${ticks}`
  })
  return ranges.join(',')
}

function rangeOf(range: unknown): TickRange {
  const fields = typeof range === 'object' && range !== null ? Object.keys(range) : []
  if (fields.length === 2 && fields.every((name) => name === 'from' || name === 'tick'))
    return range as TickRange
  const message = 'Each range of a tickTable is { from, tick }.'
  throw new CommandError('TIDEMARK_FIELD_TYPE', 'tickTable', range, message)
}
