import * as path from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type PlacedOrder, VenueClient, type VenueClientOptions } from '#tidemark/client/index.js'
import { EnginePool } from '#tidemark/pool/index.js'
import { KeyStore } from '#tidemark/server/index.js'
import { OrderHistory } from '#tidemark/server/venue/history.js'
import { faultCases, faultCount } from '../support/fault-tier.js'
import { Random } from '../support/random.js'
import { serverModules } from '../support/served-venue.js'
import { ended, freePort, serving } from '../support/serving.js'
import { temporaryDirectory } from '../support/temporary.js'

const { WebSocket } = (typeof serverModules === 'string' ? {} : serverModules.ws) as {
  WebSocket: NonNullable<VenueClientOptions['WebSocket']>
}
const clientCount = 50
/** Orders of one client that wait for their answers at a time. */
const inFlight = 3
const instruments = [
  { symbol: 'BTCUSDT', tickSize: '0.01', lotSize: '0.001', baseAsset: 'BTC', quoteAsset: 'USDT' },
  { symbol: 'ETHUSDT', tickSize: '0.01', lotSize: '0.001', baseAsset: 'ETH', quoteAsset: 'USDT' },
]

/** One account's client: what it was answered, and what events it got. */
class Trader {
  readonly placed: PlacedOrder[] = []
  readonly executionIds: number[] = []
  readonly #client: VenueClient
  readonly #random: Random
  readonly #onPlaced: () => void
  readonly #seen = new Set<string>()
  #look: () => void = () => {}

  constructor(client: VenueClient, seed: number, onPlaced: () => void) {
    this.#client = client
    this.#random = new Random(seed)
    this.#onPlaced = onPlaced
  }

  follow(): Promise<unknown> {
    return this.#client.userEvents({
      onEvent: ({ executionId, report }) => {
        this.executionIds.push(executionId)
        this.#seen.add(report.c)
        this.#look()
      },
    })
  }

  async trade(goOn: () => boolean): Promise<void> {
    const random = this.#random
    const loop = async () => {
      while (goOn()) {
        const placed = await this.#client.placeOrder({
          symbol: pick(random, instruments).symbol,
          side: pick(random, ['BUY', 'SELL'] as const),
          type: 'LIMIT',
          timeInForce: pick(random, ['GTC', 'GTC', 'IOC'] as const),
          price: String(95 + random.int(10)),
          quantity: String(1 + random.int(9)),
        })
        this.placed.push(placed)
        this.#onPlaced()
      }
    }
    await Promise.all(Array.from({ length: inFlight }, loop))
  }

  /** Resolves when all events of the account have come: an order that is placed last comes last. */
  async last(): Promise<void> {
    const order = { symbol: 'ETHUSDT', side: 'BUY', type: 'LIMIT', timeInForce: 'GTC', price: '1' } as const
    const placed = await this.#client.placeOrder({ ...order, quantity: '1' })
    this.placed.push(placed)
    await new Promise<void>((resolve) => {
      this.#look = () => this.#seen.has(placed.clientOrderId) && resolve()
      this.#look()
    })
  }
}

function pick<T>(random: Random, values: readonly T[]): T {
  return values[random.int(values.length)]!
}

/** What the log says: the client order ids of each account's orders, and the numbers of its events. */
async function readLog(dir: string) {
  const orders = new Map<number, string[]>()
  const events = new Map<number, number[]>()
  let updates = 0
  const add = <T>(map: Map<number, T[]>, account: number, value: T) => {
    const values = map.get(account)
    if (values) values.push(value)
    else map.set(account, [value])
  }
  const history = new OrderHistory({ closedOrders: 1, accountTrades: 1 }, ({ order, execution, event }) => {
    add(events, order.account, ++updates)
    if (execution === 'NEW' && event.event === 'accepted') add(orders, order.account, order.clientOrderId)
  })
  const pool = await EnginePool.open({ dir })
  for await (const event of pool.subscribe({ from: 0, to: pool.durableLsn })) history.apply(event)
  await pool.close()
  return { orders, events }
}

describe.skipIf(typeof serverModules === 'string')('a venue that is killed while 50 clients trade', () => {
  it('has executed each order once, whose outcome its client knows, and every client gets all of its events', async () => {
    const dir = temporaryDirectory()
    const pool = await EnginePool.open({ dir, instruments })
    await pool.close()
    const keys = new KeyStore(path.join(dir, 'keys.json'))
    const made = Array.from({ length: clientCount }, (_, i) => keys.create({ account: i + 1 }))
    const args = [dir, '--order-limit', '0', '--weight-limit', '0']
    const port = await freePort()
    let server = await serving(args, { port })
    let acknowledged = 0
    let isOver = false
    let atAcknowledged: { count: number; call: () => void } | undefined
    const onPlaced = () => {
      if (++acknowledged === atAcknowledged?.count) atAcknowledged.call()
    }
    const traders = await Promise.all(
      made.map(async ({ apiKey, secret }, i) => {
        const client = await VenueClient.connect({ url: server.url, apiKey, secret, giveUpMs: 0, WebSocket })
        onTestFinished(() => client.close())
        const trader = new Trader(client, i, onPlaced)
        await trader.follow()
        return trader
      }),
    )
    const trading = Promise.all(traders.map((trader) => trader.trade(() => !isOver)))
    for (const seed of faultCases(faultCount('server-kill', { short: 2, full: 200 }))) {
      const random = new Random(seed)
      await new Promise<void>((resolve) => {
        atAcknowledged = { count: acknowledged + 1 + random.int(120), call: resolve }
      })
      await ended(server.child, 'SIGKILL')
      server = await serving(args, { port })
    }
    isOver = true
    await trading
    await Promise.all(traders.map((trader) => trader.last()))
    expect(await ended(server.child, 'SIGTERM')).toBe(0)
    const { orders, events } = await readLog(dir)
    const sorted = (names: readonly string[]) => [...names].sort()
    for (const [i, { placed, executionIds }] of traders.entries()) {
      expect(sorted(orders.get(i + 1)!)).toEqual(sorted(placed.map(({ clientOrderId }) => clientOrderId)))
      expect(executionIds).toEqual(events.get(i + 1))
    }
  }, 600_000)
})
