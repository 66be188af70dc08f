import { allAssertions } from '../../../base/assert.js'
import { checkPlace } from './operator.js'

/**
 * The sum of the last p values without ever taking one away again: the series is cut into blocks of p; a window is a
 * suffix of the last whole block and a prefix of the one being filled (van Herk, Pattern Recognition Letters 13
 * (1992); Gil and Werman, IEEE PAMI 15 (1993)). What left the window leaves no rounding error, whatever its
 * size, so nothing drifts. A tick costs two additions; the last tick of a block turns the block into suffix sums, p
 * additions more: constant time amortized.
 *
 * ```
 *  s + 0   place in the block          s + 2   sum of the block's prefix
 *      1   1 once a block was full     3 …     p slots: a value of this block, or a suffix sum of the last
 * ```
 */
const blockSumHead = 3

export function blockSumCells(period: number): number {
  return blockSumHead + period
}

/** Takes the next value; returns the sum over the window, or NaN while it isn't full. */
export function stepBlockSum(c: Float64Array, s: number, period: number, x: number): number {
  const slots = s + blockSumHead
  const i = c[s]!
  if (allAssertions) checkPlace(i, period)
  const prefix = c[s + 2]! + x
  c[slots + i] = x
  if (i + 1 < period) {
    c[s] = i + 1
    c[s + 2] = prefix
    return c[s + 1] === 0 ? Number.NaN : c[slots + i + 1]! + prefix
  }
  let suffix = 0
  for (let j = slots + period - 1; j >= slots; j--) {
    suffix += c[j]!
    c[j] = suffix
  }
  c[s] = 0
  c[s + 1] = 1
  c[s + 2] = 0
  return prefix
}
