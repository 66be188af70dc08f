import { describe, expect, it } from 'vitest'
import { candleStart } from '#tidemark/market-data/index.js'
import {
  type CandleInterval,
  candleIntervals,
  type DepthDelta,
  MarketData,
  type MarketUpdate,
} from '#tidemark/market-data/public.js'
import { fromSteps, parseGrid } from '#tidemark/matching/index.js'
import type { Depth, DepthLevel, PoolEvent, TradeEvent } from '#tidemark/pool/index.js'
import { instruments } from '../matching/support/random-commands.js'
import { RandomMarket } from './random-market.js'

const seeds = 12
const commands = 1200

/** As `toEqual`, which takes a hundred times as long. */
function expectSame(actual: unknown, expected: unknown, where: string): void {
  if (JSON.stringify(actual) !== JSON.stringify(expected)) expect(actual, where).toEqual(expected)
}

function give(data: MarketData, events: readonly PoolEvent[], lsn: number): void {
  for (const event of events) data.apply(event)
  data.endRecord(lsn)
}

/** The engine's own depth, as a pool gives it. */
function expectedDepth({ engine }: RandomMarket, instrumentId: number, levels: number) {
  const { tickSize, lotSize } = instruments.find((instrument) => instrument.instrumentId === instrumentId)!
  const price = parseGrid('tickSize', tickSize)
  const quantity = parseGrid('lotSize', lotSize)
  const { bids, asks } = engine.depth(instrumentId, levels)
  const texts = (side: typeof bids) =>
    side.map((level) => ({
      price: fromSteps(level.price, price),
      quantity: fromSteps(level.quantity, quantity),
      orders: level.orders,
    }))
  return { bids: texts(bids), asks: texts(asks) }
}

function expectedQueue(market: RandomMarket, instrumentId: number, side: 'bids' | 'asks') {
  const { lotSize } = instruments.find((instrument) => instrument.instrumentId === instrumentId)!
  const lots = parseGrid('lotSize', lotSize)
  return market.engine
    .bookState(instrumentId)!
    [side].filter(({ price }) => price > 0)
    .map(({ orderId, account, quantity, shown }) => ({
      orderId,
      account,
      remaining: fromSteps(quantity, lots),
      shown: fromSteps(shown, lots),
    }))
}

/** A book that knows a snapshot and the changes after it. */
class Reader {
  readonly bids = new Map<string, DepthLevel>()
  readonly asks = new Map<string, DepthLevel>()
  lsn: number
  deltas = 0

  constructor(depth: Depth) {
    this.lsn = depth.lsn
    for (const level of depth.bids) this.bids.set(level.price, level)
    for (const level of depth.asks) this.asks.set(level.price, level)
  }

  take(delta: DepthDelta): void {
    if (delta.lsn <= this.lsn) return
    if (delta.previousLsn > this.lsn) expect(delta.previousLsn).toBe(this.lsn)
    this.lsn = delta.lsn
    this.deltas++
    for (const side of ['bids', 'asks'] as const) {
      for (const level of delta[side]) {
        if (level.orders > 0) this[side].set(level.price, level)
        else if (!this[side].delete(level.price)) expect(level.price, 'is not there').toBe('')
      }
    }
  }

  compare({ bids, asks }: Depth): void {
    const sorted = (side: Map<string, DepthLevel>, sign: number) =>
      [...side.values()].sort((a, b) => sign * (Number(a.price) - Number(b.price)))
    expectSame(sorted(this.bids, -1), bids, 'bids')
    expectSame(sorted(this.asks, 1), asks, 'asks')
  }
}

describe('market data of random commands', () => {
  it('has the depth and the queues of the matching engine after every command', () => {
    let compared = 0
    let levels = 0
    for (let seed = 1; seed <= seeds; seed++) {
      const market = new RandomMarket(seed)
      const data = new MarketData(market.instrumentOf)
      for (let i = 0; i < commands; i++) {
        const events = market.next()
        give(data, events, market.lsn)
        const symbol = events[0]?.symbol
        const instrument = instruments.find((one) => one.symbol === symbol)
        if (!instrument) continue
        const { lsn, bids, asks } = data.depth(instrument.symbol, 1000)
        expect(lsn).toBe(market.lsn)
        expectSame(
          { bids, asks },
          expectedDepth(market, instrument.instrumentId, 1000),
          `seed ${seed}, command ${i}`,
        )
        compared++
        levels += bids.length + asks.length
        if (i % 10 !== 0) continue
        for (const [side, name] of [
          ['buy', 'bids'],
          ['sell', 'asks'],
        ] as const) {
          const queue = data.queue(instrument.symbol, side, 1000)
          expect(queue).toMatchObject(expectedQueue(market, instrument.instrumentId, name))
        }
      }
    }
    expect(compared).toBeGreaterThan(seeds * commands * 0.8)
    expect(levels).toBeGreaterThan(compared)
  })

  it('gives changes of the depth without a gap, from a snapshot at any LSN on', () => {
    let deltas = 0
    for (let seed = 1; seed <= seeds / 2; seed++) {
      const market = new RandomMarket(seed)
      const data = new MarketData(market.instrumentOf)
      const readers: Reader[] = []
      let lastId = 0
      data.on('update', ({ symbol, delta }) => {
        if (symbol !== 'KEEP' || !delta) return
        if (delta.updateId !== lastId + 1) expect(delta.updateId).toBe(lastId + 1)
        lastId = delta.updateId
        for (const reader of readers) reader.take(delta)
      })
      for (let i = 0; i < commands; i++) {
        give(data, market.next(), market.lsn)
        if (i % 100 === 50 && data.has('KEEP')) readers.push(new Reader(data.depth('KEEP', 1000)))
        if (i % 50 === 0) for (const reader of readers) reader.compare(data.depth('KEEP', 1000))
      }
      for (const reader of readers) deltas += reader.deltas
      // What is kept continues just as well.
      const middle = readers.at(-4)!
      const late = new MarketData(market.instrumentOf)
      expect(late.symbols()).toEqual([])
      expect(data.deltasAfter('KEEP', middle.lsn)).toEqual([])
      const some = data.deltasAfter('KEEP', 0) ?? []
      const from = data.deltasAfter('KEEP', some[3]?.lsn ?? market.lsn - 2000) ?? []
      expect(from.length).toBeGreaterThan(0)
      for (const [at, delta] of from.entries()) if (at > 0) expect(delta.previousLsn).toBe(from[at - 1]!.lsn)
    }
    expect(deltas).toBeGreaterThan(1000)
  })

  it('continues from a snapshot as if it had never stopped', () => {
    let count = 0
    for (let seed = 1; seed <= 8; seed++) {
      const market = new RandomMarket(seed)
      const data = new MarketData(market.instrumentOf, { keepTrades: 50, keepCandles: 20 })
      for (let i = 0; i < 700; i++) give(data, market.next(), market.lsn)
      const saved = JSON.parse(JSON.stringify(data.snapshot()))
      const restored = MarketData.restore(saved, market.instrumentOf, { keepTrades: 50, keepCandles: 20 })
      const updates: [MarketUpdate[], MarketUpdate[]] = [[], []]
      data.on('update', (update) => updates[0].push(update))
      restored.on('update', (update) => updates[1].push(update))
      for (let i = 0; i < 700; i++) {
        const events = market.next()
        give(data, events, market.lsn)
        give(restored, events, market.lsn)
      }
      count += updates[0].length
      expect(updates[1]).toEqual(updates[0])
      expect(restored.snapshot()).toEqual(data.snapshot())
    }
    expect(count).toBeGreaterThan(300)
  })

  it('says when the best price changed, and only then', () => {
    const market = new RandomMarket(3)
    const data = new MarketData(market.instrumentOf)
    let changes = 0
    let top = ''
    let said = false
    data.on('update', (update) => {
      if (update.symbol === 'LOSE') said = update.topChanged
    })
    for (let i = 0; i < 5000; i++) {
      said = false
      give(data, market.next(), market.lsn)
      if (!data.has('LOSE')) continue
      const { bid, ask } = data.bookTicker('LOSE')
      const now = JSON.stringify([bid, ask])
      if (top !== '' && now !== top) changes++
      if (top !== '') expect(said, `command ${i}`).toBe(now !== top)
      top = now
    }
    expect(changes).toBeGreaterThan(50)
  })

  it('has the trades, candles and tickers that the trades make', () => {
    let candles = 0
    for (let seed = 1; seed <= 4; seed++) {
      const market = new RandomMarket(seed)
      const data = new MarketData(market.instrumentOf, { keepTrades: 100_000, keepCandles: 100_000 })
      const trades: TradeEvent[] = []
      for (let i = 0; i < 3000; i++) {
        const events = market.next()
        give(data, events, market.lsn)
        for (const event of events) if (event.event === 'trade' && event.symbol === 'KEEP') trades.push(event)
      }
      expect(trades.length).toBeGreaterThan(50)
      expect(data.trades('KEEP', 10_000).map(({ tradeId }) => tradeId)).toEqual(
        trades.map(({ tradeId }) => tradeId),
      )
      const aggregates = data.aggregateTrades('KEEP', 10_000)
      expect(aggregates.map(({ aggregateId }) => aggregateId)).toEqual(aggregates.map((_, i) => i + 1))
      expect(aggregates.map(({ firstTradeId }) => firstTradeId)).toEqual([
        1,
        ...aggregates.slice(0, -1).map(({ lastTradeId }) => lastTradeId + 1),
      ])
      expect(sum(aggregates.map(({ quantity }) => quantity))).toBe(
        sum(trades.map(({ quantity }) => quantity)),
      )
      for (const interval of candleIntervals) {
        const found = data.candles('KEEP', interval, { limit: 10_000 })
        const expected = candlesOf(interval, trades).filter(({ startMs }) => startMs >= found[0]!.startMs)
        expect(found.filter((candle) => candle.trades > 0)).toMatchObject(expected)
        for (const [i, candle] of found.entries()) {
          if (i === 0) continue
          const before = found[i - 1]!
          expectSame(candle.startMs, before.endMs, 'candles follow each other')
          if (candle.trades === 0) expectSame(candle.open, before.close, 'no trade, no other price')
        }
        candles += expected.length
      }
      const nowMs = Math.floor(market.timeUs / 1000)
      const startMs = candleStart('1m', nowMs) - 1439 * 60_000
      const day = candlesOf('1m', trades).filter((candle) => candle.startMs >= startMs)
      const ticker = data.ticker('KEEP', nowMs)
      expect(ticker.trades).toBe(sum(day.map((candle) => candle.trades)))
      expect(ticker.open).toBe(day[0]?.open)
      expect(ticker.last).toBe(trades.at(-1)!.price)
      expect(Number(ticker.volume)).toBe(sum(day.map(({ volume }) => volume)))
    }
    expect(candles).toBeGreaterThan(500)
  })
})

function sum(values: readonly (string | number)[]): number {
  return values.reduce((total: number, value) => total + Number(value), 0)
}

/** Candles as a list of trades makes them, one by one; a trade of a clock that was set back counts for the last candle. */
function candlesOf(interval: CandleInterval, trades: readonly TradeEvent[]) {
  const found: {
    startMs: number
    open: string
    high: string
    low: string
    close: string
    volume: string
    trades: number
  }[] = []
  let minuteMs = 0
  let secondMs = 0
  for (const { timeUs, price, quantity } of trades) {
    const timeMs = Math.floor(timeUs / 1000)
    minuteMs = Math.max(minuteMs, candleStart('1m', timeMs))
    secondMs = Math.max(secondMs, candleStart('1s', timeMs))
    const startMs = candleStart(interval, interval === '1s' ? secondMs : minuteMs)
    let candle = found.at(-1)
    if (candle?.startMs !== startMs) {
      candle = { startMs, open: price, high: price, low: price, close: price, volume: '0', trades: 0 }
      found.push(candle)
    }
    if (Number(price) > Number(candle.high)) candle.high = price
    if (Number(price) < Number(candle.low)) candle.low = price
    candle.close = price
    candle.volume = String(Number(candle.volume) + Number(quantity))
    candle.trades++
  }
  return found
}

describe('market data', () => {
  const market = new RandomMarket(1)

  it('refuses events that others must have come before', () => {
    const data = new MarketData(market.instrumentOf)
    const some = new RandomMarket(1)
    const events: PoolEvent[] = []
    while (!events.some(({ event }) => event === 'trade')) events.splice(0, Infinity, ...some.next())
    expect(() => give(data, events.slice(1), some.lsn)).toThrow(
      expect.objectContaining({ code: 'TIDEMARK_MARKET_DATA_GAP' }),
    )
  })

  it('refuses what it does not know, by name', () => {
    const data = new MarketData(market.instrumentOf)
    expect(() => data.depth('NONE')).toThrow(expect.objectContaining({ code: 'TIDEMARK_UNKNOWN_SYMBOL' }))
    expect(() => new MarketData(market.instrumentOf, { keepTrade: 1 } as object)).toThrow(
      expect.objectContaining({ code: 'TIDEMARK_BAD_SETTING' }),
    )
    expect(() => new MarketData(market.instrumentOf, { keepTrades: 0 })).toThrow(/keepTrades/)
    expect(() => MarketData.restore({ version: 2 } as never, market.instrumentOf)).toThrow(
      expect.objectContaining({ code: 'TIDEMARK_MARKET_DATA_SNAPSHOT' }),
    )
  })

  it('takes counts up to 10,000 and no more', () => {
    const data = new MarketData(market.instrumentOf)
    const some = new RandomMarket(2)
    while (!data.has('KEEP')) give(data, some.next(), some.lsn)
    expect(data.depth('KEEP', 10_000).symbol).toBe('KEEP')
    for (const count of [0, 10_001, 1.5, Number.NaN]) {
      expect(() => data.depth('KEEP', count)).toThrow(
        expect.objectContaining({ code: 'TIDEMARK_BAD_ARGUMENT' }),
      )
    }
    expect(data.ticker('KEEP', 0, 1440).symbol).toBe('KEEP')
    expect(() => data.ticker('KEEP', 0, 1441)).toThrow(/1440/)
  })

  it('gives no more candles than it was asked for, however long nothing traded', () => {
    const data = new MarketData(market.instrumentOf)
    const some = new RandomMarket(4)
    while (!data.has('KEEP') || data.trades('KEEP', 1).length === 0) give(data, some.next(), some.lsn)
    const { startMs, close } = data.candles('KEEP', '1s').at(-1)!
    const later = startMs + 10 * 365 * 86_400_000
    for (const range of [
      { toMs: later, limit: 3 },
      { fromMs: startMs + 1, toMs: later, limit: 3 },
    ]) {
      const found = data.candles('KEEP', '1s', range)
      expect(found.map((candle) => candle.open)).toEqual([close, close, close])
    }
    expect(data.candles('KEEP', '1s', { toMs: later, limit: 3 }).at(-1)!.startMs).toBe(later)
    expect(data.candles('KEEP', '1s', { fromMs: startMs + 1, toMs: later })[0]!.startMs).toBe(startMs + 1000)
    expect(data.candles('KEEP', '1M', { toMs: later, limit: 2 })).toHaveLength(2)
  })

  it('keeps no more trades than it was set to', () => {
    const data = new MarketData(market.instrumentOf, { keepTrades: 10 })
    const some = new RandomMarket(4)
    for (let i = 0; i < 1000; i++) give(data, some.next(), some.lsn)
    expect(data.trades('KEEP', 100)).toHaveLength(10)
    const last = data.lastTrade('KEEP')!
    expect(data.trades('KEEP', 3, last.tradeId - 4).map(({ tradeId }) => tradeId)).toEqual([
      last.tradeId - 4,
      last.tradeId - 3,
      last.tradeId - 2,
    ])
  })
})
