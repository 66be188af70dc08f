import { overflows } from '../book/level-total.js'
import { rejectCommand } from '../book/order-events.js'
import { FLAG_TRAILING, FLAG_WAITING } from '../book/order-store.js'
import type { ShardBooks } from '../book/shard-books.js'
import { reachedByAny, waitingSide } from '../book/waiting-orders.js'
import { rejectCodes } from '../codec/names.js'
import { NewOrderFields } from '../codec/new-order-fields.js'

/** Read again for every order. */
const fields = new NewOrderFields()

/**
 * Places the new order at `at`, which waits for the last price and has passed the checks that every order has to pass. `flags` are those
 * of its record so far. A trail without an activation price waits at one that the first last price reaches.
 */
export function placeWaiting(
  shard: ShardBooks,
  book: number,
  words: Int32Array,
  at: number,
  flags: number,
): void {
  fields.read(words, at)
  const { account, quantity, displayQuantity, expireTime, trailingOffset, trailingBasisPoints } = fields
  const trails = trailingOffset !== 0 || trailingBasisPoints !== 0
  const own = flags | FLAG_WAITING | (trails ? FLAG_TRAILING : 0)
  const side = waitingSide(own)
  const stopPrice = fields.stopPrice === 0 ? reachedByAny(own) : fields.stopPrice
  if (overflows(shard, book * 4 + side, stopPrice, quantity)) {
    rejectCommand(shard, words, at, rejectCodes.LEVEL_TOTAL_TOO_LARGE)
    return
  }
  shard.record.accepted(account)
  shard.books.noteOrderId(book, words[at + 2]!, words[at + 3]!)
  const order = shard.admit(book, words, at, own)
  const { orders } = shard
  if (displayQuantity !== 0) orders.setDisplayQuantity(order, displayQuantity)
  if (expireTime !== 0) orders.setExpireTime(order, expireTime)
  if (trails) shard.trails.add(order, trailingOffset || trailingBasisPoints, trailingOffset === 0)
  orders.setStopPrice(order, stopPrice)
  shard.books.addStops(book, 1)
  shard.enqueue(order, book * 4 + side, stopPrice, quantity, quantity)
}
