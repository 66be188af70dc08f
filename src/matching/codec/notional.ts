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

/**
 * A decimal as a whole number of the smallest parts of the quote asset that prices and quantities of the grids can make: 1 in the
 * last of their decimals together. From 1 to 2^53-1, exact.
 *
 * @throws CommandError as `notionalSteps`.
 */
export function quoteUnits(field: string, value: unknown, grids: NotionalGrids): number {
  const { digits, scale } = parseDecimal(field, value)
  const { unitScale } = unitOf(grids)
  const shift = unitScale - scale
  const divisor = shift < 0 ? 10n ** BigInt(-shift) : 1n
  if (digits % divisor !== 0n) {
    const message = `${field} has more decimals than tickSize and lotSize together, which are ${unitScale}.`
    throw new CommandError('TIDEMARK_OFF_GRID', field, value, message)
  }
  const units = shift > 0 ? digits * 10n ** BigInt(shift) : digits / divisor
  if (units > BigInt(Number.MAX_SAFE_INTEGER)) {
    const message = `${field} must be at most 2^53-1 in the last of its ${unitScale} decimals.`
    throw new CommandError('TIDEMARK_FIELD_RANGE', field, value, message)
  }
  return Number(units)
}

/** Such parts of the quote asset in one tick times one lot. A number beyond 2^53 is rounded. */
export function quoteUnitsPerStep({ price, quantity }: NotionalGrids): number {
  return price.mantissa * quantity.mantissa
}

/** A whole number of such parts, less so many ticks times lots, as a decimal string with all decimals. */
export function quoteText(units: number, lessSteps: number, grids: NotionalGrids): string {
  const { unit, unitScale } = unitOf(grids)
  const digits = String(BigInt(units) - BigInt(lessSteps) * unit)
  if (unitScale === 0) return digits
  const padded = digits.padStart(unitScale + 1, '0')
  return `${padded.slice(0, -unitScale)}.${padded.slice(-unitScale)}`
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
