import { checkRecordCount } from './record-masks.js'

/**
 * The price levels of all books of a shard: one 64-byte record a level, recycled through a free list. A level's key is its
 * price, negated where the highest price is the best: on every book side the smallest key is the best. Level 0 is never given
 * out: 0 means "no level". The book side of a free record is -1.
 *
 *   bytes  0-7   key                24-27  first order         36-39  next worse level
 *          8-15  shown total, lots  28-31  last order          40-43  next better level
 *         16-23  hidden total       32-35  number of orders    44-47  book side
 *                                                              48-51  1 when indexed
 */
const KEY = 0
const SHOWN = 1
const HIDDEN = 2
const HEAD = 6
const TAIL = 7
const COUNT = 8
const WORSE = 9
const BETTER = 10
const OF_SIDE = 11
const INDEXED = 12

/** Where the fields are, in doubles from `level * 8` and in words from `level * 16`, for the few loops that need speed. */
export const levelFields = {
  key: KEY,
  shown: SHOWN,
  hidden: HIDDEN,
  head: HEAD,
  tail: TAIL,
  count: COUNT,
  worse: WORSE,
  better: BETTER,
  bookSide: OF_SIDE,
  indexed: INDEXED,
} as const

const INITIAL_LEVELS = 2048

export class LevelStore {
  i32: Int32Array
  f64: Float64Array
  /** Levels in use. */
  live = 0
  /** The first of the free records, which are linked through the next worse level; 0 when there is none. */
  free = 0
  #capacity = INITIAL_LEVELS
  #used = 1

  constructor() {
    const buffer = new ArrayBuffer(INITIAL_LEVELS * 64)
    this.i32 = new Int32Array(buffer)
    this.f64 = new Float64Array(buffer)
    this.i32[OF_SIDE] = -1
  }

  /** Levels for which there is room. */
  get capacity(): number {
    return this.#capacity
  }

  /** Levels that were ever given out lie below this one. */
  get used(): number {
    return this.#used
  }

  /** The record after the last that was ever given out, whose contents are zeros. */
  allocateLast(): number {
    if (this.#used === this.#capacity) this.#grow()
    return this.#used++
  }

  price(level: number): number {
    return Math.abs(this.f64[(level << 3) + KEY]!)
  }
  key(level: number): number {
    return this.f64[(level << 3) + KEY]!
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
  bookSide(level: number): number {
    return this.i32[(level << 4) + OF_SIDE]!
  }
  isIndexed(level: number): boolean {
    return this.i32[(level << 4) + INDEXED] !== 0
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

  #grow(): void {
    const capacity = this.#capacity * 2
    checkRecordCount(capacity)
    const buffer = new ArrayBuffer(capacity * 64)
    const i32 = new Int32Array(buffer)
    i32.set(this.i32)
    this.i32 = i32
    this.f64 = new Float64Array(buffer)
    this.#capacity = capacity
  }
}
