import { broken } from '../../base/assert.js'
import { type OrderStore, orderFields } from './order-store.js'
import { recordMask, slotMask } from './record-masks.js'
import { touchedWords } from './touched-words.js'

const ID = orderFields.id
const BOOK = orderFields.book

const RECORD = recordMask
const SLOT_WORD = slotMask
/** The table has more than so many words for each entry. A slot is two words, so at most half of the slots are taken. */
const LOAD = 4
const INITIAL_SLOTS = 16_384
/** Words of a part of the table in `insertAll`: 256 KiB, which stay in a core's own cache. */
const PART_WORDS = 65_536

/**
 * From (book, order id) to the order's record: open addressing with linear probing, at most half full. A slot is two
 * words, the full 32-bit hash and the record, so that probing past other entries and moving them (on removal and on
 * growth) never touches the orders themselves. Removal shifts the following entries back: there are no tombstones and
 * a long-lived index does not decay. Where an entry lands depends on the seed and is not observable.
 */
export class OrderIndex {
  readonly #orders: OrderStore
  readonly #seed: number
  slots: Int32Array = new Int32Array(INITIAL_SLOTS * 2)
  /** Masks the word at which a slot begins, which is even. */
  mask = INITIAL_SLOTS * 2 - 2
  #size = 0
  /** The slot of the last successful look-up; a hint, checked before use. */
  #lastHit = 0

  constructor(orders: OrderStore, seed: number) {
    this.#orders = orders
    this.#seed = seed | 0
  }

  get size(): number {
    return this.#size
  }

  hash(book: number, idLow: number, idHigh: number): number {
    let hash = Math.imul(idLow ^ this.#seed, 0x9e3779b1)
    hash = Math.imul(hash ^ (hash >>> 15) ^ Math.imul(book, 0x85ebca6b) ^ idHigh, 0x7feb352d)
    return hash ^ (hash >>> 16)
  }

  /** The record of the live order `id` of `book`, or 0. */
  find(book: number, idLow: number, idHigh: number): number {
    const hash = this.hash(book, idLow, idHigh)
    const slots = this.slots
    const mask = this.mask
    const { i32 } = this.#orders
    let at = (hash << 1) & mask & SLOT_WORD
    for (;;) {
      const order = slots[at | 1]! & RECORD
      if (order === 0) {
        return 0
      }
      const base = order << 4
      if (
        slots[at] === hash &&
        i32[base + ID] === idLow &&
        i32[base + ID + 1] === idHigh &&
        i32[base + BOOK] === book
      ) {
        this.#lastHit = at
        return order
      }
      at = (at + 2) & mask & SLOT_WORD
    }
  }

  /**
   * Adds the records from `first` on, one for each hash; none of them is in the index yet. The entries are sorted by the
   * part of the table to which they belong, so that one part after the other is filled while it is in the cache: with
   * 3 million orders this takes a third of the time of inserting them as they come.
   */
  insertAll(first: number, hashes: Int32Array): void {
    const count = hashes.length
    let words = this.slots.length
    while ((this.#size + count) * LOAD > words - 2) words *= 2
    if (words > this.slots.length) this.#grow(words)
    const { slots, mask } = this
    const shift = Math.max(0, 32 - Math.clz32(words / PART_WORDS - 1))
    const partShift = 31 - Math.clz32(words) - shift
    const starts = new Int32Array((1 << shift) + 1)
    for (let i = 0; i < count; i++) starts[(((hashes[i]! << 1) & mask) >>> partShift) + 1]! += 1
    for (let part = 1; part < starts.length; part++) starts[part]! += starts[part - 1]!
    const sorted = new Int32Array(count * 2)
    for (let i = 0; i < count; i++) {
      const hash = hashes[i]!
      const to = starts[((hash << 1) & mask) >>> partShift]!++ * 2
      sorted[to] = hash
      sorted[to + 1] = first + i
    }
    for (let i = 0; i < count * 2; i += 2) {
      const hash = sorted[i]!
      let at = (hash << 1) & mask
      while (slots[at | 1] !== 0) at = (at + 2) & mask
      slots[at] = hash
      slots[at | 1] = sorted[i + 1]!
    }
    this.#size += count
  }

  /** After an entry was put into the free slot at which probing for it ended. */
  noteInsertion(): void {
    if (++this.#size * LOAD > this.mask) this.#grow(this.slots.length * 2)
  }

  /** After an entry was taken out and those after it were shifted back. */
  noteRemoval(): void {
    this.#size--
  }

  /** Adds a record whose book and id are known not to be there. */
  insert(order: number): void {
    const { i32 } = this.#orders
    const idLow = i32[(order << 4) + ID]!
    const idHigh = i32[(order << 4) + ID + 1]!
    const book = i32[(order << 4) + BOOK]!
    if (++this.#size * LOAD > this.mask) this.#grow(this.slots.length * 2)
    const hash = this.hash(book, idLow, idHigh)
    const slots = this.slots
    const mask = this.mask
    let at = (hash << 1) & mask
    while (slots[at | 1] !== 0) at = (at + 2) & mask
    slots[at] = hash
    slots[at | 1] = order
  }

  /** Takes out a record that is known to be there. */
  remove(order: number): void {
    this.#size--
    const slots = this.slots
    const mask = this.mask
    // Most orders are removed by the command that has just looked them up.
    let hole = this.#lastHit & SLOT_WORD
    if (slots[hole | 1] !== order) hole = this.#slotOf(order) & SLOT_WORD
    let at = hole
    for (;;) {
      at = (at + 2) & mask & SLOT_WORD
      const next = slots[at | 1]!
      if (next === 0) break
      const hash = slots[at]!
      if (((at - (hash << 1)) & mask) >= ((at - hole) & mask)) {
        slots[hole] = hash
        slots[hole | 1] = next
        hole = at
      }
    }
    slots[hole | 1] = 0
  }

  #slotOf(order: number): number {
    const { i32 } = this.#orders
    const base = order << 4
    if (this.find(i32[base + BOOK]!, i32[base + ID]!, i32[base + ID + 1]!) !== order) {
      broken('a live order is in the index', { order, book: i32[base + BOOK] })
    }
    return this.#lastHit
  }

  #grow(words: number): void {
    const old = this.slots
    const slots = touchedWords(words)
    const mask = words - 2
    for (let i = 0; i < old.length; i += 2) {
      const order = old[i | 1]!
      if (order === 0) continue
      const hash = old[i]!
      let at = (hash << 1) & mask
      while (slots[at | 1] !== 0) at = (at + 2) & mask
      slots[at] = hash
      slots[at | 1] = order
    }
    this.slots = slots
    this.mask = mask
  }
}
