import {
  type CandleInterval,
  candleIntervals,
  candleStart,
  nextCandleStart,
} from '../../market-data/index.js'
import { zeroLike } from '../dialect/amounts.js'
import { ApiError, errors } from '../dialect/api-error.js'
import {
  aggregateJson,
  bookTickerJson,
  candleJson,
  levelsJson,
  miniTickerJson,
  tickerJson,
  tradeJson,
  windowTickerJson,
} from '../dialect/market-json.js'
import type { Params } from '../dialect/params.js'
import type { VenueSymbol } from '../venue/venue.js'
import { symbolsOf } from './general.js'
import { type ApiRequest, names, type Operation } from './operation.js'

const listMax = 1000
const depthMax = 5000
const dayMinutes = 1440

function depth({ params, venue }: ApiRequest): object {
  const { symbol } = venue.symbol(params.required('symbol'))
  const { bids, asks } = venue.market.depth(symbol, params.limit('limit', 100, depthMax))
  return {
    lastUpdateId: venue.market.updateId(symbol),
    bids: levelsJson(bids),
    asks: levelsJson(asks),
  }
}

function depthWeight(params: Params): number {
  const limit = params.limit('limit', 100, depthMax)
  return limit <= 100 ? 5 : limit <= 500 ? 25 : limit <= 1000 ? 50 : 250
}

function trades({ params, venue }: ApiRequest): object[] {
  const { symbol } = venue.symbol(params.required('symbol'))
  return venue.market
    .trades(symbol, params.limit('limit', 500, listMax), params.whole('fromId'))
    .map(tradeJson)
}

function aggregateTrades({ params, venue }: ApiRequest): object[] {
  const { symbol } = venue.symbol(params.required('symbol'))
  const limit = params.limit('limit', 500, listMax)
  const fromId = params.whole('fromId')
  const startMs = params.timeMs('startTime')
  const endMs = params.timeMs('endTime')
  if (startMs === undefined && endMs === undefined)
    return venue.market.aggregateTrades(symbol, limit, fromId).map(aggregateJson)
  if (fromId !== undefined) throw errors.badCombination()
  const within = venue.market
    .aggregateTrades(symbol, 10_000)
    .filter(({ timeUs }) => timeUs / 1000 >= (startMs ?? 0) && timeUs / 1000 < (endMs ?? Infinity) + 1)
  return (startMs === undefined ? within.slice(-limit) : within.slice(0, limit)).map(aggregateJson)
}

function intervalOf(params: Params): CandleInterval {
  const interval = params.required('interval') as CandleInterval
  if (!candleIntervals.includes(interval)) throw errors.badInterval()
  return interval
}

function candles({ params, venue, nowMs }: ApiRequest): unknown[][] {
  const { symbol } = venue.symbol(params.required('symbol'))
  const interval = intervalOf(params)
  const zone = params.text('timeZone')
  if (zone !== undefined && !/^[+-]?0{1,2}(:00)?$/.test(zone)) throw errors.badValue('timeZone')
  const fromMs = params.timeMs('startTime')
  const endMs = params.timeMs('endTime') ?? nowMs
  const limit = params.limit('limit', 500, listMax)
  return venue.market
    .candles(symbol, interval, { fromMs, toMs: Math.min(endMs, nowMs), limit })
    .map(candleJson)
}

/** Answers for one symbol or for many. */
function ofSymbols(request: ApiRequest, answer: (symbol: VenueSymbol) => object): object {
  const { symbols, one } = symbolsOf(request)
  return one ? answer(symbols[0]!) : symbols.map(answer)
}

function isFull(params: Params): boolean {
  const type = params.text('type') ?? 'FULL'
  if (type !== 'FULL' && type !== 'MINI') throw new ApiError(-1139, 'Invalid ticker type.')
  return type === 'FULL'
}

function dayTicker(request: ApiRequest): object {
  const { venue, nowMs } = request
  const full = isFull(request.params)
  return ofSymbols(request, (symbol) => {
    const ticker = venue.market.ticker(symbol.symbol, nowMs)
    return full
      ? tickerJson(ticker, venue.market.bookTicker(symbol.symbol), symbol)
      : miniTickerJson(ticker, symbol)
  })
}

function windowTicker(request: ApiRequest): object {
  const { params, venue, nowMs } = request
  const full = isFull(params)
  if (!params.has('symbol') && !params.has('symbols')) throw errors.missingOneOf('symbol', 'symbols')
  const found = /^([1-9][0-9]?)([mhd])$/.exec(params.text('windowSize') ?? '1d')
  const minutes = found ? Number(found[1]) * { m: 1, h: 60, d: dayMinutes }[found[2] as 'm' | 'h' | 'd'] : 0
  if (minutes < 1 || minutes > dayMinutes) throw errors.badValue('windowSize')
  return ofSymbols(request, (symbol) => {
    const ticker = venue.market.ticker(symbol.symbol, nowMs, minutes)
    return full ? windowTickerJson(ticker, symbol) : miniTickerJson(ticker, symbol)
  })
}

function tradingDay(request: ApiRequest): object {
  const { params, venue, nowMs } = request
  const full = isFull(params)
  const zone = params.text('timeZone')
  if (zone !== undefined && !/^[+-]?0{1,2}(:00)?$/.test(zone)) throw errors.badValue('timeZone')
  if (!params.has('symbol') && !params.has('symbols')) throw errors.missingOneOf('symbol', 'symbols')
  const startMs = candleStart('1d', nowMs)
  const minutes = Math.floor((nowMs - startMs) / 60_000) + 1
  return ofSymbols(request, (symbol) => {
    const ticker = venue.market.ticker(symbol.symbol, nowMs, minutes)
    const day = { ...ticker, startMs, endMs: nextCandleStart('1d', startMs) - 1 }
    return full ? windowTickerJson(day, symbol) : miniTickerJson(day, symbol)
  })
}

function prices(request: ApiRequest): object {
  const { venue } = request
  return ofSymbols(request, ({ symbol, tickSize }) => ({
    symbol,
    price: venue.market.lastTrade(symbol)?.price ?? zeroLike(tickSize),
  }))
}

function bookTickers(request: ApiRequest): object {
  const { venue } = request
  return ofSymbols(request, (symbol) => bookTickerJson(venue.market.bookTicker(symbol.symbol), symbol))
}

/** Minutes of the average price. */
const averageMinutes = 5

function averagePrice({ params, venue, nowMs }: ApiRequest): object {
  const { symbol } = venue.symbol(params.required('symbol'))
  const ticker = venue.market.ticker(symbol, nowMs, averageMinutes)
  const last = venue.market.lastTrade(symbol)
  return {
    mins: averageMinutes,
    price: ticker.trades === 0 ? (ticker.last ?? ticker.weightedAverage) : ticker.weightedAverage,
    closeTime: last ? Math.floor(last.timeUs / 1000) : 0,
  }
}

/** The dialect's weights for requests of one symbol, of a list, and of all. */
function weightBySymbols(one: number, all: number): (params: Params) => number {
  return (params) => (params.has('symbol') ? one : all)
}

const candleParams = names('symbol', 'interval', 'startTime', 'endTime', 'timeZone', 'limit')

export const marketOperations: readonly Operation[] = [
  {
    method: 'depth',
    rest: ['GET', '/depth'],
    security: 'none',
    weight: depthWeight,
    params: names('symbol', 'limit'),
    run: depth,
  },
  {
    method: 'trades.recent',
    rest: ['GET', '/trades'],
    security: 'none',
    weight: 25,
    params: names('symbol', 'limit'),
    run: trades,
  },
  {
    method: 'trades.historical',
    rest: ['GET', '/historicalTrades'],
    security: 'none',
    weight: 25,
    params: names('symbol', 'limit', 'fromId'),
    run: trades,
  },
  {
    method: 'blockTrades.historical',
    rest: ['GET', '/historicalBlockTrades'],
    security: 'none',
    weight: 25,
    params: names('symbol', 'fromId', 'limit'),
    run: ({ params, venue }) => {
      venue.symbol(params.required('symbol'))
      return []
    },
  },
  {
    method: 'trades.aggregate',
    rest: ['GET', '/aggTrades'],
    security: 'none',
    weight: 4,
    params: names('symbol', 'fromId', 'startTime', 'endTime', 'limit'),
    run: aggregateTrades,
  },
  {
    method: 'klines',
    rest: ['GET', '/klines'],
    security: 'none',
    weight: 2,
    params: candleParams,
    run: candles,
  },
  {
    method: 'uiKlines',
    rest: ['GET', '/uiKlines'],
    security: 'none',
    weight: 2,
    params: candleParams,
    run: candles,
  },
  {
    method: 'avgPrice',
    rest: ['GET', '/avgPrice'],
    security: 'none',
    weight: 2,
    params: names('symbol'),
    run: averagePrice,
  },
  {
    method: 'ticker.24hr',
    rest: ['GET', '/ticker/24hr'],
    security: 'none',
    weight: weightBySymbols(2, 80),
    params: names('symbol', 'symbols', 'type'),
    run: dayTicker,
  },
  {
    method: 'ticker.tradingDay',
    rest: ['GET', '/ticker/tradingDay'],
    security: 'none',
    weight: weightBySymbols(4, 80),
    params: names('symbol', 'symbols', 'timeZone', 'type'),
    run: tradingDay,
  },
  {
    method: 'ticker',
    rest: ['GET', '/ticker'],
    security: 'none',
    weight: weightBySymbols(4, 80),
    params: names('symbol', 'symbols', 'windowSize', 'type'),
    run: windowTicker,
  },
  {
    method: 'ticker.price',
    rest: ['GET', '/ticker/price'],
    security: 'none',
    weight: weightBySymbols(2, 4),
    params: names('symbol', 'symbols'),
    run: prices,
  },
  {
    method: 'ticker.book',
    rest: ['GET', '/ticker/bookTicker'],
    security: 'none',
    weight: weightBySymbols(2, 4),
    params: names('symbol', 'symbols'),
    run: bookTickers,
  },
]
