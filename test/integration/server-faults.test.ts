import { describe, expect, it, onTestFinished } from 'vitest'
import { type UserEvent, VenueClient, type VenueClientOptions } from '#tidemark/client/index.js'
import { serverModules, sharedVenue } from '../support/served-venue.js'
import { RestClient, type SigningKey, SocketClient } from '../support/venue-client.js'

const { WebSocket } = (typeof serverModules === 'string' ? {} : serverModules.ws) as {
  WebSocket: NonNullable<VenueClientOptions['WebSocket']>
}
const buy = {
  symbol: 'ETHUSDT',
  side: 'BUY',
  type: 'LIMIT',
  timeInForce: 'GTC',
  quantity: '0.5',
  price: '10',
} as const

const venue = sharedVenue({ misbehaviour: { faults: '503=1' } })

/** Lets a venue misbehave while the test runs. */
function misbehave(misbehaviour: Parameters<typeof venue.server.misbehave>[0]): void {
  venue.server.misbehave(misbehaviour)
  onTestFinished(() => venue.server.misbehave())
}

/** What a client over REST sees of an order: a status, or that its connection ended. */
async function place(key: SigningKey): Promise<number | 'cut'> {
  try {
    return (await new RestClient(venue.server.url).signed('POST', '/order', key, buy)).status
  } catch {
    return 'cut'
  }
}

async function openOrders(key: SigningKey): Promise<number> {
  venue.server.misbehave()
  return (await new RestClient(venue.server.url).signed('GET', '/openOrders', key)).body.length
}

describe.skipIf(typeof serverModules === 'string')('a venue that misbehaves on purpose', () => {
  it('does so from the beginning when it is opened like that, and behaves on demand', async () => {
    const rest = new RestClient(venue.server.url)
    expect(await rest.get('/ping')).toMatchObject({ status: 503, body: { code: -1008 } })
    expect((await fetch(`${venue.server.url}/healthz`)).status).toBe(200)
    venue.server.misbehave()
    expect((await rest.get('/ping')).status).toBe(200)
    const metrics = await (await fetch(`${venue.server.url}/metrics`)).text()
    expect(metrics).toContain('tidemark_faults_total{kind="503"} 1')
    expect(() => venue.server.misbehave({ faults: 'x=1' })).toThrow(
      expect.objectContaining({ code: 'TIDEMARK_SERVER_FAULTS' }),
    )
    await expect(venue.another({ misbehaviour: { seed: -1 } })).rejects.toMatchObject({
      code: 'TIDEMARK_SERVER_FAULTS',
    })
  })

  it.each([
    ['lost=1', 'cut', 1],
    ['429=1', 429, 0],
    ['503=1', 503, 0],
    ['late=1', 200, 1],
  ] as const)('over REST: %s', async (faults, seen, executed) => {
    const key = venue.newKey()
    misbehave({ faults, lateMs: 5 })
    expect(await place(key)).toBe(seen)
    expect(await openOrders(key)).toBe(executed)
  })

  it('over REST ends a connection before or after the request is executed', async () => {
    const key = venue.newKey()
    misbehave({ faults: 'disconnect=1', seed: 3 })
    for (let i = 0; i < 20; i++) expect(await place(key)).toBe('cut')
    const executed = await openOrders(key)
    expect(executed).toBeGreaterThan(0)
    expect(executed).toBeLessThan(20)
  })

  it('over the WebSocket API refuses, loses answers, ends connections and leaves events out', async () => {
    const key = venue.newKey()
    const socket = await SocketClient.open(venue.server.url, '/ws-api/v3')
    await socket.request('userDataStream.subscribe.signature', {}, key)
    misbehave({ faults: '429=1' })
    expect(await socket.request('ping')).toMatchObject({
      status: 429,
      error: { code: -1003, data: { retryAfter: expect.any(Number) } },
    })
    const spared = venue.newKey()
    misbehave({ faults: 'lost=1,gap=1', sparedAccounts: [spared.account] })
    const from = socket.messages.length
    const before = venue.pool.stats().commands
    void socket.request('order.place', buy, key).catch(() => {})
    while (venue.pool.stats().commands === before) await new Promise(setImmediate)
    // What is answered now comes after the order's event, which was left out.
    await place(spared)
    await new RestClient(venue.server.url).signed('GET', '/openOrders', spared)
    expect(await openOrders(key)).toBe(1)
    expect(await socket.request('ping')).toMatchObject({ status: 200 })
    expect(socket.messages.length).toBe(from + 1)
    const stream = await SocketClient.open(venue.server.url, '/ws/ethusdt@depth@100ms')
    misbehave({ faults: 'disconnect=1', sparedAccounts: [spared.account] })
    await expect(socket.request('ping')).rejects.toThrow('closed')
    expect(await place(spared)).toBe(200)
    expect(await stream.whenClosed()).toMatchObject({ code: 1006 })
  })

  it('lets nothing befall the accounts that are spared', async () => {
    const [spared, other] = [venue.newKey(), venue.newKey()]
    misbehave({ faults: '503=1', sparedAccounts: [spared.account] })
    expect([await place(spared), await place(other)]).toEqual([200, 503])
  })

  it('goes wrong in the same way again with the same seed', async () => {
    const run = async (seed: number) => {
      misbehave({ faults: 'lost=0.2,429=0.2,503=0.2', seed })
      const seen: (number | 'cut')[] = []
      for (let i = 0; i < 25; i++) {
        const answer = fetch(`${venue.server.url}/api/v3/time`)
        seen.push(
          await answer.then(
            ({ status }) => status,
            () => 'cut' as const,
          ),
        )
      }
      return seen
    }
    const first = await run(5)
    expect(await run(5)).toEqual(first)
    expect(await run(6)).not.toEqual(first)
    expect(new Set(first)).toEqual(new Set([200, 429, 503, 'cut']))
  })

  it('keeps the order of what it delays, and lets go of it when it closes', async () => {
    const server = await venue.another({ misbehaviour: { latency: 'p0=1,p100=30', seed: 2 } })
    const key = venue.newKey()
    const socket = await SocketClient.open(server.url, '/ws-api/v3')
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        socket.request('order.place', { ...buy, price: String(20 + i) }, key),
      ),
    )
    expect(answers.map(({ result }) => Number(result.price))).toEqual(
      Array.from({ length: 20 }, (_, i) => 20 + i),
    )
    const ids = answers.map(({ result }) => result.orderId)
    expect(ids).toEqual([...ids].sort((a, b) => a - b))
    const spared = venue.newKey()
    server.misbehave({ latency: { p0: 3_600_000 }, sparedAccounts: [spared.account] })
    const late = socket.request('ping')
    const rest = new RestClient(server.url)
    const overRest = rest.get('/ping')
    expect((await rest.signed('GET', '/openOrders', spared)).status).toBe(200)
    await server.close()
    expect([(await late).status, (await overRest).status]).toEqual([503, 503])
  })

  it('is no match for the client: each order is executed once, and each event comes once', async () => {
    const key = venue.newKey()
    const { url } = venue.server
    const client = await VenueClient.connect({
      url,
      apiKey: key.apiKey,
      secret: key.secret,
      WebSocket,
      answerMs: 400,
      giveUpMs: 0,
      reconnectMs: 60,
    })
    onTestFinished(() => client.close())
    const events: UserEvent[] = []
    let look = () => {}
    await client.userEvents({
      onEvent: (event) => {
        events.push(event)
        look()
      },
    })
    misbehave({
      faults: 'lost=0.05,late=0.05,disconnect=0.01,429=0.01,503=0.1,gap=0.1',
      latency: 'p50=1,p99=5',
      lateMs: 500,
    })
    const prices = Array.from({ length: 60 }, (_, i) => 100 + i)
    const placed = await Promise.all(
      prices.map((price) => client.placeOrder({ ...buy, price: String(price) })),
    )
    venue.server.misbehave()
    // An event that comes later shows that the one before was left out.
    await client.placeOrder({ ...buy, price: '99' })
    await new Promise<void>((resolve) => {
      look = () => events.length >= 61 && resolve()
      look()
    })
    expect(placed.map(({ price }) => Number(price))).toEqual(prices)
    const open = await client.openOrders('ETHUSDT')
    expect(open.map(({ price }) => Number(price)).sort((a, b) => a - b)).toEqual([99, ...prices])
    const seen = events.map(({ report }) => report.i)
    expect(new Set(seen)).toEqual(new Set(open.map(({ orderId }) => orderId)))
    expect(seen.length).toBe(61)
  })
})
