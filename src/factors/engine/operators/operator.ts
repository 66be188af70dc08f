import { allAssertions, assert, broken } from '../../../base/assert.js'
import { badParameter, badValue, FactorError } from '../../errors.js'
import { usable } from '../../values.js'

/** The largest window, in values. */
export const periodMax = 1_000_000

/**
 * Where an operator lives: a strip of 64-bit floats that holds its inputs, its outputs and its whole inner state. An
 * operator on its own makes a strip for itself; in a graph all operators of an instrument share one, the inputs of
 * one are the outputs of another, and the state of the instrument is that strip and nothing else.
 */
export interface Place {
  /** Cells of the inputs, one for each. */
  readonly inputs: readonly number[]
  /** Takes `count` new cells; returns the first. `cells` is read after it. */
  allocate(count: number): number
  /** The cells of all operators of an instrument. */
  readonly cells: Float64Array
}

/**
 * A streaming operator. An output that isn't defined, because the window isn't full or the formula has no value, is
 * NaN in its cell and `undefined` for the caller. An input that isn't defined leaves the operator as it is.
 *
 * Cells from `at` on: the outputs, then the state. Zero is the initial value of every state cell.
 */
export abstract class Operator {
  /** The strip; replaced by a longer one when a graph grows. */
  cells: Float64Array
  /** Where the operator's cells begin. */
  readonly at: number
  /** Which cell holds its first input. */
  readonly input0: number
  /** Which cell holds its second input. */
  readonly input1: number
  /** Which cell holds its third input. */
  readonly input2: number
  /** How it is written in an expression, such as `mean(5)`. */
  readonly signature: string
  /** Which cell holds its first output. */
  readonly outputs: number
  readonly #size: number

  protected constructor(
    signature: string,
    inputs: number,
    outputs: number,
    stateCells: number,
    place: Place | undefined,
  ) {
    this.signature = signature
    this.outputs = outputs
    this.#size = outputs + stateCells
    const [input0 = 0, input1 = 1, input2 = 2] = place?.inputs ?? []
    this.input0 = input0
    this.input1 = input1
    this.input2 = input2
    this.at = place ? place.allocate(this.#size) : inputs
    this.cells = place ? place.cells : new Float64Array(inputs + this.#size)
    assert(this.at + this.#size <= this.cells.length, 'the cells of an operator are in its strip', () => ({
      signature: this.signature,
      at: this.at,
      size: this.#size,
      cells: this.cells.length,
    }))
    this.reset()
  }

  /** Takes the inputs from their cells, updates the state, and sets the output cells. Allocates nothing. */
  abstract step(): void

  /** The first output, or `undefined` while there is none. */
  get value(): number | undefined {
    return this.output(0)
  }

  /** One of the outputs, by number. */
  output(index: number): number | undefined {
    const value = this.cells[this.at + index]!
    return Number.isNaN(value) ? undefined : value
  }

  /** Forgets everything. */
  reset(): void {
    this.cells.fill(Number.NaN, this.at, this.at + this.outputs)
    this.cells.fill(0, this.at + this.outputs, this.at + this.#size)
  }

  /** A copy of the whole inner state, bit by bit, with a check of which operator it belongs to. */
  save(): Uint8Array {
    const saved = new Float64Array(this.#size + 1)
    saved[0] = signatureHash(this.signature)
    saved.set(this.cells.subarray(this.at, this.at + this.#size), 1)
    return new Uint8Array(saved.buffer)
  }

  /** Takes over a state that `save` of such an operator gave. @throws FactorError `TIDEMARK_BAD_STATE`. */
  restore(saved: Uint8Array): void {
    const fits = saved.byteLength === (this.#size + 1) * 8
    const cells = fits ? new Float64Array(saved.slice().buffer) : undefined
    if (cells?.[0] !== signatureHash(this.signature)) {
      throw new FactorError(
        'TIDEMARK_BAD_STATE',
        `The saved state is not one of ${this.signature}; restore it with the operator that saved it.`,
        { operator: this.signature, bytes: saved.byteLength },
      )
    }
    this.cells.set(cells.subarray(1), this.at)
  }
}

/** An operator of one series. */
export abstract class UnaryOperator extends Operator {
  /** Takes the next value. @throws FactorError `TIDEMARK_BAD_VALUE`; the state stays as it was. */
  update(x: number): void {
    if (!usable(x)) throw badValue(`The input of ${this.signature}`, x)
    this.cells[this.input0] = x
    this.step()
  }
}

/** An operator of two series that move together. */
export abstract class BinaryOperator extends Operator {
  /** Takes the next pair. @throws FactorError `TIDEMARK_BAD_VALUE`; the state stays as it was. */
  update(x: number, y: number): void {
    if (!usable(x)) throw badValue(`The first input of ${this.signature}`, x)
    if (!usable(y)) throw badValue(`The second input of ${this.signature}`, y)
    this.cells[this.input0] = x
    this.cells[this.input1] = y
    this.step()
  }
}

/** A quotient, or NaN where no float holds it. */
export function quotient(dividend: number, divisor: number): number {
  const value = dividend / divisor
  return value <= Number.MAX_VALUE && value >= -Number.MAX_VALUE ? value : Number.NaN
}

/** @throws FactorError `TIDEMARK_BAD_PARAMETER` unless `period` is a whole number from `min` to a million. */
export function checkPeriod(operator: string, period: number, min = 1, parameter = 'period'): number {
  if (!(Number.isInteger(period) && period >= min && period <= periodMax)) {
    throw badParameter(operator, parameter, period, `a whole number from ${min} to ${periodMax}`)
  }
  return period
}

/** FNV-1a over the characters. */
function signatureHash(signature: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < signature.length; i++)
    hash = Math.imul(hash ^ signature.charCodeAt(i), 0x01000193) >>> 0
  return hash
}

/** In the tests: that the place in a window of `period` values is inside it. */
export function checkPlace(place: number, period: number): void {
  if (allAssertions && !(Number.isInteger(place) && place >= 0 && place < period))
    broken('the place in a window is inside it', { place, period })
}
