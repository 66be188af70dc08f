import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type UserEvent, VenueClient, type VenueClientOptions } from '#tidemark/client/index.js'
import type { ApiKey } from '#tidemark/server/index.js'
import { Between } from '../support/cut-connections.js'
import { serverModules, sharedVenue } from '../support/served-venue.js'
import { SocketClient } from '../support/venue-client.js'

const { WebSocket } = (typeof serverModules === 'string' ? {} : serverModules.ws) as {
  WebSocket: NonNullable<VenueClientOptions['WebSocket']>
}
const buy = { symbol: 'ETHUSDT', side: 'BUY', type: 'LIMIT', timeInForce: 'GTC', quantity: '0.5' } as const

const keyPair = generateKeyPairSync('ed25519')
const publicKey = String(keyPair.publicKey.export({ type: 'spki', format: 'pem' }))
const venue = sharedVenue({}, [{ account: 1000 }, { account: 1000, publicKey }])

async function connect(
  { apiKey, secret }: Pick<ApiKey, 'apiKey' | 'secret'> = venue.newKey(),
  options: Partial<VenueClientOptions> = {},
): Promise<VenueClient> {
  const { url } = venue.server
  const client = await VenueClient.connect({ url, apiKey, secret, WebSocket, ...options })
  onTestFinished(() => client.close())
  return client
}

/** Resolves when `test` holds, which is looked at after each event of the client's account. */
function eventsOf(client: VenueClient, from?: UserEvent) {
  const events: UserEvent[] = []
  let look = () => {}
  const feed = client.userEvents({
    from,
    onEvent: (event) => {
      events.push(event)
      look()
    },
  })
  const count = (wanted: number) =>
    new Promise<void>((resolve) => {
      look = () => events.length >= wanted && resolve()
      look()
    })
  return { events, feed, count }
}

const pricesOf = (events: readonly UserEvent[]) => events.map(({ report }) => Number(report.p))
const upTo = (n: number, from = 1) => Array.from({ length: n - from + 1 }, (_, i) => from + i)

describe.skipIf(typeof serverModules === 'string')('a client of a venue', () => {
  it('places, asks for and cancels orders, over the WebSocket API and over REST, with both kinds of keys', async () => {
    const [hmac, { apiKey }] = venue.made as [ApiKey, ApiKey]
    const client = await connect(hmac)
    const privateKey = String(keyPair.privateKey.export({ type: 'pkcs8', format: 'pem' }))
    const signer = await connect(hmac, { apiKey, secret: undefined, privateKey })
    const placed = await client.placeOrder({ ...buy, price: '100' })
    expect(placed).toMatchObject({ orderId: 1, status: 'NEW', executedQty: '0.0000', fills: [] })
    expect(await signer.placeOrder({ ...buy, price: '101', newClientOrderId: 'mine' })).toMatchObject({
      orderId: 2,
      clientOrderId: 'mine',
    })
    expect(await client.openOrders('ETHUSDT')).toMatchObject([{ orderId: 1 }, { orderId: 2 }])
    expect(await client.order({ symbol: 'ETHUSDT', origClientOrderId: 'mine' })).toMatchObject({ orderId: 2 })
    expect(await client.cancelOrder({ symbol: 'ETHUSDT', orderId: 1 })).toMatchObject({ status: 'CANCELED' })
    await expect(client.cancelOrder({ symbol: 'ETHUSDT', orderId: 1 })).rejects.toMatchObject({
      code: 'TIDEMARK_CLIENT_REFUSED',
      venueCode: -2011,
    })
    expect(await signer.cancelAll('ETHUSDT')).toMatchObject([{ orderId: 2 }])
    expect(await signer.cancelAll('ETHUSDT')).toEqual([])
    expect(await client.request('depth', { symbol: 'ETHUSDT', limit: 5 })).toMatchObject({ bids: [] })
    expect(await client.rest('GET', '/ticker/price', { symbols: ['ETHUSDT'] })).toHaveLength(1)
    expect(await signer.rest('GET', '/allOrders', { symbol: 'ETHUSDT' }, { signed: true })).toHaveLength(2)
    await expect(client.rest('GET', '/depth')).rejects.toMatchObject({ venueCode: -1102, status: 400 })
    await expect(client.placeOrder({ ...buy, price: '100.001' })).rejects.toMatchObject({ venueCode: -1013 })
    await expect(client.placeOrder({ ...buy, price: '1', size: '1' } as never)).rejects.toMatchObject({
      venueCode: -1104,
    })
    await expect(client.request('order.place', {})).rejects.toMatchObject({ code: 'TIDEMARK_CLIENT_OPTION' })
  })

  it('refuses options that it does not have, a key that the venue does not know, and work after it was closed', async () => {
    const wrong: Record<string, unknown>[] = [
      { secrets: 'x' },
      { url: 'ftp://x' },
      { apiKey: '' },
      { secret: undefined },
      { privateKey: 'x' },
      { answerMs: 0 },
      { secret: undefined, privateKey: 'no key' },
    ]
    for (const options of wrong)
      await expect(connect(venue.newKey(), options), JSON.stringify(options)).rejects.toMatchObject({
        code: 'TIDEMARK_CLIENT_OPTION',
      })
    await expect(connect(venue.newKey(), { secret: 'wrong' })).rejects.toMatchObject({ venueCode: -1022 })
    await expect(connect(venue.newKey(), { url: 'http://127.0.0.1:9', giveUpMs: 100 })).rejects.toMatchObject(
      { code: 'TIDEMARK_CLIENT_NO_ANSWER' },
    )
    const client = await connect()
    await client.close()
    await expect(client.placeOrder({ ...buy, price: '1' })).rejects.toMatchObject({
      code: 'TIDEMARK_CLIENT_CLOSED',
    })
  })

  it('has an order executed once when its answer is lost with the connection, also after others', async () => {
    const between = await Between.open(venue.server.url)
    const client = await connect(venue.newKey(), { url: between.url })
    await client.placeOrder({ ...buy, price: '1' })
    const before = venue.pool.stats().commands
    for (let round = 0; round < 3; round++) {
      between.isDeaf = true
      const placing = upTo(20).map((i) =>
        client.placeOrder({ ...buy, price: String(100 * (round + 1) + i), quantity: '0.1' }),
      )
      const first = 1 + round * 7
      // Executed, and not heard of.
      while (venue.pool.stats().commands - before < 20 * round + first) await new Promise(setImmediate)
      between.isDeaf = false
      between.cut()
      const placed = await Promise.all(placing)
      expect(new Set(placed.map(({ orderId }) => orderId)).size).toBe(20)
      expect(placed.map(({ price }) => Number(price))).toEqual(upTo(20).map((i) => 100 * (round + 1) + i))
    }
    expect(await client.openOrders()).toHaveLength(61)
  })

  it('learns what an order traded, or why it was refused, though only a repetition was answered', async () => {
    const between = await Between.open(venue.server.url)
    const client = await connect(venue.newKey(), { url: between.url, answerMs: 300 })
    const other = await connect()
    await other.placeOrder({ ...buy, side: 'SELL', price: '7000', quantity: '0.2' })
    const lost = async (order: Parameters<VenueClient['placeOrder']>[0]) => {
      between.isDeaf = true
      const before = venue.pool.stats().commands
      const placing = client.placeOrder(order)
      placing.catch(() => {})
      while (venue.pool.stats().commands === before) await new Promise(setImmediate)
      between.isDeaf = false
      return placing
    }
    await client.placeOrder({ ...buy, price: '1' })
    expect(await lost({ ...buy, price: '7000' })).toMatchObject({
      status: 'PARTIALLY_FILLED',
      executedQty: '0.2000',
      fills: [{ price: '7000.00', qty: '0.2000', tradeId: 1 }],
    })
    expect(
      await lost({ ...buy, price: '6999', timeInForce: 'FOK', side: 'SELL', quantity: '9' }),
    ).toMatchObject({
      status: 'EXPIRED',
      executedQty: '0.0000',
    })
    await expect(
      lost({ ...buy, type: 'LIMIT_MAKER', timeInForce: undefined, side: 'SELL', price: '6999' }),
    ).rejects.toMatchObject({ venueCode: -2010 })
    expect(await client.openOrders()).toHaveLength(2)
  })

  it('goes on after the request ids of another client of the account', async () => {
    const key = venue.newKey()
    const clients = [await connect(key), await connect(key)]
    const placed = await Promise.all(
      upTo(40).map((i) => clients[i % 2]!.placeOrder({ ...buy, price: String(i), quantity: '10' })),
    )
    expect(new Set(placed.map(({ orderId }) => orderId)).size).toBe(40)
    expect(await clients[0]!.openOrders()).toHaveLength(40)
    const own = { ...buy, price: '7', requestId: 1, newClientOrderId: 'again' }
    await expect(clients[0]!.placeOrder(own)).rejects.toMatchObject({ code: 'TIDEMARK_CLIENT_NOT_EXECUTED' })
    await expect(clients[0]!.placeOrder({ ...buy, price: '7', requestId: 99 })).rejects.toMatchObject({
      code: 'TIDEMARK_CLIENT_OPTION',
    })
    const last = { ...own, requestId: 1000 }
    const first = await clients[0]!.placeOrder(last)
    expect(await clients[1]!.placeOrder(last)).toEqual(first)
    expect(await clients[0]!.openOrders()).toHaveLength(41)
  })

  it('gets each event of its account once and in order, whenever the connection is lost', async () => {
    const between = await Between.open(venue.server.url)
    const key = venue.newKey()
    const placer = await connect(key)
    await placer.placeOrder({ ...buy, price: '9000' })
    const client = await connect(key, { url: between.url, reconnectMs: 60 })
    const { events, feed, count } = eventsOf(client)
    await feed
    for (const i of upTo(60)) {
      await placer.placeOrder({ ...buy, price: String(9000 + i), quantity: '10' })
      if (i % 9 === 0) between.cut()
    }
    await count(60)
    expect(pricesOf(events)).toEqual(upTo(9060, 9001))
    // An order that trades with several, in one record: what comes after the place of any of them.
    const bob = await connect()
    await bob.placeOrder({ ...buy, side: 'SELL', price: '9055', quantity: '60' })
    await count(66)
    expect(new Set(events.slice(60).map(({ lsn }) => lsn)).size).toBe(1)
    for (const at of [0, 30, 59, 60, 62, 65]) {
      const again = eventsOf(client, events[at])
      await again.count(65 - at)
      expect(again.events.map(({ report }) => report.I)).toEqual(
        events.slice(at + 1).map(({ report }) => report.I),
      )
      ;(await again.feed).close()
    }
  })

  it('hears when events are not kept as long as it was away', async () => {
    const { url } = await venue.another({ userEvents: 10 })
    const client = await connect(venue.newKey(), { url })
    const { events, feed, count } = eventsOf(client)
    await feed
    for (const i of upTo(20)) await client.placeOrder({ ...buy, price: String(i), quantity: '10' })
    await count(20)
    await expect(eventsOf(client, events[0]).feed).rejects.toMatchObject({ venueCode: -2103 })
    const late = eventsOf(client, events[12])
    await late.count(7)
    expect(pricesOf(late.events)).toEqual(upTo(20, 14))
  })

  it('notices an event that was left out, and gets it', async () => {
    // A connection that loses one event of each ten.
    let received = 0
    class Losing extends WebSocket {
      override set onmessage(take: never) {
        super.onmessage = ((event: { data: unknown }) => {
          if (String(event.data).includes('"executionReport"') && ++received % 10 === 0) return
          ;(take as (event: unknown) => void)(event)
        }) as never
      }
    }
    const client = await connect(venue.newKey(), { WebSocket: Losing })
    const { events, feed, count } = eventsOf(client)
    await feed
    for (const i of upTo(55)) await client.placeOrder({ ...buy, price: String(i), quantity: '10' })
    await count(55)
    expect(pricesOf(events)).toEqual(upTo(55))
    expect(received).toBeGreaterThan(55)
  })

  it('gets its events one after the other also where its account trades what clients do not see', async () => {
    const key = venue.newKey()
    const { account } = key
    const { pool } = venue
    // Without assets it is no symbol of the dialect.
    await pool.addInstrument({ symbol: 'INTERNAL', tickSize: '1', lotSize: '1' })
    const client = await connect(key)
    const { events, count, feed } = eventsOf(client)
    await feed
    const socket = await SocketClient.open(venue.server.url, '/ws-api/v3')
    await socket.request('userDataStream.subscribe', { withLsn: true }, key)
    const reported = (price: string) =>
      socket.message((message) => message.event?.e === 'executionReport' && message.event.p === price)
    await client.placeOrder({ ...buy, price: '11' })
    await count(1)
    const unseen = { type: 'new', symbol: 'INTERNAL', account, side: 'buy', orderType: 'limit' } as const
    await pool.submit({ ...unseen, price: '1', quantity: '1' })
    await client.placeOrder({ ...buy, price: '12' })
    expect((await reported('12.00')).after).toBe((await reported('11.00')).event.I)
    socket.close()
    await count(2)
    expect(pricesOf(events)).toEqual([11, 12])
    // The same after the one that was not shown as from the log.
    const again = eventsOf(client, events[0])
    await again.count(1)
    expect(again.events[0]!.executionId).toBe(events[1]!.executionId)
  })
})

describe.skipIf(typeof serverModules === 'string')(
  'requests of a venue that the dialect does not have',
  () => {
    it('say what came of an order by its request id, and where events stand in the log', async () => {
      const key = venue.newKey()
      const socket = await SocketClient.open(venue.server.url, '/ws-api/v3')
      const ask = async (method: string, params: object) => {
        const { result, error } = await socket.request(method, params as never, key)
        return result ?? error
      }
      const order = { ...buy, price: '10', quantity: '1', newClientOrderId: 'one' }
      expect(await ask('order.request', { symbol: 'ETHUSDT' })).toEqual({
        symbol: 'ETHUSDT',
        lastRequestId: 0,
      })
      expect(await ask('order.place', { ...buy, price: '10', requestId: 5 })).toMatchObject({ code: -1102 })
      expect(await ask('order.place', { ...order, requestId: 0 })).toMatchObject({ code: -1130 })
      const first = await ask('order.place', { ...order, requestId: 5 })
      expect(await ask('order.place', { ...order, requestId: 5 })).toEqual(first)
      expect(await ask('order.place', { ...order, requestId: 5, price: '11' })).toMatchObject({ code: -2102 })
      expect(await ask('order.place', { ...order, requestId: 4, newClientOrderId: 'two' })).toMatchObject({
        code: -2101,
      })
      expect(await ask('order.request', { symbol: 'ETHUSDT', requestId: 5 })).toMatchObject({
        lastRequestId: 5,
        state: 'EXECUTED',
        clientOrderId: 'one',
        order: { ...first, origQty: '1.0000', fills: [] },
      })
      expect(await ask('order.request', { symbol: 'ETHUSDT', requestId: 4 })).toMatchObject({
        state: 'NOT_EXECUTED',
      })
      expect(await ask('order.request', { symbol: 'ETHUSDT', requestId: 6 })).toMatchObject({
        state: 'UNSEEN',
      })
      const subscribed = await ask('userDataStream.subscribe', { fromLsn: 0 })
      expect(subscribed).toEqual({ subscriptionId: 0, lsn: 0 })
      const { lsn, after, event } = await socket.message(({ subscriptionId }) => subscriptionId === 0)
      expect([after, event.c, lsn > 0, event.I > 0]).toEqual([0, 'one', true, true])
      socket.close()
    })
  },
)
