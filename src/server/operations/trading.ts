import {
  type CancelCommand,
  commandGrids,
  encodeCommand,
  maxCommandWords,
  type RejectCode,
} from '../../matching/index.js'
import type { ExecutionReport } from '../../pool/index.js'
import { subtract } from '../dialect/amounts.js'
import { ApiError, errors } from '../dialect/api-error.js'
import { cancelledListJson } from '../dialect/list-json.js'
import { cancelJson, orderJson } from '../dialect/order-json.js'
import type { Params } from '../dialect/params.js'
import { isDone } from '../venue/order-lists.js'
import { isOpen, type ListRecord, type OrderRecord } from '../venue/order-record.js'
import { apiErrorOf, noRate, type Venue, type VenueSymbol } from '../venue/venue.js'
import { clientOrderId, newOrderParams, readNewOrder } from './new-order.js'
import { type ApiRequest, names, type Operation } from './operation.js'
import { placedAnswer, refusal } from './placed.js'
import { offersToCome, protectedOrder } from './protection.js'
import { placeOnce, withRequestId } from './requests.js'

async function placeOrder({ params, venue, account }: ApiRequest): Promise<object> {
  const symbol = venue.symbol(params.required('symbol'))
  const wanted = readNewOrder(params, symbol, account)
  // Without a need nothing is awaited: what a connection sends after it would overtake it.
  const offers = offersToCome(venue, wanted.command, symbol)
  if (offers) await offers
  const command = withRequestId(params, protectedOrder(venue, wanted.command, symbol))
  const isPriceOurs = command.orderType !== wanted.command.orderType
  return placeOnce(venue, { ...wanted, command }, symbol, isPriceOurs)
}

const testWords = new Int32Array(maxCommandWords)

/** Checks a new order as far as that goes without the book. */
function testOrder({ params, venue, account }: ApiRequest): object {
  const symbol = venue.symbol(params.required('symbol'))
  const wanted = readNewOrder(params, symbol, account)
  try {
    encodeCommand(
      testWords,
      0,
      wanted.command,
      commandGrids({
        instrumentId: symbol.id,
        symbol: symbol.symbol,
        tickSize: symbol.tickSize,
        lotSize: symbol.lotSize,
        replacePriority: symbol.replacePriority,
        selfTradePrevention: symbol.selfTradePrevention,
      }),
    )
  } catch (error) {
    throw apiErrorOf(error)
  }
  if (symbol.phase === 'closed') throw refusal('INSTRUMENT_CLOSED')
  if (params.flag('computeCommissionRates') !== true) return {}
  const { maker, taker } = venue.rates(account, symbol.symbol)
  const none = { maker: noRate, taker: noRate }
  return {
    standardCommissionForOrder: { maker, taker },
    specialCommissionForOrder: none,
    taxCommissionForOrder: none,
    discount: {
      enabledForAccount: false,
      enabledForSymbol: false,
      discountAsset: '',
      discount: noRate,
    },
  }
}

/** Which order a request names. */
interface NamedOrder {
  readonly orderId: number | undefined
  readonly clientOrderId: string | undefined
}

function namedOrder(params: Params, idName: string, clientName: string): NamedOrder {
  const orderId = params.whole(idName)
  const clientId = params.text(clientName)
  if (orderId === undefined && clientId === undefined) throw errors.missingOneOf(clientName, idName)
  if (clientId !== undefined && clientId.length > 36)
    throw errors.malformed(clientName, '^[.A-Z:/a-z0-9_-]{1,36}$')
  return { orderId, clientOrderId: clientId }
}

/** The order that a request names, open or over, if it is kept. */
async function findOrder(
  venue: Venue,
  account: number,
  symbol: string,
  named: NamedOrder,
): Promise<OrderRecord | undefined> {
  await venue.caughtUp()
  const { orderId, clientOrderId: clientId } = named
  if (orderId === undefined) return venue.history.orderByClientId(account, symbol, clientId!)
  const order = venue.history.order(account, symbol, orderId)
  return clientId === undefined || order?.clientOrderId === clientId ? order : undefined
}

interface WantedCancel {
  readonly symbol: VenueSymbol
  readonly named: NamedOrder
  readonly clientOrderId: string
  readonly restrictions: string | undefined
}

function readCancel(request: ApiRequest, idName: string, clientName: string, newName: string): WantedCancel {
  const { params, venue } = request
  const symbol = venue.symbol(params.required('symbol'))
  const restrictions = params.text('cancelRestrictions')
  if (restrictions !== undefined && restrictions !== 'ONLY_NEW' && restrictions !== 'ONLY_PARTIALLY_FILLED')
    throw new ApiError(-1145, 'Invalid cancelRestrictions')
  return {
    symbol,
    named: namedOrder(params, idName, clientName),
    clientOrderId: clientOrderId(params, newName),
    restrictions,
  }
}

async function cancelOrder(venue: Venue, account: number, wanted: WantedCancel): Promise<object> {
  const { symbol, named, restrictions } = wanted
  if (restrictions !== undefined || (named.orderId !== undefined && named.clientOrderId !== undefined)) {
    const order = await findOrder(venue, account, symbol.symbol, named)
    if (!order) throw unknownOrder()
    const needed = restrictions === 'ONLY_NEW' ? 'NEW' : 'PARTIALLY_FILLED'
    if (restrictions !== undefined && order.status !== needed)
      throw errors.cancelRejected('Order was not canceled due to cancel restrictions.')
  }
  const command: CancelCommand =
    named.orderId === undefined
      ? { type: 'cancel', symbol: symbol.symbol, account, clientOrderId: named.clientOrderId }
      : { type: 'cancel', symbol: symbol.symbol, account, orderId: named.orderId }
  const report = await venue.submit(command)
  if (report.status === 'rejected') throw cancelRefusal(report)
  await venue.caughtUp()
  const order = venue.history.order(account, symbol.symbol, report.orderId!)
  if (!order) throw errors.unknown()
  // An order of a list takes the others with it.
  return order.list && isDone(order.list)
    ? cancelledListJson(order.list, symbol, wanted.clientOrderId)
    : cancelJson(order, symbol, wanted.clientOrderId)
}

function cancelRefusal({ code }: ExecutionReport): ApiError {
  if (code === 'UNKNOWN_ORDER' || code === 'NOT_OWNER') return unknownOrder()
  return errors.cancelRejected(refusal(code as RejectCode).message)
}

function unknownOrder(): ApiError {
  return errors.cancelRejected('Unknown order sent.')
}

async function cancelAll({ params, venue, account }: ApiRequest): Promise<object[]> {
  const symbol = venue.symbol(params.required('symbol'))
  const report = await venue.submit({ type: 'cancel-all', account, symbol: symbol.symbol })
  await venue.caughtUp()
  const cancelled: object[] = []
  const lists = new Set<ListRecord>()
  for (const event of report.events) {
    if (event.event !== 'cancelled') continue
    const order = venue.history.order(account, symbol.symbol, event.orderId)
    if (order?.list) lists.add(order.list)
    else if (order) cancelled.push(cancelJson(order, symbol, order.clientOrderId))
  }
  for (const list of lists) cancelled.push(cancelledListJson(list, symbol))
  if (cancelled.length === 0) throw unknownOrder()
  return cancelled
}

type Attempt =
  | { readonly result: 'SUCCESS'; readonly answer: object }
  | { readonly result: 'FAILURE'; readonly error: ApiError }

async function attempt(run: () => Promise<object>): Promise<Attempt> {
  try {
    return { result: 'SUCCESS', answer: await run() }
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    return { result: 'FAILURE', error }
  }
}

async function cancelReplace(request: ApiRequest): Promise<object> {
  const { params, venue, account } = request
  const mode = params.required('cancelReplaceMode')
  if (mode !== 'STOP_ON_FAILURE' && mode !== 'ALLOW_FAILURE') throw errors.badValue('cancelReplaceMode')
  const limitMode = params.text('orderRateLimitExceededMode')
  if (limitMode !== undefined && limitMode !== 'DO_NOTHING')
    throw errors.badValue('orderRateLimitExceededMode')
  const cancel = readCancel(request, 'cancelOrderId', 'cancelOrigClientOrderId', 'cancelNewClientOrderId')
  const read = readNewOrder(params, cancel.symbol, account)
  const offers = offersToCome(venue, read.command, cancel.symbol)
  if (offers) await offers
  const wanted = { ...read, command: protectedOrder(venue, read.command, cancel.symbol) }
  const cancelled = await attempt(() => cancelOrder(venue, account, cancel))
  const placed =
    cancelled.result === 'FAILURE' && mode === 'STOP_ON_FAILURE'
      ? undefined
      : await attempt(async () => {
          const report = await venue.place(wanted.command, wanted.responseType === 'FULL')
          return placedAnswer(report, wanted, cancel.symbol)
        })
  const data = {
    cancelResult: cancelled.result,
    newOrderResult: placed?.result ?? 'NOT_ATTEMPTED',
    cancelResponse: cancelled.result === 'SUCCESS' ? cancelled.answer : cancelled.error.toBody(),
    newOrderResponse: !placed ? null : placed.result === 'SUCCESS' ? placed.answer : placed.error.toBody(),
  }
  if (cancelled.result === 'SUCCESS' && placed?.result === 'SUCCESS') return data
  const partially = cancelled.result === 'SUCCESS' || placed?.result === 'SUCCESS'
  throw partially
    ? new ApiError(-2021, 'Order cancel-replace partially failed.', 409, data)
    : new ApiError(-2022, 'Order cancel-replace failed.', 400, data)
}

/** Takes quantity away from an order, which keeps its place: as much as its new quantity is less than the one that it has. */
async function amend({ params, venue, account }: ApiRequest): Promise<object> {
  const symbol = venue.symbol(params.required('symbol'))
  const named = namedOrder(params, 'orderId', 'origClientOrderId')
  const newQuantity = params.required('newQty') && params.decimal('newQty')!
  if (params.has('newClientOrderId')) throw errors.notRequired('newClientOrderId')
  const order = await findOrder(venue, account, symbol.symbol, named)
  if (!order || !isOpen(order)) throw new ApiError(-2013, 'Order does not exist.')
  const less = subtract(order.quantity, newQuantity)
  if (less === undefined) throw new ApiError(-2038, 'Order amend (quantity increase) is not supported.')
  if (/^[0.]*$/.test(less))
    throw new ApiError(-2038, 'The requested action would change no state; rejecting.')
  const report = await venue.submit({
    type: 'reduce',
    symbol: symbol.symbol,
    account,
    orderId: order.orderId,
    quantity: less,
  })
  if (report.status === 'rejected') {
    const { code } = report
    throw new ApiError(
      -2038,
      code === 'UNKNOWN_ORDER' ? 'Unknown order sent.' : refusal(code as RejectCode).message,
    )
  }
  await venue.caughtUp()
  const amended = orderJson(order, symbol)
  return { transactTime: order.updateMs, executionId: report.lsn, amendedOrder: amended }
}

async function queryOrder({ params, venue, account }: ApiRequest): Promise<object> {
  const symbol = venue.symbol(params.required('symbol'))
  const named = namedOrder(params, 'orderId', 'origClientOrderId')
  const order = await findOrder(venue, account, symbol.symbol, named)
  if (!order) throw errors.noSuchOrder()
  return orderJson(order, symbol)
}

async function openOrders({ params, venue, account }: ApiRequest): Promise<object[]> {
  const name = params.text('symbol')
  const symbol = name === undefined ? undefined : venue.symbol(name)
  await venue.caughtUp()
  return venue.history.openOrders(account, symbol?.symbol).flatMap((order) => {
    const known = symbol ?? venue.find(order.symbol)
    return known ? [orderJson(order, known)] : []
  })
}

const orderIds = ['symbol', 'orderId', 'origClientOrderId']
export const tradingOperations: readonly Operation[] = [
  {
    method: 'order.place',
    rest: ['POST', '/order'],
    security: 'trade',
    weight: 1,
    orders: 1,
    params: names(...newOrderParams, 'requestId'),
    run: placeOrder,
  },
  {
    method: 'order.test',
    rest: ['POST', '/order/test'],
    security: 'trade',
    weight: 1,
    params: names(...newOrderParams, 'computeCommissionRates'),
    run: testOrder,
  },
  {
    method: 'order.status',
    rest: ['GET', '/order'],
    security: 'read',
    weight: 4,
    params: names(...orderIds),
    run: queryOrder,
  },
  {
    method: 'order.cancel',
    rest: ['DELETE', '/order'],
    security: 'trade',
    weight: 1,
    params: names(...orderIds, 'newClientOrderId', 'cancelRestrictions'),
    run: (request) =>
      cancelOrder(
        request.venue,
        request.account,
        readCancel(request, 'orderId', 'origClientOrderId', 'newClientOrderId'),
      ),
  },
  {
    method: 'order.cancelReplace',
    rest: ['POST', '/order/cancelReplace'],
    security: 'trade',
    weight: 1,
    orders: 1,
    params: names(
      ...newOrderParams,
      'cancelReplaceMode',
      'cancelNewClientOrderId',
      'cancelOrigClientOrderId',
      'cancelOrderId',
      'cancelRestrictions',
      'orderRateLimitExceededMode',
    ),
    run: cancelReplace,
  },
  {
    method: 'order.amend.keepPriority',
    rest: ['PUT', '/order/amend/keepPriority'],
    security: 'trade',
    weight: 4,
    params: names(...orderIds, 'newClientOrderId', 'newQty'),
    run: amend,
  },
  {
    method: 'openOrders.status',
    rest: ['GET', '/openOrders'],
    security: 'read',
    weight: (params) => (params.has('symbol') ? 6 : 80),
    params: names('symbol'),
    run: openOrders,
  },
  {
    method: 'openOrders.cancelAll',
    rest: ['DELETE', '/openOrders'],
    security: 'trade',
    weight: 1,
    params: names('symbol'),
    run: cancelAll,
  },
]
