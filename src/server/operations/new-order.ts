import { randomBytes } from 'node:crypto'
import type { NewCommand } from '../../matching/index.js'
import { ApiError, errors } from '../dialect/api-error.js'
import { preventionOf } from '../dialect/order-json.js'
import type { Params } from '../dialect/params.js'
import { orderTypes } from '../dialect/symbol-json.js'
import { type Strategy, strategyIdMax, strategyTag, strategyTypeMax, strategyTypeMin } from '../venue/tags.js'
import type { VenueSymbol } from '../venue/venue.js'

const clientOrderIdPattern = /^[.A-Z:/a-z0-9_-]{1,36}$/

/** What a new order may have. */
export const newOrderParams = [
  'symbol',
  'side',
  'type',
  'timeInForce',
  'quantity',
  'quoteOrderQty',
  'price',
  'newClientOrderId',
  'stopPrice',
  'icebergQty',
  'newOrderRespType',
  'selfTradePreventionMode',
  'strategyId',
  'strategyType',
  'trailingDelta',
  'pegPriceType',
  'pegOffsetValue',
  'pegOffsetType',
] as const

export type ResponseType = 'ACK' | 'RESULT' | 'FULL'

/** A new order as the pool takes it, and how it is to be answered. */
export interface WantedOrder {
  readonly command: NewCommand
  readonly responseType: ResponseType
}

/** Reads a new order. @throws ApiError for what the dialect or this venue does not take. */
export function readNewOrder(params: Params, symbol: VenueSymbol, account: number): WantedOrder {
  const side = sideOf(params)
  const type = params.required('type')
  if (!(orderTypes as readonly string[]).includes(type)) throw errors.badOrderType()
  const prevention = params.text('selfTradePreventionMode')
  if (prevention !== undefined && !preventionOf.has(prevention))
    throw errors.badValue('selfTradePreventionMode')
  const base = {
    type: 'new' as const,
    symbol: symbol.symbol,
    account,
    side,
    clientOrderId: clientOrderId(params, 'newClientOrderId'),
    selfTradePrevention: prevention === undefined ? undefined : preventionOf.get(prevention)!,
    tag: strategyTag(strategy(params)),
  }
  const command = commandOf(params, type as (typeof orderTypes)[number], base)
  return { command, responseType: responseTypeOf(params, type) }
}

/** @throws ApiError -1102, -1117. */
export function sideOf(params: Params): 'buy' | 'sell' {
  const side = params.required('side')
  if (side !== 'BUY' && side !== 'SELL') throw errors.badSide()
  return side === 'BUY' ? 'buy' : 'sell'
}

type Base = Pick<
  NewCommand,
  'type' | 'symbol' | 'account' | 'side' | 'clientOrderId' | 'selfTradePrevention' | 'tag'
>

function commandOf(params: Params, type: (typeof orderTypes)[number], base: Base): NewCommand {
  if (type !== 'MARKET') none(params, 'quoteOrderQty')
  refusePeg(params, type)
  switch (type) {
    case 'LIMIT':
      return limitCommand(params, base)
    case 'LIMIT_MAKER':
      if (params.has('timeInForce')) throw errors.timeInForceNotRequired()
      return {
        ...base,
        orderType: 'limit',
        postOnly: true,
        quantity: requiredDecimal(params, 'quantity'),
        price: requiredDecimal(params, 'price'),
        displayQuantity: iceberg(params),
        ...none(params, 'stopPrice', 'trailingDelta'),
      }
    case 'MARKET':
      if (params.has('timeInForce')) throw errors.timeInForceNotRequired()
      return {
        ...base,
        orderType: 'market',
        ...amount(params),
        ...none(params, 'price', 'stopPrice', 'trailingDelta', 'icebergQty'),
      }
    case 'STOP_LOSS':
    case 'TAKE_PROFIT':
      if (params.has('timeInForce')) throw errors.timeInForceNotRequired()
      return {
        ...base,
        orderType: type === 'STOP_LOSS' ? 'stop' : 'take-profit',
        quantity: requiredDecimal(params, 'quantity'),
        ...stopOrTrail(params),
        ...none(params, 'price', 'icebergQty'),
      }
    case 'STOP_LOSS_LIMIT':
    case 'TAKE_PROFIT_LIMIT':
      return {
        ...base,
        orderType: type === 'STOP_LOSS_LIMIT' ? 'stop-limit' : 'take-profit-limit',
        timeInForce: timeInForce(params),
        quantity: requiredDecimal(params, 'quantity'),
        price: requiredDecimal(params, 'price'),
        ...stopOrTrail(params),
        displayQuantity: iceberg(params),
      }
  }
}

/** A limit order: at its price, or at one that follows the book. */
function limitCommand(params: Params, base: Base): NewCommand {
  const fields = {
    ...base,
    orderType: 'limit' as const,
    quantity: requiredDecimal(params, 'quantity'),
    displayQuantity: iceberg(params),
    ...none(params, 'stopPrice', 'trailingDelta'),
  }
  const peg = params.text('pegPriceType')
  const validity = timeInForce(params)
  if (peg === undefined) return { ...fields, price: requiredDecimal(params, 'price'), timeInForce: validity }
  if (validity !== 'GTC') throw errors.unsupported('a pegged order that is IOC or FOK')
  return {
    ...fields,
    peg: peg === 'PRIMARY_PEG' ? ('primary' as const) : ('market' as const),
    price: params.decimal('price'),
  }
}

/** What a market order is for: a quantity, or an amount of the quote asset. */
function amount(params: Params): { quantity: string } | { quoteQuantity: string } {
  if (!params.has('quoteOrderQty')) {
    if (!params.has('quantity'))
      throw errors.missingOneOf(params.sent('quantity'), params.sent('quoteOrderQty'))
    return { quantity: requiredDecimal(params, 'quantity') }
  }
  if (params.has('quantity')) throw errors.badCombination()
  return { quoteQuantity: requiredDecimal(params, 'quoteOrderQty') }
}

/** @throws ApiError for a peg that the dialect or the book does not have. */
function refusePeg(params: Params, type: (typeof orderTypes)[number]): void {
  const peg = params.text('pegPriceType')
  const offset = params.whole('pegOffsetValue')
  const offsetType = params.text('pegOffsetType')
  if (peg === undefined) {
    none(params, 'pegOffsetValue', 'pegOffsetType')
    return
  }
  if (peg !== 'PRIMARY_PEG' && peg !== 'MARKET_PEG') throw new ApiError(-1210, 'Invalid pegPriceType.')
  if (offsetType !== undefined && offsetType !== 'PRICE_LEVEL')
    throw new ApiError(-1211, 'Invalid pegOffsetType.')
  if ((offset === undefined) !== (offsetType === undefined)) throw errors.badCombination()
  if (type === 'MARKET' || type === 'STOP_LOSS' || type === 'TAKE_PROFIT')
    throw errors.rejected('This order type may not use pegged price.')
  if (type === 'LIMIT_MAKER' && peg === 'MARKET_PEG')
    throw errors.rejected('This price peg cannot be used with this order type.')
  if (type !== 'LIMIT') throw errors.unsupported(`a pegged order of type ${type}`)
  if (offset !== undefined && offset > 0) throw errors.unsupported('an offset of a peg by price levels')
}

/** What an order says of its strategy. @throws ApiError -1134, -1130 for what a tag does not hold. */
function strategy(params: Params): Strategy {
  const strategyId = params.whole('strategyId')
  const strategyType = params.whole('strategyType')
  if (strategyType !== undefined && strategyType < strategyTypeMin) throw errors.badStrategyType()
  if (strategyId !== undefined && strategyId > strategyIdMax) throw errors.badValue(params.sent('strategyId'))
  if (strategyType !== undefined && strategyType > strategyTypeMax)
    throw errors.badValue(params.sent('strategyType'))
  return { strategyId, strategyType }
}

/** @throws ApiError -1106 for a parameter that the type of the order has not. */
function none(params: Params, ...names: string[]): object {
  for (const name of names) if (params.has(name)) throw errors.notRequired(params.sent(name))
  return {}
}

/** Parts of 10,000. */
const trailMax = 9999

/** Where an order waits for the last price: at a stop price, or at a trail that begins at the stop price, if one is stated. */
function stopOrTrail(params: Params) {
  const trail = params.whole('trailingDelta')
  if (trail === undefined) {
    if (!params.has('stopPrice'))
      throw errors.missingOneOf(params.sent('stopPrice'), params.sent('trailingDelta'))
    return { stopPrice: requiredDecimal(params, 'stopPrice') }
  }
  if (trail < 1 || trail > trailMax) throw errors.filter('TRAILING_DELTA')
  return { trailingBasisPoints: trail, activationPrice: params.decimal('stopPrice') }
}

function requiredDecimal(params: Params, name: string): string {
  params.required(name)
  return params.decimal(name)!
}

function timeInForce(params: Params): 'GTC' | 'IOC' | 'FOK' {
  const value = params.required('timeInForce')
  if (value !== 'GTC' && value !== 'IOC' && value !== 'FOK') throw errors.badTimeInForce()
  return value
}

/** Only what rests can be an iceberg. */
function iceberg(params: Params): string | undefined {
  const quantity = params.decimal('icebergQty')
  if (quantity === undefined || /^[0.]*$/.test(quantity)) return undefined
  if (params.has('timeInForce') && params.text('timeInForce') !== 'GTC')
    throw new ApiError(-1013, `Parameter '${params.sent('icebergQty')}' needs timeInForce GTC.`)
  return quantity
}

/** The id that the client gives an order or a cancel, or one that is made. */
export function clientOrderId(params: Params, name: string): string {
  const id = params.text(name)
  if (id === undefined) return randomBytes(16).toString('base64url')
  if (!clientOrderIdPattern.test(id)) throw errors.malformed(params.sent(name), '^[.A-Z:/a-z0-9_-]{1,36}$')
  return id
}

function responseTypeOf(params: Params, type: string): ResponseType {
  return responseType(params, type === 'MARKET' || type === 'LIMIT' ? 'FULL' : 'ACK')
}

/** How much of an order its answer shows. @throws ApiError -1130. */
export function responseType(params: Params, standard: ResponseType): ResponseType {
  const value = params.text('newOrderRespType') ?? standard
  if (value !== 'ACK' && value !== 'RESULT' && value !== 'FULL') throw errors.badValue('newOrderRespType')
  return value
}
