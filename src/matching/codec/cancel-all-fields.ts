import { CommandError, conflict, outOfRange } from './command-errors.js'
import { checkFieldNames } from './command-fields.js'
import type { CommandGrids } from './command-grids.js'
import { CANCEL_ALL_ONE_SIDE, CANCEL_ALL_SELL } from './command-layout.js'
import { encodeCancelAll } from './command-writer.js'
import type { CancelAllCommand } from './commands.js'
import { toSteps } from './decimal.js'
import { accountOf, optionalAccount, optionalFlag, sideOf, whole, wrongType } from './field-values.js'
import { limits } from './limits.js'

/** Encodes a cancel-all for one symbol; see `encodeCommand`. */
export function encodeCancelAllCommand(
  words: Int32Array,
  at: number,
  command: CancelAllCommand,
  grids: CommandGrids,
  tagLow: number,
  tagHigh: number,
): number {
  checkFieldNames(command)
  const account = optionalAccount(command.account)
  const orderIds = orderIdsOf(command.orderIds)
  const { minPrice, maxPrice } = command
  const hasPrices = minPrice !== undefined || maxPrice !== undefined
  checkWhose(account, optionalFlag('everybody', command.everybody), orderIds)
  return encodeCancelAll(
    words,
    at,
    grids.instrumentId,
    tagLow,
    tagHigh,
    account,
    cancelAllFlags(command.side),
    hasPrices ? (minPrice === undefined ? 1 : toSteps('minPrice', minPrice, grids.price)) : 0,
    hasPrices
      ? maxPrice === undefined
        ? limits.maxPriceTicks
        : toSteps('maxPrice', maxPrice, grids.price)
      : 0,
    orderIds,
  )
}

/**
 * Checks a cancel-all for every symbol, of which it reads each field once.
 *
 * @throws CommandError when it is malformed, or has a field that belongs to a symbol.
 */
export function cancelAllEverywhere(command: CancelAllCommand): { account: number; flags: number } {
  checkFieldNames(command)
  for (const field of ['everybody', 'orderIds', 'minPrice', 'maxPrice'] as const) {
    const value = command[field]
    if (value !== undefined && value !== false)
      throw conflict(field, value, `A cancel-all with ${field} concerns one symbol: state it.`)
  }
  return { account: accountOf(command.account), flags: cancelAllFlags(command.side) }
}

/** The flags of a cancel-all for a side. @throws CommandError when it is no side. */
export function cancelAllFlags(side: unknown): number {
  if (side === undefined) return 0
  return sideOf(side) === 0 ? CANCEL_ALL_ONE_SIDE : CANCEL_ALL_ONE_SIDE | CANCEL_ALL_SELL
}

/** A forgotten account must not cancel the orders of everybody. */
function checkWhose(account: number, everybody: boolean, orderIds: readonly number[]): void {
  if (account !== -1) {
    if (everybody) throw conflict('everybody', true, 'A cancel-all is for an account or for everybody.')
    return
  }
  if (everybody || orderIds.length > 0) return
  throw new CommandError(
    'TIDEMARK_FIELD_MISSING',
    'account',
    undefined,
    'account is missing: a cancel-all states an account, orderIds, or everybody: true.',
  )
}

function orderIdsOf(value: unknown): number[] {
  if (value === undefined) return []
  if (!Array.isArray(value)) throw wrongType('orderIds', value, 'an array of order ids')
  const { length } = value
  const most = limits.maxCancelOrderIds
  if (length < 1 || length > most) throw outOfRange('the number of orderIds', length, 1, most)
  return Array.from({ length }, (_, i) => whole('orderIds', value[i]))
}
