import type { InstrumentDefinition } from '../codec/instrument-record.js'
import { type ListType, listTypeNames, type Phase, phaseCodes } from '../codec/names.js'
import { isConditional } from '../codec/order-types.js'
import { orderState } from './book-queries.js'
import type { OrderState } from './order-state.js'
import {
  FLAG_CLIENT_ID,
  FLAG_ICEBERG,
  FLAG_PEGGED,
  FLAG_SELF_TRADE_GROUP,
  FLAG_TIME_IN_FORCE_SHIFT,
  FLAG_TRAILING,
  typeOf,
} from './order-store.js'
import { SIDE_ASKS, SIDE_BIDS, SIDE_WAIT_FALL, SIDE_WAIT_RISE } from './price-levels.js'
import type { ShardBooks } from './shard-books.js'

/** Everything about one book that decides how it behaves from now on. */
export interface BookState {
  /** The instrument of the book. */
  readonly definition: InstrumentDefinition
  /** The phase that it is in. */
  readonly phase: Phase
  /** Its options: the closing call, a halt that takes orders. */
  readonly phaseOptions: number
  /** Price of the last trade in ticks, 0 before the first. */
  readonly lastPrice: number
  /** How many trades it has made. */
  readonly trades: number
  /** The highest id that an accepted order has had, 0 before the first. */
  readonly highestOrderId: number
  /** The trades that were busted, ascending. */
  readonly busted: readonly number[]
  /** Each in priority order. */
  readonly bids: readonly OrderState[]
  /** The selling side, in priority order. */
  readonly asks: readonly OrderState[]
  /** Orders that wait for the last price to fall, or to rise, to their stop prices. */
  readonly waitingForFall: readonly OrderState[]
  /** Orders that wait for a last price at or above theirs. */
  readonly waitingForRise: readonly OrderState[]
  /** Ids of the orders whose trails follow the last price, those that buy before those that sell, each in the order in which they began. */
  readonly tracking: readonly number[]
  /** Ids of the pegged orders in the order in which they are re-priced; absent when there are none. */
  readonly pegs?: readonly number[]
  /** Ascending; absent when there are none. */
  readonly blockedAccounts?: readonly number[]
  /** By ascending id: its live orders by their places, 0 for one that is gone. */
  readonly lists: readonly {
    readonly listId: number
    readonly listType: ListType
    readonly orderIds: readonly number[]
  }[]
  /** By ascending account: its live orders in the order in which they were accepted. */
  readonly accounts: readonly { readonly account: number; readonly orderIds: readonly number[] }[]
}

export function bookState(shard: ShardBooks, book: number): BookState {
  const { books, orders } = shard
  const blocked = shard.blocked.of(book)
  const pegs = pegIds(shard, book)
  const accounts: { account: number; orderIds: number[] }[] = []
  forEachOrder(shard, book, (order) => {
    if (orders.accountPrevious(order) < 0) {
      accounts.push({ account: orders.account(order), orderIds: accountOrderIds(shard, order) })
    }
  })
  return {
    definition: books.definitions[book]!,
    phase: books.phase(book),
    phaseOptions: books.phaseOptions(book),
    lastPrice: books.lastPrice(book),
    trades: books.trades(book),
    highestOrderId: books.highestOrderId(book),
    busted: shard.busts.list(book),
    bids: sideState(shard, book * 4 + SIDE_BIDS),
    asks: sideState(shard, book * 4 + SIDE_ASKS),
    waitingForFall: sideState(shard, book * 4 + SIDE_WAIT_FALL),
    waitingForRise: sideState(shard, book * 4 + SIDE_WAIT_RISE),
    tracking: trackingIds(shard, book),
    ...(pegs.length > 0 && { pegs }),
    ...(blocked.length > 0 && { blockedAccounts: blocked }),
    lists: shard.lists.inBook(book).map(({ id, type, legs }) => ({
      listId: id,
      listType: listTypeNames[type]!,
      orderIds: legs.map((order) => (order === 0 ? 0 : orders.id(order))),
    })),
    accounts: accounts.sort((a, b) => a.account - b.account),
  }
}

/**
 * A 64-bit fingerprint (16 hex digits) of what `bookState` shows. It does not depend on the shard, on the memory
 * layout or on the books beside it. It guards against mistakes, not against forgery.
 */
export function bookDigest(shard: ShardBooks, book: number): string {
  const { books, orders } = shard
  const digest = new Digest()
  const definition = books.definitions[book]!
  digest.text(JSON.stringify([definition.symbol, definition.tickSize, definition.lotSize]))
  digest.number(definition.instrumentId)
  digest.text(definition.replacePriority)
  digest.text(definition.selfTradePrevention)
  if (definition.allocation) digest.text(definition.allocation)
  if (definition.details) digest.text(JSON.stringify(definition.details))
  digest.number(phaseCodes[books.phase(book)] | (books.phaseOptions(book) << 8))
  digest.number(books.lastPrice(book))
  digest.number(books.trades(book))
  digest.number(books.highestOrderId(book))
  for (const tradeId of shard.busts.list(book)) digest.number(tradeId)
  for (const account of shard.blocked.of(book)) digest.number(account)
  for (const id of pegIds(shard, book)) digest.number(id)
  forEachOrder(shard, book, (order) => {
    const flags = orders.flags(order)
    digest.number(orders.id(order))
    digest.number(orders.account(order))
    digest.number(flags)
    digest.number(orders.price(order))
    digest.number(orders.open(order))
    digest.number(orders.shown(order))
    digest.number(orders.filled(order))
    if ((flags & FLAG_CLIENT_ID) !== 0) digest.text(shard.clients.idOf(order))
    if ((flags & FLAG_SELF_TRADE_GROUP) !== 0) digest.number(shard.groups.of(order))
    if ((flags & FLAG_PEGGED) !== 0) {
      const { kind, offset, limit } = shard.pegs.of(order)
      digest.number(kind)
      digest.number(offset)
      digest.number(limit)
    }
    if ((flags & FLAG_ICEBERG) !== 0) digest.number(orders.displayQuantity(order))
    if (isConditional(typeOf(flags))) digest.number(orders.stopPrice(order))
    if ((flags & FLAG_TRAILING) !== 0) {
      const slot = shard.trails.slotOf(order)
      digest.number(shard.trails.distance(slot))
      digest.number(shard.trails.isInBasisPoints(slot) ? 1 : 0)
      digest.number(shard.trails.reference(slot))
    }
    if (((flags >> FLAG_TIME_IN_FORCE_SHIFT) & 7) === 4) digest.number(orders.expireTime(order))
  })
  forEachOrder(shard, book, (order) => {
    if (orders.accountPrevious(order) < 0) for (const id of accountOrderIds(shard, order)) digest.number(id)
  })
  for (const id of trackingIds(shard, book)) digest.number(id)
  for (const { id, type, legs } of shard.lists.inBook(book)) {
    digest.number(id)
    digest.number(type)
    for (const order of legs) digest.number(order === 0 ? 0 : orders.id(order))
  }
  for (const [account, entry] of shard.requests.entries(book)) {
    digest.number(account)
    digest.number(entry.requestId)
    digest.number(entry.orderId)
    digest.number(entry.bodyA)
    digest.number(entry.bodyB)
    digest.number(entry.status)
    digest.number(entry.code)
    digest.number(entry.filled)
    digest.number(entry.remaining)
  }
  return digest.finish()
}

/** Visits bids, asks, and the orders that wait for a fall and for a rise, each in priority order. */
function forEachOrder(shard: ShardBooks, book: number, visit: (order: number) => void): void {
  const { levels, orders } = shard
  for (let bookSide = book * 4; bookSide < book * 4 + 4; bookSide++) {
    for (let level = levels.best(bookSide); level !== 0; level = levels.worse(level)) {
      for (let order = levels.head(level); order !== 0; order = orders.next(order)) visit(order)
    }
  }
}

function pegIds(shard: ShardBooks, book: number): number[] {
  const ids: number[] = []
  for (let peg = shard.pegs.inBook(book)?.first; peg !== undefined; peg = peg.next)
    ids.push(shard.orders.id(peg.order))
  return ids
}

function sideState(shard: ShardBooks, bookSide: number): OrderState[] {
  const { levels, orders } = shard
  const states: OrderState[] = []
  for (let level = levels.best(bookSide); level !== 0; level = levels.worse(level)) {
    for (let order = levels.head(level); order !== 0; order = orders.next(order))
      states.push(orderState(shard, order))
  }
  return states
}

function trackingIds({ trails, orders }: ShardBooks, book: number): number[] {
  const ids: number[] = []
  for (const sell of [0, 1]) {
    for (let slot = trails.oldest(book, sell); slot !== 0; slot = trails.younger(slot))
      ids.push(orders.id(trails.order(slot)))
  }
  return ids
}

function accountOrderIds(shard: ShardBooks, first: number): number[] {
  const ids: number[] = []
  for (let order = first; order > 0; order = shard.orders.accountNext(order)) ids.push(shard.orders.id(order))
  return ids
}

/** Two 32-bit lanes, each mixed as in MurmurHash3. */
class Digest {
  #a = 0x9747b28c
  #b = 0x5bd1e995

  number(value: number): void {
    this.#word(value | 0)
    this.#word((value / 4294967296) | 0)
  }

  text(value: string): void {
    this.number(value.length)
    for (let i = 0; i < value.length; i++) this.#word(value.charCodeAt(i))
  }

  finish(): string {
    this.#word(0x2545f491)
    this.#word(0x27d4eb2f)
    return hex(this.#a) + hex(this.#b)
  }

  #word(word: number): void {
    const mixed = Math.imul(word, 0xcc9e2d51)
    const a = this.#a ^ Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593)
    this.#a = (Math.imul((a << 13) | (a >>> 19), 5) + 0xe6546b64) | 0
    const b = Math.imul(this.#b ^ word ^ (this.#a >>> 7), 0x85ebca6b)
    this.#b = b ^ (b >>> 13)
  }
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0')
}
