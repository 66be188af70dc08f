/** Each window computed anew from the definition: slow, and independent of the incremental code. */

/** Mean of a window relative to its first value, so that large numbers cost no precision. */
function meanAbove(x: Float64Array, from: number, to: number): number {
  const base = x[from]!
  let sum = 0
  for (let i = from; i < to; i++) sum += x[i]! - base
  return sum / (to - from)
}

/** The mean of the deviations' products; `power` of x alone, or x times y. */
function moment(x: Float64Array, from: number, to: number, power: number, y?: Float64Array): number {
  const center = meanAbove(x, from, to)
  const other = y ? meanAbove(y, from, to) : 0
  let sum = 0
  for (let i = from; i < to; i++) {
    const d = x[i]! - x[from]! - center
    if (y) sum += d * (y[i]! - y[from]! - other)
    else sum += power === 2 ? d * d : power === 3 ? d * d * d : d * d * d * d
  }
  return sum / (to - from)
}

function sum(x: Float64Array, from: number, to: number): number {
  let total = 0
  for (let i = from; i < to; i++) total += x[i]!
  return total
}

export type Window = (x: Float64Array, from: number, to: number, y: Float64Array) => number | undefined

export const windows = {
  sum,
  mean: (x, from, to) => sum(x, from, to) / (to - from),
  min: (x, from, to) => {
    let least = x[from]!
    for (let i = from; i < to; i++) if (x[i]! < least) least = x[i]!
    return least
  },
  max: (x, from, to) => {
    let most = x[from]!
    for (let i = from; i < to; i++) if (x[i]! > most) most = x[i]!
    return most
  },
  variance: (x, from, to) => moment(x, from, to, 2),
  sampleVariance: (x, from, to) => (moment(x, from, to, 2) * (to - from)) / (to - from - 1),
  std: (x, from, to) => Math.sqrt(moment(x, from, to, 2)),
  skewness: (x, from, to) => {
    const m2 = moment(x, from, to, 2)
    return m2 === 0 ? undefined : moment(x, from, to, 3) / m2 ** 1.5
  },
  kurtosis: (x, from, to) => {
    const m2 = moment(x, from, to, 2)
    return m2 === 0 ? undefined : moment(x, from, to, 4) / m2 ** 2 - 3
  },
  zscore: (x, from, to) => {
    const m2 = moment(x, from, to, 2)
    return m2 === 0 ? undefined : (x[to - 1]! - x[from]! - meanAbove(x, from, to)) / Math.sqrt(m2)
  },
  covariance: (x, from, to, y) => moment(x, from, to, 0, y),
  correlation: (x, from, to, y) => {
    const scale = Math.sqrt(moment(x, from, to, 2) * moment(y, from, to, 2))
    return scale === 0 ? undefined : moment(x, from, to, 0, y) / scale
  },
} satisfies Record<string, Window>

/** The largest size of a value in the window: what an error is measured against when the result is small. */
export function scaleOf(x: Float64Array, from: number, to: number): number {
  let scale = 0
  for (let i = from; i < to; i++) scale = Math.max(scale, Math.abs(x[i]!))
  return scale
}
