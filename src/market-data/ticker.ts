import { priceText } from '../matching/index.js'
import type { Candle, Candles } from './candles.js'
import { mergeCandle } from './candles.js'
import { amountText, decimalText, type MarketGrids, volumeText } from './grids.js'
import { candleStart } from './intervals.js'
import type { Tape } from './tape.js'
import type { Ticker } from './types.js'

const minuteMs = 60_000
const percentScale = 3

/**
 * The ticker of the last so many whole minutes and the one that is open. `candles` say what traded in each minute, so the span begins
 * at a minute.
 */
export function tickerOf(
  symbol: string,
  grids: MarketGrids,
  { candles, tape }: { candles: Candles; tape: Tape },
  spanMinutes: number,
  nowMs: number,
): Ticker {
  const startMs = candleStart('1m', nowMs) - (spanMinutes - 1) * minuteMs
  const minutes = candles.list('1m', startMs, Number.MAX_SAFE_INTEGER)
  const whole = minutes.length === 0 ? undefined : sum(minutes)
  const last = tape.trades.last
  const lastPrice = candles.last('1m')?.close
  const before = candles.before('1m', startMs)
  const text = (ticks: number | undefined) =>
    ticks === undefined ? undefined : priceText(ticks, grids.price)
  const open = whole?.open
  const change = whole === undefined ? 0 : whole.close - whole.open
  return {
    symbol,
    startMs,
    endMs: nowMs,
    open: text(open),
    high: text(whole?.high),
    low: text(whole?.low),
    last: text(lastPrice),
    lastQuantity: last?.quantity,
    change: decimalText(BigInt(change) * BigInt(grids.price.mantissa), grids.price.scale),
    changePercent:
      open === undefined
        ? decimalText(0n, percentScale)
        : decimalText((BigInt(change) * 100_000n) / BigInt(open), percentScale),
    weightedAverage: averageOf(whole, grids),
    previousClose: text(before?.close),
    volume: volumeText(whole?.volume ?? 0n, grids.quantity),
    amount: amountText(whole?.amount ?? 0n, grids),
    trades: whole?.trades ?? 0,
    firstTradeId: whole?.firstTradeId,
    lastTradeId: whole && whole.firstTradeId + whole.trades - 1,
  }
}

function sum(minutes: readonly Candle[]): Candle {
  const whole = { ...minutes[0]! }
  for (let i = 1; i < minutes.length; i++) mergeCandle(whole, minutes[i]!)
  return whole
}

function averageOf(whole: Candle | undefined, { price }: MarketGrids): string {
  if (!whole || whole.volume === 0n) return decimalText(0n, price.scale)
  return decimalText((whole.amount * BigInt(price.mantissa)) / whole.volume, price.scale)
}
