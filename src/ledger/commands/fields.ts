import { didYouMean, unknownFieldOf } from '../../base/known-fields.js'
import { shown } from '../../base/shown.js'
import { badArgument } from '../errors.js'

const keyCharsMax = 128

/** @throws LedgerError `TIDEMARK_BAD_ARGUMENT` for what is no object, or has a field that it should not have. */
export function checkFields(name: string, command: unknown, fields: readonly string[]): void {
  if (typeof command !== 'object' || command === null)
    throw badArgument(`${name} takes an object.`, { command })
  const unknown = unknownFieldOf(command, new Set(fields))
  if (unknown === undefined) return
  throw badArgument(`${name} has no field ${shown(unknown)}.${didYouMean(unknown, fields)}`, {
    field: unknown,
  })
}

/** @throws LedgerError `TIDEMARK_BAD_ARGUMENT`. */
export function keyOf(key: unknown): string {
  if (typeof key === 'string' && key.length > 0 && key.length <= keyCharsMax && key.isWellFormed()) return key
  throw badArgument(`key must be a text of 1 to ${keyCharsMax} characters, not ${shown(key)}.`, { key })
}

/** A whole number from 0 to `max`. @throws LedgerError `TIDEMARK_BAD_ARGUMENT`. */
export function countOf(field: string, value: unknown, max: number): number {
  if (Number.isInteger(value) && (value as number) >= 0 && (value as number) <= max) return value as number
  throw badArgument(`${field} must be a whole number from 0 to ${max}, not ${shown(value)}.`, {
    field,
    value,
  })
}
