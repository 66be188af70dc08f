import { cancelQueued } from '../book/order-events.js'
import { FLAG_TIME_IN_FORCE_SHIFT } from '../book/order-store.js'
import { SIDE_ASKS, SIDE_BIDS, SIDE_WAIT_FALL, SIDE_WAIT_RISE } from '../book/price-levels.js'
import { closingQueuePrice, isMarketQueue, queuePrice } from '../book/queue-price.js'
import type { ShardBooks } from '../book/shard-books.js'
import { flagsOf } from '../codec/command-layout.js'
import { cancelReasons, phaseCodes, timeInForceCodes } from '../codec/names.js'
import { enterClosing } from './call-orders.js'
import { interruptTrading } from './price-bands.js'
import { uncross } from './uncross.js'

const AT_OPEN = timeInForceCodes['at-open']
const AT_CLOSE = timeInForceCodes['at-close']

/**
 * Changes the phase of a book: says so, trades what meets when trading begins, or when a call ends in the close, cancels what was for
 * the call that is over, and lets orders for the closing call in when that begins.
 */
export function changePhase(shard: ShardBooks, book: number, words: Int32Array, at: number): void {
  const { books, record } = shard
  const next = words[at + 2]!
  const options = flagsOf(words, at) & 3
  const before = phaseCodes[books.phase(book)]
  const wasClosing = books.isClosing(book)
  books.setPhase(book, next, options)
  record.phaseChanged(next, options)
  const opens = next === phaseCodes.continuous && before !== next
  const closes = next === phaseCodes.closed
  const endsClosing = wasClosing && !books.isClosing(book)
  if (opens || (closes && before >= phaseCodes['pre-open'])) uncross(shard, book)
  if (opens && isCrossed(shard, book)) {
    if (endsClosing) cancelForCall(shard, book, AT_CLOSE, cancelReasons['at-close'])
    if (isCrossed(shard, book)) {
      // What still meets may not trade within the band: the call continues.
      interruptTrading(shard, book)
      return
    }
  }
  if (opens || closes) {
    cancelMarketOrders(shard, book)
    cancelForCall(shard, book, AT_OPEN, cancelReasons['at-open'])
  }
  if (closes || endsClosing) cancelForCall(shard, book, AT_CLOSE, cancelReasons['at-close'])
  if (closes) forEachOfClosing(shard, book, (order) => cancelQueued(shard, order, cancelReasons['at-close']))
  if (!wasClosing && books.isClosing(book))
    forEachOfClosing(shard, book, (order) => enterClosing(shard, book, order))
}

/** Whether a bid with a limit meets an ask with one. */
function isCrossed({ levels }: ShardBooks, book: number): boolean {
  let bid = levels.best(book * 4 + SIDE_BIDS)
  let ask = levels.best(book * 4 + SIDE_ASKS)
  if (bid !== 0 && isMarketQueue(levels.price(bid))) bid = levels.worse(bid)
  if (ask !== 0 && isMarketQueue(levels.price(ask))) ask = levels.worse(ask)
  return bid !== 0 && ask !== 0 && levels.price(bid) >= levels.price(ask)
}

/** Cancels the market orders that are left after a call: buyers first, oldest first. */
function cancelMarketOrders(shard: ShardBooks, book: number): void {
  const { levels, orders } = shard
  for (const side of [SIDE_BIDS, SIDE_ASKS]) {
    let level = levels.find(book * 4 + side, queuePrice(0, side))
    while (level !== 0) {
      const order = levels.head(level)
      const isLast = orders.next(order) === 0
      const timeInForce = (orders.flags(order) >> FLAG_TIME_IN_FORCE_SHIFT) & 7
      let reason: number = cancelReasons.market
      if (timeInForce === AT_OPEN) reason = cancelReasons['at-open']
      if (timeInForce === AT_CLOSE) reason = cancelReasons['at-close']
      cancelQueued(shard, order, reason)
      if (isLast) level = 0
    }
  }
}

/** Cancels the orders of one time in force that are in the book: bids, then asks, each in priority order. */
function cancelForCall(shard: ShardBooks, book: number, timeInForce: number, reason: number): void {
  const { levels, orders, books } = shard
  if (books.expiring(book) === 0) return
  for (const side of [SIDE_BIDS, SIDE_ASKS]) {
    let level = levels.best(book * 4 + side)
    while (level !== 0) {
      const worse = levels.worse(level)
      let order = levels.head(level)
      while (order !== 0) {
        const next = orders.next(order)
        if (((orders.flags(order) >> FLAG_TIME_IN_FORCE_SHIFT) & 7) === timeInForce)
          cancelQueued(shard, order, reason)
        order = next
      }
      level = worse
    }
  }
}

/** Calls for each order that waits for the closing call, which must leave that queue: buyers first, oldest first. */
function forEachOfClosing(shard: ShardBooks, book: number, call: (order: number) => void): void {
  const { levels, orders } = shard
  for (const [side, sell] of [
    [SIDE_WAIT_RISE, 0],
    [SIDE_WAIT_FALL, 1],
  ] as const) {
    const level = levels.find(book * 4 + side, closingQueuePrice(sell))
    let order = level === 0 ? 0 : levels.head(level)
    while (order !== 0) {
      const next = orders.next(order)
      // Trails that no last price reaches wait there too.
      if (((orders.flags(order) >> FLAG_TIME_IN_FORCE_SHIFT) & 7) === AT_CLOSE) call(order)
      order = next
    }
  }
}
