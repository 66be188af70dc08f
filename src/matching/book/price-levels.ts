import { broken } from '../../base/assert.js'
import { KeyMap } from './key-map.js'
import { LevelStore, levelFields } from './level-store.js'
import { NumberIndex } from './number-index.js'
import { recordMask } from './record-masks.js'
import { sortByKey } from './sort-by-key.js'

// Copied because V8 folds a module's own constants only; an imported one is loaded each time.
const KEY = levelFields.key
const SHOWN = levelFields.shown
const HIDDEN = levelFields.hidden
const HEAD = levelFields.head
const TAIL = levelFields.tail
const COUNT = levelFields.count
const WORSE = levelFields.worse
const BETTER = levelFields.better
const OF_SIDE = levelFields.bookSide
const INDEXED = levelFields.indexed
const RECORD = recordMask
const SIDE_MASK = 0xffffff
/** Places for recently found levels, for each level that there is room for. */
const RECENT_PER_LEVEL = 4
const INITIAL_SIDES = 64

/** For each book side: best level, first indexed level, number of levels before it. */
const BEST = 0
const FIRST_INDEXED = 1
const NEAR = 2

/** With more levels than this before the first indexed one, all but `NEAR_KEPT` of them are indexed. */
const NEAR_MAX = 16
const NEAR_KEPT = 8

/** The numbers of a book's sides are `book * 4` plus one of these. On the even ones the highest price is the best. */
export const SIDE_BIDS = 0
export const SIDE_ASKS = 1
/** Orders that wait for the last price to fall, such as sell stops: the highest is next. */
export const SIDE_WAIT_FALL = 2
/** Orders that wait for the last price to rise, such as buy stops: the lowest is next. */
export const SIDE_WAIT_RISE = 3

/** Computed, not chosen: sides come at random, and a wrongly predicted branch costs more than a multiplication. */
function keySign(bookSide: number): number {
  return ((bookSide & 1) << 1) - 1
}

/**
 * The price levels of all books of a shard, sorted by book side, best first. A book has four sides: bids, asks, and the
 * orders that wait for the last price to fall or to rise.
 *
 * Most levels come and go near the touch: on the benchmark's `normal` workload 84 % of the resting orders open a level
 * of their own, nearly always as the new best, and close it soon after. So the levels nearest to the best are only a
 * linked list, searched by walking. Once they are more than a few, the worse half of them is indexed: from the first
 * indexed level on, every level is also in a hash by key and in a map of taken keys, so that a deep book costs two
 * or three look-ups, however many levels it has. Measured when it was chosen, `normal` / 40,000 levels hit at random, ns a
 * message for the whole book: this 180 / 349, a treap over all levels 189 / 537, hash and map over all levels 250 / -.
 *
 * New orders and moved ones go through `obtain`: before the best level it makes one without a search, and elsewhere it
 * first looks where the level of that price was last seen. In a deep book nineteen of twenty are found there.
 */
export class PriceLevels extends LevelStore {
  #bookSides = new Int32Array(INITIAL_SIDES * 4)
  readonly #indexedLevels: NumberIndex
  readonly #indexedKeys: KeyMap
  /** The key that is looked for. A number passed to a function that is not inlined would be boxed beyond 31 bits. */
  readonly #sought = new Float64Array(1)
  /** Where the last unsuccessful `find` ended: between these two levels. `#foundSide` is -1 when there is none. */
  #foundSide = -1
  #foundKey = 0
  #foundBetter = 0
  #foundWorse = 0
  /**
   * The level that was last found or made at a price, by the price's low bits: neighbouring prices never displace each
   * other. Only a hint, checked against the level's own key and book side.
   */
  #recent = new Int32Array(this.capacity * RECENT_PER_LEVEL)
  #recentMask = this.capacity * RECENT_PER_LEVEL - 1

  constructor(hashSeed: number) {
    super()
    this.#indexedLevels = new NumberIndex(hashSeed)
    this.#indexedKeys = new KeyMap(hashSeed)
  }

  /** Makes room for the book sides of books below `count`. */
  reserveBooks(count: number): void {
    if (count * 16 <= this.#bookSides.length) return
    const bookSides = new Int32Array(Math.max(count * 16, this.#bookSides.length * 2))
    bookSides.set(this.#bookSides)
    this.#bookSides = bookSides
    this.#indexedKeys.reserveBookSides(bookSides.length / 4)
  }

  /** The best level of a book side, or 0. */
  best(bookSide: number): number {
    return this.#bookSides[bookSide * 4 + BEST]!
  }

  /** The level at a price, or 0. Remembers where it would belong, so that `insert` need not search again. */
  find(bookSide: number, price: number): number {
    this.#sought[0] = price * keySign(bookSide)
    return this.#search(bookSide)
  }

  #search(bookSide: number): number {
    const key = this.#sought[0]!
    const { f64, i32 } = this
    const firstIndexed = this.#bookSides[bookSide * 4 + FIRST_INDEXED]!
    if (firstIndexed !== 0 && f64[(firstIndexed << 3) + KEY]! <= key) {
      this.#foundSide = -1
      return this.#indexedLevels.find(bookSide, key)
    }
    let better = 0
    let level = this.#bookSides[bookSide * 4 + BEST]!
    while (level !== firstIndexed) {
      const here = f64[(level << 3) + KEY]!
      if (here >= key) {
        if (here === key) return level
        break
      }
      better = level
      level = i32[(level << 4) + WORSE]!
    }
    this.#foundSide = bookSide
    this.#foundKey = key
    this.#foundBetter = better
    this.#foundWorse = level
    return 0
  }

  /** The level at the price that stands in two words, made if there is none. */
  obtain(bookSide: number, words: Int32Array, at: number): number {
    const own = (bookSide & SIDE_MASK) << 2
    const priceLow = words[at]!
    const key = ((priceLow >>> 0) + (words[at + 1]! >>> 0) * 4294967296) * (((bookSide & 1) << 1) - 1)
    const bookSides = this.#bookSides
    let { i32, f64 } = this
    const best = bookSides[own | BEST]! & RECORD
    const slot = (priceLow + Math.imul(bookSide, 0x9e3779b1)) & this.#recentMask & RECORD
    if (best !== 0 && f64[best << 3]! <= key) {
      const recent = this.#recent[slot]! & RECORD
      if (f64[recent << 3] === key && i32[(recent << 4) | OF_SIDE] === bookSide) return recent
      this.#sought[0] = key
      const found = this.#search(bookSide) || this.#make(bookSide)
      this.#recent[slot] = found
      return found
    }
    // A new best level, which is what most new levels are.
    let level = this.free & RECORD
    if (level !== 0) this.free = i32[(level << 4) | WORSE]!
    else {
      level = this.#allocate() & RECORD
      i32 = this.i32
      f64 = this.f64
    }
    this.live++
    const base = level << 4
    f64[(level << 3) | KEY] = key
    f64[(level << 3) | SHOWN] = 0
    f64[(level << 3) | HIDDEN] = 0
    i32[base | HEAD] = 0
    i32[base | TAIL] = 0
    i32[base | COUNT] = 0
    i32[base | WORSE] = best
    i32[base | BETTER] = 0
    i32[base | OF_SIDE] = bookSide
    i32[base | INDEXED] = 0
    if (best !== 0) i32[(best << 4) | BETTER] = level
    bookSides[own | BEST] = level
    this.#recent[slot] = level
    this.#foundSide = -1
    if ((bookSides[own | NEAR]! += 1) > NEAR_MAX) this.#indexWorse(bookSide)
    return level
  }

  /** Makes the level at a price that has none. */
  insert(bookSide: number, price: number): number {
    this.#sought[0] = price * keySign(bookSide)
    return this.#make(bookSide)
  }

  #make(bookSide: number): number {
    const key = this.#sought[0]!
    if (this.#foundSide !== bookSide || this.#foundKey !== key) this.#search(bookSide)
    const isNear = this.#foundSide === bookSide
    this.#foundSide = -1
    const level = this.#allocate()
    this.live++
    let better = this.#foundBetter
    let worse = this.#foundWorse
    if (!isNear) {
      this.#indexedKeys.add(bookSide, key)
      better = this.#indexedLevels.find(bookSide, this.#indexedKeys.below(bookSide, key))
      worse = this.worse(better)
      this.#indexedLevels.insert(bookSide, key, level)
    }
    const { i32, f64 } = this
    const base = level << 4
    f64[(level << 3) + KEY] = key
    f64[(level << 3) + SHOWN] = 0
    f64[(level << 3) + HIDDEN] = 0
    i32[base + HEAD] = 0
    i32[base + TAIL] = 0
    i32[base + COUNT] = 0
    i32[base + WORSE] = worse
    i32[base + BETTER] = better
    i32[base + OF_SIDE] = bookSide
    i32[base + INDEXED] = isNear ? 0 : 1
    if (worse !== 0) i32[(worse << 4) + BETTER] = level
    if (better !== 0) i32[(better << 4) + WORSE] = level
    else this.#bookSides[bookSide * 4 + BEST] = level
    if (isNear && ++this.#bookSides[bookSide * 4 + NEAR]! > NEAR_MAX) this.#indexWorse(bookSide)
    return level
  }

  /**
   * Makes a level of a snapshot, which is in no book side yet: `linkRestored` puts all of them into theirs. Such levels are
   * made one after the other, and nothing else happens in between.
   */
  restore(bookSide: number, price: number): number {
    const level = this.allocateLast()
    this.#growRecent()
    this.live++
    const { i32, f64 } = this
    f64[(level << 3) + KEY] = price * keySign(bookSide)
    i32[(level << 4) + OF_SIDE] = bookSide
    return level
  }

  /** Puts the restored levels from `first` on into their book sides, which hold no others. */
  linkRestored(first: number): void {
    const { i32, f64 } = this
    const count = this.used - first
    const levels = new Int32Array(count)
    for (let i = 0; i < count; i++) levels[i] = first + i
    // By price, not by key: keys of both signs may differ by more than is exact.
    sortByKey(levels, (level) => Math.abs(f64[(level << 3) + KEY]!))
    this.#gatherSides(levels)
    for (let at = 0; at < count; ) {
      const bookSide = i32[(levels[at]! << 4) + OF_SIDE]!
      let end = at
      while (end < count && i32[(levels[end]! << 4) + OF_SIDE] === bookSide) end++
      if (keySign(bookSide) < 0) levels.subarray(at, end).reverse()
      for (let i = at, better = 0; i < end; i++) {
        const level = levels[i]!
        i32[(level << 4) + BETTER] = better
        if (better !== 0) i32[(better << 4) + WORSE] = level
        better = level
      }
      this.#bookSides[bookSide * 4 + BEST] = levels[at]!
      this.#bookSides[bookSide * 4 + NEAR] = end - at
      if (end - at > NEAR_MAX) this.#indexWorse(bookSide)
      at = end
    }
    this.#foundSide = -1
  }

  /** Brings the levels of each book side together, and keeps their order there. */
  #gatherSides(levels: Int32Array): void {
    const { i32 } = this
    const count = levels.length
    const sorted = levels.slice()
    const starts = new Int32Array(this.#bookSides.length / 4 + 1)
    for (let i = 0; i < count; i++) starts[i32[(sorted[i]! << 4) + OF_SIDE]! + 1]! += 1
    for (let bookSide = 1; bookSide < starts.length; bookSide++) starts[bookSide]! += starts[bookSide - 1]!
    for (let i = 0; i < count; i++) levels[starts[i32[(sorted[i]! << 4) + OF_SIDE]!]!++] = sorted[i]!
  }

  /** Takes an empty level out of its book side. */
  remove(empty: number): void {
    const level = empty & RECORD
    const i32 = this.i32
    const bookSides = this.#bookSides
    const base = level << 4
    const worse = i32[base | WORSE]! & RECORD
    const better = i32[base | BETTER]! & RECORD
    const bookSide = i32[base | OF_SIDE]!
    const own = (bookSide & SIDE_MASK) << 2
    if (worse !== 0) i32[(worse << 4) | BETTER] = better
    if (better !== 0) i32[(better << 4) | WORSE] = worse
    else bookSides[own | BEST] = worse
    if (i32[base | INDEXED] === 0) bookSides[own | NEAR]! -= 1
    else this.#unindex(bookSide, level, worse)
    i32[base | OF_SIDE] = -1
    i32[base | WORSE] = this.free
    this.free = level
    this.#foundSide = -1
    this.live--
  }

  /** Indexes levels towards the best, until `NEAR_KEPT` are left before the first indexed one. */
  #indexWorse(bookSide: number): void {
    const { i32, f64 } = this
    const bookSides = this.#bookSides
    let level = bookSides[bookSide * 4 + BEST]!
    for (let i = 0; i < NEAR_KEPT; i++) level = i32[(level << 4) + WORSE]!
    const oldFirst = bookSides[bookSide * 4 + FIRST_INDEXED]!
    bookSides[bookSide * 4 + FIRST_INDEXED] = level
    bookSides[bookSide * 4 + NEAR] = NEAR_KEPT
    for (; level !== oldFirst; level = i32[(level << 4) + WORSE]!) {
      const key = f64[(level << 3) + KEY]!
      i32[(level << 4) + INDEXED] = 1
      this.#indexedKeys.add(bookSide, key)
      this.#indexedLevels.insert(bookSide, key, level)
    }
  }

  #unindex(bookSide: number, level: number, worse: number): void {
    const key = this.f64[(level << 3) + KEY]!
    if (this.#bookSides[bookSide * 4 + FIRST_INDEXED] === level)
      this.#bookSides[bookSide * 4 + FIRST_INDEXED] = worse
    this.#indexedKeys.remove(bookSide, key)
    this.#indexedLevels.remove(bookSide, key)
  }

  /** Checks which levels of a book side are indexed, and that they, and no others, are in hash and map. */
  verify(bookSide: number): void {
    const firstIndexed = this.#bookSides[bookSide * 4 + FIRST_INDEXED]!
    let near = 0
    let better = 0
    for (let level = this.best(bookSide); level !== 0; level = this.worse(level)) {
      const key = this.key(level)
      if (better === 0 && level !== firstIndexed) near++
      else {
        const holds =
          this.isIndexed(level) &&
          this.#indexedLevels.find(bookSide, key) === level &&
          (better === 0 || this.#indexedKeys.below(bookSide, key) === this.key(better))
        if (!holds)
          broken('a level from the first indexed one on is indexed', { bookSide, price: this.price(level) })
        better = level
      }
      if (better === 0 && this.isIndexed(level)) {
        broken('a level before the first indexed one is not indexed', { bookSide, price: this.price(level) })
      }
    }
    if (
      near !== this.#bookSides[bookSide * 4 + NEAR] ||
      near > NEAR_MAX ||
      (firstIndexed !== 0 && better === 0)
    ) {
      broken('few levels stand before the first indexed one, and they are counted', { bookSide, near })
    }
  }

  /** Levels in the hash; for checks. */
  get indexed(): number {
    return this.#indexedLevels.size
  }

  /** A free record; its contents are whatever the last owner left. */
  #allocate(): number {
    const free = this.free
    if (free !== 0) {
      this.free = this.i32[(free << 4) + WORSE]!
      return free
    }
    const level = this.allocateLast()
    this.#growRecent()
    return level
  }

  /** Keeps the places for recently found levels as many as they should be. */
  #growRecent(): void {
    if (this.capacity * RECENT_PER_LEVEL === this.#recent.length) return
    this.#recent = new Int32Array(this.capacity * RECENT_PER_LEVEL)
    this.#recentMask = this.capacity * RECENT_PER_LEVEL - 1
  }
}
