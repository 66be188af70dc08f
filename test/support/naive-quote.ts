export interface QuoteMaker {
  readonly price: number
  readonly open: number
  readonly isOwn: boolean
}

/**
 * How many lots a market order for an amount, in ticks times lots, trades as, and whether the other side ends before the amount. `own`:
 * what becomes of the order's own ones: they trade, go away, or end the order.
 */
export function lotsForAmount(
  makers: readonly QuoteMaker[],
  amount: number,
  own: 'trade' | 'go' | 'end',
  isAllowed: (price: number) => boolean,
): { lots: number; isExhausted: boolean; isBanded?: boolean } {
  let left = BigInt(amount)
  let lots = 0
  let isExhausted = true
  for (const price of new Set(makers.map((maker) => maker.price))) {
    const affordable = Number(left / BigInt(price))
    if (!isAllowed(price)) return { lots, isExhausted: false, isBanded: affordable > 0 }
    const there = makers.filter((maker) => maker.price === price && !(own === 'go' && maker.isOwn))
    if (there.length === 0) continue
    if (affordable === 0) return { lots, isExhausted: false }
    if (own === 'end' && there.some((maker) => maker.isOwn))
      return { lots: lots + affordable, isExhausted: false }
    const total = there.reduce((sum, { open }) => sum + open, 0)
    const taken = Math.min(affordable, total)
    lots += taken
    left -= BigInt(taken) * BigInt(price)
    isExhausted = taken === total && left >= BigInt(price)
    if (taken < total) break
  }
  return { lots, isExhausted }
}

const digitsOf = (size: string) => Number(size.replace('.', '').replace(/^0+/, ''))

/** An amount in units of the quote asset as a whole number of ticks times lots, rounded down. Sizes without zeros at their ends. */
export function stepsOfUnits(
  units: number,
  { tickSize, lotSize }: { tickSize: string; lotSize: string },
): number {
  return Number(BigInt(units) / (BigInt(digitsOf(tickSize)) * BigInt(digitsOf(lotSize))))
}
