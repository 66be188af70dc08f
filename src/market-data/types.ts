import type { ReplacePriority, Side } from '../matching/index.js'
import type { DepthLevel } from '../pool/index.js'
import type { SavedCandles } from './candles.js'

/** What market data needs of an instrument; `pool.instrument(symbol)` has it. */
export interface MarketInstrument {
  /** The symbol that it is of. */
  readonly symbol: string
  /** Decimal strings: the price of one tick, the quantity of one lot. */
  readonly tickSize: string
  /** The quantity of one lot, a decimal string. */
  readonly lotSize: string
  /** Whether a smaller quantity at the same price keeps its place. */
  readonly replacePriority: ReplacePriority
}

/** How much market data keeps in memory. */
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
  /** The symbol that it is of. */
  readonly symbol: string
  /** The record's LSN, and that of the last one before it that changed this book; 0 before the first. */
  readonly lsn: number
  /** The LSN of the record before that changed this book; 0 before the first. */
  readonly previousLsn: number
  /** 1, 2, 3, … for each symbol, in the order of the log: the same whenever it is read from its beginning. */
  readonly updateId: number
  /** When the record was logged, microseconds since 1970-01-01T00:00:00Z. */
  readonly timeUs: number
  /** Levels of the buying side that are not as they were, as they are now. */
  readonly bids: readonly DepthLevel[]
  /** Levels of the selling side that are not as they were, as they are now. */
  readonly asks: readonly DepthLevel[]
}

/** One order in its queue; decimal strings. */
export interface QueuedOrder {
  /** The order's id. */
  readonly orderId: number
  /** Whose it is. */
  readonly account: number
  /** Its limit price. */
  readonly price: string
  /** What is visible, which an iceberg's `remaining` exceeds: who publishes queues publishes this only. */
  readonly shown: string
  /** Its open quantity, hidden part included. */
  readonly remaining: string
}

/** A trade; decimal strings. */
export interface TapeTrade {
  /** The symbol that it is of. */
  readonly symbol: string
  /** 1, 2, 3, … for each symbol. */
  readonly tradeId: number
  /** The maker's price. */
  readonly price: string
  /** What was traded. */
  readonly quantity: string
  /** Price times quantity. */
  readonly amount: string
  /** Whether the taker bought or sold. */
  readonly takerSide: Side
  /** The order that rested. */
  readonly makerOrderId: number
  /** The order that came. */
  readonly takerOrderId: number
  /** When the record was logged, in microseconds since 1970-01-01T00:00:00Z. */
  readonly timeUs: number
  /** The record's LSN. */
  readonly lsn: number
}

/** The trades that one order took at one price within one record. */
export interface AggregateTrade {
  /** The symbol that it is of. */
  readonly symbol: string
  /** 1, 2, 3, … for each symbol. */
  readonly aggregateId: number
  /** The price of all of them. */
  readonly price: string
  /** What they traded together. */
  readonly quantity: string
  /** The first of the trades. */
  readonly firstTradeId: number
  /** The last of the trades. */
  readonly lastTradeId: number
  /** Whether the taker bought or sold. */
  readonly takerSide: Side
  /** When the record was logged, in microseconds since 1970-01-01T00:00:00Z. */
  readonly timeUs: number
  /** The record's LSN. */
  readonly lsn: number
}

/** The trades of a span of time; decimal strings. */
export interface CandleValues {
  /** When it begins and when it ends, exclusive: milliseconds since 1970-01-01T00:00:00Z. */
  readonly startMs: number
  /** When it ends, exclusive: milliseconds since 1970-01-01T00:00:00Z. */
  readonly endMs: number
  /** The price of its first trade. */
  readonly open: string
  /** Its highest price. */
  readonly high: string
  /** Its lowest price. */
  readonly low: string
  /** The price of its last trade. */
  readonly close: string
  /** What traded, in the base asset and in the quote asset, and what of it buyers took. */
  readonly volume: string
  /** What traded, in the quote asset. */
  readonly amount: string
  /** What of the volume buyers took. */
  readonly takerBuyVolume: string
  /** What of the amount buyers took. */
  readonly takerBuyAmount: string
  /** How many trades it has. */
  readonly trades: number
  /** 0 without trades. */
  readonly firstTradeId: number
  /** The last of its trades; 0 without trades. */
  readonly lastTradeId: number
}

/** Which candles are asked for. */
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
  /** The symbol that it is of. */
  readonly symbol: string
  /** When the span begins: milliseconds since 1970-01-01T00:00:00Z. */
  readonly startMs: number
  /** When it ends, exclusive. */
  readonly endMs: number
  /** The price of its first trade. */
  readonly open: string | undefined
  /** Its highest price. */
  readonly high: string | undefined
  /** Its lowest price. */
  readonly low: string | undefined
  /** Price and quantity of the last trade of all, also before the span. */
  readonly last: string | undefined
  /** The quantity of the last trade. */
  readonly lastQuantity: string | undefined
  /** `last` minus `open`, and in hundredths of `open`, with three decimals. */
  readonly change: string
  /** `last` minus `open` in hundredths of `open`, with three decimals. */
  readonly changePercent: string
  /** Amount by volume, with the decimals of a price and rounded down. */
  readonly weightedAverage: string
  /** The last price before the span. */
  readonly previousClose: string | undefined
  /** What traded, in the base asset. */
  readonly volume: string
  /** What traded, in the quote asset. */
  readonly amount: string
  /** How many trades there were. */
  readonly trades: number
  /** The first of the trades. */
  readonly firstTradeId: number | undefined
  /** The last of the trades. */
  readonly lastTradeId: number | undefined
}

/** The best prices; a side without orders has none. */
export interface BookTicker {
  /** The symbol that it is of. */
  readonly symbol: string
  /** The number of the last change of this book. */
  readonly updateId: number
  /** The best level to sell to. */
  readonly bid: DepthLevel | undefined
  /** The best level to buy from. */
  readonly ask: DepthLevel | undefined
}

/** What one record did to the market data of a symbol. */
export interface MarketUpdate {
  /** The symbol that it is of. */
  readonly symbol: string
  /** The record's LSN. */
  readonly lsn: number
  /** When the record was logged, in microseconds since 1970-01-01T00:00:00Z. */
  readonly timeUs: number
  /** `undefined` when the visible book is as it was. */
  readonly delta: DepthDelta | undefined
  /** The trades of the record. */
  readonly trades: readonly TapeTrade[]
  /** The same, those that one order took at one price together. */
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
  /** The record's LSN. */
  readonly lsn: number
  /** What is known of each symbol. */
  readonly symbols: readonly SymbolSnapshot[]
}
