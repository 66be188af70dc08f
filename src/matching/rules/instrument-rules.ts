import type { BookTable } from '../book/book-table.js'
import type { ShardBooks } from '../book/shard-books.js'
import { changedDetails, crossedLimits } from '../codec/instrument-details.js'
import { decodeInstrumentChange } from '../codec/instrument-record.js'
import { rejectCodes } from '../codec/names.js'

const {
  PRICE_TOO_LOW,
  PRICE_TOO_HIGH,
  PRICE_OFF_TICK,
  QUANTITY_TOO_SMALL,
  QUANTITY_TOO_LARGE,
  NOTIONAL_TOO_SMALL,
} = rejectCodes

/**
 * The code with which an order of a price (0: without a limit) and a quantity is outside the limits of its instrument; 0 when it is
 * not. A product beyond 2^53-1 is rounded, but never to less than that, and no minimum is larger.
 */
export function limitViolation(books: BookTable, book: number, price: number, quantity: number): number {
  if (price !== 0) {
    if (price < books.minPrice(book)) return PRICE_TOO_LOW
    if (price > books.maxPrice(book)) return PRICE_TOO_HIGH
    if (isOffTick(books, book, price)) return PRICE_OFF_TICK
  }
  if (quantity < books.minQuantity(book)) return QUANTITY_TOO_SMALL
  if (quantity > books.maxQuantity(book)) return QUANTITY_TOO_LARGE
  return price !== 0 && price * quantity < books.minNotional(book) ? NOTIONAL_TOO_SMALL : 0
}

/** The same for a new order, whose stop price (0: none) has to be within the limits of prices too. */
export function newOrderViolation(
  books: BookTable,
  book: number,
  price: number,
  quantity: number,
  stopPrice: number,
): number {
  const code = limitViolation(books, book, price, quantity)
  if (code !== 0 || stopPrice === 0) return code
  if (stopPrice < books.minPrice(book)) return PRICE_TOO_LOW
  if (stopPrice > books.maxPrice(book)) return PRICE_TOO_HIGH
  return isOffTick(books, book, stopPrice) ? PRICE_OFF_TICK : 0
}

function isOffTick(books: BookTable, book: number, price: number): boolean {
  const table = books.tickTable(book)
  return table !== undefined && !table.has(price)
}

/** Whether an account has as many live orders in a book as it may have, with so many that are about to come. */
export function hasAllOrders(shard: ShardBooks, book: number, account: number, coming = 0): boolean {
  const most = shard.books.maxAccountOrders(book)
  if (most === Number.POSITIVE_INFINITY) return false
  let count = coming
  if (count >= most) return true
  for (let order = shard.accounts.first(book, account); order > 0; order = shard.orders.accountNext(order)) {
    if (++count === most) return true
  }
  return false
}

/** Why a book that takes cancels only takes no order. */
export function haltCode(books: BookTable, book: number): number {
  return books.phase(book) === 'closed' ? rejectCodes.INSTRUMENT_CLOSED : rejectCodes.INSTRUMENT_HALTED
}

/** Changes what an instrument says of itself. Orders that are in its book stay as they are. */
export function changeInstrument(shard: ShardBooks, book: number, words: Int32Array, at: number): void {
  const { books, record } = shard
  const change = decodeInstrumentChange(words, at)
  const details = changedDetails(books.definitions[book]!.details, change)
  // What the command itself states fits together, but the other limit may have been changed before.
  if (crossedLimits(details)) {
    record.rejected(0, rejectCodes.LIMITS_CONFLICT)
    return
  }
  books.setDetails(book, details)
  // The tick table may have changed.
  shard.pegs.inBook(book)?.forgetReferences()
  record.instrumentChanged(details)
}
