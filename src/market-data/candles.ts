import { type CandleInterval, candleIntervals, candleStart, nextCandleStart } from './intervals.js'
import { Ring } from './ring.js'

/** Trades of one symbol in a span of time: prices in ticks, volumes in lots, amounts in ticks times lots. */
export interface Candle {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  startMs: number
  open: number
  high: number
  low: number
  close: number
  volume: bigint
  amount: bigint
  /** What buyers took. */
  takerBuyVolume: bigint
  takerBuyAmount: bigint
  trades: number
  firstTradeId: number
}

/** A trade as candles need it: price in ticks, quantity in lots. */
export interface CandleTrade {
  readonly tradeId: number
  readonly timeMs: number
  readonly price: number
  readonly quantity: number
  readonly takerBuys: boolean
}

/** Minutes of a day: the ticker of 24 hours is made of so many candles of a minute, and the one that is open. */
export const minutesOfDay = 1440

function emptyCandle(startMs: number, price: number, firstTradeId: number): Candle {
  return {
    startMs,
    open: price,
    high: price,
    low: price,
    close: price,
    volume: 0n,
    amount: 0n,
    takerBuyVolume: 0n,
    takerBuyAmount: 0n,
    trades: 0,
    firstTradeId,
  }
}

/** Adds a later candle to one that it is a part of. */
export function mergeCandle(into: Candle, later: Candle): void {
  if (later.high > into.high) into.high = later.high
  if (later.low < into.low) into.low = later.low
  into.close = later.close
  into.volume += later.volume
  into.amount += later.amount
  into.takerBuyVolume += later.takerBuyVolume
  into.takerBuyAmount += later.takerBuyAmount
  into.trades += later.trades
}

/** The candles of one length: those that are over, and the one that is open. */
class Series {
  readonly interval: CandleInterval
  readonly closed: Ring<Candle>
  open: Candle | undefined

  constructor(interval: CandleInterval, kept: number) {
    this.interval = interval
    this.closed = new Ring(kept)
  }

  /** The open candle that takes what happened at a time, and the one that ended before it. A clock that was set back changes nothing. */
  advance(
    timeMs: number,
    price: number,
    firstTradeId: number,
  ): { candle: Candle; ended: Candle | undefined } {
    const startMs = candleStart(this.interval, timeMs)
    const { open } = this
    if (open && startMs <= open.startMs) return { candle: open, ended: undefined }
    if (open) this.closed.push(open)
    this.open = emptyCandle(startMs, price, firstTradeId)
    return { candle: this.open, ended: open }
  }
}

/**
 * The candles of one symbol, of every length. A trade changes those of a second and of a minute only; the longer ones take over each
 * minute when it is over, and show the open one on top.
 */
export class Candles {
  readonly #series = new Map<CandleInterval, Series>()
  readonly #seconds: Series
  readonly #minutes: Series
  readonly #longer: Series[] = []
  constructor(kept: number) {
    for (const interval of candleIntervals) {
      const series = new Series(interval, interval === '1m' ? Math.max(kept, minutesOfDay) : kept)
      this.#series.set(interval, series)
      if (interval !== '1s' && interval !== '1m') this.#longer.push(series)
    }
    this.#seconds = this.#series.get('1s')!
    this.#minutes = this.#series.get('1m')!
  }

  add(trade: CandleTrade): void {
    const quantity = BigInt(trade.quantity)
    const amount = BigInt(trade.price) * quantity
    const { candle, ended } = this.#minutes.advance(trade.timeMs, trade.price, trade.tradeId)
    if (ended) for (const series of this.#longer) takeMinute(series, ended)
    addTrade(this.#seconds.advance(trade.timeMs, trade.price, trade.tradeId).candle, trade, quantity, amount)
    addTrade(candle, trade, quantity, amount)
  }

  /** Candles with trades that begin from `fromMs` up to `toMs`, oldest first. */
  list(interval: CandleInterval, fromMs: number, toMs: number): Candle[] {
    const series = this.#series.get(interval)!
    const found = series.closed.slice(
      series.closed.indexOf(fromMs, startOf),
      series.closed.indexOf(toMs + 1, startOf),
    )
    for (const candle of this.#openOf(series))
      if (candle.startMs >= fromMs && candle.startMs <= toMs) found.push(candle)
    return found
  }

  /** The last candle that begins before a time. */
  before(interval: CandleInterval, timeMs: number): Candle | undefined {
    const series = this.#series.get(interval)!
    const open = this.#openOf(series).findLast(({ startMs }) => startMs < timeMs)
    if (open) return open
    const at = series.closed.indexOf(timeMs, startOf)
    return at === 0 ? undefined : series.closed.at(at - 1)
  }

  /** The first candle of a length that is kept. */
  first(interval: CandleInterval): Candle | undefined {
    const series = this.#series.get(interval)!
    return series.closed.size > 0 ? series.closed.at(0) : this.#openOf(series)[0]
  }

  /** The last candle of a length. */
  last(interval: CandleInterval): Candle | undefined {
    const series = this.#series.get(interval)!
    return this.#openOf(series).at(-1) ?? series.closed.last
  }

  /** What a snapshot holds: by length, the candles that are over and the one that is open. */
  save(): SavedCandles {
    const saved: Partial<Record<CandleInterval, SavedSeries>> = {}
    for (const [interval, { closed, open }] of this.#series)
      saved[interval] = { closed: closed.slice(0).map(saveCandle), open: open && saveCandle(open) }
    return saved as SavedCandles
  }

  restore(saved: SavedCandles): void {
    for (const [interval, series] of this.#series) {
      const { closed, open } = saved[interval]
      for (const candle of closed) series.closed.push(restoreCandle(candle))
      series.open = open && restoreCandle(open)
    }
  }

  /** The candles of a series that are not over: two where the open minute begins another than the minutes before it. */
  #openOf({ interval, open }: Series): Candle[] {
    if (interval === '1s' || interval === '1m') return open ? [open] : []
    const minute = this.#minutes.open
    if (!minute) return open ? [open] : []
    const startMs = candleStart(interval, minute.startMs)
    if (open && startMs <= open.startMs) {
      const whole = { ...open }
      mergeCandle(whole, minute)
      return [whole]
    }
    return open ? [open, { ...minute, startMs }] : [{ ...minute, startMs }]
  }
}

function takeMinute(series: Series, minute: Candle): void {
  const { candle } = series.advance(minute.startMs, minute.open, minute.firstTradeId)
  mergeCandle(candle, minute)
}

function addTrade(candle: Candle, trade: CandleTrade, quantity: bigint, amount: bigint): void {
  const { price } = trade
  if (price > candle.high) candle.high = price
  if (price < candle.low) candle.low = price
  candle.close = price
  candle.volume += quantity
  candle.amount += amount
  if (trade.takerBuys) {
    candle.takerBuyVolume += quantity
    candle.takerBuyAmount += amount
  }
  candle.trades++
}

function startOf({ startMs }: Candle): number {
  return startMs
}

/** When the candle is over, and the next one begins. */
export function endOf(interval: CandleInterval, { startMs }: Candle): number {
  return nextCandleStart(interval, startMs)
}

/** Numbers and, for sums that may be larger than a double holds, decimal strings. */
type SavedCandle = [number, number, number, number, number, string, string, string, string, number, number]
interface SavedSeries {
  readonly closed: readonly SavedCandle[]
  readonly open: SavedCandle | undefined
}
export type SavedCandles = Record<CandleInterval, SavedSeries>

function saveCandle(candle: Candle): SavedCandle {
  const { volume, amount, takerBuyVolume, takerBuyAmount } = candle
  return [
    candle.startMs,
    candle.open,
    candle.high,
    candle.low,
    candle.close,
    String(volume),
    String(amount),
    String(takerBuyVolume),
    String(takerBuyAmount),
    candle.trades,
    candle.firstTradeId,
  ]
}

function restoreCandle(saved: SavedCandle): Candle {
  const [startMs, open, high, low, close, volume, amount, buyVolume, buyAmount, trades, firstTradeId] = saved
  return {
    startMs,
    open,
    high,
    low,
    close,
    volume: BigInt(volume),
    amount: BigInt(amount),
    takerBuyVolume: BigInt(buyVolume),
    takerBuyAmount: BigInt(buyAmount),
    trades,
    firstTradeId,
  }
}
