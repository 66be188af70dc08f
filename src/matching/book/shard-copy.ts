import { assert } from '../../base/assert.js'
import { clientOrderIdWordsMax, writeClientOrderId } from '../codec/client-order-id.js'
import { PEG_OFFSET_IS_NEGATIVE } from '../codec/command-layout.js'
import { maxCommandWords } from '../codec/command-writer.js'
import { encodeInstrument } from '../codec/instrument-record.js'
import { phaseCodes, timeInForceCodes } from '../codec/names.js'
import { isConditional } from '../codec/order-types.js'
import {
  FLAG_CLIENT_ID,
  FLAG_FILLED,
  FLAG_ICEBERG,
  FLAG_LISTED,
  FLAG_PEGGED,
  FLAG_SELF_TRADE_GROUP,
  FLAG_TIME_IN_FORCE_SHIFT,
  FLAG_TRAILING,
  FLAG_WAITING,
  orderFields,
  typeOf,
} from './order-store.js'
import { recordsMax } from './record-masks.js'
import type { RequestEntry } from './request-ledger.js'
import type { ShardBooks } from './shard-books.js'

/**
 * The records of a copy, in words of 32 bits; u64 are two words, the low one first. The upper five bits of the first word
 * say the kind, the others a number. docs/snapshot-format.md has the tables.
 *
 * ```
 *  book      number, words of this record, phase, its options, last price u64, trades u64, highest order id u64, the instrument's
 *            command record
 *  order     number, instrument id, account, flags, id u64, price u64, open u64, shown u64, level, number of the next in
 *            its level, number of the next of its account in this book, 0
 *  extended  the same, then display u64, stop price u64, expire time u64, filled u64
 *  request   0, instrument id, account, status, code, body hash, second body hash, 0, request id u64, filled + 1 u64,
 *            remaining + 1 u64, LSN u64, order id u64
 *  bust      0, instrument id, id u64 of a trade that was busted
 *  trail     number of an order that stands before, 1 when the distance is in basis points, distance u64, reference u64 (0: does not
 *            track), number of its beginning u64
 *  peg       number of an order that stands before, what it is pegged to (256: the offset is negative), offset u64, limit u64,
 *            its turn u64
 *  group     number of an order that stands before, its self-trade group
 *  blocked   0, instrument id of a book that stands before, account that is blocked there, 0
 *  leg       number of an order that stands before, type of its list | place in it << 8, id of the list u64
 *  client    number of an order that stands before, 0, its client order id as in commands, zeros up to the longest
 * ```
 */
export const copyKinds = {
  book: 1,
  order: 2,
  extended: 3,
  request: 4,
  client: 5,
  bust: 6,
  trail: 7,
  blocked: 8,
  group: 9,
  leg: 10,
  peg: 11,
} as const
export const KIND_SHIFT = 27
export const BOOK_HEAD_WORDS = 10
export const ORDER_WORDS = 16
export const EXTENDED_WORDS = 24
export const REQUEST_WORDS = 18
export const BUST_WORDS = 4
export const BLOCKED_WORDS = 4
export const GROUP_WORDS = 2
export const PEG_WORDS = 8
/** Of a client order id, the longest. */
export const CLIENT_WORDS = 2 + clientOrderIdWordsMax
export const TRAIL_WORDS = 8
export const LEG_WORDS = 4
/** No record of a copy is longer. */
export const copyRecordWordsMax = BOOK_HEAD_WORDS + maxCommandWords

/** How many records one step looks at. A book counts as several, by its length. */
export const copyStepRecords = 2048

/** Where a copy goes. */
export interface CopyTarget {
  /** Takes the words that were filled, and gives room for at least `copyRecordWordsMax` more. */
  swap(filledWords: number): Int32Array
  /** Takes the words that were filled since the last `swap`. It is the last call. */
  finish(filledWords: number): void
}

/** How much a copy holds. A restore makes room for it. */
export interface CopyCounts {
  /** How many books. */
  readonly books: number
  /** How many live orders. */
  readonly orders: number
  /** Numbers of orders, and of levels, are below these. */
  readonly orderNumbers: number
  /** Numbers of levels are below this. */
  readonly levelNumbers: number
}

const ID = orderFields.id
const PRICE = orderFields.price
const OPEN = orderFields.open
const SHOWN = orderFields.shown
const NEXT = orderFields.next
const LEVEL = orderFields.level
const ACCOUNT = orderFields.account
const FLAGS = orderFields.flags
const ACCOUNT_NEXT = orderFields.accountNext
const BOOK = orderFields.book
const GTD = timeInForceCodes.GTD
const BOOK_KIND = copyKinds.book << KIND_SHIFT
const ORDER_KIND = copyKinds.order << KIND_SHIFT
const EXTENDED_KIND = copyKinds.extended << KIND_SHIFT
const REQUEST_KIND = copyKinds.request << KIND_SHIFT
const LEG_KIND = copyKinds.leg << KIND_SHIFT
const TRAIL_KIND = copyKinds.trail << KIND_SHIFT
const CLIENT_KIND = copyKinds.client << KIND_SHIFT
const BUST_KIND = copyKinds.bust << KIND_SHIFT
const BLOCKED_KIND = copyKinds.blocked << KIND_SHIFT
const GROUP_KIND = copyKinds.group << KIND_SHIFT
const PEG_KIND = copyKinds.peg << KIND_SHIFT

/**
 * Copies all books of a shard as they were when the copy began, a step at a time, while commands are executed between
 * the steps. A step copies the next records by number. A record that a command is about to change before its turn is
 * copied ahead, once. So the work of a step is bounded, and so is what a command copies for each order that it touches.
 * Queues are not walked: an order is copied with its links, and a restore links the orders again.
 *
 * A book comes before everything that belongs to it; beyond that, records come in no particular order.
 */
export class ShardCopy {
  /** How much there is to copy. */
  readonly counts: CopyCounts
  readonly #shard: ShardBooks
  readonly #target: CopyTarget
  readonly #ordersCopied: Uint8Array
  readonly #booksCopied: Uint8Array
  readonly #number: number
  #words: Int32Array
  #at = 0
  #nextBook = 0
  #nextOrder = 1
  #nextRequestBook = 0
  #requests: IterableIterator<[account: number, entry: RequestEntry]> | undefined
  #running = true
  #orders = 0
  /** Records that were copied ahead of a change; for statistics and tests. */
  ahead = 0

  constructor(shard: ShardBooks, target: CopyTarget) {
    const { orders, books, requests } = shard
    assert(orders.keeper === undefined, 'a shard is copied once at a time', () => ({
      copies: requests.copies,
    }))
    this.#shard = shard
    this.#target = target
    this.counts = {
      books: books.size,
      orders: shard.index.size,
      orderNumbers: orders.used,
      levelNumbers: shard.levels.used,
    }
    this.#ordersCopied = new Uint8Array(this.counts.orderNumbers)
    this.#booksCopied = new Uint8Array(this.counts.books)
    this.#words = target.swap(0)
    this.#number = ++requests.copies
    orders.keeper = this
    orders.copyFrom = 1
    books.keeper = this
    requests.keeper = this
  }

  /** Copies the next records. Returns true when everything was copied; then the target's `finish` was called. */
  step(records = copyStepRecords): boolean {
    if (!this.#running) return true
    const left = this.#stepRequests(this.#stepOrders(this.#stepBooks(records)))
    if (left <= 0) return false
    assert(
      this.#orders === this.counts.orders,
      'a copy has every order that lived when it began, once',
      () => ({ copied: this.#orders, lived: this.counts.orders }),
    )
    this.stop()
    this.#target.finish(this.#at)
    return true
  }

  /** Ends the copy, complete or not. After that, commands copy nothing ahead. */
  stop(): void {
    if (!this.#running) return
    this.#running = false
    const { orders, books, requests } = this.#shard
    orders.copyFrom = recordsMax
    orders.keeper = undefined
    books.keeper = undefined
    requests.keeper = undefined
  }

  /** Copies what a book says of itself before it changes. */
  keepBook(book: number): void {
    if (book < this.#nextBook || book >= this.counts.books || this.#booksCopied[book] !== 0) return
    this.#booksCopied[book] = 1
    this.ahead++
    this.#copyBook(book)
  }

  /** Copies an order before it changes. */
  keepOrder(order: number): void {
    if (order >= this.counts.orderNumbers || this.#ordersCopied[order] !== 0) return
    // A record that was free when the copy began counts as copied: the order that gets it now is not in the copy.
    this.#ordersCopied[order] = 1
    const { i32 } = this.#shard.orders
    if (i32[(order << 4) + LEVEL] === 0) return
    this.keepBook(i32[(order << 4) + BOOK]!)
    this.ahead++
    this.#copyOrder(order)
  }

  /** Copies the last request of an account before another takes its place. */
  keepRequest(book: number, account: number, entry: RequestEntry): void {
    if (entry.copy === this.#number) return
    this.keepBook(book)
    this.ahead++
    this.#copyRequest(book, account, entry)
  }

  #stepBooks(records: number): number {
    const { books } = this.counts
    let left = records
    while (this.#nextBook < books && left > 0) {
      const book = this.#nextBook++
      if (this.#booksCopied[book] === 0) left -= this.#copyBook(book) / ORDER_WORDS
      left -= 1
    }
    return left
  }

  #stepOrders(records: number): number {
    if (records <= 0) return records
    const { orders } = this.#shard
    const { i32 } = orders
    const first = this.#nextOrder
    const end = Math.min(this.counts.orderNumbers, first + Math.ceil(records))
    for (let order = first; order < end; order++) {
      if (this.#ordersCopied[order] === 0 && i32[(order << 4) + LEVEL] !== 0) this.#copyOrder(order)
    }
    this.#nextOrder = end
    orders.copyFrom = end < this.counts.orderNumbers ? end : recordsMax
    return records - (end - first)
  }

  #stepRequests(records: number): number {
    const { requests } = this.#shard
    let left = records
    while (left > 0 && this.#nextRequestBook < this.counts.books) {
      const book = this.#nextRequestBook
      this.#requests ??= requests.iterate(book)
      const next = this.#requests?.next()
      left -= 1
      if (next === undefined || next.done) {
        this.#requests = undefined
        this.#nextRequestBook++
        continue
      }
      const [account, entry] = next.value
      if (entry.copy === this.#number) continue
      this.#copyRequest(book, account, entry)
    }
    return left
  }

  /** Returns the words that the book took. */
  #copyBook(book: number): number {
    const { books } = this.#shard
    const at = this.#room(copyRecordWordsMax)
    const words = this.#words
    const used =
      BOOK_HEAD_WORDS + encodeInstrument(words, at + BOOK_HEAD_WORDS, 0, 0, books.definitions[book]!)
    words[at] = BOOK_KIND | book
    words[at + 1] = used
    words[at + 2] = phaseCodes[books.phase(book)]
    words[at + 3] = books.phaseOptions(book)
    writeU64(words, at + 4, books.lastPrice(book))
    writeU64(words, at + 6, books.trades(book))
    writeU64(words, at + 8, books.highestOrderId(book))
    this.#at = at + used
    return used + this.#copyBusts(book) + this.#copyBlocked(book)
  }

  /** Returns the words that they took. */
  #copyBusts(book: number): number {
    const { books, busts } = this.#shard
    const ids = busts.list(book)
    for (const tradeId of ids) {
      const at = this.#room(BUST_WORDS)
      const words = this.#words
      words[at] = BUST_KIND
      words[at + 1] = books.instrumentId(book)
      writeU64(words, at + 2, tradeId)
      this.#at = at + BUST_WORDS
    }
    return ids.length * BUST_WORDS
  }

  /** Returns the words that the accounts that are blocked in a book took. */
  #copyBlocked(book: number): number {
    const { books, blocked } = this.#shard
    if (!books.isBlocking(book)) return 0
    const accounts = blocked.of(book)
    for (const account of accounts) {
      const at = this.#room(BLOCKED_WORDS)
      const words = this.#words
      words[at] = BLOCKED_KIND
      words[at + 1] = books.instrumentId(book)
      words[at + 2] = account
      words[at + 3] = 0
      this.#at = at + BLOCKED_WORDS
    }
    return accounts.length * BLOCKED_WORDS
  }

  #copyOrder(order: number): void {
    this.#orders++
    const { orders, books } = this.#shard
    const { i32, f64 } = orders
    const base = order << 4
    const flags = i32[base + FLAGS]!
    const isExtended =
      (flags & (FLAG_ICEBERG | FLAG_FILLED | FLAG_WAITING)) !== 0 ||
      isConditional(typeOf(flags)) ||
      ((flags >> FLAG_TIME_IN_FORCE_SHIFT) & 7) === GTD
    const used = isExtended ? EXTENDED_WORDS : ORDER_WORDS
    const at = this.#room(used)
    const words = this.#words
    const accountNext = i32[base + ACCOUNT_NEXT]!
    const open = f64[(order << 3) + OPEN]!
    const shown = f64[(order << 3) + SHOWN]!
    words[at] = (isExtended ? EXTENDED_KIND : ORDER_KIND) | order
    words[at + 1] = books.instrumentId(i32[base + BOOK]!)
    words[at + 2] = i32[base + ACCOUNT]!
    words[at + 3] = flags
    words[at + 4] = i32[base + ID]!
    words[at + 5] = i32[base + ID + 1]!
    words[at + 6] = i32[base + PRICE]!
    words[at + 7] = i32[base + PRICE + 1]!
    words[at + 8] = open | 0
    words[at + 9] = (open / 4294967296) | 0
    words[at + 10] = shown | 0
    words[at + 11] = (shown / 4294967296) | 0
    words[at + 12] = i32[base + LEVEL]!
    words[at + 13] = i32[base + NEXT]!
    words[at + 14] = accountNext < 0 ? 0 : accountNext
    words[at + 15] = 0
    if (isExtended) this.#copyExtension(order, flags, at + ORDER_WORDS)
    this.#at = at + used
    if ((flags & FLAG_CLIENT_ID) !== 0) this.#copyClientId(order)
    if ((flags & FLAG_SELF_TRADE_GROUP) !== 0) this.#copyGroup(order)
    if ((flags & FLAG_PEGGED) !== 0) this.#copyPeg(order)
    if ((flags & FLAG_TRAILING) !== 0) this.#copyTrail(order)
    if ((flags & FLAG_LISTED) !== 0) this.#copyLeg(order)
  }

  #copyLeg(order: number): void {
    const at = this.#room(LEG_WORDS)
    const words = this.#words
    const list = this.#shard.lists.of(order)
    words[at] = LEG_KIND | order
    words[at + 1] = list.type | (list.legs.indexOf(order) << 8)
    writeU64(words, at + 2, list.id)
    this.#at = at + LEG_WORDS
  }

  #copyTrail(order: number): void {
    const at = this.#room(TRAIL_WORDS)
    const words = this.#words
    const { trails } = this.#shard
    const slot = trails.slotOf(order)
    words[at] = TRAIL_KIND | order
    words[at + 1] = trails.isInBasisPoints(slot) ? 1 : 0
    writeU64(words, at + 2, trails.distance(slot))
    writeU64(words, at + 4, trails.reference(slot))
    writeU64(words, at + 6, trails.reference(slot) === 0 ? 0 : trails.beginning(slot))
    this.#at = at + TRAIL_WORDS
  }

  #copyClientId(order: number): void {
    const at = this.#room(CLIENT_WORDS)
    const words = this.#words
    words.fill(0, at, at + CLIENT_WORDS)
    words[at] = CLIENT_KIND | order
    writeClientOrderId(words, at + 2, this.#shard.clients.idOf(order))
    this.#at = at + CLIENT_WORDS
  }

  #copyPeg(order: number): void {
    const at = this.#room(PEG_WORDS)
    const words = this.#words
    const { kind, offset, limit, turn } = this.#shard.pegs.of(order)
    words[at] = PEG_KIND | order
    words[at + 1] = offset < 0 ? kind | PEG_OFFSET_IS_NEGATIVE : kind
    writeU64(words, at + 2, Math.abs(offset))
    writeU64(words, at + 4, limit)
    writeU64(words, at + 6, turn)
    this.#at = at + PEG_WORDS
  }

  #copyGroup(order: number): void {
    const at = this.#room(GROUP_WORDS)
    this.#words[at] = GROUP_KIND | order
    this.#words[at + 1] = this.#shard.groups.of(order)
    this.#at = at + GROUP_WORDS
  }

  #copyExtension(order: number, flags: number, at: number): void {
    const { orders } = this.#shard
    const words = this.#words
    const isGtd = ((flags >> FLAG_TIME_IN_FORCE_SHIFT) & 7) === GTD
    const hasStopPrice = (flags & FLAG_WAITING) !== 0 || isConditional(typeOf(flags))
    writeU64(words, at, (flags & FLAG_ICEBERG) === 0 ? 0 : orders.displayQuantity(order))
    writeU64(words, at + 2, hasStopPrice ? orders.stopPrice(order) : 0)
    writeU64(words, at + 4, isGtd ? orders.expireTime(order) : 0)
    writeU64(words, at + 6, orders.filled(order))
  }

  #copyRequest(book: number, account: number, entry: RequestEntry): void {
    entry.copy = this.#number
    const at = this.#room(REQUEST_WORDS)
    const words = this.#words
    words[at] = REQUEST_KIND
    words[at + 1] = this.#shard.books.instrumentId(book)
    words[at + 2] = account
    words[at + 3] = entry.status
    words[at + 4] = entry.code
    words[at + 5] = entry.bodyA
    words[at + 6] = entry.bodyB
    words[at + 7] = 0
    writeU64(words, at + 8, entry.requestId)
    writeU64(words, at + 10, entry.filled + 1)
    writeU64(words, at + 12, entry.remaining + 1)
    writeU64(words, at + 14, entry.lsn)
    writeU64(words, at + 16, entry.orderId)
    this.#at = at + REQUEST_WORDS
  }

  /** Where so many words may be written. */
  #room(words: number): number {
    if (this.#at + words > this.#words.length) {
      this.#words = this.#target.swap(this.#at)
      this.#at = 0
    }
    return this.#at
  }
}

function writeU64(words: Int32Array, at: number, value: number): void {
  words[at] = value | 0
  words[at + 1] = (value / 4294967296) | 0
}
