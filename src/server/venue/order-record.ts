import type { TradeFee, TradeFees } from '../../ledger/index.js'
import type { OrderType, Peg, SelfTradePrevention, Side, TimeInForce } from '../../matching/index.js'
import type {
  AcceptedEvent,
  CancelledEvent,
  EnteredEvent,
  ReplacedEvent,
  TradeEvent,
} from '../../pool/index.js'
import { add, isZero, multiply, zeroLike } from '../dialect/amounts.js'
import { type Strategy, strategyOf } from './tags.js'

/** What the dialect calls the state of an order. */
type OrderStatus =
  | 'PENDING_NEW'
  | 'NEW'
  | 'PARTIALLY_FILLED'
  | 'FILLED'
  | 'CANCELED'
  | 'EXPIRED'
  | 'EXPIRED_IN_MATCH'

/** An order as its events made it; decimal strings, times in milliseconds since 1970-01-01T00:00:00Z. */
export interface OrderRecord {
  readonly symbol: string
  readonly orderId: number
  readonly clientOrderId: string
  readonly account: number
  readonly side: Side
  readonly orderType: OrderType
  readonly timeInForce: TimeInForce
  readonly postOnly: boolean
  readonly stopPrice: string | undefined
  readonly displayQuantity: string | undefined
  /** Of a trail: its distance in parts of 10,000, and the price at which it begins. */
  readonly trailingBasisPoints: number | undefined
  readonly activationPrice: string | undefined
  /** `undefined`: as the instrument says. */
  readonly selfTradePrevention: SelfTradePrevention | undefined
  readonly timeMs: number
  /** LSN of the record that accepted it. */
  readonly acceptedLsn: number
  /** The amount that a market order is for; its quantity is what that came to. */
  readonly quoteQuantity: string | undefined
  /** What the price follows, and the limit of that. */
  readonly peg: Peg | undefined
  readonly limitPrice: string | undefined
  readonly strategy: Strategy | undefined
  /** -1 for an order that is in no list. */
  readonly orderListId: number
  /** Of a list, an order that waits, or has waited, until the working order is filled. */
  readonly isPendingLeg: boolean
  hasEntered: boolean
  /** The list, of an order that is in one and in the history. */
  list: ListRecord | undefined
  price: string | undefined
  quantity: string
  filled: string
  /** Sum of price times quantity of its trades. */
  amount: string
  status: OrderStatus
  updateMs: number
  /** Whether it is in the book, or was: a stop is not before it is triggered. */
  isWorking: boolean
  workingMs: number
}

/** A list of orders as its events made it. */
export interface ListRecord {
  readonly listId: number
  readonly symbol: string
  readonly account: number
  readonly orders: OrderRecord[]
  /** How many of them the history keeps. */
  kept: number
  /** The LSN of the record that placed it. */
  readonly lsn: number
  readonly timeMs: number
  /** What the client calls it. */
  readonly clientName: string | undefined
  /** The same, or `list-` and its id. */
  readonly name: string
  /** LSN of the record in which one of its orders was cancelled, and with that the others. */
  cancelledLsn: number
  /** Whether it was reported that it is done. */
  isReported: boolean
}

/** A trade as one of its two orders sees it. */
export interface AccountTrade {
  readonly symbol: string
  readonly tradeId: number
  readonly orderId: number
  readonly orderListId: number
  readonly price: string
  readonly quantity: string
  readonly amount: string
  readonly timeMs: number
  readonly isBuyer: boolean
  readonly isMaker: boolean
  /** What it cost the order, where that is anything. */
  readonly fee: TradeFee | undefined
}

/** The order that an event says was accepted. */
export function acceptedOrder(event: AcceptedEvent): OrderRecord {
  const timeMs = Math.floor(event.timeUs / 1000)
  const isWaiting =
    (event.orderType !== 'limit' && event.orderType !== 'market') ||
    event.timeInForce === 'at-close' ||
    event.pending === true
  return {
    symbol: event.symbol,
    orderId: event.orderId,
    clientOrderId: event.clientOrderId ?? '',
    account: event.account,
    side: event.side,
    orderType: event.orderType,
    timeInForce: event.timeInForce,
    postOnly: event.postOnly,
    stopPrice: event.stopPrice,
    displayQuantity: event.displayQuantity,
    trailingBasisPoints: event.trailingBasisPoints,
    activationPrice: event.activationPrice,
    selfTradePrevention: event.selfTradePrevention,
    timeMs,
    acceptedLsn: event.lsn,
    quoteQuantity: event.quoteQuantity,
    peg: event.peg,
    limitPrice: event.limitPrice,
    strategy: event.listId === undefined ? strategyOf(event.tag) : undefined,
    orderListId: event.listId ?? -1,
    isPendingLeg: event.pending === true,
    hasEntered: false,
    list: undefined,
    // What a peg follows is in the event that comes next.
    price: event.peg === undefined ? event.price : undefined,
    quantity: event.quantity,
    filled: zeroLike(event.quantity),
    amount: '0',
    status: event.pending === true ? 'PENDING_NEW' : 'NEW',
    updateMs: timeMs,
    isWorking: !isWaiting,
    workingMs: isWaiting ? -1 : timeMs,
  }
}

/** Books a trade of an order, and returns it as the order's account sees it. */
export function bookTrade(
  order: OrderRecord,
  event: TradeEvent,
  isMaker: boolean,
  fees: TradeFees | undefined,
): AccountTrade {
  const amount = multiply(event.price, event.quantity)
  order.filled = add(order.filled, event.quantity)
  order.amount = add(order.amount, amount)
  order.updateMs = Math.floor(event.timeUs / 1000)
  order.status = isZero(isMaker ? event.makerRemaining : event.takerRemaining) ? 'FILLED' : 'PARTIALLY_FILLED'
  return {
    symbol: event.symbol,
    tradeId: event.tradeId,
    orderId: order.orderId,
    orderListId: order.orderListId,
    price: event.price,
    quantity: event.quantity,
    amount,
    timeMs: order.updateMs,
    isBuyer: order.side === 'buy',
    isMaker,
    fee: isMaker ? fees?.maker : fees?.taker,
  }
}

const expiredReasons: ReadonlySet<string> = new Set([
  'ioc',
  'market',
  'fok',
  'post-only',
  'expired',
  'end-of-day',
  'level-total',
  'at-open',
  'at-close',
  'phase',
  'band',
  'list',
  'no-reference',
])

/**
 * Notes that what was left of an order went away. An order of a list that goes because another was cancelled is cancelled too; one
 * that goes because another traded has expired.
 */
export function bookCancel(order: OrderRecord, event: CancelledEvent): void {
  const withOthers = event.reason === 'list' && order.list?.cancelledLsn === event.lsn
  const isExpired = expiredReasons.has(event.reason) && !withOthers
  order.status = event.reason === 'self-trade' ? 'EXPIRED_IN_MATCH' : isExpired ? 'EXPIRED' : 'CANCELED'
  order.updateMs = Math.floor(event.timeUs / 1000)
  if (order.list && order.status === 'CANCELED') order.list.cancelledLsn = event.lsn
}

/** Another open quantity, or another price. */
export function bookReplace(order: OrderRecord, event: ReplacedEvent): void {
  order.price = event.price ?? order.price
  order.quantity = add(event.quantity, order.filled)
  order.updateMs = Math.floor(event.timeUs / 1000)
}

/** A triggered stop works from now on. */
export function bookTrigger(order: OrderRecord, timeUs: number): void {
  order.isWorking = true
  order.updateMs = Math.floor(timeUs / 1000)
  order.workingMs = order.updateMs
}

/** An order of a list whose working order is filled: one that waits for no price works from now on. */
export function bookEntry(order: OrderRecord, event: EnteredEvent): void {
  order.status = 'NEW'
  order.hasEntered = true
  order.updateMs = Math.floor(event.timeUs / 1000)
  if (order.orderType === 'limit' || order.orderType === 'market') bookTrigger(order, event.timeUs)
}

export function isOpen({ status }: OrderRecord): boolean {
  return status === 'NEW' || status === 'PARTIALLY_FILLED' || status === 'PENDING_NEW'
}
