import type { OrderType, Peg, SelfTradePrevention, TimeInForce } from '../../matching/index.js'
import type { AccountTrade, OrderRecord } from '../venue/order-record.js'
import type { VenueSymbol } from '../venue/venue.js'
import { zeroLike } from './amounts.js'

const preventionNames: Record<SelfTradePrevention, string> = {
  none: 'NONE',
  'cancel-newest': 'EXPIRE_TAKER',
  'cancel-oldest': 'EXPIRE_MAKER',
  'cancel-both': 'EXPIRE_BOTH',
  decrement: 'DECREMENT',
}

export const preventionOf: ReadonlyMap<string, SelfTradePrevention> = new Map(
  (Object.keys(preventionNames) as SelfTradePrevention[]).map((mode) => [preventionNames[mode], mode]),
)
export const preventionModes: readonly string[] = Object.values(preventionNames)

export function preventionName(mode: SelfTradePrevention): string {
  return preventionNames[mode]
}

const typeNames: Record<OrderType, string> = {
  limit: 'LIMIT',
  market: 'MARKET',
  stop: 'STOP_LOSS',
  'stop-limit': 'STOP_LOSS_LIMIT',
  'take-profit': 'TAKE_PROFIT',
  'take-profit-limit': 'TAKE_PROFIT_LIMIT',
}

export function typeName(type: OrderType, postOnly: boolean): string {
  return type === 'limit' && postOnly ? 'LIMIT_MAKER' : typeNames[type]
}

/** What rests is GTC in the dialect, whenever it is to expire, and so is a market order. */
export function timeInForceName(type: OrderType, timeInForce: TimeInForce): string {
  return type !== 'market' && (timeInForce === 'IOC' || timeInForce === 'FOK') ? timeInForce : 'GTC'
}

const pegNames: Record<Peg, string> = { primary: 'PRIMARY_PEG', market: 'MARKET_PEG', mid: 'MID_PEG' }

export function pegName(peg: Peg): string {
  return pegNames[peg]
}

/** The price that the client asked for: of an order that follows the book, its limit. 0 without a price. */
export function statedPrice(
  { peg, limitPrice, price }: OrderRecord,
  symbol: Pick<VenueSymbol, 'tickSize'>,
): string {
  return (peg === undefined ? price : limitPrice) ?? zeroLike(symbol.tickSize)
}

/** What every description of an order has. */
function orderFields(order: OrderRecord, symbol: VenueSymbol) {
  return {
    price: statedPrice(order, symbol),
    origQty: order.quantity,
    executedQty: order.filled,
    origQuoteOrderQty: order.quoteQuantity ?? zeroLike(symbol.tickSize),
    cummulativeQuoteQty: order.amount === '0' ? zeroLike(symbol.tickSize) : order.amount,
    status: order.status,
    timeInForce: timeInForceName(order.orderType, order.timeInForce),
    type: typeName(order.orderType, order.postOnly),
    side: order.side === 'buy' ? 'BUY' : 'SELL',
    ...stopFields(order),
    ...(order.displayQuantity !== undefined && { icebergQty: order.displayQuantity }),
    ...(order.peg !== undefined && {
      pegPriceType: pegName(order.peg),
      peggedPrice: order.price ?? zeroLike(symbol.tickSize),
    }),
    ...strategyFields(order),
    selfTradePreventionMode: preventionName(order.selfTradePrevention ?? symbol.selfTradePrevention),
  }
}

/** The stop price; of a trail, the price at which it begins, and its distance. */
function stopFields({ stopPrice, trailingBasisPoints, activationPrice }: OrderRecord): object {
  const stop = stopPrice ?? activationPrice
  return {
    ...(stop !== undefined && { stopPrice: stop }),
    ...(trailingBasisPoints !== undefined && { trailingDelta: trailingBasisPoints }),
  }
}

function strategyFields({ strategy }: OrderRecord): object {
  if (!strategy) return {}
  const { strategyId, strategyType } = strategy
  return {
    ...(strategyId !== undefined && { strategyId }),
    ...(strategyType !== undefined && { strategyType }),
  }
}

/** An order as queries give it. */
export function orderJson(order: OrderRecord, symbol: VenueSymbol): object {
  return {
    symbol: order.symbol,
    orderId: order.orderId,
    orderListId: order.orderListId,
    clientOrderId: order.clientOrderId,
    stopPrice: zeroLike(symbol.tickSize),
    icebergQty: zeroLike(symbol.lotSize),
    ...orderFields(order, symbol),
    time: order.timeMs,
    updateTime: order.updateMs,
    isWorking: order.isWorking,
    workingTime: order.workingMs,
  }
}

/** What a cancel is answered with. */
export function cancelJson(order: OrderRecord, symbol: VenueSymbol, clientOrderId: string): object {
  return {
    symbol: order.symbol,
    origClientOrderId: order.clientOrderId,
    orderId: order.orderId,
    orderListId: order.orderListId,
    clientOrderId,
    transactTime: order.updateMs,
    ...orderFields(order, symbol),
  }
}

/** What a new order is answered with: as short as `responseType` says. */
export function placedJson(
  order: OrderRecord,
  symbol: VenueSymbol,
  trades: readonly AccountTrade[],
  responseType: 'ACK' | 'RESULT' | 'FULL',
): object {
  const acknowledged = {
    symbol: order.symbol,
    orderId: order.orderId,
    orderListId: order.orderListId,
    clientOrderId: order.clientOrderId,
    transactTime: order.updateMs,
  }
  if (responseType === 'ACK') return acknowledged
  const result = { ...acknowledged, ...orderFields(order, symbol), workingTime: order.workingMs }
  if (responseType === 'RESULT') return result
  return {
    ...result,
    fills: trades.map((trade) => ({
      price: trade.price,
      qty: trade.quantity,
      ...commissionOf(trade, symbol),
      tradeId: trade.tradeId,
    })),
  }
}

/** What a trade cost the order. One that cost nothing states the asset that the order received. */
export function commissionOf<Asset extends string | undefined>(
  { fee, isBuyer }: AccountTrade,
  { baseAsset, quoteAsset }: { readonly baseAsset: Asset; readonly quoteAsset: Asset },
): { readonly commission: string; readonly commissionAsset: string | Asset } {
  return {
    commission: fee?.amount ?? '0',
    commissionAsset: fee?.asset ?? (isBuyer ? baseAsset : quoteAsset),
  }
}

export function accountTradeJson(trade: AccountTrade, symbol: VenueSymbol): object {
  return {
    symbol: trade.symbol,
    id: trade.tradeId,
    orderId: trade.orderId,
    orderListId: trade.orderListId,
    price: trade.price,
    qty: trade.quantity,
    quoteQty: trade.amount,
    ...commissionOf(trade, symbol),
    time: trade.timeMs,
    isBuyer: trade.isBuyer,
    isMaker: trade.isMaker,
    isBestMatch: true,
  }
}
