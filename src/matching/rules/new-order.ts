import { overflows } from '../book/level-total.js'
import { rejectCommand, reportAggressor } from '../book/order-events.js'
import {
  FLAG_ICEBERG,
  FLAG_POST_ONLY,
  FLAG_PREVENTION_SHIFT,
  FLAG_TIME_IN_FORCE_SHIFT,
  FLAG_TYPE_SHIFT,
} from '../book/order-store.js'
import type { ShardBooks } from '../book/shard-books.js'
import {
  flagsOf,
  MORE_SHIFT,
  NEW_HAS_DISPLAY_QUANTITY,
  NEW_HAS_EXPIRE_TIME,
  NEW_HAS_STOP_PRICE,
  NEW_POST_ONLY,
  NEW_SELL,
  optionalAt,
  readU64,
} from '../codec/command-layout.js'
import { commandClientOrderId } from '../codec/command-reader.js'
import { limits } from '../codec/limits.js'
import { cancelReasons, eventKinds, orderTypeCodes, rejectCodes, timeInForceCodes } from '../codec/names.js'
import { NewOrderFields } from '../codec/new-order-fields.js'
import { isConditional } from '../codec/order-types.js'
import { isBlocked } from './account-blocks.js'
import { phaseRefusal, placeForClosing, placeInCall } from './call-orders.js'
import { canFill, cross, wouldCross } from './crossing.js'
import { hasAllOrders, newOrderViolation } from './instrument-rules.js'
import { keepExtras } from './order-extras.js'
import { placePegged } from './pegs.js'
import { endsAtBand, isRefusedByBand } from './price-bands.js'
import { placeQuoteOrder } from './quote-orders.js'
import { placeWaiting } from './waiting-orders.js'

const POST_ONLY_FLAG = NEW_POST_ONLY
const STOP_PRICE_FLAG = NEW_HAS_STOP_PRICE
const DISPLAY_FLAG = NEW_HAS_DISPLAY_QUANTITY
const EXPIRE_FLAG = NEW_HAS_EXPIRE_TIME
const SELL_FLAG = NEW_SELL
const CANCELLED = eventKinds.cancelled
const MARKET = orderTypeCodes.market
const IOC = timeInForceCodes.IOC
const FOK = timeInForceCodes.FOK
const AT_OPEN = timeInForceCodes['at-open']
const AT_CLOSE = timeInForceCodes['at-close']
const { DUPLICATE_CLIENT_ORDER_ID, DUPLICATE_ORDER_ID, LEVEL_TOTAL_TOO_LARGE } = rejectCodes
const TYPE_SHIFT = FLAG_TYPE_SHIFT
const TIME_IN_FORCE_SHIFT = FLAG_TIME_IN_FORCE_SHIFT
const PREVENTION_SHIFT = FLAG_PREVENTION_SHIFT
const ICEBERG = FLAG_ICEBERG
const POST_ONLY = FLAG_POST_ONLY
const MORE = MORE_SHIFT
/** Read again for each order that has fields that few have. */
const fields = new NewOrderFields()

/**
 * Gives the new order at `at`, which names no id, the next one of its book, whatever becomes of the order. Rejects it and returns
 * false when there is none.
 */
export function giveOrderId(shard: ShardBooks, book: number, words: Int32Array, at: number): boolean {
  const id = shard.books.highestOrderId(book) + 1
  if (id > limits.maxOrderId) {
    rejectCommand(shard, words, at, rejectCodes.ORDER_IDS_EXHAUSTED)
    return false
  }
  words[at + 2] = id | 0
  words[at + 3] = (id / 4294967296) | 0
  shard.books.noteOrderId(book, words[at + 2]!, words[at + 3]!)
  return true
}

/** Handles the new-order command at `at`, whose book is known and takes orders. */
export function placeOrder(shard: ShardBooks, book: number, words: Int32Array, at: number): void {
  const { record } = shard
  if (isBlocked(shard, book, words[at + 4]! >>> 0)) {
    rejectCommand(shard, words, at, rejectCodes.ACCOUNT_BLOCKED)
    return
  }
  if (shard.index.find(book, words[at + 2]!, words[at + 3]!) !== 0) {
    rejectCommand(shard, words, at, DUPLICATE_ORDER_ID)
    return
  }
  const client = commandClientOrderId(words, at)
  if (client !== undefined && shard.clients.find(book, words[at + 4]! >>> 0, client) !== 0) {
    rejectCommand(shard, words, at, DUPLICATE_CLIENT_ORDER_ID)
    return
  }
  const commandFlags = flagsOf(words, at)
  const id = readU64(words, at + 2)
  const account = words[at + 4]! >>> 0
  const terms = words[at + 5]!
  const type = terms & 0xff
  const timeInForce = (terms >>> 8) & 0xff
  const ownPrevention = (terms >>> 16) & 0xff
  const price = readU64(words, at + 6)
  const quantity = readU64(words, at + 8)
  const sell = commandFlags & SELL_FLAG
  let flags =
    sell | (type << TYPE_SHIFT) | (timeInForce << TIME_IN_FORCE_SHIFT) | (ownPrevention << PREVENTION_SHIFT)

  let optional = optionalAt(words, at)
  const stopPrice = (commandFlags & STOP_PRICE_FLAG) === 0 ? 0 : readU64(words, optional)
  if (stopPrice !== 0) optional += 2
  const display = (commandFlags & DISPLAY_FLAG) === 0 ? 0 : readU64(words, optional)
  if (display !== 0) optional += 2
  const expireTime = (commandFlags & EXPIRE_FLAG) === 0 ? 0 : readU64(words, optional)
  if (display !== 0) flags |= ICEBERG
  if ((commandFlags & POST_ONLY_FLAG) !== 0) flags |= POST_ONLY
  shard.aggressor = 0
  shard.aggressorFilled = 0
  shard.aggressorGroup = 0
  let minQuantity = 0
  let quoteQuantity = 0
  let peg = 0
  if (terms >>> MORE !== 0) {
    fields.read(words, at)
    shard.aggressorGroup = fields.selfTradeGroup
    minQuantity = fields.minQuantity
    quoteQuantity = fields.quoteQuantity
    peg = fields.peg
  }

  if (shard.books.isLimited(book)) {
    // What an amount comes to, and where a peg stands, is found out later.
    const isLater = quoteQuantity !== 0 || peg !== 0
    let code = isLater ? 0 : newOrderViolation(shard.books, book, price, quantity, stopPrice)
    if (code === 0 && mayStay(shard, book, type, timeInForce) && hasAllOrders(shard, book, account))
      code = rejectCodes.TOO_MANY_ORDERS
    if (code !== 0) {
      rejectCommand(shard, words, at, code)
      return
    }
  }
  const isCall = shard.books.isCall(book)
  if (isCall || timeInForce >= AT_OPEN) {
    // An order that waits for the price of all can't say how much of it will trade, nor follow a price that is not there.
    const code =
      isCall && (minQuantity !== 0 || quoteQuantity !== 0 || peg !== 0)
        ? rejectCodes.NOT_IN_THIS_PHASE
        : phaseRefusal(shard.books, book, type, timeInForce)
    if (code !== 0) {
      rejectCommand(shard, words, at, code)
      return
    }
    if (timeInForce === AT_CLOSE) {
      placeForClosing(shard, book, words, at, flags, display)
      return
    }
  }
  if (isConditional(type)) {
    placeWaiting(shard, book, words, at, flags)
    return
  }

  if (isCall) {
    placeInCall(shard, book, words, at, flags, display, expireTime)
    return
  }
  if (peg !== 0) {
    placePegged(shard, book, words, at, flags, fields)
    return
  }
  if (quoteQuantity !== 0) {
    const mode = ownPrevention === 0 ? shard.books.prevention(book) : ownPrevention
    placeQuoteOrder(shard, book, words, at, quoteQuantity, mode)
    return
  }
  const limit = type === MARKET && sell === 0 ? limits.maxPriceTicks : price
  const crosses = wouldCross(shard, book, sell, limit)
  const prevention = ownPrevention === 0 ? shard.books.prevention(book) : ownPrevention
  if (crosses && (commandFlags & POST_ONLY_FLAG) !== 0) {
    rejectCommand(shard, words, at, rejectCodes.POST_ONLY_WOULD_TRADE)
    return
  }
  if (timeInForce === FOK && !canFill(shard, book, sell, price, quantity, account, prevention)) {
    rejectCommand(shard, words, at, rejectCodes.FOK_NOT_FILLABLE)
    return
  }
  if (minQuantity !== 0 && !canFill(shard, book, sell, price, minQuantity, account, prevention)) {
    rejectCommand(shard, words, at, rejectCodes.MIN_QUANTITY_NOT_FILLABLE)
    return
  }
  if (crosses && isRefusedByBand(shard, book, sell, price, quantity)) {
    rejectCommand(shard, words, at, rejectCodes.PRICE_OUTSIDE_BAND)
    return
  }
  const rests = type !== MARKET && timeInForce !== IOC && timeInForce !== FOK
  if (rests && !crosses && overflows(shard, book * 4 + sell, price, quantity)) {
    rejectCommand(shard, words, at, LEVEL_TOTAL_TOO_LARGE)
    return
  }
  record.accepted(account)
  shard.books.noteOrderId(book, words[at + 2]!, words[at + 3]!)
  const remaining = crosses ? cross(shard, book, sell, price, quantity, id, account, prevention) : quantity
  if (remaining === 0) return
  if (crosses && shard.aggressorStopped) {
    reportAggressor(shard, CANCELLED, sell, account, remaining, cancelReasons['self-trade'])
    return
  }
  if (crosses && shard.aggressorBanded) {
    if (endsAtBand(shard, book, rests)) {
      reportAggressor(shard, CANCELLED, sell, account, remaining, cancelReasons.band)
      return
    }
  } else if (!rests) {
    const reason = type === MARKET ? cancelReasons.market : cancelReasons.ioc
    reportAggressor(shard, CANCELLED, sell, account, remaining, reason)
    return
  }
  const order = shard.admit(book, words, at, flags)
  keepExtras(shard, order, display, expireTime)
  if (remaining !== quantity) shard.noteAggressorFill(order, quantity - remaining)
  const shown = display !== 0 && display < remaining ? display : remaining
  shard.enqueue(order, book * 4 + sell, price, remaining, shown)
}

/** Whether a new order of these terms may stay in the book for some time: rest, or wait. */
export function mayStay(shard: ShardBooks, book: number, type: number, timeInForce: number): boolean {
  if (isConditional(type)) return true
  if (type === MARKET) return !shard.books.isContinuous(book) || timeInForce >= AT_OPEN
  return timeInForce !== IOC && timeInForce !== FOK
}
