import { waitsForRise } from '../codec/order-types.js'
import { FLAG_SELL, typeOf } from './order-store.js'
import { SIDE_WAIT_FALL, SIDE_WAIT_RISE } from './price-levels.js'

/** On which side of its book an order with these flags waits for the last price. */
export function waitingSide(flags: number): number {
  return waitsForRise(typeOf(flags), flags & FLAG_SELL) ? SIDE_WAIT_RISE : SIDE_WAIT_FALL
}
