import type { DecodedNew } from '#tidemark/matching/codec/command-reader.js'

/** Who an order trades for, in the eyes of self-trade prevention. */
function partyOf({ selfTradeGroup, account }: DecodedNew): string {
  return selfTradeGroup === undefined ? `account ${account}` : `group ${selfTradeGroup}`
}

export function areOwn(one: DecodedNew, other: DecodedNew): boolean {
  return partyOf(one) === partyOf(other)
}
