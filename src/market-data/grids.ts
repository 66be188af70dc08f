import { type Grid, parseGrid } from '../matching/index.js'

/** The grids of an instrument, and what one tick times one lot is worth. */
export interface MarketGrids {
  readonly price: Grid
  readonly quantity: Grid
  /** Of one tick times one lot: `amountMantissa / 10^amountScale` of the quote asset. */
  readonly amountMantissa: bigint
  readonly amountScale: number
}

export function gridsOf(tickSize: string, lotSize: string): MarketGrids {
  const price = parseGrid('tickSize', tickSize)
  const quantity = parseGrid('lotSize', lotSize)
  return {
    price,
    quantity,
    amountMantissa: BigInt(price.mantissa) * BigInt(quantity.mantissa),
    amountScale: price.scale + quantity.scale,
  }
}

/** Digits that a double holds exactly, whatever they are. */
const exactDigits = 15

/** Steps of a decimal string as events have it: with exactly the decimals of its grid. 0 is allowed. */
export function stepsOf(text: string, { mantissa, scale }: Grid): number {
  const digits = scale === 0 ? text : text.slice(0, -scale - 1) + text.slice(-scale)
  if (digits.length <= exactDigits) {
    const units = Number(digits)
    return mantissa === 1 ? units : units / mantissa
  }
  return Number(BigInt(digits) / BigInt(mantissa))
}

/** Lots summed up, of which there may be more than 2^53, as a decimal string with the grid's decimals. */
export function volumeText(lots: bigint, { mantissa, scale }: Grid): string {
  return decimalText(lots * BigInt(mantissa), scale)
}

/** Ticks times lots as a decimal string of the quote asset, with the decimals of both grids together. */
export function amountText(steps: bigint, grids: MarketGrids): string {
  return decimalText(steps * grids.amountMantissa, grids.amountScale)
}

export function decimalText(units: bigint, scale: number): string {
  if (scale === 0) return String(units)
  const sign = units < 0n ? '-' : ''
  const digits = String(units < 0n ? -units : units).padStart(scale + 1, '0')
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}
