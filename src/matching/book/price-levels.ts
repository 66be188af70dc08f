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
const OF_LADDER = levelFields.ladder
const SETTLED = levelFields.settled
const RECORD = recordMask
const LADDER = 0xffffff
/** Places for recently found levels, for each level that there is room for. */
const RECENT_PER_LEVEL = 4
const INITIAL_LADDERS = 64

/** For each ladder: best level, first settled level, number of levels before it. */
const BEST = 0
const FRONTIER = 1
const NEAR = 2

/** With more levels than this before the frontier, all but `NEAR_KEPT` of them are settled. */
const NEAR_MAX = 16
const NEAR_KEPT = 8

/** The ladders of a book are `book * 4` plus one of these. On the even ones the highest price is the best. */
export const LADDER_BIDS = 0
export const LADDER_ASKS = 1
/** Sell stops: triggered when the price falls, so the highest is next. */
export const LADDER_SELL_STOPS = 2
/** Buy stops: triggered when the price rises, so the lowest is next. */
export const LADDER_BUY_STOPS = 3

/** Computed, not chosen: sides come at random, and a wrongly predicted branch costs more than a multiplication. */
function keySign(ladder: number): number {
  return ((ladder & 1) << 1) - 1
}

/**
 * The price levels of all books of a shard in ladders. A ladder is one sorted side of a book, best first; a book has four:
 * bids, asks, and the stops that wait on either side.
 *
 * Most levels come and go near the touch: on the benchmark's `normal` workload 84 % of the resting orders open a level
 * of their own, nearly always as the new best, and close it soon after. So the levels nearest to the best are only a
 * linked list, searched by walking. Once they are more than a few, the worse half of them is settled: from the
 * ladder's frontier on, every level is also in a hash by key and in a map of taken keys, so that a deep book costs two
 * or three look-ups, however many levels it has. Measured when it was chosen, `normal` / 40,000 levels hit at random, ns a
 * message for the whole book: this 180 / 349, a treap over all levels 189 / 537, hash and map over all levels 250 / -.
 *
 * New orders and moved ones go through `obtain`: before the best level it makes one without a search, and elsewhere it
 * first looks where the level of that price was last seen. In a deep book nineteen of twenty are found there.
 */
export class PriceLevels extends LevelStore {
  #ladders = new Int32Array(INITIAL_LADDERS * 4)
  readonly #settledLevels: NumberIndex
  readonly #settledKeys: KeyMap
  /** The key that is looked for. A number passed to a function that is not inlined would be boxed beyond 31 bits. */
  readonly #sought = new Float64Array(1)
  /** Where the last unsuccessful `find` ended: between these two levels. Void when the ladder is -1. */
  #foundLadder = -1
  #foundKey = 0
  #foundBetter = 0
  #foundWorse = 0
  /**
   * The level that was last found or made at a price, by the price's low bits: neighbouring prices never displace each
   * other. Only a hint, checked against the level's own key and ladder.
   */
  #recent = new Int32Array(this.capacity * RECENT_PER_LEVEL)
  #recentMask = this.capacity * RECENT_PER_LEVEL - 1

  constructor(hashSeed: number) {
    super()
    this.#settledLevels = new NumberIndex(hashSeed)
    this.#settledKeys = new KeyMap(hashSeed)
  }

  /** Makes room for the ladders of books below `count`. */
  reserveBooks(count: number): void {
    if (count * 16 <= this.#ladders.length) return
    const ladders = new Int32Array(Math.max(count * 16, this.#ladders.length * 2))
    ladders.set(this.#ladders)
    this.#ladders = ladders
    this.#settledKeys.reserveLadders(ladders.length / 4)
  }

  /** The best level of a ladder, or 0. */
  best(ladder: number): number {
    return this.#ladders[ladder * 4 + BEST]!
  }

  /** The level at a price, or 0. Remembers where it would belong, so that `insert` need not search again. */
  find(ladder: number, price: number): number {
    this.#sought[0] = price * keySign(ladder)
    return this.#search(ladder)
  }

  #search(ladder: number): number {
    const key = this.#sought[0]!
    const { f64, i32 } = this
    const frontier = this.#ladders[ladder * 4 + FRONTIER]!
    if (frontier !== 0 && f64[(frontier << 3) + KEY]! <= key) {
      this.#foundLadder = -1
      return this.#settledLevels.find(ladder, key)
    }
    let better = 0
    let level = this.#ladders[ladder * 4 + BEST]!
    while (level !== frontier) {
      const here = f64[(level << 3) + KEY]!
      if (here >= key) {
        if (here === key) return level
        break
      }
      better = level
      level = i32[(level << 4) + WORSE]!
    }
    this.#foundLadder = ladder
    this.#foundKey = key
    this.#foundBetter = better
    this.#foundWorse = level
    return 0
  }

  /** The level at the price that stands in two words, made if there is none. */
  obtain(ladder: number, words: Int32Array, at: number): number {
    const own = (ladder & LADDER) << 2
    const priceLow = words[at]!
    const key = ((priceLow >>> 0) + (words[at + 1]! >>> 0) * 4294967296) * (((ladder & 1) << 1) - 1)
    const ladders = this.#ladders
    let { i32, f64 } = this
    const best = ladders[own | BEST]! & RECORD
    const slot = (priceLow + Math.imul(ladder, 0x9e3779b1)) & this.#recentMask & RECORD
    if (best !== 0 && f64[best << 3]! <= key) {
      const recent = this.#recent[slot]! & RECORD
      if (f64[recent << 3] === key && i32[(recent << 4) | OF_LADDER] === ladder) return recent
      this.#sought[0] = key
      const found = this.#search(ladder) || this.#make(ladder)
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
    i32[base | OF_LADDER] = ladder
    i32[base | SETTLED] = 0
    if (best !== 0) i32[(best << 4) | BETTER] = level
    ladders[own | BEST] = level
    this.#recent[slot] = level
    this.#foundLadder = -1
    if ((ladders[own | NEAR]! += 1) > NEAR_MAX) this.#settle(ladder)
    return level
  }

  /** Makes the level at a price that has none. */
  insert(ladder: number, price: number): number {
    this.#sought[0] = price * keySign(ladder)
    return this.#make(ladder)
  }

  #make(ladder: number): number {
    const key = this.#sought[0]!
    if (this.#foundLadder !== ladder || this.#foundKey !== key) this.#search(ladder)
    const isNear = this.#foundLadder === ladder
    this.#foundLadder = -1
    const level = this.#allocate()
    this.live++
    let better = this.#foundBetter
    let worse = this.#foundWorse
    if (!isNear) {
      this.#settledKeys.add(ladder, key)
      better = this.#settledLevels.find(ladder, this.#settledKeys.below(ladder, key))
      worse = this.worse(better)
      this.#settledLevels.insert(ladder, key, level)
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
    i32[base + OF_LADDER] = ladder
    i32[base + SETTLED] = isNear ? 0 : 1
    if (worse !== 0) i32[(worse << 4) + BETTER] = level
    if (better !== 0) i32[(better << 4) + WORSE] = level
    else this.#ladders[ladder * 4 + BEST] = level
    if (isNear && ++this.#ladders[ladder * 4 + NEAR]! > NEAR_MAX) this.#settle(ladder)
    return level
  }

  /**
   * Makes a level of a snapshot, which is in no ladder yet: `linkRestored` puts all of them into theirs. Such levels are
   * made one after the other, and nothing else happens in between.
   */
  restore(ladder: number, price: number): number {
    const level = this.allocateLast()
    this.#growRecent()
    this.live++
    const { i32, f64 } = this
    f64[(level << 3) + KEY] = price * keySign(ladder)
    i32[(level << 4) + OF_LADDER] = ladder
    return level
  }

  /** Puts the restored levels from `first` on into their ladders, which hold no others. */
  linkRestored(first: number): void {
    const { i32, f64 } = this
    const count = this.used - first
    const levels = new Int32Array(count)
    for (let i = 0; i < count; i++) levels[i] = first + i
    // By price, not by key: keys of both signs may differ by more than is exact.
    sortByKey(levels, (level) => Math.abs(f64[(level << 3) + KEY]!))
    this.#gatherLadders(levels)
    for (let at = 0; at < count; ) {
      const ladder = i32[(levels[at]! << 4) + OF_LADDER]!
      let end = at
      while (end < count && i32[(levels[end]! << 4) + OF_LADDER] === ladder) end++
      if (keySign(ladder) < 0) levels.subarray(at, end).reverse()
      for (let i = at, better = 0; i < end; i++) {
        const level = levels[i]!
        i32[(level << 4) + BETTER] = better
        if (better !== 0) i32[(better << 4) + WORSE] = level
        better = level
      }
      this.#ladders[ladder * 4 + BEST] = levels[at]!
      this.#ladders[ladder * 4 + NEAR] = end - at
      if (end - at > NEAR_MAX) this.#settle(ladder)
      at = end
    }
    this.#foundLadder = -1
  }

  /** Brings the levels of each ladder together, and keeps their order there. */
  #gatherLadders(levels: Int32Array): void {
    const { i32 } = this
    const count = levels.length
    const sorted = levels.slice()
    const starts = new Int32Array(this.#ladders.length / 4 + 1)
    for (let i = 0; i < count; i++) starts[i32[(sorted[i]! << 4) + OF_LADDER]! + 1]! += 1
    for (let ladder = 1; ladder < starts.length; ladder++) starts[ladder]! += starts[ladder - 1]!
    for (let i = 0; i < count; i++) levels[starts[i32[(sorted[i]! << 4) + OF_LADDER]!]!++] = sorted[i]!
  }

  /** Takes an empty level out of its ladder. */
  remove(empty: number): void {
    const level = empty & RECORD
    const i32 = this.i32
    const ladders = this.#ladders
    const base = level << 4
    const worse = i32[base | WORSE]! & RECORD
    const better = i32[base | BETTER]! & RECORD
    const ladder = i32[base | OF_LADDER]!
    const own = (ladder & LADDER) << 2
    if (worse !== 0) i32[(worse << 4) | BETTER] = better
    if (better !== 0) i32[(better << 4) | WORSE] = worse
    else ladders[own | BEST] = worse
    if (i32[base | SETTLED] === 0) ladders[own | NEAR]! -= 1
    else this.#unsettle(ladder, level, worse)
    i32[base | OF_LADDER] = -1
    i32[base | WORSE] = this.free
    this.free = level
    this.#foundLadder = -1
    this.live--
  }

  /** Moves the frontier towards the best, until `NEAR_KEPT` levels are left before it. */
  #settle(ladder: number): void {
    const { i32, f64 } = this
    const ladders = this.#ladders
    let level = ladders[ladder * 4 + BEST]!
    for (let i = 0; i < NEAR_KEPT; i++) level = i32[(level << 4) + WORSE]!
    const oldFrontier = ladders[ladder * 4 + FRONTIER]!
    ladders[ladder * 4 + FRONTIER] = level
    ladders[ladder * 4 + NEAR] = NEAR_KEPT
    for (; level !== oldFrontier; level = i32[(level << 4) + WORSE]!) {
      const key = f64[(level << 3) + KEY]!
      i32[(level << 4) + SETTLED] = 1
      this.#settledKeys.add(ladder, key)
      this.#settledLevels.insert(ladder, key, level)
    }
  }

  #unsettle(ladder: number, level: number, worse: number): void {
    const key = this.f64[(level << 3) + KEY]!
    if (this.#ladders[ladder * 4 + FRONTIER] === level) this.#ladders[ladder * 4 + FRONTIER] = worse
    this.#settledKeys.remove(ladder, key)
    this.#settledLevels.remove(ladder, key)
  }

  /** Checks the frontier of a ladder and that its settled levels, and no others, are in hash and map. */
  verify(ladder: number): void {
    const frontier = this.#ladders[ladder * 4 + FRONTIER]!
    let near = 0
    let better = 0
    for (let level = this.best(ladder); level !== 0; level = this.worse(level)) {
      const key = this.key(level)
      if (better === 0 && level !== frontier) near++
      else {
        const holds =
          this.isSettled(level) &&
          this.#settledLevels.find(ladder, key) === level &&
          (better === 0 || this.#settledKeys.below(ladder, key) === this.key(better))
        if (!holds)
          throw new Error(`The order book is inconsistent: the level at ${this.price(level)} is not settled.`)
        better = level
      }
      if (better === 0 && this.isSettled(level)) {
        throw new Error(
          `The order book is inconsistent: the level at ${this.price(level)} is settled too early.`,
        )
      }
    }
    if (near !== this.#ladders[ladder * 4 + NEAR] || near > NEAR_MAX || (frontier !== 0 && better === 0)) {
      throw new Error(
        `The order book is inconsistent: ${near} levels stand before the frontier of ladder ${ladder}.`,
      )
    }
  }

  /** Levels in the hash; for checks. */
  get settled(): number {
    return this.#settledLevels.size
  }

  #allocate(): number {
    const level = this.allocate()
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
