import { checkRecordCount, recordsMax } from './record-masks.js'

/**
 * All live orders of a shard, of all its books: one 64-byte record an order, so that matching one touches one cache
 * line, and a second, rarely touched record for what only some orders have. Records are recycled through a free list.
 * Record 0 is never given out: 0 means "no order" everywhere. The level of a free record is 0, that of a live one never.
 *
 * While a snapshot is copied, a record is copied before its first change: code that changes a record that is not below
 * `copyFrom` calls `keep` first. `previous` and `accountPrevious` are not in a snapshot, so a change of these needs no copy.
 *
 *   bytes  0-7   order id, u64       32-35  next in queue      48-51  flags
 *          8-15  price, u64, ticks   36-39  previous in queue  52-55  next of the same account
 *         16-23  open, lots          40-43  level              56-59  previous of the same account
 *         24-31  shown, lots         44-47  account            60-63  book
 */
const ID = 0
const PRICE = 2
const OPEN = 2
const SHOWN = 3
const NEXT = 8
const PREVIOUS = 9
const LEVEL = 10
const ACCOUNT = 11
const FLAGS = 12
const ACCOUNT_NEXT = 13
const ACCOUNT_PREVIOUS = 14
const BOOK = 15

/**
 * Where the fields are, for the few functions that need speed: `open` and `shown` in doubles from `order * 8`, the
 * others in words from `order * 16`. Id and price are two words each, as in commands and events: they are copied as
 * they are, and a number that is passed to a function would have to be boxed when it exceeds 31 bits.
 */
export const orderFields = {
  id: ID,
  price: PRICE,
  open: OPEN,
  shown: SHOWN,
  next: NEXT,
  previous: PREVIOUS,
  level: LEVEL,
  account: ACCOUNT,
  flags: FLAGS,
  accountNext: ACCOUNT_NEXT,
  accountPrevious: ACCOUNT_PREVIOUS,
  book: BOOK,
} as const

const DISPLAY = 0
const STOP_PRICE = 1
const EXPIRE_TIME = 2
const FILLED = 3

const INITIAL_CAPACITY = 16_384

/** Bits of an order's flags. */
export const FLAG_SELL = 1
/** An order of a list that waits until the working order of the list is filled. */
export const FLAG_PENDING = 1 << 1
/** The order's trail follows the last price. */
export const FLAG_TRACKING = 1 << 2
export const FLAG_TIME_IN_FORCE_SHIFT = 3
export const FLAG_PREVENTION_SHIFT = 6
export const FLAG_POST_ONLY = 1 << 9
export const FLAG_ICEBERG = 1 << 10
/** The order has traded before: its filled quantity is in the cold record. */
export const FLAG_FILLED = 1 << 11
/** A stop that has not been triggered. */
export const FLAG_WAITING = 1 << 12
/** The order has a client order id, which stands in `ClientOrderIds`. */
export const FLAG_CLIENT_ID = 1 << 13
/** A waiting order with a trail, which stands in `TrailingStops`. */
export const FLAG_TRAILING = 1 << 14
/** The order is one of a list, which stands in `OrderLists`. */
export const FLAG_LISTED = 1 << 15
/** Four bits: the order's type. */
export const FLAG_TYPE_SHIFT = 16

/** The code of the type in an order's flags. */
export function typeOf(flags: number): number {
  return (flags >>> FLAG_TYPE_SHIFT) & 15
}

/** The order has a self-trade group, which stands in `SelfTradeGroups`. */
export const FLAG_SELF_TRADE_GROUP = 1 << 20

/** The order is pegged: what to stands in `PeggedOrders`. */
export const FLAG_PEGGED = 1 << 21

/** Copies records before they change, while a snapshot is taken. */
export interface OrderKeeper {
  keepOrder(order: number): void
}

export class OrderStore {
  i32: Int32Array
  f64: Float64Array
  cold: Float64Array
  #capacity = INITIAL_CAPACITY
  #used = 1
  /** The first of the free records, which are linked through `next`; 0 when there is none. */
  free = 0
  /** Records from this one on may have to be copied before they change; all records are below it when no copy is made. */
  copyFrom = recordsMax
  keeper: OrderKeeper | undefined

  constructor() {
    const hot = new ArrayBuffer(INITIAL_CAPACITY * 64)
    this.i32 = new Int32Array(hot)
    this.f64 = new Float64Array(hot)
    this.cold = new Float64Array(INITIAL_CAPACITY * 4)
  }

  /** A free record; its contents are whatever the last owner left. */
  allocate(): number {
    const free = this.free
    if (free !== 0) {
      this.free = this.i32[(free << 4) + NEXT]!
      if (free >= this.copyFrom) this.keep(free)
      return free
    }
    if (this.#used === this.#capacity) this.#grow(this.#capacity * 2)
    return this.#used++
  }

  release(order: number): void {
    if (order >= this.copyFrom) this.keep(order)
    this.i32[(order << 4) + NEXT] = this.free
    this.i32[(order << 4) + LEVEL] = 0
    this.free = order
  }

  /** Copies a record that is about to change, unless that was done. Only while a copy is made. */
  keep(order: number): void {
    this.keeper!.keepOrder(order)
  }

  /** Records that were ever given out lie below this one. */
  get used(): number {
    return this.#used
  }

  /** Makes room for so many more records, none of which is freed. */
  reserve(records: number): void {
    let capacity = this.#capacity
    while (capacity < this.#used + records) capacity *= 2
    if (capacity > this.#capacity) this.#grow(capacity)
  }

  #grow(capacity: number): void {
    checkRecordCount(capacity)
    const hot = new ArrayBuffer(capacity * 64)
    const i32 = new Int32Array(hot)
    i32.set(this.i32)
    const cold = new Float64Array(capacity * 4)
    cold.set(this.cold)
    this.i32 = i32
    this.f64 = new Float64Array(hot)
    this.cold = cold
    this.#capacity = capacity
  }

  id(order: number): number {
    return (this.i32[(order << 4) + ID]! >>> 0) + this.i32[(order << 4) + ID + 1]! * 4294967296
  }
  price(order: number): number {
    return (this.i32[(order << 4) + PRICE]! >>> 0) + this.i32[(order << 4) + PRICE + 1]! * 4294967296
  }
  open(order: number): number {
    return this.f64[(order << 3) + OPEN]!
  }
  /** The part that has priority and is visible; all of `open` unless the order is an iceberg. */
  shown(order: number): number {
    return this.f64[(order << 3) + SHOWN]!
  }
  next(order: number): number {
    return this.i32[(order << 4) + NEXT]!
  }
  previous(order: number): number {
    return this.i32[(order << 4) + PREVIOUS]!
  }
  level(order: number): number {
    return this.i32[(order << 4) + LEVEL]!
  }
  account(order: number): number {
    return this.i32[(order << 4) + ACCOUNT]! >>> 0
  }
  flags(order: number): number {
    return this.i32[(order << 4) + FLAGS]!
  }
  accountNext(order: number): number {
    return this.i32[(order << 4) + ACCOUNT_NEXT]!
  }
  accountPrevious(order: number): number {
    return this.i32[(order << 4) + ACCOUNT_PREVIOUS]!
  }
  book(order: number): number {
    return this.i32[(order << 4) + BOOK]!
  }
  displayQuantity(order: number): number {
    return this.cold[(order << 2) + DISPLAY]!
  }
  stopPrice(order: number): number {
    return this.cold[(order << 2) + STOP_PRICE]!
  }
  expireTime(order: number): number {
    return this.cold[(order << 2) + EXPIRE_TIME]!
  }
  filled(order: number): number {
    return (this.flags(order) & FLAG_FILLED) === 0 ? 0 : this.cold[(order << 2) + FILLED]!
  }

  setPrice(order: number, price: number): void {
    if (order >= this.copyFrom) this.keep(order)
    this.i32[(order << 4) + PRICE] = price | 0
    this.i32[(order << 4) + PRICE + 1] = (price / 4294967296) | 0
  }
  setQuantities(order: number, open: number, shown: number): void {
    if (order >= this.copyFrom) this.keep(order)
    this.f64[(order << 3) + OPEN] = open
    this.f64[(order << 3) + SHOWN] = shown
  }
  setNext(order: number, next: number): void {
    if (order >= this.copyFrom) this.keep(order)
    this.i32[(order << 4) + NEXT] = next
  }
  setPrevious(order: number, previous: number): void {
    this.i32[(order << 4) + PREVIOUS] = previous
  }
  setFlags(order: number, flags: number): void {
    if (order >= this.copyFrom) this.keep(order)
    this.i32[(order << 4) + FLAGS] = flags
  }
  /** Only for links to an account's node. A snapshot does not hold them, so the record needs no copy. */
  setAccountNext(order: number, next: number): void {
    this.i32[(order << 4) + ACCOUNT_NEXT] = next
  }
  setAccountPrevious(order: number, previous: number): void {
    this.i32[(order << 4) + ACCOUNT_PREVIOUS] = previous
  }
  setDisplayQuantity(order: number, quantity: number): void {
    this.cold[(order << 2) + DISPLAY] = quantity
  }
  setStopPrice(order: number, price: number): void {
    this.cold[(order << 2) + STOP_PRICE] = price
  }
  setExpireTime(order: number, timeMs: number): void {
    this.cold[(order << 2) + EXPIRE_TIME] = timeMs
  }
  addFilled(order: number, quantity: number): void {
    if (order >= this.copyFrom) this.keep(order)
    const filled = this.filled(order)
    this.i32[(order << 4) + FLAGS]! |= FLAG_FILLED
    this.cold[(order << 2) + FILLED] = filled + quantity
  }
}
