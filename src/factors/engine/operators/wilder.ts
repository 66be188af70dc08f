import { badValue } from '../../errors.js'
import { usable } from '../../values.js'
import { checkPeriod, Operator, type Place, UnaryOperator } from './operator.js'

/**
 * Relative strength index (Wilder, New Concepts in Technical Trading Systems, 1978): the mean gain and the mean loss
 * begin as simple means of the first `period` changes and continue as (mean * (period - 1) + change) / period;
 * RSI = 100 - 100 / (1 + gain / loss), and 100 where there is no loss. Defined from value `period` + 1 on.
 */
export class RelativeStrength extends UnaryOperator {
  /** The window, in values. */
  readonly period: number

  constructor(period = 14, place?: Place) {
    checkPeriod('rsi', period)
    super(`rsi(${period})`, 1, 1, 4, place)
    this.period = period
  }

  step(): void {
    const c = this.cells
    const a = this.at
    const x = c[this.input0]!
    if (!usable(x)) return
    const changes = c[a + 1]!
    const change = x - c[a + 2]!
    c[a + 1] = changes + 1
    c[a + 2] = x
    if (changes === 0) return
    const period = this.period
    const gain = Math.max(change, 0)
    const loss = Math.max(-change, 0)
    if (changes <= period) {
      c[a + 3] = c[a + 3]! + gain
      c[a + 4] = c[a + 4]! + loss
      if (changes < period) return
      c[a + 3] = c[a + 3]! / period
      c[a + 4] = c[a + 4]! / period
    } else {
      c[a + 3] = (c[a + 3]! * (period - 1) + gain) / period
      c[a + 4] = (c[a + 4]! * (period - 1) + loss) / period
    }
    c[a] = c[a + 4] === 0 ? 100 : 100 - 100 / (1 + c[a + 3]! / c[a + 4]!)
  }
}

/**
 * Average true range (Wilder, 1978). Inputs: high, low, close. The true range is the largest of high - low,
 * |high - close before| and |low - close before|, the first of a series high - low; smoothed as the RSI's means are.
 */
export class AverageTrueRange extends Operator {
  /** The window, in values. */
  readonly period: number

  constructor(period = 14, place?: Place) {
    checkPeriod('atr', period)
    super(`atr(${period})`, 3, 1, 3, place)
    this.period = period
  }

  /** Takes the next bar. @throws FactorError `TIDEMARK_BAD_VALUE`, also when high is below low. */
  update(high: number, low: number, close: number): void {
    if (!usable(high) || high < low) throw badValue(`The high of ${this.signature} (low ${low})`, high)
    if (!usable(low)) throw badValue(`The low of ${this.signature}`, low)
    if (!usable(close)) throw badValue(`The close of ${this.signature}`, close)
    const c = this.cells
    c[this.input0] = high
    c[this.input1] = low
    c[this.input2] = close
    this.step()
  }

  step(): void {
    const c = this.cells
    const a = this.at
    const high = c[this.input0]!
    const low = c[this.input1]!
    const close = c[this.input2]!
    if (!usable(high) || !usable(low) || !usable(close)) return
    const period = this.period
    const seen = c[a + 1]! + 1
    const before = c[a + 2]!
    const range = seen === 1 ? high - low : Math.max(high, before) - Math.min(low, before)
    c[a + 1] = seen
    c[a + 2] = close
    if (seen > period) {
      c[a + 3] = (c[a + 3]! * (period - 1) + range) / period
    } else {
      c[a + 3] = c[a + 3]! + range
      if (seen < period) return
      c[a + 3] = c[a + 3]! / period
    }
    c[a] = c[a + 3]!
  }
}
