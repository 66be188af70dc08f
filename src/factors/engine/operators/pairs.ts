import { allAssertions } from '../../../base/assert.js'
import { usable } from '../../values.js'
import { divisorOf, type Estimate, estimateSuffix } from './moments.js'
import { BinaryOperator, checkPeriod, checkPlace, type Place } from './operator.js'

/**
 * Second moments of pairs, in blocks and joined as in `block-moments.ts`.
 *
 * ```
 *  s + 0   place in the block           s + 2 … 6    mean x, mean y, Mxx, Myy, Mxy of the prefix
 *      1   1 once a block was full          7 … 9    Mxx, Myy, Mxy of the window (results)
 *                                          10 …      p slots of 5: x and y, or the aggregate of a suffix
 * ```
 */
const head = 10
const windowXx = 7
const windowYy = 8
const windowXy = 9

function pairCells(period: number): number {
  return head + 5 * period
}

function stepPair(c: Float64Array, s: number, period: number, x: number, y: number): boolean {
  const slots = s + head
  const i = c[s]!
  if (allAssertions) checkPlace(i, period)
  const n = i + 1
  c[slots + 5 * i] = x
  c[slots + 5 * i + 1] = y
  add(c, s + 2, n, x, y)
  if (n < period) {
    c[s] = n
    if (c[s + 1] === 0) return false
    const older = slots + 5 * n
    const weight = ((period - n) * n) / period
    const apartX = c[s + 2]! - c[older]!
    const apartY = c[s + 3]! - c[older + 1]!
    c[s + windowXx] = c[older + 2]! + c[s + 4]! + apartX * apartX * weight
    c[s + windowYy] = c[older + 3]! + c[s + 5]! + apartY * apartY * weight
    c[s + windowXy] = c[older + 4]! + c[s + 6]! + apartX * apartY * weight
    return true
  }
  c[s + windowXx] = c[s + 4]!
  c[s + windowYy] = c[s + 5]!
  c[s + windowXy] = c[s + 6]!
  c.fill(0, s + 2, s + 7)
  for (let j = period - 1; j >= 0; j--) {
    const slot = slots + 5 * j
    add(c, s + 2, period - j, c[slot]!, c[slot + 1]!)
    for (let k = 0; k < 5; k++) c[slot + k] = c[s + 2 + k]!
  }
  c.fill(0, s + 2, s + 7)
  c[s] = 0
  c[s + 1] = 1
  return true
}

/** Adds the n-th pair to the aggregate at `a`. */
function add(c: Float64Array, a: number, n: number, x: number, y: number): void {
  const deltaX = x - c[a]!
  const deltaY = y - c[a + 1]!
  const meanX = c[a]! + deltaX / n
  const meanY = c[a + 1]! + deltaY / n
  c[a] = meanX
  c[a + 1] = meanY
  c[a + 2] = c[a + 2]! + deltaX * (x - meanX)
  c[a + 3] = c[a + 3]! + deltaY * (y - meanY)
  c[a + 4] = c[a + 4]! + deltaX * (y - meanY)
}

/** Covariance of the last `period` pairs. */
export class RollingCovariance extends BinaryOperator {
  /** The window, in values. */
  readonly period: number
  readonly #divisor: number

  constructor(period: number, estimate: Estimate = 'population', place?: Place) {
    const divisor = divisorOf('covariance', period, estimate)
    super(`covariance(${period}${estimateSuffix(estimate)})`, 2, 1, pairCells(period), place)
    this.period = period
    this.#divisor = divisor
  }

  step(): void {
    const c = this.cells
    const s = this.at + 1
    const x = c[this.input0]!
    const y = c[this.input1]!
    if (!usable(x) || !usable(y)) return
    if (stepPair(c, s, this.period, x, y)) c[this.at] = c[s + windowXy]! / this.#divisor
  }
}

/** Pearson's correlation of the last `period` pairs; undefined when one of the series doesn't move. */
export class RollingCorrelation extends BinaryOperator {
  /** The window, in values. */
  readonly period: number

  constructor(period: number, place?: Place) {
    checkPeriod('correlation', period, 2)
    super(`correlation(${period})`, 2, 1, pairCells(period), place)
    this.period = period
  }

  step(): void {
    const c = this.cells
    const s = this.at + 1
    const x = c[this.input0]!
    const y = c[this.input1]!
    if (!usable(x) || !usable(y) || !stepPair(c, s, this.period, x, y)) return
    const scale = Math.sqrt(c[s + windowXx]!) * Math.sqrt(c[s + windowYy]!)
    c[this.at] = scale > 0 ? Math.min(1, Math.max(-1, c[s + windowXy]! / scale)) : Number.NaN
  }
}
