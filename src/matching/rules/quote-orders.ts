import { rejectCommand, reportAggressor } from '../book/order-events.js'
import { FLAG_SELL } from '../book/order-store.js'
import type { ShardBooks } from '../book/shard-books.js'
import { flagsOf, NEW_SELL, readU64 } from '../codec/command-layout.js'
import { limits } from '../codec/limits.js'
import {
  bandActionCodes,
  cancelReasons,
  eventKinds,
  rejectCodes,
  selfTradePreventionCodes,
} from '../codec/names.js'
import { cross } from './crossing.js'
import { isOwn } from './fills.js'
import { limitViolation } from './instrument-rules.js'
import { endsAtBand, highestTrade, lowestTrade } from './price-bands.js'

const NONE = selfTradePreventionCodes.none
const CANCEL_OLDEST = selfTradePreventionCodes['cancel-oldest']
const DECREMENT = selfTradePreventionCodes.decrement

/** What a market order for an amount of the quote asset comes to, as `planQuoteOrder` has found. */
const quotePlan = {
  /** The quantity that it trades as. */
  lots: 0,
  /** It would continue at a price outside the bands. */
  isBanded: false,
}

/**
 * Finds the quantity as which a market order for so many ticks times lots trades: at each price as many whole lots as what is left
 * of the amount pays for, until one more costs more than what is left. Where the other side ends before, what the rest would pay for at its last
 * price counts too, and at a price outside the bands: it will be what remains. Under the modes of self-trade prevention that end
 * the order when it meets an own one, the lots at the price of the first own one are the last: matching ends there.
 */
function planQuoteOrder(
  shard: ShardBooks,
  book: number,
  sell: number,
  amount: number,
  account: number,
  prevention: number,
): void {
  const { levels, books } = shard
  const low = books.isBanded(book) ? lowestTrade(books, book) : 0
  const high = books.isBanded(book) ? highestTrade(books, book) : limits.maxPriceTicks
  const passesOwn = prevention === CANCEL_OLDEST
  const endsAtOwn = prevention !== NONE && prevention !== CANCEL_OLDEST && prevention !== DECREMENT
  let left = amount
  quotePlan.lots = 0
  quotePlan.isBanded = false
  let lastPrice = 0
  for (let level = levels.best(book * 4 + (sell ^ FLAG_SELL)); level !== 0; level = levels.worse(level)) {
    const price = levels.price(level)
    const affordable = (left - (left % price)) / price
    // Own orders outside the bands stop it as well: matching would not come to them.
    if (price < low || price > high) {
      quotePlan.lots += affordable
      quotePlan.isBanded = affordable !== 0
      return
    }
    const there = passesOwn ? openOfOthers(shard, level, account) : levels.shown(level) + levels.hidden(level)
    if (there === 0) continue
    if (affordable === 0) return
    if (endsAtOwn && hasOwn(shard, level, account)) {
      quotePlan.lots += affordable
      return
    }
    const taken = Math.min(affordable, there)
    quotePlan.lots += taken
    left -= taken * price
    if (taken < there) return
    lastPrice = price
  }
  if (lastPrice !== 0) quotePlan.lots += (left - (left % lastPrice)) / lastPrice
}

function hasOwn(shard: ShardBooks, level: number, account: number): boolean {
  const { levels, orders } = shard
  for (let order = levels.head(level); order !== 0; order = orders.next(order))
    if (isOwn(shard, order, account)) return true
  return false
}

function openOfOthers(shard: ShardBooks, level: number, account: number): number {
  const { levels, orders } = shard
  let open = 0
  for (let order = levels.head(level); order !== 0; order = orders.next(order))
    if (!isOwn(shard, order, account)) open += orders.open(order)
  return open
}

/**
 * Handles the new order at `at` for an amount of the quote asset, which passed the checks before those of quantities. It is a market
 * order for the quantity that was found, which is written into the command.
 */
export function placeQuoteOrder(
  shard: ShardBooks,
  book: number,
  words: Int32Array,
  at: number,
  units: number,
  prevention: number,
): void {
  const { books, record } = shard
  const sell = flagsOf(words, at) & NEW_SELL
  const account = words[at + 4]! >>> 0
  const unit = books.quoteUnit(book)
  const amount = (units - (units % unit)) / unit
  planQuoteOrder(shard, book, sell, amount, account, prevention)
  const { lots, isBanded } = quotePlan
  const isRefused = isBanded && books.bandAction(book) === bandActionCodes.refuse
  const code = quoteViolation(shard, book, amount, lots) || (isRefused ? rejectCodes.PRICE_OUTSIDE_BAND : 0)
  if (code !== 0) {
    rejectCommand(shard, words, at, code)
    return
  }
  words[at + 8] = lots | 0
  words[at + 9] = (lots / 4294967296) | 0
  const id = readU64(words, at + 2)
  record.accepted(account)
  books.noteOrderId(book, words[at + 2]!, words[at + 3]!)
  shard.aggressorStopped = false
  const remaining = lots === 0 ? 0 : cross(shard, book, sell, 0, lots, id, account, prevention)
  const isStopped = shard.aggressorStopped
  if (remaining === 0 && lots !== 0) return
  if (isBanded) endsAtBand(shard, book, false)
  const reason = isStopped ? 'self-trade' : isBanded ? 'band' : 'market'
  reportAggressor(shard, eventKinds.cancelled, sell, account, remaining, cancelReasons[reason])
}

/** The code with which the amount, or what it comes to, is outside the limits of the instrument; 0 when it is not. */
function quoteViolation({ books }: ShardBooks, book: number, amount: number, lots: number): number {
  if (!books.isLimited(book)) return 0
  if (amount < books.minNotional(book)) return rejectCodes.NOTIONAL_TOO_SMALL
  return lots === 0 ? 0 : limitViolation(books, book, 0, lots)
}
