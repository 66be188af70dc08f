import { readU64 } from './command-layout.js'
import { maxCommandWords } from './command-writer.js'
import { decodeInstrument, encodeInstrument } from './instrument-record.js'
import { selfTradePreventionCodes, timeInForceCodes } from './names.js'
import {
  TRAIT_FILLED,
  TRAIT_ICEBERG,
  TRAIT_TIME_IN_FORCE_SHIFT,
  TRAIT_TYPE_SHIFT,
  TRAIT_WAITING,
} from './order-store.js'
import { LADDER_BUY_STOPS, LADDER_SELL_STOPS } from './price-levels.js'
import { canExpire, type ShardBooks } from './shard-books.js'

/**
 * A book as it is kept in a snapshot; docs/snapshot-format.md has the table. Words of 32 bits, little-endian, u64 as
 * two words:
 *
 * ```
 *  the instrument's command record
 *  halted (0 or 1), orders, last price u64, trades u64
 *  for each order, ladder by ladder in priority order, 20 words:
 *    id u64, price u64, open u64, shown u64, filled u64, display u64, stop price u64, expire time u64,
 *    account, traits, ladder (0 bids, 1 asks, 2 sell stops, 3 buy stops), place among its account's orders
 *  requests, 0
 *  for each account with a request, by ascending account, 14 words:
 *    account, status, code, 0, request id u64, body hash, second body hash, filled + 1 u64, remaining + 1 u64, LSN u64
 * ```
 */
const HEAD_WORDS = 6
const ORDER_WORDS = 20
const REQUEST_WORDS = 14

/** The book's bytes, a copy of everything that decides how it goes on. */
export function saveBook(shard: ShardBooks, book: number): Int32Array {
  const { books, orders, levels } = shard
  const places = new Map<number, number>()
  const sequence: number[] = []
  const ladders: number[] = []
  for (let ladder = 0; ladder < 4; ladder++) {
    for (let level = levels.best(book * 4 + ladder); level !== 0; level = levels.worse(level)) {
      for (let order = levels.head(level); order !== 0; order = orders.next(order)) {
        sequence.push(order)
        ladders.push(ladder)
        if (orders.accountPrevious(order) >= 0) continue
        let place = 0
        for (let own = order; own > 0; own = orders.accountNext(own)) places.set(own, place++)
      }
    }
  }
  const requests = shard.requests.entries(book)
  const ordersWords = sequence.length * ORDER_WORDS
  const words = new Int32Array(
    maxCommandWords + HEAD_WORDS + ordersWords + 2 + requests.length * REQUEST_WORDS,
  )
  let at = encodeInstrument(words, 0, 0, 0, books.definitions[book]!)
  words[at] = books.isHalted(book) ? 1 : 0
  words[at + 1] = sequence.length
  writeU64(words, at + 2, books.lastPrice(book))
  writeU64(words, at + 4, books.trades(book))
  at += HEAD_WORDS
  for (const [i, order] of sequence.entries()) {
    writeU64(words, at, orders.id(order))
    writeU64(words, at + 2, orders.price(order))
    writeU64(words, at + 4, orders.open(order))
    writeU64(words, at + 6, orders.shown(order))
    writeU64(words, at + 8, orders.filled(order))
    const traits = orders.traits(order)
    if ((traits & TRAIT_ICEBERG) !== 0) writeU64(words, at + 10, orders.displayQuantity(order))
    if (((traits >> TRAIT_TYPE_SHIFT) & 2) !== 0) writeU64(words, at + 12, orders.stopPrice(order))
    if (((traits >> TRAIT_TIME_IN_FORCE_SHIFT) & 7) === timeInForceCodes.GTD)
      writeU64(words, at + 14, orders.expireTime(order))
    words[at + 16] = orders.account(order)
    words[at + 17] = traits
    words[at + 18] = ladders[i]!
    words[at + 19] = places.get(order)!
    at += ORDER_WORDS
  }
  words[at] = requests.length
  at += 2
  for (const [account, entry] of requests) {
    words[at] = account
    words[at + 1] = entry.status
    words[at + 2] = entry.code
    writeU64(words, at + 4, entry.requestId)
    words[at + 6] = entry.bodyA
    words[at + 7] = entry.bodyB
    writeU64(words, at + 8, entry.filled + 1)
    writeU64(words, at + 10, entry.remaining + 1)
    writeU64(words, at + 12, entry.lsn)
    at += REQUEST_WORDS
  }
  return words.slice(0, at)
}

/** Makes the book that `saveBook` saved. The shard must not have it yet. */
export function restoreBook(shard: ShardBooks, words: Int32Array): void {
  const { books, levels } = shard
  const definition = decodeInstrument(words, 0)
  const book = books.add(definition, selfTradePreventionCodes[definition.selfTradePrevention])
  levels.reserveBooks(books.size)
  const head = words[0]! >>> 18
  const count = words[head + 1]!
  books.setHalted(book, words[head] === 1)
  books.restoreTrades(book, readU64(words, head + 2), readU64(words, head + 4))
  const first = head + HEAD_WORDS
  // An account's orders are listed in the order in which they were accepted, so they are made in that order.
  const byPlace = Array.from({ length: count }, (_, i) => i)
  byPlace.sort((a, b) => words[first + a * ORDER_WORDS + 19]! - words[first + b * ORDER_WORDS + 19]!)
  const records = new Int32Array(count)
  for (const i of byPlace) records[i] = restoreOrder(shard, book, words, first + i * ORDER_WORDS)
  for (let i = 0; i < count; i++) {
    const at = first + i * ORDER_WORDS
    const ladder = words[at + 18]!
    const waits = ladder === LADDER_SELL_STOPS || ladder === LADDER_BUY_STOPS
    const price = readU64(words, waits ? at + 12 : at + 2)
    shard.enqueue(records[i]!, book * 4 + ladder, price, readU64(words, at + 4), readU64(words, at + 6))
  }
  restoreRequests(shard, book, words, first + count * ORDER_WORDS)
}

function restoreRequests(shard: ShardBooks, book: number, words: Int32Array, from: number): void {
  for (let i = 0; i < words[from]!; i++) {
    const at = from + 2 + i * REQUEST_WORDS
    shard.requests.restore(book, words[at]! >>> 0, {
      requestId: readU64(words, at + 4),
      bodyA: words[at + 6]!,
      bodyB: words[at + 7]!,
      status: words[at + 1]!,
      code: words[at + 2]!,
      filled: readU64(words, at + 8) - 1,
      remaining: readU64(words, at + 10) - 1,
      lsn: readU64(words, at + 12),
    })
  }
}

function restoreOrder(shard: ShardBooks, book: number, words: Int32Array, at: number): number {
  const { orders, books } = shard
  const traits = words[at + 17]!
  const order = orders.allocate()
  orders.restore(order, book, readU64(words, at), readU64(words, at + 2), words[at + 16]!, traits)
  orders.setDisplayQuantity(order, readU64(words, at + 10))
  orders.setStopPrice(order, readU64(words, at + 12))
  orders.setExpireTime(order, readU64(words, at + 14))
  if ((traits & TRAIT_FILLED) !== 0) {
    // `addFilled` adds to what is there, which in a fresh record is whatever its last owner left.
    orders.setTraits(order, traits & ~TRAIT_FILLED)
    orders.addFilled(order, readU64(words, at + 8))
  }
  shard.index.insert(order)
  shard.accounts.add(order, book, words[at + 16]! >>> 0)
  if (canExpire(traits)) books.addExpiring(book, 1)
  if ((traits & TRAIT_WAITING) !== 0) books.addStops(book, 1)
  return order
}

function writeU64(words: Int32Array, at: number, value: number): void {
  words[at] = value | 0
  words[at + 1] = (value / 4294967296) | 0
}
