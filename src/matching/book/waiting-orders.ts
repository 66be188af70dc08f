import { limits } from '../codec/limits.js'
import { waitsForRise } from '../codec/order-types.js'
import { FLAG_SELL, FLAG_TRACKING, typeOf } from './order-store.js'
import { SIDE_WAIT_FALL, SIDE_WAIT_RISE } from './price-levels.js'

/** On which side of its book an order with these flags waits for the last price: a trail that tracks it is a stop. */
export function waitingSide(flags: number): number {
  const sell = flags & FLAG_SELL
  const rise = (flags & FLAG_TRACKING) === 0 ? waitsForRise(typeOf(flags), sell) : sell === 0
  return rise ? SIDE_WAIT_RISE : SIDE_WAIT_FALL
}

/** A stop price that every last price reaches, for orders with these flags: where a trail without an activation price waits for the first. */
export function reachedByAny(flags: number): number {
  return waitingSide(flags) === SIDE_WAIT_RISE ? 1 : limits.maxPriceTicks
}
