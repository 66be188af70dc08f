import { type Grid, type NewOrderFields, priceText, quantityText } from '../matching/index.js'
import type { OrderTerms } from './types.js'

/** What only some new orders have; `undefined` for one that has none of it. */
export function describeTerms(fields: NewOrderFields, prices: Grid, lots: Grid): OrderTerms | undefined {
  if (fields.more === 0) return undefined
  const { trailingOffset, trailingBasisPoints, stopPrice, selfTradeGroup, minQuantity } = fields
  const hasTrail = trailingOffset !== 0 || trailingBasisPoints !== 0
  return {
    ...(trailingOffset !== 0 && { trailingOffset: priceText(trailingOffset, prices) }),
    ...(trailingBasisPoints !== 0 && { trailingBasisPoints }),
    ...(hasTrail && stopPrice !== 0 && { activationPrice: priceText(stopPrice, prices) }),
    ...(selfTradeGroup !== 0 && { selfTradeGroup }),
    ...(minQuantity !== 0 && { minQuantity: quantityText(minQuantity, lots) }),
  }
}
