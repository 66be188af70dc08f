import type { DecodedArray } from 'hyparquet'

/** The first place at which two columns differ; `undefined` when there is none. A number and a bigint may be the same. */
export function sameValues(expected: DecodedArray, found: DecodedArray): number | undefined {
  const { length } = expected
  if (found.length !== length) return Math.min(found.length, length)
  for (let i = 0; i < length; i++) {
    const a = expected[i]
    const b = found[i]
    if (a !== b && !isSame(a, b)) return i
  }
  return undefined
}

function isSame(a: unknown, b: unknown): boolean {
  if (a === undefined || a === null) return b === undefined || b === null
  if (a instanceof Uint8Array) return b instanceof Uint8Array && Buffer.compare(a, b) === 0
  if (typeof a === 'bigint' && typeof b === 'number') return a === BigInt(b)
  if (typeof a === 'number' && typeof b === 'bigint') return BigInt(a) === b
  return Object.is(a, b)
}
