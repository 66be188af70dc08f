/**
 * The price levels of all books of a shard, one 64-byte record a level, recycled through a free list. A ladder is one
 * sorted side of a book, best first; a book has four: bids, asks, and the stops that wait on either side.
 * Level 0 is never given out: 0 means "no level".
 *
 *   bytes  0-7   price, ticks       24-27  first order         36-39  next worse level
 *          8-15  shown total, lots  28-31  last order          40-43  next better level
 *         16-23  hidden total       32-35  number of orders    44-47  ladder
 */
const PRICE = 0
const SHOWN = 1
const HIDDEN = 2
const HEAD = 6
const TAIL = 7
const COUNT = 8
const WORSE = 9
const BETTER = 10
const LADDER = 11

const INITIAL_LEVELS = 512
const INITIAL_BOOKS = 16

/** The ladders of a book are `book * 4` plus one of these. On the even ones the highest price is the best. */
export const LADDER_BIDS = 0
export const LADDER_ASKS = 1
/** Sell stops: triggered when the price falls, so the highest is next. */
export const LADDER_SELL_STOPS = 2
/** Buy stops: triggered when the price rises, so the lowest is next. */
export const LADDER_BUY_STOPS = 3

export class PriceLevels {
  i32: Int32Array
  f64: Float64Array
  /** Levels in use. */
  live = 0
  #best = new Int32Array(INITIAL_BOOKS * 4)
  #capacity = INITIAL_LEVELS
  #used = 1
  #free = 0

  constructor() {
    const buffer = new ArrayBuffer(INITIAL_LEVELS * 64)
    this.i32 = new Int32Array(buffer)
    this.f64 = new Float64Array(buffer)
  }

  /** Makes room for the ladders of books below `count`. */
  reserveBooks(count: number): void {
    if (count * 4 <= this.#best.length) return
    const best = new Int32Array(Math.max(count * 4, this.#best.length * 2))
    best.set(this.#best)
    this.#best = best
  }

  /** The best level of a ladder, or 0. */
  best(ladder: number): number {
    return this.#best[ladder]!
  }
  price(level: number): number {
    return this.f64[(level << 3) + PRICE]!
  }
  shown(level: number): number {
    return this.f64[(level << 3) + SHOWN]!
  }
  hidden(level: number): number {
    return this.f64[(level << 3) + HIDDEN]!
  }
  head(level: number): number {
    return this.i32[(level << 4) + HEAD]!
  }
  tail(level: number): number {
    return this.i32[(level << 4) + TAIL]!
  }
  count(level: number): number {
    return this.i32[(level << 4) + COUNT]!
  }
  worse(level: number): number {
    return this.i32[(level << 4) + WORSE]!
  }
  better(level: number): number {
    return this.i32[(level << 4) + BETTER]!
  }
  ladder(level: number): number {
    return this.i32[(level << 4) + LADDER]!
  }

  setHead(level: number, order: number): void {
    this.i32[(level << 4) + HEAD] = order
  }
  setTail(level: number, order: number): void {
    this.i32[(level << 4) + TAIL] = order
  }
  addCount(level: number, change: number): void {
    this.i32[(level << 4) + COUNT]! += change
  }
  addShown(level: number, change: number): void {
    this.f64[(level << 3) + SHOWN]! += change
  }
  addHidden(level: number, change: number): void {
    this.f64[(level << 3) + HIDDEN]! += change
  }

  /** The level at a price, or 0. */
  find(ladder: number, price: number): number {
    const level = this.#firstNotBetter(ladder, price)
    return level !== 0 && this.price(level) === price ? level : 0
  }

  /** The level at a price, made if it is not there. */
  obtain(ladder: number, price: number): number {
    const worse = this.#firstNotBetter(ladder, price)
    if (worse !== 0 && this.price(worse) === price) return worse
    const level = this.#allocate()
    const better = worse === 0 ? this.#last(ladder) : this.better(worse)
    const { i32, f64 } = this
    const base = level << 4
    f64[(level << 3) + PRICE] = price
    f64[(level << 3) + SHOWN] = 0
    f64[(level << 3) + HIDDEN] = 0
    i32[base + HEAD] = 0
    i32[base + TAIL] = 0
    i32[base + COUNT] = 0
    i32[base + WORSE] = worse
    i32[base + BETTER] = better
    i32[base + LADDER] = ladder
    if (worse !== 0) i32[(worse << 4) + BETTER] = level
    if (better !== 0) i32[(better << 4) + WORSE] = level
    else this.#best[ladder] = level
    return level
  }

  /** Takes an empty level out of its ladder. */
  remove(level: number): void {
    const i32 = this.i32
    const base = level << 4
    const worse = i32[base + WORSE]!
    const better = i32[base + BETTER]!
    if (worse !== 0) i32[(worse << 4) + BETTER] = better
    if (better !== 0) i32[(better << 4) + WORSE] = worse
    else this.#best[i32[base + LADDER]!] = worse
    i32[base + WORSE] = this.#free
    this.#free = level
    this.live--
  }

  /** Checks what only this structure knows. */
  verify(_ladder: number): void {}

  #firstNotBetter(ladder: number, price: number): number {
    let level = this.#best[ladder]!
    if ((ladder & 1) === 0) while (level !== 0 && this.price(level) > price) level = this.worse(level)
    else while (level !== 0 && this.price(level) < price) level = this.worse(level)
    return level
  }

  #last(ladder: number): number {
    let last = 0
    for (let level = this.#best[ladder]!; level !== 0; level = this.worse(level)) last = level
    return last
  }

  #allocate(): number {
    this.live++
    const free = this.#free
    if (free !== 0) {
      this.#free = this.i32[(free << 4) + WORSE]!
      return free
    }
    if (this.#used === this.#capacity) this.#grow()
    return this.#used++
  }

  #grow(): void {
    const capacity = this.#capacity * 2
    const buffer = new ArrayBuffer(capacity * 64)
    const i32 = new Int32Array(buffer)
    i32.set(this.i32)
    this.i32 = i32
    this.f64 = new Float64Array(buffer)
    this.#capacity = capacity
  }
}
