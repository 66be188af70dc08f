import { overflows } from '../book/level-total.js'
import { reportAggressor, reportCancelled, reportTriggered } from '../book/order-events.js'
import {
  FLAG_ICEBERG,
  FLAG_POST_ONLY,
  FLAG_PREVENTION_SHIFT,
  FLAG_TIME_IN_FORCE_SHIFT,
  FLAG_TRACKING,
  FLAG_TRAILING,
  FLAG_WAITING,
  typeOf,
} from '../book/order-store.js'
import { SIDE_WAIT_FALL, SIDE_WAIT_RISE } from '../book/price-levels.js'
import type { ShardBooks } from '../book/shard-books.js'
import { limits } from '../codec/limits.js'
import { cancelReasons, eventKinds, timeInForceCodes } from '../codec/names.js'
import { hasNoLimit } from '../codec/order-types.js'
import { joinCall } from './call-orders.js'
import { canFill, cross, wouldCross } from './crossing.js'
import { endsAtBand, isRefusedByBand } from './price-bands.js'
import { beginTrail, moveTrails } from './trailing-stops.js'

const IOC = timeInForceCodes.IOC
const FOK = timeInForceCodes.FOK

/**
 * Triggers the stops that the last trade price has reached, and those that their own trades reach, until none is left.
 * Triggered ones form one queue: those that waited for a rise by ascending, those that waited for a fall by descending stop price,
 * oldest first at one price; those triggered by a later trade come after them. Every round uses up one and makes none, so
 * this ends.
 */
export function runStops(shard: ShardBooks, book: number): void {
  trigger(shard, book)
  while (shard.firstTriggered !== 0) {
    const order = shard.firstTriggered
    shard.firstTriggered = shard.orders.next(order)
    if (shard.firstTriggered === 0) shard.lastTriggered = 0
    execute(shard, book, order)
    if (shard.books.isContinuous(book)) trigger(shard, book)
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
  else triggerOrder(shard, book, order)
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

/** Lets a triggered stop act as the market or limit order that it has become. */
function execute(shard: ShardBooks, book: number, order: number): void {
  const { orders } = shard
  const id = orders.id(order)
  const flags = orders.flags(order)
  const sell = flags & 1
  const isMarket = hasNoLimit(typeOf(flags))
  const timeInForce = (flags >> FLAG_TIME_IN_FORCE_SHIFT) & 7
  const ownPrevention = (flags >> FLAG_PREVENTION_SHIFT) & 7
  const prevention = ownPrevention === 0 ? shard.books.prevention(book) : ownPrevention
  const account = orders.account(order)
  const price = orders.price(order)
  const open = orders.open(order)
  reportTriggered(shard, order)
  if (!shard.books.isContinuous(book)) {
    // The trading of a stop before it has interrupted the trading of all.
    joinCall(shard, book, order)
    return
  }
  shard.setAggressor(order)
  const crosses = wouldCross(shard, book, sell, isMarket && sell === 0 ? limits.maxPriceTicks : price)
  const rests = !isMarket && timeInForce !== IOC && timeInForce !== FOK
  let refusal = 0
  if (crosses && (flags & FLAG_POST_ONLY) !== 0) refusal = cancelReasons['post-only']
  else if (timeInForce === FOK && !canFill(shard, book, sell, price, open, account, prevention)) {
    refusal = cancelReasons.fok
  } else if (crosses && isRefusedByBand(shard, book, sell, price, open)) {
    refusal = cancelReasons.band
  } else if (rests && !crosses && overflows(shard, book * 4 + sell, price, open)) {
    refusal = cancelReasons['level-total']
  }
  if (refusal !== 0) {
    reportCancelled(shard, order, open, refusal)
    shard.dismiss(order)
    return
  }
  const remaining = crosses ? cross(shard, book, sell, price, open, id, account, prevention) : open
  const stopped = crosses && shard.aggressorStopped
  const isBanded = crosses && shard.aggressorBanded
  const ends = isBanded ? endsAtBand(shard, book, rests) : stopped || !rests
  if (remaining === 0 || ends) {
    if (remaining !== 0) {
      const reason = isBanded ? 'band' : stopped ? 'self-trade' : isMarket ? 'market' : 'ioc'
      reportAggressor(shard, eventKinds.cancelled, sell, account, remaining, cancelReasons[reason])
    }
    shard.dismiss(order)
    return
  }
  if (remaining !== open) shard.noteAggressorFill(order, open - remaining)
  const display = (flags & FLAG_ICEBERG) === 0 ? remaining : orders.displayQuantity(order)
  shard.enqueue(order, book * 4 + sell, price, remaining, Math.min(display, remaining))
}
