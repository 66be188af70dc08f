import type { OrderChangeRows, OrderRows, PoolRows, RecordPlace } from './pool-rows.js'

/** What an order was accepted with: `accepted`, with the new order of its command. Prices in ticks, quantities in lots. */
export interface NewOrder {
  readonly orderId: number
  readonly account: number
  readonly sell: number
  readonly orderType: number
  readonly timeInForce: number
  readonly postOnly: boolean
  /** 0: as the instrument says. */
  readonly prevention: number
  /** 0: none. */
  readonly price: number
  readonly stopPrice: number
  readonly displayQuantity: number
  readonly expireTime: number
  readonly quantity: number
}

/** What one transaction knows of an order: all of it when it was accepted in this transaction, otherwise only what changed. */
interface TouchedOrder {
  /** Undefined for an order that was open before. */
  readonly accepted: NewOrder | undefined
  readonly acceptedLsn: number
  readonly acceptedUs: number
  readonly instrumentId: number
  readonly orderId: number
  /** In this transaction. */
  filled: number
  trades: number
  remaining: number
  /** 0: as before. */
  price: number
  triggered: boolean
  updatedLsn: number
  updatedUs: number
}

/**
 * The orders that one transaction touches. Orders that were open before it are not looked up: what became of them is
 * written as changes, which the database applies. So the memory that it takes grows with the transaction, and not with
 * the number of orders that are open.
 */
export class OrderTable {
  #rows: PoolRows
  /** By instrument and id, those that were not closed since. */
  readonly #touched = new Map<number, Map<number, TouchedOrder>>()

  constructor(rows: PoolRows) {
    this.#rows = rows
  }

  accept(order: NewOrder, { instrumentId, lsn, timeUs }: RecordPlace): void {
    const { orderId, quantity, price } = order
    this.#ofInstrument(instrumentId).set(orderId, {
      // The caller reads the next order into the same object.
      accepted: { ...order },
      acceptedLsn: lsn,
      acceptedUs: timeUs,
      instrumentId,
      orderId,
      filled: 0,
      trades: 0,
      remaining: quantity,
      price,
      triggered: false,
      updatedLsn: lsn,
      updatedUs: timeUs,
    })
  }

  trade(orderId: number, quantity: number, remaining: number, place: RecordPlace): void {
    const order = this.#touch(orderId, place)
    order.filled += quantity
    order.trades++
    order.remaining = remaining
    if (remaining === 0) this.#close(order, 0)
  }

  replace(orderId: number, price: number, quantity: number, place: RecordPlace): void {
    const order = this.#touch(orderId, place)
    order.price = price
    order.remaining = quantity
  }

  trigger(orderId: number, remaining: number, place: RecordPlace): void {
    const order = this.#touch(orderId, place)
    order.triggered = true
    order.remaining = remaining
  }

  cancel(orderId: number, reason: number, place: RecordPlace): void {
    const order = this.#touch(orderId, place)
    order.remaining = 0
    this.#close(order, reason)
  }

  /** Writes the rows of the orders that are still open, and begins the next transaction, with rows of its own. */
  finish(next: PoolRows): void {
    for (const orders of this.#touched.values()) {
      for (const order of orders.values()) {
        if (order.accepted) writeOrder(this.#rows.open, order, order.accepted, 0)
        else writeChange(this.#rows.changes, order, false, 0)
      }
      orders.clear()
    }
    this.#rows = next
  }

  #ofInstrument(instrumentId: number): Map<number, TouchedOrder> {
    let orders = this.#touched.get(instrumentId)
    if (!orders) {
      orders = new Map()
      this.#touched.set(instrumentId, orders)
    }
    return orders
  }

  #touch(orderId: number, { instrumentId, lsn, timeUs }: RecordPlace): TouchedOrder {
    const orders = this.#ofInstrument(instrumentId)
    const known = orders.get(orderId)
    if (known) {
      known.updatedLsn = lsn
      known.updatedUs = timeUs
      return known
    }
    const order: TouchedOrder = {
      accepted: undefined,
      acceptedLsn: 0,
      acceptedUs: 0,
      instrumentId,
      orderId,
      filled: 0,
      trades: 0,
      remaining: 0,
      price: 0,
      triggered: false,
      updatedLsn: lsn,
      updatedUs: timeUs,
    }
    orders.set(orderId, order)
    return order
  }

  #close(order: TouchedOrder, reason: number): void {
    this.#ofInstrument(order.instrumentId).delete(order.orderId)
    if (order.accepted) writeOrder(this.#rows.closed, order, order.accepted, reason)
    else writeChange(this.#rows.changes, order, true, reason)
  }
}

/** A stop that waits; a stop order may also be triggered by the command that brings it. */
const stopTypes: ReadonlySet<number> = new Set([2, 3])

function writeOrder(rows: OrderRows, order: TouchedOrder, accepted: NewOrder, reason: number): void {
  const row = rows.add()
  const { columns } = rows
  const waiting = stopTypes.has(accepted.orderType) && !order.triggered
  columns.instrument_id.set(row, order.instrumentId)
  columns.order_id.set(row, order.orderId)
  columns.order_lsn.set(row, order.acceptedLsn)
  columns.account.set(row, accepted.account)
  columns.side.set(row, accepted.sell)
  columns.order_type.set(row, accepted.orderType)
  columns.time_in_force.set(row, accepted.timeInForce)
  columns.post_only.set(row, accepted.postOnly ? 1 : 0)
  columns.self_trade_prevention.set(row, accepted.prevention)
  columns.waiting.set(row, waiting ? 1 : 0)
  columns.reason.set(row, reason)
  columns.price_ticks.set(row, order.price)
  columns.stop_price_ticks.set(row, accepted.stopPrice)
  columns.display_lots.set(row, accepted.displayQuantity)
  columns.expire_time_ms.set(row, accepted.expireTime)
  columns.quantity_lots.set(row, accepted.quantity)
  columns.filled_lots.set(row, order.filled)
  columns.remaining_lots.set(row, order.remaining)
  columns.trades.set(row, order.trades)
  columns.accepted_time.set(row, order.acceptedUs)
  columns.updated_time.set(row, order.updatedUs)
  columns.updated_lsn.set(row, order.updatedLsn)
}

function writeChange(rows: OrderChangeRows, order: TouchedOrder, closed: boolean, reason: number): void {
  const row = rows.add()
  const { columns } = rows
  columns.instrument_id.set(row, order.instrumentId)
  columns.order_id.set(row, order.orderId)
  columns.closed.set(row, closed ? 1 : 0)
  columns.reason.set(row, reason)
  columns.triggered.set(row, order.triggered ? 1 : 0)
  columns.price_ticks.set(row, order.price)
  columns.filled_lots.set(row, order.filled)
  columns.trades.set(row, order.trades)
  columns.remaining_lots.set(row, order.remaining)
  columns.updated_time.set(row, order.updatedUs)
  columns.updated_lsn.set(row, order.updatedLsn)
}
