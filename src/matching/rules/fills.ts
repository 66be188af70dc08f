import { cancelQueued, reportAggressor, reportReplaced } from '../book/order-events.js'
import { FLAG_SELF_TRADE_GROUP } from '../book/order-store.js'
import type { ShardBooks } from '../book/shard-books.js'
import { cancelReasons, eventKinds, replaceReasons, selfTradePreventionCodes } from '../codec/names.js'

const CANCEL_NEWEST = selfTradePreventionCodes['cancel-newest']
const CANCEL_OLDEST = selfTradePreventionCodes['cancel-oldest']
const CANCEL_BOTH = selfTradePreventionCodes['cancel-both']
const SELF_TRADE = cancelReasons['self-trade']
const DECREMENTED = replaceReasons['self-trade']

/**
 * Whether a resting order is the aggressor's own: of its self-trade group, or of its account if neither has a group. The caller
 * has set `shard.aggressorGroup`.
 */
export function isOwn(
  { orders, groups, aggressorGroup }: ShardBooks,
  maker: number,
  account: number,
): boolean {
  const group = (orders.flags(maker) & FLAG_SELF_TRADE_GROUP) === 0 ? 0 : groups.of(maker)
  return group === aggressorGroup && (group !== 0 || orders.account(maker) === account)
}

/** Books a fill that left something of the maker; an iceberg whose shown part is gone shows its next part at the back of the queue. */
export function fillPartly(
  shard: ShardBooks,
  maker: number,
  traded: number,
  open: number,
  shown: number,
): void {
  shard.noteFill(maker, traded)
  if (shown > 0) {
    shard.resize(maker, open, shown)
    return
  }
  const display = shard.orders.displayQuantity(maker)
  shard.resize(maker, open, Math.min(display, open))
  shard.moveToBack(maker)
}

/** One meeting of an aggressor with a resting order of its own. Returns what is left of the aggressor. */
export function preventSelfTrade(
  shard: ShardBooks,
  maker: number,
  sell: number,
  account: number,
  remaining: number,
  prevention: number,
): number {
  if (prevention === CANCEL_OLDEST || prevention === CANCEL_BOTH) cancelQueued(shard, maker, SELF_TRADE)
  if (prevention === CANCEL_NEWEST || prevention === CANCEL_BOTH) shard.aggressorStopped = true
  if (prevention <= CANCEL_BOTH) return remaining

  const { orders } = shard
  const makerOpen = orders.open(maker)
  shard.aggressorDecremented += Math.min(makerOpen, remaining)
  if (makerOpen <= remaining) cancelQueued(shard, maker, SELF_TRADE)
  else {
    const open = makerOpen - remaining
    const shown = orders.shown(maker)
    reportReplaced(shard, maker, orders.price(maker), open, DECREMENTED)
    shard.resize(maker, open, Math.min(shown, open))
  }
  if (remaining <= makerOpen) {
    shard.aggressorStopped = true
    reportAggressor(shard, eventKinds.cancelled, sell, account, remaining, SELF_TRADE)
    return 0
  }
  reportAggressor(shard, eventKinds.replaced, sell, account, remaining - makerOpen, DECREMENTED)
  return remaining - makerOpen
}
