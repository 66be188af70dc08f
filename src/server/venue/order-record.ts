import type { OrderType, SelfTradePrevention, Side, TimeInForce } from '../../matching/index.js'
import type { AcceptedEvent, CancelledEvent, TradeEvent } from '../../pool/index.js'
import { add, isZero, multiply, zeroLike } from '../dialect/amounts.js'

/** What the dialect calls the state of an order. */
type OrderStatus = 'NEW' | 'PARTIALLY_FILLED' | 'FILLED' | 'CANCELED' | 'EXPIRED' | 'EXPIRED_IN_MATCH'

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

/** A trade as one of its two orders sees it. */
export interface AccountTrade {
  readonly symbol: string
  readonly tradeId: number
  readonly orderId: number
  readonly price: string
  readonly quantity: string
  readonly amount: string
  readonly timeMs: number
  readonly isBuyer: boolean
  readonly isMaker: boolean
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
    price: event.price,
    quantity: event.quantity,
    filled: zeroLike(event.quantity),
    amount: '0',
    status: 'NEW',
    updateMs: timeMs,
    isWorking: !isWaiting,
    workingMs: isWaiting ? -1 : timeMs,
  }
}

/** Books a trade of an order, and returns it as the order's account sees it. */
export function bookTrade(order: OrderRecord, event: TradeEvent, isMaker: boolean): AccountTrade {
  const amount = multiply(event.price, event.quantity)
  order.filled = add(order.filled, event.quantity)
  order.amount = add(order.amount, amount)
  order.updateMs = Math.floor(event.timeUs / 1000)
  order.status = isZero(isMaker ? event.makerRemaining : event.takerRemaining) ? 'FILLED' : 'PARTIALLY_FILLED'
  return {
    symbol: event.symbol,
    tradeId: event.tradeId,
    orderId: order.orderId,
    price: event.price,
    quantity: event.quantity,
    amount,
    timeMs: order.updateMs,
    isBuyer: order.side === 'buy',
    isMaker,
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
])

/** Notes that what was left of an order went away. */
export function bookCancel(order: OrderRecord, event: CancelledEvent): void {
  const isExpired = expiredReasons.has(event.reason)
  order.status = event.reason === 'self-trade' ? 'EXPIRED_IN_MATCH' : isExpired ? 'EXPIRED' : 'CANCELED'
  order.updateMs = Math.floor(event.timeUs / 1000)
}

/** A triggered stop works from now on. */
export function bookTrigger(order: OrderRecord, timeUs: number): void {
  order.isWorking = true
  order.updateMs = Math.floor(timeUs / 1000)
  order.workingMs = order.updateMs
}
