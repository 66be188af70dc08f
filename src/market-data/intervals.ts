const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

/** The lengths of candles, in milliseconds; a month is as long as the calendar says. Weeks begin on Monday, all in UTC. */
const lengths = {
  '1s': second,
  '1m': minute,
  '3m': 3 * minute,
  '5m': 5 * minute,
  '15m': 15 * minute,
  '30m': 30 * minute,
  '1h': hour,
  '2h': 2 * hour,
  '4h': 4 * hour,
  '6h': 6 * hour,
  '8h': 8 * hour,
  '12h': 12 * hour,
  '1d': day,
  '3d': 3 * day,
  '1w': 7 * day,
  '1M': 0,
} as const

/** The length of a candle, such as `1m` or `1d`. */
export type CandleInterval = keyof typeof lengths
/** The lengths of candles that there are, the shortest first. */
export const candleIntervals = Object.keys(lengths) as readonly CandleInterval[]

/** 1970-01-01 was a Thursday: the first Monday is four days later. */
const firstMonday = 4 * day

/** When the candle begins that a time falls into; both in milliseconds since 1970-01-01T00:00:00Z. */
export function candleStart(interval: CandleInterval, timeMs: number): number {
  if (interval === '1M') {
    const date = new Date(timeMs)
    return Date.UTC(date.getUTCFullYear(), date.getUTCMonth())
  }
  const length = lengths[interval]
  const offset = interval === '1w' ? firstMonday : 0
  return Math.floor((timeMs - offset) / length) * length + offset
}

/** When the candle after the one that begins at `startMs` begins. */
export function nextCandleStart(interval: CandleInterval, startMs: number): number {
  if (interval !== '1M') return startMs + lengths[interval]
  const date = new Date(startMs)
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1)
}

/** When the candle begins that is `count` candles before the one that begins at `startMs`. */
export function candlesBefore(interval: CandleInterval, startMs: number, count: number): number {
  if (interval !== '1M') return startMs - count * lengths[interval]
  const date = new Date(startMs)
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() - count)
}
