import type { BookTable } from '../book/book-table.js'
import type { ShardBooks } from '../book/shard-books.js'
import { bandActionCodes, eventKinds, phaseCodes } from '../codec/names.js'

/**
 * The lowest price at which trades may be made now, as orders come: within the static band around the reference, and within the dynamic
 * band around the last trade.
 */
export function lowestTrade(books: BookTable, book: number): number {
  const last = books.lastPrice(book)
  if (last === 0) return books.staticLow(book)
  return Math.max(books.staticLow(book), last - books.dynamicWidth(book, last))
}

/** The highest one. */
export function highestTrade(books: BookTable, book: number): number {
  const last = books.lastPrice(book)
  if (last === 0) return books.staticHigh(book)
  return Math.min(books.staticHigh(book), last + books.dynamicWidth(book, last))
}

/**
 * Whether the band refuses an order that crosses: its instrument refuses such orders, and within its limit (0: none) the order would
 * come to a price outside the band before it is filled, by what is open there, with whichever owner.
 */
export function isRefusedByBand(
  shard: ShardBooks,
  book: number,
  sell: number,
  price: number,
  quantity: number,
): boolean {
  const { levels, books } = shard
  if (!books.isBanded(book) || books.bandAction(book) !== bandActionCodes.refuse) return false
  const low = lowestTrade(books, book)
  const high = highestTrade(books, book)
  const limit = price === 0 && sell === 0 ? Number.POSITIVE_INFINITY : price
  let needed = quantity
  for (
    let level = levels.best(book * 4 + (sell ^ 1));
    level !== 0 && needed > 0;
    level = levels.worse(level)
  ) {
    const levelPrice = levels.price(level)
    if (sell === 0 ? levelPrice > limit : levelPrice < limit) return false
    if (levelPrice < low || levelPrice > high) return true
    needed -= levels.shown(level) + levels.hidden(level)
  }
  return false
}

/**
 * Deals with an aggressor that the band has stopped, of which something is left: continuous trading is interrupted if the
 * instrument says so. Returns whether the rest goes away; otherwise it rests in the call that has begun.
 */
export function endsAtBand(shard: ShardBooks, book: number, rests: boolean): boolean {
  if (shard.books.bandAction(book) !== bandActionCodes.interrupt) return true
  interruptTrading(shard, book)
  return !rests
}

/** Begins a call in place of continuous trading. */
export function interruptTrading(shard: ShardBooks, book: number): void {
  shard.books.setPhase(book, phaseCodes.auction, 0)
  shard.record.plain(eventKinds['volatility-interruption'])
}
