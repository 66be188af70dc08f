export { DoubleExponentialAverage, ExponentialAverage, Macd } from './averages.js'
export { RollingMax, RollingMin } from './extremes.js'
export { Delay, Difference, Return } from './lags.js'
export {
  BollingerBands,
  type Estimate,
  RollingDeviation,
  RollingKurtosis,
  RollingSkewness,
  RollingVariance,
  ZScore,
} from './moments.js'
export { BinaryOperator, Operator, type Place, periodMax, UnaryOperator } from './operator.js'
export { RollingCorrelation, RollingCovariance } from './pairs.js'
export { RollingCount, RollingMean, RollingSum } from './sums.js'
export { Vwap } from './vwap.js'
export { AverageTrueRange, RelativeStrength } from './wilder.js'
