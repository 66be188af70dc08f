import { allAssertions, assert, broken } from './assert.js'
import { spin } from './spin.js'

/**
 * A ring in shared memory with a single producer and a single consumer (SPSC): its positions, its room, and how its
 * reader sleeps. What a unit of the ring is, a word or a record of fixed size, and where it is kept, is for those who
 * derive from these classes to say. Positions count units and wrap at 2^32; the capacity is a power of two, so a unit's
 * place is its position mod the capacity.
 *
 * ```
 *  control, one 128-byte line for each writer
 *
 *  byte   word            written by        read by
 *  -----  --------------  ----------------  -------
 *      0  capacity   i32  opener            both
 *    128  write      i32  writer            reader   units written so far
 *    256  read       i32  reader            writer   units released so far
 *    384  asleep     i32  reader and wakers reader   1 while the reader sleeps or is about to
 *    512  stop       i32  writer            reader
 *    640  statistics f64  reader            anybody  what the user of the ring counts
 * ```
 *
 * No wake-up is missed. All accesses to these words are atomic, so every thread sees them in one order:
 *
 * - The reader, when it has found nothing: (1) sets `asleep` to 1, (2) looks once more at `write`, at `stop` and at other
 *   work that it may have, and (3) only if there is none, waits as long as `asleep` is 1.
 * - The writer: (a) moves `write` or sets `stop`, (b) reads `asleep`, and (c) if it is 1, sets it to 0 and notifies.
 *
 * Either (a) comes before (2), then the reader sees what was written and does not wait. Or (a) comes after (2), and so (b)
 * after (1): the writer reads 1 and wakes the reader. Does it so between (2) and (3), `asleep` is 0 already and the wait
 * returns at once. Does it read 0 after all, then another thread, which had work for the reader too, has just set that 0 and
 * notifies. A wake-up too many is harmless: the reader finds nothing and sleeps again.
 *
 * A reader that may spin looks at the same words for a while before (1), with `asleep` at 0. What it finds then costs the
 * writer no notification; when it finds nothing, (1) to (3) follow as if it had not spun.
 */
const word = { capacity: 0, write: 128 >> 2, read: 256 >> 2, asleep: 384 >> 2, stop: 512 >> 2 } as const

/** Where the statistics begin, as an index into a `Float64Array` of the control block. */
export const spscStatistics = 640 >> 3

const controlBytes = 768

/** The control block of a ring of at least `units`. */
export function createSpscControl(units: number): SharedArrayBuffer {
  const control = new SharedArrayBuffer(controlBytes)
  new Int32Array(control)[word.capacity] = 2 ** Math.ceil(Math.log2(units))
  return control
}

/** Units that fit into a ring. */
export function spscCapacity(control: SharedArrayBuffer): number {
  const capacity = new Int32Array(control)[word.capacity]!
  const isPowerOfTwo = capacity > 0 && (capacity & (capacity - 1)) === 0
  assert(isPowerOfTwo, 'the capacity of a ring is a power of two', () => ({ capacity }))
  return capacity
}

/** The producer's end. */
export class SpscWriter {
  readonly capacity: number
  readonly #control: Int32Array
  #written = 0
  /** Units that are free for certain; there may be more. */
  #free = 0

  constructor(control: SharedArrayBuffer) {
    this.capacity = spscCapacity(control)
    this.#control = new Int32Array(control)
  }

  /** Whether so many units fit now. */
  fits(units: number): boolean {
    if (units <= this.#free) return true
    this.#free = this.capacity - this.queued
    if (this.#free < 0) broken('a ring never holds more than its capacity', { free: this.#free })
    return units <= this.#free
  }

  /** Units that the reader has not released yet. */
  get queued(): number {
    return (this.#written - Atomics.load(this.#control, word.read)) >>> 0
  }

  /** Has the reader end when it has taken everything. */
  stop(): void {
    Atomics.store(this.#control, word.stop, 1)
    this.wake()
  }

  /** Wakes the reader if it sleeps. Any thread that has work for it may do so, when that work can be seen. */
  wake(): void {
    if (Atomics.load(this.#control, word.asleep) === 0) return
    Atomics.store(this.#control, word.asleep, 0)
    Atomics.notify(this.#control, word.asleep)
  }

  /** Place of the unit that is written next. */
  protected get place(): number {
    return this.#written & (this.capacity - 1)
  }

  /** Hands over so many units, written from `place` on. The caller has made sure that they fit, and calls `wake`. */
  protected publish(units: number): void {
    if (allAssertions && !this.fits(units))
      broken('only what fits is written', { units, free: this.#free, capacity: this.capacity })
    this.#free -= units
    this.#written = (this.#written + units) | 0
    Atomics.store(this.#control, word.write, this.#written)
  }
}

/** The consumer's end. */
export class SpscReader {
  readonly #control: Int32Array
  readonly #mask: number
  /** Units that were taken, released or not. */
  #taken = 0
  /** Position up to which units are there for certain; there may be more. */
  #seen = 0

  constructor(control: SharedArrayBuffer) {
    this.#mask = spscCapacity(control) - 1
    this.#control = new Int32Array(control)
  }

  /** Gives the places of everything taken back to the writer. */
  release(): void {
    Atomics.store(this.#control, word.read, this.#taken)
  }

  get stopped(): boolean {
    return Atomics.load(this.#control, word.stop) !== 0
  }

  /**
   * Blocks until there is a unit, the ring is stopped, or a thread that made `work` ready wakes the reader; spins for `spinUs`
   * at most before it sleeps.
   */
  sleep(work?: { readonly ready: boolean }, spinUs = 0): void {
    if (spinUs > 0 && spin(spinUs, () => this.#hasWork(work))) return
    const control = this.#control
    Atomics.store(control, word.asleep, 1)
    if (!this.#hasWork(work)) Atomics.wait(control, word.asleep, 1)
    Atomics.store(control, word.asleep, 0)
  }

  /** Whether there is a unit to take, at `place`. */
  protected get some(): boolean {
    if (this.#taken !== this.#seen) return true
    this.#seen = Atomics.load(this.#control, word.write)
    if ((this.#seen - this.#taken) >>> 0 > this.#mask + 1)
      broken('a ring never holds more than its capacity', { written: this.#seen, taken: this.#taken })
    return this.#taken !== this.#seen
  }

  /** Place of the unit that is taken next. */
  protected get place(): number {
    return this.#taken & this.#mask
  }

  #hasWork(work: { readonly ready: boolean } | undefined): boolean {
    return Atomics.load(this.#control, word.write) !== this.#taken || this.stopped || work?.ready === true
  }

  /** Takes so many units. Their places stay theirs until `release`. */
  protected take(units: number): void {
    if (allAssertions && units > (this.#seen - this.#taken) >>> 0)
      broken('only what was written is taken', { units, written: this.#seen, taken: this.#taken })
    this.#taken = (this.#taken + units) | 0
  }
}
