import {
  orderTypeNames,
  pegNames,
  selfTradePreventionNames,
  sideNames,
  timeInForceNames,
} from '../codec/names.js'
import { isConditional } from '../codec/order-types.js'
import type { OrderState } from './order-state.js'
import {
  FLAG_ICEBERG,
  FLAG_LISTED,
  FLAG_PEGGED,
  FLAG_PENDING,
  FLAG_POST_ONLY,
  FLAG_PREVENTION_SHIFT,
  FLAG_TIME_IN_FORCE_SHIFT,
  FLAG_TRACKING,
  FLAG_TRAILING,
  FLAG_WAITING,
  typeOf,
} from './order-store.js'
import type { ShardBooks } from './shard-books.js'
import { beyondFall, beyondRise } from './trailing-stops.js'
import { reachedByAny } from './waiting-orders.js'

/** Numbers of an order in an answer: as an object each, a thousand orders take a shard thirty times as long to send. */
export const packedOrderNumbers = 18

/** Writes all that is known of a live order. */
export function packOrder(shard: ShardBooks, order: number, to: Float64Array, at: number): void {
  const { orders, books, trails, lists } = shard
  to[at] = books.instrumentId(orders.book(order))
  to[at + 1] = orders.id(order)
  to[at + 2] = orders.account(order)
  to[at + 3] = orders.flags(order)
  to[at + 4] = orders.price(order)
  to[at + 5] = orders.open(order)
  to[at + 6] = orders.filled(order)
  to[at + 7] = orders.shown(order)
  to[at + 8] = orders.displayQuantity(order)
  to[at + 9] = orders.stopPrice(order)
  to[at + 10] = orders.expireTime(order)
  to[at + 13] = shard.groups.of(order)
  if ((orders.flags(order) & FLAG_LISTED) !== 0) to[at + 14] = lists.of(order).id
  const peg = (orders.flags(order) & FLAG_PEGGED) === 0 ? undefined : shard.pegs.of(order)
  to[at + 15] = peg?.kind ?? 0
  to[at + 16] = peg?.offset ?? 0
  to[at + 17] = peg?.limit ?? 0
  if ((orders.flags(order) & FLAG_TRAILING) === 0) return
  const slot = trails.slotOf(order)
  to[at + 11] = trails.isInBasisPoints(slot) ? -trails.distance(slot) : trails.distance(slot)
  to[at + 12] = trails.reference(slot)
}

/** The instrument of a packed order. */
export function packedInstrument(numbers: Float64Array, at: number): number {
  return numbers[at]!
}

/** The packed order as an object. Which of its optional numbers mean something, its flags say. */
export function unpackOrder(numbers: Float64Array, at: number, clientOrderId?: string): OrderState {
  const flags = numbers[at + 3]!
  const type = typeOf(flags)
  const timeInForce = timeInForceNames[(flags >> FLAG_TIME_IN_FORCE_SHIFT) & 7]!
  const selfTradeGroup = numbers[at + 13]!
  const prevention = selfTradePreventionNames[(flags >> FLAG_PREVENTION_SHIFT) & 7]
  return {
    orderId: numbers[at + 1]!,
    ...(clientOrderId !== undefined && { clientOrderId }),
    account: numbers[at + 2]!,
    side: sideNames[flags & 1]!,
    orderType: orderTypeNames[type]!,
    timeInForce,
    status: (flags & FLAG_PENDING) !== 0 ? 'pending' : (flags & FLAG_WAITING) === 0 ? 'resting' : 'waiting',
    ...((flags & FLAG_LISTED) !== 0 && { listId: numbers[at + 14]! }),
    price: numbers[at + 4]!,
    quantity: numbers[at + 5]!,
    filled: numbers[at + 6]!,
    shown: numbers[at + 7]!,
    postOnly: (flags & FLAG_POST_ONLY) !== 0,
    ...((flags & FLAG_ICEBERG) !== 0 && { displayQuantity: numbers[at + 8]! }),
    ...(isConditional(type) && waitingState(numbers, at, flags)),
    ...(timeInForce === 'GTD' && { expireTime: numbers[at + 10]! }),
    ...(prevention !== undefined && { selfTradePrevention: prevention }),
    ...(selfTradeGroup !== 0 && { selfTradeGroup }),
    ...((flags & FLAG_PEGGED) !== 0 && pegState(numbers, at)),
  }
}

/** The stop price and the trail of an order of a type that has one. An order that was triggered has no trail any more. */
function waitingState(
  numbers: Float64Array,
  at: number,
  flags: number,
): Pick<
  OrderState,
  'stopPrice' | 'trailingOffset' | 'trailingBasisPoints' | 'trailingReference' | 'activationPrice'
> {
  const stopPrice = numbers[at + 9]!
  if ((flags & FLAG_TRAILING) === 0) return { stopPrice }
  const distance = numbers[at + 11]!
  const terms = distance < 0 ? { trailingBasisPoints: -distance } : { trailingOffset: distance }
  if ((flags & FLAG_TRACKING) !== 0) {
    const isReachable = stopPrice !== beyondFall && stopPrice !== beyondRise
    return { ...terms, trailingReference: numbers[at + 12]!, ...(isReachable && { stopPrice }) }
  }
  return { ...terms, ...(stopPrice !== reachedByAny(flags) && { activationPrice: stopPrice }) }
}

function pegState(numbers: Float64Array, at: number): Pick<OrderState, 'peg' | 'pegOffset' | 'limitPrice'> {
  const limitPrice = numbers[at + 17]!
  return {
    peg: pegNames[numbers[at + 15]!]!,
    pegOffset: numbers[at + 16]!,
    ...(limitPrice !== 0 && { limitPrice }),
  }
}
