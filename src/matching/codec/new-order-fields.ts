import { readClientOrderId } from './client-order-id.js'
import {
  flagsOf,
  HAS_CLIENT_ORDER_ID,
  MORE_MIN_QUANTITY,
  MORE_PEG,
  MORE_PEG_OFFSET,
  MORE_QUOTE_QUANTITY,
  MORE_SELF_TRADE_GROUP,
  MORE_SHIFT,
  MORE_TRAILING_BASIS_POINTS,
  MORE_TRAILING_OFFSET,
  NEW_HAS_DISPLAY_QUANTITY,
  NEW_HAS_EXPIRE_TIME,
  NEW_HAS_MORE,
  NEW_HAS_STOP_PRICE,
  NEW_POST_ONLY,
  NEW_SELL,
  optionalAt,
  PEG_OFFSET_IS_NEGATIVE,
  readU64,
} from './command-layout.js'

const OPTIONAL =
  NEW_HAS_STOP_PRICE | NEW_HAS_DISPLAY_QUANTITY | NEW_HAS_EXPIRE_TIME | HAS_CLIENT_ORDER_ID | NEW_HAS_MORE

/**
 * The fields of a new-order command. One object is read again for each, so that nothing is allocated. Prices in ticks,
 * quantities in lots, enumerations as their codes in names.ts.
 */
export class NewOrderFields {
  /** The order's id. */
  orderId = 0
  /** The account. */
  account = 0
  /** 1 when it sells. */
  sell = 0
  /** One of `orderTypeCodes`. */
  orderType = 0
  /** One of `timeInForceCodes`. */
  timeInForce = 0
  /** 0 where the instrument's holds. */
  prevention = 0
  /** Whether it is refused where it would trade at once. */
  postOnly = false
  /** 0 without a limit. */
  price = 0
  /** Lots. */
  quantity = 0
  /** 0 where there is none. With a trail it is the activation price. */
  stopPrice = 0
  /** What an iceberg shows at a time, in lots; 0 for others. */
  displayQuantity = 0
  /** Milliseconds since 1970-01-01T00:00:00Z, 0 where there is none. */
  expireTime = 0
  /** How far a trail stays from the best last price, in ticks; 0 without. */
  trailingOffset = 0
  /** The same in parts of 10,000 of that price; 0 without. */
  trailingBasisPoints = 0
  /** The client's own name for the order; not there without one. */
  clientOrderId: string | undefined
  /** Which fields it has that few orders have: `MORE_…`. Each is 0 where there is none. */
  more = 0
  /** 1 to 2^32-1; 0 without one. */
  selfTradeGroup = 0
  /** Lots that must trade at once; 0 without. */
  minQuantity = 0
  /** Units of the quote asset; the quantity is then 0, and in the log what the book made of it. */
  quoteQuantity = 0
  /** A code of `pegCodes`; the price is then the limit, 0 without one. */
  peg = 0
  /** Ticks; may be negative. */
  pegOffset = 0

  /** Reads the new-order command at a word offset. */
  read(words: Int32Array, at: number): void {
    const flags = flagsOf(words, at)
    const terms = words[at + 5]!
    this.orderId = readU64(words, at + 2)
    this.account = words[at + 4]! >>> 0
    this.sell = flags & NEW_SELL
    this.orderType = terms & 0xff
    this.timeInForce = (terms >>> 8) & 0xff
    this.prevention = (terms >>> 16) & 0xff
    this.postOnly = (flags & NEW_POST_ONLY) !== 0
    this.price = readU64(words, at + 6)
    this.quantity = readU64(words, at + 8)
    this.stopPrice = 0
    this.displayQuantity = 0
    this.expireTime = 0
    this.trailingOffset = 0
    this.trailingBasisPoints = 0
    this.clientOrderId = undefined
    this.more = terms >>> MORE_SHIFT
    this.selfTradeGroup = 0
    this.minQuantity = 0
    this.quoteQuantity = 0
    this.peg = 0
    this.pegOffset = 0
    if ((flags & OPTIONAL) !== 0) this.#readOptional(words, at, flags)
  }

  #readPeg(words: Int32Array, at: number): number {
    this.peg = words[at]! & 0xff
    if ((this.more & MORE_PEG_OFFSET) === 0) return at + 2
    const offset = readU64(words, at + 2)
    this.pegOffset = (words[at]! & PEG_OFFSET_IS_NEGATIVE) === 0 ? offset : -offset
    return at + 4
  }

  #readOptional(words: Int32Array, at: number, flags: number): void {
    let next = optionalAt(words, at)
    if ((flags & NEW_HAS_STOP_PRICE) !== 0) {
      this.stopPrice = readU64(words, next)
      next += 2
    }
    if ((flags & NEW_HAS_DISPLAY_QUANTITY) !== 0) {
      this.displayQuantity = readU64(words, next)
      next += 2
    }
    if ((flags & NEW_HAS_EXPIRE_TIME) !== 0) {
      this.expireTime = readU64(words, next)
      next += 2
    }
    if ((flags & NEW_HAS_MORE) !== 0) {
      const { more } = this
      if ((more & MORE_TRAILING_OFFSET) !== 0) {
        this.trailingOffset = readU64(words, next)
        next += 2
      }
      if ((more & MORE_TRAILING_BASIS_POINTS) !== 0) {
        this.trailingBasisPoints = readU64(words, next)
        next += 2
      }
      if ((more & MORE_SELF_TRADE_GROUP) !== 0) {
        this.selfTradeGroup = readU64(words, next)
        next += 2
      }
      if ((more & MORE_MIN_QUANTITY) !== 0) {
        this.minQuantity = readU64(words, next)
        next += 2
      }
      if ((more & MORE_QUOTE_QUANTITY) !== 0) {
        this.quoteQuantity = readU64(words, next)
        next += 2
      }
      if ((more & MORE_PEG) !== 0) next = this.#readPeg(words, next)
    }
    if ((flags & HAS_CLIENT_ORDER_ID) !== 0) this.clientOrderId = readClientOrderId(words, next)
  }
}
