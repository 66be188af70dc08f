import { createSpscControl, SpscReader, SpscWriter, spscCapacity } from '../../base/spsc-ring.js'
import { checkedTimestamp, copyChecked, fields } from '../ticks.js'

/**
 * The way of ticks from the caller's thread to one worker: a ring of records of equal size with one writer and one reader.
 *
 * ```
 *  record (72 bytes)
 *
 *  byte  size  field
 *     0     4  instrument's number, or -1: a message is at the port
 *     4     4  mask of the fields
 *     8     8  timestamp (float64)
 *    16    56  fields (float64), as ticks.ts has them
 * ```
 */
export interface TickRingMemory {
  readonly control: SharedArrayBuffer
  readonly records: SharedArrayBuffer
}

const recordWords = 2 + fields.length
/** In place of an instrument's number. */
const messageNumber = -1

/** A ring of fewer would never have room for a tick beside the place that is kept for messages. */
const capacityMin = 4

export function createTickRing(ticks: number): TickRingMemory {
  const control = createSpscControl(Math.max(ticks, capacityMin))
  return { control, records: new SharedArrayBuffer(spscCapacity(control) * recordWords * 8) }
}

/** The caller's end. */
export class TickRingWriter extends SpscWriter {
  readonly #int32: Int32Array
  readonly #float64: Float64Array

  constructor(memory: TickRingMemory) {
    super(memory.control)
    this.#int32 = new Int32Array(memory.records)
    this.#float64 = new Float64Array(memory.records)
  }

  /** Whether a tick fits now. One place is kept for messages. */
  get fitsTick(): boolean {
    return this.fits(2)
  }

  /** Writes the tick that was checked last; returns false when it does not fit. */
  write(instrument: number, mask: number): boolean {
    if (!this.fitsTick) return false
    const at = this.#begin(instrument, mask)
    this.#float64[at + 1] = checkedTimestamp()
    copyChecked(mask, this.#float64, at + 2)
    this.publish(1)
    this.wake()
    return true
  }

  /** Has the worker look at its port. Returns false when the ring is full: then it must be called again. */
  announceMessage(): boolean {
    if (!this.fits(1)) return false
    this.#begin(messageNumber, 0)
    this.publish(1)
    this.wake()
    return true
  }

  #begin(instrument: number, mask: number): number {
    const at = this.place * recordWords
    this.#int32[2 * at] = instrument
    this.#int32[2 * at + 1] = mask
    return at
  }
}

/** The worker's end. */
export class TickRingReader extends SpscReader {
  /** Of the record that `next` found. */
  instrument = 0
  mask = 0
  timestamp = 0
  /** Where its fields begin in `float64`. */
  fieldsAt = 0
  readonly float64: Float64Array
  readonly #int32: Int32Array

  constructor(memory: TickRingMemory) {
    super(memory.control)
    this.#int32 = new Int32Array(memory.records)
    this.float64 = new Float64Array(memory.records)
  }

  /** Moves to the next record; false when there is none now. Its place is the worker's until `release`. */
  next(): boolean {
    if (!this.some) return false
    const at = this.place * recordWords
    this.instrument = this.#int32[2 * at]!
    this.mask = this.#int32[2 * at + 1]!
    this.timestamp = this.float64[at + 1]!
    this.fieldsAt = at + 2
    this.take(1)
    return true
  }

  get isMessage(): boolean {
    return this.instrument === messageNumber
  }
}
