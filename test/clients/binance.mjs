import binance from 'binance'
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
  sleep,
  symbol,
  trade,
  triggering,
  triggeringPair,
  ws,
} from './checks.mjs'

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
let listenKey
const sor = { symbol, side: 'BUY', type: 'MARKET', quantity: 0.1 }
const amount = { symbol, side: 'BUY', type: 'MARKET', quoteOrderQty: 100 }
await checkAll('', [
  ['submitNewOCO', () => rest.submitNewOCO({ ...oldPair, listClientOrderId: 'mine' }), ofOrders(2)],
  ['getOCO by name', () => rest.getOCO({ origClientOrderId: 'mine' }), ({ orders }) => orders.length === 2],
  ['cancelOCO', () => rest.cancelOCO({ symbol, listClientOrderId: 'mine' }), isDone],
  ['getAllOCO', () => rest.getAllOCO(), (lists) => lists.length === 1],
  ['submitNewOrderList', () => rest.submitNewOrderList(pair), ofOrders(2)],
  ['submitNewOrderListOTO', () => rest.submitNewOrderListOTO(triggering), ofOrders(2)],
  ['submitNewOrderListOTOCO', () => rest.submitNewOrderListOTOCO(triggeringPair), ofOrders(3)],
  [
    'cancelAllSymbolOrders of lists',
    () => rest.cancelAllSymbolOrders({ symbol }),
    (list) => list.length === 3,
  ],
  ['submitNewOrderListOPO', () => rest.submitNewOrderListOPO(triggering), 'OPO orders are not supported'],
  [
    'submitNewOrderListOPOCO',
    () => rest.submitNewOrderListOPOCO(triggeringPair),
    'OPO orders are not supported',
  ],
  ['submitNewSOROrder', () => rest.submitNewSOROrder(sor), 'SOR orders are not supported'],
  ['testNewSOROrder', () => rest.testNewSOROrder(sor), 'SOR orders are not supported'],
  [
    'submitNewOrder of an amount',
    () => rest.submitNewOrder(amount),
    ({ origQuoteOrderQty: sent }) => Number(sent) === 100,
  ],
  ['getPreventedMatches', () => rest.getPreventedMatches({ symbol, orderId: 1 }), 'not kept'],
  [
    'amendOrderKeepPriority',
    () => rest.amendOrderKeepPriority({ symbol, orderId: 999_999, newQty: 0.05 }),
    // It asks for it among the routes of futures.
    'there is no such route',
  ],
  [
    'getSpotUserDataListenKey',
    () => rest.getSpotUserDataListenKey(),
    ({ listenKey: made }) => (listenKey = made),
  ],
  ['keepAliveSpotUserDataListenKey', () => rest.keepAliveSpotUserDataListenKey(listenKey)],
  ['closeSpotUserDataListenKey', () => rest.closeSpotUserDataListenKey(listenKey)],
  ['getAllocations', () => rest.getAllocations({ symbol }), isList],
  ['getExecutionRules', () => rest.getExecutionRules({ symbol }), 'not supported'],
  ['getReferencePrice', () => rest.getReferencePrice({ symbol }), 'not supported'],
  ['getReferencePriceCalculation', () => rest.getReferencePriceCalculation({ symbol }), 'not supported'],
  ['getHistoricalBlockTrades', () => rest.getHistoricalBlockTrades({ symbol, fromId: 1 }), isList],
])

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
const now = () => ({ timestamp: Date.now() })
await checkAll('ws ', [
  ['getSpotServerTime', () => result(api.getSpotServerTime()), ({ serverTime }) => serverTime > 0],
  [
    'getSpotExchangeInfo',
    () => result(api.getSpotExchangeInfo({ symbol })),
    ({ symbols }) => symbols.length === 1,
  ],
  ['getSpotRecentTrades', () => result(api.getSpotRecentTrades({ symbol })), (list) => list.length > 0],
  [
    'getSpotHistoricalTrades',
    () => result(api.getSpotHistoricalTrades({ symbol })),
    (list) => list.length > 0,
  ],
  ['getSpotAggregateTrades', () => result(api.getSpotAggregateTrades({ symbol })), (list) => list.length > 0],
  [
    'getSpotHistoricalBlockTrades',
    () => result(api.getSpotHistoricalBlockTrades({ symbol, fromId: 1 })),
    isList,
  ],
  ['getSpotKlines', () => result(api.getSpotKlines({ symbol, interval: '1d' })), (list) => list.length > 0],
  [
    'getSpotUIKlines',
    () => result(api.getSpotUIKlines({ symbol, interval: '1d' })),
    (list) => list.length > 0,
  ],
  [
    'getSpotAveragePrice',
    () => result(api.getSpotAveragePrice({ symbol })),
    ({ price }) => Number(price) > 0,
  ],
  [
    'getSpotTradingDayTicker',
    () => result(api.getSpotTradingDayTicker({ symbol })),
    ({ count }) => count > 0,
  ],
  ['getSpot24hrTicker', () => result(api.getSpot24hrTicker({ symbol })), ({ count }) => count > 0],
  ['getSpotTicker', () => result(api.getSpotTicker({ symbol })), ({ count }) => count > 0],
  [
    'getSpotSymbolPriceTicker',
    () => result(api.getSpotSymbolPriceTicker({ symbol })),
    ({ price }) => Number(price) > 0,
  ],
  [
    'getSpotSymbolOrderBookTicker',
    () => result(api.getSpotSymbolOrderBookTicker({ symbol })),
    (one) => one.symbol === symbol,
  ],
  ['getSpotSessionStatus', () => result(api.getSpotSessionStatus()), ({ serverTime }) => serverTime > 0],
  ['testSpotOrder', () => result(api.testSpotOrder({ ...limit, ...now() }))],
  [
    'placeSpotOrderList',
    () => result(api.placeSpotOrderList({ ...oldPair, listClientOrderId: 'old', ...now() })),
    ofOrders(2),
  ],
  [
    'getSpotOrderListStatus',
    () => result(api.getSpotOrderListStatus({ origClientOrderId: 'old', ...now() })),
    ({ orders }) => orders.length === 2,
  ],
  ['getSpotOpenOrderLists', () => result(api.getSpotOpenOrderLists(now())), (lists) => lists.length === 1],
  [
    'cancelSpotOrderList',
    () => result(api.cancelSpotOrderList({ symbol, listClientOrderId: 'old', ...now() })),
    isDone,
  ],
  ['getSpotAllOrderLists', () => result(api.getSpotAllOrderLists(now())), (lists) => lists.length > 4],
  ['placeSpotOCOOrderList', () => result(api.placeSpotOCOOrderList({ ...pair, ...now() })), ofOrders(2)],
  [
    'placeSpotOTOOrderList',
    () => result(api.placeSpotOTOOrderList({ ...triggering, ...now() })),
    ofOrders(2),
  ],
  [
    'placeSpotOTOCOOrderList',
    () => result(api.placeSpotOTOCOOrderList({ ...triggeringPair, ...now() })),
    ofOrders(3),
  ],
  [
    'cancelAllSpotOpenOrders of lists',
    () => result(api.cancelAllSpotOpenOrders({ symbol, ...now() })),
    (list) => list.length === 3,
  ],
  [
    'placeSpotOPOOrderList',
    () => result(api.placeSpotOPOOrderList({ ...triggering, ...now() })),
    'OPO orders are not supported',
  ],
  [
    'placeSpotOPOCOOrderList',
    () => result(api.placeSpotOPOCOOrderList({ ...triggeringPair, ...now() })),
    'OPO orders are not supported',
  ],
  [
    'placeSpotSOROrder',
    () => result(api.placeSpotSOROrder({ ...sor, ...now() })),
    'SOR orders are not supported',
  ],
  [
    'testSpotSOROrder',
    () => result(api.testSpotSOROrder({ ...sor, ...now() })),
    'SOR orders are not supported',
  ],
  [
    'getSpotOrderStatus',
    () => result(api.getSpotOrderStatus({ symbol, orderId: 999_999, ...now() })),
    'Order does not exist.',
  ],
  [
    'cancelSpotOrder',
    () => result(api.cancelSpotOrder({ symbol, orderId: 999_999, ...now() })),
    'Unknown order sent.',
  ],
  [
    'cancelReplaceSpotOrder',
    () =>
      result(
        api.cancelReplaceSpotOrder({
          ...limit,
          cancelReplaceMode: 'STOP_ON_FAILURE',
          cancelOrderId: 999_999,
          ...now(),
        }),
      ),
    'cancel-replace failed',
  ],
  [
    'amendSpotOrderKeepPriority',
    () => result(api.amendSpotOrderKeepPriority({ symbol, orderId: 999_999, newQty: 0.05, ...now() })),
    // It names every amended order anew; here an order keeps its name.
    "Parameter 'newClientOrderId' sent when not required.",
  ],
  [
    'getSpotPreventedMatches',
    () => result(api.getSpotPreventedMatches({ symbol, orderId: 1, ...now() })),
    'not kept',
  ],
  ['getSpotExecutionRules', () => result(api.getSpotExecutionRules({ symbol })), 'not supported'],
  ['getSpotReferencePrice', () => result(api.getSpotReferencePrice({ symbol })), 'not supported'],
  [
    'getSpotReferencePriceCalculation',
    () => result(api.getSpotReferencePriceCalculation({ symbol })),
    'not supported',
  ],
  ['getSpotOrderRateLimits', () => result(api.getSpotOrderRateLimits(now())), isList],
  ['getSpotAllOrders', () => result(api.getSpotAllOrders({ symbol, ...now() })), (list) => list.length > 5],
  ['getSpotMyTrades', () => result(api.getSpotMyTrades({ symbol, ...now() })), (list) => list.length > 0],
  ['getSpotAllocations', () => result(api.getSpotAllocations({ symbol, ...now() })), isList],
  [
    'getSpotAccountCommission',
    () => result(api.getSpotAccountCommission({ symbol, ...now() })),
    (one) => one.symbol === symbol,
  ],
])
const users = new Seen()
api.getWSClient().on('message', (message) => users.note(message.event?.e ?? message.e ?? 'other'))
await check('ws subscribeUserDataStream', () => api.subscribeUserDataStream('mainWSAPI'))
await users.expect(['executionReport'])
await sleep(10)
done()
