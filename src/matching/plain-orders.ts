import { cancelReasons, eventKinds, rejectCodes, replaceReasons } from './names.js'
import { orderFields, TRAIT_PREVENTION_SHIFT } from './order-store.js'
import { levelFields } from './price-levels.js'
import type { ShardBooks } from './shard-books.js'

const ACCEPTED = eventKinds.accepted
const CANCELLED = eventKinds.cancelled
const { DUPLICATE_ORDER_ID, LEVEL_TOTAL_TOO_LARGE, UNKNOWN_ORDER } = rejectCodes
const IOC_REST = cancelReasons.ioc
const REQUESTED = cancelReasons.requested
const PREVENTION_SHIFT = TRAIT_PREVENTION_SHIFT
const MAX_LEVEL_TOTAL = Number.MAX_SAFE_INTEGER
const ID = orderFields.id
const PRICE = orderFields.price
const OPEN = orderFields.open
const SHOWN = orderFields.shown
const NEXT = orderFields.next
const PREVIOUS = orderFields.previous
const LEVEL = orderFields.level
const ACCOUNT = orderFields.account
const TRAITS = orderFields.traits
const BOOK = orderFields.book
const KEY = levelFields.key
const LEVEL_SHOWN = levelFields.shown
const LEVEL_HIDDEN = levelFields.hidden
const HEAD = levelFields.head
const TAIL = levelFields.tail
const COUNT = levelFields.count

const WORD = 0x3fffffff
const RECORD = 0x7ffffff

/** Words of a plain new order and of its `accepted` event, of a `cancelled` event, of a `rejected` event. */
const NEW = 12
const CANCEL = 6
const ACCEPTED_WORDS = 2
const CANCELLED_WORDS = 8

/**
 * Handles the plain limit order at `at`, GTC or IOC, if it meets nobody; otherwise does nothing and returns false.
 */
export function placeUncrossed(shard: ShardBooks, book: number, words: Int32Array, from: number): boolean {
  const at = from & WORD
  const { levels, index, group } = shard
  const header = words[at]!
  const sell = (header >>> 8) & 1
  const ladder = (book << 2) | sell
  const price = (words[at + 8]! >>> 0) + (words[at + 9]! >>> 0) * 4294967296
  const opposite = levels.best(ladder ^ 1)
  // Keys are negated on the side of the bids, so one comparison serves both sides.
  if (opposite !== 0 && levels.f64[(opposite << 3) + KEY]! <= price * (1 - (sell << 1))) return false

  const to = group.claim(NEW + ACCEPTED_WORDS) & WORD
  const out = group.i32
  const idLow = words[at + 4]!
  const idHigh = words[at + 5]!
  const account = words[at + 6]!
  const style = words[at + 7]!
  out[to] = header
  out[to + 1] = words[at + 1]!
  out[to + 2] = words[at + 2]!
  out[to + 3] = words[at + 3]!
  out[to + 4] = idLow
  out[to + 5] = idHigh
  out[to + 6] = account
  out[to + 7] = style
  out[to + 8] = words[at + 8]!
  out[to + 9] = words[at + 9]!
  out[to + 10] = words[at + 10]!
  out[to + 11] = words[at + 11]!
  if (index.find(book, idLow, idHigh) !== 0) {
    group.retract(ACCEPTED_WORDS)
    group.rejected(idLow, idHigh, DUPLICATE_ORDER_ID)
    return true
  }
  out[to + 12] = ACCEPTED | (ACCEPTED_WORDS << 18)
  out[to + 13] = 0
  if ((style & 0xff00) !== 0) {
    const end = group.claim(CANCELLED_WORDS) & WORD
    const i32 = group.i32
    i32[end] = CANCELLED | (sell << 8) | (CANCELLED_WORDS << 18)
    i32[end + 1] = IOC_REST
    i32[end + 2] = idLow
    i32[end + 3] = idHigh
    i32[end + 4] = words[at + 8]!
    i32[end + 5] = words[at + 9]!
    i32[end + 6] = words[at + 10]!
    i32[end + 7] = words[at + 11]!
    return true
  }

  const level = levels.obtain(ladder, words, at + 8) & RECORD
  const quantity = (words[at + 10]! >>> 0) + (words[at + 11]! >>> 0) * 4294967296
  const levelWords = levels.i32
  const levelDoubles = levels.f64
  const levelBase = level << 4
  const shownBefore = levelDoubles[(level << 3) | LEVEL_SHOWN]!
  if (shownBefore + levelDoubles[(level << 3) | LEVEL_HIDDEN]! + quantity > MAX_LEVEL_TOTAL) {
    group.retract(ACCEPTED_WORDS)
    group.rejected(idLow, idHigh, LEVEL_TOTAL_TOO_LARGE)
    return true
  }
  const { orders } = shard
  const order = orders.allocate() & RECORD
  index.insertMissed(order)
  const { i32, f64 } = orders
  const base = order << 4
  const tail = levelWords[levelBase | TAIL]! & RECORD
  i32[base | ID] = idLow
  i32[base | (ID + 1)] = idHigh
  i32[base | PRICE] = words[at + 8]!
  i32[base | (PRICE + 1)] = words[at + 9]!
  f64[(order << 3) | OPEN] = quantity
  f64[(order << 3) | SHOWN] = quantity
  i32[base | NEXT] = 0
  i32[base | PREVIOUS] = tail
  i32[base | LEVEL] = level
  i32[base | ACCOUNT] = account
  i32[base | TRAITS] = sell | (((style >>> 16) & 0xff) << PREVENTION_SHIFT)
  i32[base | BOOK] = book
  if (tail === 0) levelWords[levelBase | HEAD] = order
  else i32[(tail << 4) | NEXT] = order
  levelWords[levelBase | TAIL] = order
  levelWords[levelBase | COUNT]! += 1
  levelDoubles[(level << 3) | LEVEL_SHOWN] = shownBefore + quantity
  shard.accounts.add(order, book, account)
  return true
}

/** Handles the cancel at `at` that states no account, whatever its order. */
export function cancelPlain(shard: ShardBooks, book: number, words: Int32Array, from: number): void {
  const at = from & WORD
  const { index, group, orders } = shard
  const to = group.claim(CANCEL + CANCELLED_WORDS) & WORD
  const out = group.i32
  const idLow = words[at + 4]!
  const idHigh = words[at + 5]!
  out[to] = words[at]!
  out[to + 1] = words[at + 1]!
  out[to + 2] = words[at + 2]!
  out[to + 3] = words[at + 3]!
  out[to + 4] = idLow
  out[to + 5] = idHigh
  const order = index.find(book, idLow, idHigh) & RECORD
  if (order === 0) {
    group.retract(CANCELLED_WORDS)
    group.rejected(idLow, idHigh, UNKNOWN_ORDER)
    return
  }
  const record = orders.i32
  const base = order << 4
  const open = orders.f64[(order << 3) | OPEN]!
  out[to + 6] = CANCELLED | ((record[base | TRAITS]! & 1) << 8) | (CANCELLED_WORDS << 18)
  out[to + 7] = REQUESTED
  out[to + 8] = idLow
  out[to + 9] = idHigh
  out[to + 10] = record[base | PRICE]!
  out[to + 11] = record[base | (PRICE + 1)]!
  out[to + 12] = open | 0
  out[to + 13] = (open / 4294967296) | 0
  shard.discard(order)
}
void replaceReasons
