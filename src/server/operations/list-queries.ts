import { ApiError, errors } from '../dialect/api-error.js'
import { cancelledListJson, listFields } from '../dialect/list-json.js'
import type { Params } from '../dialect/params.js'
import { isDone } from '../venue/order-lists.js'
import { isOpen, type ListRecord } from '../venue/order-record.js'
import type { Venue } from '../venue/venue.js'
import { spanOf } from './account.js'
import { clientOrderId } from './new-order.js'
import { type ApiRequest, names, type Operation } from './operation.js'

const listMax = 1000

/** The list that a request names, if it is kept. @throws ApiError -1102 when it names none. */
async function findList(
  venue: Venue,
  account: number,
  params: Params,
  nameOf: string,
): Promise<ListRecord | undefined> {
  const listId = params.whole('orderListId')
  const name = params.text(nameOf)
  if (listId === undefined && name === undefined) throw errors.missingOneOf(nameOf, 'orderListId')
  await venue.caughtUp()
  const { lists } = venue.history
  const named = name === undefined ? undefined : lists.findByName(account, name)
  if (listId === undefined) return named
  const found = lists.find(account, listId)
  return name === undefined || found?.name === name ? found : undefined
}

async function queryList({ params, venue, account }: ApiRequest): Promise<object> {
  const list = await findList(venue, account, params, 'origClientOrderId')
  if (!list) throw new ApiError(-2018, 'Order list does not exist.')
  return listFields(list)
}

async function openLists({ venue, account }: ApiRequest): Promise<object[]> {
  await venue.caughtUp()
  return venue.history.lists
    .all(account)
    .filter((list) => !isDone(list))
    .reverse()
    .map(listFields)
}

/** Newest first; with a beginning, the first ones after it. */
async function allLists(request: ApiRequest): Promise<object[]> {
  const { params, venue, account } = request
  const fromId = params.whole('fromId')
  if (fromId !== undefined && (params.has('startTime') || params.has('endTime')))
    throw errors.badCombination()
  const { startMs, endMs } = spanOf(request)
  const limit = params.limit('limit', 500, listMax)
  await venue.caughtUp()
  const found = venue.history.lists
    .all(account)
    .filter(({ listId, timeMs }) => listId >= (fromId ?? 0) && timeMs >= (startMs ?? 0) && timeMs <= endMs)
  const isFrom = fromId !== undefined || startMs !== undefined
  return (isFrom ? found.slice(0, limit) : found.slice(-limit)).reverse().map(listFields)
}

/** Cancels what of a list is open. One of whose orders a part has traded is no list in the book any more, but a single order. */
async function cancelList({ params, venue, account }: ApiRequest): Promise<object> {
  const symbol = venue.symbol(params.required('symbol'))
  const clientId = clientOrderId(params, 'newClientOrderId')
  const list = await findList(venue, account, params, 'listClientOrderId')
  if (list?.symbol !== symbol.symbol || isDone(list)) throw unknownList()
  const report = await venue.submit({
    type: 'cancel-list',
    symbol: symbol.symbol,
    account,
    listId: list.listId,
  })
  if (report.status === 'rejected') {
    const orderIds = list.orders.filter(isOpen).map(({ orderId }) => orderId)
    if (orderIds.length === 0) throw unknownList()
    const rest = await venue.submit({ type: 'cancel-all', symbol: symbol.symbol, account, orderIds })
    if (rest.events.length === 0) throw unknownList()
  }
  await venue.caughtUp()
  return cancelledListJson(list, symbol, clientId)
}

function unknownList(): ApiError {
  return errors.cancelRejected('Unknown order list sent.')
}

export const listOperations: readonly Operation[] = [
  {
    method: 'orderList.status',
    rest: ['GET', '/orderList'],
    security: 'read',
    weight: 4,
    params: names('orderListId', 'origClientOrderId'),
    run: queryList,
  },
  {
    method: 'openOrderLists.status',
    rest: ['GET', '/openOrderList'],
    security: 'read',
    weight: 6,
    params: names(),
    run: openLists,
  },
  {
    method: 'allOrderLists',
    rest: ['GET', '/allOrderList'],
    security: 'read',
    weight: 20,
    params: names('fromId', 'startTime', 'endTime', 'limit'),
    run: allLists,
  },
  {
    method: 'orderList.cancel',
    rest: ['DELETE', '/orderList'],
    security: 'trade',
    weight: 1,
    params: names('symbol', 'orderListId', 'listClientOrderId', 'newClientOrderId'),
    run: cancelList,
  },
]
