import { limits } from '../codec/limits.js'
import type { ShardBooks } from './shard-books.js'

const MAX_LEVEL_TOTAL = limits.maxLevelTotalLots

/** Whether one more order would push the total at a price of a book side beyond what is exact. */
export function overflows(shard: ShardBooks, bookSide: number, price: number, quantity: number): boolean {
  const { levels } = shard
  const level = levels.find(bookSide, price)
  return level !== 0 && levels.shown(level) + levels.hidden(level) + quantity > MAX_LEVEL_TOTAL
}
