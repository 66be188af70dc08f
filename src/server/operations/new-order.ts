import { randomBytes } from 'node:crypto'
import { fromSteps, type NewCommand, parseGrid, type RejectCode, toSteps } from '../../matching/index.js'
import type { ExecutionReport } from '../../pool/index.js'
import { ApiError, errors } from '../dialect/api-error.js'
import { placedJson, preventionOf } from '../dialect/order-json.js'
import type { Params } from '../dialect/params.js'
import { orderTypes } from '../dialect/symbol-json.js'
import {
  type AccountTrade,
  acceptedOrder,
  bookCancel,
  bookTrade,
  bookTrigger,
  type OrderRecord,
} from '../venue/order-record.js'
import type { VenueSymbol } from '../venue/venue.js'

const clientOrderIdPattern = /^[.A-Z:/a-z0-9_-]{1,36}$/

/** What a new order may have; the last ones are refused, each with its own answer. */
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

type ResponseType = 'ACK' | 'RESULT' | 'FULL'

/** A new order as the pool takes it, and how it is to be answered. */
export interface WantedOrder {
  readonly command: NewCommand
  readonly responseType: ResponseType
}

/** Reads a new order. @throws ApiError for what the dialect or this venue does not take. */
export function readNewOrder(params: Params, symbol: VenueSymbol, account: number): WantedOrder {
  refuseUnsupported(params)
  const side = params.required('side')
  if (side !== 'BUY' && side !== 'SELL') throw errors.badSide()
  const type = params.required('type')
  if (!(orderTypes as readonly string[]).includes(type)) throw errors.badOrderType()
  const prevention = params.text('selfTradePreventionMode')
  if (prevention !== undefined && !preventionOf.has(prevention))
    throw errors.badValue('selfTradePreventionMode')
  const base = {
    type: 'new' as const,
    symbol: symbol.symbol,
    account,
    side: side === 'BUY' ? ('buy' as const) : ('sell' as const),
    quantity: requiredDecimal(params, 'quantity'),
    clientOrderId: clientOrderId(params, 'newClientOrderId'),
    selfTradePrevention: prevention === undefined ? undefined : preventionOf.get(prevention)!,
  }
  const responseType = responseTypeOf(params, type)
  return { command: commandOf(params, type as (typeof orderTypes)[number], base), responseType }
}

type Base = Pick<
  NewCommand,
  'type' | 'symbol' | 'account' | 'side' | 'clientOrderId' | 'selfTradePrevention'
> & { readonly quantity: string }

function commandOf(params: Params, type: (typeof orderTypes)[number], base: Base): NewCommand {
  switch (type) {
    case 'LIMIT':
      return {
        ...base,
        orderType: 'limit',
        timeInForce: timeInForce(params),
        price: requiredDecimal(params, 'price'),
        displayQuantity: iceberg(params),
        ...none(params, 'stopPrice', 'trailingDelta'),
      }
    case 'LIMIT_MAKER':
      if (params.has('timeInForce')) throw errors.timeInForceNotRequired()
      return {
        ...base,
        orderType: 'limit',
        postOnly: true,
        price: requiredDecimal(params, 'price'),
        displayQuantity: iceberg(params),
        ...none(params, 'stopPrice', 'trailingDelta'),
      }
    case 'MARKET':
      if (params.has('timeInForce')) throw errors.timeInForceNotRequired()
      return {
        ...base,
        orderType: 'market',
        ...none(params, 'price', 'stopPrice', 'trailingDelta', 'icebergQty'),
      }
    case 'STOP_LOSS':
    case 'TAKE_PROFIT':
      if (params.has('timeInForce')) throw errors.timeInForceNotRequired()
      return {
        ...base,
        orderType: type === 'STOP_LOSS' ? 'stop' : 'take-profit',
        ...stopOrTrail(params),
        ...none(params, 'price', 'icebergQty'),
      }
    case 'STOP_LOSS_LIMIT':
    case 'TAKE_PROFIT_LIMIT':
      return {
        ...base,
        orderType: type === 'STOP_LOSS_LIMIT' ? 'stop-limit' : 'take-profit-limit',
        timeInForce: timeInForce(params),
        price: requiredDecimal(params, 'price'),
        ...stopOrTrail(params),
        displayQuantity: iceberg(params),
      }
  }
}

/** @throws ApiError -1106 for a parameter that the type of the order has not. */
function none(params: Params, ...names: string[]): object {
  for (const name of names) if (params.has(name)) throw errors.notRequired(name)
  return {}
}

function refuseUnsupported(params: Params): void {
  if (params.has('quoteOrderQty'))
    throw new ApiError(-1013, 'Quote order qty market orders are not support for this symbol.')
  for (const name of ['pegPriceType', 'pegOffsetValue', 'pegOffsetType'])
    if (params.has(name)) throw errors.rejected('Pegged orders are not supported for this symbol.')
  for (const name of ['strategyId', 'strategyType']) if (params.has(name)) throw errors.notRequired(name)
}

/** Parts of 10,000. */
const trailMax = 9999

/** Where an order waits for the last price: at a stop price, or at a trail that begins at the stop price, if one is stated. */
function stopOrTrail(params: Params) {
  const trail = params.whole('trailingDelta')
  if (trail === undefined) {
    if (!params.has('stopPrice')) throw errors.missingOneOf('stopPrice', 'trailingDelta')
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
    throw new ApiError(-1013, "Parameter 'icebergQty' needs timeInForce GTC.")
  return quantity
}

/** The id that the client gives an order or a cancel, or one that is made. */
export function clientOrderId(params: Params, name: string): string {
  const id = params.text(name)
  if (id === undefined) return randomBytes(16).toString('base64url')
  if (!clientOrderIdPattern.test(id)) throw errors.malformed(name, '^[.A-Z:/a-z0-9_-]{1,36}$')
  return id
}

function responseTypeOf(params: Params, type: string): ResponseType {
  const value = params.text('newOrderRespType') ?? (type === 'MARKET' || type === 'LIMIT' ? 'FULL' : 'ACK')
  if (value !== 'ACK' && value !== 'RESULT' && value !== 'FULL') throw errors.badValue('newOrderRespType')
  return value
}

/** What of a report an answer is made of. */
type PlacedReport = Pick<ExecutionReport, 'status' | 'events'>

/** What a new order is answered with. @throws ApiError -2010, -1013 for one that the book refused. */
export function placedAnswer(report: PlacedReport, wanted: WantedOrder, symbol: VenueSymbol): object {
  if (report.status === 'rejected') return refusedAnswer(report, wanted, symbol)
  const trades: AccountTrade[] = []
  let order: OrderRecord | undefined
  for (const event of report.events) {
    if (event.event === 'accepted') order = acceptedOrder(event)
    else if (!order) continue
    else if (event.event === 'trade') {
      const isMaker = event.makerOrderId === order.orderId
      if (isMaker || event.takerOrderId === order.orderId) trades.push(bookTrade(order, event, isMaker))
    } else if (event.event === 'cancelled' && event.orderId === order.orderId) bookCancel(order, event)
    else if (event.event === 'triggered' && event.orderId === order.orderId) bookTrigger(order, event.timeUs)
  }
  if (!order) throw errors.unknown()
  return placedJson(order, symbol, trades, wanted.responseType)
}

/** A FOK that can't be filled has expired in the dialect; in the book it was refused, and no list has it. */
function refusedAnswer(
  report: PlacedReport,
  { command, responseType }: WantedOrder,
  symbol: VenueSymbol,
): object {
  const [event] = report.events
  if (event?.event !== 'rejected') throw errors.unknown()
  if (event.code !== 'FOK_NOT_FILLABLE') throw refusal(event.code)
  const order = acceptedOrder({
    ...event,
    event: 'accepted',
    account: command.account,
    side: command.side,
    orderType: command.orderType,
    timeInForce: 'FOK',
    quantity: onGrid(String(command.quantity), symbol.lotSize),
    stopPrice: undefined,
    displayQuantity: undefined,
    postOnly: false,
    expireTime: undefined,
    selfTradePrevention: command.selfTradePrevention,
  })
  order.status = 'EXPIRED'
  return placedJson(order, symbol, [], responseType)
}

/** A quantity as the events have it, with the decimals of its grid. */
function onGrid(quantity: string, lotSize: string): string {
  const grid = parseGrid('lotSize', lotSize)
  return fromSteps(toSteps('quantity', quantity, grid), grid)
}

const filters: Partial<Record<RejectCode, string>> = {
  PRICE_TOO_LOW: 'PRICE_FILTER',
  PRICE_TOO_HIGH: 'PRICE_FILTER',
  QUANTITY_TOO_SMALL: 'LOT_SIZE',
  QUANTITY_TOO_LARGE: 'LOT_SIZE',
  NOTIONAL_TOO_SMALL: 'MIN_NOTIONAL',
  DISPLAY_QUANTITY_TOO_SMALL: 'ICEBERG_PARTS',
  PRICE_OFF_TICK: 'PRICE_FILTER',
  PRICE_OUTSIDE_BAND: 'PERCENT_PRICE',
  TOO_MANY_ORDERS: 'MAX_NUM_ORDERS',
}

const refusals: Partial<Record<RejectCode, string>> = {
  DUPLICATE_CLIENT_ORDER_ID: 'Duplicate order sent.',
  POST_ONLY_WOULD_TRADE: 'Order would immediately match and take.',
  LEVEL_TOTAL_TOO_LARGE: 'The quantities at this price would be too large.',
  ORDER_IDS_EXHAUSTED: 'This symbol has no order id left.',
  ACCOUNT_BLOCKED: 'This action is disabled on this account.',
  NOT_IN_THIS_PHASE: 'Orders of this kind are not taken in this phase of the market.',
}

/** What the dialect says to an order that the book refuses. */
export function refusal(code: RejectCode): ApiError {
  const filter = filters[code]
  if (filter !== undefined) return errors.filter(filter)
  if (code === 'INSTRUMENT_HALTED' || code === 'INSTRUMENT_CLOSED')
    return new ApiError(-1013, 'Market is closed.')
  return errors.rejected(refusals[code] ?? 'NEW_ORDER_REJECTED')
}
