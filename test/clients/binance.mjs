import binance from 'binance'
import { check, done, http, keys, Seen, sleep, symbol, trade, ws } from './checks.mjs'

const { MainClient, WebsocketAPIClient, WebsocketClient } = binance
const quiet = { trace() {}, info() {}, error() {} }
const options = { api_key: keys.apiKey, api_secret: keys.secret }
const rest = new MainClient({ ...options, baseUrl: http })
const limit = { symbol, side: 'BUY', type: 'LIMIT', timeInForce: 'GTC', quantity: 0.1, price: 60000 }

await trade()
await check(
  'getExchangeInfo',
  () => rest.getExchangeInfo(),
  ({ symbols }) => symbols.some((one) => one.symbol === symbol),
)
const order = await check(
  'submitNewOrder',
  () => rest.submitNewOrder(limit),
  ({ status }) => status === 'NEW',
)
await check(
  'getOrder',
  () => rest.getOrder({ symbol, orderId: order.orderId }),
  ({ origQty }) => Number(origQty) === 0.1,
)
await check(
  'getOpenOrders',
  () => rest.getOpenOrders({ symbol }),
  (orders) => orders.length === 1,
)
await check(
  'testNewOrder',
  () => rest.testNewOrder(limit),
  (answer) => Object.keys(answer).length === 0,
)
const { newOrderResponse } = await check(
  'replaceOrder',
  () =>
    rest.replaceOrder({
      ...limit,
      price: 59000,
      cancelReplaceMode: 'STOP_ON_FAILURE',
      cancelOrderId: order.orderId,
    }),
  ({ newOrderResult }) => newOrderResult === 'SUCCESS',
)
await check(
  'cancelOrder',
  () => rest.cancelOrder({ symbol, orderId: newOrderResponse.orderId }),
  ({ status }) => status === 'CANCELED',
)
await rest.submitNewOrder(limit)
await check(
  'cancelAllSymbolOrders',
  () => rest.cancelAllSymbolOrders({ symbol }),
  (orders) => orders.length === 1,
)
await check(
  'getAllOrders',
  () => rest.getAllOrders({ symbol }),
  (orders) => orders.length === 4,
)
await check(
  'getAccountTradeList',
  () => rest.getAccountTradeList({ symbol }),
  (trades) => trades.length === 1,
)
await check(
  'getAccountInformation',
  () => rest.getAccountInformation(),
  ({ canTrade }) => canTrade,
)
await check(
  'getOrderBook',
  () => rest.getOrderBook({ symbol }),
  ({ lastUpdateId }) => lastUpdateId > 0,
)
for (const name of ['getRecentTrades', 'getHistoricalTrades', 'getAggregateTrades'])
  await check(
    name,
    () => rest[name]({ symbol }),
    (trades) => trades.length === 1,
  )
for (const name of ['getKlines', 'getUIKlines'])
  await check(
    name,
    () => rest[name]({ symbol, interval: '1d' }),
    (candles) => candles.length === 1,
  )
await check(
  'getAvgPrice',
  () => rest.getAvgPrice({ symbol }),
  ({ price }) => Number(price) === 61000,
)
await check(
  'get24hrChangeStatistics',
  () => rest.get24hrChangeStatistics({ symbol }),
  ({ count }) => count === 1,
)
await check(
  'getTradingDayTicker',
  () => rest.getTradingDayTicker({ symbol }),
  ({ count }) => count === 1,
)
await check(
  'getRollingWindowTicker',
  () => rest.getRollingWindowTicker({ symbol, windowSize: '1h' }),
  ({ count }) => count === 1,
)
await check(
  'getSymbolPriceTicker',
  () => rest.getSymbolPriceTicker({ symbol }),
  ({ price }) => Number(price) === 61000,
)
await check(
  'getSymbolOrderBookTicker',
  () => rest.getSymbolOrderBookTicker({ symbol }),
  (ticker) => ticker.symbol === symbol,
)
await check('testConnectivity', () => rest.testConnectivity())
await check(
  'getCommissionRates',
  () => rest.getCommissionRates({ symbol }),
  ({ standardCommission }) => Number(standardCommission.maker) === 0,
)
await check(
  'getOrderRateLimit',
  () => rest.getOrderRateLimit(),
  ([{ limit: most }]) => most > 0,
)
await check(
  'getAllOpenOCO',
  () => rest.getAllOpenOCO(),
  (lists) => lists.length === 0,
)
await check('getOCO', () => rest.getOCO({ orderListId: 1 }), 'Order list does not exist.')

const seen = new Seen()
const streams = new WebsocketClient({ ...options, wsUrl: ws }, quiet)
streams.on('message', (message) => seen.note(message.e ?? (message.u ? 'bookTicker' : 'other')))
streams.subscribe(
  ['trade', 'aggTrade', 'depth@100ms', 'bookTicker', 'kline_1s', 'miniTicker', 'ticker'].map(
    (kind) => `btcusdt@${kind}`,
  ),
  'main',
)
await seen.expect(['trade', 'aggTrade', 'depthUpdate', 'bookTicker', 'kline', '24hrMiniTicker', '24hrTicker'])
streams.closeAll(true)

const api = new WebsocketAPIClient({ ...options, wsUrl: ws }, quiet)
const result = (promise) => promise.then((answer) => answer.result)
await check('ws testSpotConnectivity', () => result(api.testSpotConnectivity()))
await check(
  'ws submitNewSpotOrder',
  () => result(api.submitNewSpotOrder({ ...limit, timestamp: Date.now() })),
  ({ status }) => status === 'NEW',
)
await check(
  'ws getSpotOpenOrders',
  () => result(api.getSpotOpenOrders({ symbol, timestamp: Date.now() })),
  (orders) => orders.length === 1,
)
await check(
  'ws cancelAllSpotOpenOrders',
  () => result(api.cancelAllSpotOpenOrders({ symbol, timestamp: Date.now() })),
  (orders) => orders.length === 1,
)
await check(
  'ws getSpotOrderBook',
  () => result(api.getSpotOrderBook({ symbol })),
  ({ lastUpdateId }) => lastUpdateId > 0,
)
await check(
  'ws getSpotAccountInformation',
  () => result(api.getSpotAccountInformation({ timestamp: Date.now() })),
  ({ canTrade }) => canTrade,
)
const users = new Seen()
api.getWSClient().on('message', (message) => users.note(message.event?.e ?? message.e ?? 'other'))
await check('ws subscribeUserDataStream', () => api.subscribeUserDataStream('mainWSAPI'))
await users.expect(['executionReport'])
await sleep(10)
done()
