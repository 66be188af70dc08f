import { describe, expect, it } from 'vitest'
import {
  AverageTrueRange,
  BollingerBands,
  Delay,
  Difference,
  DoubleExponentialAverage,
  ExponentialAverage,
  Macd,
  type Operator,
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
import { Random } from './support/series.js'

/** Each operator, after how many updates it has a value, and how it is fed from three numbers. */
const operators: [name: string, make: () => Operator, warm: number][] = [
  ['sum', () => new RollingSum(7), 7],
  ['count', () => new RollingCount(7), 1],
  ['mean', () => new RollingMean(7), 7],
  ['min', () => new RollingMin(7), 7],
  ['max', () => new RollingMax(7), 7],
  ['variance', () => new RollingVariance(7), 7],
  ['variance, sample', () => new RollingVariance(7, 'sample'), 7],
  ['std', () => new RollingDeviation(7, 'sample'), 7],
  ['skewness', () => new RollingSkewness(7), 7],
  ['kurtosis', () => new RollingKurtosis(7), 7],
  ['zscore', () => new ZScore(7), 7],
  ['bollinger', () => new BollingerBands(7), 7],
  ['covariance', () => new RollingCovariance(7), 7],
  ['correlation', () => new RollingCorrelation(7), 7],
  ['delay', () => new Delay(7), 8],
  ['diff', () => new Difference(7), 8],
  ['return', () => new Return(7), 8],
  ['ema', () => new ExponentialAverage(7), 7],
  ['dema', () => new DoubleExponentialAverage(7), 7],
  ['rsi', () => new RelativeStrength(7), 8],
  ['macd', () => new Macd(3, 7, 4), 7],
  ['atr', () => new AverageTrueRange(7), 7],
  ['vwap', () => new Vwap(), 1],
  ['vwap, rolling', () => new Vwap(7), 7],
]

function feed(operator: Operator, random: Random): void {
  const price = 50 + random.normal()
  const low = price - random.next()
  if (operator instanceof AverageTrueRange) operator.update(price + random.next(), low, price)
  else if (operator instanceof Vwap) operator.update(price, 1 + random.below(9))
  else if ('update' in operator) (operator.update as (x: number, y: number) => void)(price, low)
}

function outputs(operator: Operator): (number | undefined)[] {
  return Array.from({ length: operator.outputs }, (_, i) => operator.output(i))
}

describe.each(operators)('%s', (_name, make, warm) => {
  it('has no value while it warms up, and one from then on', () => {
    const operator = make()
    const random = new Random(3)
    for (let i = 1; i <= 40; i++) {
      feed(operator, random)
      expect([i, operator.value === undefined]).toEqual([i, i < warm])
    }
  })

  it('continues bit by bit the same after save and restore at any point', () => {
    for (let cut = 0; cut < 25; cut++) {
      const whole = make()
      const first = make()
      const random = new Random(cut)
      const again = new Random(cut)
      for (let i = 0; i < cut; i++) {
        feed(whole, random)
        feed(first, again)
      }
      const second = make()
      second.restore(first.save())
      expect(outputs(second)).toEqual(outputs(first))
      for (let i = 0; i < 30; i++) {
        feed(whole, random)
        feed(second, again)
        expect(outputs(second).map(bits)).toEqual(outputs(whole).map(bits))
      }
      expect(second.save()).toEqual(whole.save())
    }
  })

  it('forgets everything on reset', () => {
    const operator = make()
    const fresh = make().save()
    const random = new Random(5)
    for (let i = 0; i < 33; i++) feed(operator, random)
    operator.reset()
    expect(operator.value).toBeUndefined()
    expect(operator.save()).toEqual(fresh)
  })

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e61])(
    'refuses %s and keeps its state',
    (bad) => {
      const operator = make() as unknown as { update(x: number, y: number, z: number): void } & Operator
      const random = new Random(9)
      for (let i = 0; i < 20; i++) feed(operator, random)
      const before = operator.save()
      expect(() => operator.update(bad, bad, bad)).toThrow(
        expect.objectContaining({ code: 'TIDEMARK_BAD_VALUE' }),
      )
      expect(operator.save()).toEqual(before)
    },
  )

  it('refuses the state of another operator', () => {
    const operator = make()
    expect(() => operator.restore(new RollingMean(1009).save())).toThrow(
      expect.objectContaining({ code: 'TIDEMARK_BAD_STATE' }),
    )
  })
})

function bits(value: number | undefined): string | undefined {
  return value === undefined ? undefined : Buffer.from(new Float64Array([value]).buffer).toString('hex')
}

describe('parameters', () => {
  it.each([
    ['a period of zero', () => new RollingMean(0)],
    ['half a tick', () => new RollingMin(2.5)],
    ['a sample of one', () => new RollingVariance(1, 'sample')],
    ['a fast average slower than the slow one', () => new Macd(26, 12, 9)],
    ['a band without width', () => new BollingerBands(20, 0)],
    ['more than a million ticks', () => new RollingSum(1_000_001)],
  ])('are refused: %s', (_what, make) => {
    expect(make).toThrow(expect.objectContaining({ code: 'TIDEMARK_BAD_PARAMETER' }))
  })
})

describe('values that a formula does not have', () => {
  it('stay undefined: z-score, skewness, correlation and %b of a series that does not move', () => {
    const moving = [new ZScore(3), new RollingSkewness(3), new RollingKurtosis(3)]
    const bands = new BollingerBands(3)
    const correlation = new RollingCorrelation(3)
    for (let i = 0; i < 9; i++) {
      for (const operator of moving) operator.update(0.1)
      bands.update(0.1)
      correlation.update(0.1, i)
    }
    expect(moving.map((operator) => operator.value)).toEqual([undefined, undefined, undefined])
    expect(correlation.value).toBeUndefined()
    expect(bands.percentB).toBeUndefined()
    expect(bands.bandwidth).toBe(0)
  })

  it('stay undefined: a return from zero, a VWAP without volume', () => {
    const change = new Return(1)
    change.update(0)
    change.update(5)
    expect(change.value).toBeUndefined()
    const vwap = new Vwap()
    vwap.update(10, 0)
    expect(vwap.value).toBeUndefined()
  })
})
