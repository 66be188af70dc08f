import { Emitter } from '../base/emitter.js'
import { badSetting, checkOptions, optionNames } from '../log/index.js'
import type { Side } from '../matching/index.js'
import { type Depth, PoolError, type PoolEvent, unknownSymbol } from '../pool/index.js'
import { minutesOfDay } from './candles.js'
import { eventGap, MarketDataError } from './errors.js'
import {
  type CandleInterval,
  candleIntervals,
  candleStart,
  candlesBefore,
  nextCandleStart,
} from './intervals.js'
import { type KeptData, SymbolData } from './symbol-data.js'
import { tickerOf } from './ticker.js'
import type {
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

/** Levels, orders, trades or candles that one call returns at most. */
export const marketDataLimitMax = 10_000

const marketDataOptions = optionNames<MarketDataOptions>({
  keepTrades: true,
  keepCandles: true,
  keepDeltas: true,
})

interface MarketDataEvents {
  update: [MarketUpdate]
}

/**
 * Books, trades, candles and tickers of every symbol, from a pool's durable events alone. Give it each event in the order of the
 * log, and say where a record ends; `followMarketData` does both. At the same LSN its depth equals the pool's own.
 *
 * Event `update`, for each record that changed something: what it did to its symbol.
 */
export class MarketData extends Emitter<MarketDataEvents> {
  readonly #instrumentOf: (symbol: string) => MarketInstrument | undefined
  readonly #kept: KeptData
  readonly #symbols = new Map<string, SymbolData>()
  #lsn = 0
  #open: SymbolData | undefined
  #openTimeUs = 0

  /**
   * @param instrumentOf What is known of a symbol; `(symbol) => pool.instrument(symbol)`.
   * @throws LogError `TIDEMARK_BAD_SETTING`.
   */
  constructor(
    instrumentOf: (symbol: string) => MarketInstrument | undefined,
    options: MarketDataOptions = {},
  ) {
    super()
    this.#instrumentOf = instrumentOf
    this.#kept = resolveKept(options)
  }

  /**
   * Continues where a snapshot was taken: give it the events after `snapshot.lsn`.
   *
   * @throws MarketDataError `TIDEMARK_MARKET_DATA_SNAPSHOT` for what is no snapshot of this version or has a symbol that
   *   `instrumentOf` does not know; LogError `TIDEMARK_BAD_SETTING`.
   */
  static restore(
    snapshot: MarketDataSnapshot,
    instrumentOf: (symbol: string) => MarketInstrument | undefined,
    options: MarketDataOptions = {},
  ): MarketData {
    const data = new MarketData(instrumentOf, options)
    if (snapshot?.version !== 1 || !Number.isSafeInteger(snapshot.lsn))
      throw badSnapshot('This is no snapshot of market data of version 1.')
    for (const saved of snapshot.symbols) {
      const instrument = instrumentOf(saved.symbol)
      if (!instrument) throw badSnapshot(`The snapshot has ${saved.symbol}, which is not known here.`)
      const symbol = new SymbolData(instrument, data.#kept)
      symbol.restore(saved)
      data.#symbols.set(saved.symbol, symbol)
    }
    data.#lsn = snapshot.lsn
    return data
  }

  /** LSN of the last record that is in it whole. */
  get lsn(): number {
    return this.#lsn
  }

  /** Every symbol that an event named, in that order. */
  symbols(): string[] {
    return [...this.#symbols.keys()]
  }

  /** Whether the symbol is known. */
  has(symbol: string): boolean {
    return this.#symbols.has(symbol)
  }

  /**
   * Takes the next event. Events at or before `lsn` are passed over, so events may be given twice.
   *
   * @throws MarketDataError `TIDEMARK_MARKET_DATA_GAP` when events before it are missing: nothing after it can be right.
   */
  apply(event: PoolEvent): void {
    if (event.lsn <= this.#lsn) return
    let data = this.#symbols.get(event.symbol)
    if (!data) {
      // A command for an instrument that there is not names none.
      if (event.symbol === '') return
      const instrument = this.#instrumentOf(event.symbol)
      if (!instrument)
        throw eventGap(`Symbol ${event.symbol} is not known`, { symbol: event.symbol, lsn: event.lsn })
      data = new SymbolData(instrument, this.#kept)
      this.#symbols.set(event.symbol, data)
    }
    this.#open = data
    this.#openTimeUs = event.timeUs
    data.apply(event)
  }

  /** The record that ends at `lsn` was given whole. Emits `update` when it changed something. */
  endRecord(lsn: number): void {
    if (lsn <= this.#lsn) return
    this.#lsn = lsn
    const data = this.#open
    this.#open = undefined
    const update = data?.endRecord(lsn, this.#openTimeUs)
    if (update) this.emit('update', update)
  }

  /** The best `levels` prices of both sides, as `pool.depth` gives them. @throws PoolError `TIDEMARK_UNKNOWN_SYMBOL`, `TIDEMARK_BAD_ARGUMENT`. */
  depth(symbol: string, levels = 10): Depth {
    const data = this.#data(symbol)
    checkCount('levels', levels)
    return { lsn: this.#lsn, symbol, bids: data.levels(0, levels), asks: data.levels(1, levels) }
  }

  /** Number of the last change of the visible book, 0 before the first. @throws as `depth`. */
  updateId(symbol: string): number {
    return this.#data(symbol).updateId
  }

  /** The orders of a side, in the order in which they would trade. @throws as `depth`. */
  queue(symbol: string, side: Side, limit = 100): QueuedOrder[] {
    const data = this.#data(symbol)
    checkCount('limit', limit)
    if (side !== 'buy' && side !== 'sell') throw badArgument('side is buy or sell.', { side })
    return data.queue(side === 'sell' ? 1 : 0, limit)
  }

  /**
   * The changes of the depth after an LSN, without a gap, oldest first; `undefined` when they are not kept so far back: then
   * `depth` is where to begin.
   *
   * @throws as `depth`.
   */
  deltasAfter(symbol: string, lsn: number): DepthDelta[] | undefined {
    const data = this.#data(symbol)
    const { deltas } = data
    if (data.deltaLsn <= lsn) return []
    if (deltas.size === 0 || deltas.at(0).previousLsn > lsn) return undefined
    return deltas.slice(deltas.indexOf(lsn + 1, (delta) => delta.lsn))
  }

  /** The last trades that are kept, or those from `fromId` on, oldest first. @throws as `depth`. */
  trades(symbol: string, limit = 500, fromId?: number): TapeTrade[] {
    const { trades } = this.#data(symbol).tape
    checkCount('limit', limit)
    if (fromId === undefined) return trades.slice(trades.size - limit)
    const from = trades.indexOf(fromId, ({ tradeId }) => tradeId)
    return trades.slice(from, from + limit)
  }

  /** The last trade; `undefined` before the first. @throws as `depth`. */
  lastTrade(symbol: string): TapeTrade | undefined {
    return this.#data(symbol).tape.trades.last
  }

  /** As `trades`, those that one order took at one price as one. @throws as `depth`. */
  aggregateTrades(symbol: string, limit = 500, fromId?: number): AggregateTrade[] {
    const { aggregates } = this.#data(symbol).tape
    checkCount('limit', limit)
    if (fromId === undefined) return aggregates.slice(aggregates.size - limit)
    const from = aggregates.indexOf(fromId, ({ aggregateId }) => aggregateId)
    return aggregates.slice(from, from + limit)
  }

  /** Candles, oldest first. @throws as `depth`. */
  candles(symbol: string, interval: CandleInterval, range: CandleRange = {}): CandleValues[] {
    const data = this.#data(symbol)
    const { limit = 500 } = range
    checkCount('limit', limit)
    if (!candleIntervals.includes(interval))
      throw badArgument(`interval is one of ${candleIntervals.join(', ')}.`, { interval })
    const first = data.candles.first(interval)
    if (!first) return []
    const toMs = candleStart(interval, range.toMs ?? data.candles.last(interval)!.startMs)
    const fromMs =
      range.fromMs === undefined
        ? candlesBefore(interval, toMs, limit - 1)
        : firstFrom(interval, range.fromMs)
    return data.candlesFrom(interval, Math.max(fromMs, first.startMs), toMs, limit)
  }

  /**
   * What a symbol did in the last `spanMinutes` minutes, 1 to 1,440: whole minutes, and the one that `nowMs` is in.
   *
   * @throws as `depth`.
   */
  ticker(symbol: string, nowMs: number, spanMinutes = minutesOfDay): Ticker {
    const data = this.#data(symbol)
    if (!(Number.isInteger(spanMinutes) && spanMinutes >= 1 && spanMinutes <= minutesOfDay))
      throw badArgument(`spanMinutes is a whole number from 1 to ${minutesOfDay}.`, { spanMinutes })
    return tickerOf(symbol, data.grids, data, spanMinutes, nowMs)
  }

  /** The best prices. @throws as `depth`. */
  bookTicker(symbol: string): BookTicker {
    const data = this.#data(symbol)
    const { bids, asks } = data.book
    return {
      symbol,
      updateId: data.updateId,
      bid: bids.best && data.level(bids.best),
      ask: asks.best && data.level(asks.best),
    }
  }

  /** All of it as plain data, which JSON holds; `restore` continues from it. Take it between two records. */
  snapshot(): MarketDataSnapshot {
    return { version: 1, lsn: this.#lsn, symbols: [...this.#symbols.values()].map((data) => data.save()) }
  }

  #data(symbol: string): SymbolData {
    const data = this.#symbols.get(symbol)
    if (!data) throw unknownSymbol(symbol)
    return data
  }
}

function resolveKept(options: MarketDataOptions): KeptData {
  checkOptions('MarketData', options, marketDataOptions)
  const { keepTrades = 1000, keepCandles = 1000, keepDeltas = 1000 } = options
  requireWhole('keepTrades', keepTrades, 1, 1_000_000)
  requireWhole('keepCandles', keepCandles, 1, 100_000)
  requireWhole('keepDeltas', keepDeltas, 1, 1_000_000)
  return { trades: keepTrades, candles: keepCandles, deltas: keepDeltas }
}

function requireWhole(setting: string, value: number, min: number, max: number): void {
  if (!(Number.isInteger(value) && value >= min && value <= max))
    throw badSetting(setting, value, `a whole number from ${min} to ${max}`)
}

function checkCount(name: string, count: number): void {
  if (!(Number.isInteger(count) && count >= 1 && count <= marketDataLimitMax))
    throw badArgument(`${name} is a whole number from 1 to ${marketDataLimitMax}.`, { [name]: count })
}

function badArgument(message: string, details: Record<string, unknown>): PoolError {
  return new PoolError('TIDEMARK_BAD_ARGUMENT', message, details)
}

function badSnapshot(message: string): MarketDataError {
  return new MarketDataError('TIDEMARK_MARKET_DATA_SNAPSHOT', message)
}

/** When the first candle begins that does so at a time or after it. */
function firstFrom(interval: CandleInterval, fromMs: number): number {
  const startMs = candleStart(interval, fromMs)
  return startMs < fromMs ? nextCandleStart(interval, startMs) : startMs
}
