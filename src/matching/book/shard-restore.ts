import { readU64 } from '../codec/command-layout.js'
import { decodeInstrument, type InstrumentDefinition } from '../codec/instrument-record.js'
import { selfTradePreventionCodes } from '../codec/names.js'
import { orderFields, TRAIT_FILLED, TRAIT_SELL, TRAIT_WAITING } from './order-store.js'
import { LADDER_ASKS, LADDER_BIDS, LADDER_BUY_STOPS, LADDER_SELL_STOPS, levelFields } from './price-levels.js'
import { recordMask } from './record-masks.js'
import { canExpire, type ShardBooks } from './shard-books.js'
import {
  BOOK_HEAD_WORDS,
  type CopyCounts,
  copyKinds,
  EXTENDED_WORDS,
  KIND_SHIFT,
  ORDER_WORDS,
  REQUEST_WORDS,
} from './shard-copy.js'

// Copied because V8 folds a module's own constants only; an imported one is loaded each time.
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
const ACCOUNT_NEXT = orderFields.accountNext
const ACCOUNT_PREVIOUS = orderFields.accountPrevious
const LEVEL_COUNT = levelFields.count
const LEVEL_SHOWN = levelFields.shown
const LEVEL_HIDDEN = levelFields.hidden
const RECORD = recordMask

/**
 * Makes the books of a copy in a shard: all of them, or those that belong here. `add` takes the copy's records as they
 * come, in pieces that hold whole records; `finish` links the orders to each other, to their levels and to their
 * accounts. Until `finish` returns, the shard must not be used. Each step is one pass over memory from its beginning to its
 * end, whatever order the records came in, so that millions of orders take a fraction of a second.
 */
export class ShardRestore {
  readonly #shard: ShardBooks
  readonly #counts: CopyCounts
  readonly #takes: (instrumentId: number) => boolean
  readonly #firstOrder: number
  readonly #firstLevel: number
  /** From the numbers in the copy to those here; 0: not there. */
  readonly #orderOf: Int32Array
  readonly #levelOf: Int32Array
  #orders = 0
  #books = 0
  #passedOver = 0

  constructor(shard: ShardBooks, counts: CopyCounts, takes: (instrumentId: number) => boolean) {
    this.#shard = shard
    this.#counts = counts
    this.#takes = takes
    this.#firstOrder = shard.orders.used
    this.#firstLevel = shard.levels.used
    this.#orderOf = new Int32Array(counts.orderNumbers)
    this.#levelOf = new Int32Array(counts.levelNumbers)
  }

  /** Makes room for all orders of the copy, when all its books belong here. */
  reserve(): void {
    this.#shard.orders.reserve(this.#counts.orders)
  }

  /** Takes the records in `words` up to `end`. */
  add(words: Int32Array, end: number): void {
    for (let at = 0; at < end; ) {
      const kind = words[at]! >>> KIND_SHIFT
      if (kind === copyKinds.order) this.#addOrder(words, at)
      else if (kind === copyKinds.extended) this.#addExtended(words, at)
      else if (kind === copyKinds.request) this.#addRequest(words, at)
      else if (kind === copyKinds.book) this.#addBook(words, at)
      at += recordWords(words, at)
    }
  }

  finish(): void {
    const { orders, accounts, index, levels } = this.#shard
    const { books, orders: copied } = this.#counts
    if (this.#books + this.#passedOver !== books || (this.#passedOver === 0 && this.#orders !== copied)) {
      throw new Error(
        `The copy of the books is inconsistent: it has ${this.#books + this.#passedOver} books and ${this.#orders} orders, not ${books} and ${copied}.`,
      )
    }
    const last = orders.used - 1
    this.#linkOrders(last)
    this.#linkLevels(last)
    index.insertAll(this.#firstOrder, last)
    accounts.restore(this.#firstOrder, last)
    levels.linkRestored(this.#firstLevel)
  }

  #addBook(words: Int32Array, at: number): void {
    const { books, levels } = this.#shard
    const definition = decodeInstrument(words, at + BOOK_HEAD_WORDS)
    if (!this.#takes(definition.instrumentId)) {
      this.#passedOver++
      return
    }
    this.#books++
    const book = books.add(definition, selfTradePreventionCodes[definition.selfTradePrevention])
    levels.reserveBooks(books.size)
    books.setHalted(book, words[at + 2] === 1)
    books.restoreTrades(book, readU64(words, at + 4), readU64(words, at + 6))
  }

  /** Returns the order's record, or 0 when its book does not belong here. */
  #addOrder(words: Int32Array, at: number): number {
    const { books, orders } = this.#shard
    const book = books.find(words[at + 1]! >>> 0)
    if (book < 0) return 0
    const order = orders.allocate()
    const number = words[at]! & RECORD
    if (this.#orderOf[number] !== 0) {
      throw new Error(`The copy of the books is inconsistent: it has order number ${number} twice.`)
    }
    this.#orderOf[number] = order
    this.#orders++
    const { i32, f64 } = orders
    const base = order << 4
    const traits = words[at + 3]!
    const open = (words[at + 8]! >>> 0) + words[at + 9]! * 4294967296
    const shown = (words[at + 10]! >>> 0) + words[at + 11]! * 4294967296
    i32[base + ID] = words[at + 4]!
    i32[base + ID + 1] = words[at + 5]!
    i32[base + PRICE] = words[at + 6]!
    i32[base + PRICE + 1] = words[at + 7]!
    f64[(order << 3) + OPEN] = open
    f64[(order << 3) + SHOWN] = shown
    i32[base + NEXT] = words[at + 13]!
    i32[base + PREVIOUS] = 0
    i32[base + ACCOUNT] = words[at + 2]!
    i32[base + TRAITS] = traits
    i32[base + ACCOUNT_NEXT] = words[at + 14]!
    i32[base + ACCOUNT_PREVIOUS] = 0
    i32[base + BOOK] = book
    const level = this.#levelOf[words[at + 12]!]! || this.#makeLevel(words, at, book, traits)
    i32[base + LEVEL] = level
    const { levels } = this.#shard
    levels.i32[(level << 4) + LEVEL_COUNT]! += 1
    levels.f64[(level << 3) + LEVEL_SHOWN]! += shown
    levels.f64[(level << 3) + LEVEL_HIDDEN]! += open - shown
    if (canExpire(traits)) books.addExpiring(book, 1)
    return order
  }

  #addExtended(words: Int32Array, at: number): void {
    const order = this.#addOrder(words, at)
    if (order === 0) return
    const { orders, books } = this.#shard
    const traits = words[at + 3]!
    const extension = at + ORDER_WORDS
    orders.setDisplayQuantity(order, readU64(words, extension))
    orders.setStopPrice(order, readU64(words, extension + 2))
    orders.setExpireTime(order, readU64(words, extension + 4))
    if ((traits & TRAIT_FILLED) !== 0) {
      // `addFilled` adds to what is there, which in a fresh record is nothing that counts.
      orders.setTraits(order, traits & ~TRAIT_FILLED)
      orders.addFilled(order, readU64(words, extension + 6))
    }
    if ((traits & TRAIT_WAITING) !== 0) books.addStops(orders.book(order), 1)
  }

  #addRequest(words: Int32Array, at: number): void {
    const { books, requests } = this.#shard
    const book = books.find(words[at + 1]! >>> 0)
    if (book < 0) return
    requests.restore(book, words[at + 2]! >>> 0, {
      requestId: readU64(words, at + 8),
      bodyA: words[at + 5]!,
      bodyB: words[at + 6]!,
      status: words[at + 3]!,
      code: words[at + 4]!,
      filled: readU64(words, at + 10) - 1,
      remaining: readU64(words, at + 12) - 1,
      lsn: readU64(words, at + 14),
      copy: 0,
    })
  }

  /** The level of the first of its orders that came. Its price is the order's, or the stop price of one that waits. */
  #makeLevel(words: Int32Array, at: number, book: number, traits: number): number {
    const sells = (traits & TRAIT_SELL) !== 0
    const waits = (traits & TRAIT_WAITING) !== 0
    const resting = sells ? LADDER_ASKS : LADDER_BIDS
    const waiting = sells ? LADDER_SELL_STOPS : LADDER_BUY_STOPS
    const price = readU64(words, waits ? at + ORDER_WORDS + 2 : at + 6)
    const level = this.#shard.levels.restore(book * 4 + (waits ? waiting : resting), price)
    this.#levelOf[words[at + 12]!] = level
    return level
  }

  /** Turns the numbers of the copy in the links into those here, and links back. */
  #linkOrders(last: number): void {
    const { i32 } = this.#shard.orders
    const orderOf = this.#orderOf
    for (let order = this.#firstOrder; order <= last; order++) {
      const base = order << 4
      const next = orderOf[i32[base + NEXT]!]!
      const accountNext = orderOf[i32[base + ACCOUNT_NEXT]!]!
      i32[base + NEXT] = next
      i32[base + ACCOUNT_NEXT] = accountNext
      if (next !== 0) i32[(next << 4) + PREVIOUS] = order
      if (accountNext !== 0) i32[(accountNext << 4) + ACCOUNT_PREVIOUS] = order
    }
  }

  #linkLevels(last: number): void {
    const { i32 } = this.#shard.orders
    const { levels } = this.#shard
    for (let order = this.#firstOrder; order <= last; order++) {
      const base = order << 4
      if (i32[base + PREVIOUS] === 0) levels.setHead(i32[base + LEVEL]!, order)
      if (i32[base + NEXT] === 0) levels.setTail(i32[base + LEVEL]!, order)
    }
  }
}

/** The instruments of those books that stand in a piece of a copy. */
export function copiedInstruments(words: Int32Array, end: number): InstrumentDefinition[] {
  const instruments: InstrumentDefinition[] = []
  for (let at = 0; at < end; ) {
    const kind = words[at]! >>> KIND_SHIFT
    if (kind === copyKinds.book) instruments.push(decodeInstrument(words, at + BOOK_HEAD_WORDS))
    at += recordWords(words, at)
  }
  return instruments
}

function recordWords(words: Int32Array, at: number): number {
  switch (words[at]! >>> KIND_SHIFT) {
    case copyKinds.order:
      return ORDER_WORDS
    case copyKinds.extended:
      return EXTENDED_WORDS
    case copyKinds.request:
      return REQUEST_WORDS
    case copyKinds.book:
      return words[at + 1]!
    default:
      throw new Error(`The copy of the books is inconsistent: word ${at} of a piece begins no record.`)
  }
}
