import type { DecodedCancelAll } from '#tidemark/matching/codec/command-reader.js'
import type { NaiveOrder } from './naive-book/orders.js'

/**
 * The orders that a cancel-all takes, in the order in which it takes them. `byAcceptance` and `byPlace` are all live orders: as
 * they were accepted, and as they stand in the book.
 */
export function chosenByCancelAll(
  { account, side, minPrice = 0, maxPrice = Number.POSITIVE_INFINITY, orderIds }: DecodedCancelAll,
  byAcceptance: readonly NaiveOrder[],
  byPlace: readonly NaiveOrder[],
): NaiveOrder[] {
  const listed = [...new Set(orderIds)].flatMap((id) =>
    byAcceptance.filter(({ command }) => command.orderId === id),
  )
  const candidates = orderIds !== undefined ? listed : account !== undefined ? byAcceptance : byPlace
  return candidates
    .filter(({ command }) => account === undefined || command.account === account)
    .filter(({ command }) => side === undefined || command.side === side)
    .filter(({ price }) => minPrice <= price && price <= maxPrice)
}
