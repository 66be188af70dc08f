/**
 * Records of the inbound rings that are not commands and never logged as they stand. They begin as
 * commands do (kind, flags and length, instrument id), so one reader walks both; then come 64 bits of their own, the tag of a
 * request or the number of a question, and two arguments.
 */
export const requestKind = {
  /** Cancel an account's orders in every symbol of the shard: becomes one logged command a symbol. */
  cancelAllSymbols: 240,
  /** Block an account in every symbol of the shard, or end that: becomes one logged command a symbol in which it is not so already. */
  blockAccount: 243,
  /** A question; its answer goes through the shard's message port. */
  question: 241,
  /** Has a shard that follows lead from now on; it says so through its message port. */
  lead: 242,
} as const

export const questionKind = {
  depth: 0,
  order: 1,
  digest: 2,
  copy: 3,
  lastRequest: 4,
  highestOrderId: 5,
  /** An account's open orders in one instrument … */
  openOrders: 6,
  /** … and in all from one on. */
  openOrdersEverywhere: 7,
  indicative: 8,
  /** Takes over which accounts are blocked in the pool: they are in the port. */
  blockedAccounts: 9,
  /** In how many instruments of the shard each account is blocked. */
  blockedBooks: 10,
} as const

export const requestWords = 8

/** Writes a request: `first` and `second` are its unsigned arguments. */
export function encodeRequest(
  words: Int32Array,
  kind: number,
  flags: number,
  instrumentId: number,
  tagLow: number,
  tagHigh: number,
  first: number,
  second: number,
): void {
  words[0] = kind | (flags << 8) | (requestWords << 18)
  words[1] = instrumentId
  words[2] = tagLow
  words[3] = tagHigh
  words[4] = first
  words[5] = first / 0x1_0000_0000
  words[6] = second
  words[7] = second / 0x1_0000_0000
}
