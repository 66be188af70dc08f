import { CommandError } from './command-errors.js'

const MAX = Number.MAX_SAFE_INTEGER
/** Powers of ten that a double holds exactly and that fit below 2^53. */
const POWERS = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15]
const MAX_FAST_DIGITS = 15
/** Longest decimal that is looked at; far more than any value on any grid needs. */
const MAX_CHARS = 128
const MAX_EXPONENT = 400

const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/

/**
 * A price or quantity grid: steps of `mantissa / 10^scale`, held in lowest terms of ten ("0.010" is 1 / 10^2).
 */
export interface Grid {
  /** The size of a step without its decimals: 25 for `0.25`. */
  readonly mantissa: number
  /** How many decimals a step has: 2 for `0.25`. */
  readonly scale: number
}

/**
 * Reads a tick or lot size such as "0.01", "0.25" or "5".
 * @throws CommandError when it is not a positive decimal string with at most 15 significant digits and 15 decimals.
 */
export function parseGrid(field: string, text: unknown): Grid {
  const parts = typeof text === 'string' && text.length <= MAX_CHARS ? DECIMAL.exec(text) : null
  if (parts !== null && parts[1] === '' && parts[4] === undefined) {
    const fraction = (parts[3] ?? '').replace(/0+$/, '')
    const digits = (parts[2]! + fraction).replace(/^0+/, '')
    if (digits.length > 0 && digits.length <= MAX_FAST_DIGITS && fraction.length <= MAX_FAST_DIGITS) {
      return { mantissa: Number(digits), scale: fraction.length }
    }
  }
  throw new CommandError(
    text === undefined
      ? 'TIDEMARK_FIELD_MISSING'
      : typeof text === 'string'
        ? 'TIDEMARK_FIELD_VALUE'
        : 'TIDEMARK_FIELD_TYPE',
    field,
    text,
    `${field} must be a positive decimal string such as "0.01", with at most ${MAX_FAST_DIGITS} digits.`,
  )
}

/**
 * A decimal string, or a number taken as its `String(n)`, as a whole number of grid steps from 1 to 2^53-1. Exact:
 * nothing is rounded.
 * @throws CommandError when it is no decimal, not above zero, too large, or between two steps.
 */
export function toSteps(field: string, value: unknown, grid: Grid): number {
  if (typeof value === 'string') {
    const units = scanUnits(value, grid.scale)
    return units > 0 ? unitsToSteps(field, value, units, grid) : slowSteps(field, value, grid)
  }
  if (typeof value === 'number') {
    // A double and a decimal of at most 15 digits determine each other, so if `units / 10^scale` is this very number,
    // it is also what String(value) says.
    const units = Math.round(value * POWERS[grid.scale]!)
    if (units > 0 && units < 1e15 && units / POWERS[grid.scale]! === value) {
      return unitsToSteps(field, value, units, grid)
    }
    return slowSteps(field, value, grid)
  }
  throw noDecimal(field, value)
}

/** As `toSteps`, but for a difference, which may be 0 or have a minus sign. */
export function toSignedSteps(field: string, value: unknown, grid: Grid): number {
  if (typeof value === 'number') {
    if (value === 0) return 0
    return value < 0 ? -toSteps(field, -value, grid) : toSteps(field, value, grid)
  }
  if (typeof value !== 'string') throw noDecimal(field, value)
  const size = value.startsWith('-') ? value.slice(1) : value
  if (/^0+(\.0+)?$/.test(size)) return 0
  const steps = toSteps(field, size, grid)
  return size === value ? steps : -steps
}

function noDecimal(field: string, value: unknown): CommandError {
  const missing = value === undefined
  return new CommandError(
    missing ? 'TIDEMARK_FIELD_MISSING' : 'TIDEMARK_FIELD_TYPE',
    field,
    value,
    missing ? `${field} is missing.` : `${field} must be a decimal string or a number.`,
  )
}

/**
 * A decimal string, or a number taken as its `String(n)`, as `digits / 10^scale`.
 * @throws CommandError when it is no decimal, or not above zero.
 */
export function parseDecimal(field: string, value: unknown): { digits: bigint; scale: number } {
  if (typeof value !== 'string' && typeof value !== 'number') throw noDecimal(field, value)
  const text = String(value)
  const parts = text.length <= MAX_CHARS ? DECIMAL.exec(text) : null
  const exponent = Number(parts?.[4] ?? 0)
  if (parts === null || Math.abs(exponent) > MAX_EXPONENT) {
    const isNumber = typeof value === 'number'
    throw new CommandError(
      isNumber ? 'TIDEMARK_FIELD_RANGE' : 'TIDEMARK_FIELD_VALUE',
      field,
      value,
      isNumber ? `${field} must be a finite number.` : `${field} must be a decimal such as "12.5".`,
    )
  }
  const fraction = parts[3] ?? ''
  const digits = BigInt(parts[2]! + fraction)
  if (parts[1] === '-' || digits === 0n) {
    throw new CommandError('TIDEMARK_FIELD_RANGE', field, value, `${field} must be above zero.`)
  }
  return { digits, scale: fraction.length - exponent }
}

/** A whole number of grid steps as a decimal string with exactly the grid's number of decimals. */
export function fromSteps(steps: number, grid: Grid): string {
  const units = steps * grid.mantissa
  if (units > MAX) return fromBigSteps(BigInt(steps), grid)
  return withPoint(String(units), grid)
}

/** The same for more steps than a number holds. */
export function fromBigSteps(steps: bigint, grid: Grid): string {
  return withPoint(String(steps * BigInt(grid.mantissa)), grid)
}

function withPoint(digits: string, grid: Grid): string {
  if (grid.scale === 0) return digits
  const padded = digits.length > grid.scale ? digits : digits.padStart(grid.scale + 1, '0')
  const point = padded.length - grid.scale
  return `${padded.slice(0, point)}.${padded.slice(point)}`
}

/** Reads "123.45" as 12345 at scale 2; -1 for whatever is not so plain (then the slow way decides). */
function scanUnits(text: string, scale: number): number {
  const length = text.length
  if (length === 0 || length > MAX_FAST_DIGITS + 1) return -1
  let units = 0
  let point = -1
  for (let i = 0; i < length; i++) {
    const digit = text.charCodeAt(i) - 48
    if (digit >= 0 && digit <= 9) units = units * 10 + digit
    else if (digit === -2 && point < 0 && i > 0) point = i
    else return -1
  }
  if (point < 0) return units * POWERS[scale]!
  const decimals = length - point - 1
  if (decimals === 0 || decimals > scale) return -1
  return units * POWERS[scale - decimals]!
}

function unitsToSteps(field: string, value: unknown, units: number, grid: Grid): number {
  if (units <= MAX) {
    const { mantissa } = grid
    if (mantissa === 1) return units
    const steps = units / mantissa
    if (Math.floor(steps) === steps && steps * mantissa === units) return steps
  }
  return slowSteps(field, value, grid)
}

function slowSteps(field: string, value: unknown, grid: Grid): number {
  const { digits, scale } = parseDecimal(field, value)
  // value = digits * 10^shift / 10^grid.scale
  const shift = grid.scale - scale
  const numerator = shift > 0 ? digits * 10n ** BigInt(shift) : digits
  const divisor = BigInt(grid.mantissa) * (shift < 0 ? 10n ** BigInt(-shift) : 1n)
  if (numerator % divisor !== 0n) {
    const step = fromSteps(1, grid)
    throw new CommandError('TIDEMARK_OFF_GRID', field, value, `${field} must be a multiple of ${step}.`)
  }
  const steps = numerator / divisor
  if (steps > BigInt(MAX)) {
    throw new CommandError(
      'TIDEMARK_FIELD_RANGE',
      field,
      value,
      `${field} must be at most 2^53-1 steps of its grid.`,
    )
  }
  return Number(steps)
}
