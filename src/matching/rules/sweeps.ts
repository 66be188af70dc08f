import { cancelQueued } from '../book/order-events.js'
import { FLAG_SELL, FLAG_TIME_IN_FORCE_SHIFT } from '../book/order-store.js'
import type { ShardBooks } from '../book/shard-books.js'
import {
  CANCEL_ALL_HAS_IDS,
  CANCEL_ALL_HAS_PRICES,
  CANCEL_ALL_ONE_SIDE,
  CANCEL_ALL_SELL,
  commandAccount,
  EXPIRE_END_OF_DAY,
  flagsOf,
  LENGTH_SHIFT,
  optionalAt,
  readU64,
} from '../codec/command-layout.js'
import { cancelReasons, timeInForceCodes } from '../codec/names.js'

/** Which orders a cancel-all takes; read again for each. */
class CancelFilter {
  /** -1: of whatever account. */
  account = -1
  /** -1: of either side. */
  sell = -1
  minPrice = 0
  maxPrice = Number.POSITIVE_INFINITY
  /** Where the ids of the orders stand, as word offsets; both 0 without a list. */
  idsFrom = 0
  idsTo = 0

  read(words: Int32Array, at: number): void {
    const flags = flagsOf(words, at)
    this.account = commandAccount(words, at)
    this.sell = (flags & CANCEL_ALL_ONE_SIDE) === 0 ? -1 : (flags & CANCEL_ALL_SELL) === 0 ? 0 : FLAG_SELL
    let next = optionalAt(words, at)
    const hasPrices = (flags & CANCEL_ALL_HAS_PRICES) !== 0
    this.minPrice = hasPrices ? readU64(words, next) : 0
    this.maxPrice = hasPrices ? readU64(words, next + 2) : Number.POSITIVE_INFINITY
    if (hasPrices) next += 4
    const hasIds = (flags & CANCEL_ALL_HAS_IDS) !== 0
    this.idsFrom = hasIds ? next : 0
    this.idsTo = hasIds ? at + (words[at]! >>> LENGTH_SHIFT) : 0
  }

  takes({ orders }: ShardBooks, order: number): boolean {
    const price = orders.price(order)
    return (
      (this.account < 0 || orders.account(order) === this.account) &&
      (this.sell < 0 || (orders.flags(order) & FLAG_SELL) === this.sell) &&
      price >= this.minPrice &&
      price <= this.maxPrice
    )
  }
}

const filter = new CancelFilter()

/**
 * Cancels orders in one book, waiting stops included. Those of a list go in its order, those of an account in the order in
 * which they were accepted, those of everybody as in `expireOrders`.
 */
export function cancelAll(shard: ShardBooks, book: number, words: Int32Array, at: number): void {
  filter.read(words, at)
  if (filter.idsTo !== 0) cancelListed(shard, book, words)
  else if (filter.account >= 0) cancelOfAccount(shard, book, filter.account)
  else forEachQueued(shard, book, cancelTaken)
}

function cancelListed(shard: ShardBooks, book: number, words: Int32Array): void {
  for (let at = filter.idsFrom; at < filter.idsTo; at += 2) {
    const order = shard.index.find(book, words[at]!, words[at + 1]!)
    if (order !== 0) cancelTaken(shard, order)
  }
}

function cancelOfAccount(shard: ShardBooks, book: number, account: number): void {
  let order = shard.accounts.first(book, account)
  while (order > 0) {
    const next = shard.orders.accountNext(order)
    cancelTaken(shard, order)
    order = next
  }
}

function cancelTaken(shard: ShardBooks, order: number): void {
  if (filter.takes(shard, order)) cancelQueued(shard, order, cancelReasons['cancel-all'])
}

/** Visits bids, asks, sell stops and buy stops, each in priority order; `visit` may take the order out of its queue. */
function forEachQueued(
  shard: ShardBooks,
  book: number,
  visit: (shard: ShardBooks, order: number) => void,
): void {
  const { levels, orders } = shard
  for (let bookSide = book * 4; bookSide < book * 4 + 4; bookSide++) {
    let level = levels.best(bookSide)
    while (level !== 0) {
      const worse = levels.worse(level)
      let order = levels.head(level)
      while (order !== 0) {
        const next = orders.next(order)
        visit(shard, order)
        order = next
      }
      level = worse
    }
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
  forEachQueued(shard, book, (_, order) => {
    const { orders } = shard
    const timeInForce = (orders.flags(order) >> FLAG_TIME_IN_FORCE_SHIFT) & 7
    if (timeInForce === timeInForceCodes.GTD) {
      if (orders.expireTime(order) <= timeMs) cancelQueued(shard, order, cancelReasons.expired)
    } else if (endOfDay && timeInForce >= timeInForceCodes.DAY) {
      cancelQueued(shard, order, cancelReasons['end-of-day'])
    }
  })
}
