import { commandKinds } from './names.js'

/**
 * The words and flag bits of command records. The byte tables are in docs/command-format.md.
 *
 * ```
 *  word  0   kind, 8 bits | flags, 10 bits | length in words, 14 bits
 *        1   instrument id
 *        2…  what a command of the kind always has, `commandWords` in all
 *        …   each only if its flag is set: tag, then the kind's optional fields; the request id is the last of all
 * ```
 */
export const FLAGS_SHIFT = 8
export const LENGTH_SHIFT = 18

export const NEW_SELL = 1
export const NEW_POST_ONLY = 2
export const NEW_HAS_STOP_PRICE = 4
export const NEW_HAS_DISPLAY_QUANTITY = 8
export const NEW_HAS_EXPIRE_TIME = 16
export const NEW_HAS_REQUEST_ID = 32

/** Byte 23 says which more fields follow: … */
export const NEW_HAS_MORE = 512
/** … the trailing offset in ticks, … */
export const MORE_TRAILING_OFFSET = 1
/** … or in basis points. With either, the stop price is the activation price, and may be absent. */
export const MORE_TRAILING_BASIS_POINTS = 2
export const MORE_SELF_TRADE_GROUP = 4
export const MORE_MIN_QUANTITY = 8
export const MORE_QUOTE_QUANTITY = 16
/** What the price is pegged to, and whether the offset that follows it is negative. */
export const MORE_PEG = 32
export const MORE_PEG_OFFSET = 64
export const PEG_OFFSET_IS_NEGATIVE = 256
/** Where byte 23 stands in its word. */
export const MORE_SHIFT = 24

/** For cancel, replace and reduce: the account follows. */
export const AMEND_HAS_ACCOUNT = 16
/** For cancel, replace and reduce: the request id follows the account. */
export const AMEND_HAS_REQUEST_ID = 32

/** For all commands: the caller's 64 bits follow. A tag of 0 is not written. */
export const HAS_TAG = 64

/** For new orders, and for cancel, replace and reduce: the client's own order id follows; for a list: its own id of the list. */
export const HAS_CLIENT_ORDER_ID = 128
/**
 * The command names no order id. A new order gets the next one; cancel, replace and reduce name the order by the client's own id.
 * The book writes the order's id where a stated one would stand: in the log it is there.
 */
export const OMITS_ORDER_ID = 256

/** For cancel-all: only orders of one side … */
export const CANCEL_ALL_ONE_SIDE = 1
/** … which is that of the sellers. */
export const CANCEL_ALL_SELL = 2
/** For cancel-all: of whatever account. */
export const CANCEL_ALL_EVERYBODY = 4
/** For cancel-all: the lowest and the highest price follow. */
export const CANCEL_ALL_HAS_PRICES = 8
/** For cancel-all: ids of orders follow, up to the record's end. */
export const CANCEL_ALL_HAS_IDS = 16

export const EXPIRE_END_OF_DAY = 1

/** For phase: the auction is the closing call … */
export const PHASE_CLOSING = 1
/** … and a halt takes orders as a call does. */
export const PHASE_TAKES_ORDERS = 2

/** For instrument: details follow the strings. */
export const INSTRUMENT_HAS_DETAILS = 1

/** Words of the header that every command starts with: kind, flags, length; instrument. */
export const HEADER_WORDS = 2
/** Words of a new-order command before its optional fields. */
export const NEW_WORDS = 10
export const CANCEL_WORDS = 4
export const REPLACE_WORDS = 8
export const REDUCE_WORDS = 6
export const CANCEL_ALL_WORDS = 4
export const EXPIRE_WORDS = 4
export const PHASE_WORDS = 4
export const BUST_WORDS = 4
/** Words of a block or unblock before its tag. */
export const BLOCK_WORDS = 4
/** Words of a list before its tag and its orders. */
export const LIST_WORDS = 6
/** Words of an instrument command before its tag and its strings. */
export const INSTRUMENT_WORDS = 4
export const TAG_WORDS = 2

/** By kind: the words of a command before its optional fields. */
const commandWords = new Uint8Array(256)
commandWords[commandKinds.new] = NEW_WORDS
commandWords[commandKinds.cancel] = CANCEL_WORDS
commandWords[commandKinds.replace] = REPLACE_WORDS
commandWords[commandKinds.reduce] = REDUCE_WORDS
commandWords[commandKinds['cancel-all']] = CANCEL_ALL_WORDS
commandWords[commandKinds.instrument] = INSTRUMENT_WORDS
commandWords[commandKinds.phase] = PHASE_WORDS
commandWords[commandKinds.bust] = BUST_WORDS
commandWords[commandKinds.expire] = EXPIRE_WORDS
commandWords[commandKinds.noop] = HEADER_WORDS
commandWords[commandKinds['instrument-change']] = HEADER_WORDS
commandWords[commandKinds.block] = BLOCK_WORDS
commandWords[commandKinds.unblock] = BLOCK_WORDS
commandWords[commandKinds.list] = LIST_WORDS
commandWords[commandKinds['cancel-list']] = CANCEL_WORDS

const TAGGED = HAS_TAG << FLAGS_SHIFT

/** The unsigned 64-bit number at a word offset; exact up to 2^53. */
export function readU64(words: Int32Array, at: number): number {
  return (words[at]! >>> 0) + (words[at + 1]! >>> 0) * 4294967296
}

/** The flags of the command or event record at a word offset. */
export function flagsOf(words: Int32Array, at: number): number {
  return (words[at]! >>> FLAGS_SHIFT) & 0x3ff
}

/** Whether the command record at a word offset has a tag; without one it is 0. */
export function hasTag(words: Int32Array, at: number): boolean {
  return (words[at]! & TAGGED) !== 0
}

/** Where the tag of the command record at a word offset stands, which has one. */
export function tagAt(words: Int32Array, at: number): number {
  return at + commandWords[words[at]! & 0xff]!
}

/** Where the optional fields of the command record at a word offset begin, the tag not among them. */
export function optionalAt(words: Int32Array, at: number): number {
  return tagAt(words, at) + (hasTag(words, at) ? TAG_WORDS : 0)
}

/** The low and high word of the tag of the command record at a word offset, unsigned. */
export function commandTagLow(words: Int32Array, at: number): number {
  return hasTag(words, at) ? words[tagAt(words, at)]! >>> 0 : 0
}

/** The upper 32 bits of the caller's tag, unsigned. */
export function commandTagHigh(words: Int32Array, at: number): number {
  return hasTag(words, at) ? words[tagAt(words, at) + 1]! >>> 0 : 0
}

const FOR_AMOUNT = MORE_QUOTE_QUANTITY << MORE_SHIFT
const NEW_WITH_MORE = commandKinds.new | (NEW_HAS_MORE << FLAGS_SHIFT)
const KIND_AND_MORE = 0xff | (NEW_HAS_MORE << FLAGS_SHIFT)

/** Whether the command record at a word offset is a new order for an amount of the quote asset: the book writes its quantity into it. */
export function isForAmount(words: Int32Array, at: number): boolean {
  return (words[at]! & KIND_AND_MORE) === NEW_WITH_MORE && (words[at + 5]! & FOR_AMOUNT) !== 0
}

/** The account that the command record at a word offset states; -1 when it states none. */
export function commandAccount(words: Int32Array, at: number): number {
  const kind = words[at]! & 0xff
  if (kind === commandKinds.new) return words[at + 4]! >>> 0
  if (kind === commandKinds.list) return words[at + 4]! >>> 0
  if (kind === commandKinds.block || kind === commandKinds.unblock) return words[at + 2]! >>> 0
  const flags = flagsOf(words, at)
  if (kind === commandKinds['cancel-all'])
    return (flags & CANCEL_ALL_EVERYBODY) === 0 ? words[at + 2]! >>> 0 : -1
  if (kind === commandKinds['cancel-list'] && (flags & AMEND_HAS_ACCOUNT) !== 0)
    return words[at + (words[at]! >>> LENGTH_SHIFT) - 2]! >>> 0
  if (kind > commandKinds.reduce || (flags & AMEND_HAS_ACCOUNT) === 0) return -1
  const end = at + (words[at]! >>> LENGTH_SHIFT)
  return words[(flags & AMEND_HAS_REQUEST_ID) === 0 ? end - 2 : end - 4]! >>> 0
}
