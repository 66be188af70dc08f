import { allAssertions } from '../../../base/assert.js'
import { usable } from '../../values.js'
import { checkPeriod, checkPlace, type Place, UnaryOperator } from './operator.js'

/**
 * A monotonic queue: values that a later one beats can never be the extreme again and are dropped from the back, what
 * is older than the window is dropped from the front, and the front is the extreme. Each value enters and leaves once,
 * so a tick costs constant time amortized.
 *
 * ```
 *  s + 0   values seen       s + 2   length of the queue
 *      1   head of the queue     3 …     p values, then the number of each
 * ```
 */
const head = 3

/** `sign` is 1 for the minimum and -1 for the maximum. Returns the extreme, or NaN while the window isn't full. */
function stepExtreme(c: Float64Array, s: number, period: number, x: number, sign: 1 | -1): number {
  const values = s + head
  const numbers = values + period
  const seen = c[s]!
  let first = c[s + 1]!
  let length = c[s + 2]!
  if (allAssertions) checkPlace(first, period)
  if (length > 0 && c[numbers + first]! <= seen - period) {
    first = first + 1 === period ? 0 : first + 1
    length--
  }
  let last = first + length - 1
  if (last >= period) last -= period
  while (length > 0 && (c[values + last]! - x) * sign >= 0) {
    length--
    last = last === 0 ? period - 1 : last - 1
  }
  let next = first + length
  if (next >= period) next -= period
  c[values + next] = x
  c[numbers + next] = seen
  c[s] = seen + 1
  c[s + 1] = first
  c[s + 2] = length + 1
  return seen + 1 < period ? Number.NaN : c[values + first]!
}

/** Least of the last `period` values. */
export class RollingMin extends UnaryOperator {
  /** The window, in values. */
  readonly period: number

  constructor(period: number, place?: Place) {
    checkPeriod('min', period)
    super(`min(${period})`, 1, 1, head + 2 * period, place)
    this.period = period
  }

  step(): void {
    const c = this.cells
    const x = c[this.input0]!
    if (usable(x)) c[this.at] = stepExtreme(c, this.at + 1, this.period, x, 1)
  }
}

/** Greatest of the last `period` values. */
export class RollingMax extends UnaryOperator {
  /** The window, in values. */
  readonly period: number

  constructor(period: number, place?: Place) {
    checkPeriod('max', period)
    super(`max(${period})`, 1, 1, head + 2 * period, place)
    this.period = period
  }

  step(): void {
    const c = this.cells
    const x = c[this.input0]!
    if (usable(x)) c[this.at] = stepExtreme(c, this.at + 1, this.period, x, -1)
  }
}
