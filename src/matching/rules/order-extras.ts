import type { ShardBooks } from '../book/shard-books.js'

/** Keeps what only some orders have; 0 stands for nothing. */
export function keepExtras(shard: ShardBooks, order: number, display: number, expireTime: number): void {
  if (display !== 0) shard.orders.setDisplayQuantity(order, display)
  if (expireTime !== 0) shard.orders.setExpireTime(order, expireTime)
}
