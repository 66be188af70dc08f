import {
  cancelQueued,
  rejectAmendment,
  rejectCommand,
  reportAggressor,
  reportReplaced,
} from '../book/order-events.js'
import {
  FLAG_ICEBERG,
  FLAG_PEGGED,
  FLAG_POST_ONLY,
  FLAG_PREVENTION_SHIFT,
  FLAG_WAITING,
} from '../book/order-store.js'
import { queuePrice } from '../book/queue-price.js'
import type { ShardBooks } from '../book/shard-books.js'
import { commandAccount, readU64 } from '../codec/command-layout.js'
import { limits } from '../codec/limits.js'
import { cancelReasons, eventKinds, rejectCodes, replaceReasons } from '../codec/names.js'
import { cross, wouldCross } from './crossing.js'
import { limitViolation } from './instrument-rules.js'
import { endsAtBand, isRefusedByBand } from './price-bands.js'

const REQUESTED = cancelReasons.requested
const { UNKNOWN_ORDER } = rejectCodes

/** Finds the order that a cancel, replace or reduce names; reports and returns 0 when there is none to act on. */
function findTarget(shard: ShardBooks, book: number, words: Int32Array, at: number): number {
  const order = shard.index.find(book, words[at + 2]!, words[at + 3]!)
  const account = commandAccount(words, at)
  if (order !== 0 && (account < 0 || account === shard.orders.account(order))) return order
  rejectCommand(shard, words, at, order === 0 ? UNKNOWN_ORDER : rejectCodes.NOT_OWNER)
  return 0
}

/** Reports that a replace or reduce is refused because of its instrument's state, whether or not there is such an order. */
export function rejectHalted(
  shard: ShardBooks,
  book: number,
  words: Int32Array,
  at: number,
  code: number,
): void {
  const order = shard.index.find(book, words[at + 2]!, words[at + 3]!)
  const account = commandAccount(words, at)
  if (order !== 0 && (account < 0 || account === shard.orders.account(order)))
    rejectAmendment(shard, order, code)
  else rejectCommand(shard, words, at, code)
}

export function cancelOrder(shard: ShardBooks, book: number, words: Int32Array, at: number): void {
  const order = findTarget(shard, book, words, at)
  if (order !== 0) cancelQueued(shard, order, REQUESTED)
}

/** Takes quantity away from an order, which keeps its place; taking all of it cancels the order. */
export function reduceOrder(shard: ShardBooks, book: number, words: Int32Array, at: number): void {
  const order = findTarget(shard, book, words, at)
  if (order === 0) return
  const { orders } = shard
  const open = orders.open(order) - readU64(words, at + 4)
  if (open <= 0) {
    cancelQueued(shard, order, cancelReasons.reduced)
    return
  }
  const shown = orders.shown(order)
  reportReplaced(shard, order, orders.price(order), open, replaceReasons.reduced)
  shard.resize(order, open, Math.min(shown, open))
}

/** Gives an order a new price and a new open quantity. A price of 0 means the price it has. */
export function replaceOrder(shard: ShardBooks, book: number, words: Int32Array, at: number): void {
  const order = findTarget(shard, book, words, at)
  if (order === 0) return
  const { orders } = shard
  const flags = orders.flags(order)
  const sell = flags & 1
  const oldPrice = orders.price(order)
  const oldOpen = orders.open(order)
  const newPrice = readU64(words, at + 4)
  const price = newPrice || oldPrice
  const quantity = readU64(words, at + 6)
  if (shard.books.isLimited(book)) {
    const code = limitViolation(shard.books, book, price, quantity)
    if (code !== 0) {
      rejectAmendment(shard, order, code)
      return
    }
  }
  const waits = (flags & FLAG_WAITING) !== 0
  const keepsPlace = price === oldPrice && quantity <= oldOpen && !shard.books.alwaysLoses(book)
  // Without a limit, there is none to replace: a waiting stop, a market order in a call. The price of a peg is not its own.
  if ((oldPrice === 0 || (flags & FLAG_PEGGED) !== 0) && price !== oldPrice) {
    rejectAmendment(shard, order, rejectCodes.PRICE_NOT_APPLICABLE)
    return
  }
  if ((flags & FLAG_ICEBERG) !== 0 && quantity > orders.displayQuantity(order) * limits.maxIcebergSlices) {
    rejectAmendment(shard, order, rejectCodes.DISPLAY_QUANTITY_TOO_SMALL)
    return
  }
  const crosses =
    !waits && !keepsPlace && shard.books.isContinuous(book) && wouldCross(shard, book, sell, price)
  if (crosses && (flags & FLAG_POST_ONLY) !== 0) {
    rejectAmendment(shard, order, rejectCodes.POST_ONLY_WOULD_TRADE)
    return
  }
  if (crosses && isRefusedByBand(shard, book, sell, price, quantity)) {
    rejectAmendment(shard, order, rejectCodes.PRICE_OUTSIDE_BAND)
    return
  }
  if (!crosses && overflowsWith(shard, order, book, sell, price, quantity, waits)) {
    rejectAmendment(shard, order, rejectCodes.LEVEL_TOTAL_TOO_LARGE)
    return
  }
  reportReplaced(shard, order, newPrice === 0 ? oldPrice : 0, 0, replaceReasons.requested)
  orders.setPrice(order, price)
  if (waits) {
    shard.resize(order, quantity, quantity)
    if (!keepsPlace) shard.moveToBack(order)
  } else if (keepsPlace) {
    const shown = orders.shown(order)
    shard.resize(order, quantity, Math.min(shown, quantity))
  } else {
    if ((flags & FLAG_PEGGED) !== 0) shard.pegs.unqueued(order)
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
  const stays = waits || levels.price(own) === queuePrice(price, sell)
  const level = stays ? own : levels.find(book * 4 + sell, price)
  if (level === 0) return false
  const others = levels.shown(level) + levels.hidden(level) - (stays ? orders.open(order) : 0)
  return others + quantity > limits.maxLevelTotalLots
}

/** Sends an order that is in no queue through the opposite side and, if something is left, to the back at its price. */
export function reenter(
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
    const account = orders.account(order)
    shard.setAggressor(order)
    remaining = cross(shard, book, sell, price, quantity, orders.id(order), account, prevention)
    if (remaining === 0 || shard.aggressorStopped) {
      if (remaining !== 0)
        reportAggressor(shard, eventKinds.cancelled, sell, account, remaining, cancelReasons['self-trade'])
      shard.dismiss(order)
      return
    }
    if (shard.aggressorBanded && endsAtBand(shard, book, true)) {
      reportAggressor(shard, eventKinds.cancelled, sell, account, remaining, cancelReasons.band)
      shard.dismiss(order)
      return
    }
    if (remaining !== quantity) shard.noteAggressorFill(order, quantity - remaining)
  }
  const display = (flags & FLAG_ICEBERG) === 0 ? remaining : orders.displayQuantity(order)
  shard.enqueue(order, book * 4 + sell, queuePrice(price, sell), remaining, Math.min(display, remaining))
  if ((flags & FLAG_PEGGED) !== 0) shard.pegs.queued(order, orders.level(order))
}
