import { fields, type Tick } from '../ticks.js'

/**
 * The way of ticks from the caller's thread to one worker: a ring in shared memory with one writer and one reader, of
 * records of equal size.
 *
 * ```
 *  control, one 128-byte line for each writer         record (72 bytes)
 *
 *  byte   word              written by  read by       byte  size  field
 *  -----  ----------------  ----------  -------          0     4  instrument's number, or -1: a message is at the port
 *      0  capacity     i32  opener      both             4     4  mask of the fields
 *    128  write        i32  caller      worker           8     8  timestamp (float64)
 *    256  read         i32  worker      caller          16    56  fields (float64), as ticks.ts has them
 *    384  asleep       i32  both        both (wait)
 * ```
 *
 * Positions count records and wrap at 2^32; the capacity is a power of two.
 */
export interface TickRingMemory {
  readonly control: SharedArrayBuffer
  readonly records: SharedArrayBuffer
}

const word = { capacity: 0, write: 128 >> 2, read: 256 >> 2, asleep: 384 >> 2 } as const
const controlBytes = 512
const recordWords = 2 + fields.length
const messageMark = -1

/** A ring of fewer would never have room for a tick beside the place that is kept for messages. */
const capacityMin = 4

export function createTickRing(ticks: number): TickRingMemory {
  const capacity = 2 ** Math.ceil(Math.log2(Math.max(ticks, capacityMin)))
  const memory = {
    control: new SharedArrayBuffer(controlBytes),
    records: new SharedArrayBuffer(capacity * recordWords * 8),
  }
  new Int32Array(memory.control)[word.capacity] = capacity
  return memory
}

/** The caller's end. */
export class TickRingWriter {
  readonly #control: Int32Array
  readonly #int32: Int32Array
  readonly #float64: Float64Array
  readonly #capacity: number
  #write = 0
  #free = 0

  constructor(memory: TickRingMemory) {
    this.#control = new Int32Array(memory.control)
    this.#int32 = new Int32Array(memory.records)
    this.#float64 = new Float64Array(memory.records)
    this.#capacity = this.#control[word.capacity]!
  }

  /** Whether a tick fits now. One place is kept for messages. */
  get fits(): boolean {
    return this.#free > 1 || this.#room() > 1
  }

  /** Ticks that the worker has not taken yet. */
  get queued(): number {
    return (this.#write - Atomics.load(this.#control, word.read)) >>> 0
  }

  /** Writes a tick; the caller has seen to it that it fits. */
  write(instrument: number, mask: number, tick: Tick): void {
    const at = this.#begin(instrument, mask)
    const float64 = this.#float64
    float64[at + 1] = tick.timestamp
    for (let field = 0; field < fields.length; field++) {
      if ((mask & (1 << field)) !== 0) float64[at + 2 + field] = tick[fields[field]!]!
    }
    this.#publish()
  }

  /** Says that a message is at the worker's port; false when the ring is full, and then it has to be said again. */
  announceMessage(): boolean {
    if (this.#free < 1 && this.#room() < 1) return false
    this.#begin(messageMark, 0)
    this.#publish()
    return true
  }

  #room(): number {
    this.#free = this.#capacity - this.queued
    return this.#free
  }

  #begin(instrument: number, mask: number): number {
    const at = (this.#write & (this.#capacity - 1)) * recordWords
    this.#int32[2 * at] = instrument
    this.#int32[2 * at + 1] = mask
    return at
  }

  #publish(): void {
    this.#free--
    this.#write = (this.#write + 1) | 0
    Atomics.store(this.#control, word.write, this.#write)
    if (Atomics.load(this.#control, word.asleep) === 0) return
    Atomics.store(this.#control, word.asleep, 0)
    Atomics.notify(this.#control, word.asleep)
  }
}

/** The worker's end. */
export class TickRingReader {
  /** Of the record that `next` found. */
  instrument = 0
  mask = 0
  timestamp = 0
  /** Where its fields begin in `float64`. */
  fieldsAt = 0
  readonly float64: Float64Array
  readonly #control: Int32Array
  readonly #int32: Int32Array
  readonly #capacity: number
  #read = 0
  #seen = 0

  constructor(memory: TickRingMemory) {
    this.#control = new Int32Array(memory.control)
    this.#int32 = new Int32Array(memory.records)
    this.float64 = new Float64Array(memory.records)
    this.#capacity = this.#control[word.capacity]!
  }

  /** Moves to the next record; false when there is none now. Its place is given back with `release`. */
  next(): boolean {
    if (this.#read === this.#seen) {
      this.#seen = Atomics.load(this.#control, word.write)
      if (this.#read === this.#seen) return false
    }
    const at = (this.#read & (this.#capacity - 1)) * recordWords
    this.instrument = this.#int32[2 * at]!
    this.mask = this.#int32[2 * at + 1]!
    this.timestamp = this.float64[at + 1]!
    this.fieldsAt = at + 2
    this.#read = (this.#read + 1) | 0
    return true
  }

  get isMessage(): boolean {
    return this.instrument === messageMark
  }

  release(): void {
    Atomics.store(this.#control, word.read, this.#read)
  }

  /** Blocks until there is a record. */
  sleep(): void {
    const control = this.#control
    Atomics.store(control, word.asleep, 1)
    if (Atomics.load(control, word.write) === this.#read) Atomics.wait(control, word.asleep, 1)
    Atomics.store(control, word.asleep, 0)
  }
}
