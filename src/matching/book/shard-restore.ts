import { assert, broken } from '../../base/assert.js'
import { readClientOrderId } from '../codec/client-order-id.js'
import { PEG_OFFSET_IS_NEGATIVE, readU64 } from '../codec/command-layout.js'
import { decodeInstrument, type InstrumentDefinition } from '../codec/instrument-record.js'
import { selfTradePreventionCodes } from '../codec/names.js'
import { levelFields } from './level-store.js'
import { FLAG_FILLED, FLAG_SELL, FLAG_WAITING, orderFields } from './order-store.js'
import { PeggedOrder } from './pegged-orders.js'
import { SIDE_ASKS, SIDE_BIDS } from './price-levels.js'
import { queuePrice } from './queue-price.js'
import { recordMask } from './record-masks.js'
import { canExpire, type ShardBooks } from './shard-books.js'
import {
  BLOCKED_WORDS,
  BOOK_HEAD_WORDS,
  BUST_WORDS,
  CLIENT_WORDS,
  type CopyCounts,
  copyKinds,
  EXTENDED_WORDS,
  GROUP_WORDS,
  KIND_SHIFT,
  LEG_WORDS,
  ORDER_WORDS,
  PEG_WORDS,
  REQUEST_WORDS,
  TRAIL_WORDS,
} from './shard-copy.js'
import { touchedWords } from './touched-words.js'
import { waitingPrice, waitingSide } from './waiting-orders.js'

// Copied because V8 folds a module's own constants only; an imported one is loaded each time.
const ID = orderFields.id
const PRICE = orderFields.price
const OPEN = orderFields.open
const SHOWN = orderFields.shown
const NEXT = orderFields.next
const PREVIOUS = orderFields.previous
const LEVEL = orderFields.level
const ACCOUNT = orderFields.account
const FLAGS = orderFields.flags
const BOOK = orderFields.book
const ACCOUNT_NEXT = orderFields.accountNext
const ACCOUNT_PREVIOUS = orderFields.accountPrevious
const LEVEL_COUNT = levelFields.count
const LEVEL_SHOWN = levelFields.shown
const LEVEL_HIDDEN = levelFields.hidden
const LEVEL_TAIL = levelFields.tail
const ORDER_KIND = copyKinds.order
/** Bits of `#linked`. */
const LINKED = 1
const ACCOUNT_LINKED = 2
const RECORD = recordMask

/**
 * Makes the books of a copy in a shard: all of them, or those that belong here. `add` takes the copy's records as they
 * come, in pieces that hold whole records; `finish` links the orders to each other, to their levels and to their
 * accounts. Until `finish` returns, the shard must not be used. With millions of orders the time goes into waiting for
 * memory, so the orders are gone through twice only: when they are added, and when they are linked.
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
  /**
   * By an order's number in the copy, two bits: whether another order's link leads to it in its queue, and in its account's
   * list. An order to which none leads is the first there.
   */
  readonly #linked: Uint8Array
  /** Orders that are the last of their level, and the last of their account's list, so far. */
  #queues = 0
  #accountLists = 0
  #orders = 0
  #books = 0
  readonly #tracking: { order: number; book: number; sell: number; reference: number; beginning: number }[] =
    []
  #passedOver = 0

  constructor(shard: ShardBooks, counts: CopyCounts, takes: (instrumentId: number) => boolean) {
    this.#shard = shard
    this.#counts = counts
    this.#takes = takes
    this.#firstOrder = shard.orders.used
    this.#firstLevel = shard.levels.used
    this.#orderOf = touchedWords(counts.orderNumbers)
    this.#levelOf = new Int32Array(counts.levelNumbers)
    this.#linked = new Uint8Array(counts.orderNumbers)
  }

  /** Makes room for all orders of the copy, when all its books belong here. */
  reserve(): void {
    this.#shard.orders.reserve(this.#counts.orders)
  }

  /** Takes the records in `words` up to `end`. */
  add(words: Int32Array, end: number): void {
    let at = 0
    while (at < end) {
      const kind = words[at]! >>> KIND_SHIFT
      if (kind === ORDER_KIND) {
        this.#addOrder(words, at)
        at += ORDER_WORDS
        continue
      }
      if (kind === copyKinds.extended) this.#addExtended(words, at)
      else if (kind === copyKinds.request) this.#addRequest(words, at)
      else if (kind === copyKinds.book) this.#addBook(words, at)
      else if (kind === copyKinds.client) this.#addClientId(words, at)
      else if (kind === copyKinds.bust) this.#addBust(words, at)
      else if (kind === copyKinds.trail) this.#addTrail(words, at)
      else if (kind === copyKinds.blocked) this.#addBlocked(words, at)
      else if (kind === copyKinds.group) this.#addGroup(words, at)
      else if (kind === copyKinds.leg) this.#addLeg(words, at)
      else if (kind === copyKinds.peg) this.#addPeg(words, at)
      at += recordWords(words, at)
    }
    // By hand: a closure over `at` would keep it in memory, in the hottest loop of a restore.
    if (at !== end) broken('a piece of a copy ends where its last record ends', { at, end })
  }

  /**
   * Links what was added.
   *
   * @throws InvariantError `TIDEMARK_INVARIANT` when the copy has not what its head says, or its links do not fit.
   */
  finish(): void {
    const { accounts, index, levels } = this.#shard
    const { books, orders } = this.#counts
    const found = this.#books + this.#passedOver
    assert(found === books, 'a copy has as many books as its head says', () => ({ found, books }))
    assert(
      this.#passedOver > 0 || this.#orders === orders,
      'a copy has as many orders as its head says',
      () => ({ found: this.#orders, orders }),
    )
    accounts.reserve(this.#accountLists)
    index.insertAll(this.#firstOrder, this.#linkOrders())
    levels.linkRestored(this.#firstLevel)
    this.#shard.pegs.sortRestored()
    this.#shard.trails.restoreTracking(this.#tracking)
  }

  #addBook(words: Int32Array, at: number): void {
    const { books, levels, trails } = this.#shard
    const definition = decodeInstrument(words, at + BOOK_HEAD_WORDS)
    if (!this.#takes(definition.instrumentId)) {
      this.#passedOver++
      return
    }
    this.#books++
    const book = books.add(definition, selfTradePreventionCodes[definition.selfTradePrevention])
    levels.reserveBooks(books.size)
    books.setPhase(book, words[at + 2]!, words[at + 3]!)
    trails.reserveBooks(books.size)
    books.restoreCounts(book, readU64(words, at + 4), readU64(words, at + 6), readU64(words, at + 8))
  }

  /** Returns the order's record, or 0 when its book does not belong here. */
  #addOrder(words: Int32Array, at: number): number {
    const { books, orders } = this.#shard
    const book = books.find(words[at + 1]! >>> 0)
    if (book < 0) return 0
    const order = orders.allocate()
    const number = words[at]! & RECORD
    if (this.#orderOf[number] !== 0) broken('a copy has each order once', { number })
    this.#orderOf[number] = order
    this.#orders++
    const { i32, f64 } = orders
    const base = order << 4
    const flags = words[at + 3]!
    const open = (words[at + 8]! >>> 0) + words[at + 9]! * 4294967296
    const shown = (words[at + 10]! >>> 0) + words[at + 11]! * 4294967296
    const next = words[at + 13]!
    const accountNext = words[at + 14]!
    const linked = this.#linked
    linked[next]! |= LINKED
    linked[accountNext]! |= ACCOUNT_LINKED
    if (accountNext === 0) this.#accountLists++
    i32[base + ID] = words[at + 4]!
    i32[base + ID + 1] = words[at + 5]!
    i32[base + PRICE] = words[at + 6]!
    i32[base + PRICE + 1] = words[at + 7]!
    f64[(order << 3) + OPEN] = open
    f64[(order << 3) + SHOWN] = shown
    i32[base + NEXT] = next
    i32[base + PREVIOUS] = 0
    i32[base + ACCOUNT] = words[at + 2]!
    i32[base + FLAGS] = flags
    i32[base + ACCOUNT_NEXT] = accountNext
    i32[base + ACCOUNT_PREVIOUS] = 0
    i32[base + BOOK] = book
    const level = this.#levelOf[words[at + 12]!]! || this.#makeLevel(words, at, book, flags)
    i32[base + LEVEL] = level
    const { levels } = this.#shard
    levels.i32[(level << 4) + LEVEL_COUNT]! += 1
    levels.f64[(level << 3) + LEVEL_SHOWN]! += shown
    levels.f64[(level << 3) + LEVEL_HIDDEN]! += open - shown
    if (next === 0) {
      levels.i32[(level << 4) + LEVEL_TAIL] = order
      this.#queues++
    }
    if (canExpire(flags)) books.addExpiring(book, 1)
    return order
  }

  #addExtended(words: Int32Array, at: number): void {
    const order = this.#addOrder(words, at)
    if (order === 0) return
    const { orders, books } = this.#shard
    const flags = words[at + 3]!
    const extension = at + ORDER_WORDS
    orders.setDisplayQuantity(order, readU64(words, extension))
    orders.setStopPrice(order, readU64(words, extension + 2))
    orders.setExpireTime(order, readU64(words, extension + 4))
    if ((flags & FLAG_FILLED) !== 0) {
      // `addFilled` adds to what was filled before, and sets the flag. Without the flag that is 0, whatever stands there.
      orders.setFlags(order, flags & ~FLAG_FILLED)
      orders.addFilled(order, readU64(words, extension + 6))
    }
    if ((flags & FLAG_WAITING) !== 0) books.addStops(orders.book(order), 1)
  }

  #addRequest(words: Int32Array, at: number): void {
    const { books, requests } = this.#shard
    const book = books.find(words[at + 1]! >>> 0)
    if (book < 0) return
    requests.restore(book, words[at + 2]! >>> 0, {
      requestId: readU64(words, at + 8),
      orderId: readU64(words, at + 16),
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

  #addClientId(words: Int32Array, at: number): void {
    const { orders, clients } = this.#shard
    const order = this.#orderOf[words[at]! & RECORD]!
    if (order === 0) return
    clients.add(orders.book(order), orders.account(order), order, readClientOrderId(words, at + 2))
  }

  #addBust(words: Int32Array, at: number): void {
    const { books, busts } = this.#shard
    const book = books.find(words[at + 1]! >>> 0)
    if (book >= 0) busts.add(book, readU64(words, at + 2))
  }

  #addLeg(words: Int32Array, at: number): void {
    const { orders, lists } = this.#shard
    const order = this.#orderOf[words[at]! & RECORD]!
    if (order === 0) return
    const [book, id] = [orders.book(order), readU64(words, at + 2)]
    const list = lists.find(book, id) ?? lists.add(book, id, orders.account(order), words[at + 1]! & 0xff)
    lists.setLeg(list, words[at + 1]! >>> 8, order)
  }

  #addTrail(words: Int32Array, at: number): void {
    const { orders, trails } = this.#shard
    const order = this.#orderOf[words[at]! & RECORD]!
    if (order === 0) return
    trails.add(order, readU64(words, at + 2), words[at + 1] !== 0)
    const [reference, beginning] = [readU64(words, at + 4), readU64(words, at + 6)]
    const [book, sell] = [orders.book(order), orders.flags(order) & FLAG_SELL]
    if (reference !== 0) this.#tracking.push({ order, book, sell, reference, beginning })
  }

  #addPeg(words: Int32Array, at: number): void {
    const order = this.#orderOf[words[at]! & RECORD]!
    if (order === 0) return
    const { orders, pegs } = this.#shard
    const size = readU64(words, at + 2)
    const offset = (words[at + 1]! & PEG_OFFSET_IS_NEGATIVE) === 0 ? size : -size
    const peg = new PeggedOrder(order, words[at + 1]! & 0xff, offset, readU64(words, at + 4))
    pegs.restore(orders.book(order), peg, readU64(words, at + 6), orders.level(order))
  }

  #addGroup(words: Int32Array, at: number): void {
    const order = this.#orderOf[words[at]! & RECORD]!
    if (order !== 0) this.#shard.groups.set(order, words[at + 1]! >>> 0)
  }

  #addBlocked(words: Int32Array, at: number): void {
    const book = this.#shard.books.find(words[at + 1]! >>> 0)
    if (book >= 0) this.#shard.setBlocked(book, words[at + 2]! >>> 0, true)
  }

  /** Makes the level of an order that is the first of its level to be added. Returns it. */
  #makeLevel(words: Int32Array, at: number, book: number, flags: number): number {
    const waits = (flags & FLAG_WAITING) !== 0
    const resting = (flags & FLAG_SELL) !== 0 ? SIDE_ASKS : SIDE_BIDS
    const price = waits
      ? waitingPrice(flags, readU64(words, at + ORDER_WORDS + 2))
      : queuePrice(readU64(words, at + 6), flags & FLAG_SELL)
    const level = this.#shard.levels.restore(book * 4 + (waits ? waitingSide(flags) : resting), price)
    this.#levelOf[words[at + 12]!] = level
    return level
  }

  /**
   * Turns the numbers of the copy in the links into those here, links back, and gives levels and accounts the ends of
   * their lists: all in one pass, because with millions of orders each pass waits for memory. Returns the orders' hashes.
   */
  #linkOrders(): Int32Array {
    const { orders, levels, accounts, index } = this.#shard
    const { i32 } = orders
    const orderOf = this.#orderOf
    const linked = this.#linked
    const first = this.#firstOrder
    const hashes = new Int32Array(orders.used - first)
    let queues = 0
    let accountLists = 0
    for (let number = 1; number < orderOf.length; number++) {
      const order = orderOf[number]!
      if (order === 0) continue
      const base = order << 4
      hashes[order - first] = index.hash(i32[base + BOOK]!, i32[base + ID]!, i32[base + ID + 1]!)
      const next = orderOf[i32[base + NEXT]!]!
      const accountNext = orderOf[i32[base + ACCOUNT_NEXT]!]!
      i32[base + NEXT] = next
      i32[base + ACCOUNT_NEXT] = accountNext
      if (next !== 0) i32[(next << 4) + PREVIOUS] = order
      if (accountNext !== 0) i32[(accountNext << 4) + ACCOUNT_PREVIOUS] = order
      const links = linked[number]!
      if ((links & LINKED) === 0) {
        levels.setHead(i32[base + LEVEL]!, order)
        queues++
      }
      if ((links & ACCOUNT_LINKED) === 0) {
        accounts.restoreFirst(order)
        accountLists++
      }
      if (accountNext === 0) accounts.restoreLast(order)
    }
    const made = levels.used - this.#firstLevel
    if (queues !== made || this.#queues !== made) {
      broken('each level of a copy has one first and one last order', {
        first: queues,
        last: this.#queues,
        levels: made,
      })
    }
    if (accountLists !== this.#accountLists) {
      broken("each account's orders in a copy begin once and end once", {
        begun: accountLists,
        ended: this.#accountLists,
      })
    }
    return hashes
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
    case copyKinds.client:
      return CLIENT_WORDS
    case copyKinds.bust:
      return BUST_WORDS
    case copyKinds.trail:
      return TRAIL_WORDS
    case copyKinds.blocked:
      return BLOCKED_WORDS
    case copyKinds.group:
      return GROUP_WORDS
    case copyKinds.leg:
      return LEG_WORDS
    case copyKinds.peg:
      return PEG_WORDS
    case copyKinds.book:
      return words[at + 1]!
    default:
      return broken('a record of a copy is of a known kind', { at, word: words[at] })
  }
}
