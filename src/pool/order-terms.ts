import {
  commandKinds,
  type Grid,
  type NewOrderFields,
  priceText,
  quantityText,
  readU64,
} from '../matching/index.js'
import type { OrderTerms } from './types.js'

/**
 * What only some new orders have; `undefined` for one that has none of it. The record's command is at
 * `from`: an order of a list has its id.
 */
export function describeTerms(
  fields: NewOrderFields,
  words: Int32Array,
  from: number,
  prices: Grid,
  lots: Grid,
): OrderTerms | undefined {
  const isListed = (words[from]! & 0xff) === commandKinds.list
  if (fields.more === 0 && !isListed) return undefined
  const { trailingOffset, trailingBasisPoints, stopPrice, selfTradeGroup, minQuantity } = fields
  const trails = trailingOffset !== 0 || trailingBasisPoints !== 0
  return {
    ...(isListed && { listId: readU64(words, from + 2) }),
    ...(trailingOffset !== 0 && { trailingOffset: priceText(trailingOffset, prices) }),
    ...(trailingBasisPoints !== 0 && { trailingBasisPoints }),
    ...(trails && stopPrice !== 0 && { activationPrice: priceText(stopPrice, prices) }),
    ...(selfTradeGroup !== 0 && { selfTradeGroup }),
    ...(minQuantity !== 0 && { minQuantity: quantityText(minQuantity, lots) }),
  }
}
