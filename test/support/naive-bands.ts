import type { InstrumentDetails } from '#tidemark/matching/codec/instrument-details.js'

/** At which prices trades may be made, by the details of an instrument, in whole numbers of any size. */

export interface Band {
  readonly low: bigint
  readonly high: bigint
}

const everything: Band = { low: 1n, high: 2n ** 53n - 1n }

/** The static band; all prices without one. */
export function staticBand(details: InstrumentDetails): Band {
  const { referencePrice, staticBand: distance, staticBandBasisPoints: points } = details
  return referencePrice === undefined ? everything : around(referencePrice, distance, points)
}

/** The static and the dynamic band together, after a last trade at a price (0: none). */
export function tradingBand(details: InstrumentDetails, lastPrice: number): Band {
  const fixed = staticBand(details)
  if (lastPrice === 0) return fixed
  const moving = around(lastPrice, details.dynamicBand, details.dynamicBandBasisPoints)
  return {
    low: fixed.low > moving.low ? fixed.low : moving.low,
    high: fixed.high < moving.high ? fixed.high : moving.high,
  }
}

export function isWithin(band: Band, price: number): boolean {
  return BigInt(price) >= band.low && BigInt(price) <= band.high
}

/** Whether a price is on the grid of its range: `from:tick` of each range, the last one that begins at or below the price. */
export function isOnTick({ tickTable }: InstrumentDetails, price: number): boolean {
  if (tickTable === undefined) return true
  const ranges = tickTable.split(',').map((range) => range.split(':').map(Number))
  const range = ranges.filter(([from]) => from! <= price).at(-1)
  return range === undefined || price % range[1]! === 0
}

/** The nearest prices on the grid, below and above, of grids whose ticks are small. */
export function nearTicks(details: InstrumentDetails, price: number): number[] {
  const steps = Array.from({ length: 20 }, (_, step) => step)
  const below = steps.map((step) => price - step).find((p) => p > 0 && isOnTick(details, p))
  const above = steps.map((step) => price + step).find((p) => isOnTick(details, p))
  return [below, above].filter((p) => p !== undefined)
}

function around(price: number, distance: number | undefined, basisPoints: number | undefined): Band {
  const widths = [
    ...(distance === undefined ? [] : [BigInt(distance)]),
    ...(basisPoints === undefined ? [] : [(BigInt(price) * BigInt(basisPoints)) / 10_000n]),
  ]
  if (widths.length === 0) return everything
  const width = widths.reduce((least, one) => (one < least ? one : least))
  const [low, high] = [BigInt(price) - width, BigInt(price) + width]
  return { low: low < 1n ? 1n : low, high: high > everything.high ? everything.high : high }
}
