import { type Place, quotient } from './operators/operator.js'

/** A part of a graph that is computed once a tick. */
export interface Step {
  /** The instrument's strip; replaced when it grows. */
  cells: Float64Array
  /** Its first output. */
  readonly at: number
  step(): void
}

/** A node without memory: two cells in, one out. What isn't defined makes the result undefined. */
abstract class Arithmetic implements Step {
  cells: Float64Array
  readonly at: number
  protected readonly left: number
  protected readonly right: number

  constructor(place: Place) {
    const [left = 0, right = 0] = place.inputs
    this.left = left
    this.right = right
    this.at = place.allocate(1)
    this.cells = place.cells
    this.cells[this.at] = Number.NaN
  }

  abstract step(): void
}

class Sum extends Arithmetic {
  step(): void {
    this.cells[this.at] = finite(this.cells[this.left]! + this.cells[this.right]!)
  }
}

class Gap extends Arithmetic {
  step(): void {
    this.cells[this.at] = finite(this.cells[this.left]! - this.cells[this.right]!)
  }
}

class Product extends Arithmetic {
  step(): void {
    this.cells[this.at] = finite(this.cells[this.left]! * this.cells[this.right]!)
  }
}

class Quotient extends Arithmetic {
  step(): void {
    this.cells[this.at] = quotient(this.cells[this.left]!, this.cells[this.right]!)
  }
}

function finite(value: number): number {
  return Number.isFinite(value) ? value : Number.NaN
}

export const arithmetic = { '+': Sum, '-': Gap, '*': Product, '/': Quotient } as const
