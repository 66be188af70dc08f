/**
 * The flag bits of command records. The byte tables are in docs/command-format.md.
 */
export const NEW_SELL = 1
export const NEW_POST_ONLY = 2
export const NEW_HAS_STOP_PRICE = 4
export const NEW_HAS_DISPLAY_QUANTITY = 8
export const NEW_HAS_EXPIRE_TIME = 16
export const NEW_HAS_REQUEST_ID = 32

/** For cancel, replace and reduce: the account follows. */
export const AMEND_HAS_ACCOUNT = 16
/** For cancel, replace and reduce: the request id follows the account. */
export const AMEND_HAS_REQUEST_ID = 32

/** For cancel-all: only orders of one side … */
export const CANCEL_ALL_ONE_SIDE = 1
/** … which is that of the sellers. */
export const CANCEL_ALL_SELL = 2

export const EXPIRE_END_OF_DAY = 1

/** For instrument: details follow the strings. */
export const INSTRUMENT_HAS_DETAILS = 1

/** Words of the header that every command starts with: kind, flags, length; instrument; tag, two words. */
export const HEADER_WORDS = 4
/** Words of a new-order command before its optional fields. */
export const NEW_WORDS = 12
export const CANCEL_WORDS = 6
export const REPLACE_WORDS = 10
export const REDUCE_WORDS = 8
export const CANCEL_ALL_WORDS = 6
export const EXPIRE_WORDS = 6
/** Words of an instrument command before its strings. */
export const INSTRUMENT_WORDS = 6

/** The unsigned 64-bit number at a word offset; exact up to 2^53. */
export function readU64(words: Int32Array, at: number): number {
  return (words[at]! >>> 0) + (words[at + 1]! >>> 0) * 4294967296
}
