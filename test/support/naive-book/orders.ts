import type { OrderState } from '#tidemark/matching/book/order-state.js'
import type { DecodedNew } from '#tidemark/matching/codec/command-reader.js'
import type { OrderType } from '#tidemark/matching/codec/names.js'
import type { NaiveList } from '../naive-lists.js'
import { type NaiveTrail, trailOf } from '../naive-trailing.js'

export interface NaiveOrder {
  readonly command: DecodedNew
  /** Of a pegged order: a smaller one is re-priced earlier. */
  turn?: number
  price: number
  open: number
  shown: number
  filled: number
  /** `waiting` before its stop price is reached, `elected` until it has acted, then `resting`. */
  status: 'waiting' | 'elected' | 'resting' | 'pending'
  readonly list?: NaiveList<NaiveOrder>
  /** Smaller is earlier: place among the orders at the same price. */
  place: number
  /** The last price that a waiting order waits for. */
  stopPrice: number
  readonly trail: NaiveTrail | undefined
}

export interface NamedOrder {
  readonly orderId: number
  readonly account?: number
  readonly clientOrderId?: string
}

export const LARGEST = 2 ** 53 - 1

/** A last price that every other one is at or beyond: where a trail without an activation price waits for the first. */
function reachedByAny({ side, orderType }: DecodedNew): number {
  const isStop = orderType === 'stop' || orderType === 'stop-limit'
  return isStop === (side === 'buy') ? 1 : LARGEST
}

/** What the state of an order says of its stop price and its trail. */
function waitingState({ command, status, stopPrice, trail }: NaiveOrder) {
  if (!waits(command.orderType)) return {}
  if (trail === undefined || (status !== 'waiting' && status !== 'pending')) return { stopPrice }
  const { ticks, basisPoints, reference } = trail
  const terms = ticks === undefined ? { trailingBasisPoints: basisPoints! } : { trailingOffset: ticks }
  if (reference === undefined)
    return { ...terms, ...(stopPrice !== reachedByAny(command) && { activationPrice: stopPrice }) }
  const isBeyond = stopPrice === 0 || stopPrice > LARGEST
  return { ...terms, trailingReference: reference, ...(!isBeyond && { stopPrice }) }
}

/** Whether an order of a type waits for its stop price. */
export function waits(type: OrderType): boolean {
  return type !== 'limit' && type !== 'market'
}

export function withoutLimit(type: OrderType): boolean {
  return type === 'market' || type === 'stop' || type === 'take-profit'
}

/** What a waiting order waits for; those for the closing call stand after all stops of their side. */
export function directionOf({ command: { side, orderType }, trail, status }: NaiveOrder): 'rise' | 'fall' {
  if (status === 'pending') return side === 'buy' ? 'rise' : 'fall'
  if (trail?.reference !== undefined) return side === 'buy' ? 'rise' : 'fall'
  if (orderType === 'take-profit' || orderType === 'take-profit-limit')
    return side === 'buy' ? 'fall' : 'rise'
  return side === 'buy' ? 'rise' : 'fall'
}

export function idOf({ command: { orderId, account, side, clientOrderId } }: NaiveOrder) {
  return { orderId, account, side, ...(clientOrderId !== undefined && { clientOrderId }) }
}

/** The price at which a waiting order stands; of a pending one none that could be. */
export function placeOf({ status, stopPrice, command: { side } }: NaiveOrder): number {
  if (status !== 'pending') return stopPrice
  return side === 'buy' ? LARGEST + 1 : 0
}

export function newOrder(command: DecodedNew): NaiveOrder {
  const { price, quantity } = command
  const [stopPrice, trail] = [firstStopPrice(command), trailOf(command)]
  return {
    command,
    price,
    open: quantity,
    shown: quantity,
    filled: 0,
    status: 'elected',
    place: 0,
    stopPrice,
    trail,
  }
}

/** Where an order waits when it comes in; one for the closing call where no trade reaches it. */
function firstStopPrice(command: DecodedNew): number {
  if (!waits(command.orderType)) return command.side === 'buy' ? LARGEST + 1 : 0
  return command.stopPrice ?? command.activationPrice ?? reachedByAny(command)
}

export function sum(orders: NaiveOrder[]): number {
  return orders.reduce((total, order) => total + order.open, 0)
}

export function stateOf(order: NaiveOrder): OrderState {
  const { command } = order
  const { orderId, account, side, orderType, timeInForce, postOnly } = command
  return {
    orderId,
    account,
    side,
    orderType,
    timeInForce,
    status: order.status === 'waiting' || order.status === 'pending' ? order.status : 'resting',
    ...(order.list && { listId: order.list.id }),
    price: order.price,
    quantity: order.open,
    filled: order.filled,
    shown: order.shown,
    postOnly,
    ...(command.clientOrderId !== undefined && { clientOrderId: command.clientOrderId }),
    ...(command.displayQuantity !== undefined && { displayQuantity: command.displayQuantity }),
    ...waitingState(order),
    ...(command.expireTime !== undefined && { expireTime: command.expireTime }),
    ...(command.selfTradePrevention !== undefined && { selfTradePrevention: command.selfTradePrevention }),
    ...(command.selfTradeGroup !== undefined && { selfTradeGroup: command.selfTradeGroup }),
    ...(command.peg !== undefined && { peg: command.peg, pegOffset: command.pegOffset ?? 0 }),
    ...(command.peg !== undefined && command.price !== 0 && { limitPrice: command.price }),
  }
}
