import { shown } from '../../base/shown.js'
import { LedgerError } from '../errors.js'

/** The largest amount and balance, in units: a signed 64-bit number. */
export const maxUnits = 0x7fff_ffff_ffff_ffffn

/** Most decimals of an asset: 10 of 18 decimals still fit into 64 bits. */
export const maxScale = 18

const decimal = /^(-?)(\d{1,40})(?:\.(\d{1,40}))?$/
const zeros = /^0*$/

/**
 * A decimal string, or a number taken as its `String(n)`, as whole units of an asset of so many decimals. Exact: an amount with more
 * decimals than the asset has is refused, never rounded.
 *
 * @throws LedgerError `TIDEMARK_BAD_AMOUNT`, `TIDEMARK_AMOUNT_TOO_LARGE`.
 */
export function parseUnits(field: string, value: unknown, scale: number): bigint {
  const text = typeof value === 'number' || typeof value === 'string' ? String(value) : ''
  const parts = decimal.exec(text)
  if (parts === null) throw badAmount(field, value, `${field} must be a decimal such as "12.5"`)
  const fraction = parts[3] ?? ''
  if (!zeros.test(fraction.slice(scale)))
    throw badAmount(field, value, `${field} has more than ${scale} decimals, which its asset has`)
  const units = BigInt(parts[2]! + fraction.slice(0, scale).padEnd(scale, '0'))
  if (units > maxUnits) throw amountTooLarge({ field, value })
  return parts[1] === '-' ? -units : units
}

/** As `parseUnits`, for an amount that must be above zero. */
export function parsePositive(field: string, value: unknown, scale: number): bigint {
  const units = parseUnits(field, value, scale)
  if (units <= 0n) throw badAmount(field, value, `${field} must be above zero`)
  return units
}

/** Whole units as a decimal string with all decimals of the asset. */
export function unitsText(units: bigint, scale: number): string {
  const digits = String(units < 0n ? -units : units)
  const sign = units < 0n ? '-' : ''
  if (scale === 0) return sign + digits
  const padded = digits.padStart(scale + 1, '0')
  return `${sign}${padded.slice(0, -scale)}.${padded.slice(-scale)}`
}

function badAmount(field: string, value: unknown, sentence: string): LedgerError {
  return new LedgerError('TIDEMARK_BAD_AMOUNT', `${sentence}, not ${shown(value)}.`, { field, value })
}

export function amountTooLarge(details: Record<string, unknown>): LedgerError {
  return new LedgerError(
    'TIDEMARK_AMOUNT_TOO_LARGE',
    'The amount does not fit into 64 bits, in whole units of its asset.',
    details,
  )
}
