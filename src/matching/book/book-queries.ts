import type { OrderState } from './order-state.js'
import { FLAG_CLIENT_ID } from './order-store.js'
import { packedOrderNumbers, packOrder, unpackOrder } from './packed-order.js'
import { isMarketQueue } from './queue-price.js'
import type { ShardBooks } from './shard-books.js'

/** One price: ticks, visible lots, number of orders. */
export interface DepthLevel {
  /** Ticks. */
  readonly price: number
  /** Lots, visible ones only. */
  readonly quantity: number
  /** How many orders stand there. */
  readonly orders: number
}

/** Open lots (hidden ones included), orders and levels of one side. */
export interface SideTotals {
  /** Lots of all orders, hidden ones included. */
  readonly quantity: number
  /** How many orders rest. */
  readonly orders: number
  /** How many prices they have. */
  readonly levels: number
}

export function depthOf(shard: ShardBooks, bookSide: number, count: number): DepthLevel[] {
  const { levels } = shard
  const found: DepthLevel[] = []
  for (let level = levels.best(bookSide); level !== 0 && found.length < count; level = levels.worse(level)) {
    const price = levels.price(level)
    if (!isMarketQueue(price))
      found.push({ price, quantity: levels.shown(level), orders: levels.count(level) })
  }
  return found
}

export function totalsOf(shard: ShardBooks, bookSide: number): SideTotals {
  const { levels } = shard
  let quantity = 0n
  let orders = 0
  let count = 0
  for (let level = levels.best(bookSide); level !== 0; level = levels.worse(level)) {
    quantity += BigInt(levels.shown(level)) + BigInt(levels.hidden(level))
    orders += levels.count(level)
    count++
  }
  return { quantity: Number(quantity), orders, levels: count }
}

/** Live orders of a book, waiting stops included. */
export function countOrders(shard: ShardBooks, book: number): number {
  const { levels } = shard
  let orders = 0
  for (let bookSide = book * 4; bookSide < book * 4 + 4; bookSide++) {
    for (let level = levels.best(bookSide); level !== 0; level = levels.worse(level))
      orders += levels.count(level)
  }
  return orders
}

export function orderState(shard: ShardBooks, order: number): OrderState {
  const numbers = new Float64Array(packedOrderNumbers)
  packOrder(shard, order, numbers, 0)
  const isNamed = (shard.orders.flags(order) & FLAG_CLIENT_ID) !== 0
  return unpackOrder(numbers, 0, isNamed ? shard.clients.idOf(order) : undefined)
}
