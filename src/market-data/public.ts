// What users of the package get as `tidemark/market-data`.
export { MarketDataError, type MarketDataErrorCode } from './errors.js'
export {
  type EventFeed,
  type FollowOptions,
  followMarketData,
  type MarketDataFeed,
} from './follow.js'
export { type CandleInterval, candleIntervals } from './intervals.js'
export { MarketData, marketDataLimitMax } from './market-data.js'
export type {
  AggregateTrade,
  BookTicker,
  CandleRange,
  CandleValues,
  DepthDelta,
  MarketDataOptions,
  MarketDataSnapshot,
  MarketInstrument,
  MarketUpdate,
  QueuedOrder,
  TapeTrade,
  Ticker,
} from './types.js'
