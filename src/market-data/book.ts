import type { AcceptedEvent, CancelledEvent, PoolEvent, ReplacedEvent, TradeEvent } from '../pool/index.js'
import { eventGap } from './errors.js'
import { type MarketGrids, stepsOf } from './grids.js'
import { BookOrder, type PriceLevel, PriceSide } from './price-side.js'

/**
 * The order book of one symbol, from its events alone. Events say what became of orders and never that one rests: the order
 * that a record brings, replaces or triggers is kept aside while it trades, and rests with what is left when the next stop is
 * triggered or the record ends.
 */
export class Book {
  readonly symbol: string
  readonly #grids: MarketGrids
  readonly #alwaysLoses: boolean
  readonly bids = new PriceSide(0)
  readonly asks = new PriceSide(1)
  readonly orders = new Map<number, BookOrder>()
  /** The levels that the record being read concerns. */
  readonly touched: PriceLevel[] = []
  readonly #touchedSells: number[] = []
  /** The order that trades, in no queue. */
  #aggressor: BookOrder | undefined
  /** Of buyers and sellers, the iceberg that an uncross has traded all of that it showed, and not all that it has. */
  readonly #begun: [BookOrder | undefined, BookOrder | undefined] = [undefined, undefined]

  constructor(symbol: string, grids: MarketGrids, alwaysLoses: boolean) {
    this.symbol = symbol
    this.#grids = grids
    this.#alwaysLoses = alwaysLoses
  }

  side(sell: number): PriceSide {
    return sell === 1 ? this.asks : this.bids
  }

  apply(event: PoolEvent): void {
    if (event.event === 'trade' && event.uncross) {
      this.#uncrossTrade(event)
      return
    }
    this.#endUncross()
    switch (event.event) {
      case 'accepted':
        this.#accept(event)
        return
      case 'trade':
        this.#trade(event)
        return
      case 'cancelled':
        this.#cancel(event)
        return
      case 'replaced':
        this.#replace(event)
        return
      case 'triggered': {
        this.#rest()
        this.#aggressor = this.#order(event.orderId, event.lsn)
        return
      }
      // One that waits for a price does so from now on.
      case 'entered': {
        const order = this.#order(event.orderId, event.lsn)
        if (order.conditional) return
        this.#rest()
        this.#aggressor = order
      }
    }
  }

  /** The record is over: what is left of its order rests. */
  endRecord(): void {
    this.#endUncross()
    this.#rest()
  }

  /**
   * Calls `changed` for each level that the record left otherwise than it was, and forgets those that are empty. Returns how
   * many there were.
   */
  settle(changed: (level: PriceLevel, sell: number) => void): number {
    let count = 0
    for (const [i, level] of this.touched.entries()) {
      const sell = this.#touchedSells[i]!
      level.touched = false
      if (level.orders === 0) this.side(sell).remove(level)
      if (level.quantity === level.quantityBefore && level.orders === level.ordersBefore) continue
      changed(level, sell)
      count++
    }
    this.touched.length = 0
    this.#touchedSells.length = 0
    return count
  }

  /** Puts an order back that a snapshot holds: at the end of its queue, if it is in one. */
  restore(order: BookOrder, isQueued: boolean): void {
    this.orders.set(order.orderId, order)
    if (isQueued) this.side(order.sell).obtain(order.price).append(order)
  }

  #accept(event: AcceptedEvent): void {
    const { price, quantity } = this.#grids
    const { displayQuantity } = event
    const { orderType, timeInForce } = event
    const conditional = (orderType !== 'limit' && orderType !== 'market') || timeInForce === 'at-close'
    const order = new BookOrder(
      event.orderId,
      event.account,
      event.side === 'sell' ? 1 : 0,
      event.price === undefined ? 0 : stepsOf(event.price, price),
      stepsOf(event.quantity, quantity),
      displayQuantity === undefined ? 0 : stepsOf(displayQuantity, quantity),
      conditional,
    )
    this.orders.set(order.orderId, order)
    if (!conditional && !event.pending) this.#aggressor = order
  }

  #trade(event: TradeEvent): void {
    const { quantity } = this.#grids
    const maker = this.#order(event.makerOrderId, event.lsn)
    const traded = stepsOf(event.quantity, quantity)
    this.#fill(maker, traded, stepsOf(event.makerRemaining, quantity))
    const taker = this.#aggressor
    if (taker?.orderId !== event.takerOrderId)
      throw eventGap(`Order ${event.takerOrderId} trades and is not known`, place(this.symbol, event))
    taker.open = stepsOf(event.takerRemaining, quantity)
    if (taker.open === 0) this.#drop(taker)
  }

  /** A fill of a resting order; an iceberg whose shown part is gone shows its next part at the back of its level. */
  #fill(maker: BookOrder, traded: number, open: number): void {
    const { level } = maker
    if (!level) throw eventGap(`Order ${maker.orderId} trades and does not rest`, { orderId: maker.orderId })
    if (open === 0) {
      maker.open = 0
      this.#drop(maker)
      return
    }
    const shown = maker.shown - traded
    if (shown > 0) {
      this.#resize(maker, open, shown)
      return
    }
    this.#dequeue(maker)
    maker.open = open
    this.#enqueue(maker)
  }

  /** A trade at the one price of a call: both orders were in the book, or in its queues of market orders. */
  #uncrossTrade(event: TradeEvent): void {
    const { quantity } = this.#grids
    const traded = stepsOf(event.quantity, quantity)
    const buyer = this.#order(event.makerOrderId, event.lsn)
    const seller = this.#order(event.takerOrderId, event.lsn)
    this.#uncrossFill(buyer, traded, stepsOf(event.makerRemaining, quantity))
    this.#uncrossFill(seller, traded, stepsOf(event.takerRemaining, quantity))
  }

  #uncrossFill(order: BookOrder, traded: number, open: number): void {
    const side = order.sell === 1 ? 1 : 0
    if (open === 0) {
      this.#begun[side] = undefined
      order.open = 0
      this.#drop(order)
    } else if (!order.level) order.open = open
    else if (order.shown > traded) this.#resize(order, open, order.shown - traded)
    else {
      this.#resize(order, open, Math.min(order.display, open))
      this.#begun[side] = order
    }
  }

  /** The uncross is over: what shows its next part goes to the back. */
  #endUncross(): void {
    for (const side of [0, 1] as const) {
      const order = this.#begun[side]
      if (!order) continue
      this.#begun[side] = undefined
      const level = order.level!
      level.remove(order)
      level.append(order)
    }
  }

  #cancel(event: CancelledEvent): void {
    this.#drop(this.#order(event.orderId, event.lsn))
  }

  #replace(event: ReplacedEvent): void {
    const order = this.#order(event.orderId, event.lsn)
    const open = stepsOf(event.quantity, this.#grids.quantity)
    if (event.reason === 'pegged') {
      if (order !== this.#aggressor) this.#rest()
      this.#dequeue(order)
      order.price = stepsOf(event.price!, this.#grids.price)
      order.open = open
      this.#aggressor = order
      return
    }
    if (order === this.#aggressor) {
      order.open = open
      return
    }
    const price = event.price === undefined ? 0 : stepsOf(event.price, this.#grids.price)
    if (!order.level) {
      order.price = price
      order.open = open
      return
    }
    const keepsPlace =
      event.reason !== 'requested' || (price === order.price && open <= order.open && !this.#alwaysLoses)
    if (keepsPlace) {
      this.#resize(order, open, Math.min(order.shown, open))
      return
    }
    this.#dequeue(order)
    order.price = price
    order.open = open
    this.#aggressor = order
  }

  /** A market order rests in a call only: in a queue before all prices, which the depth does not show. */
  #rest(): void {
    const order = this.#aggressor
    this.#aggressor = undefined
    if (order && order.price > 0) this.#enqueue(order)
  }

  #enqueue(order: BookOrder): void {
    order.shown = order.display === 0 ? order.open : Math.min(order.display, order.open)
    const level = this.side(order.sell).obtain(order.price)
    this.#touch(level, order.sell)
    level.append(order)
  }

  #dequeue(order: BookOrder): void {
    const { level } = order
    if (!level) return
    this.#touch(level, order.sell)
    level.remove(order)
  }

  #resize(order: BookOrder, open: number, shown: number): void {
    const level = order.level!
    this.#touch(level, order.sell)
    level.quantity += shown - order.shown
    order.open = open
    order.shown = shown
  }

  #drop(order: BookOrder): void {
    this.#dequeue(order)
    this.orders.delete(order.orderId)
    if (order === this.#aggressor) this.#aggressor = undefined
  }

  #touch(level: PriceLevel, sell: number): void {
    if (level.touched) return
    level.touched = true
    level.quantityBefore = level.quantity
    level.ordersBefore = level.orders
    this.touched.push(level)
    this.#touchedSells.push(sell)
  }

  #order(orderId: number, lsn: number): BookOrder {
    const order = this.orders.get(orderId)
    if (order) return order
    throw eventGap(`Order ${orderId} of ${this.symbol} is not known`, { symbol: this.symbol, orderId, lsn })
  }
}

function place(symbol: string, { lsn, takerOrderId }: TradeEvent): Record<string, unknown> {
  return { symbol, orderId: takerOrderId, lsn }
}
