import type { ReplacePriority, Side } from '../matching/index.js'
import type { DepthLevel } from '../pool/index.js'
import type { SavedCandles } from './candles.js'

/** What market data needs of an instrument; `pool.instrument(symbol)` has it. */
export interface MarketInstrument {
  readonly symbol: string
  /** Decimal strings: the price of one tick, the quantity of one lot. */
  readonly tickSize: string
  readonly lotSize: string
  readonly replacePriority: ReplacePriority
}

export interface MarketDataOptions {
  /** Trades that are kept of each symbol, and aggregated trades; 1 to 1,000,000. Default 1,000. */
  readonly keepTrades?: number | undefined
  /** Candles of each length that are kept of each symbol, 1 to 100,000. Default 1,000; of a minute at least 1,440. */
  readonly keepCandles?: number | undefined
  /** Changes of the depth that are kept of each symbol, 1 to 1,000,000. Default 1,000. */
  readonly keepDeltas?: number | undefined
}

/**
 * What one record changed in the visible book of a symbol: each price level that is not as it was, as it is now. A level that
 * is gone has the quantity 0 and no orders.
 */
export interface DepthDelta {
  readonly symbol: string
  /** The record's LSN, and that of the last one before it that changed this book; 0 before the first. */
  readonly lsn: number
  readonly previousLsn: number
  /** 1, 2, 3, … for each symbol, in the order of the log: the same whenever it is read from its beginning. */
  readonly updateId: number
  /** When the record was logged, microseconds since 1970-01-01T00:00:00Z. */
  readonly timeUs: number
  readonly bids: readonly DepthLevel[]
  readonly asks: readonly DepthLevel[]
}

/** One order in its queue; decimal strings. */
export interface QueuedOrder {
  readonly orderId: number
  readonly account: number
  readonly price: string
  /** What is visible, which an iceberg's `remaining` exceeds: who publishes queues publishes this only. */
  readonly shown: string
  readonly remaining: string
}

/** A trade; decimal strings. */
export interface TapeTrade {
  readonly symbol: string
  readonly tradeId: number
  readonly price: string
  readonly quantity: string
  /** Price times quantity. */
  readonly amount: string
  readonly takerSide: Side
  readonly makerOrderId: number
  readonly takerOrderId: number
  readonly timeUs: number
  readonly lsn: number
}

/** The trades that one order took at one price within one record. */
export interface AggregateTrade {
  readonly symbol: string
  /** 1, 2, 3, … for each symbol. */
  readonly aggregateId: number
  readonly price: string
  readonly quantity: string
  readonly firstTradeId: number
  readonly lastTradeId: number
  readonly takerSide: Side
  readonly timeUs: number
  readonly lsn: number
}

/** The trades of a span of time; decimal strings. */
export interface CandleValues {
  /** When it begins and when it ends, exclusive: milliseconds since 1970-01-01T00:00:00Z. */
  readonly startMs: number
  readonly endMs: number
  readonly open: string
  readonly high: string
  readonly low: string
  readonly close: string
  /** What traded, in the base asset and in the quote asset, and what of it buyers took. */
  readonly volume: string
  readonly amount: string
  readonly takerBuyVolume: string
  readonly takerBuyAmount: string
  readonly trades: number
  /** 0 without trades. */
  readonly firstTradeId: number
  readonly lastTradeId: number
}

export interface CandleRange {
  /** Candles that begin from here on … */
  readonly fromMs?: number | undefined
  /** … and not after this. Between them, and after the first trade, no candle is left out: one without trades has the last price. */
  readonly toMs?: number | undefined
  /** 1 to 10,000, the first ones with `fromMs`, else the last ones. Default 500. */
  readonly limit?: number | undefined
}

/** What a symbol did in a span of time that ends now; decimal strings, `undefined` where there was no trade. */
export interface Ticker {
  readonly symbol: string
  readonly startMs: number
  readonly endMs: number
  readonly open: string | undefined
  readonly high: string | undefined
  readonly low: string | undefined
  /** Price and quantity of the last trade of all, also before the span. */
  readonly last: string | undefined
  readonly lastQuantity: string | undefined
  /** `last` minus `open`, and in hundredths of `open`, with three decimals. */
  readonly change: string
  readonly changePercent: string
  /** Amount by volume, with the decimals of a price and rounded down. */
  readonly weightedAverage: string
  /** The last price before the span. */
  readonly previousClose: string | undefined
  readonly volume: string
  readonly amount: string
  readonly trades: number
  readonly firstTradeId: number | undefined
  readonly lastTradeId: number | undefined
}

/** The best prices; a side without orders has none. */
export interface BookTicker {
  readonly symbol: string
  readonly updateId: number
  readonly bid: DepthLevel | undefined
  readonly ask: DepthLevel | undefined
}

/** What one record did to the market data of a symbol. */
export interface MarketUpdate {
  readonly symbol: string
  readonly lsn: number
  readonly timeUs: number
  /** `undefined` when the visible book is as it was. */
  readonly delta: DepthDelta | undefined
  readonly trades: readonly TapeTrade[]
  readonly aggregates: readonly AggregateTrade[]
  /** Whether the best price of a side, or what is there, changed. */
  readonly topChanged: boolean
}

/** An order in a snapshot: id, account, price, open, shown, display (ticks and lots), 1 when it waits for a price before it acts. */
export type SavedOrder = readonly [number, number, number, number, number, number, number]

/** All that is known of one symbol; plain data that JSON holds. */
export interface SymbolSnapshot {
  readonly symbol: string
  readonly updateId: number
  readonly deltaLsn: number
  /** In the order of their queues, the worst price first. */
  readonly bids: readonly SavedOrder[]
  readonly asks: readonly SavedOrder[]
  /** Orders that no price level shows: those that wait for a price, for the closing call or for another order, and market orders in a call. */
  readonly waitingBuys: readonly SavedOrder[]
  readonly waitingSells: readonly SavedOrder[]
  readonly trades: readonly TapeTrade[]
  readonly aggregates: readonly AggregateTrade[]
  readonly aggregateCount: number
  readonly candles: SavedCandles
}

/** The market data of all symbols, as of an LSN. */
export interface MarketDataSnapshot {
  readonly version: 1
  readonly lsn: number
  readonly symbols: readonly SymbolSnapshot[]
}
