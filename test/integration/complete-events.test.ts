import { describe, expect, it } from 'vitest'
import type { EnginePool, PoolEvent } from '#tidemark/pool/index.js'
import { eventsOf, limit, openPool } from '../support/pools.js'

const symbol = 'BTC-USD'

/** Only the event's own fields. */
function said({ lsn: _, index: __, timeUs: ___, symbol: ____, tag: _____, ...rest }: PoolEvent) {
  return { ...rest }
}

async function submitted(pool: EnginePool, command: Parameters<EnginePool['submit']>[0]) {
  return (await pool.submit(command)).events.map(said)
}

describe('events', () => {
  it('say the whole of an order that was accepted', async () => {
    const pool = await openPool()
    const order = { ...limit(1, 'sell', '64000', '0.5', 7), timeInForce: 'GTD', expireTime: 5e12 } as const
    const accepted = {
      event: 'accepted',
      orderId: 1,
      account: 7,
      side: 'sell',
      orderType: 'limit',
      timeInForce: 'GTD',
      price: '64000.00',
      quantity: '0.50000',
      stopPrice: undefined,
      displayQuantity: '0.10000',
      postOnly: true,
      expireTime: 5e12,
      selfTradePrevention: 'decrement',
    }
    const iceberg = {
      ...order,
      displayQuantity: '0.1',
      postOnly: true,
      selfTradePrevention: 'decrement',
    } as const
    expect(await submitted(pool, iceberg)).toEqual([accepted])
    const stop = {
      type: 'new',
      symbol,
      orderId: 2,
      account: 8,
      side: 'buy',
      orderType: 'stop',
      stopPrice: '65000',
      quantity: '1',
      tag: 5n,
    } as const
    expect(await submitted(pool, stop)).toEqual([
      {
        ...accepted,
        orderId: 2,
        account: 8,
        side: 'buy',
        orderType: 'stop',
        timeInForce: 'GTC',
        price: undefined,
        quantity: '1.00000',
        stopPrice: '65000.00',
        displayQuantity: undefined,
        postOnly: false,
        expireTime: undefined,
        selfTradePrevention: undefined,
      },
    ])
    await pool.close()
  })

  it('say of an order that is changed or goes away whose it is, its side and price, and what it has traded', async () => {
    const pool = await openPool()
    await pool.submit(limit(1, 'sell', '64000', '0.5', 7))
    await pool.submit({ ...limit(2, 'buy', '64000', '0.2', 8), timeInForce: 'IOC' })
    const order = { orderId: 1, account: 7, side: 'sell', price: '64000.00', filled: '0.20000' }
    expect(await submitted(pool, { type: 'reduce', symbol, orderId: 1, quantity: '0.1' })).toEqual([
      { ...order, event: 'replaced', quantity: '0.20000', reason: 'reduced' },
    ])
    const moved = { ...order, price: '64001.00' }
    expect(
      await submitted(pool, { type: 'replace', symbol, orderId: 1, quantity: '0.3', price: '64001' }),
    ).toEqual([{ ...moved, event: 'replaced', quantity: '0.30000', reason: 'requested' }])
    await pool.submit({ type: 'phase', symbol, phase: 'halted' })
    expect(await submitted(pool, { type: 'reduce', symbol, orderId: 1, quantity: '0.1' })).toEqual([
      { ...moved, event: 'rejected', code: 'INSTRUMENT_HALTED' },
    ])
    await pool.submit({ type: 'phase', symbol, phase: 'continuous' })
    expect(await submitted(pool, { type: 'cancel', symbol, orderId: 1 })).toEqual([
      { ...moved, event: 'cancelled', remaining: '0.30000', reason: 'requested' },
    ])
    await pool.close()
  })

  it('say of what is refused as much as is known, and nothing of the order of another account', async () => {
    const pool = await openPool()
    await pool.submit(limit(1, 'sell', '64000', '0.5', 7))
    const nothing = { event: 'rejected', side: undefined, price: undefined, filled: undefined }
    expect(await submitted(pool, { type: 'cancel', symbol, orderId: 9 })).toEqual([
      { ...nothing, orderId: 9, account: undefined, code: 'UNKNOWN_ORDER' },
    ])
    expect(await submitted(pool, { type: 'cancel', symbol, orderId: 1, account: 8 })).toEqual([
      { ...nothing, orderId: 1, account: 8, code: 'NOT_OWNER' },
    ])
    const again = limit(1, 'buy', '1', '0.5', 8)
    const refused = {
      event: 'rejected',
      orderId: 1,
      account: 8,
      side: 'buy',
      price: '1.00',
      filled: '0.00000',
    }
    expect(await submitted(pool, again)).toEqual([{ ...refused, code: 'DUPLICATE_ORDER_ID' }])
    await pool.close()
  })

  it('say when they were logged, in the report and to a subscriber alike, and of each that a trade triggers', async () => {
    const pool = await openPool()
    const beforeUs = Date.now() * 1000
    await pool.submit(limit(1, 'sell', '64000', '0.5', 7))
    const stop = { type: 'new', symbol, account: 9, side: 'buy', orderType: 'stop', quantity: '1' } as const
    await pool.submit({ ...stop, orderId: 2, stopPrice: '64000' })
    const { lsn, events } = await pool.submit({ ...limit(3, 'buy', '64000', '0.2', 8), tag: 2n ** 63n })
    const afterUs = (Date.now() + 1) * 1000
    expect(events.map(said)).toMatchObject([
      { event: 'accepted' },
      { event: 'trade', makerOrderId: 1, takerOrderId: 3, takerAccount: 8, takerRemaining: '0.00000' },
      {
        event: 'triggered',
        orderId: 2,
        account: 9,
        side: 'buy',
        price: undefined,
        remaining: '1.00000',
        filled: '0.00000',
      },
      { event: 'trade', makerOrderId: 1, takerOrderId: 2, takerAccount: 9, makerRemaining: '0.00000' },
      {
        event: 'cancelled',
        orderId: 2,
        account: 9,
        remaining: '0.70000',
        filled: '0.30000',
        reason: 'market',
      },
    ])
    for (const { timeUs, tag } of events) {
      expect(timeUs).toBe(events[0]!.timeUs)
      expect(tag).toBe(2n ** 63n)
    }
    expect(events[0]!.timeUs).toBeGreaterThanOrEqual(beforeUs)
    expect(events[0]!.timeUs).toBeLessThanOrEqual(afterUs)
    expect((await eventsOf(pool)).filter((event) => event.lsn === lsn)).toEqual(events)
    await pool.close()
  })
})
