/** An array of twice the length, with what was in the first half. */
export function grown64(array: BigInt64Array): BigInt64Array {
  const twice = new BigInt64Array(array.length * 2)
  twice.set(array)
  return twice
}

export function grownFloats(array: Float64Array): Float64Array {
  const twice = new Float64Array(array.length * 2)
  twice.set(array)
  return twice
}

export function grownInts(array: Int32Array): Int32Array {
  const twice = new Int32Array(array.length * 2)
  twice.set(array)
  return twice
}
