import type { Movement } from '../../ledger/index.js'
import type { Instrument } from '../../pool/index.js'
import type { Balance } from '../venue/balances.js'
import type { ListUpdate, OrderUpdate } from '../venue/history.js'
import { zeroLike } from './amounts.js'
import { listFields } from './list-json.js'
import {
  commissionOf,
  pegName,
  preventionName,
  statedPrice,
  timeInForceName,
  typeName,
} from './order-json.js'

const expiryReasons: Readonly<Record<string, string>> = {
  ioc: 'UNFILLED_IOC_QUANTITY_EXPIRED',
  fok: 'UNFILLED_FOK_ORDER_EXPIRED',
  market: 'INSUFFICIENT_LIQUIDITY',
  'post-only': 'REJECTED',
  'level-total': 'REJECTED',
  phase: 'REJECTED',
  band: 'EXECUTION_RULE_PRICE_RANGE_EXCEEDED',
}

/** Why an order has expired; `undefined` where it has not, or where the dialect has no name for it. */
function expiryReason({ order, event }: OrderUpdate): string | undefined {
  if (event.event !== 'cancelled' || order.status !== 'EXPIRED') return undefined
  if (event.reason !== 'list') return expiryReasons[event.reason]
  return order.isPendingLeg && !order.hasEntered ? 'OTO_PHASE_ONE_EXPIRED' : 'OCO_TRIGGER'
}

/** An `executionReport` of the user data stream. `executionId` counts the updates of all orders of the log. */
export function executionReportJson(
  update: OrderUpdate,
  symbol: Instrument,
  executionId: number,
  nowMs: number,
): object {
  const { order, execution, trade, event } = update
  const noQuantity = zeroLike(symbol.lotSize)
  const noPrice = zeroLike(symbol.tickSize)
  const isCancelled = execution === 'CANCELED'
  const commission = trade && commissionOf(trade, symbol)
  const reason = expiryReason(update)
  return {
    e: 'executionReport',
    E: nowMs,
    s: order.symbol,
    c: order.clientOrderId,
    S: order.side === 'buy' ? 'BUY' : 'SELL',
    o: typeName(order.orderType, order.postOnly),
    f: timeInForceName(order.orderType, order.timeInForce),
    q: order.quantity,
    p: statedPrice(order, symbol),
    P: order.stopPrice ?? order.activationPrice ?? noPrice,
    F: order.displayQuantity ?? noQuantity,
    g: order.orderListId,
    C: isCancelled ? order.clientOrderId : '',
    x: execution,
    X: order.status,
    r: 'NONE',
    i: order.orderId,
    l: trade?.quantity ?? noQuantity,
    z: order.filled,
    L: trade?.price ?? noPrice,
    n: commission?.commission ?? '0',
    N: commission?.commissionAsset ?? null,
    T: Math.floor(event.timeUs / 1000),
    t: trade?.tradeId ?? -1,
    I: executionId,
    w: order.isWorking && (order.status === 'NEW' || order.status === 'PARTIALLY_FILLED'),
    m: trade?.isMaker ?? false,
    M: false,
    O: order.timeMs,
    Z: order.amount === '0' ? noPrice : order.amount,
    Y: trade?.amount ?? noPrice,
    Q: order.quoteQuantity ?? noPrice,
    ...(order.isWorking && { W: order.workingMs }),
    V: preventionName(order.selfTradePrevention ?? symbol.selfTradePrevention),
    ...(order.trailingBasisPoints !== undefined && { d: order.trailingBasisPoints }),
    ...(order.strategy?.strategyId !== undefined && { j: order.strategy.strategyId }),
    ...(order.strategy?.strategyType !== undefined && { J: order.strategy.strategyType }),
    ...(order.peg !== undefined && { gP: pegName(order.peg), gp: order.price ?? noPrice }),
    ...(reason !== undefined && { eR: reason }),
  }
}

/** An `outboundAccountPosition` of the user data stream: what the account has of these assets now. */
export function positionJson(balances: readonly Balance[], nowMs: number): object {
  return {
    e: 'outboundAccountPosition',
    E: nowMs,
    u: nowMs,
    B: balances.map(({ asset, free, locked }) => ({ a: asset, f: free, l: locked })),
  }
}

/** A `balanceUpdate` of the user data stream: money came in or went out, and no order had to do with it. */
export function balanceUpdateJson({ asset, amount, timeUs }: Movement, nowMs: number): object {
  return { e: 'balanceUpdate', E: nowMs, a: asset, d: amount, T: Math.floor(timeUs / 1000) }
}

/** A `listStatus` of the user data stream. */
export function listStatusJson({ list, status, timeMs }: ListUpdate, nowMs: number): object {
  const { orderListId, contingencyType, symbol, listClientOrderId, orders } = listFields(list)
  return {
    e: 'listStatus',
    E: nowMs,
    s: symbol,
    g: orderListId,
    c: contingencyType,
    l: status,
    L: status === 'ALL_DONE' ? 'ALL_DONE' : 'EXECUTING',
    r: 'NONE',
    C: listClientOrderId,
    T: timeMs,
    O: orders.map((order) => ({ s: order.symbol, i: order.orderId, c: order.clientOrderId })),
  }
}
