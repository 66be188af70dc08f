import type { ShardBooks } from '../book/shard-books.js'
import { repricePegs } from './pegs.js'
import { runConsequences } from './stops.js'

/**
 * Lets the stops act that the last price has reached, then prices the pegs anew whose reference has moved, and so on until neither
 * has anything to do. Each round but the last trades or cancels something, so this ends.
 */
export function settle(shard: ShardBooks, book: number): void {
  do {
    if (shard.lists.due.length !== 0 || shard.books.stops(book) !== 0) runConsequences(shard, book)
  } while (shard.pegs.size !== 0 && repricePegs(shard, book))
}
