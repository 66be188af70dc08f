import Binance from 'node-binance-api'
import { check, checkAll, done, http, keys, ofOrders, pair, Seen, symbol, trade, ws } from './checks.mjs'

const client = new (Binance.default ?? Binance)().options({
  APIKEY: keys.apiKey,
  APISECRET: keys.secret,
  urls: { base: `${http}/api/`, stream: `${ws}/ws/`, combineStream: `${ws}/stream?streams=` },
})
client.wsApi = `${ws}/ws-api/v3`

await trade()
const order = await check(
  'buy',
  () => client.buy(symbol, 0.1, 60000),
  ({ status }) => status === 'NEW',
)
await check(
  'orderStatus',
  () => client.orderStatus(symbol, order.orderId),
  ({ status }) => status === 'NEW',
)
await check(
  'openOrders',
  () => client.openOrders(symbol),
  (orders) => orders.length === 1,
)
await check(
  'cancel',
  () => client.cancel(symbol, order.orderId),
  ({ status }) => status === 'CANCELED',
)
await check(
  'marketBuy',
  () => client.marketBuy(symbol, 0.01),
  ({ status }) => status === 'EXPIRED',
)
await client.sell(symbol, 0.1, 70000)
await check(
  'cancelAll',
  () => client.cancelAll(symbol),
  (orders) => orders.length === 1,
)
await check(
  'prices',
  () => client.prices(),
  (prices) => Number(prices[symbol]) === 61000,
)
await check(
  'bookTickers',
  () => client.bookTickers(),
  (tickers) => tickers[symbol] !== undefined,
)
await check(
  'depth',
  () => client.depth(symbol),
  ({ lastUpdateId }) => lastUpdateId > 0,
)
await check(
  'trades',
  () => client.trades(symbol),
  (trades) => trades.length === 1,
)
for (const name of ['aggTrades', 'historicalTrades', 'recentTrades'])
  await check(
    name,
    () => client[name](symbol),
    (trades) => trades.length === 1,
  )
await check(
  'candlesticks',
  () => client.candlesticks(symbol, '1d'),
  (candles) => candles.length === 1,
)
await check(
  'prevDay',
  () => client.prevDay(symbol),
  ({ count }) => count === 1,
)
await check(
  'avgPrice',
  () => client.avgPrice(symbol),
  ({ price }) => Number(price) === 61000,
)
await check(
  'exchangeInfo',
  () => client.exchangeInfo(),
  ({ symbols }) => symbols.length === 2,
)
await check(
  'time',
  () => client.time(),
  ({ serverTime }) => serverTime > 0,
)
await check('ping', () => client.ping())
await check(
  'allOrders',
  () => client.allOrders(symbol),
  (orders) => orders.length === 4,
)
await check(
  'account',
  () => client.account(),
  ({ canTrade }) => canTrade,
)
await check(
  'balance',
  () => client.balance(),
  ({ USDT }) => USDT.available === '1000' && USDT.onOrder === '10',
)
const { symbol: _, side, quantity, ...legs } = pair
await checkAll('', [
  ['ocoOrder', () => client.ocoOrder(side, symbol, quantity, legs), ofOrders(2)],
  ['cancelAllOrders', () => client.cancelAllOrders(symbol), (orders) => orders.length === 1],
  ['limitOrder', () => client.limitOrder('BUY', symbol, 0.1, 50000), ({ status }) => status === 'NEW'],
  ['sell', () => client.sell(symbol, 0.1, 70000), ({ status }) => status === 'NEW'],
  ['order stop', () => client.order('STOP_LOSS', 'SELL', symbol, 0.1, 0, { stopPrice: 40000 })],
  [
    'order take-profit',
    () => client.order('TAKE_PROFIT_LIMIT', 'SELL', symbol, 0.1, 80000, { stopPrice: 79000 }),
  ],
  [
    'marketBuyWithCost',
    () => client.marketBuyWithCost(symbol, 100),
    ({ status }) => status === 'EXPIRED' || status === 'FILLED',
  ],
  [
    'marketSellWithCost',
    () => client.marketSellWithCost(symbol, 100),
    ({ status }) => status === 'EXPIRED' || status === 'FILLED',
  ],
  ['marketSell', () => client.marketSell(symbol, 0.01), ({ status }) => status === 'FILLED'],
  ['cancelAll of all kinds', () => client.cancelAll(symbol), (orders) => orders.length === 4],
])

const seen = new Seen()
const note = (name) => () => seen.note(name)
client.websockets.trades([symbol], note('trades'))
client.websockets.aggTrades([symbol], note('aggTrades'))
client.websockets.depth([symbol], note('depth'))
client.websockets.depthCache([symbol], note('depthCache'))
client.websockets.candlesticks([symbol], '1m', note('candlesticks'))
client.websockets.bookTickers(symbol, note('bookTickers'))
client.websockets.prevDay(symbol, note('prevDay'))
client.websockets.miniTicker(note('miniTicker'))
client.websockets.userData(note('userData'), note('userOrders'))
await seen.expect([
  'trades',
  'aggTrades',
  'depth',
  'depthCache',
  'candlesticks',
  'bookTickers',
  'prevDay',
  'miniTicker',
  'userData',
])
done()
