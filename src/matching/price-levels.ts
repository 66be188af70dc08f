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
const BETTER_CHILD = 12
const WORSE_CHILD = 13
const PARENT = 14

/** How far `find` walks from the best level before it turns to the tree. */
const WALK_STEPS = 8

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

  #roots = new Int32Array(INITIAL_BOOKS * 4)
  /** Where the last unsuccessful `find` ended; void when the ladder is -1. */
  #foundLadder = -1
  #foundPrice = 0
  #foundBetter = 0
  #foundWorse = 0

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
    const roots = new Int32Array(best.length)
    roots.set(this.#roots)
    this.#roots = roots
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

  /** The level at a price, or 0. Remembers where it would belong, so that `insert` need not search again. */
  find(ladder: number, price: number): number {
    const { f64, i32 } = this
    const descends = (ladder & 1) === 0
    let better = 0
    let level = this.#best[ladder]!
    for (let step = 0; step < WALK_STEPS; step++) {
      if (level === 0) return this.#missed(ladder, price, better, 0)
      const here = f64[(level << 3) + PRICE]!
      if (here === price) return level
      if (descends ? here < price : here > price) return this.#missed(ladder, price, better, level)
      better = level
      level = i32[(level << 4) + WORSE]!
    }
    return this.#descend(ladder, price, descends)
  }

  #missed(ladder: number, price: number, better: number, worse: number): number {
    this.#foundLadder = ladder
    this.#foundPrice = price
    this.#foundBetter = better
    this.#foundWorse = worse
    return 0
  }

  /** Searches the tree from its root. */
  #descend(ladder: number, price: number, descends: boolean): number {
    const { f64, i32 } = this
    let better = 0
    let worse = 0
    let level = this.#roots[ladder]!
    while (level !== 0) {
      const here = f64[(level << 3) + PRICE]!
      if (here === price) return level
      if (descends ? here > price : here < price) {
        better = level
        level = i32[(level << 4) + WORSE_CHILD]!
      } else {
        worse = level
        level = i32[(level << 4) + BETTER_CHILD]!
      }
    }
    return this.#missed(ladder, price, better, worse)
  }

  /** Makes the level at a price that has none. */
  insert(ladder: number, price: number): number {
    if (this.#foundLadder !== ladder || this.#foundPrice !== price) this.find(ladder, price)
    this.#foundLadder = -1
    const better = this.#foundBetter
    const worse = this.#foundWorse
    const level = this.#allocate()
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
    i32[base + BETTER_CHILD] = 0
    i32[base + WORSE_CHILD] = 0
    if (worse !== 0) i32[(worse << 4) + BETTER] = level
    if (better !== 0) i32[(better << 4) + WORSE] = level
    else this.#best[ladder] = level
    // Of two neighbours one has a free place on the other's side.
    if (better !== 0 && i32[(better << 4) + WORSE_CHILD] === 0) {
      i32[(better << 4) + WORSE_CHILD] = level
      i32[base + PARENT] = better
    } else {
      if (worse === 0) this.#roots[ladder] = level
      else i32[(worse << 4) + BETTER_CHILD] = level
      i32[base + PARENT] = worse
    }
    for (;;) {
      const parent = i32[base + PARENT]!
      if (parent === 0 || priority(parent) >= priority(level)) return level
      this.#rotateUp(ladder, level, parent)
    }
  }

  /** Takes an empty level out of its ladder. */
  remove(level: number): void {
    const i32 = this.i32
    const base = level << 4
    const worse = i32[base + WORSE]!
    const better = i32[base + BETTER]!
    const ladder = i32[base + LADDER]!
    if (worse !== 0) i32[(worse << 4) + BETTER] = better
    if (better !== 0) i32[(better << 4) + WORSE] = worse
    else this.#best[ladder] = worse
    let left = i32[base + BETTER_CHILD]!
    let right = i32[base + WORSE_CHILD]!
    while (left !== 0 && right !== 0) {
      this.#rotateUp(ladder, priority(left) > priority(right) ? left : right, level)
      left = i32[base + BETTER_CHILD]!
      right = i32[base + WORSE_CHILD]!
    }
    this.#hang(ladder, i32[base + PARENT]!, level, left === 0 ? right : left)
    i32[base + WORSE] = this.#free
    this.#free = level
    this.#foundLadder = -1
    this.live--
  }

  /** Checks that the tree finds a level and keeps its rules there. */
  verify(level: number): void {
    const i32 = this.i32
    const base = level << 4
    const ladder = this.ladder(level)
    const parent = i32[base + PARENT]!
    const price = this.price(level)
    const hangs =
      parent === 0
        ? this.#roots[ladder] === level
        : (i32[(parent << 4) + BETTER_CHILD] === level || i32[(parent << 4) + WORSE_CHILD] === level) &&
          priority(parent) >= priority(level)
    if (!hangs || this.#descend(ladder, price, (ladder & 1) === 0) !== level) {
      throw new Error(`The order book is inconsistent: the level at ${price} is not where the tree has it.`)
    }
  }

  /** How many levels are above this one in the tree. */
  depth(level: number): number {
    let depth = 0
    for (let at = this.i32[(level << 4) + PARENT]!; at !== 0; at = this.i32[(at << 4) + PARENT]!) depth++
    return depth
  }

  /** Swaps a level with its parent in the tree; the order of prices stays. */
  #rotateUp(ladder: number, level: number, parent: number): void {
    const i32 = this.i32
    const near = i32[(parent << 4) + BETTER_CHILD] === level ? BETTER_CHILD : WORSE_CHILD
    const far = BETTER_CHILD + WORSE_CHILD - near
    const inner = i32[(level << 4) + far]!
    this.#hang(ladder, i32[(parent << 4) + PARENT]!, parent, level)
    i32[(parent << 4) + near] = inner
    if (inner !== 0) i32[(inner << 4) + PARENT] = parent
    i32[(level << 4) + far] = parent
    i32[(parent << 4) + PARENT] = level
  }

  /** Puts `child` where `old` hangs below `parent`. */
  #hang(ladder: number, parent: number, old: number, child: number): void {
    const i32 = this.i32
    if (parent === 0) this.#roots[ladder] = child
    else if (i32[(parent << 4) + BETTER_CHILD] === old) i32[(parent << 4) + BETTER_CHILD] = child
    else i32[(parent << 4) + WORSE_CHILD] = child
    if (child !== 0) i32[(child << 4) + PARENT] = parent
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

/** A level's fixed pseudo-random priority in the tree. */
function priority(level: number): number {
  const mixed = Math.imul(level ^ (level >>> 7), 0x9e3779b1)
  return Math.imul(mixed ^ (mixed >>> 15), 0x85ebca6b)
}
