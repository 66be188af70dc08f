import { describe, expect, it } from 'vitest'
import { openVenue, type ServedVenue, serverModules } from '../support/served-venue.js'
import { temporaryDirectory } from '../support/temporary.js'
import { RestClient, SocketClient } from '../support/venue-client.js'

const symbol = 'BTCUSDT'
const limit = { symbol, side: 'BUY', type: 'LIMIT', timeInForce: 'GTC', quantity: '0.5', price: '60000' }
/** Sells at 62000, or below 58000. */
const pair = {
  symbol,
  side: 'SELL',
  quantity: '1',
  aboveType: 'LIMIT_MAKER',
  abovePrice: '62000',
  belowType: 'STOP_LOSS_LIMIT',
  belowPrice: '57000',
  belowStopPrice: '58000',
  belowTimeInForce: 'GTC',
}
const triggering = {
  symbol,
  workingType: 'LIMIT',
  workingSide: 'BUY',
  workingPrice: '59000',
  workingQuantity: '1',
  workingTimeInForce: 'GTC',
}

type Values = Record<string, string | number>

function clientOf({ server, alice, bob }: ServedVenue) {
  const rest = new RestClient(server.url)
  return {
    rest,
    ask: async (verb: string, route: string, values: Values = {}) =>
      (await rest.signed(verb, route, alice, values)).body,
    bob: async (values: Values) => (await rest.signed('POST', '/order', bob, { ...limit, ...values })).body,
  }
}

/** A trade at 60000. */
async function trade(client: ReturnType<typeof clientOf>): Promise<void> {
  await client.bob({ quantity: '0.1' })
  await client.ask('POST', '/order', { symbol, side: 'SELL', type: 'MARKET', quantity: '0.1' })
}

describe.skipIf(typeof serverModules === 'string')('order lists of a served pool', () => {
  it('cancel one order when the other trades, and are found, cancelled and shown as the dialect does', async () => {
    const venue = await openVenue()
    const client = clientOf(venue)
    await trade(client)
    const placed = await client.ask('POST', '/orderList/oco', { ...pair, listClientOrderId: 'mine' })
    expect(placed).toMatchObject({
      orderListId: 1,
      contingencyType: 'OCO',
      listStatusType: 'EXEC_STARTED',
      listOrderStatus: 'EXECUTING',
      listClientOrderId: 'mine',
      symbol,
      orderReports: [
        { type: 'STOP_LOSS_LIMIT', status: 'NEW', orderListId: 1, stopPrice: '58000.00', workingTime: -1 },
        { type: 'LIMIT_MAKER', status: 'NEW', price: '62000.00' },
      ],
    })
    const [stop, maker] = placed.orders
    expect(placed.orderReports.map(({ orderId }: { orderId: number }) => orderId)).toEqual([
      stop.orderId,
      maker.orderId,
    ])
    expect(await client.ask('POST', '/orderList/oco', { ...pair, listClientOrderId: 'mine' })).toEqual({
      code: -2010,
      msg: 'Duplicate order sent.',
    })
    expect(await client.ask('GET', '/openOrderList')).toMatchObject([{ orderListId: 1 }])
    expect(await client.ask('GET', '/orderList', { origClientOrderId: 'mine' })).toMatchObject({
      orderListId: 1,
    })
    await client.bob({ side: 'BUY', price: '62000', quantity: '0.4' })
    expect(await client.ask('GET', '/order', { symbol, orderId: stop.orderId })).toMatchObject({
      status: 'EXPIRED',
      orderListId: 1,
    })
    expect(await client.ask('GET', '/orderList', { orderListId: 1 })).toMatchObject({
      listOrderStatus: 'EXECUTING',
    })
    const cancelled = await client.ask('DELETE', '/orderList', { symbol, listClientOrderId: 'mine' })
    expect(cancelled).toMatchObject({
      listStatusType: 'ALL_DONE',
      orderReports: [{ status: 'EXPIRED' }, { status: 'CANCELED', executedQty: '0.40000' }],
    })
    expect(await client.ask('DELETE', '/orderList', { symbol, orderListId: 1 })).toEqual({
      code: -2011,
      msg: 'Unknown order list sent.',
    })
    expect(await client.ask('GET', '/orderList', { orderListId: 99 })).toMatchObject({ code: -2018 })
    expect(await client.ask('GET', '/orderList')).toMatchObject({ code: -1102 })
    expect(await client.ask('GET', '/myTrades', { symbol, orderId: maker.orderId })).toMatchObject([
      { orderListId: 1, qty: '0.40000' },
    ])
    // The request of before, over the WebSocket API; its name may be used again.
    const api = await SocketClient.open(venue.server.url, '/ws-api/v3')
    const old = {
      symbol,
      side: 'SELL',
      quantity: '1',
      price: '63000',
      stopPrice: '58000',
      listClientOrderId: 'mine',
    }
    const { result } = await api.request('orderList.place', { ...old, newOrderRespType: 'ACK' }, venue.alice)
    expect(result).toMatchObject({ orderListId: 2, orders: [{ symbol }, { symbol }] })
    expect(result.orderReports[0].status).toBeUndefined()
    // One of its orders takes the other with it.
    const one = await api.request('order.cancel', { symbol, orderId: result.orders[0].orderId }, venue.alice)
    expect(one.result).toMatchObject({
      orderListId: 2,
      listStatusType: 'ALL_DONE',
      orderReports: [{ status: 'CANCELED' }, { status: 'CANCELED' }],
    })
    expect((await client.ask('GET', '/orderList', { origClientOrderId: 'mine' })).orderListId).toBe(2)
    await client.ask('POST', '/orderList/oco', { ...pair, abovePrice: '63000' })
    await client.ask('POST', '/order', limit)
    expect(await client.ask('DELETE', '/openOrders', { symbol })).toMatchObject([
      { orderListId: -1, status: 'CANCELED' },
      { contingencyType: 'OCO', orderReports: [{ status: 'CANCELED' }, { status: 'CANCELED' }] },
    ])
    expect(await client.ask('GET', '/openOrderList')).toEqual([])
    const ids = (lists: { orderListId: number }[]) => lists.map(({ orderListId }) => orderListId)
    expect(ids(await client.ask('GET', '/allOrderList'))).toEqual([3, 2, 1])
    expect(ids(await client.ask('GET', '/allOrderList', { fromId: 2, limit: 1 }))).toEqual([2])
    expect(ids(await client.ask('GET', '/allOrderList', { limit: 1 }))).toEqual([3])
  })

  it('bring in orders when the first is filled, say so to their account, and are the same after a restart', async () => {
    const dir = temporaryDirectory()
    const first = await openVenue({}, { dir })
    const client = clientOf(first)
    const api = await SocketClient.open(first.server.url, '/ws-api/v3')
    await api.request('userDataStream.subscribe.signature', {}, first.alice)
    const placed = await client.ask('POST', '/orderList/otoco', {
      ...triggering,
      listClientOrderId: 'bracket',
      pendingSide: 'SELL',
      pendingQuantity: '1',
      pendingAboveType: 'LIMIT_MAKER',
      pendingAbovePrice: '63000',
      pendingBelowType: 'STOP_LOSS',
      pendingBelowStopPrice: '57000',
    })
    expect(placed).toMatchObject({
      contingencyType: 'OTO',
      orderReports: [
        { type: 'LIMIT', status: 'NEW' },
        { type: 'STOP_LOSS', status: 'PENDING_NEW', workingTime: -1 },
        { type: 'LIMIT_MAKER', status: 'PENDING_NEW', workingTime: -1 },
      ],
    })
    const [working, stop, maker] = placed.orders
    const status = (name: string) =>
      api.message(({ event }) => event?.e === 'listStatus' && event.l === name).then(({ event }) => event)
    expect(await status('EXEC_STARTED')).toMatchObject({
      c: 'OTO',
      g: 1,
      C: 'bracket',
      L: 'EXECUTING',
      O: [{ i: working.orderId }, { i: stop.orderId }, { i: maker.orderId }],
    })
    await client.bob({ side: 'SELL', price: '59000', quantity: '1' })
    expect(await client.ask('GET', '/openOrders', { symbol })).toMatchObject([
      { orderId: stop.orderId, status: 'NEW', isWorking: false },
      { orderId: maker.orderId, status: 'NEW', isWorking: true },
    ])
    await client.bob({ side: 'BUY', price: '63000', quantity: '1' })
    expect(await status('ALL_DONE')).toMatchObject({ g: 1, L: 'ALL_DONE' })
    const expired = await api.message(({ event }) => event?.X === 'EXPIRED')
    expect(expired.event).toMatchObject({ i: stop.orderId, g: 1, eR: 'OCO_TRIGGER' })
    // A working order that goes takes what is pending with it.
    const second = await client.ask('POST', '/orderList/oto', {
      ...triggering,
      workingTimeInForce: 'IOC',
      pendingType: 'MARKET',
      pendingSide: 'SELL',
      pendingQuantity: '1',
    })
    expect(second).toMatchObject({
      listOrderStatus: 'ALL_DONE',
      listClientOrderId: 'list-2',
      orderReports: [{ status: 'EXPIRED' }, { type: 'MARKET', status: 'EXPIRED' }],
    })
    const phase = await api.message(({ event }) => event?.eR === 'OTO_PHASE_ONE_EXPIRED')
    expect(phase.event.i).toBe(second.orders[1].orderId)
    const before = await client.ask('GET', '/allOrderList')
    await first.server.close()
    await first.pool.close()
    const again = clientOf(await openVenue({}, { dir }))
    const asked = (values: Values) =>
      again.rest.signed('GET', '/orderList', first.alice, values).then(({ body }) => body)
    expect(before[1].listClientOrderId).toBe('bracket')
    expect(await asked({ orderListId: 1 })).toEqual(before[1])
    expect(await asked({ origClientOrderId: 'bracket' })).toEqual(before[1])
    expect(await asked({ origClientOrderId: 'list-2' })).toEqual(before[0])
    const later = { ...pair, abovePrice: '64000' }
    const next = await again.rest.signed('POST', '/orderList/oco', first.alice, later)
    expect(next.body.orderListId).toBe(3)
  })

  it('are refused by the codes of the dialect, before anything is written', async () => {
    const venue = await openVenue()
    const client = clientOf(venue)
    await trade(client)
    const { commands } = venue.pool.stats()
    const oco = (values: Values) => client.ask('POST', '/orderList/oco', { ...pair, ...values })
    for (const [values, code] of [
      [{ aboveType: 'LIMIT' }, -1158],
      [{ belowType: 'LIMIT_MAKER' }, -1168],
      [{ side: 'BUY' }, -1165],
      [{ belowType: 'TAKE_PROFIT_LIMIT' }, -1199],
      [{ aboveType: 'STOP_LOSS', abovePrice: '' }, -1197],
      [{ abovePrice: '59000' }, -2010],
      [{ belowStopPrice: '60000' }, -2010],
      [{ abovePrice: '62000.001' }, -1013],
      [{ quantity: '0' }, -1013],
      [{ belowTimeInForce: 'DAY' }, -1115],
      [{ belowStrategyId: '1' }, -1020],
      [{ aboveStrategyType: '1000003' }, -1020],
      [{ requestId: '1' }, -1104],
      [{ abovePegPriceType: 'PRIMARY_PEG' }, -1020],
      [{ aboveSide: 'SELL' }, -1104],
      [{ listClientOrderId: 'not ok' }, -1100],
      [{ newOrderRespType: 'ALL' }, -1130],
      [{ symbol: 'NONE' }, -1121],
    ] as const) {
      expect((await oco(values as never)).code, JSON.stringify(values)).toBe(code)
    }
    const { abovePrice: _, ...without } = pair
    expect(await client.ask('POST', '/orderList/oco', without)).toEqual({
      code: -1102,
      msg: "Mandatory parameter 'abovePrice' was not sent, was empty/null, or malformed.",
    })
    expect(
      await client.ask('POST', '/orderList/oto', { ...triggering, workingType: 'MARKET' }),
    ).toMatchObject({ code: -1116 })
    expect(
      await client.ask('POST', '/orderList/oto', { ...triggering, pendingStrategyId: '1' }),
    ).toMatchObject({ code: -1020 })
    expect(await client.ask('POST', '/orderList/opo', { anything: 1 })).toMatchObject({ code: -1013 })
    expect(venue.pool.stats().commands).toBe(commands)
  })
})

describe.skipIf(typeof serverModules === 'string')('orders of a served pool', () => {
  it('are for an amount, follow the book, and say their strategy', async () => {
    const dir = temporaryDirectory()
    const venue = await openVenue({}, { dir })
    const client = clientOf(venue)
    const place = (values: Values) => client.ask('POST', '/order', { symbol, ...values })
    await client.bob({ side: 'SELL', price: '60000', quantity: '1' })
    const market = { side: 'BUY', type: 'MARKET' }
    expect(await place({ ...market, quoteOrderQty: '30000.5', newOrderRespType: 'FULL' })).toMatchObject({
      status: 'FILLED',
      origQuoteOrderQty: '30000.5000000',
      executedQty: '0.50000',
      cummulativeQuoteQty: '30000.0000000',
      fills: [{ qty: '0.50000' }],
    })
    expect(await place({ ...market, quoteOrderQty: '90000' })).toMatchObject({
      status: 'EXPIRED',
      executedQty: '0.50000',
    })
    await client.bob({ price: '50000' })
    const pegged = await place({
      side: 'BUY',
      type: 'LIMIT',
      timeInForce: 'GTC',
      quantity: '0.1',
      pegPriceType: 'PRIMARY_PEG',
      strategyId: 7,
      strategyType: 1_000_003,
    })
    expect(pegged).toMatchObject({
      status: 'NEW',
      price: '0.00',
      pegPriceType: 'PRIMARY_PEG',
      peggedPrice: '50000.00',
      strategyId: 7,
      strategyType: 1_000_003,
    })
    await client.bob({ price: '50010' })
    const followed = await client.ask('GET', '/order', { symbol, orderId: pegged.orderId })
    expect(followed).toMatchObject({ price: '0.00', peggedPrice: '50010.00', strategyId: 7 })
    const { commands } = venue.pool.stats()
    for (const [values, code] of [
      [{ ...market }, -1102],
      [{ ...market, quantity: '1', quoteOrderQty: '1' }, -1128],
      [{ ...market, quoteOrderQty: '1.00000001' }, -1111],
      [{ ...market, quantity: '1', pegPriceType: 'MARKET_PEG' }, -2010],
      [{ ...limit, quoteOrderQty: '1' }, -1106],
      [{ ...limit, pegPriceType: 'BEST' }, -1210],
      [{ ...limit, pegPriceType: 'PRIMARY_PEG', pegOffsetType: 'TICKS', pegOffsetValue: '1' }, -1211],
      [{ ...limit, pegPriceType: 'PRIMARY_PEG', pegOffsetType: 'PRICE_LEVEL', pegOffsetValue: '1' }, -1020],
      [{ ...limit, pegPriceType: 'MARKET_PEG', timeInForce: 'IOC' }, -1020],
      [{ ...limit, pegOffsetType: 'PRICE_LEVEL' }, -1106],
      [{ ...limit, strategyType: '999999' }, -1134],
      [{ ...limit, strategyType: String(1_000_000 + 2 ** 24) }, -1130],
      [{ ...limit, strategyId: String(2 ** 32) }, -1130],
      [{ ...limit, requestId: '1', newClientOrderId: 'r', strategyId: '7' }, -1128],
      [{ ...limit, requestId: '1', newClientOrderId: 'r', strategyType: '1000003' }, -1128],
      [{ ...limit, requestId: '0', newClientOrderId: 'r' }, -1130],
      [{ ...limit, requestId: '1' }, -1102],
    ] as const) {
      expect((await place(values as never)).code, JSON.stringify(values)).toBe(code)
    }
    expect(venue.pool.stats().commands).toBe(commands)
    expect(await place({ ...limit, side: 'SELL', pegPriceType: 'PRIMARY_PEG', price: '1' })).toEqual({
      code: -2010,
      msg: 'Order book liquidity is too low for this pegged order.',
    })
    await venue.server.close()
    await venue.pool.close()
    const second = await openVenue({}, { dir })
    const rest = new RestClient(second.server.url)
    const kept = await rest.signed('GET', '/order', venue.alice, { symbol, orderId: pegged.orderId })
    expect(kept.body).toEqual(followed)
  })
})
