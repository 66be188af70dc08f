import { PHASE_CLOSING, PHASE_TAKES_ORDERS } from '../codec/command-layout.js'
import { parseGrid } from '../codec/decimal.js'
import type { InstrumentDetails } from '../codec/instrument-details.js'
import type { InstrumentDefinition } from '../codec/instrument-record.js'
import { limits } from '../codec/limits.js'
import { allocationCodes, bandActionCodes, type Phase, phaseCodes, phaseNames } from '../codec/names.js'
import { quoteUnitsPerStep } from '../codec/notional.js'
import { TickTable } from '../codec/tick-table.js'

const LAST_PRICE = 0
const TRADES = 1
const HIGHEST_ORDER_ID = 2
const MIN_PRICE = 3
const MAX_PRICE = 4
const MIN_QUANTITY = 5
const MAX_QUANTITY = 6
const MIN_NOTIONAL = 7
const STATIC_LOW = 8
const STATIC_HIGH = 9
const DYNAMIC_BAND = 10
const DYNAMIC_BASIS_POINTS = 11
const MAX_ACCOUNT_ORDERS = 12
const REFERENCE_PRICE = 13
/** Doubles of a book. */
const DOUBLES = 16

const INSTRUMENT = 0
const FLAGS = 1
const EXPIRING = 2
const STOPS = 3

/** The phase's code. That of `continuous` is 0. */
const PHASE = 7
/** The instrument has a limit of price, quantity, notional or orders, or a tick table. */
const LIMITED = 8
const ALWAYS_LOSE = 16
const PREVENTION_SHIFT = 5
const PREVENTION = 7
/** The phase's options, `PHASE_…` of command-layout.ts. */
const OPTIONS_SHIFT = 8
const OPTIONS = 3
/** An account is blocked in the book. */
const BLOCKING = 1 << 10
/** A book without any of these trades every order as it comes. */
const RESTRICTED = PHASE | LIMITED | BLOCKING
/** The instrument has price bands, and what becomes of orders there. */
const BANDED = 1 << 11
const BAND_ACTION_SHIFT = 12
const BAND_ACTION = 3
/** How the orders of a price share what trades there: the code of the instrument's allocation. */
const ALLOCATION_SHIFT = 14
const ALLOCATION = 3

const CONTINUOUS = phaseCodes.continuous
const WITH_TOP = allocationCodes['pro-rata-top']
const HALTED = phaseCodes.halted
/** Of this phase and of those with higher codes. */
const FIRST_CALL = phaseCodes['pre-open']

const INITIAL_BOOKS = 16

/** So many basis points of a price in ticks, rounded down: exact, because they are 10,000 at most, or infinitely many. */
function widthOf(price: number, basisPoints: number): number {
  if (basisPoints === Number.POSITIVE_INFINITY) return basisPoints
  return Math.floor(price / 10_000) * basisPoints + Math.floor(((price % 10_000) * basisPoints) / 10_000)
}

/** Copies books before they change, while a snapshot is taken. */
export interface BookKeeper {
  keepBook(book: number): void
}

/**
 * What a book has beside its orders: its instrument, its phase, and a few counts. Books are numbered from 0 in
 * the order in which this shard got them; `find` translates the pool's instrument ids.
 */
export class BookTable {
  readonly definitions: InstrumentDefinition[] = []
  #bookOf = new Int32Array(INITIAL_BOOKS)
  /** Found out when they are first needed. */
  readonly #quoteUnits: number[] = []
  #f64 = new Float64Array(INITIAL_BOOKS * DOUBLES)
  #i32 = new Int32Array(INITIAL_BOOKS * 8)
  readonly #tickTables: (TickTable | undefined)[] = []
  /** Called before a field of a book that a snapshot holds changes; `undefined` when no copy is made. */
  keeper: BookKeeper | undefined

  get size(): number {
    return this.definitions.length
  }

  /** The book of an instrument id, or -1. */
  find(instrumentId: number): number {
    return instrumentId < this.#bookOf.length ? this.#bookOf[instrumentId]! - 1 : -1
  }

  add({ phase = 'continuous', ...definition }: InstrumentDefinition, prevention: number): number {
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
      (definition.replacePriority === 'always-lose' ? ALWAYS_LOSE : 0) |
      (prevention << PREVENTION_SHIFT) |
      (allocationCodes[definition.allocation ?? 'price-time'] << ALLOCATION_SHIFT)
    this.#takeLimits(book, definition.details)
    this.setPhase(book, phaseCodes[phase], 0)
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
  phase(book: number): Phase {
    return phaseNames[this.#i32[book * 8 + FLAGS]! & PHASE]!
  }
  /** Of its phase: `PHASE_…`. */
  phaseOptions(book: number): number {
    return (this.#i32[book * 8 + FLAGS]! >> OPTIONS_SHIFT) & OPTIONS
  }
  /** Whether orders trade as they come. */
  isContinuous(book: number): boolean {
    return (this.#i32[book * 8 + FLAGS]! & PHASE) === CONTINUOUS
  }
  /** Whether orders are taken and gathered: a call, or a halt that takes them. */
  isCall(book: number): boolean {
    const phase = this.#i32[book * 8 + FLAGS]! & PHASE
    return phase >= FIRST_CALL || (phase === HALTED && (this.phaseOptions(book) & PHASE_TAKES_ORDERS) !== 0)
  }
  /** Whether it is the closing call. */
  isClosing(book: number): boolean {
    return (this.phaseOptions(book) & PHASE_CLOSING) !== 0
  }
  /** Whether the instrument has a limit of price, quantity or notional. */
  isLimited(book: number): boolean {
    return (this.#i32[book * 8 + FLAGS]! & LIMITED) !== 0
  }
  /** Whether the book trades every order as it comes: its phase is continuous, it has no limits, and no account is blocked. */
  isUnrestricted(book: number): boolean {
    return (this.#i32[book * 8 + FLAGS]! & RESTRICTED) === 0
  }
  /** Whether an account is blocked in the book. */
  isBlocking(book: number): boolean {
    return (this.#i32[book * 8 + FLAGS]! & BLOCKING) !== 0
  }
  /** Whether the orders of a price share what trades there; otherwise the oldest one comes first. */
  isProRata(book: number): boolean {
    return (this.#i32[book * 8 + FLAGS]! & (ALLOCATION << ALLOCATION_SHIFT)) !== 0
  }
  /** Whether the oldest order of a price comes before those that share. */
  hasTopOrder(book: number): boolean {
    return ((this.#i32[book * 8 + FLAGS]! >> ALLOCATION_SHIFT) & ALLOCATION) === WITH_TOP
  }
  /** Units of the quote asset in one tick times one lot. */
  quoteUnit(book: number): number {
    const known = this.#quoteUnits[book]
    if (known !== undefined) return known
    const { tickSize, lotSize } = this.definitions[book]!
    const grids = { price: parseGrid('tickSize', tickSize), quantity: parseGrid('lotSize', lotSize) }
    const unit = quoteUnitsPerStep(grids)
    this.#quoteUnits[book] = unit
    return unit
  }
  /** The limits in ticks and lots; 0 and Infinity where there is none. */
  minPrice(book: number): number {
    return this.#f64[book * DOUBLES + MIN_PRICE]!
  }
  maxPrice(book: number): number {
    return this.#f64[book * DOUBLES + MAX_PRICE]!
  }
  minQuantity(book: number): number {
    return this.#f64[book * DOUBLES + MIN_QUANTITY]!
  }
  maxQuantity(book: number): number {
    return this.#f64[book * DOUBLES + MAX_QUANTITY]!
  }
  /** Whether trades are bound to bands of prices. */
  isBanded(book: number): boolean {
    return (this.#i32[book * 8 + FLAGS]! & BANDED) !== 0
  }
  /** What becomes of orders that would trade outside them, as its code. */
  bandAction(book: number): number {
    return (this.#i32[book * 8 + FLAGS]! >> BAND_ACTION_SHIFT) & BAND_ACTION
  }
  /** What the static band is around, in ticks; 0 where it is not stated. */
  referencePrice(book: number): number {
    return this.#f64[book * DOUBLES + REFERENCE_PRICE]!
  }
  /** The static band, in ticks; 1 and the highest price there is without one. */
  staticLow(book: number): number {
    return this.#f64[book * DOUBLES + STATIC_LOW]!
  }
  staticHigh(book: number): number {
    return this.#f64[book * DOUBLES + STATIC_HIGH]!
  }
  /** How far the dynamic band reaches from a price, in ticks; infinitely far without one. */
  dynamicWidth(book: number, price: number): number {
    const basisPoints = this.#f64[book * DOUBLES + DYNAMIC_BASIS_POINTS]!
    return Math.min(this.#f64[book * DOUBLES + DYNAMIC_BAND]!, widthOf(price, basisPoints))
  }
  /** The most live orders of an account; infinitely many where there is no limit. */
  maxAccountOrders(book: number): number {
    return this.#f64[book * DOUBLES + MAX_ACCOUNT_ORDERS]!
  }
  /** The grids of prices by ranges, if it has them. */
  tickTable(book: number): TickTable | undefined {
    return this.#tickTables[book]
  }
  /** In ticks times lots. */
  minNotional(book: number): number {
    return this.#f64[book * DOUBLES + MIN_NOTIONAL]!
  }
  alwaysLoses(book: number): boolean {
    return (this.#i32[book * 8 + FLAGS]! & ALWAYS_LOSE) !== 0
  }
  /** The instrument's own self-trade prevention, as its code. */
  prevention(book: number): number {
    return (this.#i32[book * 8 + FLAGS]! >> PREVENTION_SHIFT) & PREVENTION
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
  /** Called before something of a book changes that is kept elsewhere, and that a snapshot has with the book. */
  keep(book: number): void {
    if (this.keeper !== undefined) this.keeper.keepBook(book)
  }
  /** Not part of a snapshot: a restore finds it out again. */
  setBlocking(book: number, isBlocking: boolean): void {
    const flags = this.#i32[book * 8 + FLAGS]!
    this.#i32[book * 8 + FLAGS] = isBlocking ? flags | BLOCKING : flags & ~BLOCKING
  }
  /** The phase by its code, and its options. */
  setPhase(book: number, phase: number, options: number): void {
    if (this.keeper !== undefined) this.keeper.keepBook(book)
    const flags = this.#i32[book * 8 + FLAGS]! & ~(PHASE | (OPTIONS << OPTIONS_SHIFT))
    this.#i32[book * 8 + FLAGS] = flags | phase | (options << OPTIONS_SHIFT)
  }
  setDetails(book: number, details: InstrumentDetails | undefined): void {
    if (this.keeper !== undefined) this.keeper.keepBook(book)
    const { details: _, ...fixed } = this.definitions[book]!
    this.definitions[book] = details === undefined ? fixed : { ...fixed, details }
    this.#takeLimits(book, details)
  }
  #takeLimits(book: number, details: InstrumentDetails = {}): void {
    const { minPrice, maxPrice, minQuantity, maxQuantity, minNotional } = details
    this.#f64[book * DOUBLES + MIN_PRICE] = minPrice ?? 0
    this.#f64[book * DOUBLES + MAX_PRICE] = maxPrice ?? Number.POSITIVE_INFINITY
    this.#f64[book * DOUBLES + MIN_QUANTITY] = minQuantity ?? 0
    this.#f64[book * DOUBLES + MAX_QUANTITY] = maxQuantity ?? Number.POSITIVE_INFINITY
    this.#f64[book * DOUBLES + MIN_NOTIONAL] = minNotional ?? 0
    this.#takeFilters(book, details)
    this.#takeBands(book, details)
  }
  #takeFilters(book: number, details: InstrumentDetails): void {
    const { minPrice, maxPrice, minQuantity, maxQuantity, minNotional, maxAccountOrders, tickTable } = details
    this.#f64[book * DOUBLES + MAX_ACCOUNT_ORDERS] = maxAccountOrders ?? Number.POSITIVE_INFINITY
    this.#tickTables[book] = tickTable === undefined ? undefined : new TickTable(tickTable)
    const filter =
      minPrice ?? maxPrice ?? minQuantity ?? maxQuantity ?? minNotional ?? maxAccountOrders ?? tickTable
    const flags = this.#i32[book * 8 + FLAGS]!
    this.#i32[book * 8 + FLAGS] = filter === undefined ? flags & ~LIMITED : flags | LIMITED
  }
  #takeBands(book: number, details: InstrumentDetails): void {
    const { referencePrice = 0, staticBand, staticBandBasisPoints = Number.POSITIVE_INFINITY } = details
    const { dynamicBand, dynamicBandBasisPoints, bandAction = bandActionCodes.refuse } = details
    const own = book * DOUBLES
    const width = Math.min(
      staticBand ?? Number.POSITIVE_INFINITY,
      widthOf(referencePrice, staticBandBasisPoints),
    )
    const isStatic = referencePrice !== 0 && width !== Number.POSITIVE_INFINITY
    this.#f64[own + REFERENCE_PRICE] = referencePrice
    this.#f64[own + STATIC_LOW] = isStatic ? Math.max(1, referencePrice - width) : 1
    this.#f64[own + STATIC_HIGH] = isStatic
      ? Math.min(limits.maxPriceTicks, referencePrice + width)
      : limits.maxPriceTicks
    this.#f64[own + DYNAMIC_BAND] = dynamicBand ?? Number.POSITIVE_INFINITY
    this.#f64[own + DYNAMIC_BASIS_POINTS] = dynamicBandBasisPoints ?? Number.POSITIVE_INFINITY
    const isBanded = isStatic || (dynamicBand ?? dynamicBandBasisPoints) !== undefined
    const flags = this.#i32[book * 8 + FLAGS]! & ~(BANDED | (BAND_ACTION << BAND_ACTION_SHIFT))
    this.#i32[book * 8 + FLAGS] = flags | (isBanded ? BANDED : 0) | (bandAction << BAND_ACTION_SHIFT)
  }
  addExpiring(book: number, change: number): void {
    this.#i32[book * 8 + EXPIRING]! += change
  }
  addStops(book: number, change: number): void {
    this.#i32[book * 8 + STOPS]! += change
  }
}
