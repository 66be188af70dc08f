import { Spot } from '@binance/spot'
import { check, done, http, keys, Seen, symbol, trade, ws } from './checks.mjs'

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
])
done()
