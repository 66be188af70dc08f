import { isConditional, timeInForceCodes } from '../../matching/index.js'
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
  readonly clientOrderId: string | undefined
  /** What few orders have; 0 for an order without it. */
  readonly trailingOffset: number
  readonly trailingBasisPoints: number
  /** A code of `pegCodes`; the price is then the limit. */
  readonly peg: number
  readonly pegOffset: number
  readonly selfTradeGroup: number
  readonly minQuantity: number
  readonly quoteQuantity: number
}

/** An order's list, and whether it waits until the working order of that is filled. */
export interface ListPlace {
  readonly listId: number
  readonly isPending: boolean
}

/**
 * What one transaction knows of an order: all of it when it was accepted in this transaction, otherwise only what changed.
 * Used again for other orders, because making one for each cost a third of the fold.
 */
class TouchedOrder {
  instrumentId = 0
  orderId = 0
  /** Where it was accepted; 0 for an order that was open before. What follows up to `clientOrderId` is then not known. */
  acceptedLsn = 0
  acceptedUs = 0
  account = 0
  side = 0
  orderType = 0
  timeInForce = 0
  postOnly = 0
  stopPrice = 0
  displayQuantity = 0
  expireTime = 0
  quantity = 0
  prevention = 0
  clientOrderId: string | null = null
  /** In this transaction. */
  filled = 0
  trades = 0
  remaining = 0
  /** 0: as before. */
  price = 0
  /** 1: triggered, or let in to the closing call; 2: no longer pending; what was last. */
  triggered = 0
  isPending = false
  updatedLsn = 0
  updatedUs = 0
  listId = 0
  trailingOffset = 0
  trailingBasisPoints = 0
  peg = 0
  pegOffset = 0
  limitPrice = 0
  selfTradeGroup = 0
  minQuantity = 0
  quoteQuantity = 0
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

  /** Those that can be used again. */
  readonly #free: TouchedOrder[] = []

  constructor(rows: PoolRows) {
    this.#rows = rows
  }

  accept(order: NewOrder, { instrumentId, lsn, timeUs }: RecordPlace, list: ListPlace | undefined): void {
    const touched = this.#take(instrumentId, order.orderId, lsn, timeUs)
    touched.acceptedLsn = lsn
    touched.acceptedUs = timeUs
    touched.isPending = list?.isPending ?? false
    touched.listId = list?.listId ?? 0
    touched.trailingOffset = order.trailingOffset
    touched.trailingBasisPoints = order.trailingBasisPoints
    touched.peg = order.peg
    touched.pegOffset = order.pegOffset
    touched.limitPrice = order.peg === 0 ? 0 : order.price
    touched.selfTradeGroup = order.selfTradeGroup
    touched.minQuantity = order.minQuantity
    touched.quoteQuantity = order.quoteQuantity
    touched.account = order.account
    touched.side = order.sell
    touched.orderType = order.orderType
    touched.timeInForce = order.timeInForce
    touched.postOnly = order.postOnly ? 1 : 0
    touched.stopPrice = order.stopPrice
    touched.displayQuantity = order.displayQuantity
    touched.expireTime = order.expireTime
    touched.quantity = order.quantity
    touched.prevention = order.prevention
    touched.clientOrderId = order.clientOrderId ?? null
    touched.remaining = order.quantity
    touched.price = order.price
    this.#ofInstrument(instrumentId).set(order.orderId, touched)
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
    order.triggered = 1
    order.remaining = remaining
  }

  enter(orderId: number, remaining: number, place: RecordPlace): void {
    const order = this.#touch(orderId, place)
    order.triggered = 2
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
        if (order.acceptedLsn > 0) writeOrder(this.#rows.open, order, 0)
        else writeChange(this.#rows.changes, order, false, 0)
        this.#free.push(order)
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
    const order = this.#take(instrumentId, orderId, lsn, timeUs)
    orders.set(orderId, order)
    return order
  }

  /** One that is used again, or a new one, as of an order that was open before. */
  #take(instrumentId: number, orderId: number, lsn: number, timeUs: number): TouchedOrder {
    const order = this.#free.pop() ?? new TouchedOrder()
    order.instrumentId = instrumentId
    order.orderId = orderId
    order.acceptedLsn = 0
    order.filled = 0
    order.trades = 0
    order.remaining = 0
    order.price = 0
    order.triggered = 0
    order.isPending = false
    order.updatedLsn = lsn
    order.updatedUs = timeUs
    return order
  }

  #close(order: TouchedOrder, reason: number): void {
    this.#ofInstrument(order.instrumentId).delete(order.orderId)
    if (order.acceptedLsn > 0) writeOrder(this.#rows.closed, order, reason)
    else writeChange(this.#rows.changes, order, true, reason)
    this.#free.push(order)
  }
}

function writeOrder(rows: OrderRows, order: TouchedOrder, reason: number): void {
  const row = rows.add()
  const { columns } = rows
  // An order that waits for a price may also be triggered by the command that brings it.
  const isLater = isConditional(order.orderType) || order.timeInForce === timeInForceCodes['at-close']
  const waiting = order.triggered !== 1 && isLater
  const pending = order.isPending && order.triggered === 0
  columns.instrument_id.set(row, order.instrumentId)
  columns.order_id.set(row, order.orderId)
  columns.order_lsn.set(row, order.acceptedLsn)
  columns.account.set(row, order.account)
  columns.side.set(row, order.side)
  columns.order_type.set(row, order.orderType)
  columns.time_in_force.set(row, order.timeInForce)
  columns.post_only.set(row, order.postOnly)
  columns.self_trade_prevention.set(row, order.prevention)
  columns.waiting.set(row, pending ? 2 : waiting ? 1 : 0)
  columns.reason.set(row, reason)
  columns.price_ticks.set(row, order.price)
  columns.stop_price_ticks.set(row, order.stopPrice)
  columns.display_lots.set(row, order.displayQuantity)
  columns.expire_time_ms.set(row, order.expireTime)
  columns.quantity_lots.set(row, order.quantity)
  columns.filled_lots.set(row, order.filled)
  columns.remaining_lots.set(row, order.remaining)
  columns.trades.set(row, order.trades)
  columns.accepted_time.set(row, order.acceptedUs)
  columns.updated_time.set(row, order.updatedUs)
  columns.updated_lsn.set(row, order.updatedLsn)
  columns.client_order_id.set(row, order.clientOrderId)
  columns.list_id.set(row, order.listId)
  columns.trailing_offset_ticks.set(row, order.trailingOffset)
  columns.trailing_basis_points.set(row, order.trailingBasisPoints)
  columns.peg.set(row, order.peg)
  columns.peg_offset_ticks.set(row, order.pegOffset)
  columns.limit_price_ticks.set(row, order.limitPrice)
  columns.self_trade_group.set(row, order.selfTradeGroup)
  columns.min_lots.set(row, order.minQuantity)
  columns.quote_units.set(row, order.quoteQuantity)
}

function writeChange(rows: OrderChangeRows, order: TouchedOrder, closed: boolean, reason: number): void {
  const row = rows.add()
  const { columns } = rows
  columns.instrument_id.set(row, order.instrumentId)
  columns.order_id.set(row, order.orderId)
  columns.closed.set(row, closed ? 1 : 0)
  columns.reason.set(row, reason)
  columns.triggered.set(row, order.triggered)
  columns.price_ticks.set(row, order.price)
  columns.filled_lots.set(row, order.filled)
  columns.trades.set(row, order.trades)
  columns.remaining_lots.set(row, order.remaining)
  columns.updated_time.set(row, order.updatedUs)
  columns.updated_lsn.set(row, order.updatedLsn)
}
