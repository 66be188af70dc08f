import { conflict, outOfRange } from './command-errors.js'
import { MORE_MIN_QUANTITY, MORE_SELF_TRADE_GROUP } from './command-layout.js'
import { limits } from './limits.js'
import { orderTypeCodes, timeInForceCodes } from './names.js'
import { checkPositive, writeU64 } from './record-words.js'

/** What few orders say of themselves; 0 stands for absent. */
export interface NewOrderExtras {
  readonly selfTradeGroup: number
  /** Lots. */
  readonly minQuantity: number
}

/**
 * The bits of byte 23 for what an order has.
 *
 * @throws CommandError for a value that is out of range, or that does not go with the order.
 */
export function checkExtras(
  { selfTradeGroup, minQuantity }: NewOrderExtras,
  orderType: number,
  timeInForce: number,
  quantity: number,
): number {
  let extras = 0
  if (selfTradeGroup !== 0) {
    if (
      !(selfTradeGroup >= 1 && selfTradeGroup <= limits.maxSelfTradeGroup && Number.isInteger(selfTradeGroup))
    )
      throw outOfRange('selfTradeGroup', selfTradeGroup, 1, limits.maxSelfTradeGroup)
    extras |= MORE_SELF_TRADE_GROUP
  }
  if (minQuantity !== 0) {
    checkPositive('minQuantity', minQuantity)
    const isImmediate = orderType === orderTypeCodes.limit || orderType === orderTypeCodes.market
    if (!isImmediate || timeInForce !== timeInForceCodes.IOC)
      throw conflict(
        'minQuantity',
        minQuantity,
        'Only a limit or market order that is IOC takes a minQuantity.',
      )
    if (minQuantity > quantity)
      throw conflict('minQuantity', minQuantity, 'minQuantity must not be larger than quantity.')
    extras |= MORE_MIN_QUANTITY
  }
  return extras
}

/** Writes what was checked; returns where the next field stands. */
export function writeExtras(
  words: Int32Array,
  at: number,
  { selfTradeGroup, minQuantity }: NewOrderExtras,
): number {
  let end = at
  if (selfTradeGroup !== 0) end = writeU64(words, end, selfTradeGroup)
  if (minQuantity !== 0) end = writeU64(words, end, minQuantity)
  return end
}
