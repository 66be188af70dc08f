import type { ShardBooks } from '../book/shard-books.js'
import { selfTradePreventionCodes } from '../codec/names.js'
import { fillPartly, isOwn, preventSelfTrade } from './fills.js'

const NONE = selfTradePreventionCodes.none
const MAX = Number.MAX_SAFE_INTEGER

/** What `crossProRata` knows of the order that crosses. */
interface Aggressor {
  sell: number
  id: number
  account: number
  prevention: number
}

const aggressor: Aggressor = { sell: 0, id: 0, account: 0, prevention: NONE }

/**
 * As `crossTo` of crossing.ts, in a book whose orders share what trades at a price in proportion to what they show: best price first. At a price
 * the own orders of the aggressor are dealt with first, oldest first, then passes are made until one of both has nothing left. `limit` is a price.
 */
export function crossProRata(
  shard: ShardBooks,
  book: number,
  sell: number,
  limit: number,
  quantity: number,
  id: number,
  account: number,
  prevention: number,
): number {
  const { levels } = shard
  const bookSide = book * 4 + (sell ^ 1)
  aggressor.sell = sell
  // A new order's id and account stand in the command.
  aggressor.id = shard.aggressor === 0 ? 0 : id
  aggressor.account = account
  aggressor.prevention = prevention
  shard.aggressorStopped = false
  shard.aggressorDecremented = 0
  const filledBefore = shard.aggressorFilled
  let remaining = quantity
  while (remaining > 0) {
    const level = levels.best(bookSide)
    if (level === 0) break
    const price = levels.price(level)
    if (sell === 0 ? price > limit : price < limit) break
    if (prevention !== NONE) {
      const own = firstOwn(shard, level)
      if (own !== 0) {
        shard.aggressorFilled = filledBefore + (quantity - remaining - shard.aggressorDecremented)
        remaining = preventSelfTrade(shard, own, sell, account, remaining, prevention)
        if (shard.aggressorStopped) break
        continue
      }
    }
    remaining = pass(shard, book, level, remaining)
  }
  shard.aggressorFilled = filledBefore + (quantity - remaining - shard.aggressorDecremented)
  return remaining
}

function firstOwn(shard: ShardBooks, level: number): number {
  for (let order = shard.levels.head(level); order !== 0; order = shard.orders.next(order))
    if (isOwn(shard, order, aggressor.account)) return order
  return 0
}

/**
 * One pass over the orders of a price, oldest first: all that they show, if there is no less to trade; otherwise a share of it each, rounded down,
 * and what the rounding left goes to the oldest ones. The oldest order comes before all others where the instrument says so. Returns what
 * is left of `remaining`.
 */
function pass(shard: ShardBooks, book: number, level: number, remaining: number): number {
  const { levels, orders, books } = shard
  const shown = levels.shown(level)
  const first = levels.head(level)
  const last = levels.tail(level)
  let left = remaining
  if (remaining >= shown) {
    for (let order = first; order !== 0; ) {
      const next = order === last ? 0 : orders.next(order)
      left = tradeWith(shard, book, order, orders.shown(order), left)
      order = next
    }
    return left
  }
  let sharedFrom = first
  let shownShared = shown
  if (books.hasTopOrder(book)) {
    sharedFrom = first === last ? 0 : orders.next(first)
    shownShared -= orders.shown(first)
    left = tradeWith(shard, book, first, Math.min(left, orders.shown(first)), left)
    if (left === 0 || sharedFrom === 0) return left
  }
  const toShare = left
  let rounding = toShare
  for (let order = sharedFrom; order !== 0; order = order === last ? 0 : orders.next(order))
    rounding -= shareOf(orders.shown(order), toShare, shownShared)
  for (let order = sharedFrom; order !== 0; ) {
    const next = order === last ? 0 : orders.next(order)
    const visible = orders.shown(order)
    const share = shareOf(visible, toShare, shownShared)
    const more = Math.min(rounding, visible - share)
    rounding -= more
    if (share + more > 0) left = tradeWith(shard, book, order, share + more, left)
    order = next
  }
  return left
}

/** `visible * quantity / total`, rounded down: exact also where the product is beyond 2^53. */
function shareOf(visible: number, quantity: number, total: number): number {
  const product = visible * quantity
  if (product <= MAX) return (product - (product % total)) / total
  return Number((BigInt(visible) * BigInt(quantity)) / BigInt(total))
}

/** Trades so many lots with a resting order, at most what it shows; returns what is left of `remaining`. */
function tradeWith(
  shard: ShardBooks,
  book: number,
  maker: number,
  traded: number,
  remaining: number,
): number {
  const { orders, books, levels } = shard
  const { sell, id, account } = aggressor
  const price = levels.price(orders.level(maker))
  const shown = orders.shown(maker)
  const open = orders.open(maker) - traded
  shard.record.trade(
    sell,
    books.nextTrade(book, price),
    orders.id(maker),
    id,
    price,
    traded,
    orders.account(maker),
    account,
    open,
    remaining - traded,
  )
  if (open === 0) shard.discard(maker)
  else fillPartly(shard, maker, traded, open, shown - traded)
  return remaining - traded
}
