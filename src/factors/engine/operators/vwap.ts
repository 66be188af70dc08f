import { badValue } from '../../errors.js'
import { usable } from '../../values.js'
import { blockSumCells, stepBlockSum } from './block-sum.js'
import { BinaryOperator, checkPeriod, type Place } from './operator.js'

/**
 * Volume-weighted average price: sum of price x volume / sum of volume. Inputs: price, volume. Over everything since
 * the last reset, in sums with Neumaier's compensation (ZAMM 54 (1974)) so that a long session doesn't drift; or, with
 * a `period`, over the last `period` updates. Undefined while the volume is zero.
 */
export class Vwap extends BinaryOperator {
  /** The window, in updates; undefined: everything since the last reset. */
  readonly period: number | undefined

  constructor(period?: number, place?: Place) {
    if (period !== undefined) checkPeriod('vwap', period)
    super(`vwap(${period ?? ''})`, 2, 1, period === undefined ? 4 : 2 * blockSumCells(period), place)
    this.period = period
  }

  /** Takes the next trade. @throws FactorError `TIDEMARK_BAD_VALUE`, also when the volume is negative. */
  override update(price: number, volume: number): void {
    if (volume < 0) throw badValue(`The volume of ${this.signature}`, volume)
    super.update(price, volume)
  }

  step(): void {
    const c = this.cells
    const s = this.at + 1
    const price = c[this.input0]!
    const volume = c[this.input1]!
    if (!usable(price) || !(volume >= 0 && usable(volume))) return
    let turnover: number
    let traded: number
    if (this.period === undefined) {
      addCompensated(c, s, price * volume)
      addCompensated(c, s + 2, volume)
      turnover = c[s]! + c[s + 1]!
      traded = c[s + 2]! + c[s + 3]!
    } else {
      turnover = stepBlockSum(c, s, this.period, price * volume)
      traded = stepBlockSum(c, s + blockSumCells(this.period), this.period, volume)
    }
    c[this.at] = traded > 0 ? turnover / traded : Number.NaN
  }
}

/** Adds to the sum at `s`; what its rounding loses gathers in the cell after it. */
function addCompensated(c: Float64Array, s: number, x: number): void {
  const sum = c[s]!
  const next = sum + x
  const lost = Math.abs(sum) >= Math.abs(x) ? sum - next + x : x - next + sum
  c[s] = next
  c[s + 1] = c[s + 1]! + lost
}
