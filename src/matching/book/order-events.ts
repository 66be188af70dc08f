import { commandAccount } from '../codec/command-layout.js'
import { cancelReasons, eventKinds } from '../codec/names.js'
import { isConditional } from '../codec/order-types.js'
import { FLAG_CLIENT_ID, FLAG_LISTED, typeOf } from './order-store.js'
import type { ShardBooks } from './shard-books.js'

const CANCELLED = eventKinds.cancelled
const REPLACED = eventKinds.replaced
const TRIGGERED = eventKinds.triggered
const ENTERED = eventKinds.entered
const BY_LIST = cancelReasons.list

/** Reports that a live order was cancelled, of which `open` lots were left. Its list hears of it, unless that is the reason. */
export function reportCancelled(shard: ShardBooks, order: number, open: number, reason: number): void {
  if (reason !== BY_LIST && (shard.orders.flags(order) & FLAG_LISTED) !== 0) shard.lists.noteCancelled(order)
  report(shard, CANCELLED, order, shard.orders.price(order), open, reason)
}

/** Reports a queued order as cancelled, and discards it. */
export function cancelQueued(shard: ShardBooks, order: number, reason: number): void {
  reportCancelled(shard, order, shard.orders.open(order), reason)
  shard.discard(order)
}

/**
 * Reports a live order's new open quantity. `price` is 0 when the command says the price, and so is `open` when it says the
 * quantity.
 */
export function reportReplaced(
  shard: ShardBooks,
  order: number,
  price: number,
  open: number,
  reason: number,
): void {
  report(shard, REPLACED, order, price, open, reason)
}

/** Reports that a pending order of a list is no longer so: it waits for its stop price (reason 1), or acts. */
export function reportEntered(shard: ShardBooks, order: number): void {
  const { orders } = shard
  const waits = isConditional(typeOf(orders.flags(order))) ? 1 : 0
  report(shard, ENTERED, order, orders.price(order), orders.open(order), waits)
}

export function reportTriggered(shard: ShardBooks, order: number): void {
  const { orders } = shard
  report(shard, TRIGGERED, order, orders.price(order), orders.open(order), 0)
}

function report(
  shard: ShardBooks,
  kind: number,
  order: number,
  price: number,
  quantity: number,
  reason: number,
): void {
  const { orders, record } = shard
  const id = orders.id(order)
  record.order(
    kind,
    orders.flags(order) & 1,
    reason,
    orders.account(order),
    id === shard.commandOrderId ? 0 : id,
    price,
    quantity,
    orders.filled(order),
    clientOrderId(shard, order),
  )
}

/**
 * Reports what becomes of the order that crosses, by self-trade prevention or because its rest is not to wait: `kind` is
 * `cancelled` or `replaced`. While it crosses its record, if it has one, does not say what it has traded.
 */
export function reportAggressor(
  shard: ShardBooks,
  kind: number,
  sell: number,
  account: number,
  quantity: number,
  reason: number,
): void {
  const { orders, record, aggressor, aggressorFilled } = shard
  if (aggressor === 0) {
    record.order(kind, sell, reason, account, 0, 0, quantity, aggressorFilled, '')
    return
  }
  if (kind === CANCELLED && (orders.flags(aggressor) & FLAG_LISTED) !== 0)
    shard.lists.noteCancelled(aggressor)
  const id = orders.id(aggressor)
  const other = id === shard.commandOrderId ? 0 : id
  const client = clientOrderId(shard, aggressor)
  record.order(kind, sell, reason, account, other, orders.price(aggressor), quantity, aggressorFilled, client)
}

/** Reports that the command at `at` is refused: a new order, or one that names no order that is its own. */
export function rejectCommand(shard: ShardBooks, words: Int32Array, at: number, code: number): void {
  shard.record.rejected(Math.max(0, commandAccount(words, at)), code)
}

/** Reports that a command is refused that names this live order, of its own account if it states one. */
export function rejectAmendment(shard: ShardBooks, order: number, code: number): void {
  const { orders, record } = shard
  record.rejectedOrder(
    code,
    orders.account(order),
    orders.flags(order) & 1,
    orders.price(order),
    orders.filled(order),
    clientOrderId(shard, order),
  )
}

/** The client's own id of a live order, as an event says it: no characters where there is none, or the command says it. */
function clientOrderId(
  { orders, clients, commandOrderId, commandSaysClient }: ShardBooks,
  order: number,
): string {
  if ((orders.flags(order) & FLAG_CLIENT_ID) === 0) return ''
  return commandSaysClient && orders.id(order) === commandOrderId ? '' : clients.idOf(order)
}
