import { type Grid, type NewOrderFields, priceText } from '../matching/index.js'
import type { OrderTerms } from './types.js'

/** What only some new orders have; `undefined` for one that has none of it. */
export function describeTerms(fields: NewOrderFields, prices: Grid): OrderTerms | undefined {
  const { trailingOffset, trailingBasisPoints, stopPrice } = fields
  if (trailingOffset === 0 && trailingBasisPoints === 0) return undefined
  return {
    ...(trailingOffset !== 0 && { trailingOffset: priceText(trailingOffset, prices) }),
    ...(trailingBasisPoints !== 0 && { trailingBasisPoints }),
    ...(stopPrice !== 0 && { activationPrice: priceText(stopPrice, prices) }),
  }
}
