import * as path from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { VenueClient, type VenueClientOptions } from '#tidemark/client/index.js'
import { Ledger } from '#tidemark/ledger/index.js'
import { openVenue, type ServedVenue, serverModules } from '../support/served-venue.js'
import { temporaryDirectory } from '../support/temporary.js'
import { RestClient, SocketClient } from '../support/venue-client.js'

const { WebSocket } = (typeof serverModules === 'string' ? {} : serverModules.ws) as {
  WebSocket: NonNullable<VenueClientOptions['WebSocket']>
}
const assets = ['USDT', 'BTC', 'ETH'].map((id) => ({ id, scale: 8 }))
const order = {
  symbol: 'BTCUSDT',
  side: 'BUY',
  type: 'LIMIT',
  timeInForce: 'GTC',
  quantity: '1',
  price: '100',
}

/** A venue with a ledger, an administrator who pays in, and clients of accounts 1 and 2. */
async function openAccounts(
  dir = temporaryDirectory(),
): Promise<ServedVenue & { ledger: Ledger; rest: RestClient; admin: Admin }> {
  const adminKeys = path.join(temporaryDirectory(), 'admin-keys.json')
  const venue = await openVenue(
    {
      ledger: (pool) => Ledger.open({ pool, assets, venueAccount: 9 }),
      admin: { port: 0, keys: adminKeys },
    },
    { dir },
  )
  const admin: Admin = async (action, fields) => {
    const url = `${venue.server.adminUrl}/admin/v1/${action}`
    const answer = await fetch(url, { method: 'POST', body: JSON.stringify(fields) })
    return { status: answer.status, body: await answer.json() }
  }
  return { ...venue, ledger: venue.ledger!, rest: new RestClient(venue.server.url), admin }
}

type Admin = (action: string, fields: object) => Promise<{ status: number; body: unknown }>

describe.skipIf(typeof serverModules === 'string')('a venue that keeps accounts', () => {
  it('takes what an account can pay for, shows what it has, and refuses the rest in the words of the dialect', async () => {
    const { rest, alice, bob, admin, server, ledger } = await openAccounts()
    const place = (key: typeof alice, values: object) =>
      rest.signed('POST', '/order', key, { ...order, ...values })
    const balances = async (key: typeof alice) =>
      Object.fromEntries(
        (await rest.signed('GET', '/account', key)).body.balances.map(
          ({ asset, free, locked }: Record<string, string>) => [asset, `${Number(free)}/${Number(locked)}`],
        ),
      )
    const poor = { code: -2010, msg: 'Account has insufficient balance for requested action.' }
    expect((await place(alice, {})).body).toEqual(poor)
    const paid = { account: 1, asset: 'USDT', amount: '1000', key: 'a' }
    expect(await admin('deposit', paid)).toMatchObject({ status: 200, body: { repeated: false } })
    expect(await admin('deposit', paid)).toMatchObject({ status: 200, body: { repeated: true } })
    expect(await admin('deposit', { ...paid, amount: '1' })).toMatchObject({
      status: 409,
      body: { code: 'TIDEMARK_KEY_REUSED' },
    })
    await admin('deposit', { account: 2, asset: 'BTC', amount: '5', key: 'b' })

    const stream = await SocketClient.open(server.url, '/ws-api/v3')
    onTestFinished(() => stream.close())
    await stream.request('session.logon', {}, alice)
    await stream.request('userDataStream.subscribe')
    expect((await place(alice, {})).body).toMatchObject({ status: 'NEW' })
    expect(await balances(alice)).toEqual({ USDT: '900/100' })
    const position = await stream.message(({ event }) => event?.e === 'outboundAccountPosition')
    expect(position.event.B).toEqual([{ a: 'USDT', f: '900.00000000', l: '100.00000000' }])
    expect((await place(alice, { quantity: '9.00001' })).body).toEqual(poor)
    expect((await place(bob, { side: 'SELL', quantity: '3', price: '100' })).body).toMatchObject({
      executedQty: '1.00000',
    })
    expect(await balances(alice)).toEqual({ USDT: '900/0', BTC: '1/0' })
    expect(await balances(bob)).toEqual({ USDT: '100/0', BTC: '2/2' })

    // A market order to buy ends 5 % above the best offer, which is what it is held for.
    const market = (key: typeof alice, side: 'BUY' | 'SELL', quantity: string) =>
      rest.signed('POST', '/order', key, { symbol: 'BTCUSDT', side, type: 'MARKET', quantity })
    expect((await market(alice, 'BUY', '1')).body).toMatchObject({
      status: 'FILLED',
      executedQty: '1.00000',
      cummulativeQuoteQty: '100.0000000',
    })
    expect((await market(alice, 'BUY', '9')).body).toEqual(poor)
    expect((await market(alice, 'BUY', '7')).body).toMatchObject({
      status: 'EXPIRED',
      executedQty: '1.00000',
    })
    expect((await market(alice, 'BUY', '1')).body).toMatchObject({ status: 'EXPIRED' })
    expect((await market(bob, 'SELL', '1')).body).toMatchObject({
      status: 'EXPIRED',
    })
    expect(await balances(alice)).toEqual({ USDT: '700/0', BTC: '3/0' })

    await admin('set-limits', { account: 1, symbol: 'BTCUSDT', priceDistanceBasisPoints: 100, key: 'd' })
    expect((await place(alice, { price: '101.01' })).body).toEqual({
      code: -1013,
      msg: 'Filter failure: PERCENT_PRICE',
    })
    await admin('set-limits', { account: 1, symbol: 'BTCUSDT', position: '0.5', key: 'p' })
    expect((await place(alice, { quantity: '0.51' })).body).toEqual({
      code: -1013,
      msg: 'Filter failure: MAX_POSITION',
    })
    await admin('set-limits', { account: 1, symbol: 'BTCUSDT', key: 'q' })
    await admin('set-limits', { account: 2, asset: 'ETH', credit: '5', key: 'e' })
    expect(ledger.balance(2, 'ETH')).toMatchObject({ free: '0.00000000', credit: '5.00000000' })
    await admin('set-limits', { account: 1, liveOrders: 1, key: 'l' })
    await place(alice, {})
    expect((await place(alice, {})).body).toEqual({ code: -1013, msg: 'Filter failure: MAX_NUM_ORDERS' })
    // One a second, of ten at a time.
    await admin('set-limits', { account: 2, commandsPerSecond: 1, key: 'r' })
    const small = { side: 'SELL', quantity: '0.03', price: '200' }
    const sent = await Promise.all(Array.from({ length: 10 }, () => place(bob, small)))
    const refused = sent.find(({ body }) => body.code === -1015)
    expect(refused).toMatchObject({
      status: 429,
      body: { msg: 'Too many new orders; current limit is 1 orders per SECOND.' },
    })
    expect(refused!.headers.get('retry-after')).toBe('1')
    await admin('set-limits', { account: 2, key: 's' })
    await rest.signed('DELETE', '/openOrders', bob, { symbol: 'BTCUSDT' })
    expect(await admin('withdraw', { account: 1, asset: 'USDT', amount: '601', key: 'w' })).toMatchObject({
      status: 409,
      body: { code: 'TIDEMARK_INSUFFICIENT_FUNDS' },
    })
    expect(await admin('withdraw', { account: 1, asset: 'USDT', amount: '600', key: 'w' })).toMatchObject({
      status: 200,
    })
    expect(await admin('transfer', { from: 2, to: 1, asset: 'BTC', amount: '0.5', key: 't' })).toMatchObject({
      status: 200,
    })
    expect(
      await admin('adjust', { account: 1, asset: 'BTC', amount: '-0.5', key: 'c', reson: 'x' }),
    ).toMatchObject({
      status: 400,
      body: { code: 'TIDEMARK_BAD_ARGUMENT' },
    })
    expect(await balances(alice)).toEqual({ USDT: '0/100', BTC: '3.5/0' })

    // What is traded in assets that the ledger does not know can be added, and traded when it knows them.
    const sol = { symbol: 'SOLUSDT', tickSize: '0.01', lotSize: '0.01', baseAsset: 'SOL', quoteAsset: 'USDT' }
    expect((await admin('add-instrument', sol)).status).toBe(200)
    const sold = { symbol: 'SOLUSDT', side: 'SELL' }
    expect((await place(bob, sold)).body).toMatchObject({
      code: -2010,
      msg: 'The ledger has no asset "SOL".',
    })
    const added = await admin('add-assets', { assets: [{ id: 'SOL', scale: 4 }] })
    expect(added).toMatchObject({ status: 200, body: { assets: [...assets, { id: 'SOL', scale: 4 }] } })
    expect((await place(bob, sold)).body).toEqual(poor)
  })

  it('answers an order that is sent again as it was executed, also when the first one has all the money', async () => {
    const { rest, alice, bob, ledger } = await openAccounts()
    const paid = [
      { account: 1, asset: 'USDT', amount: '1000', key: 'a' },
      { account: 2, asset: 'BTC', amount: '5', key: 'b' },
    ]
    for (const one of paid) await ledger.deposit(one)
    const place = async (key: typeof alice, values: object) =>
      (await rest.signed('POST', '/order', key, { ...order, ...values })).body
    const first = { quantity: '10', requestId: 1, newClientOrderId: 'all' }
    const answer = await place(alice, first)
    expect(answer).toMatchObject({ status: 'NEW', clientOrderId: 'all' })
    expect(await place(alice, first)).toEqual(answer)
    // What differs is another order: nothing was executed, and that is said.
    const other = { code: -2102, msg: 'The requestId was that of another order.' }
    for (const difference of [
      { price: '101' },
      { quantity: '11' },
      { timeInForce: 'IOC' },
      { newClientOrderId: 'other' },
      { selfTradePreventionMode: 'EXPIRE_TAKER' },
      { icebergQty: '1' },
    ])
      expect(await place(alice, { ...first, ...difference })).toEqual(other)
    const poor = { code: -2010, msg: 'Account has insufficient balance for requested action.' }
    expect(await place(alice, { ...first, requestId: 2 })).toEqual(poor)
    await rest.signed('DELETE', '/order', alice, { symbol: 'BTCUSDT', origClientOrderId: 'all' })

    // A market order takes the best offer away, so the second time it would be another limit.
    await place(bob, { side: 'SELL', quantity: '1', price: '100' })
    await place(bob, { side: 'SELL', quantity: '2', price: '102' })
    const market = { symbol: 'BTCUSDT', side: 'BUY', type: 'MARKET', requestId: 2, newClientOrderId: 'm' }
    const buy = async (values: object) =>
      (await rest.signed('POST', '/order', alice, { ...market, quantity: '1', ...values })).body
    const bought = await buy({})
    expect(bought).toMatchObject({ status: 'FILLED', cummulativeQuoteQty: '100.0000000' })
    expect(await buy({})).toEqual(bought)
    expect(await buy({ quantity: '2' })).toEqual(other)
    expect(await buy({ requestId: 1 })).toMatchObject({ code: -2101 })
    expect(await buy({ requestId: 3, newClientOrderId: 'n' })).toMatchObject({
      cummulativeQuoteQty: '102.0000000',
    })
    expect(ledger.balance(1, 'BTC')).toMatchObject({ total: '2.00000000', held: '0.00000000' })
  })

  it('buys at the market within the prices that an instrument has, and ends where nothing is offered', async () => {
    const { rest, alice, bob, ledger, pool } = await openAccounts()
    await ledger.deposit({ account: 1, asset: 'USDT', amount: '1000', key: 'a' })
    await ledger.deposit({ account: 2, asset: 'BTC', amount: '5', key: 'b' })
    const sell = (symbol: string, price: string) =>
      rest.signed('POST', '/order', bob, { ...order, symbol, side: 'SELL', price })
    const buy = async (symbol: string) => {
      const market = { symbol, side: 'BUY', type: 'MARKET', quantity: '1' }
      return (await rest.signed('POST', '/order', alice, market)).body
    }
    // It has a least notional, and nothing was ever traded in it.
    expect(await buy('BTCUSDT')).toMatchObject({ status: 'EXPIRED', executedQty: '0.00000' })
    const sizes = { tickSize: '0.01', lotSize: '0.001', baseAsset: 'BTC', quoteAsset: 'USDT' }
    const filled = { status: 'FILLED', executedQty: '1.000' }
    await pool.addInstrument({ ...sizes, symbol: 'TABLE', tickTable: [{ from: '100', tick: '0.25' }] })
    await sell('TABLE', '99.99')
    expect(await buy('TABLE')).toMatchObject({ ...filled, price: '105.00' })
    await pool.addInstrument({
      ...sizes,
      symbol: 'BOUNDS',
      minPrice: '90',
      maxPrice: '104.9',
      tickTable: [{ from: '100', tick: '0.25' }],
    })
    expect(await buy('BOUNDS')).toMatchObject({ status: 'EXPIRED', executedQty: '0.000', price: '90.00' })
    await sell('BOUNDS', '104')
    expect(await buy('BOUNDS')).toMatchObject({ ...filled, price: '104.75' })
    await pool.addInstrument({ ...sizes, symbol: 'CAPPED', maxPrice: '104.9' })
    await sell('CAPPED', '104')
    expect(await buy('CAPPED')).toMatchObject({ ...filled, price: '104.90' })
  })

  it('reports money to its account that comes and goes without an order', async () => {
    const { alice, admin, server, ledger } = await openAccounts()
    const stream = await SocketClient.open(server.url, '/ws-api/v3')
    onTestFinished(() => stream.close())
    await stream.request('session.logon', {}, alice)
    await stream.request('userDataStream.subscribe')
    const { apiKey, secret } = alice
    const client = await VenueClient.connect({ url: server.url, apiKey, secret, WebSocket })
    onTestFinished(() => client.close())
    const seen: unknown[] = []
    await client.userEvents({ onEvent: () => {}, onBalances: ({ e }) => seen.push(e) })
    const moved = async (e: string, from: number) =>
      (await stream.message(({ event }) => event?.e === e, from)).event
    const steps = [
      ['deposit', { account: 1, asset: 'USDT', amount: '10', key: 'd' }, '10.00000000', '10.00000000'],
      ['withdraw', { account: 1, asset: 'USDT', amount: '1', key: 'w' }, '-1.00000000', '9.00000000'],
      ['transfer', { from: 1, to: 2, asset: 'USDT', amount: '2', key: 't' }, '-2.00000000', '7.00000000'],
      ['adjust', { account: 1, asset: 'USDT', amount: '-0.5', key: 'a' }, '-0.50000000', '6.50000000'],
    ] as const
    for (const [action, fields, d, f] of steps) {
      const from = stream.messages.length
      expect((await admin(action, fields)).status).toBe(200)
      expect(await moved('balanceUpdate', from)).toMatchObject({ a: 'USDT', d, T: expect.any(Number) })
      const position = await moved('outboundAccountPosition', from)
      expect(position.B).toEqual([{ a: 'USDT', f, l: '0.00000000' }])
    }
    // What is sent again changes nothing, and is no event.
    const count = stream.messages.length
    await admin(...(steps[0].slice(0, 2) as [string, object]))
    await ledger.deposit({ account: 1, asset: 'BTC', amount: '1', key: 'own' })
    expect(await moved('balanceUpdate', count)).toMatchObject({ a: 'BTC' })
    // What the client reports as balances are balances.
    while (seen.length < 5) await new Promise(setImmediate)
    expect(new Set(seen)).toEqual(new Set(['outboundAccountPosition']))
  })

  it('takes amounts as texts only, and says when its ledger is closed', async () => {
    const { rest, alice, admin, server, ledger } = await openAccounts()
    const deposit = { account: 1, asset: 'USDT', key: 'a' }
    // As a number it would be 1234567890.1234567.
    const rounded = await fetch(`${server.adminUrl}/admin/v1/deposit`, {
      method: 'POST',
      body: '{"account":1,"asset":"USDT","amount":1234567890.12345678,"key":"a"}',
    })
    expect([rounded.status, await rounded.json()]).toMatchObject([400, { code: 'TIDEMARK_BAD_ARGUMENT' }])
    expect(await admin('deposit', { ...deposit, amount: '1234567890.12345678' })).toMatchObject({
      status: 200,
    })
    expect(ledger.balance(1, 'USDT').free).toBe('1234567890.12345678')
    const limits = { account: 1, symbol: 'BTCUSDT', key: 'l' }
    const credit = { symbol: undefined, asset: 'USDT', credit: 1 }
    for (const one of [{ orderQuantity: 1 }, { orderNotional: 1 }, { position: 1 }, credit])
      expect(await admin('set-limits', { ...limits, ...one })).toMatchObject({ status: 400 })
    expect(await admin('deposit', { ...deposit, asset: 'NONE', amount: '1' })).toMatchObject({ status: 404 })
    expect(await admin('add-assets', { assets: [{ id: 'BTC', scale: 2 }] })).toMatchObject({ status: 409 })

    const ready = async () => {
      const answer = await fetch(`${server.url}/readyz`)
      return { status: answer.status, ...((await answer.json()) as object) }
    }
    expect(await ready()).toMatchObject({ status: 'ok' })
    ledger.close()
    expect(await ready()).toMatchObject({ status: 'unavailable', reason: 'its ledger is not open' })
    expect(await admin('deposit', { ...deposit, amount: '1', key: 'b' })).toMatchObject({
      status: 503,
      body: { code: 'TIDEMARK_LEDGER_CLOSED' },
    })
    expect((await rest.signed('POST', '/order', alice, order)).body).toMatchObject({ code: -1016 })
    const stream = await SocketClient.open(server.url, '/ws-api/v3')
    onTestFinished(() => stream.close())
    await stream.request('session.logon', {}, alice)
    expect(await stream.request('userDataStream.subscribe')).toMatchObject({ status: 200 })
  })

  it('has what it had after a restart: balances, holds, limits and the keys of what was paid', async () => {
    const dir = temporaryDirectory()
    const paid = { account: 1, asset: 'USDT', amount: '1000', key: 'a' }
    const { rest, alice, ledger, server, pool } = await openAccounts(dir)
    await ledger.deposit(paid)
    await ledger.setLimits({ account: 1, liveOrders: 1, key: 'l' })
    const first = { ...order, quantity: '9', requestId: 1, newClientOrderId: 'one' }
    const answer = (await rest.signed('POST', '/order', alice, first)).body
    const before = (await rest.signed('GET', '/account', alice)).body.balances
    expect(before).toEqual([{ asset: 'USDT', free: '100.00000000', locked: '900.00000000' }])
    await server.close()
    await pool.close()

    const again = await openAccounts(dir)
    const key = again.alice
    const send = async (values: Record<string, string | number>) =>
      (await again.rest.signed('POST', '/order', key, values)).body
    expect((await again.rest.signed('GET', '/account', key)).body.balances).toEqual(before)
    expect((await again.admin('deposit', paid)).body).toMatchObject({ repeated: true })
    expect(await send(first)).toEqual(answer)
    expect(await send(order)).toEqual({ code: -1013, msg: 'Filter failure: MAX_NUM_ORDERS' })
    await again.rest.signed('DELETE', '/order', key, { symbol: 'BTCUSDT', origClientOrderId: 'one' })
    expect((await again.rest.signed('GET', '/account', key)).body.balances).toEqual([
      { asset: 'USDT', free: '1000.00000000', locked: '0.00000000' },
    ])
  })

  it('has actions that one without accounts refuses', async () => {
    const adminKeys = path.join(temporaryDirectory(), 'admin-keys.json')
    const { server } = await openVenue({ admin: { port: 0, keys: adminKeys } })
    const answer = await fetch(`${server.adminUrl}/admin/v1/deposit`, {
      method: 'POST',
      body: JSON.stringify({ account: 1, asset: 'USDT', amount: '1', key: 'a' }),
    })
    expect([answer.status, await answer.json()]).toMatchObject([400, { code: 'TIDEMARK_BAD_ARGUMENT' }])
    await expect(openVenue({ ledger: async () => ({}) as never })).rejects.toMatchObject({
      code: 'TIDEMARK_BAD_SETTING',
    })
  })
})
