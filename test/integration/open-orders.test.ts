import { describe, expect, it } from 'vitest'
import {
  type EnginePool,
  type OpenOrdersPlace,
  type OrderState,
  openOrdersMax,
} from '#tidemark/pool/index.js'
import { limit, openPool } from '../support/pools.js'
import { temporaryDirectory } from '../support/temporary.js'

const symbols = ['A', 'B', 'C', 'D', 'E']
const instruments = symbols.map((symbol) => ({ symbol, tickSize: '0.5', lotSize: '0.1' }))

async function allPages(pool: EnginePool, options: { account: number; symbol?: string; limit?: number }) {
  const orders: OrderState[] = []
  let pages = 0
  let after: OpenOrdersPlace | undefined
  do {
    const page = await pool.openOrders({ ...options, after })
    expect(page.orders.length).toBeLessThanOrEqual(options.limit ?? 500)
    expect(page.lsn).toBeLessThanOrEqual(pool.durableLsn)
    orders.push(...page.orders)
    after = page.next
    pages++
  } while (after)
  return { orders, pages }
}

const names = (orders: readonly OrderState[]) => orders.map(({ symbol, orderId }) => `${symbol}${orderId}`)

describe('the open orders of an account', () => {
  it.each([1, 2, 3])('come in pages that continue where the last one ended, of %i shards', async (shards) => {
    const pool = await openPool({ instruments, shards })
    const expected: string[] = []
    for (const symbol of symbols) {
      for (const orderId of [9, 4, 7, 1]) {
        if (symbol === 'D') continue
        const account = orderId === 7 ? 2 : 1
        const order = { ...limit(orderId, 'buy', '1.5', '0.1', account), symbol }
        await pool.submit(order)
      }
      if (symbol !== 'D') expected.push(`${symbol}1`, `${symbol}4`, `${symbol}9`)
    }
    for (const most of [1, 2, 3, 5, 12, 13]) {
      const { orders, pages } = await allPages(pool, { account: 1, limit: most })
      expect(names(orders)).toEqual(expected)
      expect(pages).toBeGreaterThanOrEqual(Math.ceil(expected.length / most))
    }
    expect(names((await allPages(pool, { account: 1, symbol: 'C', limit: 2 })).orders)).toEqual([
      'C1',
      'C4',
      'C9',
    ])
    expect(names((await allPages(pool, { account: 2 })).orders)).toEqual(['A7', 'B7', 'C7', 'E7'])
    expect(await pool.openOrders({ account: 3 })).toMatchObject({ orders: [], next: undefined })
    const first = await pool.openOrders({ account: 1, symbol: 'A', limit: 1 })
    expect(first.next).toEqual({ symbol: 'A', orderId: 1 })
    // The place is one in the order of pages: whether there is such an order plays no part.
    for (const orderId of [1, 4]) await pool.submit({ type: 'cancel', symbol: 'A', orderId })
    const rest = await pool.openOrders({ account: 1, after: first.next })
    expect(names(rest.orders)).toEqual(['A9', ...expected.slice(3)])
  })

  it('say all that is known of an order, and are as of their LSN also after an opening', async () => {
    const dir = temporaryDirectory()
    const pool = await openPool({ dir, instruments })
    const base = { type: 'new', symbol: 'B', account: 5 } as const
    await pool.submit({
      ...base,
      orderId: 1,
      side: 'sell',
      orderType: 'limit',
      price: 12,
      quantity: 4,
      displayQuantity: 1,
      postOnly: true,
    })
    await pool.submit({
      ...base,
      orderId: 2,
      side: 'buy',
      orderType: 'stop',
      stopPrice: 20,
      quantity: 2,
      timeInForce: 'GTD',
      expireTime: 9e12,
    })
    await pool.submit({
      ...base,
      orderId: 3,
      side: 'buy',
      orderType: 'stop-limit',
      price: 22,
      stopPrice: 21,
      quantity: 3,
      timeInForce: 'DAY',
      selfTradePrevention: 'decrement',
    })
    const { lsn } = await pool.submit({
      ...base,
      account: 6,
      orderId: 4,
      side: 'buy',
      orderType: 'limit',
      price: 12,
      quantity: '1.5',
    })
    const none = {
      price: undefined,
      stopPrice: undefined,
      displayQuantity: undefined,
      expireTime: undefined,
      selfTradePrevention: undefined,
    }
    const common = { ...none, symbol: 'B', account: 5, postOnly: false, filled: '0.0' }
    const orders = [
      {
        ...common,
        orderId: 1,
        side: 'sell',
        orderType: 'limit',
        timeInForce: 'GTC',
        status: 'resting',
        price: '12.0',
        remaining: '2.5',
        filled: '1.5',
        shown: '0.5',
        postOnly: true,
        displayQuantity: '1.0',
      },
      {
        ...common,
        orderId: 2,
        side: 'buy',
        orderType: 'stop',
        timeInForce: 'GTD',
        status: 'waiting',
        stopPrice: '20.0',
        remaining: '2.0',
        shown: '2.0',
        expireTime: 9e12,
      },
      {
        ...common,
        orderId: 3,
        side: 'buy',
        orderType: 'stop-limit',
        timeInForce: 'DAY',
        status: 'waiting',
        price: '22.0',
        stopPrice: '21.0',
        remaining: '3.0',
        shown: '3.0',
        selfTradePrevention: 'decrement',
      },
    ]
    expect(await pool.openOrders({ account: 5 })).toEqual({ lsn, orders, next: undefined })
    expect((await pool.order('B', 2)).order).toEqual(orders[1])
    await pool.close()
    const again = await openPool({ dir, shards: 2 })
    expect((await again.openOrders({ account: 5, symbol: 'B' })).orders).toEqual(orders)
    expect(await again.highestOrderId('B')).toMatchObject({ orderId: 4 })
    expect(await again.highestOrderId('C')).toMatchObject({ orderId: undefined })
  })

  it('of a large account leave commands their turn, and each that stays open is on one page', async () => {
    const pool = await openPool()
    const { id } = pool.instrument('BTC-USD')!
    const count = 8_000
    const batch = pool.batch()
    for (let i = 1; i <= count; i++) batch.addNew(id, i * 2, 1, 0, 0, 0, 1 + (i % 999), 1)
    await pool.submitBatch(batch)
    const seen = new Map<number, number>()
    let after: OpenOrdersPlace | undefined
    let changed = 0
    do {
      const asked = pool.openOrders({ account: 1, limit: openOrdersMax, after })
      // Every third order goes, from both ends, and others come, some of them under ids that were passed.
      for (let i = 0; i < 100; i++, changed++) {
        const low = 6 * (1 + changed)
        await Promise.all([
          pool.submit({ type: 'cancel', symbol: 'BTC-USD', orderId: low <= count * 2 ? low : 1 }),
          pool.submit(limit(changed * 2 + 1, 'buy', '0.5', '0.00001', 1)),
        ])
      }
      const page = await asked
      for (const { orderId } of page.orders) seen.set(orderId, (seen.get(orderId) ?? 0) + 1)
      after = page.next
    } while (after)
    for (let i = 1; i <= count; i++) if (i % 3 !== 0) expect(seen.get(i * 2), `order ${i * 2}`).toBe(1)
    expect(Math.max(...seen.values())).toBe(1)
  })

  it('are asked for with options that are checked', async () => {
    const pool = await openPool()
    const codes: [unknown, string, string][] = [
      [undefined, 'TIDEMARK_BAD_ARGUMENT', 'an object with an account'],
      [{}, 'TIDEMARK_FIELD_MISSING', 'account is missing'],
      [{ account: -1 }, 'TIDEMARK_FIELD_RANGE', 'account'],
      [{ account: 1, symbl: 'X' }, 'TIDEMARK_BAD_ARGUMENT', 'Did you mean symbol?'],
      [{ account: 1, symbol: 'X' }, 'TIDEMARK_UNKNOWN_SYMBOL', '"X"'],
      [{ account: 1, limit: 0 }, 'TIDEMARK_BAD_ARGUMENT', '1 to 1000'],
      [{ account: 1, limit: openOrdersMax + 1 }, 'TIDEMARK_BAD_ARGUMENT', '1 to 1000'],
      [{ account: 1, limit: '5' }, 'TIDEMARK_BAD_ARGUMENT', '1 to 1000'],
      [{ account: 1, after: 7 }, 'TIDEMARK_BAD_ARGUMENT', 'the next of the page before'],
      [{ account: 1, after: null }, 'TIDEMARK_BAD_ARGUMENT', 'the next of the page before'],
      [{ account: 1, after: { symbol: 'BTC-USD', orderId: -1 } }, 'TIDEMARK_BAD_ARGUMENT', 'after is'],
      [{ account: 1, after: { symbol: 'X', orderId: 1 } }, 'TIDEMARK_UNKNOWN_SYMBOL', '"X"'],
      [
        { account: 1, symbol: 'ETH-USD', after: { symbol: 'BTC-USD', orderId: 1 } },
        'TIDEMARK_BAD_ARGUMENT',
        'a page of the same symbol',
      ],
    ]
    for (const [options, code, message] of codes) {
      await expect(pool.openOrders(options as never), JSON.stringify(options)).rejects.toMatchObject({
        code,
        message: expect.stringContaining(message),
      })
    }
    await expect(pool.highestOrderId('X')).rejects.toMatchObject({ code: 'TIDEMARK_UNKNOWN_SYMBOL' })
    expect((await pool.openOrders({ account: 1, limit: openOrdersMax })).orders).toEqual([])
    await pool.close()
    await expect(pool.openOrders({ account: 1 })).rejects.toMatchObject({ code: 'TIDEMARK_POOL_CLOSED' })
    await expect(pool.highestOrderId('BTC-USD')).rejects.toMatchObject({ code: 'TIDEMARK_POOL_CLOSED' })
  })
})
