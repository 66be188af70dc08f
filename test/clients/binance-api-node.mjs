import binance from 'binance-api-node'
import { check, checkAll, done, http, isDone, isList, keys, Seen, symbol, trade, ws } from './checks.mjs'

const make = binance.default ?? binance
const client = make({
  apiKey: keys.apiKey,
  apiSecret: keys.secret,
  httpBase: http,
  wsBase: `${ws}/ws`,
  wsApi: `${ws}/ws-api/v3`,
})
const limit = { symbol, side: 'BUY', type: 'LIMIT', timeInForce: 'GTC', quantity: '0.1', price: '60000' }

await trade()
await check(
  'exchangeInfo',
  () => client.exchangeInfo(),
  ({ symbols }) => symbols.some((one) => one.symbol === symbol),
)
await check('ping', () => client.ping())
await check(
  'time',
  () => client.time(),
  (time) => Math.abs(time - Date.now()) < 60_000,
)
const order = await check(
  'order',
  () => client.order(limit),
  ({ status }) => status === 'NEW',
)
await check('orderTest', () => client.orderTest(limit))
await check(
  'getOrder',
  () => client.getOrder({ symbol, orderId: order.orderId }),
  ({ status }) => status === 'NEW',
)
await check(
  'openOrders',
  () => client.openOrders({ symbol }),
  (orders) => orders.length === 1,
)
await check(
  'cancelOrder',
  () => client.cancelOrder({ symbol, orderId: order.orderId }),
  ({ status }) => status === 'CANCELED',
)
await client.order(limit)
await check(
  'cancelOpenOrders',
  () => client.cancelOpenOrders({ symbol }),
  (orders) => orders.length === 1,
)
await check(
  'orderOco',
  () =>
    client.orderOco({
      symbol,
      side: 'SELL',
      quantity: 1,
      price: 70000,
      stopPrice: 50000,
      stopLimitPrice: 49000,
      stopLimitTimeInForce: 'GTC',
    }),
  ({ orderReports }) => orderReports.length === 2,
)
await client.cancelOpenOrders({ symbol })
await check(
  'book',
  () => client.book({ symbol }),
  ({ lastUpdateId }) => lastUpdateId > 0,
)
await check(
  'candles',
  () => client.candles({ symbol, interval: '1d' }),
  (candles) => candles.length === 1,
)
for (const name of ['aggTrades', 'trades', 'tradesHistory', 'myTrades'])
  await check(
    name,
    () => client[name]({ symbol }),
    (trades) => trades.length === 1,
  )
await check(
  'dailyStats',
  () => client.dailyStats({ symbol }),
  ({ count }) => count === 1,
)
await check(
  'avgPrice',
  () => client.avgPrice({ symbol }),
  ({ price }) => Number(price) === 61000,
)
await check(
  'prices',
  () => client.prices(),
  (prices) => Number(prices[symbol]) === 61000,
)
await check(
  'allBookTickers',
  () => client.allBookTickers(),
  (tickers) => tickers[symbol] !== undefined,
)
await check(
  'allOrders',
  () => client.allOrders({ symbol }),
  (orders) => orders.length === 5,
)
await check(
  'accountInfo',
  () => client.accountInfo(),
  ({ canTrade }) => canTrade,
)
const oco = { symbol, side: 'SELL', quantity: 0.1, price: 70000, stopPrice: 50000 }
await checkAll('', [
  [
    'orderOco of a stop',
    () => client.orderOco({ ...oco, listClientOrderId: 'mine' }),
    ({ orders }) => orders.length === 2,
  ],
  [
    'getOrderOco',
    () => client.getOrderOco({ origClientOrderId: 'mine' }),
    ({ orders }) => orders.length === 2,
  ],
  ['cancelOrderOco', () => client.cancelOrderOco({ symbol, listClientOrderId: 'mine' }), isDone],
  ['allOrdersOCO', () => client.allOrdersOCO(), (lists) => lists.length === 2],
  [
    'order of an amount',
    () => client.order({ symbol, side: 'BUY', type: 'MARKET', quoteOrderQty: '100' }),
    ({ origQuoteOrderQty }) => Number(origQuoteOrderQty) === 100,
  ],
  [
    'order stop',
    () => client.order({ symbol, side: 'SELL', type: 'STOP_LOSS', quantity: '0.1', stopPrice: '50000' }),
  ],
  [
    'order take-profit',
    () =>
      client.order({
        symbol,
        side: 'SELL',
        type: 'TAKE_PROFIT_LIMIT',
        timeInForce: 'GTC',
        quantity: '0.1',
        price: '70000',
        stopPrice: '69000',
      }),
  ],
  [
    'order maker',
    () => client.order({ symbol, side: 'BUY', type: 'LIMIT_MAKER', quantity: '0.1', price: '40000' }),
  ],
  ['cancelOpenOrders of all kinds', () => client.cancelOpenOrders({ symbol }), (list) => list.length === 3],
  ['publicRequest', () => client.publicRequest('GET', '/api/v3/ping', {})],
  ['privateRequest', () => client.privateRequest('GET', '/api/v3/openOrderList', {}), isList],
])

const seen = new Seen()
const note = (name) => () => seen.note(name)
client.ws.depth(symbol, note('depth'))
client.ws.partialDepth({ symbol, level: 10 }, note('partialDepth'))
client.ws.trades(symbol, note('trades'))
client.ws.aggTrades(symbol, note('aggTrades'))
client.ws.candles(symbol, '1s', note('candles'))
client.ws.ticker(symbol, note('ticker'))
client.ws.miniTicker(symbol, note('miniTicker'))
client.ws.bookTicker(symbol, note('bookTicker'))
client.ws.allTickers(note('allTickers'))
client.ws.allMiniTickers(note('allMiniTickers'))
await check('ws.user', () => client.ws.user((event) => seen.note(event.eventType)))
await seen.expect([
  'depth',
  'partialDepth',
  'trades',
  'aggTrades',
  'candles',
  'ticker',
  'miniTicker',
  'bookTicker',
  'allTickers',
  'allMiniTickers',
  'executionReport',
])
done()
