/** Trailing stops of the naive book, computed with bigints. */

import type { DecodedNew } from '#tidemark/matching/codec/command-reader.js'
import type { Side } from '#tidemark/matching/codec/names.js'

export interface NaiveTrail {
  readonly ticks?: number
  readonly basisPoints?: number
  /** The best last price since it tracks; undefined while it does not. */
  reference?: number
  /** Which of those that track began earlier. */
  beginning?: number
}

/** The trail that a new order asks for, if it does. */
export function trailOf({ trailingOffset, trailingBasisPoints }: DecodedNew): NaiveTrail | undefined {
  if (trailingOffset !== undefined) return { ticks: trailingOffset }
  return trailingBasisPoints === undefined ? undefined : { basisPoints: trailingBasisPoints }
}

/** The last price at which an order that trails from a reference is triggered: it and everything beyond it. */
export function trailedStop({ ticks, basisPoints }: NaiveTrail, reference: number, side: Side): number {
  const from = BigInt(reference)
  const sign = side === 'sell' ? -1n : 1n
  const exact =
    from * 10_000n + sign * (ticks === undefined ? from * BigInt(basisPoints!) : BigInt(ticks) * 10_000n)
  // To sell, prices at or below it: the whole tick below. To buy, at or above it: the whole tick above.
  const stop = side === 'sell' ? exact / 10_000n : (exact + 9_999n) / 10_000n
  if (stop < 0n) return 0
  return Number(stop > 2n ** 53n ? 2n ** 53n : stop)
}

/** Whether a last price is better than the reference of an order that tracks. */
export function passes(last: number, { reference }: NaiveTrail, side: Side): boolean {
  return reference !== undefined && (side === 'sell' ? last > reference : last < reference)
}
