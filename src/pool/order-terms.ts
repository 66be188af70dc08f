import {
  clientListIdOf,
  commandKinds,
  fromSteps,
  type Grid,
  legAt,
  listTypeCodes,
  listTypeOf,
  type NewOrderFields,
  pegNames,
  priceText,
  quantityText,
  quoteText,
  readU64,
} from '../matching/index.js'
import type { OrderTerms } from './types.js'

/**
 * What only some new orders have; `undefined` for one that has none of it. The order stands at `at`, and the record's command is at
 * `from`: an order of a list has its id.
 */
export function describeTerms(
  fields: NewOrderFields,
  words: Int32Array,
  at: number,
  from: number,
  prices: Grid,
  lots: Grid,
): OrderTerms | undefined {
  const isListed = (words[from]! & 0xff) === commandKinds.list
  if (fields.more === 0 && !isListed) return undefined
  const clientListId = isListed ? clientListIdOf(words, from) : undefined
  const { trailingOffset, trailingBasisPoints, stopPrice, selfTradeGroup, minQuantity } = fields
  const { quoteQuantity, peg, pegOffset, price } = fields
  const trails = trailingOffset !== 0 || trailingBasisPoints !== 0
  return {
    ...(isListed && { listId: readU64(words, from + 2) }),
    ...(clientListId !== undefined && { clientListId }),
    ...(isListed && isPending(words, at, from) && { pending: true as const }),
    ...(trailingOffset !== 0 && { trailingOffset: priceText(trailingOffset, prices) }),
    ...(trailingBasisPoints !== 0 && { trailingBasisPoints }),
    ...(trails && stopPrice !== 0 && { activationPrice: priceText(stopPrice, prices) }),
    ...(selfTradeGroup !== 0 && { selfTradeGroup }),
    ...(minQuantity !== 0 && { minQuantity: quantityText(minQuantity, lots) }),
    ...(quoteQuantity !== 0 && {
      quoteQuantity: quoteText(quoteQuantity, 0, { price: prices, quantity: lots }),
    }),
    ...(peg !== 0 && { peg: pegNames[peg]!, pegOffset: signedText(pegOffset, prices) }),
    ...(peg !== 0 && price !== 0 && { limitPrice: priceText(price, prices) }),
  }
}

/** Whether an order of the list at `from` waits until the working order, which is the first, is filled. */
function isPending(words: Int32Array, at: number, from: number): boolean {
  return listTypeOf(words, from) !== listTypeCodes.oco && at !== legAt(words, from, 0)
}

/** A whole number of grid steps, which may be negative, as a decimal string. */
export function signedText(steps: number, grid: Grid): string {
  return steps < 0 ? `-${fromSteps(-steps, grid)}` : fromSteps(steps, grid)
}
