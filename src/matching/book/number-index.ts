const INITIAL_SLOTS = 256

/**
 * From (group, number) to a positive 32-bit value: open addressing with linear probing, at most half full, removal by
 * shifting back. A 16-byte slot holds key and value, so a probe touches one cache line:
 *
 *   bytes 0-7 number   8-11 group   12-15 value, 0 when the slot is free
 */
export class NumberIndex {
  readonly #seed: number
  #i32: Int32Array
  #f64: Float64Array
  #mask = INITIAL_SLOTS - 1
  #size = 0

  constructor(seed: number) {
    this.#seed = seed | 0
    const buffer = new ArrayBuffer(INITIAL_SLOTS * 16)
    this.#i32 = new Int32Array(buffer)
    this.#f64 = new Float64Array(buffer)
  }

  get size(): number {
    return this.#size
  }

  /** The value, or 0. */
  find(group: number, number: number): number {
    const i32 = this.#i32
    const f64 = this.#f64
    const mask = this.#mask
    let slot = this.#home(group, number)
    for (;;) {
      const value = i32[slot * 4 + 3]!
      if (value === 0 || (f64[slot * 2] === number && i32[slot * 4 + 2] === group)) return value
      slot = (slot + 1) & mask
    }
  }

  /** Adds a key that is known not to be there. */
  insert(group: number, number: number, value: number): void {
    if (++this.#size * 2 > this.#mask) this.#grow((this.#mask + 1) * 2)
    this.#put(group, number, value)
  }

  /** Makes room for so many keys at once, those that are there among them. */
  reserve(keys: number): void {
    let slots = this.#mask + 1
    while (keys * 2 > slots - 1) slots *= 2
    if (slots > this.#mask + 1) this.#grow(slots)
  }

  /** Takes out a key that is known to be there. */
  remove(group: number, number: number): void {
    this.#size--
    const i32 = this.#i32
    const f64 = this.#f64
    const mask = this.#mask
    let hole = this.#home(group, number)
    while (f64[hole * 2] !== number || i32[hole * 4 + 2] !== group) hole = (hole + 1) & mask
    let slot = hole
    for (;;) {
      slot = (slot + 1) & mask
      if (i32[slot * 4 + 3] === 0) break
      const home = this.#home(i32[slot * 4 + 2]!, f64[slot * 2]!)
      if (((slot - home) & mask) >= ((slot - hole) & mask)) {
        f64[hole * 2] = f64[slot * 2]!
        f64[hole * 2 + 1] = f64[slot * 2 + 1]!
        hole = slot
      }
    }
    i32[hole * 4 + 3] = 0
  }

  #home(group: number, number: number): number {
    let hash = Math.imul((number | 0) ^ this.#seed, 0x9e3779b1)
    hash ^= hash >>> 15
    hash = Math.imul(hash ^ Math.imul(group, 0x85ebca6b) ^ ((number / 4294967296) | 0), 0x7feb352d)
    return (hash ^ (hash >>> 16)) & this.#mask
  }

  #put(group: number, number: number, value: number): void {
    const i32 = this.#i32
    const mask = this.#mask
    let slot = this.#home(group, number)
    while (i32[slot * 4 + 3] !== 0) slot = (slot + 1) & mask
    this.#f64[slot * 2] = number
    i32[slot * 4 + 2] = group
    i32[slot * 4 + 3] = value
  }

  #grow(slots: number): void {
    const i32 = this.#i32
    const f64 = this.#f64
    const buffer = new ArrayBuffer(slots * 16)
    this.#i32 = new Int32Array(buffer)
    this.#f64 = new Float64Array(buffer)
    this.#mask = slots - 1
    for (let slot = 0; slot * 4 < i32.length; slot++) {
      const value = i32[slot * 4 + 3]!
      if (value !== 0) this.#put(i32[slot * 4 + 2]!, f64[slot * 2]!, value)
    }
  }
}
