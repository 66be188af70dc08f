import type { InstrumentDefinition } from '../codec/instrument-record.js'

const LAST_PRICE = 0
const TRADES = 1
const HIGHEST_ORDER_ID = 2
/** Doubles of a book. */
const DOUBLES = 4

const INSTRUMENT = 0
const FLAGS = 1
const EXPIRING = 2
const STOPS = 3

const HALTED = 1
const ALWAYS_LOSE = 2
const PREVENTION_SHIFT = 2

const INITIAL_BOOKS = 16

/** Copies books before they change, while a snapshot is taken. */
export interface BookKeeper {
  keepBook(book: number): void
}

/**
 * What a book has beside its orders: its instrument, whether it is halted, and a few counts. Books are numbered from 0 in
 * the order in which this shard got them; `find` translates the pool's instrument ids.
 */
export class BookTable {
  readonly definitions: InstrumentDefinition[] = []
  #bookOf = new Int32Array(INITIAL_BOOKS)
  #f64 = new Float64Array(INITIAL_BOOKS * DOUBLES)
  #i32 = new Int32Array(INITIAL_BOOKS * 8)
  /** Called before a field of a book that a snapshot holds changes; `undefined` when no copy is made. */
  keeper: BookKeeper | undefined

  get size(): number {
    return this.definitions.length
  }

  /** The book of an instrument id, or -1. */
  find(instrumentId: number): number {
    return instrumentId < this.#bookOf.length ? this.#bookOf[instrumentId]! - 1 : -1
  }

  add(definition: InstrumentDefinition, prevention: number): number {
    const book = this.definitions.length
    this.definitions.push(definition)
    if (definition.instrumentId >= this.#bookOf.length) {
      const bookOf = new Int32Array(Math.max(definition.instrumentId + 1, this.#bookOf.length * 2))
      bookOf.set(this.#bookOf)
      this.#bookOf = bookOf
    }
    if (book * 8 === this.#i32.length) {
      const i32 = new Int32Array(book * 16)
      i32.set(this.#i32)
      const f64 = new Float64Array(book * 2 * DOUBLES)
      f64.set(this.#f64)
      this.#i32 = i32
      this.#f64 = f64
    }
    this.#bookOf[definition.instrumentId] = book + 1
    this.#i32[book * 8 + INSTRUMENT] = definition.instrumentId
    this.#i32[book * 8 + FLAGS] =
      (definition.replacePriority === 'always-lose' ? ALWAYS_LOSE : 0) | (prevention << PREVENTION_SHIFT)
    return book
  }

  instrumentId(book: number): number {
    return this.#i32[book * 8 + INSTRUMENT]!
  }
  /** The price of the last trade in ticks, or 0 before the first. */
  lastPrice(book: number): number {
    return this.#f64[book * DOUBLES + LAST_PRICE]!
  }
  /** Trades so far, which is also the id of the last. */
  trades(book: number): number {
    return this.#f64[book * DOUBLES + TRADES]!
  }
  /** The highest id that an accepted order has had, or 0 before the first. */
  highestOrderId(book: number): number {
    return this.#f64[book * DOUBLES + HIGHEST_ORDER_ID]!
  }
  isHalted(book: number): boolean {
    return (this.#i32[book * 8 + FLAGS]! & HALTED) !== 0
  }
  alwaysLoses(book: number): boolean {
    return (this.#i32[book * 8 + FLAGS]! & ALWAYS_LOSE) !== 0
  }
  /** The instrument's own self-trade prevention, as its code. */
  prevention(book: number): number {
    return this.#i32[book * 8 + FLAGS]! >> PREVENTION_SHIFT
  }
  /** Live orders that an `expire` command could kill. */
  expiring(book: number): number {
    return this.#i32[book * 8 + EXPIRING]!
  }
  /** Stops that wait. */
  stops(book: number): number {
    return this.#i32[book * 8 + STOPS]!
  }

  /** Notes a trade and returns its id. */
  nextTrade(book: number, price: number): number {
    if (this.keeper !== undefined) this.keeper.keepBook(book)
    this.#f64[book * DOUBLES + LAST_PRICE] = price
    return ++this.#f64[book * DOUBLES + TRADES]!
  }
  /** Notes that an order was accepted, whose id stands in two words. */
  noteOrderId(book: number, low: number, high: number): void {
    const id = (low >>> 0) + high * 4294967296
    if (id <= this.#f64[book * DOUBLES + HIGHEST_ORDER_ID]!) return
    if (this.keeper !== undefined) this.keeper.keepBook(book)
    this.#f64[book * DOUBLES + HIGHEST_ORDER_ID] = id
  }
  /** Sets what a snapshot holds: the last trade's price, how many there were, and the highest order id. */
  restoreCounts(book: number, lastPrice: number, trades: number, highestOrderId: number): void {
    this.#f64[book * DOUBLES + LAST_PRICE] = lastPrice
    this.#f64[book * DOUBLES + TRADES] = trades
    this.#f64[book * DOUBLES + HIGHEST_ORDER_ID] = highestOrderId
  }
  setHalted(book: number, halted: boolean): void {
    if (this.keeper !== undefined) this.keeper.keepBook(book)
    const flags = this.#i32[book * 8 + FLAGS]!
    this.#i32[book * 8 + FLAGS] = halted ? flags | HALTED : flags & ~HALTED
  }
  addExpiring(book: number, change: number): void {
    this.#i32[book * 8 + EXPIRING]! += change
  }
  addStops(book: number, change: number): void {
    this.#i32[book * 8 + STOPS]! += change
  }
}
