import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Ledger } from '#tidemark/ledger/index.js'
import { EnginePool } from '#tidemark/pool/index.js'
import { type ServerModules, VenueServer } from '#tidemark/server/index.js'
import { Venue } from '#tidemark/server/venue/venue.js'
import { openVenue, type ServedVenue, serverModules } from '../support/served-venue.js'
import { temporaryDirectory } from '../support/temporary.js'
import { RestClient, SocketClient } from '../support/venue-client.js'

const assets = ['USDT', 'BTC', 'ETH'].map((id) => ({ id, scale: 8 }))
const symbol = 'BTCUSDT'
const openLedger = (pool: EnginePool) => Ledger.open({ pool, assets, venueAccount: 9 })
type Key = ServedVenue['alice']

/** What an account's trades cost by its statement, by order and trade: as a commission, a rebate below zero. */
async function costs(ledger: Ledger, account: number): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  for await (const { kind, orderId, tradeId, amount, asset } of ledger.statement(account))
    if (kind === 'fee' || kind === 'rebate') found[`${orderId}/${tradeId}`] = `${negated(amount)} ${asset}`
  return found
}

const negated = (amount: string) => (amount.startsWith('-') ? amount.slice(1) : `-${amount}`)

/** What clients see of an account's trades, by order and trade; those that cost nothing left out. */
async function shown(rest: RestClient, key: Key): Promise<Record<string, string>> {
  const { body } = await rest.signed('GET', '/myTrades', key, { symbol })
  return Object.fromEntries(
    body
      .filter(({ commission }: { commission: string }) => commission !== '0')
      .map(({ orderId, id, commission, commissionAsset }: Record<string, string>) => [
        `${orderId}/${id}`,
        `${commission} ${commissionAsset}`,
      ]),
  )
}

const fills = (answer: { body: { fills: Record<string, string>[] } }) =>
  answer.body.fills.map(({ commission, commissionAsset }) => `${commission} ${commissionAsset}`)

describe.skipIf(typeof serverModules === 'string')('the fees of a venue that keeps accounts', () => {
  it('stand in answers, trades, events and rates as the ledger took and paid them, after a restart too', async () => {
    const venue = await openVenue({ ledger: openLedger })
    const { alice, bob, server, pool, dir } = venue
    const ledger = venue.ledger!
    const rest = new RestClient(server.url)
    const place = (client: RestClient, key: Key, side: string, price: string, quantity: string, more = {}) =>
      client.signed('POST', '/order', key, {
        symbol,
        side,
        type: 'LIMIT',
        timeInForce: 'GTC',
        price,
        quantity,
        newOrderRespType: 'FULL',
        ...more,
      })
    await ledger.deposit({ account: 1, asset: 'USDT', amount: '10000', key: 'a' })
    await ledger.deposit({ account: 2, asset: 'BTC', amount: '50', key: 'b' })
    const stream = await SocketClient.open(server.url, '/ws-api/v3')
    onTestFinished(() => stream.close())
    await stream.request('session.logon', {}, alice)
    await stream.request('userDataStream.subscribe')

    // Before there are fees everything is free.
    await place(rest, alice, 'BUY', '100', '1')
    expect(fills(await place(rest, bob, 'SELL', '100', '1'))).toEqual(['0 USDT'])
    await ledger.setFees({ maker: '-0.0005', taker: '0.002', key: 'f1' })
    // The rates are those of the acceptance: what rests now keeps them.
    await place(rest, alice, 'BUY', '100', '2')
    await ledger.setFees({ account: 2, maker: '0.00017', taker: '0.003', key: 'f2' })
    await ledger.setFees({ symbol, maker: '0.0075', taker: '0.01', caps: { USDT: '0.75' }, key: 'f3' })
    const request = { newClientOrderId: 'mine', requestId: 7 }
    const first = await place(rest, bob, 'SELL', '100', '1', request)
    expect(fills(first)).toEqual(['0.30000000 USDT'])
    const traded = await stream.message(({ event }) => event?.x === 'TRADE' && event.t === 2)
    expect([traded.event.n, traded.event.N]).toEqual(['-0.05000000', 'USDT'])

    // What an account pays.
    const account = async (key: Key) => (await rest.signed('GET', '/account', key)).body
    expect(await account(alice)).toMatchObject({
      makerCommission: -5,
      takerCommission: 20,
      commissionRates: { maker: '-0.00050000', taker: '0.00200000', buyer: '0.00000000' },
    })
    expect(await account(bob)).toMatchObject({ makerCommission: 1.7, takerCommission: 30 })
    const rates = { maker: '0.00750000', taker: '0.01000000' }
    const commission = async (name: string) =>
      (await rest.signed('GET', '/account/commission', alice, { symbol: name })).body
    expect(await commission(symbol)).toMatchObject({ standardCommission: rates })
    expect(await commission('ETHUSDT')).toMatchObject({ standardCommission: { taker: '0.00200000' } })
    const tested = await rest.signed('POST', '/order/test', alice, {
      ...{ symbol, side: 'BUY', type: 'LIMIT', timeInForce: 'GTC', price: '100', quantity: '1' },
      computeCommissionRates: true,
    })
    expect(tested.body).toMatchObject({ standardCommissionForOrder: rates })

    // A new order that rests is the maker of stops that it triggers: its rebate depends on what they pay. It is answered by a server
    // that remembers one order and one trade.
    await ledger.setFees({ account: 1, maker: '-0.01', taker: '0.002', key: 'f4' })
    await ledger.setFees({ account: 2, maker: '0.001', taker: '0.0042', key: 'f5' })
    const small = await VenueServer.open({
      ...{ pool, ledger, modules: serverModules as ServerModules, keys: `${dir}/keys.json` },
      ...{ closedOrders: 1, accountTrades: 1 },
    })
    onTestFinished(() => small.close())
    await small.ready()
    for (const quantity of ['1', '0.5', '0.07'])
      await place(rest, bob, 'SELL', '80', quantity, { type: 'STOP_LOSS_LIMIT', stopPrice: '95' })
    await rest.signed('DELETE', '/openOrders', alice, { symbol })
    await place(rest, bob, 'SELL', '95', '1')
    expect(fills(await place(new RestClient(small.url), alice, 'BUY', '95', '4'))).toEqual([
      '0.00200000 BTC',
      '-0.39900000 USDT',
      '-0.19950000 USDT',
      '-0.02793000 USDT',
    ])

    // A list of which the first order trades at once, with one of the same account, and trades of a call.
    await ledger.setFees({ symbol, account: 1, maker: 0, taker: '0.002', auction: '0.0001', key: 'f6' })
    const list = await rest.signed('POST', '/orderList/oto', alice, {
      ...{ symbol, workingType: 'LIMIT', workingSide: 'SELL', workingPrice: '95', workingQuantity: '1' },
      ...{ workingTimeInForce: 'GTC', pendingType: 'LIMIT', pendingSide: 'BUY', pendingPrice: '50' },
      ...{ pendingQuantity: '1', pendingTimeInForce: 'GTC', newOrderRespType: 'FULL' },
    })
    expect(list.status).toBe(200)
    const [working, pending] = list.body.orderReports
    expect([fills({ body: working }), pending.fills]).toEqual([['0.19000000 USDT'], []])
    await pool.submit({ type: 'phase', symbol, phase: 'auction' })
    await place(rest, alice, 'BUY', '99', '1')
    await place(rest, bob, 'SELL', '98', '1')
    await pool.submit({ type: 'phase', symbol, phase: 'continuous' })

    // All of it is what the ledger's statements say.
    const taken = { alice: await costs(ledger, 1), bob: await costs(ledger, 2) }
    expect([Object.keys(taken.alice).length, Object.keys(taken.bob).length]).toEqual([8, 6])
    const answered = async (client: RestClient) => ({
      alice: await shown(client, alice),
      bob: await shown(client, bob),
    })
    expect(await answered(rest)).toEqual(taken)

    await pool.checkpoint()
    await small.close()
    await server.close()
    await pool.close()
    const again = await openVenue({ ledger: openLedger }, { dir })
    const reopened = new RestClient(again.server.url)
    expect(await answered(reopened)).toEqual(taken)
    // Sent again, a request is answered as it was: its order is long over, and other rates hold.
    expect(fills(await place(reopened, bob, 'SELL', '100', '1', request))).toEqual(fills(first))
  })

  it('wait for what the ledger has not counted yet', async () => {
    const pool = await EnginePool.open({
      dir: temporaryDirectory(),
      instruments: [{ symbol, tickSize: '1', lotSize: '1', baseAsset: 'BTC', quoteAsset: 'USDT' }],
    })
    onTestFinished(() => pool.close())
    for (const side of ['buy', 'sell'] as const)
      await pool.submit({ type: 'new', symbol, account: 1, side, orderType: 'limit', price: 5, quantity: 1 })
    let isCounted = false
    const ledger = {
      lsn: 0,
      async counted(lsn: number) {
        expect(lsn).toBe(pool.durableLsn)
        await nextTurn()
        isCounted = true
      },
      tradeFees() {
        if (!isCounted) throw new Error('asked before it was counted')
        return { maker: undefined, taker: { asset: 'USDT', amount: '1' } }
      },
    } as unknown as Ledger
    const history = { closedOrders: 10, accountTrades: 10 }
    const venue = new Venue(pool, { ledger, balances: undefined, history, requestEvents: 1, onFailure() {} })
    await venue.ready
    const trades = venue.history.trades(1, symbol, 10, true, () => true)
    expect(trades.map(({ fee }) => fee?.amount)).toEqual([undefined, '1'])
    await venue.close()
  })
})
