import { isZero } from '../dialect/amounts.js'
import { errors } from '../dialect/api-error.js'
import { accountTradeJson, orderJson } from '../dialect/order-json.js'
import { filtersOf } from '../dialect/symbol-json.js'
import { noRate } from '../venue/venue.js'
import { type ApiRequest, names, type Operation } from './operation.js'

const listMax = 1000
const dayMs = 86_400_000
const noRates = { maker: noRate, taker: noRate, buyer: noRate, seller: noRate }

/** A rate as parts of 10,000. */
function basisPoints(rate: string): number {
  return Math.round(Number(rate) * 1e8) / 10_000
}

async function accountStatus({ params, venue, account, mayTrade, nowMs }: ApiRequest): Promise<object> {
  const omitZero = params.flag('omitZeroBalances') === true
  await venue.caughtUp()
  const balances = (venue.balances?.of(account) ?? []).filter(
    ({ free, locked }) => !omitZero || !isZero(free) || !isZero(locked),
  )
  const { maker, taker } = venue.rates(account)
  return {
    makerCommission: basisPoints(maker),
    takerCommission: basisPoints(taker),
    buyerCommission: 0,
    sellerCommission: 0,
    commissionRates: { ...noRates, maker, taker },
    canTrade: mayTrade,
    canWithdraw: false,
    canDeposit: false,
    brokered: false,
    requireSelfTradePrevention: false,
    preventSor: true,
    updateTime: nowMs,
    accountType: 'SPOT',
    balances: balances.map(({ asset, free, locked }) => ({ asset, free, locked })),
    permissions: ['SPOT'],
    uid: account,
  }
}

/** The span that a query is about; one of more than 24 hours is refused when both ends are stated. */
export function spanOf({ params }: ApiRequest): { startMs: number | undefined; endMs: number } {
  const startMs = params.timeMs('startTime')
  const endMs = params.timeMs('endTime')
  if (startMs !== undefined && endMs !== undefined && endMs - startMs > dayMs) throw errors.longSpan()
  return { startMs, endMs: endMs ?? Number.MAX_SAFE_INTEGER }
}

async function allOrders(request: ApiRequest): Promise<object[]> {
  const { params, venue, account } = request
  const symbol = venue.symbol(params.required('symbol'))
  const fromId = params.whole('orderId')
  const { startMs, endMs } = spanOf(request)
  const limit = params.limit('limit', 500, listMax)
  await venue.caughtUp()
  return venue.history
    .orders(
      account,
      symbol.symbol,
      limit,
      fromId !== undefined || startMs !== undefined,
      ({ orderId, timeMs }) => orderId >= (fromId ?? 0) && timeMs >= (startMs ?? 0) && timeMs <= endMs,
    )
    .map((order) => orderJson(order, symbol))
}

async function accountTrades(request: ApiRequest): Promise<object[]> {
  const { params, venue, account } = request
  const symbol = venue.symbol(params.required('symbol'))
  const ofOrder = params.whole('orderId')
  const fromId = params.whole('fromId')
  const { startMs, endMs } = spanOf(request)
  const limit = params.limit('limit', 500, listMax)
  if (fromId !== undefined && (startMs !== undefined || params.has('endTime'))) throw errors.badCombination()
  await venue.caughtUp()
  return venue.history
    .trades(
      account,
      symbol.symbol,
      limit,
      fromId !== undefined || startMs !== undefined,
      ({ tradeId, orderId, timeMs }) =>
        tradeId >= (fromId ?? 0) &&
        (ofOrder === undefined || orderId === ofOrder) &&
        timeMs >= (startMs ?? 0) &&
        timeMs <= endMs,
    )
    .map((trade) => accountTradeJson(trade, symbol))
}

function commission({ params, venue, account }: ApiRequest): object {
  const { symbol } = venue.symbol(params.required('symbol'))
  const { maker, taker } = venue.rates(account, symbol)
  return {
    symbol,
    standardCommission: { ...noRates, maker, taker },
    specialCommission: noRates,
    taxCommission: noRates,
    discount: { enabledForAccount: false, enabledForSymbol: false, discountAsset: '', discount: noRate },
  }
}

function orderCounts({ limits, account, nowMs }: ApiRequest): object[] {
  return limits.states('', account, nowMs).filter(({ rateLimitType }) => rateLimitType === 'ORDERS')
}

function myFilters({ params, venue }: ApiRequest): object {
  return {
    exchangeFilters: [],
    symbolFilters: filtersOf(venue.symbol(params.required('symbol'))),
    assetFilters: [],
  }
}

export const accountOperations: readonly Operation[] = [
  {
    method: 'account.status',
    rest: ['GET', '/account'],
    security: 'read',
    weight: 20,
    params: names('omitZeroBalances'),
    run: accountStatus,
  },
  {
    method: 'account.commission',
    rest: ['GET', '/account/commission'],
    security: 'read',
    weight: 20,
    params: names('symbol'),
    run: commission,
  },
  {
    method: 'account.rateLimits.orders',
    rest: ['GET', '/rateLimit/order'],
    security: 'read',
    weight: 40,
    params: names(),
    run: orderCounts,
  },
  {
    method: 'allOrders',
    rest: ['GET', '/allOrders'],
    security: 'read',
    weight: 20,
    params: names('symbol', 'orderId', 'startTime', 'endTime', 'limit'),
    run: allOrders,
  },
  {
    method: 'myTrades',
    rest: ['GET', '/myTrades'],
    security: 'read',
    weight: (params) => (params.has('orderId') ? 5 : 20),
    params: names('symbol', 'orderId', 'startTime', 'endTime', 'fromId', 'limit'),
    run: accountTrades,
  },
  {
    method: 'myPreventedMatches',
    rest: ['GET', '/myPreventedMatches'],
    security: 'read',
    weight: 20,
    params: names('symbol', 'preventedMatchId', 'orderId', 'fromPreventedMatchId', 'limit'),
    run: () => {
      throw errors.unsupported('prevented matches are not kept')
    },
  },
  {
    method: 'myAllocations',
    rest: ['GET', '/myAllocations'],
    security: 'read',
    weight: 20,
    params: names('symbol', 'startTime', 'endTime', 'fromAllocationId', 'limit', 'orderId'),
    run: ({ params, venue }) => {
      venue.symbol(params.required('symbol'))
      return []
    },
  },
  {
    method: 'order.amendments',
    rest: ['GET', '/order/amendments'],
    security: 'read',
    weight: 4,
    params: names('symbol', 'orderId', 'fromExecutionId', 'limit'),
    run: () => {
      throw errors.unsupported('amendments are not kept')
    },
  },
  {
    method: 'myFilters',
    rest: ['GET', '/myFilters'],
    security: 'read',
    weight: 40,
    params: names('symbol'),
    run: myFilters,
  },
]
