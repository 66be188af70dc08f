import { overflows } from '../book/level-total.js'
import { cancelQueued, rejectCommand, reportReplaced } from '../book/order-events.js'
import { FLAG_PEGGED, FLAG_SELL } from '../book/order-store.js'
import { type BookPegs, PeggedOrder } from '../book/pegged-orders.js'
import { SIDE_ASKS, SIDE_BIDS } from '../book/price-levels.js'
import type { ShardBooks } from '../book/shard-books.js'
import { readU64 } from '../codec/command-layout.js'
import { limits } from '../codec/limits.js'
import { cancelReasons, pegCodes, rejectCodes, replaceReasons } from '../codec/names.js'
import type { NewOrderFields } from '../codec/new-order-fields.js'
import type { TickTable } from '../codec/tick-table.js'
import { reenter } from './amendments.js'
import { wouldCross } from './crossing.js'
import { limitViolation } from './instrument-rules.js'
import { keepExtras } from './order-extras.js'
import { isRefusedByBand } from './price-bands.js'

const PEGGED = replaceReasons.pegged
const NO_REFERENCE = cancelReasons['no-reference']
const LEVEL_TOTAL = cancelReasons['level-total']
const BAND = cancelReasons.band

/** Handles the new pegged order at `at`, which passed the checks before that of its price. */
export function placePegged(
  shard: ShardBooks,
  book: number,
  words: Int32Array,
  at: number,
  flags: number,
  fields: NewOrderFields,
): void {
  const { books, pegs } = shard
  const sell = flags & FLAG_SELL
  const quantity = readU64(words, at + 8)
  const peg = new PeggedOrder(0, fields.peg, fields.pegOffset, fields.price)
  const bid = reference(shard, book, SIDE_BIDS)
  const ask = reference(shard, book, SIDE_ASKS)
  const price = pegPrice(peg, sell, bid, ask, books.tickTable(book))
  const code = price === 0 ? rejectCodes.NO_PEG_REFERENCE : limitViolation(books, book, price, quantity)
  if (code !== 0) {
    rejectCommand(shard, words, at, code)
    return
  }
  const crosses = wouldCross(shard, book, sell, price)
  if (crosses && isRefusedByBand(shard, book, sell, price, quantity)) {
    rejectCommand(shard, words, at, rejectCodes.PRICE_OUTSIDE_BAND)
    return
  }
  if (!crosses && overflows(shard, book * 4 + sell, price, quantity)) {
    rejectCommand(shard, words, at, rejectCodes.LEVEL_TOTAL_TOO_LARGE)
    return
  }
  shard.record.accepted(words[at + 4]! >>> 0)
  books.noteOrderId(book, words[at + 2]!, words[at + 3]!)
  const order = shard.admit(book, words, at, flags | FLAG_PEGGED)
  keepExtras(shard, order, fields.displayQuantity, fields.expireTime)
  shard.orders.setPrice(order, price)
  peg.order = order
  const inBook = pegs.add(book, peg)
  // All other pegs have been priced from these too.
  inBook.bid = bid
  inBook.ask = ask
  reportReplaced(shard, order, price, quantity, PEGGED)
  reenter(shard, book, order, price, quantity, crosses)
}

/** Prices a book's pegs anew, in their order, if a reference has moved; returns whether it has. */
export function repricePegs(shard: ShardBooks, book: number): boolean {
  const pegs = shard.pegs.inBook(book)
  if (pegs?.first === undefined || !shard.books.isContinuous(book)) return false
  const bid = reference(shard, book, SIDE_BIDS)
  const ask = reference(shard, book, SIDE_ASKS)
  if (bid === pegs.bid && ask === pegs.ask) return false
  pegs.bid = bid
  pegs.ask = ask
  // Those that are re-priced go to the end of the list: the round ends with the peg that is last now, or the last before it that is left.
  const { last } = pegs
  for (
    let peg: PeggedOrder | undefined = pegs.first, end = last!.turn;
    peg !== undefined && peg.turn <= end;
  ) {
    const next: PeggedOrder | undefined = peg.next
    const after: number = next === undefined ? 0 : next.turn
    reprice(shard, book, pegs, peg, bid, ask)
    if (!shard.books.isContinuous(book)) {
      // The band has stopped it and interrupted trading: those after it are looked at when trading continues.
      pegs.forgetReferences()
      return true
    }
    // The trades of this one may have taken the next out of the list.
    peg = next === undefined || next.order !== 0 ? next : firstFrom(pegs, after)
  }
  return true
}

function firstFrom(pegs: BookPegs, turn: number): PeggedOrder | undefined {
  let peg = pegs.first
  while (peg !== undefined && peg.turn < turn) peg = peg.next
  return peg
}

function reprice(
  shard: ShardBooks,
  book: number,
  pegs: BookPegs,
  peg: PeggedOrder,
  bid: number,
  ask: number,
): void {
  const { orders } = shard
  const { order } = peg
  const sell = orders.flags(order) & FLAG_SELL
  const price = pegPrice(peg, sell, bid, ask, shard.books.tickTable(book))
  if (price === orders.price(order)) return
  if (price === 0) {
    cancelQueued(shard, order, NO_REFERENCE)
    return
  }
  const open = orders.open(order)
  const crosses = wouldCross(shard, book, sell, price)
  if (crosses && isRefusedByBand(shard, book, sell, price, open)) {
    cancelQueued(shard, order, BAND)
    return
  }
  if (!crosses && overflows(shard, book * 4 + sell, price, open)) {
    cancelQueued(shard, order, LEVEL_TOTAL)
    return
  }
  reportReplaced(shard, order, price, open, PEGGED)
  orders.setPrice(order, price)
  shard.pegs.unqueued(order)
  shard.dequeue(order)
  pegs.take(peg)
  pegs.append(peg)
  reenter(shard, book, order, price, open, crosses)
}

/** The best price of a side of a book at which an order stands that is not pegged itself; 0 when there is none. */
function reference({ levels, pegs }: ShardBooks, book: number, side: number): number {
  let level = levels.best(book * 4 + side)
  while (level !== 0 && levels.count(level) === pegs.onLevel(level)) level = levels.worse(level)
  return level === 0 ? 0 : levels.price(level)
}

/**
 * What a peg's price is with these references; 0 when it lacks one. The middle, and a price that is not in the instrument's tick
 * table, are rounded away from the other side.
 */
function pegPrice(
  peg: PeggedOrder,
  sell: number,
  bid: number,
  ask: number,
  ticks: TickTable | undefined,
): number {
  let from = (peg.kind === pegCodes.primary) === (sell === 0) ? bid : ask
  if (peg.kind === pegCodes.mid) {
    if (bid === 0 || ask === 0) return 0
    const half = Math.floor((ask - bid) / 2)
    from = sell === 0 ? bid + half : ask - half
  }
  if (from === 0) return 0
  let price = from + peg.offset
  if (peg.limit !== 0) price = sell === 0 ? Math.min(price, peg.limit) : Math.max(price, peg.limit)
  price = Math.min(Math.max(price, 1), limits.maxPriceTicks)
  if (ticks === undefined) return price
  if (sell === 0) return ticks.atOrBelow(price)
  const above = ticks.atOrAbove(price)
  return above > limits.maxPriceTicks ? 0 : above
}
