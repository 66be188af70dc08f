import {
  FLAG_ICEBERG,
  FLAG_POST_ONLY,
  FLAG_PREVENTION_SHIFT,
  FLAG_TYPE_SHIFT,
  FLAG_WAITING,
} from '../book/order-store.js'
import type { ShardBooks } from '../book/shard-books.js'
import {
  AMEND_HAS_ACCOUNT,
  CANCEL_WORDS,
  REDUCE_WORDS,
  REPLACE_WORDS,
  readU64,
} from '../codec/command-layout.js'
import { limits } from '../codec/limits.js'
import { cancelReasons, orderTypeCodes, rejectCodes, replaceReasons } from '../codec/names.js'
import { cross, wouldCross } from './crossing.js'
import { limitViolation } from './instrument-rules.js'

const HAS_ACCOUNT = AMEND_HAS_ACCOUNT
const AFTER_CANCEL = CANCEL_WORDS
const AFTER_REPLACE = REPLACE_WORDS
const AFTER_REDUCE = REDUCE_WORDS
const REQUESTED = cancelReasons.requested
const { UNKNOWN_ORDER } = rejectCodes

/** Finds the order that a cancel, replace or reduce names; reports and returns 0 when there is none to act on. */
function findTarget(
  shard: ShardBooks,
  book: number,
  words: Int32Array,
  at: number,
  bodyWords: number,
): number {
  const order = shard.index.find(book, words[at + 4]!, words[at + 5]!)
  if (order === 0) {
    shard.group.rejected(words[at + 4]!, words[at + 5]!, UNKNOWN_ORDER)
    return 0
  }
  if (
    ((words[at]! >>> 8) & HAS_ACCOUNT) !== 0 &&
    words[at + bodyWords]! >>> 0 !== shard.orders.account(order)
  ) {
    shard.group.rejected(words[at + 4]!, words[at + 5]!, rejectCodes.NOT_OWNER)
    return 0
  }
  return order
}

export function cancelOrder(shard: ShardBooks, book: number, words: Int32Array, at: number): void {
  const order = findTarget(shard, book, words, at, AFTER_CANCEL)
  if (order !== 0) shard.cancel(order, REQUESTED)
}

/** Takes quantity away from an order, which keeps its place; taking all of it cancels the order. */
export function reduceOrder(shard: ShardBooks, book: number, words: Int32Array, at: number): void {
  const order = findTarget(shard, book, words, at, AFTER_REDUCE)
  if (order === 0) return
  const { orders } = shard
  const open = orders.open(order) - readU64(words, at + 6)
  if (open <= 0) {
    shard.cancel(order, cancelReasons.reduced)
    return
  }
  const shown = orders.shown(order)
  shard.group.replaced(
    orders.id(order),
    orders.flags(order) & 1,
    orders.price(order),
    open,
    replaceReasons.reduced,
  )
  shard.resize(order, open, Math.min(shown, open))
}

/** Gives an order a new price and a new open quantity. A price of 0 means the price it has. */
export function replaceOrder(shard: ShardBooks, book: number, words: Int32Array, at: number): void {
  const order = findTarget(shard, book, words, at, AFTER_REPLACE)
  if (order === 0) return
  const { orders, group } = shard
  const id = orders.id(order)
  const flags = orders.flags(order)
  const sell = flags & 1
  const oldPrice = orders.price(order)
  const oldOpen = orders.open(order)
  const price = readU64(words, at + 6) || oldPrice
  const quantity = readU64(words, at + 8)
  if (shard.books.isLimited(book)) {
    const code = limitViolation(shard.books, book, price, quantity)
    if (code !== 0) {
      group.rejected(words[at + 4]!, words[at + 5]!, code)
      return
    }
  }
  const waits = (flags & FLAG_WAITING) !== 0
  const keepsPlace = price === oldPrice && quantity <= oldOpen && !shard.books.alwaysLoses(book)
  if (waits && ((flags >> FLAG_TYPE_SHIFT) & 3) === orderTypeCodes.stop && price !== oldPrice) {
    group.rejected(words[at + 4]!, words[at + 5]!, rejectCodes.PRICE_NOT_APPLICABLE)
    return
  }
  if ((flags & FLAG_ICEBERG) !== 0 && quantity > orders.displayQuantity(order) * limits.maxIcebergSlices) {
    group.rejected(words[at + 4]!, words[at + 5]!, rejectCodes.DISPLAY_QUANTITY_TOO_SMALL)
    return
  }
  const crosses = !waits && !keepsPlace && wouldCross(shard, book, sell, price)
  if (crosses && (flags & FLAG_POST_ONLY) !== 0) {
    group.rejected(words[at + 4]!, words[at + 5]!, rejectCodes.POST_ONLY_WOULD_TRADE)
    return
  }
  if (!crosses && overflowsWith(shard, order, book, sell, price, quantity, waits)) {
    group.rejected(words[at + 4]!, words[at + 5]!, rejectCodes.LEVEL_TOTAL_TOO_LARGE)
    return
  }
  group.replaced(id, sell, price, quantity, replaceReasons.requested)
  orders.setPrice(order, price)
  if (waits) {
    shard.resize(order, quantity, quantity)
    if (!keepsPlace) shard.moveToBack(order)
  } else if (keepsPlace) {
    const shown = orders.shown(order)
    shard.resize(order, quantity, Math.min(shown, quantity))
  } else {
    shard.dequeue(order)
    reenter(shard, book, order, price, quantity, crosses)
  }
}

/** Whether the order, leaving its present place, would push the total where it goes beyond what is exact. */
function overflowsWith(
  shard: ShardBooks,
  order: number,
  book: number,
  sell: number,
  price: number,
  quantity: number,
  waits: boolean,
): boolean {
  const { levels, orders } = shard
  const own = orders.level(order)
  const stays = waits || levels.price(own) === price
  const level = stays ? own : levels.find(book * 4 + sell, price)
  if (level === 0) return false
  const others = levels.shown(level) + levels.hidden(level) - (stays ? orders.open(order) : 0)
  return others + quantity > limits.maxLevelTotalLots
}

/** Sends an order that is in no queue through the opposite side and, if something is left, to the back at its price. */
function reenter(
  shard: ShardBooks,
  book: number,
  order: number,
  price: number,
  quantity: number,
  crosses: boolean,
): void {
  const { orders } = shard
  const flags = orders.flags(order)
  const sell = flags & 1
  let remaining = quantity
  if (crosses) {
    const ownPrevention = (flags >> FLAG_PREVENTION_SHIFT) & 7
    const prevention = ownPrevention === 0 ? shard.books.prevention(book) : ownPrevention
    const id = orders.id(order)
    remaining = cross(shard, book, sell, price, quantity, id, orders.account(order), prevention)
    if (remaining === 0 || shard.aggressorStopped) {
      if (remaining !== 0) shard.group.cancelled(id, sell, price, remaining, cancelReasons['self-trade'])
      shard.dismiss(order)
      return
    }
    if (remaining !== quantity) shard.noteAggressorFill(order, quantity - remaining)
  }
  const display = (flags & FLAG_ICEBERG) === 0 ? remaining : orders.displayQuantity(order)
  shard.enqueue(order, book * 4 + sell, price, remaining, Math.min(display, remaining))
}
