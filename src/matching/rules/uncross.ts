import { SIDE_ASKS, SIDE_BIDS } from '../book/price-levels.js'
import type { ShardBooks } from '../book/shard-books.js'
import { callPriceOf } from './call-price.js'

/**
 * Trades all that meets in a book at one price: market orders first, then by price, then by time; icebergs with all that they have.
 * Orders of one account trade with each other: what self-trade prevention took out would change the price for all others. The buyer
 * is the maker of each trade, the seller its taker, and the trade is marked.
 */
export function uncross(shard: ShardBooks, book: number): void {
  const price = callPriceOf(shard, book)
  if (price === 0) return
  const { levels, orders, books, record } = shard
  let begunBuyer = 0
  let begunSeller = 0
  for (;;) {
    const bids = levels.best(book * 4 + SIDE_BIDS)
    const asks = levels.best(book * 4 + SIDE_ASKS)
    // The queues of market orders are better than any price.
    if (bids === 0 || asks === 0 || levels.price(bids) < price || levels.price(asks) > price) break
    const buyer = levels.head(bids)
    const seller = levels.head(asks)
    const bought = orders.open(buyer)
    const sold = orders.open(seller)
    const traded = Math.min(bought, sold)
    const at = record.trade(
      1,
      books.nextTrade(book, price),
      orders.id(buyer),
      orders.id(seller),
      price,
      traded,
      orders.account(buyer),
      orders.account(seller),
      bought - traded,
      sold - traded,
    )
    record.markUncross(at)
    begunBuyer = fill(shard, buyer, traded, begunBuyer)
    begunSeller = fill(shard, seller, traded, begunSeller)
  }
  if (begunBuyer !== 0) shard.moveToBack(begunBuyer)
  if (begunSeller !== 0) shard.moveToBack(begunSeller)
}

/**
 * Books a fill. An iceberg that has traded all that it shows shows its next part, and stays where it is while the uncross lasts: it
 * trades with all that it has. Returns the iceberg of this side that is to go to the back of its queue afterwards, 0 for none; `begun` is
 * the one so far, of which there is never more than one.
 */
function fill(shard: ShardBooks, order: number, traded: number, begun: number): number {
  const { orders } = shard
  const open = orders.open(order) - traded
  if (open === 0) {
    shard.discard(order)
    return 0
  }
  const shown = orders.shown(order) - traded
  shard.noteFill(order, traded)
  if (shown > 0) {
    shard.resize(order, open, shown)
    return begun
  }
  shard.resize(order, open, Math.min(orders.displayQuantity(order), open))
  return order
}
