import { candleIntervals, type MarketUpdate } from '../../market-data/index.js'
import type { Venue } from '../venue/venue.js'
import {
  AggregateStream,
  AveragePriceStream,
  BookTickerStream,
  CandleStream,
  DepthStream,
  dayMinutes,
  PartialDepthStream,
  type Stream,
  type StreamReceiver,
  TickerStream,
  TradeStream,
} from './streams.js'

const windows: Readonly<Record<string, number>> = { '1h': 60, '4h': 240, '1d': dayMinutes }

/** The streams that are subscribed to. */
export class StreamHub {
  readonly #venue: Venue
  readonly #streams = new Map<string, Stream>()
  readonly #bySymbol = new Map<string | undefined, Set<Stream>>()
  #tick = 0

  constructor(venue: Venue) {
    this.#venue = venue
  }

  get size(): number {
    return this.#streams.size
  }

  /** Whether there is a stream of this name. */
  isStream(name: string): boolean {
    return this.#streams.has(name) || this.#make(name) !== undefined
  }

  /** Returns false when there is no such stream. */
  subscribe(name: string, receiver: StreamReceiver): boolean {
    let stream = this.#streams.get(name)
    if (!stream) {
      stream = this.#make(name)
      if (!stream) return false
      this.#streams.set(name, stream)
      let streams = this.#bySymbol.get(stream.symbol)
      if (!streams) this.#bySymbol.set(stream.symbol, (streams = new Set()))
      streams.add(stream)
    }
    stream.receivers.add(receiver)
    return true
  }

  unsubscribe(name: string, receiver: StreamReceiver): void {
    const stream = this.#streams.get(name)
    if (!stream) return
    stream.receivers.delete(receiver)
    if (stream.receivers.size > 0) return
    this.#streams.delete(name)
    this.#bySymbol.get(stream.symbol)?.delete(stream)
  }

  onUpdate(update: MarketUpdate): void {
    for (const stream of this.#bySymbol.get(update.symbol) ?? []) stream.onUpdate(update)
    for (const stream of this.#bySymbol.get(undefined) ?? []) stream.onUpdate(update)
  }

  /** Called each tenth of a second. */
  tick(): void {
    this.#tick++
    for (const stream of this.#streams.values()) stream.onTick(this.#tick)
  }

  #make(name: string): Stream | undefined {
    const venue = this.#venue
    if (name === '!bookTicker') return new BookTickerStream(name, venue, undefined)
    if (name === '!miniTicker@arr') return new TickerStream(name, venue, undefined, 'mini', '1d', dayMinutes)
    if (name === '!ticker@arr') return new TickerStream(name, venue, undefined, 'full', '1d', dayMinutes)
    const all = /^!ticker_(1h|4h|1d)@arr$/.exec(name)
    if (all) return new TickerStream(name, venue, undefined, 'window', all[1]!, windows[all[1]!]!)
    const [lower, kind, speed, ...rest] = name.split('@')
    if (lower === undefined || kind === undefined || rest.length > 0 || lower !== lower.toLowerCase())
      return undefined
    const symbol = this.#symbol(lower)
    if (symbol === undefined) return undefined
    const depth = /^depth(5|10|20)?$/.exec(kind)
    if (depth) {
      if (speed !== undefined && speed !== '100ms' && speed !== '1000ms') return undefined
      const period = speed === '100ms' ? 1 : 10
      return depth[1] === undefined
        ? new DepthStream(name, venue, symbol, period)
        : new PartialDepthStream(name, venue, symbol, Number(depth[1]), period)
    }
    return speed === undefined ? this.#ofSymbol(name, symbol, kind) : undefined
  }

  #ofSymbol(name: string, symbol: string, kind: string): Stream | undefined {
    const venue = this.#venue
    switch (kind) {
      case 'trade':
        return new TradeStream(name, venue, symbol)
      case 'aggTrade':
        return new AggregateStream(name, venue, symbol)
      case 'bookTicker':
        return new BookTickerStream(name, venue, symbol)
      case 'miniTicker':
        return new TickerStream(name, venue, symbol, 'mini', '1d', dayMinutes)
      case 'ticker':
        return new TickerStream(name, venue, symbol, 'full', '1d', dayMinutes)
      case 'avgPrice':
        return new AveragePriceStream(name, venue, symbol)
    }
    const window = /^ticker_(1h|4h|1d)$/.exec(kind)?.[1]
    if (window !== undefined) return new TickerStream(name, venue, symbol, 'window', window, windows[window]!)
    const interval = candleIntervals.find((one) => kind === `kline_${one}`)
    return interval && new CandleStream(name, venue, symbol, interval)
  }

  #symbol(lower: string): string | undefined {
    return this.#venue.find(lower.toUpperCase())?.symbol
  }
}
