/**
 * What waiting orders with a trail have beside their records: how far from the best last price their stop price stays, and that best
 * price, the reference, once they track it. A slot each, found by the order's number and recycled.
 *
 * Those of a book and side that track form a list in the order in which they began. Each began at a last price that none of the
 * older references had been passed by, and all that are passed move to one price together; so along the list, from the oldest to the
 * youngest, references only come nearer to the last price. Those that a new last price moves are the youngest ones, and one
 * look at the youngest says when there are none.
 *
 *   doubles 0 distance, 1 reference (0: does not track), 2 number of its beginning
 *   words   0 order, 1 next older, 2 next younger (in a free slot: the next free), 3 1 when the distance is in basis points
 */
const DISTANCE = 0
const REFERENCE = 1
const BEGINNING = 2
const ORDER = 0
const OLDER = 1
const YOUNGER = 2
const IN_BASIS_POINTS = 3
const STRIDE = 4

const INITIAL_SLOTS = 64
const INITIAL_LISTS = 32

export class TrailingStops {
  readonly #slots = new Map<number, number>()
  #f64 = new Float64Array(INITIAL_SLOTS * STRIDE)
  #i32 = new Int32Array(INITIAL_SLOTS * STRIDE)
  /** By book and side, two words: the oldest and the youngest slot that tracks. */
  #ends = new Int32Array(INITIAL_LISTS * 2)
  #used = 1
  #free = 0
  #beginnings = 0

  get size(): number {
    return this.#slots.size
  }

  /** Makes room for books below `count`. */
  reserveBooks(count: number): void {
    if (count * 4 <= this.#ends.length) return
    const ends = new Int32Array(Math.max(count * 4, this.#ends.length * 2))
    ends.set(this.#ends)
    this.#ends = ends
  }

  /** Notes the trail of an order, which does not track yet. */
  add(order: number, distance: number, inBasisPoints: boolean): void {
    const slot = this.#allocate()
    this.#slots.set(order, slot)
    const at = slot * STRIDE
    this.#f64[at + DISTANCE] = distance
    this.#f64[at + REFERENCE] = 0
    this.#i32[at + ORDER] = order
    this.#i32[at + IN_BASIS_POINTS] = inBasisPoints ? 1 : 0
  }

  /** Forgets the trail of an order of a book and side. */
  remove(order: number, book: number, sell: number): void {
    const slot = this.#slots.get(order)!
    this.#slots.delete(order)
    if (this.#f64[slot * STRIDE + REFERENCE] !== 0) this.#unlink(slot, book * 2 + sell)
    this.#i32[slot * STRIDE + YOUNGER] = this.#free
    this.#free = slot
  }

  /** The order begins to track, as the youngest of its book and side. */
  begin(order: number, book: number, sell: number, reference: number): void {
    this.#link(this.#slots.get(order)!, book * 2 + sell, reference, ++this.#beginnings)
  }

  /** Lets the orders of a snapshot track again: `beginnings` say in which order they began. */
  restoreTracking(
    tracking: readonly { order: number; book: number; sell: number; reference: number; beginning: number }[],
  ): void {
    for (const { order, book, sell, reference, beginning } of tracking.toSorted(
      (a, b) => a.beginning - b.beginning,
    )) {
      this.#link(this.#slots.get(order)!, book * 2 + sell, reference, beginning)
      this.#beginnings = Math.max(this.#beginnings, beginning)
    }
  }

  slotOf(order: number): number {
    return this.#slots.get(order)!
  }
  order(slot: number): number {
    return this.#i32[slot * STRIDE + ORDER]!
  }
  /** The oldest slot of a book and side that tracks, 0 when there is none. */
  oldest(book: number, sell: number): number {
    return this.#ends[(book * 2 + sell) * 2]!
  }
  youngest(book: number, sell: number): number {
    return this.#ends[(book * 2 + sell) * 2 + 1]!
  }
  older(slot: number): number {
    return this.#i32[slot * STRIDE + OLDER]!
  }
  younger(slot: number): number {
    return this.#i32[slot * STRIDE + YOUNGER]!
  }
  distance(slot: number): number {
    return this.#f64[slot * STRIDE + DISTANCE]!
  }
  isInBasisPoints(slot: number): boolean {
    return this.#i32[slot * STRIDE + IN_BASIS_POINTS] !== 0
  }
  /** 0 while the order does not track. */
  reference(slot: number): number {
    return this.#f64[slot * STRIDE + REFERENCE]!
  }
  beginning(slot: number): number {
    return this.#f64[slot * STRIDE + BEGINNING]!
  }
  setReference(slot: number, reference: number): void {
    this.#f64[slot * STRIDE + REFERENCE] = reference
  }

  #link(slot: number, list: number, reference: number, beginning: number): void {
    const at = slot * STRIDE
    const i32 = this.#i32
    const older = this.#ends[list * 2 + 1]!
    this.#f64[at + REFERENCE] = reference
    this.#f64[at + BEGINNING] = beginning
    i32[at + OLDER] = older
    i32[at + YOUNGER] = 0
    if (older === 0) this.#ends[list * 2] = slot
    else i32[older * STRIDE + YOUNGER] = slot
    this.#ends[list * 2 + 1] = slot
  }

  #unlink(slot: number, list: number): void {
    const i32 = this.#i32
    const older = i32[slot * STRIDE + OLDER]!
    const younger = i32[slot * STRIDE + YOUNGER]!
    if (older === 0) this.#ends[list * 2] = younger
    else i32[older * STRIDE + YOUNGER] = younger
    if (younger === 0) this.#ends[list * 2 + 1] = older
    else i32[younger * STRIDE + OLDER] = older
  }

  #allocate(): number {
    const free = this.#free
    if (free !== 0) {
      this.#free = this.#i32[free * STRIDE + YOUNGER]!
      return free
    }
    if (this.#used * STRIDE === this.#i32.length) {
      const i32 = new Int32Array(this.#i32.length * 2)
      i32.set(this.#i32)
      const f64 = new Float64Array(this.#f64.length * 2)
      f64.set(this.#f64)
      this.#i32 = i32
      this.#f64 = f64
    }
    return this.#used++
  }
}

/** Stop prices that no last price reaches, where a trail leads below one tick or above the highest price. */
export const beyondFall = 0
export const beyondRise = Number.MAX_SAFE_INTEGER + 1

const BASIS = 10_000

/**
 * The stop price of an order that tracks: to sell, so far below its reference, to buy, so far above it. Basis points are parts of the
 * reference, rounded away from it to whole ticks: the order is triggered when the last price has moved by that part or more. Exact: the
 * product is never made.
 */
export function trailedPrice(
  reference: number,
  distance: number,
  inBasisPoints: boolean,
  sell: number,
): number {
  let ticks = distance
  if (inBasisPoints) {
    const whole = Math.floor(reference / BASIS)
    ticks = whole * distance + Math.ceil(((reference - whole * BASIS) * distance) / BASIS)
  }
  return sell === 0 ? Math.min(reference + ticks, beyondRise) : Math.max(reference - ticks, beyondFall)
}
