import { type CandleInterval, candleIntervals } from '../../market-data/index.js'
import type { IndicativeAnswer } from '../../pool/index.js'
import { errors } from '../dialect/api-error.js'
import { candleJson, levelsJson, tickerJson, tradeJson } from '../dialect/market-json.js'
import type { VenueSymbol } from '../venue/venue.js'
import type { Desk } from './desk.js'

const levelsShown = 100
const tradesShown = 20
const candlesShown = 120
/** Candles that each update after the first has: the open one, and the one that was open before. */
const candlesChanged = 2
/** How often it looks who reads the log from outside: that reads files. */
const readersMs = 5000
/** The shortest span that a rate is measured over. */
const rateMs = 250

/** What one page is about. */
export interface PageSubject {
  readonly symbol: VenueSymbol | undefined
  readonly interval: CandleInterval
}

type Reader = Awaited<ReturnType<Desk['venue']['pool']['readers']>>[number]

/** Connections that are open, by kind. */
export type Connections = () => { streams: number; api: number; pages: number }

/**
 * What the dashboard shows, as JSON. It is made once for all pages that show the same, however many are open: `refresh` begins the
 * next turn.
 */
export class PageView {
  readonly #desk: Desk
  readonly #connections: Connections
  readonly #indicative = new Map<string, IndicativeAnswer>()
  readonly #made = new Map<string, string>()
  #readers: readonly Reader[] = []
  #readersMs = Number.NEGATIVE_INFINITY
  #last = { commands: 0, trades: 0, flushes: 0, atMs: performance.now() }
  #rates = { commands: 0, trades: 0, flushes: 0 }

  constructor(desk: Desk, connections: Connections) {
    this.#desk = desk
    this.#connections = connections
  }

  /** @throws ApiError -1121 and -1120 for a symbol and an interval that there are not. */
  subject(name: string | undefined, interval: string): PageSubject {
    const known = candleIntervals.find((one) => one === interval)
    if (!known) throw errors.badInterval()
    const symbol = name === undefined ? this.#symbols()[0] : this.#desk.venue.symbol(name)
    return { symbol, interval: known }
  }

  /** Begins a turn: nothing of the last one is sent again. */
  refresh(subjects: Iterable<PageSubject>): void {
    this.#made.clear()
    this.#measureRates()
    this.#lookForReaders()
    const gathering = new Set<string>()
    for (const { symbol } of subjects) {
      const now = symbol && this.#desk.venue.find(symbol.symbol)
      if (now && now.phase !== 'continuous' && now.phase !== 'closed') gathering.add(now.symbol)
    }
    for (const symbol of this.#indicative.keys()) if (!gathering.has(symbol)) this.#indicative.delete(symbol)
    for (const symbol of gathering) this.#ask(symbol)
  }

  /** One update of a page, of which the first has candles of old. */
  update(subject: PageSubject, isFirst: boolean): string {
    const shown = subject.symbol?.symbol ?? ''
    const key = `${shown} ${subject.interval} ${isFirst}`
    const made = this.#made.get(key)
    if (made !== undefined) return made
    const update = JSON.stringify({
      symbols: this.#symbols().map(({ symbol }) => symbol),
      symbol: shown,
      interval: subject.interval,
      market: this.#market(subject, isFirst ? candlesShown : candlesChanged),
      health: this.#health(),
    })
    this.#made.set(key, update)
    return update
  }

  #symbols(): VenueSymbol[] {
    const { venue } = this.#desk
    return venue.symbols().filter(({ symbol }) => venue.market.has(symbol))
  }

  #market({ symbol: subject, interval }: PageSubject, candles: number): object | null {
    const { venue } = this.#desk
    const symbol = subject && venue.find(subject.symbol)
    if (!symbol) return null
    const { market } = venue
    const nowMs = venue.nowMs()
    const { bids, asks } = market.depth(symbol.symbol, levelsShown)
    const indicative = this.#indicative.get(symbol.symbol)
    return {
      phase: symbol.phase,
      baseAsset: symbol.baseAsset,
      quoteAsset: symbol.quoteAsset,
      tickSize: symbol.tickSize,
      lotSize: symbol.lotSize,
      indicative: indicative && {
        price: indicative.price ?? null,
        quantity: indicative.quantity,
        surplus: indicative.surplus,
        surplusSide: indicative.surplusSide ?? null,
      },
      ticker: tickerJson(market.ticker(symbol.symbol, nowMs), market.bookTicker(symbol.symbol), symbol),
      bids: levelsJson(bids),
      asks: levelsJson(asks),
      trades: market.trades(symbol.symbol, tradesShown).map(tradeJson),
      candles: market.candles(symbol.symbol, interval, { toMs: nowMs, limit: candles }).map(candleJson),
    }
  }

  #health(): object {
    const { venue } = this.#desk
    const { acknowledgementLatency, log, shards, checkpoints, archive, replication, ...stats } =
      venue.pool.stats()
    const { p50Ms, p99Ms, p999Ms, maxMs } = acknowledgementLatency
    const { flushLatency } = log
    return {
      commands: stats.commands,
      trades: stats.trades,
      rejected: stats.rejected,
      rates: this.#rates,
      inFlight: stats.inFlight,
      inFlightMax: stats.maxInFlight,
      acknowledgement: { p50Ms, p99Ms, p999Ms, maxMs },
      flush: { p50Ms: flushLatency.p50Ms, p99Ms: flushLatency.p99Ms, p999Ms: flushLatency.p999Ms },
      flushes: log.flushes,
      recordsPerFlush: log.recordsPerFlush,
      durableLsn: venue.pool.durableLsn,
      durableLagBytes: log.durableLagBytes,
      venueLagBytes: venue.lagBytes(),
      ringFill: log.ringFill,
      checkpointLogBytes: checkpoints.logBytes,
      shards: shards.map(({ commands, trades, inFlight, queuedWords }) => ({
        commands,
        trades,
        inFlight,
        queuedBytes: queuedWords * 4,
      })),
      replication: replication && {
        ack: replication.ack,
        epoch: replication.epoch,
        lagBytes: replication.lagBytes,
        lagMs: replication.lagMs,
        stalled: replication.stalled,
        standbys: replication.standbys.map(({ name, lsn }) => ({
          name,
          lagBytes: Math.max(0, venue.pool.durableLsn - lsn),
        })),
      },
      readers: this.#readers.map(({ name, state, live, lagBytes }) => ({ name, state, live, lagBytes })),
      archive: archive && { waitingBytes: archive.waitingBytes, failures: archive.failures },
      requests: this.#desk.requests,
      connections: this.#connections(),
    }
  }

  #measureRates(): void {
    const { commands, trades, log } = this.#desk.venue.pool.stats()
    const atMs = performance.now()
    const { flushes } = log
    const last = this.#last
    if (atMs - last.atMs < rateMs) return
    const rate = (now: number, before: number) => Math.round(((now - before) * 1000) / (atMs - last.atMs))
    this.#rates = {
      commands: rate(commands, last.commands),
      trades: rate(trades, last.trades),
      flushes: rate(flushes, last.flushes),
    }
    this.#last = { commands, trades, flushes, atMs }
  }

  /** Asks what an uncross would give. What comes late is shown late; what fails is not shown. */
  #ask(symbol: string): void {
    this.#desk.venue.pool.indicative(symbol).then(
      (answer) => this.#indicative.set(symbol, answer),
      () => this.#indicative.delete(symbol),
    )
  }

  #lookForReaders(): void {
    const nowMs = performance.now()
    if (nowMs - this.#readersMs < readersMs) return
    this.#readersMs = nowMs
    this.#desk.venue.pool.readers().then(
      (readers) => {
        this.#readers = readers
      },
      () => {
        this.#readers = []
      },
    )
  }
}
