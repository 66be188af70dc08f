export interface QuoteMaker {
  readonly price: number
  readonly open: number
  readonly isOwn: boolean
}

/**
 * How many lots a market order for an amount, in ticks times lots, trades as, with those at the end that are not there: at the last price
 * that was taken, or at the first outside the bands. `own`: what becomes of the order's own ones: they trade, go away, or end the order.
 */
export function lotsForAmount(
  makers: readonly QuoteMaker[],
  amount: number,
  own: 'trade' | 'go' | 'end',
  isAllowed: (price: number) => boolean,
): { lots: number; isBanded: boolean } {
  let left = BigInt(amount)
  let lots = 0
  let last: number | undefined
  for (const price of new Set(makers.map((maker) => maker.price))) {
    const affordable = Number(left / BigInt(price))
    if (!isAllowed(price)) return { lots: lots + affordable, isBanded: affordable > 0 }
    const there = makers.filter((maker) => maker.price === price && !(own === 'go' && maker.isOwn))
    if (there.length === 0) continue
    if (affordable === 0) return { lots, isBanded: false }
    if (own === 'end' && there.some((maker) => maker.isOwn))
      return { lots: lots + affordable, isBanded: false }
    const total = there.reduce((sum, { open }) => sum + open, 0)
    const taken = Math.min(affordable, total)
    lots += taken
    left -= BigInt(taken) * BigInt(price)
    if (taken < total) return { lots, isBanded: false }
    last = price
  }
  return { lots: lots + (last === undefined ? 0 : Number(left / BigInt(last))), isBanded: false }
}

const digitsOf = (size: string) => Number(size.replace('.', '').replace(/^0+/, ''))

/** An amount in units of the quote asset as a whole number of ticks times lots, rounded down. Sizes without zeros at their ends. */
export function stepsOfUnits(
  units: number,
  { tickSize, lotSize }: { tickSize: string; lotSize: string },
): number {
  return Number(BigInt(units) / (BigInt(digitsOf(tickSize)) * BigInt(digitsOf(lotSize))))
}
