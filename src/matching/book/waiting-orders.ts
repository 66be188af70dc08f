import { limits } from '../codec/limits.js'
import { waitsForRise } from '../codec/order-types.js'
import { FLAG_PENDING, FLAG_SELL, FLAG_TRACKING, typeOf } from './order-store.js'
import { SIDE_WAIT_FALL, SIDE_WAIT_RISE } from './price-levels.js'
import { closingQueuePrice } from './queue-price.js'

/**
 * On which side of its book an order with these flags waits for the last price: a trail that tracks it is a stop. One
 * that is pending waits for no price, and stands after all others of its side.
 */
export function waitingSide(flags: number): number {
  const sell = flags & FLAG_SELL
  const byType = (flags & (FLAG_TRACKING | FLAG_PENDING)) === 0
  const rise = byType ? waitsForRise(typeOf(flags), sell) : sell === 0
  return rise ? SIDE_WAIT_RISE : SIDE_WAIT_FALL
}

/** A stop price that every last price reaches, for orders with these flags: where a trail without an activation price waits for the first. */
export function reachedByAny(flags: number): number {
  return waitsForRise(typeOf(flags), flags & FLAG_SELL) ? 1 : limits.maxPriceTicks
}

/** The price of the level at which a waiting order with these flags and this stop price stands. */
export function waitingPrice(flags: number, stopPrice: number): number {
  return (flags & FLAG_PENDING) === 0 ? stopPrice : closingQueuePrice(flags & FLAG_SELL)
}
