import { overflows } from '../book/level-total.js'
import { cancelQueued, reportCancelled, reportEntered } from '../book/order-events.js'
import type { OrderList } from '../book/order-lists.js'
import { isOfPair } from '../book/order-lists.js'
import {
  FLAG_ICEBERG,
  FLAG_LISTED,
  FLAG_PENDING,
  FLAG_POST_ONLY,
  FLAG_PREVENTION_SHIFT,
  FLAG_TIME_IN_FORCE_SHIFT,
  FLAG_TRAILING,
  FLAG_TYPE_SHIFT,
  FLAG_WAITING,
  typeOf,
} from '../book/order-store.js'
import { SIDE_WAIT_FALL, SIDE_WAIT_RISE } from '../book/price-levels.js'
import { closingQueuePrice, queuePrice } from '../book/queue-price.js'
import type { ShardBooks } from '../book/shard-books.js'
import { reachedByAny, waitingSide } from '../book/waiting-orders.js'
import { AMEND_HAS_ACCOUNT, flagsOf, LENGTH_SHIFT, OMITS_ORDER_ID, readU64 } from '../codec/command-layout.js'
import { limits } from '../codec/limits.js'
import { cancelReasons, listTypeCodes, rejectCodes, timeInForceCodes } from '../codec/names.js'
import { NewOrderFields } from '../codec/new-order-fields.js'
import { legAt, legCount, listTypeOf } from '../codec/order-lists.js'
import { hasNoLimit, isConditional } from '../codec/order-types.js'
import { isBlocked } from './account-blocks.js'
import { act } from './acting.js'
import { joinCall, phaseRefusal } from './call-orders.js'
import { canFill, wouldCross } from './crossing.js'
import { haltCode, hasAllOrders, newOrderViolation } from './instrument-rules.js'
import { mayStay } from './new-order.js'
import { keepExtras } from './order-extras.js'
import { isRefusedByBand } from './price-bands.js'

const BY_LIST = cancelReasons.list
const LEVEL_TOTAL = cancelReasons['level-total']
const OCO = listTypeCodes.oco
const { IOC, FOK } = timeInForceCodes

/** The legs of the command at hand, read again for each. */
const legs = [new NewOrderFields(), new NewOrderFields(), new NewOrderFields()] as const

/**
 * Handles the list command that was copied to a word offset of the record: each leg is checked, then each is accepted, then they enter the
 * book. Ids that it does not name are written into it.
 */
export function placeList(shard: ShardBooks, book: number, words: Int32Array, at: number): void {
  const { books, record, lists } = shard
  const count = legCount(words, at)
  const account = words[at + 4]! >>> 0
  if (!giveIds(shard, book, words, at, count)) return
  if (!books.isContinuous(book) && !books.isCall(book)) {
    record.rejected(account, haltCode(books, book))
    return
  }
  const id = readU64(words, at + 2)
  if (lists.find(book, id) !== undefined) {
    record.rejected(account, rejectCodes.DUPLICATE_LIST_ID)
    return
  }
  const type = listTypeOf(words, at)
  for (let leg = 0; leg < count; leg++) legs[leg]!.read(words, legAt(words, at, leg))
  staying = 0
  for (let leg = 0; leg < count; leg++) {
    const code = refusalOf(shard, book, leg, type !== OCO && leg > 0)
    if (code === 0) continue
    record.rejectedLeg(account, code, leg)
    return
  }
  const list = lists.add(book, id, account, type)
  for (let leg = 0; leg < count; leg++) acceptLeg(shard, book, words, legAt(words, at, leg), leg, list)
  if (type === OCO) enter(shard, book, list, 0, 2)
  else {
    for (let leg = 1; leg < count; leg++) park(shard, book, list.legs[leg]!)
    enter(shard, book, list, 0, 1)
  }
}

/** Writes the ids of the legs, and of the list, that the command does not name. Returns false when it was refused for want of ids. */
function giveIds(shard: ShardBooks, book: number, words: Int32Array, at: number, count: number): boolean {
  const { books } = shard
  for (let leg = 0; leg < count; leg++) {
    const own = legAt(words, at, leg)
    if ((flagsOf(words, own) & OMITS_ORDER_ID) !== 0) writeId(words, own + 2, 0)
  }
  const omitsId = (flagsOf(words, at) & OMITS_ORDER_ID) !== 0
  if (omitsId) writeId(words, at + 2, 0)
  for (let leg = 0; leg < count; leg++) {
    const own = legAt(words, at, leg)
    if ((flagsOf(words, own) & OMITS_ORDER_ID) === 0) continue
    const id = books.highestOrderId(book) + 1
    if (id > limits.maxOrderId) {
      shard.record.rejectedLeg(words[at + 4]! >>> 0, rejectCodes.ORDER_IDS_EXHAUSTED, leg)
      return false
    }
    writeId(words, own + 2, id)
    books.noteOrderId(book, words[own + 2]!, words[own + 3]!)
  }
  if (omitsId) writeId(words, at + 2, readU64(words, legAt(words, at, 0) + 2))
  return true
}

function writeId(words: Int32Array, at: number, id: number): void {
  words[at] = id | 0
  words[at + 1] = (id / 4294967296) | 0
}

/** Why the book does not take a leg, 0 when it does. Those before it are as good as taken. */
function refusalOf(shard: ShardBooks, book: number, leg: number, isPending: boolean): number {
  const { books } = shard
  const fields = legs[leg]!
  const { orderId, account, orderType, timeInForce, price, quantity, stopPrice, minQuantity } = fields
  if (isBlocked(shard, book, account)) return rejectCodes.ACCOUNT_BLOCKED
  for (let other = 0; other < leg; other++)
    if (legs[other]!.orderId === orderId) return rejectCodes.DUPLICATE_ORDER_ID
  if (shard.index.find(book, orderId | 0, (orderId / 4294967296) | 0) !== 0)
    return rejectCodes.DUPLICATE_ORDER_ID
  const client = fields.clientOrderId
  if (client !== undefined && shard.clients.find(book, account, client) !== 0)
    return rejectCodes.DUPLICATE_CLIENT_ORDER_ID
  if (books.isLimited(book)) {
    const code = newOrderViolation(books, book, price, quantity, stopPrice)
    if (code !== 0) return code
    if (isPending || mayStay(shard, book, orderType, timeInForce)) {
      if (hasAllOrders(shard, book, account, staying)) return rejectCodes.TOO_MANY_ORDERS
      staying++
    }
  }
  if (!isPending && books.isCall(book)) {
    const code =
      minQuantity === 0 ? phaseRefusal(books, book, orderType, timeInForce) : rejectCodes.NOT_IN_THIS_PHASE
    if (code !== 0) return code
  }
  if (isPending)
    return levelRefusal(
      shard,
      leg,
      book * 4 + (fields.sell === 0 ? SIDE_WAIT_RISE : SIDE_WAIT_FALL),
      closingQueuePrice(fields.sell),
    )
  if (isConditional(orderType)) {
    const flags = fields.sell | (orderType << FLAG_TYPE_SHIFT)
    return levelRefusal(
      shard,
      leg,
      book * 4 + waitingSide(flags),
      stopPrice === 0 ? reachedByAny(flags) : stopPrice,
    )
  }
  if (books.isContinuous(book)) return tradingRefusal(shard, book, leg)
  return levelRefusal(shard, leg, book * 4 + fields.sell, queuePrice(price, fields.sell))
}

/** Legs of the command at hand, of those that were looked at, that may stay in the book. */
let staying = 0
/** Where the legs of the command at hand are to stand: book sides and prices. */
const sides = [-1, -1, -1]
const prices = [0, 0, 0]

/** Whether the total at a price would become too large, with the legs before this one that are to stand there too. */
function levelRefusal(shard: ShardBooks, leg: number, bookSide: number, price: number): number {
  let quantity = legs[leg]!.quantity
  for (let other = 0; other < leg; other++)
    if (sides[other] === bookSide && prices[other] === price) quantity += legs[other]!.quantity
  sides[leg] = bookSide
  prices[leg] = price
  const isTooLarge = quantity > limits.maxLevelTotalLots || overflows(shard, bookSide, price, quantity)
  return isTooLarge ? rejectCodes.LEVEL_TOTAL_TOO_LARGE : 0
}

/** The checks of an order that trades at once. */
function tradingRefusal(shard: ShardBooks, book: number, leg: number): number {
  const fields = legs[leg]!
  const { minQuantity } = fields
  sides[leg] = -1
  shard.aggressorGroup = fields.selfTradeGroup
  const { account, sell, orderType, timeInForce, price, quantity } = fields
  const isMarket = hasNoLimit(orderType)
  const crosses = wouldCross(shard, book, sell, isMarket && sell === 0 ? limits.maxPriceTicks : price)
  if (crosses && fields.postOnly) return rejectCodes.POST_ONLY_WOULD_TRADE
  const prevention = fields.prevention === 0 ? shard.books.prevention(book) : fields.prevention
  if (timeInForce === FOK && !canFill(shard, book, sell, price, quantity, account, prevention))
    return rejectCodes.FOK_NOT_FILLABLE
  if (minQuantity !== 0 && !canFill(shard, book, sell, price, minQuantity, account, prevention))
    return rejectCodes.MIN_QUANTITY_NOT_FILLABLE
  if (crosses && isRefusedByBand(shard, book, sell, price, quantity)) return rejectCodes.PRICE_OUTSIDE_BAND
  const rests = !isMarket && timeInForce !== IOC && timeInForce !== FOK
  return rests && !crosses ? levelRefusal(shard, leg, book * 4 + sell, price) : 0
}

/** Accepts a leg and makes its record, which is in no queue yet. */
function acceptLeg(
  shard: ShardBooks,
  book: number,
  words: Int32Array,
  at: number,
  leg: number,
  list: OrderList,
): void {
  const { orders, record, books } = shard
  const fields = legs[leg]!
  const { trailingOffset, trailingBasisPoints, displayQuantity } = fields
  const trails = trailingOffset !== 0 || trailingBasisPoints !== 0
  const flags =
    fields.sell |
    (fields.orderType << FLAG_TYPE_SHIFT) |
    (fields.timeInForce << FLAG_TIME_IN_FORCE_SHIFT) |
    (fields.prevention << FLAG_PREVENTION_SHIFT) |
    (fields.postOnly ? FLAG_POST_ONLY : 0) |
    (displayQuantity === 0 ? 0 : FLAG_ICEBERG) |
    (trails ? FLAG_TRAILING : 0) |
    FLAG_LISTED
  record.acceptedLeg(fields.account, leg)
  books.noteOrderId(book, words[at + 2]!, words[at + 3]!)
  const order = shard.admit(book, words, at, flags)
  keepExtras(shard, order, displayQuantity, fields.expireTime)
  orders.setQuantities(order, fields.quantity, fields.quantity)
  if (isConditional(fields.orderType))
    orders.setStopPrice(order, fields.stopPrice === 0 ? reachedByAny(flags) : fields.stopPrice)
  if (trails) shard.trails.add(order, trailingOffset || trailingBasisPoints, trailingOffset === 0)
  shard.lists.setLeg(list, leg, order)
}

/** Puts a leg aside until the working order is filled: where no last price reaches it. */
function park(shard: ShardBooks, book: number, order: number): void {
  const flags = shard.orders.flags(order)
  wait(shard, book, order, flags | FLAG_PENDING, closingQueuePrice(flags & 1))
}

/** Puts an order that is in no queue where it waits, or cancels it when there are too many. */
function wait(shard: ShardBooks, book: number, order: number, flags: number, price: number): void {
  const { orders, books } = shard
  const own = flags | FLAG_WAITING
  const open = orders.open(order)
  if (overflows(shard, book * 4 + waitingSide(own), price, open)) {
    reportCancelled(shard, order, open, LEVEL_TOTAL)
    shard.dismiss(order)
    return
  }
  orders.setFlags(order, own)
  books.addStops(book, 1)
  shard.enqueue(order, book * 4 + waitingSide(own), price, open, open)
}

/** Lets legs that are in no queue enter the book: first those that wait, then the one that does not, unless the others ended it. */
function enter(shard: ShardBooks, book: number, list: OrderList, from: number, to: number): void {
  const { orders, books } = shard
  let acting = 0
  for (let leg = from; leg < to; leg++) {
    const order = list.legs[leg]!
    if (isConditional(typeOf(orders.flags(order))))
      wait(shard, book, order, orders.flags(order), orders.stopPrice(order))
    else acting = order
  }
  if (acting === 0) return
  if (list.isCancelled) {
    reportCancelled(shard, acting, orders.open(acting), BY_LIST)
    shard.dismiss(acting)
  } else if (books.isContinuous(book)) act(shard, book, acting)
  else if (books.isCall(book)) joinCall(shard, book, acting)
  else {
    reportCancelled(shard, acting, orders.open(acting), cancelReasons.phase)
    shard.dismiss(acting)
  }
}

/** Handles the cancel-list command at `at`. */
export function cancelList(shard: ShardBooks, book: number, words: Int32Array, at: number): void {
  const { lists, record } = shard
  const list = lists.find(book, readU64(words, at + 2))
  const end = at + (words[at]! >>> LENGTH_SHIFT)
  const account = (flagsOf(words, at) & AMEND_HAS_ACCOUNT) === 0 ? -1 : words[end - 2]! >>> 0
  if (list === undefined || (account >= 0 && account !== list.account)) {
    record.rejected(
      Math.max(0, account),
      list === undefined ? rejectCodes.UNKNOWN_LIST : rejectCodes.NOT_OWNER,
    )
    return
  }
  list.isSettling = true
  for (const order of list.legs) if (order !== 0) cancelQueued(shard, order, cancelReasons.requested)
}

/**
 * Carries out what the command, or the order that acted last, has meant for the lists of its orders, and what that means for others, in
 * the order in which it arose.
 */
export function settleLists(shard: ShardBooks): void {
  const { due } = shard.lists
  for (let list = due.shift(); list !== undefined; list = due.shift()) {
    list.isDue = false
    if (list.isCancelled || list.hasTraded) cancelOthers(shard, list, list.traded)
    else if (list.isFilled) releasePending(shard, list)
  }
}

/** Cancels the legs of a list but for one. */
function cancelOthers(shard: ShardBooks, list: OrderList, keep: number): void {
  list.isSettling = true
  for (const order of list.legs)
    if (order !== 0 && (order !== keep || list.isCancelled)) cancelQueued(shard, order, BY_LIST)
  list.isSettling = false
  list.isCancelled = false
  list.hasTraded = false
  list.traded = 0
}

/** The working order was filled: its pending orders enter the book. */
function releasePending(shard: ShardBooks, list: OrderList): void {
  const { orders, books } = shard
  const { book, legs: pending } = list
  list.isFilled = false
  for (const order of pending) {
    if (order === 0) continue
    shard.dequeue(order)
    books.addStops(book, -1)
    orders.setFlags(order, orders.flags(order) & ~(FLAG_WAITING | FLAG_PENDING))
    reportEntered(shard, order)
  }
  enter(shard, book, list, 1, pending.length)
}

/**
 * A leg is about to be triggered: the one that it cancels goes first. Returns false when the leg itself is to go, because another one was
 * cancelled.
 */
export function cancelPartner(shard: ShardBooks, order: number): boolean {
  const list = shard.lists.of(order)
  if (list.isCancelled) {
    list.isSettling = true
    cancelQueued(shard, order, BY_LIST)
    list.isSettling = false
    return false
  }
  if (isOfPair(list, list.legs.indexOf(order))) cancelOthers(shard, list, order)
  return true
}
