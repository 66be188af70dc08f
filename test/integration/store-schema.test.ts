import { readFileSync } from 'node:fs'
import * as path from 'node:path'
import { describe, expect, it } from 'vitest'
import { EnginePool } from '#tidemark/index.js'
import { Ledger } from '#tidemark/ledger/index.js'
import { Store } from '#tidemark/store/index.js'
import { root } from '../support/run-script.js'
import { storeTargets } from '../support/store-targets.js'
import { temporaryDirectory } from '../support/temporary.js'

const page = readFileSync(path.join(root, 'docs/store-schema.md'), 'utf8')
const targets = await storeTargets()

/** The columns that the page lists, by the heading they stand under. */
const listed = Object.fromEntries(
  page
    .split(/^## /m)
    .slice(1)
    .map((part): [string, string[]] => {
      const rows = [...part.matchAll(/^\| (\w+) \| (\w+) \| /gm)].filter(([, name]) => name !== 'column')
      return [part.split('\n', 1)[0]!, rows.map(([, name, type]) => `${name} ${type}`)]
    })
    .filter(([, columns]) => columns.length > 0),
)
const queries = [...page.matchAll(/^```sql\n(.*?)^```/gms)].map(([, sql]) => sql!.trim())

const typeNames: readonly (readonly [RegExp, string])[] = [
  [/^(integer)$/i, 'integer'],
  [/^(bigint)$/i, 'bigint'],
  [/^(decimal|numeric)/i, 'decimal'],
  [/^(timestamp)/i, 'time'],
  [/^(varchar|text)$/i, 'text'],
  [/^(double)/i, 'double'],
  [/^(boolean)$/i, 'boolean'],
]

function typeName(type: string): string {
  return typeNames.find(([pattern]) => pattern.test(type))?.[1] ?? type
}

describe.each(targets)('the schema page, on $name', ({ driver, fresh }) => {
  it('lists the columns that there are, and asks questions that are answered', async () => {
    expect(Object.keys(listed).length).toBeGreaterThan(7)
    expect(queries.length).toBeGreaterThan(5)
    const base = temporaryDirectory()
    const dir = path.join(base, 'log')
    const pool = await EnginePool.open({
      dir,
      instruments: [
        { symbol: 'BTC-EUR', tickSize: '0.01', lotSize: '0.0001', baseAsset: 'BTC', quoteAsset: 'EUR' },
      ],
    })
    const ledger = await Ledger.open({ pool, assets: ['BTC', 'EUR'].map((id) => ({ id, scale: 6 })) })
    for (const account of [1, 2, 3, 4, 5])
      for (const asset of ['BTC', 'EUR'])
        await ledger.deposit({ account, asset, amount: 1000, key: `${account} ${asset}` })
    await ledger.setFees({ maker: '0.001', taker: '0.002', key: 'fees' })
    const order = { type: 'new', symbol: 'BTC-EUR', orderType: 'limit' } as const
    await pool.submit({ ...order, orderId: 1, account: 1, side: 'buy', price: '9.50', quantity: '2' })
    await pool.submit({ ...order, orderId: 2, account: 2, side: 'sell', price: '9.40', quantity: '0.5' })
    await pool.submit({ ...order, orderId: 2, account: 2, side: 'sell', price: '9.60', quantity: '3' })
    await pool.submit({ type: 'cancel', symbol: 'BTC-EUR', orderId: 77 })
    await pool.submit({
      type: 'list',
      symbol: 'BTC-EUR',
      account: 3,
      listType: 'oto',
      orders: [
        { orderId: 10, side: 'buy', orderType: 'limit', price: '9', quantity: '1' },
        {
          orderId: 11,
          side: 'sell',
          orderType: 'stop',
          trailingOffset: '0.50',
          quantity: '1',
          selfTradeGroup: 4,
        },
      ],
    })
    const market = { ...order, orderType: 'market', quantity: undefined } as const
    await pool.submit({ ...market, orderId: 20, account: 4, side: 'buy', quoteQuantity: '0.05' })
    await pool.submit({
      ...order,
      orderId: 21,
      account: 5,
      side: 'buy',
      peg: 'primary',
      pegOffset: '-0.1',
      price: '9.45',
      quantity: '1',
    })
    const { lsn } = await pool.submit({ type: 'phase', symbol: 'BTC-EUR', phase: 'auction', closing: true })
    const store = await Store.open({ dir, to: await fresh(base), driver })
    await store.caughtUp(lsn)
    for (const [name, columns] of Object.entries(listed)) {
      const { rows } = await store.query(
        'SELECT column_name, data_type FROM information_schema.columns WHERE table_name = $1 AND table_schema = current_schema() ORDER BY ordinal_position',
        [name],
      )
      const found = rows.map((row) => `${row['column_name']} ${typeName(String(row['data_type']))}`)
      expect(found, name).toEqual(columns)
    }
    for (const sql of queries) expect((await store.query(sql)).rows.length, sql).toBeGreaterThan(0)
    const [best] = (await store.query(queries[0]!)).rows
    expect(best).toEqual({ symbol: 'BTC-EUR', bid: '9.5', ask: '9.6' })
    const terms = await store.query(
      `SELECT order_id, list_id, status, trailing_offset, self_trade_group, peg, peg_offset, limit_price, price, quote_quantity, quote_units
  FROM orders WHERE order_id >= 11 ORDER BY order_id`,
    )
    const none = {
      list_id: null,
      trailing_offset: null,
      self_trade_group: null,
      peg: null,
      peg_offset: null,
      limit_price: null,
      quote_quantity: null,
      quote_units: null,
    }
    expect(terms.rows).toMatchObject([
      { ...none, order_id: 11, list_id: 10, status: 'pending', trailing_offset: '0.5', self_trade_group: 4 },
      { ...none, order_id: 20, status: 'filled', quote_quantity: '0.05', quote_units: 50_000 },
      {
        ...none,
        order_id: 21,
        status: 'resting',
        peg: 'primary',
        peg_offset: '-0.1',
        limit_price: '9.45',
        price: '9.4',
      },
    ])
    const phases = await store.query(
      'SELECT phase, closing, takes_orders FROM order_events WHERE phase IS NOT NULL',
    )
    expect(phases.rows).toEqual([{ phase: 'auction', closing: true, takes_orders: false }])
    expect(
      (await store.query('SELECT phase, closing, allocation, quote_unit FROM instruments')).rows,
    ).toEqual([{ phase: 'auction', closing: true, allocation: 'price-time', quote_unit: '0.000001' }])
    await store.close()
    await pool.close()
  })
})
