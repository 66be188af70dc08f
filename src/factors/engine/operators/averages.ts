import { badParameter } from '../../errors.js'
import { usable } from '../../values.js'
import { checkPeriod, type Place, UnaryOperator } from './operator.js'

/**
 * Exponential moving average: alpha = 2 / (period + 1), seeded with the first value; defined from the `period`-th
 * value on. It forgets its own rounding errors as it forgets values, so it doesn't drift.
 */
export class ExponentialAverage extends UnaryOperator {
  /** The window, in values. */
  readonly period: number
  readonly #alpha: number

  constructor(period: number, place?: Place) {
    checkPeriod('ema', period)
    super(`ema(${period})`, 1, 1, 2, place)
    this.period = period
    this.#alpha = 2 / (period + 1)
  }

  step(): void {
    const c = this.cells
    const a = this.at
    const x = c[this.input0]!
    if (!usable(x)) return
    const seen = c[a + 1]!
    const average = seen === 0 ? x : c[a + 2]! + this.#alpha * (x - c[a + 2]!)
    c[a + 1] = seen + 1
    c[a + 2] = average
    if (seen + 1 >= this.period) c[a] = average
  }
}

/**
 * Double exponential moving average (Mulloy, Stocks & Commodities 12:1 (1994)): 2 EMA - EMA of the EMA; defined from
 * the `period`-th value on.
 */
export class DoubleExponentialAverage extends UnaryOperator {
  /** The window, in values. */
  readonly period: number
  readonly #alpha: number

  constructor(period: number, place?: Place) {
    checkPeriod('dema', period)
    super(`dema(${period})`, 1, 1, 3, place)
    this.period = period
    this.#alpha = 2 / (period + 1)
  }

  step(): void {
    const c = this.cells
    const a = this.at
    const x = c[this.input0]!
    if (!usable(x)) return
    const seen = c[a + 1]!
    const inner = seen === 0 ? x : c[a + 2]! + this.#alpha * (x - c[a + 2]!)
    const outer = seen === 0 ? x : c[a + 3]! + this.#alpha * (inner - c[a + 3]!)
    c[a + 1] = seen + 1
    c[a + 2] = inner
    c[a + 3] = outer
    if (seen + 1 >= this.period) c[a] = 2 * inner - outer
  }
}

/**
 * Moving average convergence divergence (Appel, 1979). Outputs: line = EMA(fast) - EMA(slow), defined from the
 * `slow`-th value on; signal = EMA of the line, defined when it has seen as many lines as it averages; histogram =
 * line - signal.
 */
export class Macd extends UnaryOperator {
  /** The window of the fast average, in values. */
  readonly fast: number
  /** The window of the slow average, in values. */
  readonly slow: number
  /** The window of the signal line, in values. */
  readonly smoothing: number
  readonly #fastAlpha: number
  readonly #slowAlpha: number
  readonly #signalAlpha: number

  constructor(fast = 12, slow = 26, signal = 9, place?: Place) {
    checkPeriod('macd', fast, 1, 'fast')
    checkPeriod('macd', slow, 1, 'slow')
    checkPeriod('macd', signal, 1, 'signal')
    if (fast >= slow) throw badParameter('macd', 'fast', fast, `a number below slow, which is ${slow}`)
    super(`macd(${fast}, ${slow}, ${signal})`, 1, 3, 4, place)
    this.fast = fast
    this.slow = slow
    this.smoothing = signal
    this.#fastAlpha = 2 / (fast + 1)
    this.#slowAlpha = 2 / (slow + 1)
    this.#signalAlpha = 2 / (signal + 1)
  }

  /** Fast average minus slow average; undefined until there are enough values. */
  get line(): number | undefined {
    return this.output(0)
  }

  /** The average of the line; undefined until there are enough values. */
  get signal(): number | undefined {
    return this.output(1)
  }

  /** Line minus signal; undefined until there are enough values. */
  get histogram(): number | undefined {
    return this.output(2)
  }

  step(): void {
    const c = this.cells
    const a = this.at
    const x = c[this.input0]!
    if (!usable(x)) return
    const seen = c[a + 3]! + 1
    const fast = seen === 1 ? x : c[a + 4]! + this.#fastAlpha * (x - c[a + 4]!)
    const slow = seen === 1 ? x : c[a + 5]! + this.#slowAlpha * (x - c[a + 5]!)
    c[a + 3] = seen
    c[a + 4] = fast
    c[a + 5] = slow
    if (seen < this.slow) return
    const line = fast - slow
    const signal = seen === this.slow ? line : c[a + 6]! + this.#signalAlpha * (line - c[a + 6]!)
    c[a + 6] = signal
    c[a] = line
    if (seen < this.slow + this.smoothing - 1) return
    c[a + 1] = signal
    c[a + 2] = line - signal
  }
}
