import { readFileSync } from 'node:fs'
import * as path from 'node:path'
import { describe, expect, it } from 'vitest'
import { EnginePool } from '#tidemark/index.js'
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
      instruments: [{ symbol: 'BTC-EUR', tickSize: '0.01', lotSize: '0.0001' }],
    })
    const order = { type: 'new', symbol: 'BTC-EUR', orderType: 'limit' } as const
    await pool.submit({ ...order, orderId: 1, account: 1, side: 'buy', price: '9.50', quantity: '2' })
    await pool.submit({ ...order, orderId: 2, account: 2, side: 'sell', price: '9.40', quantity: '0.5' })
    await pool.submit({ ...order, orderId: 2, account: 2, side: 'sell', price: '9.60', quantity: '3' })
    const { lsn } = await pool.submit({ type: 'cancel', symbol: 'BTC-EUR', orderId: 77 })
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
    await store.close()
    await pool.close()
  })
})
