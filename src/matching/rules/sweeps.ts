import { cancelQueued } from '../book/order-events.js'
import { FLAG_SELL, FLAG_TIME_IN_FORCE_SHIFT } from '../book/order-store.js'
import type { ShardBooks } from '../book/shard-books.js'
import { CANCEL_ALL_ONE_SIDE, CANCEL_ALL_SELL, EXPIRE_END_OF_DAY, readU64 } from '../codec/command-layout.js'
import { cancelReasons, timeInForceCodes } from '../codec/names.js'

/**
 * Cancels every order of an account in one book, or those of one side, waiting stops included, in the order in which they
 * were accepted.
 */
export function cancelAll(shard: ShardBooks, book: number, words: Int32Array, at: number): void {
  const flags = (words[at]! >>> 8) & 0xff
  const isEither = (flags & CANCEL_ALL_ONE_SIDE) === 0
  const sell = (flags & CANCEL_ALL_SELL) === 0 ? 0 : FLAG_SELL
  let order = shard.accounts.first(book, words[at + 2]! >>> 0)
  while (order > 0) {
    const next = shard.orders.accountNext(order)
    if (isEither || (shard.orders.flags(order) & FLAG_SELL) === sell) {
      cancelQueued(shard, order, cancelReasons['cancel-all'])
    }
    order = next
  }
}

/**
 * Cancels what has run out of time: orders good till a date not later than the command's time and, at the end of the
 * day, day orders and those for one call. Bids first, then asks, then what waits for a fall and for a rise, each in priority order.
 */
export function expireOrders(shard: ShardBooks, book: number, words: Int32Array, at: number): void {
  if (shard.books.expiring(book) === 0) return
  const timeMs = readU64(words, at + 2)
  const endOfDay = ((words[at]! >>> 8) & EXPIRE_END_OF_DAY) !== 0
  const { levels, orders } = shard
  for (let bookSide = book * 4; bookSide < book * 4 + 4; bookSide++) {
    let level = levels.best(bookSide)
    while (level !== 0) {
      const worse = levels.worse(level)
      let order = levels.head(level)
      while (order !== 0) {
        const next = orders.next(order)
        const timeInForce = (orders.flags(order) >> FLAG_TIME_IN_FORCE_SHIFT) & 7
        if (timeInForce === timeInForceCodes.GTD) {
          if (orders.expireTime(order) <= timeMs) cancelQueued(shard, order, cancelReasons.expired)
        } else if (endOfDay && timeInForce >= timeInForceCodes.DAY) {
          cancelQueued(shard, order, cancelReasons['end-of-day'])
        }
        order = next
      }
      level = worse
    }
  }
}
