import type { AggregateTrade, BookTicker, CandleValues, TapeTrade, Ticker } from '../../market-data/index.js'
import type { DepthLevel } from '../../pool/index.js'
import type { VenueSymbol } from '../venue/venue.js'
import { zeroLike } from './amounts.js'

export function levelsJson(levels: readonly DepthLevel[]): [string, string][] {
  return levels.map(({ price, quantity }) => [price, quantity])
}

export function tradeJson(trade: TapeTrade): object {
  return {
    id: trade.tradeId,
    price: trade.price,
    qty: trade.quantity,
    quoteQty: trade.amount,
    time: Math.floor(trade.timeUs / 1000),
    isBuyerMaker: trade.takerSide === 'sell',
    isBestMatch: true,
  }
}

export function aggregateJson(trade: AggregateTrade): object {
  return {
    a: trade.aggregateId,
    p: trade.price,
    q: trade.quantity,
    f: trade.firstTradeId,
    l: trade.lastTradeId,
    T: Math.floor(trade.timeUs / 1000),
    m: trade.takerSide === 'sell',
    M: true,
  }
}

export function candleJson(candle: CandleValues): unknown[] {
  return [
    candle.startMs,
    candle.open,
    candle.high,
    candle.low,
    candle.close,
    candle.volume,
    candle.endMs - 1,
    candle.amount,
    candle.trades,
    candle.takerBuyVolume,
    candle.takerBuyAmount,
    '0',
  ]
}

/** Prices that there are not, before the first trade, are 0 in the dialect; ids are -1. */
function tickerPrices(ticker: Ticker, symbol: VenueSymbol) {
  const none = zeroLike(symbol.tickSize)
  return {
    openPrice: ticker.open ?? ticker.last ?? none,
    highPrice: ticker.high ?? ticker.last ?? none,
    lowPrice: ticker.low ?? ticker.last ?? none,
    lastPrice: ticker.last ?? none,
    volume: ticker.volume,
    quoteVolume: ticker.amount,
    openTime: ticker.startMs,
    closeTime: ticker.endMs,
    firstId: ticker.firstTradeId ?? -1,
    lastId: ticker.lastTradeId ?? -1,
    count: ticker.trades,
  }
}

export function miniTickerJson(ticker: Ticker, symbol: VenueSymbol): object {
  return { symbol: ticker.symbol, ...tickerPrices(ticker, symbol) }
}

/** The ticker of a window that the client chose. */
export function windowTickerJson(ticker: Ticker, symbol: VenueSymbol): object {
  return {
    symbol: ticker.symbol,
    priceChange: ticker.change,
    priceChangePercent: ticker.changePercent,
    weightedAvgPrice: ticker.weightedAverage,
    ...tickerPrices(ticker, symbol),
  }
}

export function tickerJson(ticker: Ticker, book: BookTicker, symbol: VenueSymbol): object {
  const none = zeroLike(symbol.tickSize)
  return {
    symbol: ticker.symbol,
    priceChange: ticker.change,
    priceChangePercent: ticker.changePercent,
    weightedAvgPrice: ticker.weightedAverage,
    prevClosePrice: ticker.previousClose ?? none,
    lastQty: ticker.lastQuantity ?? zeroLike(symbol.lotSize),
    ...bookPrices(book, symbol),
    ...tickerPrices(ticker, symbol),
  }
}

export function bookTickerJson(book: BookTicker, symbol: VenueSymbol): object {
  return { symbol: book.symbol, ...bookPrices(book, symbol) }
}

function bookPrices({ bid, ask }: BookTicker, symbol: VenueSymbol) {
  const noPrice = zeroLike(symbol.tickSize)
  const noQuantity = zeroLike(symbol.lotSize)
  return {
    bidPrice: bid?.price ?? noPrice,
    bidQty: bid?.quantity ?? noQuantity,
    askPrice: ask?.price ?? noPrice,
    askQty: ask?.quantity ?? noQuantity,
  }
}
