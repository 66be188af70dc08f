/** Below so many, a comparing sort is faster than the passes over the counters. */
const countedFrom = 8192
const digits = 65_536

/**
 * Sorts numbers by a key of each, a whole number; the largest and the smallest key differ by less than 2^53. Equal keys
 * keep their order.
 */
export function sortByKey(items: Int32Array, keyOf: (item: number) => number): void {
  const count = items.length
  if (count < countedFrom) {
    items.sort((a, b) => keyOf(a) - keyOf(b))
    return
  }
  let smallest = Number.POSITIVE_INFINITY
  let largest = Number.NEGATIVE_INFINITY
  for (let i = 0; i < count; i++) {
    const key = keyOf(items[i]!)
    if (key < smallest) smallest = key
    if (key > largest) largest = key
  }
  let from: Int32Array = items
  let to: Int32Array = new Int32Array(count)
  const starts = new Int32Array(digits + 1)
  for (let scale = 1; scale <= largest - smallest; scale *= digits) {
    const digit = (item: number) => ((keyOf(item) - smallest) / scale) & (digits - 1)
    starts.fill(0)
    for (let i = 0; i < count; i++) starts[digit(from[i]!) + 1]! += 1
    for (let i = 1; i <= digits; i++) starts[i]! += starts[i - 1]!
    for (let i = 0; i < count; i++) to[starts[digit(from[i]!)]!++] = from[i]!
    const sorted = to
    to = from
    from = sorted
  }
  if (from !== items) items.set(from)
}
