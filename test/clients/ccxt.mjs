import ccxt from 'ccxt'
import {
  check,
  checkAll,
  done,
  http,
  isDone,
  keys,
  ofOrders,
  others,
  pair,
  sleep,
  trade,
  triggering,
  triggeringPair,
  ws,
} from './checks.mjs'

function make({ apiKey, secret }) {
  const client = new ccxt.pro.binance({
    apiKey,
    secret,
    enableRateLimit: false,
    options: { fetchMarkets: { types: ['spot'] }, fetchCurrencies: false, fetchMargins: false },
  })
  client.urls.api.public = client.urls.api.private = `${http}/api/v3`
  client.urls.api.ws.spot = `${ws}/stream`
  client.urls.api.ws['ws-api'].spot = `${ws}/ws-api/v3`
  return client
}

const symbol = 'BTC/USDT'
const mine = make(keys)
const theirs = make(others)
await mine.loadHttpProxyAgent()
await check(
  'loadMarkets',
  () => mine.loadMarkets(),
  (markets) => markets[symbol].precision.price === 0.01 && markets[symbol].active,
)
await theirs.loadMarkets()
const order = await check(
  'createOrder limit',
  () => mine.createOrder(symbol, 'limit', 'buy', 0.5, 60000),
  ({ status }) => status === 'open',
)
await check(
  'createOrder market',
  () => theirs.createOrder(symbol, 'market', 'sell', 0.1),
  ({ status, average }) => status === 'closed' && average === 60000,
)
await check(
  'fetchOrder',
  () => mine.fetchOrder(order.id, symbol),
  ({ filled, remaining }) => filled === 0.1 && remaining === 0.4,
)
await check(
  'fetchOpenOrders',
  () => mine.fetchOpenOrders(symbol),
  (orders) => orders.length === 1,
)
await check(
  'fetchOrders',
  () => mine.fetchOrders(symbol),
  (orders) => orders.length === 1,
)
await check(
  'fetchOrderTrades',
  () => mine.fetchOrderTrades(order.id, symbol),
  (trades) => trades.length === 1 && trades[0].takerOrMaker === 'maker',
)
await check(
  'fetchMyTrades',
  () => theirs.fetchMyTrades(symbol),
  (trades) => trades[0].amount === 0.1 && trades[0].side === 'sell',
)
const edited = await check(
  'editOrder',
  () => mine.editOrder(order.id, symbol, 'limit', 'buy', 0.3, 59000),
  ({ price }) => price === 59000,
)
await check(
  'createOrder postOnly',
  () => mine.createOrder(symbol, 'limit', 'buy', 0.1, 58000, { postOnly: true }),
  ({ id }) => id !== undefined,
)
await check(
  'createOrder stop-limit',
  () => mine.createOrder(symbol, 'limit', 'sell', 0.1, 50000, { stopPrice: 51000 }),
  ({ id }) => id !== undefined,
)
await check(
  'createOrder stop',
  () => mine.createOrder(symbol, 'market', 'sell', 0.1, undefined, { stopLossPrice: 51000 }),
  ({ id }) => id !== undefined,
)
await check(
  'createOrder take-profit',
  () => mine.createOrder(symbol, 'market', 'sell', 0.1, undefined, { takeProfitPrice: 71000 }),
  ({ id }) => id !== undefined,
)
await check(
  'createOrder IOC',
  () => theirs.createOrder(symbol, 'limit', 'sell', 0.01, 59000, { timeInForce: 'IOC' }),
  ({ status }) => status === 'closed',
)
await check(
  'createOrder FOK',
  () => theirs.createOrder(symbol, 'limit', 'sell', 90, 59000, { timeInForce: 'FOK' }),
  ({ status }) => status === 'expired',
)
await check(
  'cancelOrder',
  () => mine.cancelOrder(edited.id, symbol),
  ({ status }) => status === 'canceled',
)
await check('cancelOrder of none', () => mine.cancelOrder('999999', symbol), 'Unknown order sent.')
await check(
  'cancelAllOrders',
  () => mine.cancelAllOrders(symbol),
  (orders) => orders.length === 4,
)
await check(
  'fetchCanceledOrders',
  () => mine.fetchCanceledOrders(symbol),
  (orders) => orders.length === 6,
)
await check(
  'fetchBalance',
  () => mine.fetchBalance(),
  ({ info }) => info.canTrade,
)
await check(
  'fetchTime',
  () => mine.fetchTime(),
  (time) => Math.abs(time - Date.now()) < 60_000,
)
await check(
  'fetchOrderBook',
  () => mine.fetchOrderBook(symbol, 5),
  ({ bids, asks }) => bids.length === 0 && asks.length === 0,
)
await check(
  'fetchTicker',
  () => mine.fetchTicker(symbol),
  ({ last }) => last === 59000,
)
await check(
  'fetchTickers',
  () => mine.fetchTickers([symbol]),
  (tickers) => tickers[symbol].high === 60000,
)
await check(
  'fetchLastPrices',
  () => mine.fetchLastPrices([symbol]),
  (prices) => prices[symbol].price === 59000,
)
await check(
  'fetchBidsAsks',
  () => mine.fetchBidsAsks([symbol]),
  (tickers) => tickers[symbol] !== undefined,
)
await check(
  'fetchTrades',
  () => mine.fetchTrades(symbol),
  (trades) => trades.length === 2 && trades[1].price === 59000,
)
await check(
  'fetchOHLCV',
  () => mine.fetchOHLCV(symbol, '1d'),
  ([[, open, high, low, close]]) => open === 60000 && high === 60000 && low === 59000 && close === 59000,
)
const closed = ({ status }) => status === 'closed'
const isOpen = ({ id }) => id !== undefined
await mine.createOrder(symbol, 'limit', 'sell', 5, 60000)
await checkAll('', [
  [
    'createOrder cost',
    () => theirs.createOrder(symbol, 'market', 'buy', undefined, undefined, { cost: 600 }),
    closed,
  ],
  ['createMarketOrderWithCost', () => theirs.createMarketOrderWithCost(symbol, 'buy', 600), closed],
  ['createMarketBuyOrderWithCost', () => theirs.createMarketBuyOrderWithCost(symbol, 600), closed],
  ['createLimitBuyOrder', () => theirs.createLimitBuyOrder(symbol, 0.01, 60000), closed],
  ['createMarketBuyOrder', () => theirs.createMarketBuyOrder(symbol, 0.01), closed],
  ['createPostOnlyOrder', () => mine.createPostOnlyOrder(symbol, 'limit', 'buy', 0.1, 50000), isOpen],
  [
    'createStopLossOrder',
    () => mine.createStopLossOrder(symbol, 'market', 'sell', 0.1, undefined, 50000),
    isOpen,
  ],
  [
    'createTakeProfitOrder',
    () => mine.createTakeProfitOrder(symbol, 'market', 'sell', 0.1, undefined, 70000),
    isOpen,
  ],
  ['createTriggerOrder', () => mine.createTriggerOrder(symbol, 'limit', 'sell', 0.1, 49000, 50000), isOpen],
  [
    'createOrder trailing',
    () =>
      mine.createOrder(symbol, 'limit', 'sell', 0.1, 40000, {
        trailingPercent: 1,
        stopLossOrTakeProfit: 'stopLoss',
      }),
    isOpen,
  ],
  ['fetchClosedOrders', () => theirs.fetchClosedOrders(symbol), (orders) => orders.length > 4],
  [
    'fetchCanceledAndClosedOrders',
    () => mine.fetchCanceledAndClosedOrders(symbol),
    (orders) => orders.length > 4,
  ],
  ['fetchMarkets', () => mine.fetchMarkets(), (markets) => markets.length === 2],
  [
    'privatePostOrderListOco',
    () => mine.privatePostOrderListOco({ ...pair, listClientOrderId: 'mine' }),
    ofOrders(2),
  ],
  [
    'privateGetOrderList',
    () => mine.privateGetOrderList({ origClientOrderId: 'mine' }),
    ({ orders }) => orders.length === 2,
  ],
  ['privateGetOpenOrderList', () => mine.privateGetOpenOrderList(), (lists) => lists.length === 1],
  [
    'privateDeleteOrderList',
    () => mine.privateDeleteOrderList({ symbol: pair.symbol, listClientOrderId: 'mine' }),
    isDone,
  ],
  ['privateGetAllOrderList', () => mine.privateGetAllOrderList(), (lists) => lists.length === 1],
  ['privatePostOrderListOto', () => mine.privatePostOrderListOto(triggering), ofOrders(2)],
  ['privatePostOrderListOtoco', () => mine.privatePostOrderListOtoco(triggeringPair), ofOrders(3)],
  ['privatePostOrderListOpo', () => mine.privatePostOrderListOpo(triggering), 'OPO orders are not supported'],
  [
    'privatePostOrderListOpoco',
    () => mine.privatePostOrderListOpoco(triggeringPair),
    'OPO orders are not supported',
  ],
  [
    'privatePostSorOrder',
    () => mine.privatePostSorOrder({ symbol: pair.symbol, side: 'BUY', type: 'MARKET', quantity: 1 }),
    'SOR orders are not supported',
  ],
  ['cancelAllOrders of all kinds', () => mine.cancelAllOrders(symbol), (orders) => orders.length > 5],
])

const watched = Promise.all([
  check(
    'watchOrderBook',
    () => mine.watchOrderBook(symbol),
    ({ nonce }) => nonce > 0,
  ),
  check(
    'watchTrades',
    () => mine.watchTrades(symbol),
    (trades) => trades.length > 0,
  ),
  check(
    'watchTicker',
    () => mine.watchTicker(symbol),
    ({ last }) => last > 0,
  ),
  check(
    'watchTickers',
    () => mine.watchTickers([symbol]),
    (tickers) => tickers[symbol].last > 0,
  ),
  check(
    'watchBidsAsks',
    () => mine.watchBidsAsks([symbol]),
    (tickers) => tickers[symbol].bid > 0,
  ),
  check(
    'watchOHLCV',
    () => mine.watchOHLCV(symbol, '1s'),
    (candles) => candles.length > 0,
  ),
  check(
    'watchOrders',
    () => mine.watchOrders(symbol),
    (orders) => orders.length > 0,
  ),
  check(
    'watchBalance',
    () => mine.watchBalance(),
    ({ USDT }) => USDT.free === 1000 && USDT.used === 10,
  ),
  check(
    'watchMyTrades',
    () => mine.watchMyTrades(symbol),
    (trades) => trades.length > 0,
  ),
])
await sleep(1500)
for (let i = 0; i < 5; i++) {
  await trade()
  await sleep(200)
}
await watched
const placed = await check(
  'createOrderWs',
  () => mine.createOrderWs(symbol, 'limit', 'buy', 0.5, 50000),
  ({ id }) => id !== undefined,
)
await check(
  'fetchOrderWs',
  () => mine.fetchOrderWs(placed.id, symbol),
  ({ status }) => status === 'open',
)
await check(
  'fetchOpenOrdersWs',
  () => mine.fetchOpenOrdersWs(symbol),
  (orders) => orders.length === 1,
)
const replaced = await check(
  'editOrderWs',
  () => mine.editOrderWs(placed.id, symbol, 'limit', 'buy', 0.4, 50001),
  ({ id }) => id !== placed.id,
)
await check(
  'cancelOrderWs',
  () => mine.cancelOrderWs(replaced.id, symbol),
  ({ status }) => status === 'canceled',
)
await mine.createOrderWs(symbol, 'limit', 'buy', 0.5, 50000)
await check(
  'cancelAllOrdersWs',
  () => mine.cancelAllOrdersWs(symbol),
  (orders) => orders.length === 1,
)
await check(
  'fetchOrdersWs',
  () => mine.fetchOrdersWs(symbol),
  (orders) => orders.length > 5,
)
await check(
  'fetchMyTradesWs',
  () => mine.fetchMyTradesWs(symbol),
  (trades) => trades.length > 2,
)
await check(
  'fetchTradesWs',
  () => mine.fetchTradesWs(symbol),
  (trades) => trades.length > 2,
)
await check(
  'fetchOHLCVWs',
  () => mine.fetchOHLCVWs(symbol, '1m'),
  (candles) => candles.length > 0,
)
await check(
  'fetchBalanceWs',
  () => mine.fetchBalanceWs(),
  ({ info }) => info !== undefined,
)
const more = Promise.all([
  check(
    'watchOrderBookForSymbols',
    () => mine.watchOrderBookForSymbols([symbol]),
    ({ nonce }) => nonce > 0,
  ),
  check(
    'watchTradesForSymbols',
    () => mine.watchTradesForSymbols([symbol]),
    (trades) => trades.length > 0,
  ),
  check(
    'watchOHLCVForSymbols',
    () => mine.watchOHLCVForSymbols([[symbol, '1s']]),
    (candles) => candles[symbol] !== undefined,
  ),
])
await sleep(500)
for (let i = 0; i < 5; i++) {
  await trade()
  await sleep(200)
}
await more
await checkAll('', [
  ['unWatchOrderBook', () => mine.unWatchOrderBook(symbol)],
  ['unWatchTrades', () => mine.unWatchTrades(symbol)],
  ['unWatchTicker', () => mine.unWatchTicker(symbol)],
  ['unWatchOHLCV', () => mine.unWatchOHLCV(symbol, '1s')],
  ['unWatchOrderBookForSymbols', () => mine.unWatchOrderBookForSymbols([symbol])],
  ['unWatchTradesForSymbols', () => mine.unWatchTradesForSymbols([symbol])],
  ['unWatchOHLCVForSymbols', () => mine.unWatchOHLCVForSymbols([[symbol, '1s']])],
  ['unWatchTickers', () => mine.unWatchTickers([symbol])],
  ['unWatchBidsAsks', () => mine.unWatchBidsAsks([symbol])],
  // The client refuses these for spot markets before it asks anybody.
  ['fetchOrderBookWs', () => mine.fetchOrderBookWs(symbol), 'only supports swap markets'],
  [
    'createOrders',
    () => mine.createOrders([{ symbol, type: 'limit', side: 'buy', amount: 0.1, price: 50000 }]),
    'does not support spot orders',
  ],
  ['fetchTickerWs', () => mine.fetchTickerWs(symbol), 'only supports swap markets'],
  ['cancelOrders', () => mine.cancelOrders(['1'], symbol), 'only supported for swap markets'],
  ['fetchClosedOrdersWs', () => mine.fetchClosedOrdersWs(symbol), (orders) => orders.length > 0],
])
await mine.close()
await theirs.close()
done()
