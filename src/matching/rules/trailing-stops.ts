import { overflows } from '../book/level-total.js'
import { cancelQueued } from '../book/order-events.js'
import { FLAG_TRACKING } from '../book/order-store.js'
import type { ShardBooks } from '../book/shard-books.js'
import { trailedPrice } from '../book/trailing-stops.js'
import { waitingSide } from '../book/waiting-orders.js'
import { cancelReasons } from '../codec/names.js'

const LEVEL_TOTAL = cancelReasons['level-total']

/**
 * Moves the references that the last price has passed, first those of buy orders, then those of sell orders, each from the order on
 * that has tracked longest. Where none is passed, this looks at one order of each side.
 */
export function moveTrails(shard: ShardBooks, book: number, last: number): void {
  moveSide(shard, book, 0, last)
  moveSide(shard, book, 1, last)
}

function moveSide(shard: ShardBooks, book: number, sell: number, last: number): void {
  const { trails } = shard
  let slot = trails.youngest(book, sell)
  if (slot === 0 || !isPassed(trails.reference(slot), last, sell)) return
  for (
    let older = trails.older(slot);
    older !== 0 && isPassed(trails.reference(older), last, sell);
    older = trails.older(older)
  ) {
    slot = older
  }
  while (slot !== 0) {
    const younger = trails.younger(slot)
    follow(shard, book, trails.order(slot), slot, sell, last)
    slot = younger
  }
}

/** Whether a last price is better for the order than its reference: higher to sell, lower to buy. */
function isPassed(reference: number, last: number, sell: number): boolean {
  return sell === 0 ? last < reference : last > reference
}

/** Takes a new reference, and the order to the back at the stop price that follows from it, unless that is the one it has. */
function follow(
  shard: ShardBooks,
  book: number,
  order: number,
  slot: number,
  sell: number,
  reference: number,
): void {
  const { orders, trails } = shard
  const stopPrice = trailedPrice(reference, trails.distance(slot), trails.isInBasisPoints(slot), sell)
  if (stopPrice === orders.stopPrice(order)) {
    if (order >= orders.copyFrom) orders.keep(order)
    trails.setReference(slot, reference)
    return
  }
  const bookSide = book * 4 + waitingSide(orders.flags(order))
  const open = orders.open(order)
  if (overflows(shard, bookSide, stopPrice, open)) {
    cancelQueued(shard, order, LEVEL_TOTAL)
    return
  }
  shard.dequeue(order)
  trails.setReference(slot, reference)
  orders.setStopPrice(order, stopPrice)
  shard.enqueue(order, bookSide, stopPrice, open, open)
}

/** Lets an order whose activation price is reached track the last price from now on. Its stop price is away from that by a tick or more. */
export function beginTrail(shard: ShardBooks, book: number, order: number, last: number): void {
  const { orders, trails } = shard
  const flags = orders.flags(order) | FLAG_TRACKING
  const sell = flags & 1
  const slot = trails.slotOf(order)
  const stopPrice = trailedPrice(last, trails.distance(slot), trails.isInBasisPoints(slot), sell)
  const bookSide = book * 4 + waitingSide(flags)
  const open = orders.open(order)
  if (overflows(shard, bookSide, stopPrice, open)) {
    cancelQueued(shard, order, LEVEL_TOTAL)
    return
  }
  shard.dequeue(order)
  trails.begin(order, book, sell, last)
  orders.setFlags(order, flags)
  orders.setStopPrice(order, stopPrice)
  shard.enqueue(order, bookSide, stopPrice, open, open)
}
