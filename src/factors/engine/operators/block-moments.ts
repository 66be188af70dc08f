import { allAssertions } from '../../../base/assert.js'
import { checkPlace } from './operator.js'

/**
 * Central moments of the last p values, in blocks as `block-sum.ts` has it: the aggregates of a suffix and a prefix
 * are joined, none is ever taken out, so a spike that left the window leaves no error. Prefixes grow by Welford's
 * update (Technometrics 4 (1962)); aggregates are joined by the formulas of Chan, Golub and LeVeque (1979) for the
 * second moment and of Pébay (Sandia report SAND2008-6212) for the third and fourth. On a constant series every
 * central moment is exactly zero.
 *
 * ```
 *  s + 0   place in the block         s + 4   squared deviations of the prefix
 *      1   1 once a block was full        5   mean of the window          (result)
 *      2   (unused)                       6   squared deviations of the window (result)
 *      3   mean of the prefix             7 …     p slots of 2: value, or mean and squared deviations of a suffix
 * ```
 */
const head2 = 7
export const windowMean = 5
export const windowSquares = 6

export function blockMomentsCells(period: number): number {
  return head2 + 2 * period
}

/** Takes the next value; returns whether the window is full, and then `windowMean` and `windowSquares` are set. */
export function stepBlockMoments(c: Float64Array, s: number, period: number, x: number): boolean {
  const slots = s + head2
  const i = c[s]!
  if (allAssertions) checkPlace(i, period)
  const n = i + 1
  const delta = x - c[s + 3]!
  const mean = c[s + 3]! + delta / n
  const squares = c[s + 4]! + delta * (x - mean)
  c[slots + 2 * i] = x
  if (n < period) {
    c[s] = n
    c[s + 3] = mean
    c[s + 4] = squares
    if (c[s + 1] === 0) return false
    const older = period - n
    const apart = mean - c[slots + 2 * n]!
    c[s + windowMean] = c[slots + 2 * n]! + (apart * n) / period
    c[s + windowSquares] = c[slots + 2 * n + 1]! + squares + (apart * apart * older * n) / period
    return true
  }
  let suffixMean = 0
  let suffixSquares = 0
  for (let j = period - 1; j >= 0; j--) {
    const value = c[slots + 2 * j]!
    const off = value - suffixMean
    suffixMean += off / (period - j)
    suffixSquares += off * (value - suffixMean)
    c[slots + 2 * j] = suffixMean
    c[slots + 2 * j + 1] = suffixSquares
  }
  c[s] = 0
  c[s + 1] = 1
  c[s + 3] = 0
  c[s + 4] = 0
  c[s + windowMean] = mean
  c[s + windowSquares] = squares
  return true
}

/**
 * The same up to the fourth moment.
 *
 * ```
 *  s + 0   place in the block           s + 2 … 5    mean, M2, M3, M4 of the prefix
 *      1   1 once a block was full          6 … 8    M2, M3, M4 of the window (results)
 *                                           9 …      p slots of 4: value, or mean, M2, M3, M4 of a suffix
 * ```
 */
const head4 = 9
export const windowM2 = 6
export const windowM3 = 7
export const windowM4 = 8

export function blockFourMomentsCells(period: number): number {
  return head4 + 4 * period
}

export function stepBlockFourMoments(c: Float64Array, s: number, period: number, x: number): boolean {
  const slots = s + head4
  const i = c[s]!
  if (allAssertions) checkPlace(i, period)
  const n = i + 1
  c[slots + 4 * i] = x
  add(c, s + 2, n, x)
  if (n < period) {
    c[s] = n
    if (c[s + 1] === 0) return false
    join(c, slots + 4 * n, period - n, s + 2, n, s + windowM2)
    return true
  }
  c[s + windowM2] = c[s + 3]!
  c[s + windowM3] = c[s + 4]!
  c[s + windowM4] = c[s + 5]!
  c.fill(0, s + 2, s + 6)
  for (let j = period - 1; j >= 0; j--) {
    const slot = slots + 4 * j
    add(c, s + 2, period - j, c[slot]!)
    c[slot] = c[s + 2]!
    c[slot + 1] = c[s + 3]!
    c[slot + 2] = c[s + 4]!
    c[slot + 3] = c[s + 5]!
  }
  c.fill(0, s + 2, s + 6)
  c[s] = 0
  c[s + 1] = 1
  return true
}

/** Adds the n-th value to the aggregate (mean, M2, M3, M4) at `a`. */
function add(c: Float64Array, a: number, n: number, x: number): void {
  const delta = x - c[a]!
  const part = delta / n
  const part2 = part * part
  const term = delta * part * (n - 1)
  const m2 = c[a + 1]!
  const m3 = c[a + 2]!
  c[a] = c[a]! + part
  c[a + 3] = c[a + 3]! + term * part2 * (n * n - 3 * n + 3) + 6 * part2 * m2 - 4 * part * m3
  c[a + 2] = m3 + term * part * (n - 2) - 3 * part * m2
  c[a + 1] = m2 + term
}

/** Joins the aggregates of `nA` values at `a` and `nB` at `b`; writes M2, M3, M4. */
function join(c: Float64Array, a: number, nA: number, b: number, nB: number, to: number): void {
  const n = nA + nB
  const delta = c[b]! - c[a]!
  const part = delta / n
  const m2A = c[a + 1]!
  const m2B = c[b + 1]!
  const m3A = c[a + 2]!
  const m3B = c[b + 2]!
  const product = nA * nB
  c[to] = m2A + m2B + delta * part * product
  c[to + 1] = m3A + m3B + delta * part * part * product * (nA - nB) + 3 * part * (nA * m2B - nB * m2A)
  c[to + 2] =
    c[a + 3]! +
    c[b + 3]! +
    delta * part * part * part * product * (nA * nA - product + nB * nB) +
    6 * part * part * (nA * nA * m2B + nB * nB * m2A) +
    4 * part * (nA * m3B - nB * m3A)
}
