import { priceText, quantityText } from '../matching/index.js'
import type { DepthLevel, PoolEvent } from '../pool/index.js'
import { Book } from './book.js'
import { type Candle, Candles, endOf } from './candles.js'
import { amountText, gridsOf, type MarketGrids, stepsOf, volumeText } from './grids.js'
import { type CandleInterval, nextCandleStart } from './intervals.js'
import { BookOrder, type PriceLevel } from './price-side.js'
import { Ring } from './ring.js'
import { Tape } from './tape.js'
import type {
  CandleValues,
  DepthDelta,
  MarketInstrument,
  MarketUpdate,
  QueuedOrder,
  SavedOrder,
  SymbolSnapshot,
} from './types.js'

/** How much of each kind is kept of a symbol. */
export interface KeptData {
  readonly trades: number
  readonly candles: number
  readonly deltas: number
}

/** The market data of one symbol. */
export class SymbolData {
  readonly symbol: string
  readonly grids: MarketGrids
  readonly book: Book
  readonly tape: Tape
  readonly candles: Candles
  readonly deltas: Ring<DepthDelta>
  updateId = 0
  /** LSN of the last record that changed the visible book. */
  deltaLsn = 0

  constructor(instrument: MarketInstrument, kept: KeptData) {
    this.symbol = instrument.symbol
    this.grids = gridsOf(instrument.tickSize, instrument.lotSize)
    this.book = new Book(this.symbol, this.grids, instrument.replacePriority === 'always-lose')
    this.tape = new Tape(this.symbol, this.grids, kept.trades)
    this.candles = new Candles(kept.candles)
    this.deltas = new Ring(kept.deltas)
  }

  apply(event: PoolEvent): void {
    this.book.apply(event)
    if (event.event !== 'trade') return
    const price = stepsOf(event.price, this.grids.price)
    const quantity = stepsOf(event.quantity, this.grids.quantity)
    this.tape.add(event, price, quantity)
    this.candles.add({
      tradeId: event.tradeId,
      timeMs: Math.floor(event.timeUs / 1000),
      price,
      quantity,
      takerBuys: event.takerSide === 'buy',
    })
  }

  /** The record is over. Returns what it did, `undefined` when nothing of it is market data. */
  endRecord(lsn: number, timeUs: number): MarketUpdate | undefined {
    const { book } = this
    book.endRecord()
    const bids: DepthLevel[] = []
    const asks: DepthLevel[] = []
    let topChanged = false
    const count = book.settle((level, sell) => {
      ;(sell === 1 ? asks : bids).push(this.level(level))
      const best = book.side(sell).best
      if (
        best === undefined ||
        best === level ||
        (sell === 1 ? level.price < best.price : level.price > best.price)
      )
        topChanged = true
    })
    const { trades, aggregates } = this.tape.endRecord()
    if (count === 0 && trades.length === 0) return undefined
    const delta = count === 0 ? undefined : this.#delta(lsn, timeUs, bids, asks)
    return { symbol: this.symbol, lsn, timeUs, delta, trades, aggregates, topChanged }
  }

  level({ price, quantity, orders }: PriceLevel): DepthLevel {
    const { grids } = this
    return {
      price: priceText(price, grids.price),
      quantity: quantityText(quantity, grids.quantity),
      orders,
    }
  }

  /** The best levels of a side, best first. */
  levels(sell: number, count: number): DepthLevel[] {
    const side = this.book.side(sell)
    const found: DepthLevel[] = []
    for (let i = 0; i < count && i < side.size; i++) found.push(this.level(side.at(i)!))
    return found
  }

  /** The orders of a side in their order of priority. */
  queue(sell: number, count: number): QueuedOrder[] {
    const side = this.book.side(sell)
    const found: QueuedOrder[] = []
    for (let i = 0; i < side.size; i++) {
      for (let order = side.at(i)!.first; order; order = order.next) {
        if (found.length === count) return found
        found.push(this.#queued(order))
      }
    }
    return found
  }

  /**
   * Candles without a gap, at most `limit`, from the one that begins at `fromMs` on and not after `toMs`: those without trades have
   * the close of the one before.
   */
  candlesFrom(interval: CandleInterval, fromMs: number, toMs: number, limit: number): CandleValues[] {
    const traded = this.candles.list(interval, fromMs, toMs)
    let price = (this.candles.before(interval, fromMs) ?? traded[0])?.close
    const found: CandleValues[] = []
    let next = 0
    for (
      let startMs = fromMs;
      startMs <= toMs && found.length < limit;
      startMs = nextCandleStart(interval, startMs)
    ) {
      const candle = traded[next]
      if (candle?.startMs === startMs) {
        next++
        price = candle.close
        found.push(this.#candle(interval, candle))
      } else if (price !== undefined) {
        found.push(
          this.#candle(interval, { ...flat, startMs, open: price, high: price, low: price, close: price }),
        )
      }
    }
    return found
  }

  save(): SymbolSnapshot {
    const { book, tape } = this
    const unseen = (sell: number) =>
      [...book.orders.values()].filter((order) => !order.level && order.sell === sell).map(saveOrder)
    return {
      symbol: this.symbol,
      updateId: this.updateId,
      deltaLsn: this.deltaLsn,
      bids: this.#saveSide(0),
      asks: this.#saveSide(1),
      waitingBuys: unseen(0),
      waitingSells: unseen(1),
      trades: tape.trades.slice(0),
      aggregates: tape.aggregates.slice(0),
      aggregateCount: tape.aggregateCount,
      candles: this.candles.save(),
    }
  }

  restore(saved: SymbolSnapshot): void {
    this.updateId = saved.updateId
    this.deltaLsn = saved.deltaLsn
    for (const order of saved.bids) this.book.restore(restoreOrder(order, 0), true)
    for (const order of saved.asks) this.book.restore(restoreOrder(order, 1), true)
    for (const order of saved.waitingBuys) this.book.restore(restoreOrder(order, 0), false)
    for (const order of saved.waitingSells) this.book.restore(restoreOrder(order, 1), false)
    for (const trade of saved.trades) this.tape.trades.push(trade)
    for (const trade of saved.aggregates) this.tape.aggregates.push(trade)
    this.tape.aggregateCount = saved.aggregateCount
    this.candles.restore(saved.candles)
  }

  #delta(lsn: number, timeUs: number, bids: DepthLevel[], asks: DepthLevel[]): DepthDelta {
    const delta = {
      symbol: this.symbol,
      lsn,
      previousLsn: this.deltaLsn,
      updateId: ++this.updateId,
      timeUs,
      bids,
      asks,
    }
    this.deltaLsn = lsn
    this.deltas.push(delta)
    return delta
  }

  #queued(order: BookOrder): QueuedOrder {
    const { price, quantity } = this.grids
    return {
      orderId: order.orderId,
      account: order.account,
      price: priceText(order.price, price),
      shown: quantityText(order.shown, quantity),
      remaining: quantityText(order.open, quantity),
    }
  }

  #candle(interval: CandleInterval, candle: Candle): CandleValues {
    const { price, quantity } = this.grids
    return {
      startMs: candle.startMs,
      endMs: endOf(interval, candle),
      open: priceText(candle.open, price),
      high: priceText(candle.high, price),
      low: priceText(candle.low, price),
      close: priceText(candle.close, price),
      volume: volumeText(candle.volume, quantity),
      amount: amountText(candle.amount, this.grids),
      takerBuyVolume: volumeText(candle.takerBuyVolume, quantity),
      takerBuyAmount: amountText(candle.takerBuyAmount, this.grids),
      trades: candle.trades,
      firstTradeId: candle.trades === 0 ? 0 : candle.firstTradeId,
      lastTradeId: candle.trades === 0 ? 0 : candle.firstTradeId + candle.trades - 1,
    }
  }

  #saveSide(sell: number): SavedOrder[] {
    const side = this.book.side(sell)
    const found: SavedOrder[] = []
    for (let i = side.size - 1; i >= 0; i--) {
      for (let order = side.at(i)!.first; order; order = order.next) found.push(saveOrder(order))
    }
    return found
  }
}

const flat = {
  volume: 0n,
  amount: 0n,
  takerBuyVolume: 0n,
  takerBuyAmount: 0n,
  trades: 0,
  firstTradeId: 0,
}

function saveOrder({ orderId, account, price, open, shown, display, conditional }: BookOrder): SavedOrder {
  return [orderId, account, price, open, shown, display, conditional ? 1 : 0]
}

function restoreOrder(saved: SavedOrder, sell: number): BookOrder {
  const [orderId, account, price, open, shown, display, conditional] = saved
  const order = new BookOrder(orderId, account, sell, price, open, display, conditional === 1)
  order.shown = shown
  return order
}
