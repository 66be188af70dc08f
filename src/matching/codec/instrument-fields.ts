import { shown } from '../../base/shown.js'
import { CommandError, conflict, outOfRange } from './command-errors.js'
import type { CommandGrids } from './command-grids.js'
import type { InstrumentDetailFields } from './commands.js'
import { toSteps } from './decimal.js'
import { code, textOf, whole } from './field-values.js'
import { crossedLimits, type DetailName, detailNames, type InstrumentChange } from './instrument-details.js'
import { limits } from './limits.js'
import { bandActionCodes } from './names.js'
import { notionalSteps } from './notional.js'
import { tickTableText } from './tick-table.js'

/**
 * Reads what a command states of an instrument's details, each field once. `null` stands for "not any more".
 *
 * @throws CommandError for anything malformed.
 */
export function changeFromFields(command: InstrumentDetailFields, grids: CommandGrids): InstrumentChange {
  const set: Partial<Record<DetailName, string | number>> = {}
  const removed: DetailName[] = []
  for (const name of detailNames) {
    const value: unknown = command[name]
    if (value === undefined) continue
    if (value === null) removed.push(name)
    else set[name] = detailOf(name, value, grids)
  }
  const change = { set, removed }
  const crossed = crossedLimits(set as InstrumentChange['set'])
  if (crossed) throw conflict(crossed[0], set[crossed[0]], `${crossed[0]} must not be above ${crossed[1]}.`)
  return change as InstrumentChange
}

function detailOf(name: DetailName, value: unknown, grids: CommandGrids): string | number {
  switch (name) {
    case 'baseAsset':
    case 'quoteAsset':
      return textOf(name, value, limits.maxAssetBytes)
    case 'minPrice':
    case 'maxPrice':
    case 'referencePrice':
    case 'staticBand':
    case 'dynamicBand':
      return toSteps(name, value, grids.price)
    case 'minQuantity':
    case 'maxQuantity':
      return toSteps(name, value, grids.quantity)
    case 'minNotional':
      return notionalSteps(name, value, grids)
    case 'staticBandBasisPoints':
    case 'dynamicBandBasisPoints':
      return wholeUpTo(name, value, limits.maxBandBasisPoints)
    case 'maxAccountOrders':
      return wholeUpTo(name, value, limits.maxAccountOrders)
    case 'bandAction':
      return code(name, value, bandActionCodes)
    case 'tickTable':
      return tickTableText(value, grids.price)
    case 'info':
      return infoText(value)
  }
}

function wholeUpTo(field: string, value: unknown, most: number): number {
  const number = whole(field, value)
  if (number > most) throw outOfRange(field, number, 1, most)
  return number
}

/** An object as JSON text, in which nothing of it is lost. */
function infoText(value: unknown): string {
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw new CommandError('TIDEMARK_FIELD_TYPE', 'info', value, 'info must be an object that JSON can hold.')
  }
  let text: string | undefined
  try {
    text = JSON.stringify(value, refuseWhatIsLost)
  } catch (cause) {
    const why = cause instanceof Error ? `: ${cause.message}` : ''
    throw new CommandError(
      'TIDEMARK_FIELD_VALUE',
      'info',
      value,
      `info must be an object that JSON can hold${why}`,
    )
  }
  if (text === undefined || !text.startsWith('{')) {
    throw new CommandError('TIDEMARK_FIELD_TYPE', 'info', value, 'info must be an object that JSON can hold.')
  }
  return textOf('info', text, limits.maxInfoBytes)
}

/** `JSON.stringify` makes null of a number that it does not have, and leaves functions and symbols out. */
function refuseWhatIsLost(key: string, value: unknown): unknown {
  const isLost =
    typeof value === 'number'
      ? !Number.isFinite(value)
      : typeof value === 'function' || typeof value === 'symbol'
  if (isLost) throw new TypeError(`${key === '' ? 'it' : shown(key)} is ${shown(value)}`)
  return value
}
