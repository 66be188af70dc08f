import type { OrderUpdate } from '../venue/history.js'
import type { VenueSymbol } from '../venue/venue.js'
import { zeroLike } from './amounts.js'
import { preventionName, timeInForceName, typeName } from './order-json.js'

const expiryReasons: Readonly<Record<string, string>> = {
  ioc: 'UNFILLED_IOC_QUANTITY_EXPIRED',
  fok: 'UNFILLED_FOK_ORDER_EXPIRED',
  market: 'INSUFFICIENT_LIQUIDITY',
}

/** An `executionReport` of the user data stream. `executionId` counts the updates of all orders of the log. */
export function executionReportJson(
  { order, execution, trade, event }: OrderUpdate,
  symbol: VenueSymbol,
  executionId: number,
  nowMs: number,
): object {
  const noQuantity = zeroLike(symbol.lotSize)
  const noPrice = zeroLike(symbol.tickSize)
  const isCancelled = execution === 'CANCELED'
  const reason = event.event === 'cancelled' ? expiryReasons[event.reason] : undefined
  return {
    e: 'executionReport',
    E: nowMs,
    s: order.symbol,
    c: order.clientOrderId,
    S: order.side === 'buy' ? 'BUY' : 'SELL',
    o: typeName(order.orderType, order.postOnly),
    f: timeInForceName(order.orderType, order.timeInForce),
    q: order.quantity,
    p: order.price ?? noPrice,
    P: order.stopPrice ?? order.activationPrice ?? noPrice,
    F: order.displayQuantity ?? noQuantity,
    g: -1,
    C: isCancelled ? order.clientOrderId : '',
    x: execution,
    X: order.status,
    r: 'NONE',
    i: order.orderId,
    l: trade?.quantity ?? noQuantity,
    z: order.filled,
    L: trade?.price ?? noPrice,
    n: '0',
    N: trade ? (trade.isBuyer ? symbol.baseAsset : symbol.quoteAsset) : null,
    T: Math.floor(event.timeUs / 1000),
    t: trade?.tradeId ?? -1,
    I: executionId,
    w: order.isWorking && (order.status === 'NEW' || order.status === 'PARTIALLY_FILLED'),
    m: trade?.isMaker ?? false,
    M: false,
    O: order.timeMs,
    Z: order.amount === '0' ? noPrice : order.amount,
    Y: trade?.amount ?? noPrice,
    Q: noPrice,
    ...(order.isWorking && { W: order.workingMs }),
    V: preventionName(order.selfTradePrevention ?? symbol.selfTradePrevention),
    ...(order.trailingBasisPoints !== undefined && { d: order.trailingBasisPoints }),
    ...(reason !== undefined && { eR: reason }),
  }
}
