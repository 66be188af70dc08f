import { Spot } from '@binance/spot'
import {
  check,
  checkAll,
  done,
  http,
  isDone,
  isList,
  keys,
  ofOrders,
  oldPair,
  pair,
  Seen,
  symbol,
  trade,
  triggering,
  triggeringPair,
  ws,
} from './checks.mjs'

const { apiKey, secret: apiSecret } = keys
const client = new Spot({
  configurationRestAPI: { apiKey, apiSecret, basePath: http },
  configurationWebsocketAPI: { apiKey, apiSecret, wsURL: `${ws}/ws-api/v3` },
  configurationWebsocketStreams: { wsURL: ws },
})
const limit = { symbol, side: 'BUY', type: 'LIMIT', timeInForce: 'GTC', quantity: 0.1, price: 60000 }
const rest = (name, values) => client.restAPI[name](values).then((response) => response.data())

await trade()
const order = await check(
  'newOrder',
  () => rest('newOrder', limit),
  ({ status }) => status === 'NEW',
)
await check(
  'getOrder',
  () => rest('getOrder', { symbol, orderId: order.orderId }),
  ({ status }) => status === 'NEW',
)
await check(
  'getOpenOrders',
  () => rest('getOpenOrders', { symbol }),
  (orders) => orders.length === 1,
)
await check('orderTest', () => rest('orderTest', limit))
await check(
  'orderAmendKeepPriority',
  () => rest('orderAmendKeepPriority', { symbol, orderId: order.orderId, newQty: 0.05 }),
  ({ amendedOrder }) => Number(amendedOrder.origQty) === 0.05,
)
await check(
  'deleteOrder',
  () => rest('deleteOrder', { symbol, orderId: order.orderId }),
  ({ status }) => status === 'CANCELED',
)
await check('deleteOpenOrders', () => rest('deleteOpenOrders', { symbol }), 'Unknown order sent.')
await check(
  'orderCancelReplace',
  () => rest('orderCancelReplace', { ...limit, cancelReplaceMode: 'STOP_ON_FAILURE', cancelOrderId: 1 }),
  'cancel-replace failed',
)
await check(
  'allOrders',
  () => rest('allOrders', { symbol }),
  (orders) => orders.length === 2,
)
await check(
  'myTrades',
  () => rest('myTrades', { symbol }),
  (trades) => trades.length === 1,
)
await check(
  'getAccount',
  () => rest('getAccount', {}),
  ({ canTrade }) => canTrade,
)
await check('accountCommission', () => rest('accountCommission', { symbol }))
await check(
  'rateLimitOrder',
  () => rest('rateLimitOrder', {}),
  ([{ limit: most }]) => most > 0,
)
await check('ping', () => rest('ping'))
await check(
  'time',
  () => rest('time'),
  ({ serverTime }) => serverTime > 0,
)
await check(
  'exchangeInfo',
  () => rest('exchangeInfo', { symbols: [symbol] }),
  ({ symbols }) => symbols.length === 1,
)
await check(
  'depth',
  () => rest('depth', { symbol }),
  ({ lastUpdateId }) => lastUpdateId > 0,
)
for (const name of ['getTrades', 'historicalTrades', 'aggTrades'])
  await check(
    name,
    () => rest(name, { symbol }),
    (trades) => trades.length === 1,
  )
for (const name of ['klines', 'uiKlines'])
  await check(
    name,
    () => rest(name, { symbol, interval: '1d' }),
    (candles) => candles.length === 1,
  )
await check(
  'avgPrice',
  () => rest('avgPrice', { symbol }),
  ({ price }) => Number(price) === 61000,
)
for (const name of ['ticker24hr', 'tickerTradingDay', 'ticker'])
  await check(
    name,
    () => rest(name, { symbol }),
    ({ count }) => count === 1,
  )
await check(
  'tickerPrice',
  () => rest('tickerPrice', {}),
  (prices) => prices.length === 2,
)
await check(
  'tickerBookTicker',
  () => rest('tickerBookTicker', { symbol }),
  (ticker) => ticker.symbol === symbol,
)
await check(
  'orderListOco',
  () =>
    rest('orderListOco', {
      symbol,
      side: 'SELL',
      quantity: 1,
      aboveType: 'LIMIT_MAKER',
      abovePrice: 70000,
      belowType: 'STOP_LOSS',
      belowStopPrice: 50000,
    }),
  ({ orders }) => orders.length === 2,
)
await check(
  'deleteOrderList',
  () => rest('deleteOrderList', { symbol, orderListId: 1 }),
  ({ listOrderStatus }) => listOrderStatus === 'ALL_DONE',
)
await check(
  'myAllocations',
  () => rest('myAllocations', { symbol }),
  (list) => list.length === 0,
)
await check('myPreventedMatches', () => rest('myPreventedMatches', { symbol, orderId: 1 }), 'not kept')
await check('orderAmendments', () => rest('orderAmendments', { symbol, orderId: 1 }), 'not kept')
await check(
  'myFilters',
  () => rest('myFilters', { symbol }),
  ({ symbolFilters }) => symbolFilters.length > 2,
)
await check(
  'allOrderList',
  () => rest('allOrderList', {}),
  (lists) => lists.length === 1,
)

const opo = { ...triggering, anything: 1 }
const sor = { symbol, side: 'BUY', type: 'MARKET', quantity: 0.1 }
const cancelled = { symbol, listClientOrderId: 'mine' }
await checkAll('', [
  ['orderOco', () => rest('orderOco', oldPair), ofOrders(2)],
  ['orderListOto', () => rest('orderListOto', { ...triggering, listClientOrderId: 'mine' }), ofOrders(2)],
  [
    'getOrderList',
    () => rest('getOrderList', { origClientOrderId: 'mine' }),
    ({ orders }) => orders.length === 2,
  ],
  ['openOrderList', () => rest('openOrderList', {}), (lists) => lists.length === 2],
  ['deleteOrderList by name', () => rest('deleteOrderList', cancelled), isDone],
  ['orderListOtoco', () => rest('orderListOtoco', triggeringPair), ofOrders(3)],
  ['deleteOpenOrders of lists', () => rest('deleteOpenOrders', { symbol }), (orders) => orders.length === 2],
  ['orderListOpo', () => rest('orderListOpo', opo), 'OPO orders are not supported'],
  ['orderListOpoco', () => rest('orderListOpoco', triggeringPair), 'OPO orders are not supported'],
  ['sorOrder', () => rest('sorOrder', sor), 'SOR orders are not supported'],
  ['sorOrderTest', () => rest('sorOrderTest', sor), 'SOR orders are not supported'],
  ['executionRules', () => rest('executionRules', { symbol }), 'not supported'],
  ['referencePrice', () => rest('referencePrice', { symbol }), 'not supported'],
  ['referencePriceCalculation', () => rest('referencePriceCalculation', { symbol }), 'not supported'],
  ['historicalBlockTrades', () => rest('historicalBlockTrades', { symbol, fromId: 1 }), isList],
  [
    'newOrder of an amount',
    () => rest('newOrder', { symbol, side: 'BUY', type: 'MARKET', quoteOrderQty: 100 }),
    ({ origQuoteOrderQty }) => Number(origQuoteOrderQty) === 100,
  ],
])

const api = await client.websocketAPI.connect()
const call = (name, values) => api[name](values).then((response) => response.data)
const placed = await check(
  'ws orderPlace',
  () => call('orderPlace', limit),
  ({ status }) => status === 'NEW',
)
await check(
  'ws orderStatus',
  () => call('orderStatus', { symbol, orderId: placed.orderId }),
  ({ status }) => status === 'NEW',
)
await check(
  'ws openOrdersStatus',
  () => call('openOrdersStatus', { symbol }),
  (orders) => orders.length === 1,
)
await check(
  'ws orderCancel',
  () => call('orderCancel', { symbol, orderId: placed.orderId }),
  ({ status }) => status === 'CANCELED',
)
for (const name of ['allOrders', 'myTrades', 'tradesRecent'])
  await check(
    `ws ${name}`,
    () => call(name, { symbol }),
    (list) => list.length > 0,
  )
await check(
  'ws depth',
  () => call('depth', { symbol }),
  ({ lastUpdateId }) => lastUpdateId > 0,
)
await check(
  'ws klines',
  () => call('klines', { symbol, interval: '1d' }),
  (candles) => candles.length === 1,
)
await check(
  'ws accountStatus',
  () => call('accountStatus', {}),
  ({ canTrade }) => canTrade,
)
await check(
  'ws ticker24hr',
  () => call('ticker24hr', { symbol }),
  ({ count }) => count === 1,
)
await check(
  'ws exchangeInfo',
  () => call('exchangeInfo', { symbol }),
  ({ symbols }) => symbols.length === 1,
)
await check(
  'ws time',
  () => call('time'),
  ({ serverTime }) => serverTime > 0,
)
await checkAll('ws ', [
  ['ping', () => call('ping', {})],
  ['orderTest', () => call('orderTest', limit)],
  ['orderListPlace', () => call('orderListPlace', { ...oldPair, listClientOrderId: 'old' }), ofOrders(2)],
  [
    'orderListStatus',
    () => call('orderListStatus', { origClientOrderId: 'old' }),
    ({ orders }) => orders.length === 2,
  ],
  ['openOrderListsStatus', () => call('openOrderListsStatus', {}), (lists) => lists.length === 1],
  ['orderListCancel', () => call('orderListCancel', { symbol, listClientOrderId: 'old' }), isDone],
  ['allOrderLists', () => call('allOrderLists', {}), (lists) => lists.length > 3],
  ['orderListPlaceOco', () => call('orderListPlaceOco', pair), ofOrders(2)],
  ['orderListPlaceOto', () => call('orderListPlaceOto', triggering), ofOrders(2)],
  ['orderListPlaceOtoco', () => call('orderListPlaceOtoco', triggeringPair), ofOrders(3)],
  ['openOrdersCancelAll', () => call('openOrdersCancelAll', { symbol }), (orders) => orders.length === 3],
  ['orderListPlaceOpo', () => call('orderListPlaceOpo', opo), 'OPO orders are not supported'],
  ['orderListPlaceOpoco', () => call('orderListPlaceOpoco', triggeringPair), 'OPO orders are not supported'],
  ['sorOrderPlace', () => call('sorOrderPlace', sor), 'SOR orders are not supported'],
  ['sorOrderTest', () => call('sorOrderTest', sor), 'SOR orders are not supported'],
  [
    'orderCancelReplace',
    () => call('orderCancelReplace', { ...limit, cancelReplaceMode: 'STOP_ON_FAILURE', cancelOrderId: 1 }),
    'cancel-replace failed',
  ],
  [
    'orderAmendKeepPriority',
    () => call('orderAmendKeepPriority', { symbol, orderId: 1, newQty: 0.05 }),
    'Order does not exist.',
  ],
  ['accountCommission', () => call('accountCommission', { symbol }), (rates) => rates.symbol === symbol],
  ['accountRateLimitsOrders', () => call('accountRateLimitsOrders', {}), isList],
  ['myAllocations', () => call('myAllocations', { symbol }), isList],
  ['myFilters', () => call('myFilters', { symbol }), ({ symbolFilters }) => symbolFilters.length > 2],
  ['myPreventedMatches', () => call('myPreventedMatches', { symbol, orderId: 1 }), 'not kept'],
  ['orderAmendments', () => call('orderAmendments', { symbol, orderId: 1 }), 'not kept'],
  ['avgPrice', () => call('avgPrice', { symbol }), ({ price }) => Number(price) > 0],
  ['uiKlines', () => call('uiKlines', { symbol, interval: '1d' }), (candles) => candles.length > 0],
  ['ticker', () => call('ticker', { symbol }), ({ count }) => count > 0],
  ['tickerTradingDay', () => call('tickerTradingDay', { symbol }), ({ count }) => count > 0],
  ['tickerPrice', () => call('tickerPrice', { symbol }), ({ price }) => Number(price) > 0],
  ['tickerBook', () => call('tickerBook', { symbol }), (ticker) => ticker.symbol === symbol],
  ['tradesHistorical', () => call('tradesHistorical', { symbol }), (list) => list.length > 0],
  ['tradesAggregate', () => call('tradesAggregate', { symbol }), (list) => list.length > 0],
  ['blockTradesHistorical', () => call('blockTradesHistorical', { symbol, fromId: 1 }), isList],
  ['executionRules', () => call('executionRules', { symbol }), 'not supported'],
  ['referencePrice', () => call('referencePrice', { symbol }), 'not supported'],
  ['referencePriceCalculation', () => call('referencePriceCalculation', { symbol }), 'not supported'],
  ['sessionStatus', () => call('sessionStatus', {}), ({ serverTime }) => serverTime > 0],
  ['sessionSubscriptions', () => call('sessionSubscriptions', {}), (list) => list.length === 0],
])
// What concerns the session is answered for each of the client's connections.
const each = (name) => api[name]({}).then(([response]) => response.data)
await checkAll('ws ', [
  ['sessionLogon', () => each('sessionLogon'), (session) => session.apiKey === apiKey],
  ['sessionStatus of a session', () => call('sessionStatus', {}), (session) => session.apiKey === apiKey],
  ['sessionLogout', () => each('sessionLogout'), (session) => session.apiKey === null],
])
const seen = new Seen()
await check('ws userDataStreamSubscribeSignature', async () => {
  const { stream } = await api.userDataStreamSubscribeSignature()
  stream.on('message', () => seen.note('user data'))
})
const streams = await client.websocketStreams.connect()
for (const [name, stream] of Object.entries({
  aggTrade: streams.aggTrade({ symbol }),
  trade: streams.trade({ symbol }),
  diffBookDepth: streams.diffBookDepth({ symbol, updateSpeed: '100ms' }),
  partialBookDepth: streams.partialBookDepth({ symbol, levels: '5' }),
  kline: streams.kline({ symbol, interval: '1s' }),
  ticker: streams.ticker({ symbol }),
  miniTicker: streams.miniTicker({ symbol }),
  bookTicker: streams.bookTicker({ symbol }),
  allMiniTicker: streams.allMiniTicker(),
  rollingWindowTicker: streams.rollingWindowTicker({ symbol, windowSize: '1h' }),
  allMarketRollingWindowTicker: streams.allMarketRollingWindowTicker({ windowSize: '1h' }),
  averagePrice: streams.avgPrice({ symbol }),
}))
  stream.on('message', () => seen.note(name))
await seen.expect([
  'user data',
  'aggTrade',
  'trade',
  'diffBookDepth',
  'partialBookDepth',
  'kline',
  'ticker',
  'miniTicker',
  'bookTicker',
  'allMiniTicker',
  'rollingWindowTicker',
  'allMarketRollingWindowTicker',
  'averagePrice',
])
await check('ws userDataStreamUnsubscribe', () => call('userDataStreamUnsubscribe', {}))
await check(
  'ws sessionSubscriptions after the last',
  () => call('sessionSubscriptions', {}),
  (list) => list.length === 0,
)
done()
