import type { ShardBooks } from '../book/shard-books.js'
import { selfTradePreventionCodes } from '../codec/names.js'
import { fillPartly, isOwn, preventSelfTrade } from './fills.js'
import { highestTrade, lowestTrade } from './price-bands.js'
import { crossProRata } from './pro-rata.js'

const NONE = selfTradePreventionCodes.none
const CANCEL_OLDEST = selfTradePreventionCodes['cancel-oldest']

/** Whether an order of side `sell` (0 or 1) with this limit price would meet the best opposite price. */
export function wouldCross(shard: ShardBooks, book: number, sell: number, limit: number): boolean {
  const best = shard.levels.best(book * 4 + (sell ^ 1))
  // Keys are negated on the side of the bids, so one comparison serves both sides.
  return best !== 0 && shard.levels.key(best) <= limit * (1 - (sell << 1))
}

/**
 * Trades an aggressor against the opposite side: best price first, oldest first, at the maker's price, until it is
 * filled, the prices end at its limit, or self-trade prevention stops it (then `shard.aggressorStopped` is set), or the price bands do
 * (`aggressorBanded`).
 * `price` is the aggressor's limit, 0 for a market order; `prevention` is one mode, never the instrument's default. The caller
 * has set `shard.aggressor`, `aggressorFilled` and `aggressorGroup`. Returns the quantity left, in lots.
 */
export function cross(
  shard: ShardBooks,
  book: number,
  sell: number,
  price: number,
  quantity: number,
  id: number,
  account: number,
  prevention: number,
): number {
  const limit = price === 0 && sell === 0 ? Number.MAX_SAFE_INTEGER : price
  shard.aggressorBanded = false
  return shard.books.isBanded(book)
    ? crossWithinBand(shard, book, sell, limit, quantity, id, account, prevention)
    : crossTo(shard, book, sell, limit, quantity, id, account, prevention)
}

/** The same within price bands, which are where they are before its first trade. */
function crossWithinBand(
  shard: ShardBooks,
  book: number,
  sell: number,
  limit: number,
  quantity: number,
  id: number,
  account: number,
  prevention: number,
): number {
  const { levels, books } = shard
  const low = lowestTrade(books, book)
  const high = highestTrade(books, book)
  const best = levels.price(levels.best(book * 4 + (sell ^ 1)))
  if (sell === 0 ? best < low : best > high) {
    shard.aggressorStopped = false
    shard.aggressorDecremented = 0
    shard.aggressorBanded = true
    return quantity
  }
  const within = sell === 0 ? Math.min(limit, high) : Math.max(limit, low)
  const remaining = crossTo(shard, book, sell, within, quantity, id, account, prevention)
  shard.aggressorBanded = remaining > 0 && !shard.aggressorStopped && wouldCross(shard, book, sell, limit)
  return remaining
}

function crossTo(
  shard: ShardBooks,
  book: number,
  sell: number,
  limit: number,
  quantity: number,
  id: number,
  account: number,
  prevention: number,
): number {
  const { levels, orders, books } = shard
  const bookSide = book * 4 + (sell ^ 1)
  if (books.isProRata(book)) return crossProRata(shard, book, sell, limit, quantity, id, account, prevention)
  let remaining = quantity
  shard.aggressorStopped = false
  shard.aggressorDecremented = 0
  // A new order's id and account stand in the command.
  const takerId = shard.aggressor === 0 ? 0 : id
  const filledBefore = shard.aggressorFilled
  while (remaining > 0) {
    const level = levels.best(bookSide)
    if (level === 0) break
    const levelPrice = levels.price(level)
    if (sell === 0 ? levelPrice > limit : levelPrice < limit) break
    const maker = levels.head(level)
    const makerAccount = orders.account(maker)
    if (prevention !== NONE && isOwn(shard, maker, account)) {
      shard.aggressorFilled = filledBefore + (quantity - remaining - shard.aggressorDecremented)
      remaining = preventSelfTrade(shard, maker, sell, account, remaining, prevention)
      if (shard.aggressorStopped) break
      continue
    }
    const shown = orders.shown(maker)
    const traded = Math.min(remaining, shown)
    remaining -= traded
    const open = orders.open(maker) - traded
    shard.record.trade(
      sell,
      books.nextTrade(book, levelPrice),
      orders.id(maker),
      takerId,
      levelPrice,
      traded,
      makerAccount,
      account,
      open,
      remaining,
    )
    if (open === 0) shard.discard(maker)
    else fillPartly(shard, maker, traded, open, shown - traded)
  }
  shard.aggressorFilled = filledBefore + (quantity - remaining - shard.aggressorDecremented)
  return remaining
}

/**
 * Whether so much of an order can be filled within the price bands: hidden quantity counts. Under `cancel-oldest` orders of its own do not count; under the other modes such an order, if it would be met before the fill is complete, makes the
 * answer no.
 */
export function canFill(
  shard: ShardBooks,
  book: number,
  sell: number,
  price: number,
  quantity: number,
  account: number,
  prevention: number,
): boolean {
  const { levels, orders, books } = shard
  let limit = price === 0 && sell === 0 ? Number.MAX_SAFE_INTEGER : price
  if (books.isBanded(book)) {
    const low = lowestTrade(books, book)
    const high = highestTrade(books, book)
    const best = levels.best(book * 4 + (sell ^ 1))
    if (best !== 0 && (sell === 0 ? levels.price(best) < low : levels.price(best) > high)) return false
    limit = sell === 0 ? Math.min(limit, high) : Math.max(limit, low)
  }
  let needed = quantity
  for (let level = levels.best(book * 4 + (sell ^ 1)); level !== 0; level = levels.worse(level)) {
    const levelPrice = levels.price(level)
    if (sell === 0 ? levelPrice > limit : levelPrice < limit) return false
    if (prevention === NONE) needed -= levels.shown(level) + levels.hidden(level)
    else {
      let shownBefore = 0
      for (let order = levels.head(level); order !== 0; order = orders.next(order)) {
        if (isOwn(shard, order, account)) {
          if (prevention === CANCEL_OLDEST) continue
          return shownBefore >= needed && !shard.books.isProRata(book)
        }
        shownBefore += orders.shown(order)
      }
      for (let order = levels.head(level); order !== 0; order = orders.next(order)) {
        if (!isOwn(shard, order, account)) needed -= orders.open(order)
      }
    }
    if (needed <= 0) return true
  }
  return false
}
