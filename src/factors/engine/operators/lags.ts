import { allAssertions } from '../../../base/assert.js'
import { usable } from '../../values.js'
import { checkPeriod, checkPlace, type Place, quotient, UnaryOperator } from './operator.js'

/** `s`: place in the ring, ring full (0 or 1), then `lag` values. Returns the value of `lag` updates ago, or NaN. */
function stepLag(c: Float64Array, s: number, lag: number, x: number): number {
  const i = c[s]!
  if (allAssertions) checkPlace(i, lag)
  const old = c[s + 1] === 1 ? c[s + 2 + i]! : Number.NaN
  c[s + 2 + i] = x
  if (i + 1 < lag) {
    c[s] = i + 1
  } else {
    c[s] = 0
    c[s + 1] = 1
  }
  return old
}

/** The value of `lag` updates ago. */
export class Delay extends UnaryOperator {
  /** How many values back. */
  readonly lag: number

  constructor(lag = 1, place?: Place) {
    checkPeriod('delay', lag, 1, 'lag')
    super(`delay(${lag})`, 1, 1, 2 + lag, place)
    this.lag = lag
  }

  step(): void {
    const c = this.cells
    const x = c[this.input0]!
    if (usable(x)) c[this.at] = stepLag(c, this.at + 1, this.lag, x)
  }
}

/** The value minus that of `lag` updates ago. */
export class Difference extends UnaryOperator {
  /** How many values back. */
  readonly lag: number

  constructor(lag = 1, place?: Place) {
    checkPeriod('diff', lag, 1, 'lag')
    super(`diff(${lag})`, 1, 1, 2 + lag, place)
    this.lag = lag
  }

  step(): void {
    const c = this.cells
    const x = c[this.input0]!
    if (usable(x)) c[this.at] = x - stepLag(c, this.at + 1, this.lag, x)
  }
}

/** The simple return over `lag` updates: value / old value - 1; undefined when the old value is zero. */
export class Return extends UnaryOperator {
  /** How many values back. */
  readonly lag: number

  constructor(lag = 1, place?: Place) {
    checkPeriod('return', lag, 1, 'lag')
    super(`return(${lag})`, 1, 1, 2 + lag, place)
    this.lag = lag
  }

  step(): void {
    const c = this.cells
    const x = c[this.input0]!
    if (!usable(x)) return
    const old = stepLag(c, this.at + 1, this.lag, x)
    c[this.at] = quotient(x - old, old)
  }
}
