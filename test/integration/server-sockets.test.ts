import { describe, expect, it } from 'vitest'
import { openVenue, type ServedVenue, serverModules } from '../support/served-venue.js'
import { RestClient, SocketClient } from '../support/venue-client.js'

const limit = {
  symbol: 'BTCUSDT',
  side: 'BUY',
  type: 'LIMIT',
  timeInForce: 'GTC',
  quantity: '0.5',
  price: '60000',
}

/** Random orders of two accounts, so that the book changes and trades. */
async function trade({ server, alice, bob }: ServedVenue, orders: number): Promise<void> {
  const rest = new RestClient(server.url)
  for (let i = 0; i < orders; i++) {
    const price = String(60_000 + ((i * 7919) % 20))
    const side = i % 2 === 0 ? 'BUY' : 'SELL'
    await rest.signed('POST', '/order', i % 2 === 0 ? alice : bob, {
      ...limit,
      side,
      price,
      quantity: '0.01',
    })
  }
}

describe.skipIf(typeof serverModules === 'string')('streams of a served pool', () => {
  it('give changes of the depth whose numbers follow each other and make the book', async () => {
    const venue = await openVenue()
    const client = await SocketClient.open(venue.server.url, '/ws/btcusdt@depth@100ms')
    await trade(venue, 30)
    const rest = new RestClient(venue.server.url)
    const snapshot = (await rest.get('/depth', { symbol: 'BTCUSDT', limit: 1000 })).body
    const bids = new Map<string, string>(snapshot.bids)
    const asks = new Map<string, string>(snapshot.asks)
    await trade(venue, 60)
    const last = (await rest.get('/depth', { symbol: 'BTCUSDT', limit: 1000 })).body
    await client.message((event) => event.u === last.lastUpdateId)
    let previous = 0
    let applied = 0
    for (const event of client.messages) {
      if (previous > 0) expect(event.U - 1).toBe(previous)
      previous = event.u
      if (event.u <= snapshot.lastUpdateId) continue
      if (applied++ === 0) expect(event.U).toBeLessThanOrEqual(snapshot.lastUpdateId + 1)
      for (const [side, changes] of [
        [bids, event.b],
        [asks, event.a],
      ] as const)
        for (const [price, quantity] of changes) {
          if (Number(quantity) === 0) side.delete(price)
          else side.set(price, quantity)
        }
    }
    expect(applied).toBeGreaterThan(1)
    const sorted = (side: Map<string, string>, sign: number) =>
      [...side].sort((a, b) => sign * (Number(a[0]) - Number(b[0])))
    expect(sorted(bids, -1)).toEqual(last.bids)
    expect(sorted(asks, 1)).toEqual(last.asks)
  })

  it('are subscribed to, listed and left as the dialect has it', async () => {
    const venue = await openVenue()
    const client = await SocketClient.open(venue.server.url, '/stream')
    const names = [
      'trade',
      'aggTrade',
      'bookTicker',
      'miniTicker',
      'ticker',
      'kline_1s',
      'depth5@100ms',
      'avgPrice',
      'ticker_1h',
    ].map((kind) => `btcusdt@${kind}`)
    expect(await client.control('SUBSCRIBE', [...names, '!miniTicker@arr', '!bookTicker'])).toEqual({
      result: null,
      id: 1,
    })
    expect((await client.control('LIST_SUBSCRIPTIONS')).result).toEqual([
      ...names,
      '!miniTicker@arr',
      '!bookTicker',
    ])
    await trade(venue, 4)
    for (const name of [...names, '!miniTicker@arr', '!bookTicker']) {
      const { data } = await client.message((message) => message.stream === name)
      expect(data, name).toBeDefined()
    }
    expect(await client.message(({ stream }) => stream === 'btcusdt@trade')).toMatchObject({
      data: { e: 'trade', s: 'BTCUSDT', t: 1 },
    })
    expect((await client.control('GET_PROPERTY', ['combined'])).result).toBe(true)
    expect((await client.control('SET_PROPERTY', ['combined', false])).result).toBe(null)
    expect((await client.control('UNSUBSCRIBE', names)).result).toBe(null)
    const from = client.messages.length
    await trade(venue, 4)
    expect(await client.message((message) => message.u !== undefined, from)).toMatchObject({ s: 'BTCUSDT' })
    expect(client.messages.slice(from).some(({ e }) => e === 'trade')).toBe(false)
    for (const [method, params, code] of [
      ['SUBSCRIBE', ['btcusdt@nothing'], 2],
      ['SUBSCRIBE', ['NONE@trade'], 2],
      ['SUBSCRIBE', [1], 2],
      ['SUBSCRIBE', [], 2],
      ['SUBSCRIBE', Array.from({ length: 1025 }, (_, i) => `x${i}@trade`), 2],
      ['FLY', undefined, 2],
      ['GET_PROPERTY', ['other'], 0],
    ] as const)
      expect((await client.control(method, params)).error.code, method).toBe(code)
  })

  it('bring each account its own orders, and no other’s', async () => {
    const venue = await openVenue()
    const { server, alice, bob } = venue
    const api = await SocketClient.open(server.url, '/ws-api/v3')
    const { result } = await api.request('userDataStream.subscribe.signature', {}, alice)
    expect(result).toEqual({ subscriptionId: 0 })
    const rest = new RestClient(server.url)
    const { body } = await rest.send('POST', '/userDataStream', '', '', { 'x-mbx-apikey': bob.apiKey })
    const stream = await SocketClient.open(server.url, `/ws/${body.listenKey}`)
    await rest.signed('POST', '/order', alice, { ...limit, newClientOrderId: 'seen' })
    await rest.signed('POST', '/order', bob, { ...limit, side: 'SELL', quantity: '0.2' })
    const trade = await api.message(({ event }) => event?.x === 'TRADE')
    expect(trade).toMatchObject({
      subscriptionId: 0,
      event: { c: 'seen', X: 'PARTIALLY_FILLED', l: '0.20000', m: true, t: 1 },
    })
    expect(await stream.message(({ x }) => x === 'TRADE')).toMatchObject({ X: 'FILLED', S: 'SELL', m: false })
    expect(api.messages.filter(({ event }) => event).map(({ event }) => event.c)).toEqual(['seen', 'seen'])
    expect(stream.messages.every(({ S }) => S === 'SELL')).toBe(true)
    await api.request('userDataStream.unsubscribe', { subscriptionId: 0 })
    expect((await api.request('userDataStream.unsubscribe', { subscriptionId: 0 })).error.code).toBe(-2036)
  })
})

describe.skipIf(typeof serverModules === 'string')('the WebSocket API of a served pool', () => {
  it('does what REST does, signed each time or within a session', async () => {
    const { server, alice, reader } = await openVenue()
    const api = await SocketClient.open(server.url, '/ws-api/v3')
    expect(await api.request('time')).toMatchObject({
      status: 200,
      result: { serverTime: expect.any(Number) },
      rateLimits: [{ count: 3 }],
    })
    const placed = await api.request('order.place', { ...limit, quantity: 0.5 }, alice)
    expect(placed).toMatchObject({ status: 200, result: { orderId: 1, status: 'NEW' } })
    expect(await api.request('order.place', limit)).toMatchObject({ status: 401, error: { code: -2014 } })
    expect(
      await api.request('order.status', { symbol: 'BTCUSDT', orderId: 1 }, { ...alice, secret: 'wrong' }),
    ).toMatchObject({ error: { code: -1022 } })
    expect(await api.request('session.logon', {}, alice)).toMatchObject({ result: { apiKey: alice.apiKey } })
    expect(await api.request('order.status', { symbol: 'BTCUSDT', orderId: 1 })).toMatchObject({
      result: { status: 'NEW' },
    })
    expect(await api.request('openOrders.status')).toMatchObject({ result: [{ orderId: 1 }] })
    expect(await api.request('v3/order.cancel', { symbol: 'BTCUSDT', orderId: 1 })).toMatchObject({
      result: { status: 'CANCELED' },
    })
    expect(await api.request('openOrders.cancelAll', { symbol: 'BTCUSDT' })).toMatchObject({
      status: 400,
      error: { code: -2011 },
    })
    expect(await api.request('account.status', { returnRateLimits: false })).not.toHaveProperty('rateLimits')
    expect(await api.request('session.logout')).toMatchObject({ result: { apiKey: null } })
    expect(await api.request('account.status')).toMatchObject({ error: { code: -2014 } })
    expect(await api.request('session.logon', {}, reader)).toMatchObject({ status: 200 })
    expect(await api.request('order.place', limit)).toMatchObject({ error: { code: -2015 } })
  })

  it('cancels what an account has open when its session ends, or its countdown', async () => {
    const { server, alice, bob } = await openVenue()
    const rest = new RestClient(server.url)
    const api = await SocketClient.open(server.url, '/ws-api/v3')
    await api.request('session.logon', {}, alice)
    expect(await api.request('session.cancelOnDisconnect', { enabled: true })).toMatchObject({
      result: { enabled: true },
    })
    const users = await SocketClient.open(server.url, '/ws-api/v3')
    await users.request('userDataStream.subscribe.signature', {}, alice)
    await users.request('userDataStream.subscribe.signature', {}, bob)
    await rest.signed('POST', '/order', alice, limit)
    await rest.signed('POST', '/order', bob, { ...limit, newClientOrderId: 'stays' })
    api.socket.terminate()
    await users.message(({ event }) => event?.x === 'CANCELED')
    expect((await rest.signed('GET', '/openOrders', alice)).body).toEqual([])
    expect((await rest.signed('GET', '/openOrders', bob)).body).toMatchObject([{ clientOrderId: 'stays' }])
    const countdown = (values: Record<string, string | number>) =>
      rest.signed('POST', '/countdownCancelAll', bob, values)
    expect((await countdown({ countdownTime: 60_000 })).body).toEqual({ countdownTime: '60000' })
    expect((await countdown({ countdownTime: 0 })).status).toBe(200)
    expect((await countdown({ countdownTime: 86_400_001 })).body.code).toBe(-1130)
    expect((await countdown({ countdownTime: 50, symbol: 'BTCUSDT' })).body).toEqual({
      symbol: 'BTCUSDT',
      countdownTime: '50',
    })
    await users.message(({ event }) => event?.x === 'CANCELED' && event.c === 'stays')
    expect((await rest.signed('GET', '/openOrders', bob)).body).toEqual([])
  })

  it('refuses what is no request, and cuts whom it must', async () => {
    const venue = await openVenue({ messagesPerSecond: 200, queueBytes: 65_536 })
    const { server } = venue
    const api = await SocketClient.open(server.url, '/ws-api/v3')
    for (const text of [
      '',
      '{',
      '[]',
      '1',
      'null',
      '{"id":1}',
      '{"id":{},"method":"time"}',
      '{"id":1,"method":"time","x":1}',
      '{"id":1,"method":"time","params":{"a":{"b":1}}}',
      '[['.repeat(5000),
    ]) {
      const from = api.messages.length
      api.socket.send(text)
      const answer = await api.message(({ error }) => error !== undefined, from)
      expect(answer.status, text.slice(0, 30)).toBe(400)
    }
    expect(await api.request('no.such')).toMatchObject({ error: { code: -1020 } })
    expect((await api.request('time')).status).toBe(200)
    const large = await SocketClient.open(server.url, '/ws-api/v3')
    large.socket.send('x'.repeat(70_000))
    expect((await large.whenClosed()).code).toBe(1009)
    const flooding = await SocketClient.open(server.url, '/ws-api/v3')
    for (let i = 0; i < 1000; i++) flooding.socket.send('{"id":1,"method":"ping"}')
    expect((await flooding.whenClosed()).code).toBe(1008)
    expect((await api.request('time')).status).toBe(200)
    await expect(SocketClient.open(server.url, '/elsewhere')).rejects.toThrow(/404/)
  })

  it('cuts a client that does not read, and the others get everything', async () => {
    const venue = await openVenue({ queueBytes: 65_536 })
    const all = '/stream?streams=btcusdt@trade/btcusdt@aggTrade/btcusdt@bookTicker'
    const slow = await SocketClient.open(venue.server.url, all)
    const quick = await SocketClient.open(venue.server.url, '/stream?streams=btcusdt@trade')
    slow.socket._socket.pause()
    const batch = []
    for (let i = 1; i <= 60_000; i++)
      batch.push({
        type: 'new' as const,
        symbol: 'BTCUSDT',
        account: 1 + (i % 2),
        side: i % 2 === 0 ? ('sell' as const) : ('buy' as const),
        orderType: 'limit' as const,
        price: '60000',
        quantity: '0.001',
      })
    await venue.pool.submitBatch(batch)
    await quick.message(({ data }) => data?.t === 30_000)
    expect(quick.messages.filter(({ data }) => data?.e === 'trade')).toHaveLength(30_000)
    const cut = async () =>
      /cut_total\{why="slow"\} (\d+)/.exec(await (await fetch(`${venue.server.url}/metrics`)).text())![1]
    expect(await cut()).toBe('1')
  })
})
