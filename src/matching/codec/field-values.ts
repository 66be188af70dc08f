import { CommandError, outOfRange } from './command-errors.js'
import type { Tag } from './commands.js'
import { limits } from './limits.js'
import { orderTypeCodes, timeInForceCodes } from './names.js'

/** The account of a cancel-all. @throws CommandError when it is malformed. */
export function accountOf(value: unknown): number {
  if (typeof value !== 'number') throw wrongType('account', value, 'a number')
  const isAccount = value >= 0 && value <= limits.maxAccount && Math.floor(value) === value
  if (!isAccount) throw outOfRange('account', value, 0, limits.maxAccount)
  return value
}

/** A symbol: well-formed Unicode, 1 to 64 bytes of it as UTF-8. @throws CommandError when it is malformed. */
export function symbolOf(value: unknown): string {
  if (typeof value === 'string' && !value.isWellFormed()) {
    // UTF-8 can't hold half of a surrogate pair: the log would name another symbol.
    const message = `symbol ${JSON.stringify(value)} is no well-formed Unicode: a surrogate stands alone.`
    throw new CommandError('TIDEMARK_FIELD_VALUE', 'symbol', value, message)
  }
  if (typeof value === 'string' && value.length > 0 && utf8Length(value) <= limits.maxSymbolBytes)
    return value
  throw typeof value === 'string'
    ? new CommandError(
        'TIDEMARK_FIELD_RANGE',
        'symbol',
        value,
        `symbol must have 1 to ${limits.maxSymbolBytes} bytes of UTF-8.`,
      )
    : wrongType('symbol', value, 'a string')
}

/** The low word of a tag. @throws CommandError when it is not 64 bits. */
export function tagLowWord(tag: unknown): number {
  if (tag === undefined) return 0
  if (typeof tag === 'number' && tag >= 0 && Number.isSafeInteger(tag)) return tag | 0
  if (typeof tag === 'bigint' && tag >= 0n && tag < 1n << 64n) return Number(tag & 0xffffffffn) | 0
  if (typeof tag !== 'number' && typeof tag !== 'bigint') throw wrongType('tag', tag, 'a number or a bigint')
  throw new CommandError(
    'TIDEMARK_FIELD_RANGE',
    'tag',
    tag,
    'tag must be a whole number from 0 to 2^53-1, or a bigint below 2^64.',
  )
}

/** The high word of a tag that `tagLowWord` has passed. */
export function tagHighWord(tag: Tag | undefined): number {
  if (tag === undefined) return 0
  return typeof tag === 'number' ? (tag / 4294967296) | 0 : Number(tag >> 32n) | 0
}

export function wrongType(field: string, value: unknown, expected: string): CommandError {
  return value === undefined
    ? new CommandError('TIDEMARK_FIELD_MISSING', field, value, `${field} is missing.`)
    : new CommandError('TIDEMARK_FIELD_TYPE', field, value, `${field} must be ${expected}.`)
}

/** A text of 1 to so many bytes of UTF-8, well-formed. @throws CommandError when it is not. */
export function textOf(field: string, value: unknown, bytesMax: number): string {
  if (typeof value !== 'string') throw wrongType(field, value, 'a string')
  const isLong =
    value.length > bytesMax || (value.length * 3 > bytesMax && Buffer.byteLength(value) > bytesMax)
  if (value !== '' && !isLong && value.isWellFormed()) return value
  if (value !== '' && !isLong) {
    const message = `${field} is no well-formed Unicode: a surrogate stands alone.`
    throw new CommandError('TIDEMARK_FIELD_VALUE', field, value, message)
  }
  const message = `${field} must have 1 to ${bytesMax} bytes of UTF-8.`
  throw new CommandError('TIDEMARK_FIELD_RANGE', field, value, message)
}

export function sideOf(side: unknown): number {
  if (side === 'buy') return 0
  if (side === 'sell') return 1
  throw typeof side === 'string'
    ? new CommandError('TIDEMARK_FIELD_VALUE', 'side', side, 'side must be "buy" or "sell".')
    : wrongType('side', side, 'a string')
}

/** The commonest names are compared first: looking a name up in a table costs more than the rest of a field. */
export function orderTypeOf(value: unknown): number {
  if (value === 'limit') return orderTypeCodes.limit
  if (value === 'market') return orderTypeCodes.market
  return code('orderType', value, orderTypeCodes)
}

export function timeInForceOf(value: unknown): number {
  if (value === 'GTC') return timeInForceCodes.GTC
  if (value === 'IOC') return timeInForceCodes.IOC
  return code('timeInForce', value, timeInForceCodes)
}

export function code(field: string, value: unknown, codes: Readonly<Record<string, number>>): number {
  if (typeof value !== 'string') throw wrongType(field, value, 'a string')
  // A name that is not the table's own, `toString` for one, is no number.
  const found = codes[value]
  if (typeof found === 'number') return found
  const names = Object.keys(codes).join(', ')
  throw new CommandError('TIDEMARK_FIELD_VALUE', field, value, `${field} must be one of: ${names}.`)
}

export function whole(field: string, value: unknown): number {
  if (typeof value !== 'number') throw wrongType(field, value, 'a number')
  if (!(value >= 1 && Number.isSafeInteger(value))) throw outOfRange(field, value, 1, Number.MAX_SAFE_INTEGER)
  return value
}

export function optionalWhole(field: string, value: unknown): number {
  return value === undefined ? 0 : whole(field, value)
}

export function optionalAccount(value: unknown): number {
  return value === undefined ? -1 : accountOf(value)
}

export function optionalFlag(field: string, value: unknown): boolean {
  if (value === undefined) return false
  if (typeof value !== 'boolean') throw wrongType(field, value, 'a boolean')
  return value
}

function utf8Length(text: string): number {
  // Three bytes at most a UTF-16 unit; only strings near the limit need to be encoded.
  return text.length * 3 <= limits.maxSymbolBytes ? text.length : new TextEncoder().encode(text).length
}
