/** An array of `length`, with what was in it at its beginning. */
export function grown64(array: BigInt64Array, length: number): BigInt64Array {
  const longer = new BigInt64Array(length)
  longer.set(array)
  return longer
}

export function grownFloats(array: Float64Array, length: number): Float64Array {
  const longer = new Float64Array(length)
  longer.set(array)
  return longer
}

export function grownInts(array: Int32Array, length: number): Int32Array {
  const longer = new Int32Array(length)
  longer.set(array)
  return longer
}

/** The length that arrays have which double from `length` on until `used` fits. */
export function lengthFor(used: number, length: number): number {
  let doubled = length
  while (doubled < used) doubled *= 2
  return doubled
}
