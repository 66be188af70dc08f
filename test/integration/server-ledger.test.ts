import * as path from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Ledger } from '#tidemark/ledger/index.js'
import { openVenue, type ServedVenue, serverModules } from '../support/served-venue.js'
import { temporaryDirectory } from '../support/temporary.js'
import { RestClient, SocketClient } from '../support/venue-client.js'

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
async function openAccounts(): Promise<ServedVenue & { ledger: Ledger; rest: RestClient; admin: Admin }> {
  const adminKeys = path.join(temporaryDirectory(), 'admin-keys.json')
  const venue = await openVenue({
    ledger: (pool) => Ledger.open({ pool, assets, venueAccount: 9 }),
    admin: { port: 0, keys: adminKeys },
  })
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
    const { rest, alice, bob, admin, server } = await openAccounts()
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
    await admin('set-limits', { account: 1, liveOrders: 1, key: 'l' })
    await place(alice, {})
    expect((await place(alice, {})).body).toEqual({ code: -1013, msg: 'Filter failure: MAX_NUM_ORDERS' })
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
