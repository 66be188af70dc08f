import { overflows } from '../book/level-total.js'
import { reportAggressor, reportCancelled } from '../book/order-events.js'
import {
  FLAG_ICEBERG,
  FLAG_POST_ONLY,
  FLAG_PREVENTION_SHIFT,
  FLAG_TIME_IN_FORCE_SHIFT,
  typeOf,
} from '../book/order-store.js'
import type { ShardBooks } from '../book/shard-books.js'
import { limits } from '../codec/limits.js'
import { cancelReasons, eventKinds, timeInForceCodes } from '../codec/names.js'
import { hasNoLimit } from '../codec/order-types.js'
import { canFill, cross, wouldCross } from './crossing.js'
import { endsAtBand, isRefusedByBand } from './price-bands.js'

const IOC = timeInForceCodes.IOC
const FOK = timeInForceCodes.FOK

/** Lets an order that is in no queue act as the market or limit order that it is or has become. */
export function act(shard: ShardBooks, book: number, order: number): void {
  const { orders } = shard
  const id = orders.id(order)
  const flags = orders.flags(order)
  const sell = flags & 1
  const isMarket = hasNoLimit(typeOf(flags))
  const timeInForce = (flags >> FLAG_TIME_IN_FORCE_SHIFT) & 7
  const ownPrevention = (flags >> FLAG_PREVENTION_SHIFT) & 7
  const prevention = ownPrevention === 0 ? shard.books.prevention(book) : ownPrevention
  const account = orders.account(order)
  const price = orders.price(order)
  const open = orders.open(order)
  shard.setAggressor(order)
  const crosses = wouldCross(shard, book, sell, isMarket && sell === 0 ? limits.maxPriceTicks : price)
  const rests = !isMarket && timeInForce !== IOC && timeInForce !== FOK
  let refusal = 0
  if (crosses && (flags & FLAG_POST_ONLY) !== 0) refusal = cancelReasons['post-only']
  else if (timeInForce === FOK && !canFill(shard, book, sell, price, open, account, prevention)) {
    refusal = cancelReasons.fok
  } else if (crosses && isRefusedByBand(shard, book, sell, price, open)) {
    refusal = cancelReasons.band
  } else if (rests && !crosses && overflows(shard, book * 4 + sell, price, open)) {
    refusal = cancelReasons['level-total']
  }
  if (refusal !== 0) {
    reportCancelled(shard, order, open, refusal)
    shard.dismiss(order)
    return
  }
  const remaining = crosses ? cross(shard, book, sell, price, open, id, account, prevention) : open
  const stopped = crosses && shard.aggressorStopped
  const isBanded = crosses && shard.aggressorBanded
  const ends = isBanded ? endsAtBand(shard, book, rests) : stopped || !rests
  if (remaining === 0 || ends) {
    if (remaining !== 0) {
      const reason = isBanded ? 'band' : stopped ? 'self-trade' : isMarket ? 'market' : 'ioc'
      reportAggressor(shard, eventKinds.cancelled, sell, account, remaining, cancelReasons[reason])
    }
    shard.dismiss(order)
    return
  }
  if (remaining !== open) shard.noteAggressorFill(order, open - remaining)
  const display = (flags & FLAG_ICEBERG) === 0 ? remaining : orders.displayQuantity(order)
  shard.enqueue(order, book * 4 + sell, price, remaining, Math.min(display, remaining))
}
