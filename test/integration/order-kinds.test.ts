import { describe, expect, it } from 'vitest'
import { EnginePool } from '#tidemark/pool/index.js'
import { eventsOf, openPool } from '../support/pools.js'
import { temporaryDirectory } from '../support/temporary.js'

const grid = { tickSize: '0.25', lotSize: '0.05' }
const instruments = [
  { symbol: 'A', ...grid },
  { symbol: 'B', ...grid, allocation: 'pro-rata' as const },
  { symbol: 'C', ...grid, allocation: 'pro-rata-top' as const },
]
type More = Record<string, unknown>

const order = (symbol: string, orderId: number, side: string, more: More) =>
  ({ type: 'new', symbol, orderId, account: orderId, side, orderType: 'limit', ...more }) as never

const forAmount = (symbol: string, orderId: number, quoteQuantity: string, more: More = {}) =>
  order(symbol, orderId, 'buy', { orderType: 'market', quoteQuantity, ...more })

const openOrders = (pool: EnginePool) =>
  Promise.all([5, 6, 8].map(async (account) => (await pool.openOrders({ account })).orders))

describe('a market order for an amount', () => {
  it('reports what it spent and what is left, exactly, and once for a request id', async () => {
    const pool = await openPool({ instruments, shards: 2 })
    await pool.submit(order('A', 1, 'sell', { price: '1.25', quantity: '1' }))
    await pool.submit(order('A', 2, 'sell', { price: '1.50', quantity: '1' }))
    const bought = await pool.submit(forAmount('A', 3, '2', { requestId: 5 }))
    // 1 for 1.25, then 0.5 for 0.75: the next 0.05 would cost 0.075.
    expect(bought).toMatchObject({
      status: 'filled',
      filled: '1.50',
      quoteFilled: '2.0000',
      quoteRemaining: '0.0000',
    })
    const { status, events } = await pool.submit(forAmount('A', 3, '2', { requestId: 5 }))
    expect({ status, events: events.map(({ event }) => event) }).toEqual({
      status: 'filled',
      events: ['repeated'],
    })
    expect((await pool.submit(forAmount('A', 3, '2.1', { requestId: 5 }))).code).toBe('REQUEST_ID_REUSED')
    const last = await pool.submit(forAmount('A', 4, '5.4321'))
    expect(last).toMatchObject({
      status: 'cancelled',
      filled: '0.50',
      quoteFilled: '0.7500',
      quoteRemaining: '4.6821',
    })
    const none = await pool.submit(forAmount('A', 5, '1'))
    expect(none).toMatchObject({
      status: 'cancelled',
      filled: '0.00',
      quoteFilled: '0.0000',
      quoteRemaining: '1.0000',
    })
    const resting = await pool.submit(order('A', 6, 'sell', { price: '1', quantity: '1' }))
    expect(resting).not.toHaveProperty('quoteFilled')
  })
})

describe('orders for amounts, pegs and shared prices', () => {
  it('are the same from the log and from snapshots, under other numbers of shards', async () => {
    const dir = temporaryDirectory()
    const pool = await openPool({ dir, instruments, shards: 2, checkpointBytes: 0 })
    for (const { symbol } of instruments) {
      let id = 1
      const send = async (side: string, more: More) => await pool.submit(order(symbol, id++, side, more))
      for (const quantity of ['1', '2', '4']) await send('sell', { price: '2', quantity })
      await send('buy', { price: '1', quantity: '1' })
      for (const peg of ['primary', 'mid', 'primary'])
        await send('buy', { peg, pegOffset: '-0.25', price: '1.75', quantity: '0.5' })
      await send('sell', { peg: 'market', pegOffset: '0.5', quantity: '0.5' })
      await send('buy', { orderType: 'market', quoteQuantity: '3.21', requestId: 1 })
      await send('buy', { price: '1.25', quantity: '1', selfTradeGroup: 5 })
    }
    const { symbols } = await pool.digest()
    const open = await openOrders(pool)
    expect(open[0]![0]).toMatchObject({
      peg: 'primary',
      pegOffset: '-0.25',
      limitPrice: '1.75',
      price: '1.00',
    })
    const events = await eventsOf(pool)
    const trades = events
      .filter(({ event }) => event === 'trade')
      .map((trade) => [trade.symbol, (trade as { quantity: string }).quantity])
    expect(new Set(trades.map(([symbol]) => symbol)).size).toBe(3)
    expect(trades.filter(([symbol]) => symbol === 'B').length).toBe(4)
    await pool.close()
    for (const shards of [3, 1, 2]) {
      const again = await EnginePool.open({ dir, shards, checkpointBytes: 0 })
      expect((await again.digest()).symbols).toEqual(symbols)
      expect(await openOrders(again)).toEqual(open)
      expect(again.instruments().map(({ allocation }) => allocation ?? 'price-time')).toEqual([
        'price-time',
        'pro-rata',
        'pro-rata-top',
      ])
      if (shards === 1) await again.checkpoint()
      await again.close()
    }
    const restored = await EnginePool.open({ dir, shards: 1 })
    const { events: caused } = await restored.submit(order('A', 50, 'buy', { price: '1.5', quantity: '1' }))
    expect(caused.map(({ event }) => event)).toEqual(['accepted', ...Array(3).fill('replaced')])
    await restored.close()
  })

  it('keeps the allocation of an instrument', async () => {
    const dir = temporaryDirectory()
    const pool = await openPool({ dir, instruments })
    const add = (more: More) => pool.addInstrument({ symbol: 'D', ...grid, ...more } as never)
    await expect(add({ allocation: 'fifo' })).rejects.toMatchObject({ code: 'TIDEMARK_FIELD_VALUE' })
    await pool.close()
    const other = [{ ...instruments[1]!, allocation: 'pro-rata-top' as const }]
    await expect(EnginePool.open({ dir, instruments: other })).rejects.toMatchObject({
      code: 'TIDEMARK_INSTRUMENT_DIFFERS',
    })
  })
})
