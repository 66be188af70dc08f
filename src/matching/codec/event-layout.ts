import { commandKinds, eventKinds, replaceReasons } from './names.js'

/**
 * The words and flag bits of event records. The byte tables are in docs/command-format.md.
 *
 * ```
 *  word  0   kind, 8 bits | flags, 10 bits | length in words, 14 bits
 *        1   the order's account; in a trade the maker's
 *        2…  by kind; what the command at the beginning of the record says already is not repeated
 * ```
 */
export const EVENT_SELL = 1
/** The order is not the one that the command names: its id follows. */
export const EVENT_HAS_ORDER_ID = 2
/** In `rejected`: the command names a live order, and side and price are that order's. */
export const REJECTED_HAS_ORDER = 2
/** In `rejected`, of a list, in place of the two flags above: 1 and up are its orders, one of which is refused. */
export const REJECTED_LEG = 3
/** The price follows. Without this flag it is that of the command, and 0 if the order is another one or the command has none. */
export const EVENT_HAS_PRICE = 4
/** The order had traded before: how much follows. */
export const EVENT_HAS_FILLED = 8
/** The client's own id of the order follows. Without this flag it is that of the command, if the order is its own. */
export const EVENT_HAS_CLIENT_ORDER_ID = 16
/** A reason or code, five bits. */
export const REASON_SHIFT = 5
/** In `rejected` and `repeated`: the code is this one or a higher one, and stands in 8 bytes of its own, the last of the event. */
export const CODE_FOLLOWS = 31

/** In a trade: the taker is not the new order of the command; its id and its account follow. */
export const TRADE_HAS_TAKER = 2
/** In a trade: something is left of the maker, and of the taker. */
export const TRADE_HAS_MAKER_REMAINING = 4
export const TRADE_HAS_TAKER_REMAINING = 8
/** In a trade: it was made at the price of a call. Its maker is the buyer. */
export const TRADE_IN_UNCROSS = 16

/** In `repeated`: the first status. */
export const REPEATED_STATUS = 7

export const EVENT_HEADER_WORDS = 2
/** Words of a trade before its optional fields: header, trade id, maker's order id, price, quantity. */
export const TRADE_WORDS = 10
/** Words of `repeated`: header, filled + 1, remaining + 1, LSN. */
export const REPEATED_WORDS = 8

const ORDER_ID = EVENT_HAS_ORDER_ID << 8
const PRICE = EVENT_HAS_PRICE << 8
const FILLED = EVENT_HAS_FILLED << 8

/**
 * The length that an event record has whose first word is this, in words, without a client order id; 0 for a kind that does not
 * exist.
 */
export function eventWords(header: number): number {
  const kind = header & 0xff
  switch (kind) {
    case eventKinds.accepted:
    case eventKinds['instrument-created']:
    case eventKinds['phase-changed']:
    case eventKinds['volatility-interruption']:
    case eventKinds['trade-busted']:
    case eventKinds['account-blocked']:
    case eventKinds['account-unblocked']:
      return EVENT_HEADER_WORDS
    case eventKinds.trade:
      return (
        TRADE_WORDS +
        (has(header, TRADE_HAS_TAKER << 8) ? 4 : 0) +
        (has(header, TRADE_HAS_MAKER_REMAINING << 8) ? 2 : 0) +
        (has(header, TRADE_HAS_TAKER_REMAINING << 8) ? 2 : 0)
      )
    case eventKinds.cancelled:
    case eventKinds.replaced:
    case eventKinds.rejected:
    case eventKinds.triggered:
    case eventKinds.entered:
      return (
        EVENT_HEADER_WORDS +
        (kind !== eventKinds.rejected && has(header, ORDER_ID) ? 2 : 0) +
        (has(header, PRICE) ? 2 : 0) +
        (hasQuantity(header) ? 2 : 0) +
        (has(header, FILLED) ? 2 : 0) +
        codeWords(header)
      )
    case eventKinds.repeated:
      return REPEATED_WORDS + codeWords(header)
    default:
      return 0
  }
}

/** Whether an event about an order states its quantity: a requested replacement has that of its command. */
export function hasQuantity(header: number): boolean {
  const kind = header & 0xff
  if (kind === eventKinds.rejected) return false
  return kind !== eventKinds.replaced || shortReason(header) !== replaceReasons.requested
}

/** The reason or code of the event at a word offset. */
export function reasonOf(words: Int32Array, at: number): number {
  const reason = shortReason(words[at]!)
  return reason === CODE_FOLLOWS ? words[at + (words[at]! >>> 18) - 2]! : reason
}

/** Words of a code that does not stand in the first word of an event. */
export function codeWords(header: number): number {
  return shortReason(header) === CODE_FOLLOWS ? 2 : 0
}

function shortReason(header: number): number {
  return (header >>> (8 + REASON_SHIFT)) & 31
}

/** Where the command record at a word offset has the price of its own order, or of what becomes of it; -1 when it has none. */
export function commandPriceAt(words: Int32Array, from: number): number {
  const kind = words[from]! & 0xff
  if (kind === commandKinds.new) return from + 6
  return kind === commandKinds.replace ? from + 4 : -1
}

function has(header: number, bit: number): boolean {
  return (header & bit) !== 0
}
