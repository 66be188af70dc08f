import { reportTriggered } from '../book/order-events.js'
import { FLAG_LISTED, FLAG_TRACKING, FLAG_TRAILING, FLAG_WAITING } from '../book/order-store.js'
import { SIDE_WAIT_FALL, SIDE_WAIT_RISE } from '../book/price-levels.js'
import type { ShardBooks } from '../book/shard-books.js'
import { act } from './acting.js'
import { joinCall } from './call-orders.js'
import { cancelPartner, settleLists } from './order-lists.js'
import { beginTrail, moveTrails } from './trailing-stops.js'

/**
 * What follows from what a command has done. Lists of orders whose orders traded or ended have their consequences first. Then the stops
 * are triggered that the last trade price has reached, and those that their own trades reach, until none is left.
 * Triggered ones form one queue: those that waited for a rise by ascending, those that waited for a fall by descending stop price,
 * oldest first at one price; those triggered by a later trade come after them. Every round uses up one and makes none, so
 * this ends.
 */
export function runConsequences(shard: ShardBooks, book: number): void {
  const { due } = shard.lists
  for (;;) {
    if (due.length !== 0) settleLists(shard)
    if (shard.books.stops(book) !== 0 && shard.books.isContinuous(book)) {
      trigger(shard, book)
      if (due.length !== 0) continue
    }
    const order = shard.firstTriggered
    if (order === 0) return
    shard.firstTriggered = shard.orders.next(order)
    if (shard.firstTriggered === 0) shard.lastTriggered = 0
    reportTriggered(shard, order)
    // The trading of a stop before it may have interrupted the trading of all.
    if (shard.books.isContinuous(book)) act(shard, book, order)
    else joinCall(shard, book, order)
  }
}

function trigger(shard: ShardBooks, book: number): void {
  const last = shard.books.lastPrice(book)
  if (last === 0) return
  const { levels } = shard
  if (shard.trails.size !== 0) moveTrails(shard, book, last)
  const rises = book * 4 + SIDE_WAIT_RISE
  for (
    let level = levels.best(rises);
    level !== 0 && levels.price(level) <= last;
    level = levels.best(rises)
  ) {
    reach(shard, book, levels.head(level), last)
  }
  const falls = book * 4 + SIDE_WAIT_FALL
  for (
    let level = levels.best(falls);
    level !== 0 && levels.price(level) >= last;
    level = levels.best(falls)
  ) {
    reach(shard, book, levels.head(level), last)
  }
}

/** The last price is where the order waits for it. */
function reach(shard: ShardBooks, book: number, order: number, last: number): void {
  const flags = shard.orders.flags(order)
  if ((flags & (FLAG_TRAILING | FLAG_TRACKING)) === FLAG_TRAILING) beginTrail(shard, book, order, last)
  else if ((flags & FLAG_LISTED) === 0 || cancelPartner(shard, order)) triggerOrder(shard, book, order)
}

function triggerOrder(shard: ShardBooks, book: number, order: number): void {
  const { orders } = shard
  shard.dequeue(order)
  shard.books.addStops(book, -1)
  const flags = orders.flags(order)
  if ((flags & FLAG_TRAILING) !== 0) shard.trails.remove(order, book, flags & 1)
  orders.setFlags(order, flags & ~(FLAG_WAITING | FLAG_TRAILING | FLAG_TRACKING))
  orders.setNext(order, 0)
  if (shard.lastTriggered === 0) shard.firstTriggered = order
  else orders.setNext(shard.lastTriggered, order)
  shard.lastTriggered = order
}
