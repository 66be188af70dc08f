import { badParameter } from '../../errors.js'
import { usable } from '../../values.js'
import {
  blockFourMomentsCells,
  blockMomentsCells,
  stepBlockFourMoments,
  stepBlockMoments,
  windowM2,
  windowM3,
  windowM4,
  windowMean,
  windowSquares,
} from './block-moments.js'
import { checkPeriod, type Place, quotient, UnaryOperator } from './operator.js'

/** `population` divides the squared deviations by n, `sample` by n - 1. */
export type Estimate = 'population' | 'sample'

/** Below it the square of a variance is no number of full precision any more. */
const varianceMin = 1e-140

/** What the squared deviations are divided by. @throws FactorError `TIDEMARK_BAD_PARAMETER`. */
export function divisorOf(operator: string, period: number, estimate: Estimate): number {
  if (estimate !== 'population' && estimate !== 'sample') {
    throw badParameter(operator, 'estimate', estimate, 'population or sample')
  }
  checkPeriod(operator, period, estimate === 'sample' ? 2 : 1)
  return estimate === 'sample' ? period - 1 : period
}

export function estimateSuffix(estimate: Estimate): string {
  return estimate === 'sample' ? ', sample' : ''
}

/** Variance of the last `period` values. */
export class RollingVariance extends UnaryOperator {
  /** The window, in values. */
  readonly period: number
  readonly #divisor: number

  constructor(period: number, estimate: Estimate = 'population', place?: Place) {
    const divisor = divisorOf('variance', period, estimate)
    super(`variance(${period}${estimateSuffix(estimate)})`, 1, 1, blockMomentsCells(period), place)
    this.period = period
    this.#divisor = divisor
  }

  step(): void {
    const c = this.cells
    const s = this.at + 1
    const x = c[this.input0]!
    if (!usable(x)) return
    if (stepBlockMoments(c, s, this.period, x)) c[this.at] = c[s + windowSquares]! / this.#divisor
  }
}

/** Standard deviation of the last `period` values. */
export class RollingDeviation extends UnaryOperator {
  /** The window, in values. */
  readonly period: number
  readonly #divisor: number

  constructor(period: number, estimate: Estimate = 'population', place?: Place) {
    const divisor = divisorOf('std', period, estimate)
    super(`std(${period}${estimateSuffix(estimate)})`, 1, 1, blockMomentsCells(period), place)
    this.period = period
    this.#divisor = divisor
  }

  step(): void {
    const c = this.cells
    const s = this.at + 1
    const x = c[this.input0]!
    if (!usable(x)) return
    if (stepBlockMoments(c, s, this.period, x)) c[this.at] = Math.sqrt(c[s + windowSquares]! / this.#divisor)
  }
}

/** How many standard deviations the value is away from the mean of its window; undefined when none deviates. */
export class ZScore extends UnaryOperator {
  /** The window, in values. */
  readonly period: number
  readonly #divisor: number

  constructor(period: number, estimate: Estimate = 'population', place?: Place) {
    const divisor = divisorOf('zscore', period, estimate)
    super(`zscore(${period}${estimateSuffix(estimate)})`, 1, 1, blockMomentsCells(period), place)
    this.period = period
    this.#divisor = divisor
  }

  step(): void {
    const c = this.cells
    const s = this.at + 1
    const x = c[this.input0]!
    if (!usable(x) || !stepBlockMoments(c, s, this.period, x)) return
    const deviation = Math.sqrt(c[s + windowSquares]! / this.#divisor)
    c[this.at] = deviation > 0 ? (x - c[s + windowMean]!) / deviation : Number.NaN
  }
}

/** Skewness of the last `period` values: m3 / m2^1.5 (population); undefined when none deviates. */
export class RollingSkewness extends UnaryOperator {
  /** The window, in values. */
  readonly period: number

  constructor(period: number, place?: Place) {
    checkPeriod('skewness', period, 2)
    super(`skewness(${period})`, 1, 1, blockFourMomentsCells(period), place)
    this.period = period
  }

  step(): void {
    const c = this.cells
    const s = this.at + 1
    const x = c[this.input0]!
    if (!usable(x) || !stepBlockFourMoments(c, s, this.period, x)) return
    const variance = c[s + windowM2]! / this.period
    c[this.at] =
      variance > varianceMin ? c[s + windowM3]! / this.period / (variance * Math.sqrt(variance)) : Number.NaN
  }
}

/** Excess kurtosis of the last `period` values: m4 / m2^2 - 3 (population); undefined when none deviates. */
export class RollingKurtosis extends UnaryOperator {
  /** The window, in values. */
  readonly period: number

  constructor(period: number, place?: Place) {
    checkPeriod('kurtosis', period, 2)
    super(`kurtosis(${period})`, 1, 1, blockFourMomentsCells(period), place)
    this.period = period
  }

  step(): void {
    const c = this.cells
    const s = this.at + 1
    const x = c[this.input0]!
    if (!usable(x) || !stepBlockFourMoments(c, s, this.period, x)) return
    const variance = c[s + windowM2]! / this.period
    c[this.at] =
      variance > varianceMin ? c[s + windowM4]! / this.period / (variance * variance) - 3 : Number.NaN
  }
}

/**
 * Bollinger bands: mean of the last `period` values, and `width` population standard deviations above and below it.
 * Outputs: upper, middle, lower, bandwidth = (upper - lower) / middle, percentB = (value - lower) / (upper - lower).
 */
export class BollingerBands extends UnaryOperator {
  /** The window, in values. */
  readonly period: number
  /** The distance of the bands from the middle, in standard deviations. */
  readonly width: number

  constructor(period: number, width = 2, place?: Place) {
    checkPeriod('bollinger', period)
    if (!(width > 0 && width <= 1000)) {
      throw badParameter('bollinger', 'width', width, 'a number above 0 and up to 1000')
    }
    super(`bollinger(${period}, ${width})`, 1, 5, blockMomentsCells(period), place)
    this.period = period
    this.width = width
  }

  /** Middle plus `width` deviations; undefined until there are enough values. */
  get upper(): number | undefined {
    return this.output(0)
  }

  /** The mean; undefined until there are enough values. */
  get middle(): number | undefined {
    return this.output(1)
  }

  /** Middle minus `width` deviations; undefined until there are enough values. */
  get lower(): number | undefined {
    return this.output(2)
  }

  /** The distance between the bands divided by the middle; undefined until there are enough values. */
  get bandwidth(): number | undefined {
    return this.output(3)
  }

  /** Where the last value stands: 0 on the lower band, 1 on the upper one; undefined until there are enough values. */
  get percentB(): number | undefined {
    return this.output(4)
  }

  step(): void {
    const c = this.cells
    const a = this.at
    const s = a + 5
    const x = c[this.input0]!
    if (!usable(x) || !stepBlockMoments(c, s, this.period, x)) return
    const mean = c[s + windowMean]!
    const half = this.width * Math.sqrt(c[s + windowSquares]! / this.period)
    c[a] = mean + half
    c[a + 1] = mean
    c[a + 2] = mean - half
    c[a + 3] = quotient(2 * half, mean)
    c[a + 4] = half > 0 ? (x - mean + half) / (2 * half) : Number.NaN
  }
}
