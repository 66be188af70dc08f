// What a venue notes in the tags of its commands. They come back with the events, also after a restart. The first bits say what
// a tag is: others, of the program that the pool belongs to, mean nothing here.
//
//   0x54 … 0x57  8 bits, then 24 of a strategy's type and 32 of its id: of a single order
//   0x5a3       11 bits, then 53 of a request id: of a single order
//
// A command has one tag, so an order has no strategy beside a request id, and in a list, whose orders share one tag, none at all.

/** What a client says of the strategy that an order belongs to. */
export interface Strategy {
  /** 0 to 2^32-1. */
  readonly strategyId: number | undefined
  /** 1,000,000 to `strategyTypeMax`. */
  readonly strategyType: number | undefined
}

export const strategyIdMax = 2 ** 32 - 1
export const strategyTypeMin = 1_000_000
export const strategyTypeMax = strategyTypeMin + 2 ** 24 - 1

const strategyMark = 0x54n
const hasId = 1n
const hasType = 2n

/** The tag of an order that states a strategy; `undefined` for one that does not. */
export function strategyTag({ strategyId, strategyType }: Strategy): bigint | undefined {
  if (strategyId === undefined && strategyType === undefined) return undefined
  const mark =
    strategyMark | (strategyId === undefined ? 0n : hasId) | (strategyType === undefined ? 0n : hasType)
  return (
    (mark << 56n) |
    (BigInt((strategyType ?? strategyTypeMin) - strategyTypeMin) << 32n) |
    BigInt(strategyId ?? 0)
  )
}

/** The strategy that a tag says, if it says one. */
export function strategyOf(tag: bigint): Strategy | undefined {
  const mark = tag >> 56n
  if ((mark & ~3n) !== strategyMark) return undefined
  return {
    strategyId: (mark & hasId) === 0n ? undefined : Number(tag & 0xffffffffn),
    strategyType: (mark & hasType) === 0n ? undefined : strategyTypeMin + Number((tag >> 32n) & 0xffffffn),
  }
}

const requestMark = 0x5a3n
const requestBits = 53n

/** The tag of the command of a request: by it the events in the log name the request. */
export function requestTag(requestId: number): bigint {
  return (requestMark << requestBits) | BigInt(requestId)
}

/** The request id that a tag says, if it says one. */
export function requestIdOf(tag: bigint): number | undefined {
  return tag >> requestBits === requestMark ? Number(BigInt.asUintN(Number(requestBits), tag)) : undefined
}
