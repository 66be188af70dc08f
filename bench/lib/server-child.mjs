// A served pool in a process of its own, and a bare route of fastify beside it. Does what its parent asks for, one thing after the other.
import { readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import * as path from 'node:path'
import { createHistogram, monitorEventLoopDelay } from 'node:perf_hooks'
import { EnginePool } from '../../dist/src/index.js'
import { KeyStore, VenueServer } from '../../dist/src/server/index.js'

const { DIR, KEYS } = process.env
const peers = createRequire(new URL('../../test/peers/package.json', import.meta.url))
const fastify = peers('fastify')
const symbol = 'BTCUSDT'
const instrument = { symbol, tickSize: '0.01', lotSize: '0.00001', baseAsset: 'BTC', quoteAsset: 'USDT' }
const pool = await EnginePool.open({ dir: path.join(DIR, 'pool'), instruments: [instrument] })
const file = path.join(DIR, 'keys.json')
const store = new KeyStore(file)
const keys = Array.from({ length: Number(KEYS) }, (_, i) => store.create({ account: i + 1 }))
const server = await VenueServer.open({
  pool,
  keys: file,
  modules: {
    fastify,
    ws: peers('ws'),
    prometheus: peers('prom-client'),
    uplotFolder: path.dirname(peers.resolve('uplot')),
  },
  weightPerMinute: 0,
  ordersPer10Seconds: 0,
  messagesPerSecond: 1e9,
  // What is kept for queries is full soon, and grows no more then.
  closedOrders: 20_000,
  accountTrades: 40_000,
})
await server.ready()
const bare = fastify({ logger: false })
bare.get('/constant', (_, reply) => reply.header('content-type', 'application/json;charset=UTF-8').send('{}'))
const bareUrl = await bare.listen({ port: 0, host: '127.0.0.1' })
const loop = monitorEventLoopDelay({ resolution: 10 })
loop.enable()

let sent = 0
/** Orders that trade with each other, two by two. */
const order = () => ({
  type: 'new',
  symbol,
  account: 1 + (sent % 2),
  side: sent++ % 2 === 0 ? 'buy' : 'sell',
  orderType: 'limit',
  price: '60000.00',
  quantity: '0.00100',
})

const operations = {
  /** Latencies of one caller that awaits each order, in milliseconds. */
  async submitEach(count) {
    const latency = createHistogram()
    for (let i = 0; i < count; i++) {
      const startMs = performance.now()
      await pool.submit(order())
      latency.record(Math.max(1, Math.round((performance.now() - startMs) * 1e6)))
    }
    return { p50Ms: latency.percentile(50) / 1e6, p99Ms: latency.percentile(99) / 1e6 }
  },
  async trade(count) {
    await pool.submitBatch(Array.from({ length: 2 * count }, order))
  },
  async sample() {
    const { rss, heapUsed, external } = process.memoryUsage()
    const delay = {
      loopP50Ms: loop.percentile(50) / 1e6,
      loopP99Ms: loop.percentile(99) / 1e6,
      loopMaxMs: loop.max / 1e6,
    }
    loop.reset()
    return {
      rss,
      heap: heapUsed,
      external,
      ...delay,
      handles: process.getActiveResourcesInfo().length,
      descriptors: readdirSync('/proc/self/fd').length,
      commands: pool.stats().commands,
    }
  },
  /** Connections that were ended because they did not read, were silent, or sent too much. */
  async cut() {
    const text = await (await fetch(`${server.url}/metrics`)).text()
    return [...text.matchAll(/^tidemark_cut_total\{.*\} (\d+)$/gm)].reduce(
      (sum, [, count]) => sum + Number(count),
      0,
    )
  },
  async close() {
    loop.disable()
    await bare.close()
    await server.close()
    await pool.close()
  },
}

process.on('message', async ({ id, operation, argument }) => {
  try {
    process.send({ id, result: await operations[operation](argument) })
  } catch (error) {
    process.send({ id, error: String(error?.stack ?? error) })
  }
  if (operation === 'close') process.disconnect()
})
process.send({ url: server.url, bareUrl, keys: keys.map(({ apiKey, secret }) => ({ apiKey, secret })) })
