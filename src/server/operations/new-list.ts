import type { ListCommand, ListedOrder, ListType, NewCommand } from '../../matching/index.js'
import { compare } from '../dialect/amounts.js'
import { ApiError, errors } from '../dialect/api-error.js'
import { listFields } from '../dialect/list-json.js'
import { placedJson } from '../dialect/order-json.js'
import type { Params } from '../dialect/params.js'
import { orderTypes } from '../dialect/symbol-json.js'
import type { Venue, VenueSymbol } from '../venue/venue.js'
import { clientOrderId, readNewOrder, responseType, sideOf } from './new-order.js'
import { type ApiRequest, names, type Operation } from './operation.js'
import { placedOrders, refusal } from './placed.js'

/** What an order of a list may state for itself, by the names that a single order has for it. */
const legNames = [
  'type',
  'price',
  'stopPrice',
  'trailingDelta',
  'icebergQty',
  'timeInForce',
  'strategyId',
  'strategyType',
  'pegPriceType',
  'pegOffsetType',
  'pegOffsetValue',
] as const

type Sent = Readonly<Record<string, string>>

/** What a request calls the parameters of an order: `abovePrice` is the price of the order above. */
function prefixed(prefix: string, ...more: string[]): Sent {
  const sent: Record<string, string> = { newClientOrderId: `${prefix}ClientOrderId` }
  for (const name of [...legNames, ...more]) sent[name] = `${prefix}${name[0]!.toUpperCase()}${name.slice(1)}`
  return sent
}

const modeOfAll: Sent = { selfTradePreventionMode: 'selfTradePreventionMode' }
const ofPair: Sent = { side: 'side', quantity: 'quantity', ...modeOfAll }
const ofPendingPair: Sent = { side: 'pendingSide', quantity: 'pendingQuantity', ...modeOfAll }

const above: Sent = { ...prefixed('above'), ...ofPair }
const below: Sent = { ...prefixed('below'), ...ofPair }
const working: Sent = { ...prefixed('working', 'side', 'quantity'), ...modeOfAll }
const pending: Sent = { ...prefixed('pending', 'side', 'quantity'), ...modeOfAll }
const pendingAbove: Sent = { ...prefixed('pendingAbove'), ...ofPendingPair }
const pendingBelow: Sent = { ...prefixed('pendingBelow'), ...ofPendingPair }

/** The request of before, which says limit and stop in place of above and below. */
const limitLeg: Sent = {
  ...ofPair,
  newClientOrderId: 'limitClientOrderId',
  price: 'price',
  icebergQty: 'limitIcebergQty',
  strategyId: 'limitStrategyId',
  strategyType: 'limitStrategyType',
}
const stopLeg: Sent = {
  ...ofPair,
  newClientOrderId: 'stopClientOrderId',
  price: 'stopLimitPrice',
  stopPrice: 'stopPrice',
  trailingDelta: 'trailingDelta',
  icebergQty: 'stopIcebergQty',
  timeInForce: 'stopLimitTimeInForce',
  strategyId: 'stopStrategyId',
  strategyType: 'stopStrategyType',
}

/** Reads the orders of a list, in the order in which the book gets them. */
type Reader = (params: Params, symbol: VenueSymbol, venue: Venue, account: number) => NewCommand[]

function readPair(params: Params, symbol: VenueSymbol, venue: Venue, account: number): NewCommand[] {
  return pair(params.leg(above), params.leg(below), symbol, account, lastPrice(venue, symbol))
}

function readOldPair(params: Params, symbol: VenueSymbol, venue: Venue, account: number): NewCommand[] {
  const isLimited = params.has('stopLimitPrice')
  const limit = params.leg(limitLeg, { type: 'LIMIT_MAKER' })
  const stop = params.leg(stopLeg, { type: isLimited ? 'STOP_LOSS_LIMIT' : 'STOP_LOSS' })
  return sideOf(limit) === 'sell'
    ? pair(limit, stop, symbol, account, lastPrice(venue, symbol))
    : pair(stop, limit, symbol, account, lastPrice(venue, symbol))
}

function readWorking(params: Params, symbol: VenueSymbol, account: number): NewCommand {
  const leg = params.leg(working)
  const type = leg.required('type')
  if (type !== 'LIMIT' && type !== 'LIMIT_MAKER') throw errors.badOrderType()
  return readLeg(leg, symbol, account)
}

function readTriggering(params: Params, symbol: VenueSymbol, _: Venue, account: number): NewCommand[] {
  return [readWorking(params, symbol, account), readLeg(params.leg(pending), symbol, account)]
}

function readTriggeringPair(params: Params, symbol: VenueSymbol, _: Venue, account: number): NewCommand[] {
  return [
    readWorking(params, symbol, account),
    ...pair(params.leg(pendingAbove), params.leg(pendingBelow), symbol, account, undefined),
  ]
}

/** A list has one tag for all of its orders, so they can have no strategies. A peg is for no list. */
function readLeg(leg: Params, symbol: VenueSymbol, account: number): NewCommand {
  for (const name of ['strategyId', 'strategyType'])
    if (leg.has(name)) throw errors.unsupported(`${leg.sent(name)}; an order of a list has no strategy`)
  if (leg.has('pegPriceType')) throw errors.unsupported('a pegged order in a list')
  return readNewOrder(leg, symbol, account).command
}

/**
 * Two orders of which one cancels the other: what waits for a price comes first. `last` is the last price, where the dialect says that
 * it is between them. @throws ApiError for types and prices that the dialect does not have so.
 */
function pair(
  aboveLeg: Params,
  belowLeg: Params,
  symbol: VenueSymbol,
  account: number,
  last: string | undefined,
): NewCommand[] {
  const side = sideOf(aboveLeg)
  const types = [aboveLeg, belowLeg].map((leg) => leg.required('type'))
  if (types[0] === 'LIMIT_MAKER' && types[1] === 'LIMIT_MAKER')
    throw new ApiError(-1168, 'At least one OCO order must be contingent.')
  checkPlace(types[0]!, side, 'above')
  checkPlace(types[1]!, side, 'below')
  const orders = [readLeg(aboveLeg, symbol, account), readLeg(belowLeg, symbol, account)] as const
  const prices = orders.map(actsAt)
  const inOrder = [prices[0], last, prices[1]].filter((price) => price !== undefined)
  for (let i = 1; i < inOrder.length; i++) {
    if (compare(inOrder[i - 1]!, inOrder[i]!) <= 0)
      throw errors.rejected('The relationship of the prices for the orders is not correct.')
  }
  return types[0] === 'LIMIT_MAKER' ? [orders[1], orders[0]] : [...orders]
}

const kindOf: Readonly<Record<string, 'limit' | 'stop loss' | 'take profit'>> = {
  LIMIT_MAKER: 'limit',
  STOP_LOSS: 'stop loss',
  STOP_LOSS_LIMIT: 'stop loss',
  TAKE_PROFIT: 'take profit',
  TAKE_PROFIT_LIMIT: 'take profit',
}

const misplaced = {
  limit: { buy: -1165, sell: -1166 },
  'stop loss': { buy: -1196, sell: -1197 },
  'take profit': { buy: -1198, sell: -1199 },
} as const

/** A stop loss is where the price goes against its side: above to buy, below to sell; what is no stop loss is on the other side. */
function checkPlace(type: string, side: 'buy' | 'sell', place: 'above' | 'below'): void {
  if (!(orderTypes as readonly string[]).includes(type)) throw errors.badOrderType()
  const kind = kindOf[type]
  if (kind === undefined) throw new ApiError(-1158, 'Order type not supported in OCO.')
  const right = (kind === 'stop loss') === (side === 'buy') ? 'above' : 'below'
  if (place !== right)
    throw new ApiError(misplaced[kind][side], `A ${kind} order in a ${side} OCO must be ${right}.`)
}

/** Where an order of a pair acts; `undefined` for one that follows the last price at once. */
function actsAt(order: NewCommand): string | undefined {
  const price =
    order.stopPrice ?? order.activationPrice ?? (order.orderType === 'limit' ? order.price : undefined)
  return price === undefined ? undefined : String(price)
}

function lastPrice(venue: Venue, symbol: VenueSymbol): string | undefined {
  return venue.market.lastTrade(symbol.symbol)?.price
}

async function placeList(request: ApiRequest, listType: ListType, read: Reader): Promise<object> {
  const { params, venue, account } = request
  const symbol = venue.symbol(params.required('symbol'))
  const shown = responseType(params, 'RESULT')
  await venue.caughtUp()
  const orders = read(params, symbol, venue, account).map(listed)
  const name = params.has('listClientOrderId') ? clientOrderId(params, 'listClientOrderId') : undefined
  const listId = venue.history.lists.begin(account, name)
  if (listId === undefined) throw errors.rejected('Duplicate order sent.')
  const command: ListCommand = {
    type: 'list',
    symbol: symbol.symbol,
    listId,
    clientListId: name,
    listType,
    account,
    orders,
  }
  try {
    const report = await venue.place(command, shown === 'FULL')
    const [event] = report.events
    if (event?.event === 'rejected') throw refusal(event.code)
    await venue.caughtUp()
    const list = venue.history.lists.find(account, listId)
    if (!list) throw errors.unknown()
    return {
      ...listFields(list),
      orderReports: placedOrders(report).map((placed) =>
        placedJson(placed.order, symbol, placed.trades, shown),
      ),
    }
  } finally {
    venue.history.lists.end(listId)
  }
}

/** An order without what its list says for it. */
function listed({ type: _, symbol: __, account: ___, tag: ____, ...order }: NewCommand): ListedOrder {
  return order as ListedOrder
}

const ofAnyList = ['symbol', 'listClientOrderId', 'newOrderRespType']

function sentNames(...legs: readonly Sent[]): ReadonlySet<string> {
  return names(...ofAnyList, ...legs.flatMap((leg) => Object.values(leg)))
}

function placing(
  path: string,
  method: string,
  listType: ListType,
  read: Reader,
  legs: readonly Sent[],
): Operation {
  return {
    method,
    rest: ['POST', path],
    security: 'trade',
    weight: 1,
    orders: listType === 'otoco' ? 3 : 2,
    params: sentNames(...legs),
    run: (request) => placeList(request, listType, read),
  }
}

export const newListOperations: readonly Operation[] = [
  placing('/order/oco', 'orderList.place', 'oco', readOldPair, [limitLeg, stopLeg]),
  placing('/orderList/oco', 'orderList.place.oco', 'oco', readPair, [above, below]),
  placing('/orderList/oto', 'orderList.place.oto', 'oto', readTriggering, [working, pending]),
  placing('/orderList/otoco', 'orderList.place.otoco', 'otoco', readTriggeringPair, [
    working,
    pendingAbove,
    pendingBelow,
  ]),
]
