/** Order lists of the naive book: what happened to their orders, and what is to happen to the others because of it. */

import type { DecodedList, DecodedNew } from '#tidemark/matching/codec/command-reader.js'
import type { ListType } from '#tidemark/matching/codec/names.js'

export interface NaiveList<Order> {
  readonly id: number
  readonly type: ListType
  readonly account: number
  /** Live ones by their places. */
  readonly orders: (Order | undefined)[]
  /** What happened since the list was settled. */
  cancelled: boolean
  workingFilled: boolean
  pairTraded: boolean
}

/** Places of orders of a type that cancel each other. */
export function pairOf(type: ListType): readonly number[] {
  return { oco: [0, 1], oto: [], otoco: [1, 2] }[type]
}

/** Places of orders of a type that wait until the first is filled. */
export function pendingOf(type: ListType): readonly number[] {
  return { oco: [], oto: [1], otoco: [1, 2] }[type]
}

/** The list with the ids that it leaves to the book; `undefined` ids from the place on for which there is none. */
export function withIds(
  list: DecodedList,
  highestOrderId: number,
): { list: DecodedList; failed: number | undefined } {
  let highest = highestOrderId
  let failed: number | undefined
  const orders: DecodedNew[] = list.orders.map((order, place) => {
    if (!order.orderIdOmitted) return order
    if (failed === undefined && highest + 1 > 2 ** 53 - 1) failed = place
    return { ...order, orderId: failed === undefined ? ++highest : 0 }
  })
  return { list: { ...list, orders, listId: list.listIdOmitted ? orders[0]!.orderId : list.listId }, failed }
}
