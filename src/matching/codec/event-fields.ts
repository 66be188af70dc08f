import { readClientOrderId } from './client-order-id.js'
import { commandAccount, readU64 } from './command-layout.js'
import { commandClientOrderId } from './command-reader.js'
import {
  commandPriceAt,
  EVENT_HAS_CLIENT_ORDER_ID,
  EVENT_HAS_FILLED,
  EVENT_HAS_ORDER_ID,
  EVENT_HAS_PRICE,
  EVENT_SELL,
  hasQuantity,
  REJECTED_HAS_ORDER,
  REJECTED_LEG,
  reasonOf,
  TRADE_HAS_MAKER_REMAINING,
  TRADE_HAS_TAKER,
  TRADE_HAS_TAKER_REMAINING,
  TRADE_WORDS,
} from './event-layout.js'
import { commandKinds, eventKinds } from './names.js'
import { legAt } from './order-lists.js'

const NEW = commandKinds.new
const REDUCE = commandKinds.reduce
const REPLACE = commandKinds.replace
const LIST = commandKinds.list
const HAS_ORDER_ID = EVENT_HAS_ORDER_ID << 8
const HAS_PRICE = EVENT_HAS_PRICE << 8
const HAS_FILLED = EVENT_HAS_FILLED << 8
const HAS_CLIENT_ORDER_ID = EVENT_HAS_CLIENT_ORDER_ID << 8
const HAS_ORDER = REJECTED_HAS_ORDER << 8
const HAS_TAKER = TRADE_HAS_TAKER << 8
const HAS_MAKER_REMAINING = TRADE_HAS_MAKER_REMAINING << 8
const HAS_TAKER_REMAINING = TRADE_HAS_TAKER_REMAINING << 8
const SELL = EVENT_SELL << 8

/**
 * The fields of a `cancelled`, `replaced`, `rejected` or `triggered` event, from the event where it states them and from
 * the command at the beginning of its record where it does not. One object is read again for each event, so that nothing
 * is allocated. Prices in ticks, quantities in lots.
 */
export class OrderEventFields {
  /** 0 where a rejected command names none. */
  orderId = 0
  /** -1 where a rejected command concerns no live order and states none. */
  account = -1
  /** 1 when the order sells. */
  sell = 0
  /** 0 for an order without a limit. */
  price = 0
  /** What was open (`cancelled`, `triggered`), or is from now on (`replaced`); 0 in `rejected`. */
  quantity = 0
  /** What the order had traded by then. */
  filled = 0
  /** A code of `cancelReasons`, `replaceReasons` or `rejectCodes`; 0 in `triggered`. */
  reason = 0
  /** Whether `sell`, `price` and `filled` are those of an order: a rejected command may concern none that is known. */
  hasOrder = true
  /** The client's own id of the order; `undefined` where it has none. */
  clientOrderId: string | undefined

  /** Reads the event at `at` of the record whose command is at `from`, both word offsets. */
  read(words: Int32Array, at: number, from: number): void {
    const header = words[at]!
    const command = words[from]! & 0xff
    this.reason = reasonOf(words, at)
    this.sell = (header & SELL) === 0 ? 0 : 1
    this.account = words[at + 1]! >>> 0
    if ((header & 0xff) === eventKinds.rejected) {
      this.#readRejected(words, at, from, command)
      return
    }
    let next = at + 2
    this.hasOrder = true
    const isOther = (header & HAS_ORDER_ID) !== 0
    this.orderId = readU64(words, isOther ? next : from + 2)
    if (isOther) next += 2
    if ((header & HAS_PRICE) !== 0) {
      this.price = readU64(words, next)
      next += 2
    } else this.price = isOther ? 0 : commandPrice(words, from)
    if (hasQuantity(header)) {
      this.quantity = readU64(words, next)
      next += 2
    } else this.quantity = command === REPLACE ? readU64(words, from + 6) : 0
    this.#readLast(words, next, header, isOther ? -1 : from)
  }

  /** Reads what was filled and the client's id, which come last. `from`: the command, if the order is its own. */
  #readLast(words: Int32Array, at: number, header: number, from: number): void {
    const isFilled = (header & HAS_FILLED) !== 0
    this.filled = isFilled ? readU64(words, at) : 0
    if ((header & HAS_CLIENT_ORDER_ID) !== 0)
      this.clientOrderId = readClientOrderId(words, isFilled ? at + 2 : at)
    else this.clientOrderId = from < 0 ? undefined : commandClientOrderId(words, from)
  }

  #readRejected(words: Int32Array, at: number, from: number, command: number): void {
    const header = words[at]!
    if (command === LIST) {
      this.#readRejectedLeg(words, from, (header >>> 8) & REJECTED_LEG)
      return
    }
    const isLive = (header & HAS_ORDER) !== 0
    this.hasOrder = isLive || command === NEW
    this.orderId = command >= NEW && command <= REDUCE ? readU64(words, from + 2) : 0
    if (!isLive) this.account = commandAccount(words, from)
    if (!isLive && command === NEW) this.sell = (words[from]! & SELL) === 0 ? 0 : 1
    this.quantity = 0
    let next = at + 2
    if ((header & HAS_PRICE) !== 0) {
      this.price = readU64(words, next)
      next += 2
    } else this.price = command === NEW ? commandPrice(words, from) : 0
    this.#readLast(words, next, header, from)
  }

  /** `leg`: 1 and up, 0 for the list as a whole. */
  #readRejectedLeg(words: Int32Array, from: number, leg: number): void {
    const order = leg === 0 ? -1 : legAt(words, from, leg - 1)
    this.hasOrder = order >= 0
    this.account = commandAccount(words, from)
    this.quantity = 0
    this.filled = 0
    this.orderId = order < 0 ? 0 : readU64(words, order + 2)
    this.sell = order >= 0 && (words[order]! & SELL) !== 0 ? 1 : 0
    this.price = order < 0 ? 0 : readU64(words, order + 6)
    this.clientOrderId = order < 0 ? undefined : commandClientOrderId(words, order)
  }
}

/** The fields of a `trade` event, as `OrderEventFields` has those of others. */
export class TradeFields {
  /** The trade's id: 1, 2, 3, … for each symbol. */
  tradeId = 0
  /** The order that rested. */
  makerOrderId = 0
  /** The order that came. */
  takerOrderId = 0
  /** The maker's, ticks. */
  price = 0
  /** Lots. */
  quantity = 0
  /** The account of the maker. */
  makerAccount = 0
  /** The account of the taker. */
  takerAccount = 0
  /** Open afterwards, hidden part included, lots. */
  makerRemaining = 0
  /** Lots of the taker left open. */
  takerRemaining = 0

  /** As in `OrderEventFields`. */
  read(words: Int32Array, at: number, from: number): void {
    const header = words[at]!
    this.makerAccount = words[at + 1]! >>> 0
    this.tradeId = readU64(words, at + 2)
    this.makerOrderId = readU64(words, at + 4)
    this.price = readU64(words, at + 6)
    this.quantity = readU64(words, at + 8)
    let next = at + TRADE_WORDS
    if ((header & HAS_TAKER) !== 0) {
      this.takerOrderId = readU64(words, next)
      this.takerAccount = words[next + 2]! >>> 0
      next += 4
    } else {
      this.takerOrderId = readU64(words, from + 2)
      this.takerAccount = words[from + 4]! >>> 0
    }
    if ((header & HAS_MAKER_REMAINING) !== 0) {
      this.makerRemaining = readU64(words, next)
      next += 2
    } else this.makerRemaining = 0
    this.takerRemaining = (header & HAS_TAKER_REMAINING) === 0 ? 0 : readU64(words, next)
  }
}

function commandPrice(words: Int32Array, from: number): number {
  const at = commandPriceAt(words, from)
  return at < 0 ? 0 : readU64(words, at)
}
