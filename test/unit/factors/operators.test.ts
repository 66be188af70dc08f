import * as indicators from 'technicalindicators'
import * as signals from 'trading-signals'
import { describe, expect, it } from 'vitest'
import {
  AverageTrueRange,
  BollingerBands,
  Delay,
  Difference,
  DoubleExponentialAverage,
  ExponentialAverage,
  Macd,
  RelativeStrength,
  Return,
  RollingCorrelation,
  RollingCount,
  RollingCovariance,
  RollingDeviation,
  RollingKurtosis,
  RollingMax,
  RollingMean,
  RollingMin,
  RollingSkewness,
  RollingSum,
  RollingVariance,
  Vwap,
  ZScore,
} from '#tidemark/factors/engine/operators/index.js'
import { scaleOf, type Window, windows } from './support/recompute.js'
import { constant, googDay, hasGoogDay, randomWalk, type Series, spiky } from './support/series.js'

const COUNT = 100_000
const TOLERANCE = 1e-9

const series: [name: string, make: () => Series][] = [
  ['random walk', () => randomWalk(COUNT)],
  ['constant', () => constant(COUNT)],
  ['spiky', () => spiky(COUNT)],
]
if (hasGoogDay()) series.unshift(['GOOG day', () => googDay(COUNT)])

/** The largest error, relative to the larger of the value and `scale`; a value on one side only counts as infinite. */
class Comparison {
  worst = 0
  at = -1
  compared = 0

  add(i: number, mine: number | undefined, other: number | undefined | null, scale: number): void {
    const expected = other ?? undefined
    if (mine === undefined && expected === undefined) return
    const error =
      mine === undefined || expected === undefined
        ? Number.POSITIVE_INFINITY
        : Math.abs(mine - expected) / Math.max(Math.abs(expected), scale, Number.MIN_VALUE)
    this.compared++
    if (error > this.worst) {
      this.worst = error
      this.at = i
    }
  }

  expectAgreement(): void {
    expect({ worst: this.worst <= TOLERANCE, error: this.worst, at: this.at }).toMatchObject({ worst: true })
    expect(this.compared).toBeGreaterThan(COUNT / 2)
  }
}

interface Unary {
  update(x: number): void
  readonly value: number | undefined
}

/** Against the definition, computed anew for each window. */
function againstWindow(
  data: Series,
  operator: Unary,
  window: Window,
  period: number,
  scale: (x: Float64Array, from: number, to: number) => number,
): void {
  const comparison = new Comparison()
  for (let i = 0; i < data.last.length; i++) {
    operator.update(data.last[i]!)
    const from = i + 1 - period
    const expected = from < 0 ? undefined : window(data.last, from, i + 1, data.last)
    comparison.add(i, operator.value, expected, from < 0 ? 0 : scale(data.last, from, i + 1))
  }
  comparison.expectAgreement()
}

const one = () => 1
const squared = (x: Float64Array, from: number, to: number) => scaleOf(x, from, to) ** 2

describe.each(series)('operators on 100,000 ticks, %s', (name, make) => {
  const data = make()
  const { last, bid, ask, volume } = data
  const undefinedByNature = name === 'constant'

  it.each([5, 20])('recompute to the same sum, mean, min, max and spread over %i ticks', (period) => {
    againstWindow(data, new RollingSum(period), windows.sum, period, scaleOf)
    againstWindow(data, new RollingMean(period), windows.mean, period, scaleOf)
    againstWindow(data, new RollingMin(period), windows.min, period, () => 0)
    againstWindow(data, new RollingMax(period), windows.max, period, () => 0)
    againstWindow(data, new RollingVariance(period), windows.variance, period, squared)
    againstWindow(data, new RollingVariance(period, 'sample'), windows.sampleVariance, period, squared)
    againstWindow(data, new RollingDeviation(period), windows.std, period, scaleOf)
  })

  it.skipIf(undefinedByNature)('recompute to the same skewness, kurtosis and z-score', () => {
    againstWindow(data, new RollingSkewness(20), windows.skewness, 20, one)
    againstWindow(data, new RollingKurtosis(20), windows.kurtosis, 20, one)
    againstWindow(data, new ZScore(20), windows.zscore, 20, one)
  })

  it('recompute to the same covariance and correlation of two series', () => {
    const covariance = new RollingCovariance(20)
    const correlation = new RollingCorrelation(20)
    const covariances = new Comparison()
    const correlations = new Comparison()
    for (let i = 0; i < COUNT; i++) {
      covariance.update(bid[i]!, ask[i]!)
      correlation.update(bid[i]!, ask[i]!)
      const from = i - 19
      const scale = from < 0 ? 0 : scaleOf(bid, from, i + 1) * scaleOf(ask, from, i + 1)
      covariances.add(
        i,
        covariance.value,
        from < 0 ? undefined : windows.covariance(bid, from, i + 1, ask),
        scale,
      )
      correlations.add(
        i,
        correlation.value,
        from < 0 ? undefined : windows.correlation(bid, from, i + 1, ask),
        1,
      )
    }
    covariances.expectAgreement()
    if (undefinedByNature) expect(correlation.value).toBeUndefined()
    else correlations.expectAgreement()
  })

  it('look back as far as they say: delay, difference, return, count', () => {
    const delay = new Delay(3)
    const difference = new Difference(3)
    const change = new Return(3)
    const count = new RollingCount(5)
    const roc = new signals.ROC(3)
    const returns = new Comparison()
    for (let i = 0; i < COUNT; i++) {
      const x = last[i]!
      for (const operator of [delay, difference, change, count]) operator.update(x)
      if (delay.value !== (i < 3 ? undefined : last[i - 3])) expect(delay.value).toBe(last[i - 3])
      if (difference.value !== (i < 3 ? undefined : x - last[i - 3]!))
        expect(difference.value).toBe(x - last[i - 3]!)
      if (count.value !== Math.min(5, i + 1)) expect(count.value).toBe(Math.min(5, i + 1))
      returns.add(i, change.value, roc.add(x), 1)
    }
    returns.expectAgreement()
  })

  it('agree with trading-signals: SMA, EMA, DEMA, RSI, MACD, Bollinger, ATR, VWAP', () => {
    const pairs: [Unary, { add(x: number): unknown; getResult(): number | null; isStable: boolean }][] = [
      [new RollingMean(20), new signals.SMA(20)],
      [new ExponentialAverage(12), new signals.EMA(12)],
      [new ExponentialAverage(26), new signals.EMA(26)],
      [new DoubleExponentialAverage(10), new signals.DEMA(10)],
      [new RelativeStrength(14), new signals.RSI(14)],
    ]
    const comparisons = pairs.map(() => new Comparison())
    const macd = new Macd(12, 26, 9)
    const macdOther = new signals.MACD(new signals.EMA(12), new signals.EMA(26), new signals.EMA(9))
    const bands = new BollingerBands(20, 2)
    const bandsOther = new signals.BollingerBands(20, 2)
    const range = new AverageTrueRange(14)
    const rangeOther = new signals.ATR(14)
    const vwap = new Vwap()
    const vwapOther = new signals.VWAP()
    const [line, signal, upper, lower, width, atr, average] = Array.from(
      { length: 7 },
      () => new Comparison(),
    )
    let largest = 0
    for (let i = 0; i < COUNT; i++) {
      const x = last[i]!
      largest = Math.max(largest, x)
      const scale = Math.max(scaleOf(last, Math.max(0, i - 19), i + 1), 1)
      for (const [k, [mine, other]] of pairs.entries()) {
        mine.update(x)
        other.add(x)
        comparisons[k]!.add(i, mine.value, other.isStable ? other.getResult() : undefined, scale)
      }
      macd.update(x)
      const expected = macdOther.add(x)
      line!.add(i, macd.line, expected?.macd, scale)
      if (macd.signal !== undefined) signal!.add(i, macd.signal, expected?.signal, scale)
      bands.update(x)
      const expectedBands = bandsOther.add(x)
      // This package's bands begin one value late.
      if (expectedBands) {
        upper!.add(i, bands.upper, expectedBands.upper, scale)
        lower!.add(i, bands.lower, expectedBands.lower, scale)
        width!.add(i, bands.bandwidth, (expectedBands.upper - expectedBands.lower) / expectedBands.middle, 1)
      }
      const candle = { high: ask[i]!, low: bid[i]!, close: x, open: x, volume: volume[i]! }
      range.update(candle.high, candle.low, candle.close)
      rangeOther.add(candle)
      atr!.add(i, range.value, rangeOther.getResult(), scale)
      vwap.update(x, volume[i]!)
      vwapOther.add({ ...candle, high: x, low: x })
      average!.add(i, vwap.value, vwapOther.getResult(), largest)
    }
    for (const comparison of [...comparisons, line!, signal!, upper!, lower!, width!, atr!, average!]) {
      comparison.expectAgreement()
    }
  })

  // Its running sums keep the rounding error of every spike, so it can't be an oracle for the spiky series.
  it.skipIf(name === 'spiky')(
    'agree with technicalindicators: SMA, SD, Bollinger %b, highest, lowest, VWAP',
    () => {
      const values = Array.from(last)
      const period = 20
      const compare = (mine: Unary, other: (number | undefined)[], scale: number) => {
        const comparison = new Comparison()
        const skipped = COUNT - other.length
        for (let i = 0; i < COUNT; i++) {
          mine.update(last[i]!)
          if (i >= skipped) comparison.add(i, mine.value, other[i - skipped], scale)
        }
        comparison.expectAgreement()
      }
      compare(new RollingMean(period), indicators.SMA.calculate({ period, values }), 1)
      compare(
        new RollingDeviation(period),
        indicators.SD.calculate({ period, values }),
        scaleOf(last, 0, COUNT),
      )
      compare(new RollingMax(period), indicators.Highest.calculate({ period, values }), 1)
      compare(new RollingMin(period), indicators.Lowest.calculate({ period, values }), 1)
      const vwap = indicators.VWAP.calculate({
        high: values,
        low: values,
        close: values,
        volume: Array.from(volume),
      })
      const mine = new Vwap()
      const averages = new Comparison()
      for (let i = 0; i < COUNT; i++) {
        mine.update(last[i]!, volume[i]!)
        averages.add(i, mine.value, vwap[i], 1)
      }
      averages.expectAgreement()
      if (undefinedByNature) return
      const bands = new BollingerBands(period, 2)
      const percentB = indicators.BollingerBands.calculate({ period, values, stdDev: 2 })
      const percents = new Comparison()
      for (let i = 0; i < COUNT; i++) {
        bands.update(last[i]!)
        const expected = percentB[i - period + 1]
        // A window that hardly moves: the other one's deviation is rounding error of its running mean.
        if (expected && expected.upper - expected.lower > 1e-3)
          percents.add(i, bands.percentB, expected.pb, 1)
      }
      percents.expectAgreement()
    },
  )
})

it.skipIf(hasGoogDay())('the GOOG day is not here: set TIDEMARK_DATA to compare on it', () => {})

describe('drift', () => {
  it('leaves after ten million ticks no error against a recomputation in full', () => {
    const ticks = 10_000_000
    const period = 50
    const window = new Float64Array(period)
    const mean = new RollingMean(period)
    const variance = new RollingVariance(period)
    let state = 1
    for (let i = 0; i < ticks; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      const x = 100 + state / 4294967296 + (state % 1009 === 0 ? 1e12 : 0)
      window[i % period] = x
      mean.update(x)
      variance.update(x)
    }
    const ordered = new Float64Array([
      ...window.subarray(ticks % period),
      ...window.subarray(0, ticks % period),
    ])
    const expectedMean = windows.mean(ordered, 0, period)
    const expectedVariance = windows.variance(ordered, 0, period)
    expect(Math.abs(mean.value! - expectedMean) / expectedMean).toBeLessThan(1e-14)
    expect(Math.abs(variance.value! - expectedVariance) / expectedVariance).toBeLessThan(1e-11)
  })

  it('keeps the cumulative VWAP exact over a million trades', () => {
    const vwap = new Vwap()
    let turnover = 0n
    let traded = 0n
    for (let i = 0; i < 1_000_000; i++) {
      const price = 570 + (i % 997) / 8
      const volume = 1 + (i % 13)
      turnover += BigInt(price * 8) * BigInt(volume)
      traded += BigInt(volume)
      vwap.update(price, volume)
    }
    expect(vwap.value).toBeCloseTo(Number(turnover) / 8 / Number(traded), 12)
  })
})
