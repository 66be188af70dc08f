import { cancelQueued } from '../book/order-events.js'
import type { ShardBooks } from '../book/shard-books.js'
import { cancelReasons, eventKinds } from '../codec/names.js'

/**
 * Blocks the account of the command at `at` in one book: cancels its live orders, in the order in which they were accepted, and
 * takes none from now on.
 */
export function blockAccount(shard: ShardBooks, book: number, words: Int32Array, at: number): void {
  const account = words[at + 2]! >>> 0
  shard.setBlocked(book, account, true)
  shard.record.accountEvent(eventKinds['account-blocked'], account)
  const { accounts } = shard
  for (let order = accounts.first(book, account); order > 0; order = accounts.first(book, account))
    cancelQueued(shard, order, cancelReasons['account-blocked'])
}

/** Ends the block of an account in one book. */
export function unblockAccount(shard: ShardBooks, book: number, words: Int32Array, at: number): void {
  const account = words[at + 2]! >>> 0
  shard.setBlocked(book, account, false)
  shard.record.accountEvent(eventKinds['account-unblocked'], account)
}

/** Whether the book takes no orders of an account. */
export function isBlocked(shard: ShardBooks, book: number, account: number): boolean {
  return shard.books.isBlocking(book) && shard.blocked.has(book, account)
}
