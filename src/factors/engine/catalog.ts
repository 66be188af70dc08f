import { FactorError } from '../errors.js'
import {
  AverageTrueRange,
  BollingerBands,
  Delay,
  Difference,
  DoubleExponentialAverage,
  type Estimate,
  ExponentialAverage,
  Macd,
  type Operator,
  type Place,
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
} from './operators/index.js'

/** How an operator is called in an expression: series first, then numbers, then `sample` where it takes that. */
export interface CatalogEntry {
  readonly inputs: number
  /** The series it takes when none is named. */
  readonly usual?: readonly string[]
  /** How many numbers it takes at least and at most. */
  readonly parameters: readonly [least: number, most: number]
  readonly estimates?: true
  readonly outputs: readonly string[]
  make(parameters: readonly number[], estimate: Estimate, place: Place): Operator
}

function windowed(make: (period: number, place: Place) => Operator): CatalogEntry {
  return {
    inputs: 1,
    parameters: [1, 1],
    outputs: ['value'],
    make: ([period], _, place) => make(period!, place),
  }
}

function lagged(make: (lag: number, place: Place) => Operator): CatalogEntry {
  return {
    inputs: 1,
    parameters: [0, 1],
    outputs: ['value'],
    make: ([lag = 1], _, place) => make(lag, place),
  }
}

function estimated(
  inputs: number,
  make: (period: number, estimate: Estimate, place: Place) => Operator,
): CatalogEntry {
  return {
    inputs,
    parameters: [1, 1],
    estimates: true,
    outputs: ['value'],
    make: ([period], estimate, place) => make(period!, estimate, place),
  }
}

const returned = lagged((lag, place) => new Return(lag, place))

/** The operators by the names they have in expressions. */
export const catalog: ReadonlyMap<string, CatalogEntry> = new Map(
  Object.entries({
    sum: windowed((period, place) => new RollingSum(period, place)),
    count: windowed((period, place) => new RollingCount(period, place)),
    mean: windowed((period, place) => new RollingMean(period, place)),
    min: windowed((period, place) => new RollingMin(period, place)),
    max: windowed((period, place) => new RollingMax(period, place)),
    variance: estimated(1, (period, estimate, place) => new RollingVariance(period, estimate, place)),
    std: estimated(1, (period, estimate, place) => new RollingDeviation(period, estimate, place)),
    zscore: estimated(1, (period, estimate, place) => new ZScore(period, estimate, place)),
    skewness: windowed((period, place) => new RollingSkewness(period, place)),
    kurtosis: windowed((period, place) => new RollingKurtosis(period, place)),
    covariance: estimated(2, (period, estimate, place) => new RollingCovariance(period, estimate, place)),
    correlation: {
      inputs: 2,
      parameters: [1, 1],
      outputs: ['value'],
      make: ([period], _, place) => new RollingCorrelation(period!, place),
    },
    delay: lagged((lag, place) => new Delay(lag, place)),
    diff: lagged((lag, place) => new Difference(lag, place)),
    return: returned,
    ret: returned,
    ema: windowed((period, place) => new ExponentialAverage(period, place)),
    dema: windowed((period, place) => new DoubleExponentialAverage(period, place)),
    rsi: {
      inputs: 1,
      parameters: [0, 1],
      outputs: ['value'],
      make: ([period = 14], _, place) => new RelativeStrength(period, place),
    },
    macd: {
      inputs: 1,
      parameters: [0, 3],
      outputs: ['line', 'signal', 'histogram'],
      make: ([fast = 12, slow = 26, signal = 9], _, place) => new Macd(fast, slow, signal, place),
    },
    bollinger: {
      inputs: 1,
      parameters: [0, 2],
      outputs: ['upper', 'middle', 'lower', 'bandwidth', 'percentB'],
      make: ([period = 20, width = 2], _, place) => new BollingerBands(period, width, place),
    },
    atr: {
      inputs: 3,
      usual: ['high', 'low', 'last'],
      parameters: [0, 1],
      outputs: ['value'],
      make: ([period = 14], _, place) => new AverageTrueRange(period, place),
    },
    vwap: {
      inputs: 2,
      usual: ['last', 'volume'],
      parameters: [0, 1],
      outputs: ['value'],
      make: ([period], _, place) => new Vwap(period, place),
    },
  } satisfies Record<string, CatalogEntry>),
)

/** @throws FactorError `TIDEMARK_BAD_EXPRESSION` for an operator that isn't there. */
export function operatorNamed(name: string): CatalogEntry {
  const entry = catalog.get(name)
  if (entry) return entry
  throw new FactorError(
    'TIDEMARK_BAD_EXPRESSION',
    `There is no operator "${name}"; use one of ${[...catalog.keys(), 'rank'].join(', ')}.`,
    { operator: name },
  )
}
