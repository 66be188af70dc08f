import { conflict, outOfRange } from './command-errors.js'
import {
  MORE_MIN_QUANTITY,
  MORE_PEG,
  MORE_PEG_OFFSET,
  MORE_QUOTE_QUANTITY,
  MORE_SELF_TRADE_GROUP,
  PEG_OFFSET_IS_NEGATIVE,
} from './command-layout.js'
import { limits } from './limits.js'
import { orderTypeCodes, pegCodes, timeInForceCodes } from './names.js'
import { checkPositive, writeU64 } from './record-words.js'

const { IOC, FOK } = timeInForceCodes

/** What few orders say of themselves; 0 stands for absent. */
export interface NewOrderExtras {
  /** The group whose orders count as the order's own under self-trade prevention. */
  readonly selfTradeGroup: number
  /** Lots. */
  readonly minQuantity: number
  /** Units of the quote asset, of `quoteUnits`. The order's quantity is 0 then. */
  readonly quoteQuantity: number
  /** What its price is pegged to, a code of `pegCodes`. The order's price is its limit then, 0 without one. */
  readonly peg: number
  /** Ticks, added to that; may be negative. */
  readonly pegOffset: number
}

/**
 * The bits of byte 23 for what an order has.
 *
 * @throws CommandError for a value that is out of range, or that does not go with the order.
 */
export function checkExtras(
  extras: NewOrderExtras,
  orderType: number,
  timeInForce: number,
  postOnly: number,
  quantity: number,
): number {
  const { selfTradeGroup, minQuantity, quoteQuantity, peg, pegOffset } = extras
  let more = 0
  if (selfTradeGroup !== 0) {
    const isGroup =
      selfTradeGroup >= 1 && selfTradeGroup <= limits.maxSelfTradeGroup && Number.isInteger(selfTradeGroup)
    if (!isGroup) throw outOfRange('selfTradeGroup', selfTradeGroup, 1, limits.maxSelfTradeGroup)
    more |= MORE_SELF_TRADE_GROUP
  }
  if (minQuantity !== 0) {
    checkMinQuantity(minQuantity, orderType, timeInForce, quantity)
    more |= MORE_MIN_QUANTITY
  }
  if (quoteQuantity !== 0) {
    checkQuoteQuantity(quoteQuantity, orderType, timeInForce, quantity)
    more |= MORE_QUOTE_QUANTITY
  }
  if (peg !== 0 || pegOffset !== 0) more |= checkPeg(peg, pegOffset, orderType, timeInForce, postOnly)
  return more
}

function checkMinQuantity(
  minQuantity: number,
  orderType: number,
  timeInForce: number,
  quantity: number,
): void {
  checkPositive('minQuantity', minQuantity)
  const isImmediate = orderType === orderTypeCodes.limit || orderType === orderTypeCodes.market
  if (!isImmediate || timeInForce !== IOC || quantity === 0) {
    const message = 'Only a limit or market order that is IOC and states a quantity takes a minQuantity.'
    throw conflict('minQuantity', minQuantity, message)
  }
  if (minQuantity > quantity)
    throw conflict('minQuantity', minQuantity, 'minQuantity must not be larger than quantity.')
}

function checkQuoteQuantity(
  quoteQuantity: number,
  orderType: number,
  timeInForce: number,
  quantity: number,
): void {
  checkPositive('quoteQuantity', quoteQuantity)
  if (orderType !== orderTypeCodes.market || timeInForce !== IOC)
    throw conflict('quoteQuantity', quoteQuantity, 'Only a market order that is IOC takes a quoteQuantity.')
  if (quantity !== 0)
    throw conflict('quoteQuantity', quoteQuantity, 'An order has a quantity or a quoteQuantity.')
}

function checkPeg(
  peg: number,
  pegOffset: number,
  orderType: number,
  timeInForce: number,
  postOnly: number,
): number {
  if (peg === 0) throw conflict('pegOffset', pegOffset, 'A pegOffset needs a peg.')
  if (peg >>> 0 > pegCodes.mid) throw outOfRange('peg', peg, 1, pegCodes.mid)
  if (!(Number.isSafeInteger(pegOffset) && Math.abs(pegOffset) <= limits.maxPriceTicks))
    throw outOfRange('pegOffset', pegOffset, -limits.maxPriceTicks, limits.maxPriceTicks)
  const isImmediate = timeInForce === IOC || timeInForce === FOK
  if (
    orderType !== orderTypeCodes.limit ||
    isImmediate ||
    timeInForce > timeInForceCodes.GTD ||
    postOnly !== 0
  ) {
    const message = 'Only a limit order that rests, GTC, DAY or GTD and not postOnly, takes a peg.'
    throw conflict('peg', peg, message)
  }
  return pegOffset === 0 ? MORE_PEG : MORE_PEG | MORE_PEG_OFFSET
}

/** Writes what was checked; returns where the next field stands. */
export function writeExtras(
  words: Int32Array,
  at: number,
  { selfTradeGroup, minQuantity, quoteQuantity, peg, pegOffset }: NewOrderExtras,
): number {
  let end = at
  if (selfTradeGroup !== 0) end = writeU64(words, end, selfTradeGroup)
  if (minQuantity !== 0) end = writeU64(words, end, minQuantity)
  if (quoteQuantity !== 0) end = writeU64(words, end, quoteQuantity)
  if (peg !== 0) end = writeU64(words, end, pegOffset < 0 ? peg | PEG_OFFSET_IS_NEGATIVE : peg)
  if (pegOffset !== 0) end = writeU64(words, end, Math.abs(pegOffset))
  return end
}
