// The server beside what stands below it, in one run, server and clients on the same processors: a lone order over the WebSocket API
// (signed with HMAC, on disk) beside `pool.submit`; orders a second with 512 in flight; REST beside a bare route of fastify that
// answers a constant; and messages of market data a second to 100 connections.
//
//   node bench/server.mjs [--quick] [--rounds N] [--dir FOLDER]
import { duration } from '../dist/src/cli/number-format.js'
import { Quantiles } from './lib/quantiles.mjs'
import { figure, Report, range } from './lib/report.mjs'
import { interleaved, ratioOf, spread, spreadOf } from './lib/rounds.mjs'
import { inFolder, readSettings } from './lib/settings.mjs'
import { ApiClient, askAgainAndAgain, connect, ServedProcess } from './lib/venue-clients.mjs'

const settings = readSettings()
const { pick } = settings
const lone = pick(100, 1000, 3000)
const flood = pick(2048, 40_000, 100_000)
const inFlight = 512
const floodConnections = 8
const restMs = pick(200, 1500, 3000)
const restConnections = 16
const receivers = 100
const trades = pick(200, 4000, 10_000)
const tradesOfBatch = 100

const report = new Report('server', 'The server: orders, REST and market data', settings)

let sent = 0
/** Orders that trade with each other, two by two, as those of the pool alone do. */
const order = () => ({
  symbol: 'BTCUSDT',
  side: sent++ % 2 === 0 ? 'BUY' : 'SELL',
  type: 'LIMIT',
  timeInForce: 'GTC',
  price: '60000.00',
  quantity: '0.00100',
})

async function place(client) {
  const { status, error } = await client.request('order.place', order())
  if (status !== 200) throw new Error(`an order was refused: ${JSON.stringify(error)}`)
}

async function loneOrders(client) {
  const latency = new Quantiles()
  for (let i = 0; i < lone; i++) {
    const startMs = performance.now()
    await place(client)
    latency.record(performance.now() - startMs)
  }
  const { 'p50 ms': p50Ms, 'p99 ms': p99Ms } = latency.summary()
  return { p50Ms, p99Ms }
}

async function floodOrders(clients) {
  let begun = 0
  const slot = async (client) => {
    while (begun < flood) {
      begun++
      await place(client)
    }
  }
  const startMs = performance.now()
  await Promise.all(Array.from({ length: inFlight }, (_, i) => slot(clients[i % clients.length])))
  return { perSecond: (flood * 1000) / (performance.now() - startMs) }
}

/** Trades, each to every connection; no more than two batches are under way, so that queues are those of the server, not of the bench. */
async function marketData(served) {
  let received = 0
  let notify = () => {}
  const sockets = await Promise.all(
    Array.from({ length: receivers }, () =>
      connect(served.url, '/ws/btcusdt@trade', () => {
        received++
        notify()
      }),
    ),
  )
  const startMs = performance.now()
  for (let made = 0; made < trades; made += tradesOfBatch) {
    await served.ask('trade', tradesOfBatch)
    while (received < (made - tradesOfBatch) * receivers) await new Promise((done) => (notify = done))
  }
  while (received < trades * receivers) await new Promise((done) => (notify = done))
  const perSecond = (received * 1000) / (performance.now() - startMs)
  for (const socket of sockets) socket.terminate()
  return { perSecond }
}

await inFolder(settings.dir, async (dir) => {
  const served = await ServedProcess.start(dir, floodConnections)
  try {
    await measure(served)
  } finally {
    await served.close()
  }
})

async function measure(served) {
  const clients = await Promise.all(served.keys.map((key) => ApiClient.open(served.url, key)))
  await floodOrders(clients)
  const rest = (url) => async () => ({
    perSecond: await askAgainAndAgain(url, { connections: restConnections, forMs: restMs }),
  })
  const results = await interleaved(settings.rounds, {
    submit: () => served.ask('submitEach', lone),
    lone: () => loneOrders(clients[0]),
    flood: () => floodOrders(clients),
    rest: rest(`${served.url}/api/v3/ping`),
    bare: rest(`${served.bareUrl}/constant`),
    market: () => marketData(served),
  })
  const cut = await served.ask('cut')
  for (const client of clients) client.close()
  print(results, cut)
}

function print({ submit, lone, flood, rest, bare, market }, cut) {
  const ms = (rounds, of) => range(spreadOf(rounds, of), duration)
  report.table(
    'A lone order, awaited',
    ['', 'p50', 'p99'],
    [
      ['pool.submit', submit],
      ['order.place, signed, over a WebSocket', lone],
    ].map(([name, rounds]) => [name, ms(rounds, ({ p50Ms }) => p50Ms), ms(rounds, ({ p99Ms }) => p99Ms)]),
  )
  const perSecond = (rounds) =>
    range(
      spreadOf(rounds, (result) => result.perSecond),
      figure,
    )
  report.table(
    'A second',
    ['', ''],
    [
      [`order.place, ${inFlight} in flight, ${floodConnections} connections, signed`, perSecond(flood)],
      [`GET /api/v3/ping, ${restConnections} connections`, perSecond(rest)],
      ['a bare route of fastify', perSecond(bare)],
      [`messages of trades, ${receivers} connections`, perSecond(market)],
    ],
    { note: 'The server is one process, its clients are another, on the same processors.' },
  )
  const rate = (result) => result.perSecond
  report.goal('lone order: p50 over pool.submit', ratioOf(lone, submit, ({ p50Ms }) => p50Ms).median, {
    atMost: 2,
  })
  report.goal('orders a second, 512 in flight', spread(flood.map(rate)).median, {
    atLeast: 25_000,
    absolute: true,
  })
  report.goal('REST beside a bare route', ratioOf(rest, bare, rate).median, { atLeast: 0.8 })
  report.goal('messages of market data a second', spread(market.map(rate)).median, {
    atLeast: 100_000,
    absolute: true,
  })
  report.goal('connections that were cut', cut, { atMost: 0 })
  report.finish()
}
