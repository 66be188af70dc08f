// Plain JavaScript, because the processes that are killed run it as it is.

/** Every operator at work, and expressions over them. */
export const everyFactor = {
  sum5: 'sum(last, 5)',
  count9: 'count(last, 9)',
  ma20: 'mean(last, 20)',
  lowest: 'min(bid, 13)',
  highest: 'max(ask, 13)',
  variance: 'variance(last, 10, sample)',
  std20: 'std(last, 20)',
  skew: 'skewness(last, 17)',
  kurt: 'kurtosis(last, 17)',
  cov: 'covariance(bid, ask, 8)',
  corr: 'correlation(bid, last, 8)',
  z: 'zscore(last, 11)',
  before: 'delay(last, 4)',
  change: 'diff(last)',
  gain: 'return(last, 3)',
  ema12: 'ema(last, 12)',
  ema26: 'ema(last, 26)',
  dema: 'dema(last, 9)',
  rsi14: 'rsi(last, 14)',
  trend: 'macd(last)',
  band: 'bollinger(last, 20, 2)',
  range: 'atr(ask, bid, last, 14)',
  price: 'vwap()',
  momentum: '(ema12 - ema26) / std20',
  smooth: 'mean(momentum, 6) * 100',
}

export const instruments = ['ABC', 'Xyz', 'Ünïcode 日本']

/** The i-th tick of a feed that is the same every time. */
export function tickAt(i) {
  const random = generator(i * 7919 + 13)
  const last = 100 + 5 * Math.sin(i / 50) + 4 * (random() - 0.5) + (i % 211 === 0 ? 1e6 : 0)
  return {
    instrument: instruments[i % instruments.length],
    timestamp: 1_000_000 + i,
    last: i % 5 === 3 ? undefined : last,
    bid: last - random(),
    ask: last + random(),
    volume: Math.floor(random() * 100),
  }
}

/** mulberry32 */
function generator(seed) {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
