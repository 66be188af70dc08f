import type { BookTable } from '../book/book-table.js'
import { overflows } from '../book/level-total.js'
import { rejectCommand, reportCancelled, reportTriggered } from '../book/order-events.js'
import { FLAG_ICEBERG, FLAG_SELL, FLAG_TIME_IN_FORCE_SHIFT, FLAG_WAITING } from '../book/order-store.js'
import { SIDE_WAIT_FALL, SIDE_WAIT_RISE } from '../book/price-levels.js'
import { closingQueuePrice, queuePrice } from '../book/queue-price.js'
import type { ShardBooks } from '../book/shard-books.js'
import { readU64 } from '../codec/command-layout.js'
import { cancelReasons, orderTypeCodes, rejectCodes, timeInForceCodes } from '../codec/names.js'
import { isConditional } from '../codec/order-types.js'
import { keepExtras } from './order-extras.js'

const { IOC, FOK } = timeInForceCodes
const { LEVEL_TOTAL_TOO_LARGE, NOT_IN_THIS_PHASE } = rejectCodes

/**
 * The code with which the phase of a book refuses a new order, that of a call or an order for one call; 0 when it does not.
 */
export function phaseRefusal(books: BookTable, book: number, type: number, timeInForce: number): number {
  if (timeInForce === timeInForceCodes['at-close']) return 0
  if (timeInForce === timeInForceCodes['at-open'])
    return books.isCall(book) && !books.isClosing(book) ? 0 : NOT_IN_THIS_PHASE
  // A stop has its time in force when it is triggered, and what a market order leaves goes away after the call.
  if (isConditional(type)) return 0
  const isImmediate = timeInForce === FOK || (timeInForce === IOC && type !== orderTypeCodes.market)
  return isImmediate ? NOT_IN_THIS_PHASE : 0
}

/** Takes the new order at `at`, which passed the checks, into the book of a call. */
export function placeInCall(
  shard: ShardBooks,
  book: number,
  words: Int32Array,
  at: number,
  flags: number,
  display: number,
  expireTime: number,
): void {
  const sell = flags & FLAG_SELL
  const bookSide = book * 4 + sell
  const price = queuePrice(readU64(words, at + 6), sell)
  const quantity = readU64(words, at + 8)
  if (overflows(shard, bookSide, price, quantity)) {
    rejectCommand(shard, words, at, LEVEL_TOTAL_TOO_LARGE)
    return
  }
  shard.record.accepted(words[at + 4]! >>> 0)
  shard.books.noteOrderId(book, words[at + 2]!, words[at + 3]!)
  const order = shard.admit(book, words, at, flags)
  keepExtras(shard, order, display, expireTime)
  shard.enqueue(order, bookSide, price, quantity, display === 0 ? quantity : Math.min(display, quantity))
}

/** Takes a new order that is for the closing call: it waits for that, unless it has begun. */
export function placeForClosing(
  shard: ShardBooks,
  book: number,
  words: Int32Array,
  at: number,
  flags: number,
  display: number,
): void {
  const sell = flags & FLAG_SELL
  const bookSide = book * 4 + (sell === 0 ? SIDE_WAIT_RISE : SIDE_WAIT_FALL)
  const price = closingQueuePrice(sell)
  const quantity = readU64(words, at + 8)
  if (overflows(shard, bookSide, price, quantity)) {
    rejectCommand(shard, words, at, LEVEL_TOTAL_TOO_LARGE)
    return
  }
  shard.record.accepted(words[at + 4]! >>> 0)
  shard.books.noteOrderId(book, words[at + 2]!, words[at + 3]!)
  const order = shard.admit(book, words, at, flags | FLAG_WAITING)
  shard.books.addStops(book, 1)
  keepExtras(shard, order, display, 0)
  shard.orders.setStopPrice(order, price)
  shard.enqueue(order, bookSide, price, quantity, quantity)
  if (shard.books.isClosing(book)) enterClosing(shard, book, order)
}

/** Lets an order that waits for the closing call into its book. */
export function enterClosing(shard: ShardBooks, book: number, order: number): void {
  const { orders } = shard
  reportTriggered(shard, order)
  shard.dequeue(order)
  shard.books.addStops(book, -1)
  orders.setFlags(order, orders.flags(order) & ~FLAG_WAITING)
  joinCall(shard, book, order)
}

/** Puts an order that was triggered, and is in no queue, into the book of a call, or cancels it when it can't be there. */
export function joinCall(shard: ShardBooks, book: number, order: number): void {
  const { orders } = shard
  const flags = orders.flags(order)
  const sell = flags & FLAG_SELL
  const timeInForce = (flags >> FLAG_TIME_IN_FORCE_SHIFT) & 7
  const price = orders.price(order)
  const open = orders.open(order)
  const bookSide = book * 4 + sell
  let refusal = 0
  if (timeInForce === FOK || (timeInForce === IOC && price !== 0)) refusal = cancelReasons.phase
  else if (overflows(shard, bookSide, queuePrice(price, sell), open)) refusal = cancelReasons['level-total']
  if (refusal !== 0) {
    reportCancelled(shard, order, open, refusal)
    shard.dismiss(order)
    return
  }
  const display = (flags & FLAG_ICEBERG) === 0 ? open : orders.displayQuantity(order)
  shard.enqueue(order, bookSide, queuePrice(price, sell), open, Math.min(display, open))
}
