import { usable } from '../../values.js'
import { blockSumCells, stepBlockSum } from './block-sum.js'
import { checkPeriod, type Place, UnaryOperator } from './operator.js'

/** Sum of the last `period` values. */
export class RollingSum extends UnaryOperator {
  /** The window, in values. */
  readonly period: number

  constructor(period: number, place?: Place) {
    checkPeriod('sum', period)
    super(`sum(${period})`, 1, 1, blockSumCells(period), place)
    this.period = period
  }

  step(): void {
    const c = this.cells
    const x = c[this.input0]!
    if (usable(x)) c[this.at] = stepBlockSum(c, this.at + 1, this.period, x)
  }
}

/** Arithmetic mean of the last `period` values. */
export class RollingMean extends UnaryOperator {
  /** The window, in values. */
  readonly period: number

  constructor(period: number, place?: Place) {
    checkPeriod('mean', period)
    super(`mean(${period})`, 1, 1, blockSumCells(period), place)
    this.period = period
  }

  step(): void {
    const c = this.cells
    const x = c[this.input0]!
    if (usable(x)) c[this.at] = stepBlockSum(c, this.at + 1, this.period, x) / this.period
  }
}

/** How many values the window of the last `period` holds; defined from the first value on. */
export class RollingCount extends UnaryOperator {
  /** The window, in values. */
  readonly period: number

  constructor(period: number, place?: Place) {
    checkPeriod('count', period)
    super(`count(${period})`, 1, 1, 1, place)
    this.period = period
  }

  step(): void {
    const c = this.cells
    if (!usable(c[this.input0]!)) return
    const count = Math.min(c[this.at + 1]! + 1, this.period)
    c[this.at + 1] = count
    c[this.at] = count
  }
}
