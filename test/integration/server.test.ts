import { execFileSync } from 'node:child_process'
import { generateKeyPairSync, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import * as https from 'node:https'
import * as path from 'node:path'
import { describe, expect, it } from 'vitest'
import { LogError, LogPoisonedError, NodeDisk, ReaderCursor } from '#tidemark/log/index.js'
import { EnginePool } from '#tidemark/pool/index.js'
import { VenueServer } from '#tidemark/server/index.js'
import { openVenue, serverModules } from '../support/served-venue.js'
import { temporaryDirectory } from '../support/temporary.js'
import { form, RestClient, SocketClient } from '../support/venue-client.js'

const limit = {
  symbol: 'BTCUSDT',
  side: 'BUY',
  type: 'LIMIT',
  timeInForce: 'GTC',
  quantity: '0.5',
  price: '60000',
}

describe.skipIf(typeof serverModules === 'string')('a served pool', () => {
  it('takes an order through its whole life, over REST', async () => {
    const { server, alice, bob } = await openVenue()
    const rest = new RestClient(server.url)
    const placed = await rest.signed('POST', '/order', alice, { ...limit, newClientOrderId: 'mine' })
    expect(placed.body).toMatchObject({
      symbol: 'BTCUSDT',
      orderId: 1,
      clientOrderId: 'mine',
      status: 'NEW',
      origQty: '0.50000',
      executedQty: '0.00000',
      price: '60000.00',
      fills: [],
    })
    expect((await rest.get('/depth', { symbol: 'BTCUSDT' })).body.bids).toEqual([['60000.00', '0.50000']])
    const sold = await rest.signed(
      'POST',
      '/order',
      bob,
      { symbol: 'BTCUSDT', side: 'SELL', type: 'MARKET', quantity: '0.2' },
      true,
    )
    expect(sold.body).toMatchObject({
      status: 'FILLED',
      cummulativeQuoteQty: '12000.0000000',
      fills: [{ price: '60000.00', qty: '0.20000', tradeId: 1, commissionAsset: 'USDT' }],
    })
    const order = { symbol: 'BTCUSDT', origClientOrderId: 'mine' }
    expect((await rest.signed('GET', '/order', alice, order)).body).toMatchObject({
      orderId: 1,
      status: 'PARTIALLY_FILLED',
      executedQty: '0.20000',
      cummulativeQuoteQty: '12000.0000000',
    })
    expect((await rest.signed('GET', '/order', bob, order)).body).toEqual({
      code: -2013,
      msg: 'Order does not exist.',
    })
    const amended = await rest.signed('PUT', '/order/amend/keepPriority', alice, {
      symbol: 'BTCUSDT',
      orderId: 1,
      newQty: '0.4',
    })
    expect(amended.body.amendedOrder).toMatchObject({ origQty: '0.40000', executedQty: '0.20000' })
    expect((await rest.signed('DELETE', '/order', alice, order)).body).toMatchObject({
      origClientOrderId: 'mine',
      status: 'CANCELED',
      executedQty: '0.20000',
    })
    expect((await rest.signed('DELETE', '/order', alice, order)).body).toEqual({
      code: -2011,
      msg: 'Unknown order sent.',
    })
    expect((await rest.signed('GET', '/openOrders', alice)).body).toEqual([])
    expect((await rest.signed('GET', '/allOrders', alice, { symbol: 'BTCUSDT' })).body).toMatchObject([
      { orderId: 1, status: 'CANCELED' },
    ])
    expect((await rest.signed('GET', '/myTrades', bob, { symbol: 'BTCUSDT' })).body).toMatchObject([
      { id: 1, orderId: 2, isBuyer: false, isMaker: false, quoteQty: '12000.0000000' },
    ])
  })

  it('has every type of order, and says what it does not take by the codes of the dialect', async () => {
    const { server, alice, bob } = await openVenue()
    const rest = new RestClient(server.url)
    const place = async (values: object) =>
      (await rest.signed('POST', '/order', alice, { ...limit, ...values } as never)).body
    await rest.signed('POST', '/order', bob, { ...limit, side: 'SELL', price: '61000' })
    const without = (...names: string[]) =>
      Object.fromEntries(Object.entries(limit).filter(([name]) => !names.includes(name)))
    const send = async (values: object) => (await rest.signed('POST', '/order', alice, values as never)).body
    expect(await send({ ...without('timeInForce'), type: 'LIMIT_MAKER' })).toMatchObject({ orderId: 2 })
    expect(await send({ ...without('timeInForce'), type: 'LIMIT_MAKER', price: '61000' })).toEqual({
      code: -2010,
      msg: 'Order would immediately match and take.',
    })
    expect(
      await send({ ...without('timeInForce', 'price'), type: 'STOP_LOSS', stopPrice: '62000' }),
    ).toMatchObject({ orderId: expect.any(Number) })
    expect(
      await place({ type: 'STOP_LOSS_LIMIT', stopPrice: '62000', newOrderRespType: 'RESULT' }),
    ).toMatchObject({ status: 'NEW', stopPrice: '62000.00' })
    expect(
      await send({ ...without('timeInForce', 'price'), type: 'TAKE_PROFIT', stopPrice: '55000' }),
    ).toMatchObject({ orderId: expect.any(Number) })
    expect(
      await place({
        type: 'STOP_LOSS_LIMIT',
        trailingDelta: '100',
        stopPrice: '63000',
        newOrderRespType: 'RESULT',
      }),
    ).toMatchObject({ status: 'NEW', trailingDelta: 100, stopPrice: '63000.00' })
    expect(await place({ icebergQty: '0.1' })).toMatchObject({ icebergQty: '0.10000' })
    expect(await place({ timeInForce: 'FOK', price: '61000', quantity: '9' })).toMatchObject({
      status: 'EXPIRED',
      origQty: '9.00000',
    })
    expect(await place({ timeInForce: 'IOC', price: '61000', quantity: '0.7' })).toMatchObject({
      status: 'EXPIRED',
      executedQty: '0.50000',
    })
    for (const [values, code] of [
      [{ price: '60000.001' }, -1013],
      [{ quantity: '0.000001' }, -1013],
      [{ quantity: '0.00001', price: '1' }, -1013],
      [{ price: 'x' }, -1100],
      [{ price: '' }, -1102],
      [{ side: 'HOLD' }, -1117],
      [{ type: 'BEST' }, -1116],
      [{ timeInForce: 'DAY' }, -1115],
      [{ symbol: 'NONE' }, -1121],
      [{ newClientOrderId: 'not ok' }, -1100],
      [{ quoteOrderQty: '10' }, -1106],
      [{ trailingDelta: '10' }, -1106],
      [{ type: 'STOP_LOSS_LIMIT', trailingDelta: '10000' }, -1013],
      [{ type: 'STOP_LOSS_LIMIT' }, -1102],
      [{ pegPriceType: 'BEST' }, -1210],
      [{ surprise: '1' }, -1104],
    ] as const) {
      const { code: found } = await place(values)
      expect(found, JSON.stringify(values)).toBe(code)
    }
    expect((await rest.signed('POST', '/orderList/opo', alice, { anything: 1 })).body.code).toBe(-1013)
    expect((await rest.signed('POST', '/order/test', alice, limit)).body).toEqual({})
    expect((await rest.signed('POST', '/order/test', alice, { ...limit, price: '1.001' })).body.code).toBe(
      -1013,
    )
  })

  it('answers cancel-replace as the dialect does, whichever half fails', async () => {
    const { server, alice } = await openVenue()
    const rest = new RestClient(server.url)
    const replace = (values: object) =>
      rest.signed('POST', '/order/cancelReplace', alice, { ...limit, ...values } as never)
    await rest.signed('POST', '/order', alice, limit)
    expect(
      await replace({ cancelOrderId: 1, cancelReplaceMode: 'STOP_ON_FAILURE', price: '59000' }),
    ).toMatchObject({
      status: 200,
      body: { cancelResult: 'SUCCESS', newOrderResult: 'SUCCESS', newOrderResponse: { orderId: 2 } },
    })
    expect(await replace({ cancelOrderId: 1, cancelReplaceMode: 'STOP_ON_FAILURE' })).toMatchObject({
      status: 400,
      body: {
        code: -2022,
        data: { cancelResult: 'FAILURE', newOrderResult: 'NOT_ATTEMPTED', newOrderResponse: null },
      },
    })
    expect(await replace({ cancelOrderId: 1, cancelReplaceMode: 'ALLOW_FAILURE' })).toMatchObject({
      status: 409,
      body: { code: -2021, data: { cancelResult: 'FAILURE', newOrderResult: 'SUCCESS' } },
    })
  })

  it('lets in whom a key, its signature, its time, its address and its permission let in', async () => {
    const { server, alice, reader, keys } = await openVenue()
    const rest = new RestClient(server.url)
    const account = (values: object = {}) => rest.signed('GET', '/account', alice, values as never)
    expect(await account()).toMatchObject({ status: 200, body: { canTrade: true, balances: [], uid: 1 } })
    expect((await rest.get('/account')).body.code).toBe(-2014)
    expect((await rest.get('/account', {}, { 'x-mbx-apikey': 'x'.repeat(64) })).body.code).toBe(-2015)
    expect(
      (await rest.get('/account', { timestamp: Date.now() }, { 'x-mbx-apikey': alice.apiKey })).body.code,
    ).toBe(-1102)
    expect((await rest.signed('GET', '/account', { ...alice, secret: reader.secret })).body.code).toBe(-1022)
    expect((await account({ timestamp: Date.now() - 6000 })).body.code).toBe(-1021)
    expect((await account({ timestamp: Date.now() - 6000, recvWindow: 60_000 })).status).toBe(200)
    expect((await account({ timestamp: Date.now() * 1000 })).status).toBe(200)
    expect((await account({ timestamp: Date.now() + 60_000 })).body.code).toBe(-1021)
    expect((await account({ recvWindow: 60_001 })).body.code).toBe(-1130)
    expect((await rest.signed('GET', '/account', reader)).body).toMatchObject({ canTrade: false })
    expect((await rest.signed('POST', '/order', reader, limit)).body.code).toBe(-2015)
    const far = keys.create({ account: 1, ips: ['10.1.2.3'] }) as { apiKey: string; secret: string }
    const near = keys.create({ account: 1, ips: ['127.0.0.1'] }) as { apiKey: string; secret: string }
    const revoked = keys.create({ account: 1 }) as { apiKey: string; secret: string }
    keys.revoke(revoked.apiKey)
    await new Promise((done) => setTimeout(done, 1100))
    expect((await rest.signed('GET', '/account', far)).body.code).toBe(-2015)
    expect((await rest.signed('GET', '/account', near)).status).toBe(200)
    expect((await rest.signed('GET', '/account', revoked)).body.code).toBe(-2015)
  })

  it('takes signatures of Ed25519 keys, whose secret it never had', async () => {
    const { server, keys } = await openVenue()
    const { publicKey, privateKey } = generateKeyPairSync('ed25519')
    const key = keys.create({
      account: 9,
      publicKey: publicKey.export({ type: 'spki', format: 'pem' }) as string,
    })
    expect(key.secret).toBeUndefined()
    await new Promise((done) => setTimeout(done, 1100))
    const rest = new RestClient(server.url)
    const ask = (text: string, signed = text) => {
      const signature = encodeURIComponent(
        sign(undefined, Buffer.from(signed), privateKey).toString('base64'),
      )
      return rest.send('GET', '/account', `${text}&signature=${signature}`, '', {
        'x-mbx-apikey': key.apiKey,
      })
    }
    const now = form({ timestamp: Date.now() })
    expect(await ask(now)).toMatchObject({ status: 200, body: { uid: 9 } })
    expect((await ask(now, `${now}0`)).body.code).toBe(-1022)
  })

  it('counts weights and orders, and refuses what is above them until the next span', async () => {
    const { server, alice } = await openVenue({ weightPerMinute: 200, ordersPer10Seconds: 3 })
    const rest = new RestClient(server.url)
    const first = await rest.get('/depth', { symbol: 'BTCUSDT' })
    expect(first.headers.get('x-mbx-used-weight-1m')).toBe('5')
    const orders = []
    for (let i = 0; i < 4; i++) orders.push(await rest.signed('POST', '/order', alice, limit))
    const refused = orders.find(({ status }) => status === 429) ?? orders[0]!
    // A span of ten seconds may have ended among them.
    if (refused.status === 429) {
      expect(refused.body.code).toBe(-1015)
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    }
    let answer = first
    for (let i = 0; i < 60 && answer.status === 200; i++)
      answer = await rest.get('/trades', { symbol: 'BTCUSDT' })
    expect(answer).toMatchObject({ status: 429, body: { code: -1003 } })
  })

  it('is after a restart where it was, and answers nothing older than what it has answered', async () => {
    const dir = temporaryDirectory()
    const first = await openVenue({}, { dir })
    const rest = new RestClient(first.server.url)
    await rest.signed('POST', '/order', first.alice, { ...limit, newClientOrderId: 'kept' })
    await rest.signed('POST', '/order', first.bob, { ...limit, side: 'SELL', quantity: '0.1' })
    const before = await Promise.all([
      rest.signed('GET', '/allOrders', first.alice, { symbol: 'BTCUSDT' }),
      rest.signed('GET', '/myTrades', first.bob, { symbol: 'BTCUSDT' }),
      rest.get('/depth', { symbol: 'BTCUSDT' }),
      rest.get('/trades', { symbol: 'BTCUSDT' }),
      rest.get('/klines', { symbol: 'BTCUSDT', interval: '1d', endTime: Date.now() }),
    ])
    await first.server.close()
    await first.pool.close()
    const second = await openVenue({}, { dir })
    const again = new RestClient(second.server.url)
    const after = await Promise.all([
      again.signed('GET', '/allOrders', first.alice, { symbol: 'BTCUSDT' }),
      again.signed('GET', '/myTrades', first.bob, { symbol: 'BTCUSDT' }),
      again.get('/depth', { symbol: 'BTCUSDT' }),
      again.get('/trades', { symbol: 'BTCUSDT' }),
      again.get('/klines', { symbol: 'BTCUSDT', interval: '1d', endTime: Date.now() }),
    ])
    expect(after.map(({ body }) => body)).toEqual(before.map(({ body }) => body))
    expect((before[0]!.body as unknown[]).length).toBe(1)
    const all = await Promise.all(Array.from({ length: 50 }, (_, i) => place(i)))
    expect(all.every(Boolean)).toBe(true)
    async function place(i: number): Promise<boolean> {
      const { body } = await again.signed('POST', '/order', first.alice, {
        ...limit,
        price: String(50_000 + i),
        recvWindow: 60_000,
      })
      const seen = await again.signed('GET', '/order', first.alice, {
        symbol: 'BTCUSDT',
        orderId: body.orderId,
        recvWindow: 60_000,
      })
      return seen.body.orderId === body.orderId && seen.body.price === `${50_000 + i}.00`
    }
  })

  it('keeps no more orders and trades than it was set to', async () => {
    const { server, alice, bob } = await openVenue({ closedOrders: 4, accountTrades: 6 })
    const rest = new RestClient(server.url)
    for (let i = 0; i < 6; i++) {
      await rest.signed('POST', '/order', alice, { ...limit, quantity: '0.1' })
      await rest.signed('POST', '/order', bob, { ...limit, side: 'SELL', quantity: '0.1' })
    }
    const mine = await rest.signed('GET', '/allOrders', alice, { symbol: 'BTCUSDT' })
    const theirs = await rest.signed('GET', '/allOrders', bob, { symbol: 'BTCUSDT' })
    expect(mine.body.length + theirs.body.length).toBe(4)
    const trades = await rest.signed('GET', '/myTrades', alice, { symbol: 'BTCUSDT' })
    expect(trades.body.map(({ id }: { id: number }) => id)).toEqual([4, 5, 6])
  })

  it('refuses what is no request, and stays', async () => {
    const { server } = await openVenue()
    const rest = new RestClient(server.url)
    const asks: [string, string, string, string, number][] = [
      ['GET', '/depth', 'symbol=BTCUSDT&limit=0', '', 400],
      ['GET', '/depth', 'symbol=BTCUSDT&limit=-5', '', 400],
      ['GET', '/depth', `symbol=BTCUSDT&limit=${'9'.repeat(30)}`, '', 400],
      ['GET', '/depth', 'symbol=BTCUSDT&symbol=BTCUSDT', '', 400],
      ['GET', '/depth', 'symbol=%E0%A4%A', '', 400],
      ['GET', '/depth', `symbol=${'x'.repeat(9000)}`, '', 400],
      ['GET', '/klines', 'symbol=BTCUSDT&interval=1y', '', 400],
      ['GET', '/ticker/24hr', 'symbols=[', '', 400],
      [
        'GET',
        '/ticker/24hr',
        `symbols=${encodeURIComponent(JSON.stringify(Array(300).fill('BTCUSDT')))}`,
        '',
        400,
      ],
      ['POST', '/order', '', `a=${'b'.repeat(20_000)}`, 413],
      ['POST', '/order', '', Array.from({ length: 100 }, (_, i) => `p${i}=1`).join('&'), 400],
      ['PATCH', '/order', '', '', 404],
      ['GET', '/constructor', '', '', 404],
    ]
    for (const [verb, route, query, body, status] of asks) {
      const answer = await rest.send(verb, route, query, body)
      expect(answer.status, `${verb} ${route} ${query.slice(0, 60)}`).toBe(status)
      expect(answer.body.code).toBeLessThan(0)
    }
    expect((await rest.get('/ping')).body).toEqual({})
  })

  it('says whether it is well, and its figures', async () => {
    const { server, alice, pool } = await openVenue({ onFailure: () => {} })
    const rest = new RestClient(server.url)
    await rest.signed('POST', '/order', alice, limit)
    await rest.signed('POST', '/order', alice, { ...limit, price: '1.001' })
    const well = async () => {
      const [health, ready] = [await fetch(`${server.url}/healthz`), await fetch(`${server.url}/readyz`)]
      return [health.status, ready.status, ((await ready.json()) as { reason?: string }).reason]
    }
    expect(await well()).toEqual([200, 200, undefined])
    const full = new LogError('TIDEMARK_DISK_FULL', 'full')
    pool.emit('diskFull', full)
    expect(await well()).toEqual([200, 503, 'the disk is full, or no file can be opened'])
    pool.emit('diskReady')
    expect(await well()).toEqual([200, 200, undefined])
    await pool.checkpoint()
    const text = await (await fetch(`${server.url}/metrics`)).text()
    expect(text).toMatch(/^tidemark_commands_total 3$/m)
    expect(text).toMatch(/^tidemark_acknowledgement_ms\{quantile="0.99"\} \d/m)
    expect(text).toMatch(/^tidemark_nodejs_eventloop_lag_seconds \d/m)
    expect(text).toMatch(/^tidemark_refusals_total\{code="-1013"\} 1$/m)
    expect(text).toMatch(/^# TYPE tidemark_acknowledgement_seconds histogram$/m)
    expect(text).toMatch(/^tidemark_acknowledgement_seconds_bucket\{le="\+Inf"\} 3$/m)
    expect(text).toMatch(/^tidemark_acknowledgement_seconds_count 3$/m)
    expect(text).toMatch(/^tidemark_flush_seconds_bucket\{le="0.0001"\} \d/m)
    expect(text).toMatch(/^tidemark_checkpoint_age_seconds\{of="books"\} [\d.]+$/m)
    expect(text).toMatch(/^tidemark_checkpoints_total\{outcome="taken"\} 1$/m)
    expect(text).not.toMatch(/^tidemark_replication_lag_bytes\{/m)
    const poisoned = new LogPoisonedError(new Error('broken'))
    pool.emit('error', poisoned)
    const reason = 'the log is poisoned: a write, a sync or a thread failed'
    expect(await well()).toEqual([503, 503, reason])
  })

  it('reports what fails inside, of which a client hears no more than that something did', async () => {
    const failures: unknown[] = []
    let report = () => {}
    const inside = new Error('what no client may read')
    const adminKeys = path.join(temporaryDirectory(), 'admin-keys.json')
    const { server, alice, pool } = await openVenue({
      onFailure: (error) => {
        failures.push(error)
        report()
      },
      balances: {
        of: () => {
          throw inside
        },
      },
      admin: { port: 0, keys: adminKeys },
    })
    const failed = () => new Promise<void>((resolve) => (report = resolve))
    const unknown = { code: -1000, msg: 'An unknown error occurred while processing the request.' }
    const rest = new RestClient(server.url)
    expect(await rest.signed('GET', '/account', alice)).toMatchObject({ status: 500, body: unknown })
    expect(failures).toEqual([inside])
    // A failure of the pool that the dialect has no word for.
    pool.submit = () => Promise.reject(inside)
    expect((await rest.signed('POST', '/order', alice, limit)).body).toEqual(unknown)
    expect(failures).toEqual([inside, inside])
    const halted = await fetch(`${server.adminUrl}/admin/v1/halt`, {
      method: 'POST',
      body: '{"symbol":"BTCUSDT"}',
    })
    expect([halted.status, await halted.json()]).toEqual([
      500,
      { code: 'FAILED', message: 'halt failed inside the server.' },
    ])
    expect(failures).toEqual([inside, inside, inside])
    // The cancels at the end of a connection have no client that waits for them.
    const client = await SocketClient.open(server.url, '/ws-api/v3')
    await client.request('session.logon', {}, alice)
    expect(await client.request('session.cancelOnDisconnect', { enabled: true })).toMatchObject({
      status: 200,
    })
    const cancelFailed = failed()
    client.close()
    await cancelFailed
    expect(failures.length).toBeGreaterThan(3)
    const poisoned = failed()
    pool.emit('error', new LogPoisonedError(inside))
    await poisoned
    expect(failures.at(-1)).toMatchObject({ code: 'TIDEMARK_LOG_POISONED' })
  })

  it('says how far a reader of its log from outside is', async () => {
    const { server, pool, dir } = await openVenue()
    const cursor = await ReaderCursor.open(new NodeDisk(), dir, 'store-books', 0)
    const text = await (await fetch(`${server.url}/metrics`)).text()
    expect(text).toContain(`tidemark_reader_lag_bytes{reader="store-books"} ${pool.durableLsn}\n`)
    await cursor.close(pool.durableLsn)
  })

  it('has nothing for pages of other origins: no header that lets them in, no cookie, no answer to their asking', async () => {
    const { server } = await openVenue()
    const headers = { origin: 'https://example.com' }
    for (const route of ['/', '/page/page.js', '/api/v3/time', '/metrics', '/healthz', '/none']) {
      const answer = await fetch(server.url + route, { headers })
      const names = [...answer.headers.keys()]
      expect(
        names.filter((name) => /^access-control-|^set-cookie$|^x-powered-by$|^server$/.test(name)),
        route,
      ).toEqual([])
    }
    const asked = { ...headers, 'access-control-request-method': 'POST' }
    const answer = await fetch(`${server.url}/api/v3/order`, { method: 'OPTIONS', headers: asked })
    expect(answer.status).toBe(404)
  })

  it('has a page that loads nothing from elsewhere and shows what the routes say', async () => {
    const { server, alice, bob } = await openVenue()
    const rest = new RestClient(server.url)
    await rest.signed('POST', '/order', alice, limit)
    await rest.signed('POST', '/order', bob, { ...limit, side: 'SELL', quantity: '0.1' })
    const page = await fetch(server.url)
    expect(page.headers.get('content-security-policy')).toMatch(/^default-src 'none'; script-src 'self'/)
    const html = await page.text()
    const linked = [...html.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, url]) => url!)
    expect(html).not.toMatch(/(?:src|href)="(?!\/page\/|data:,"|#)/)
    const asked = new Set<string>()
    for (const url of linked) {
      if (asked.has(url)) continue
      asked.add(url)
      const file = await fetch(server.url + url)
      expect(file.status, url).toBe(200)
      const text = await file.text()
      expect(text.length).toBeGreaterThan(500)
      for (const [, name] of text.matchAll(/^import .* from '\.\/([a-z]+\.js)'/gm))
        linked.push(`/page/${name}`)
    }
    expect(asked.size).toBe(9)
    const events = await fetch(`${server.url}/page/events?symbol=BTCUSDT`)
    const reader = events.body!.pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    while (!text.includes('\n\n')) text += (await reader.read()).value
    await reader.cancel()
    const shown = JSON.parse(text.slice('data: '.length).split('\n\n')[0]!)
    const depth = (await rest.get('/depth', { symbol: 'BTCUSDT' })).body
    const ticker = (await rest.get('/ticker/24hr', { symbol: 'BTCUSDT' })).body
    expect(shown).toMatchObject({
      symbols: ['BTCUSDT', 'ETHUSDT'],
      symbol: 'BTCUSDT',
      market: {
        phase: 'continuous',
        bids: depth.bids,
        asks: depth.asks,
        trades: (await rest.get('/trades', { symbol: 'BTCUSDT' })).body,
        ticker: { lastPrice: ticker.lastPrice, highPrice: ticker.highPrice, volume: ticker.volume },
        candles: (await rest.get('/klines', { symbol: 'BTCUSDT', interval: '1m' })).body,
      },
      health: { trades: 1, shards: [{ trades: 1 }], connections: { pages: 1 } },
    })
  })

  it('opens no more pages than it may, and says what is wrong with a request for one', async () => {
    const { server } = await openVenue()
    for (const [query, status, code] of [
      ['symbol=NONE', 400, -1121],
      ['interval=7m', 400, -1120],
      ['symbol=BTCUSDT&colour=red', 400, -1104],
      ['symbol=%E0%A4%A', 400, -1100],
    ] as const) {
      const answer = await fetch(`${server.url}/page/events?${query}`)
      const { code: answered } = (await answer.json()) as { code: number }
      expect([answer.status, answered], query).toEqual([status, code])
    }
    const closing = new AbortController()
    const pages = await Promise.all(
      Array.from({ length: 100 }, () => fetch(`${server.url}/page/events`, { signal: closing.signal })),
    )
    expect(pages.map(({ status }) => status).filter((status) => status !== 200)).toEqual([])
    expect((await fetch(`${server.url}/page/events`)).status).toBe(503)
    closing.abort()
    await expect.poll(async () => (await fetch(`${server.url}/metrics`)).text()).toContain('{kind="pages"} 0')
  })

  it('speaks TLS with a certificate of its own, streams too', async () => {
    const dir = temporaryDirectory()
    const certFile = path.join(dir, 'cert.pem')
    const keyFile = path.join(dir, 'key.pem')
    const args = [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-days',
      '2',
    ]
    const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1']
    execFileSync('openssl', [...args, ...names, '-keyout', keyFile, '-out', certFile], { stdio: 'ignore' })
    const { server } = await openVenue({ tls: { certFile, keyFile } })
    expect(server.url).toMatch(/^https:/)
    const ca = readFileSync(certFile)
    const status = await new Promise((resolve, reject) => {
      https
        .get(`${server.url}/api/v3/ping`, { ca }, (answer) => resolve(answer.statusCode))
        .on('error', reject)
    })
    expect(status).toBe(200)
    const client = await SocketClient.open(server.url, '/ws-api/v3', { ca })
    expect(await client.request('ping')).toMatchObject({ status: 200 })
    await expect(fetch(`${server.url}/api/v3/ping`)).rejects.toThrow()
  })

  it('refuses to be reached from elsewhere without a key', async () => {
    const dir = temporaryDirectory()
    const pool = await EnginePool.open({ dir })
    const modules = serverModules as Exclude<typeof serverModules, string>
    const opened = VenueServer.open({ pool, keys: `${dir}/keys.json`, modules, host: '0.0.0.0' })
    await expect(opened).rejects.toMatchObject({ code: 'TIDEMARK_SERVER_OPEN' })
    const no = path.join(dir, 'none.pem')
    for (const [tls, name] of [
      [{ certFile: no, keyFile: no }, /tls\.certFile/],
      [{ certFile: import.meta.filename, keyFile: no }, /tls\.keyFile/],
      [{ certFile: import.meta.filename, keyFile: import.meta.filename }, /in PEM/],
      [{ certFile: no, keyFile: no, ca: no }, /ca/],
      // It must not be served in the clear then.
      [null, /object/],
    ] as const) {
      const bad = VenueServer.open({ pool, keys: `${dir}/keys.json`, modules, tls: tls as never })
      await expect(bad).rejects.toMatchObject({
        code: 'TIDEMARK_BAD_SETTING',
        message: expect.stringMatching(name),
      })
    }
    const badAdmin = VenueServer.open({ pool, keys: `${dir}/keys.json`, modules, admin: null as never })
    await expect(badAdmin).rejects.toMatchObject({ code: 'TIDEMARK_BAD_SETTING' })
    await pool.close()
  })

  it('finishes what it has taken when it is closed, and takes no more', async () => {
    const { server, alice } = await openVenue()
    const rest = new RestClient(server.url)
    const api = await SocketClient.open(server.url, '/ws-api/v3')
    const stream = await SocketClient.open(server.url, '/stream?streams=btcusdt@trade')
    const asked = Array.from({ length: 20 }, () => rest.signed('POST', '/order', alice, limit))
    await rest.get('/ping')
    const closed = server.close()
    const answers = await Promise.allSettled(asked)
    for (const answer of answers) {
      if (answer.status === 'rejected') continue
      expect(answer.value.status === 200 || answer.value.body.code === -1016, JSON.stringify(answer)).toBe(
        true,
      )
    }
    expect(
      answers.filter((answer) => answer.status === 'fulfilled' && answer.value.status === 200).length,
    ).toBeGreaterThan(0)
    await closed
    expect(await api.message((message) => message.event?.e === 'serverShutdown')).toBeDefined()
    expect(await stream.message((message) => message.stream === '!serverShutdown')).toBeDefined()
    expect((await api.whenClosed()).code).toBe(1001)
    await expect(rest.get('/ping')).rejects.toThrow()
  })
})
