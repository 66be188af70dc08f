import type { CandleInterval, CandleValues, MarketUpdate } from '../../market-data/index.js'
import { zeroLike } from '../dialect/amounts.js'
import { levelsJson } from '../dialect/market-json.js'
import type { Venue, VenueSymbol } from '../venue/venue.js'

/** A receiver of a stream: wrapped with its name, or as it is. */
export interface StreamReceiver {
  readonly combined: boolean
  send(text: string): void
}

/** One stream of the dialect: what it publishes goes to all that subscribed to it. */
export abstract class Stream {
  readonly name: string
  readonly receivers = new Set<StreamReceiver>()
  protected readonly venue: Venue

  constructor(name: string, venue: Venue) {
    this.name = name
    this.venue = venue
  }

  /** The symbol that it is about; none where it is about all. */
  abstract readonly symbol: string | undefined

  /** A record changed the market of its symbol. */
  abstract onUpdate(update: MarketUpdate): void

  /** So many tenths of a second have passed. */
  onTick(_tick: number): void {}

  protected publish(payload: object): void {
    const text = JSON.stringify(payload)
    let wrapped: string | undefined
    for (const receiver of this.receivers) {
      if (receiver.combined) receiver.send((wrapped ??= `{"stream":"${this.name}","data":${text}}`))
      else receiver.send(text)
    }
  }
}

export class TradeStream extends Stream {
  readonly symbol: string

  constructor(name: string, venue: Venue, symbol: string) {
    super(name, venue)
    this.symbol = symbol
  }

  onUpdate({ trades }: MarketUpdate): void {
    for (const trade of trades) {
      this.publish({
        e: 'trade',
        E: this.venue.nowMs(),
        s: trade.symbol,
        t: trade.tradeId,
        p: trade.price,
        q: trade.quantity,
        T: Math.floor(trade.timeUs / 1000),
        m: trade.takerSide === 'sell',
        M: true,
      })
    }
  }
}

export class AggregateStream extends Stream {
  readonly symbol: string

  constructor(name: string, venue: Venue, symbol: string) {
    super(name, venue)
    this.symbol = symbol
  }

  onUpdate({ aggregates }: MarketUpdate): void {
    for (const trade of aggregates) {
      this.publish({
        e: 'aggTrade',
        E: this.venue.nowMs(),
        s: trade.symbol,
        a: trade.aggregateId,
        p: trade.price,
        q: trade.quantity,
        f: trade.firstTradeId,
        l: trade.lastTradeId,
        T: Math.floor(trade.timeUs / 1000),
        m: trade.takerSide === 'sell',
        M: true,
      })
    }
  }
}

/** Of one symbol or, without one, of all. */
export class BookTickerStream extends Stream {
  readonly symbol: string | undefined

  constructor(name: string, venue: Venue, symbol: string | undefined) {
    super(name, venue)
    this.symbol = symbol
  }

  onUpdate({ symbol, topChanged }: MarketUpdate): void {
    if (!topChanged) return
    const { market, pool } = this.venue
    const { updateId, bid, ask } = market.bookTicker(symbol)
    const { tickSize, lotSize } = pool.instrument(symbol)!
    this.publish({
      u: updateId,
      s: symbol,
      b: bid?.price ?? zeroLike(tickSize),
      B: bid?.quantity ?? zeroLike(lotSize),
      a: ask?.price ?? zeroLike(tickSize),
      A: ask?.quantity ?? zeroLike(lotSize),
    })
  }
}

/** Changes of the depth, put together for 100 ms or a second: `U` follows the `u` of the event before. */
export class DepthStream extends Stream {
  readonly symbol: string
  readonly #period: number
  #firstId = 0
  #lastId = 0
  #bids = new Map<string, string>()
  #asks = new Map<string, string>()

  constructor(name: string, venue: Venue, symbol: string, period: number) {
    super(name, venue)
    this.symbol = symbol
    this.#period = period
  }

  onUpdate({ delta }: MarketUpdate): void {
    if (!delta) return
    if (this.#firstId === 0) this.#firstId = delta.updateId
    this.#lastId = delta.updateId
    for (const level of delta.bids) this.#bids.set(level.price, level.quantity)
    for (const level of delta.asks) this.#asks.set(level.price, level.quantity)
  }

  override onTick(tick: number): void {
    if (this.#firstId === 0 || tick % this.#period !== 0) return
    this.publish({
      e: 'depthUpdate',
      E: this.venue.nowMs(),
      s: this.symbol,
      U: this.#firstId,
      u: this.#lastId,
      b: [...this.#bids],
      a: [...this.#asks],
    })
    this.#firstId = 0
    this.#bids = new Map()
    this.#asks = new Map()
  }
}

/** The best levels, when they may have changed. */
export class PartialDepthStream extends Stream {
  readonly symbol: string
  readonly #levels: number
  readonly #period: number
  /** The first one is due at once. */
  #isDue = true

  constructor(name: string, venue: Venue, symbol: string, levels: number, period: number) {
    super(name, venue)
    this.symbol = symbol
    this.#levels = levels
    this.#period = period
  }

  onUpdate({ delta }: MarketUpdate): void {
    if (delta) this.#isDue = true
  }

  override onTick(tick: number): void {
    if (!this.#isDue || tick % this.#period !== 0) return
    this.#isDue = false
    const { market } = this.venue
    const { bids, asks } = market.depth(this.symbol, this.#levels)
    this.publish({
      lastUpdateId: market.updateId(this.symbol),
      bids: levelsJson(bids),
      asks: levelsJson(asks),
    })
  }
}

/** The open candle each second or two while it changes, and each one once when it is over. */
export class CandleStream extends Stream {
  readonly symbol: string
  readonly #interval: CandleInterval
  readonly #period: number
  #openMs = 0
  #isDue = true

  constructor(name: string, venue: Venue, symbol: string, interval: CandleInterval) {
    super(name, venue)
    this.symbol = symbol
    this.#interval = interval
    this.#period = interval === '1s' ? 10 : 20
  }

  onUpdate({ trades }: MarketUpdate): void {
    if (trades.length > 0) this.#isDue = true
  }

  override onTick(tick: number): void {
    if (tick % this.#period !== 0) return
    const nowMs = this.venue.nowMs()
    const found = this.venue.market.candles(this.symbol, this.#interval, { toMs: nowMs, limit: 10 })
    for (const candle of found) {
      const isOver = candle.endMs <= nowMs
      if (candle.startMs < this.#openMs || (this.#openMs === 0 && isOver)) continue
      if (isOver) this.#publishCandle(candle, nowMs, true)
      else {
        if (this.#isDue || candle.startMs > this.#openMs) this.#publishCandle(candle, nowMs, false)
        this.#openMs = candle.startMs
      }
    }
    this.#isDue = false
  }

  #publishCandle(candle: CandleValues, nowMs: number, isOver: boolean): void {
    if (isOver) this.#openMs = candle.endMs
    this.publish({
      e: 'kline',
      E: nowMs,
      s: this.symbol,
      k: {
        t: candle.startMs,
        T: candle.endMs - 1,
        s: this.symbol,
        i: this.#interval,
        f: candle.trades === 0 ? -1 : candle.firstTradeId,
        L: candle.trades === 0 ? -1 : candle.lastTradeId,
        o: candle.open,
        c: candle.close,
        h: candle.high,
        l: candle.low,
        v: candle.volume,
        n: candle.trades,
        x: isOver,
        q: candle.amount,
        V: candle.takerBuyVolume,
        Q: candle.takerBuyAmount,
        B: '0',
      },
    })
  }
}

type TickerKind = 'mini' | 'full' | 'window'

export const dayMinutes = 1440

/** A ticker each second while it changes; of one symbol or, without one, of all that changed, in a list. */
export class TickerStream extends Stream {
  readonly symbol: string | undefined
  readonly #kind: TickerKind
  readonly #minutes: number
  readonly #window: string
  readonly #changed = new Set<string>()

  constructor(
    name: string,
    venue: Venue,
    symbol: string | undefined,
    kind: TickerKind,
    window: string,
    minutes: number,
  ) {
    super(name, venue)
    this.symbol = symbol
    this.#kind = kind
    this.#minutes = minutes
    this.#window = window
    for (const known of venue.symbols())
      if (venue.market.has(known.symbol) && (symbol === undefined || symbol === known.symbol))
        this.#changed.add(known.symbol)
  }

  onUpdate({ symbol, trades, topChanged }: MarketUpdate): void {
    if (trades.length > 0 || (topChanged && this.#kind === 'full')) this.#changed.add(symbol)
  }

  override onTick(tick: number): void {
    if (tick % 10 !== 0 || this.#changed.size === 0) return
    const tickers = [...this.#changed].flatMap((name) => {
      const symbol = this.venue.find(name)
      return symbol ? [this.#ticker(symbol)] : []
    })
    this.#changed.clear()
    if (tickers.length > 0) this.publish(this.symbol === undefined ? tickers : tickers[0]!)
  }

  #ticker(symbol: VenueSymbol): object {
    const { market } = this.venue
    const nowMs = this.venue.nowMs()
    const ticker = market.ticker(symbol.symbol, nowMs, this.#minutes)
    const noPrice = zeroLike(symbol.tickSize)
    const noQuantity = zeroLike(symbol.lotSize)
    const prices = {
      o: ticker.open ?? ticker.last ?? noPrice,
      h: ticker.high ?? ticker.last ?? noPrice,
      l: ticker.low ?? ticker.last ?? noPrice,
      v: ticker.volume,
      q: ticker.amount,
    }
    if (this.#kind === 'mini')
      return { e: '24hrMiniTicker', E: nowMs, s: symbol.symbol, c: ticker.last ?? noPrice, ...prices }
    const changes = {
      e: this.#kind === 'full' ? '24hrTicker' : `${this.#window}Ticker`,
      E: nowMs,
      s: symbol.symbol,
      p: ticker.change,
      P: ticker.changePercent,
      w: ticker.weightedAverage,
      c: ticker.last ?? noPrice,
      ...prices,
      O: ticker.startMs,
      C: ticker.endMs,
      F: ticker.firstTradeId ?? -1,
      L: ticker.lastTradeId ?? -1,
      n: ticker.trades,
    }
    if (this.#kind === 'window') return changes
    const { bid, ask } = market.bookTicker(symbol.symbol)
    return {
      ...changes,
      x: ticker.previousClose ?? noPrice,
      Q: ticker.lastQuantity ?? noQuantity,
      b: bid?.price ?? noPrice,
      B: bid?.quantity ?? noQuantity,
      a: ask?.price ?? noPrice,
      A: ask?.quantity ?? noQuantity,
    }
  }
}

export class AveragePriceStream extends Stream {
  readonly symbol: string
  #isDue = true

  constructor(name: string, venue: Venue, symbol: string) {
    super(name, venue)
    this.symbol = symbol
  }

  onUpdate({ trades }: MarketUpdate): void {
    if (trades.length > 0) this.#isDue = true
  }

  override onTick(tick: number): void {
    if (!this.#isDue || tick % 10 !== 0) return
    this.#isDue = false
    const { market } = this.venue
    const nowMs = this.venue.nowMs()
    const ticker = market.ticker(this.symbol, nowMs, 5)
    const last = market.lastTrade(this.symbol)
    this.publish({
      e: 'avgPrice',
      E: nowMs,
      s: this.symbol,
      i: '5m',
      w: ticker.trades === 0 ? (ticker.last ?? ticker.weightedAverage) : ticker.weightedAverage,
      T: last ? Math.floor(last.timeUs / 1000) : 0,
    })
  }
}
