import { CommandError } from './command-errors.js'
import { type Grid, parseDecimal } from './decimal.js'

/** The grids of prices and quantities: an amount of the quote asset is a whole number of their product. */
export interface NotionalGrids {
  readonly price: Grid
  readonly quantity: Grid
}

/**
 * A decimal as a whole number of ticks times lots, from 1 to 2^53-1. Exact: nothing is rounded.
 *
 * @throws CommandError when it is no decimal, not above zero, too large, or between two such steps.
 */
export function notionalSteps(field: string, value: unknown, grids: NotionalGrids): number {
  const { digits, scale } = parseDecimal(field, value)
  const { unit, unitScale } = unitOf(grids)
  // value = digits / 10^scale, and a step is unit / 10^unitScale
  const shift = unitScale - scale
  const numerator = shift > 0 ? digits * 10n ** BigInt(shift) : digits
  const divisor = shift < 0 ? unit * 10n ** BigInt(-shift) : unit
  const steps = numerator / divisor
  if (numerator % divisor !== 0n) {
    const step = notionalText(1, grids)
    throw new CommandError(
      'TIDEMARK_OFF_GRID',
      field,
      value,
      `${field} must be a multiple of ${step}, tickSize times lotSize.`,
    )
  }
  if (steps > BigInt(Number.MAX_SAFE_INTEGER)) {
    const message = `${field} must be at most 2^53-1 times tickSize times lotSize.`
    throw new CommandError('TIDEMARK_FIELD_RANGE', field, value, message)
  }
  return Number(steps)
}

/** A whole number of ticks times lots as a decimal string, without zeros at its end. */
export function notionalText(steps: number, grids: NotionalGrids): string {
  const { unit, unitScale } = unitOf(grids)
  const digits = String(BigInt(steps) * unit)
  if (unitScale === 0) return digits
  const padded = digits.padStart(unitScale + 1, '0')
  const fraction = padded.slice(-unitScale).replace(/0+$/, '')
  return padded.slice(0, -unitScale) + (fraction === '' ? '' : `.${fraction}`)
}

function unitOf({ price, quantity }: NotionalGrids): { unit: bigint; unitScale: number } {
  return {
    unit: BigInt(price.mantissa) * BigInt(quantity.mantissa),
    unitScale: price.scale + quantity.scale,
  }
}
