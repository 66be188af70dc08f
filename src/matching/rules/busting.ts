import type { ShardBooks } from '../book/shard-books.js'
import { readU64 } from '../codec/command-layout.js'
import { eventKinds, rejectCodes } from '../codec/names.js'

/** Annuls a trade: it is reported, and remembered so that it happens once. Nothing else changes in the book. */
export function bustTrade(shard: ShardBooks, book: number, words: Int32Array, at: number): void {
  const { books, busts, record } = shard
  const tradeId = readU64(words, at + 2)
  if (tradeId > books.trades(book)) {
    record.rejected(0, rejectCodes.UNKNOWN_TRADE)
    return
  }
  if (busts.has(book, tradeId)) {
    record.rejected(0, rejectCodes.TRADE_ALREADY_BUSTED)
    return
  }
  books.keeper?.keepBook(book)
  busts.add(book, tradeId)
  record.plain(eventKinds['trade-busted'])
}
