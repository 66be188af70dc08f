import { describe, expect, it } from 'vitest'
import { prepareSchema, requireSchema, schemaVersion } from '#tidemark/store/prepare-schema.js'
import { orderTermTypes } from '#tidemark/store/schema/tables.js'
import { openTarget } from '#tidemark/store/targets/open-target.js'
import { makeVersion4 } from '../../support/older-store.js'
import { storeTargets } from '../../support/store-targets.js'
import { temporaryDirectory } from '../../support/temporary.js'

const instrumentColumnsSince4 = [
  'closing',
  'takes_orders',
  'allocation',
  'reference_price',
  'static_band',
  'static_band_basis_points',
  'dynamic_band',
  'dynamic_band_basis_points',
  'band_action',
  'max_account_orders',
  'tick_table',
  'quote_unit',
]
const targets = await storeTargets()
const next = {
  version: schemaVersion + 1,
  migrations: {
    [schemaVersion]: ({ types }: { types: { text: string } }) => ({
      alter: [`ALTER TABLE instruments ADD COLUMN note ${types.text}`],
    }),
  },
}

describe.each(targets)('the schema of a store in $name', ({ driver, fresh }) => {
  it('is brought up to date with its rows, and a newer one is refused', async () => {
    const to = await fresh(temporaryDirectory())
    let target = await openTarget(to, { readOnly: false, driver })
    await expect(requireSchema(target)).rejects.toMatchObject({ code: 'TIDEMARK_STORE_SCHEMA' })
    await prepareSchema(target)
    await target.run("INSERT INTO tidemark_progress VALUES ('pool', 64, 0, 1, 2)")
    await target.close()

    target = await openTarget(to, { readOnly: false, driver })
    await prepareSchema(target, next)
    expect((await target.query('SELECT schema_version FROM tidemark_store')).rows).toEqual([
      { schema_version: schemaVersion + 1 },
    ])
    expect((await target.query('SELECT lsn FROM tidemark_progress')).rows).toEqual([{ lsn: 64 }])
    expect((await target.query('SELECT note FROM instruments')).rows).toEqual([])
    for (const view of ['orders', 'trades', 'order_history', 'account_volume', "candles(INTERVAL '1 day')"])
      expect((await target.query(`SELECT * FROM ${view}`)).rows).toEqual([])
    await target.close()

    target = await openTarget(to, { readOnly: false, driver })
    const newer = { code: 'TIDEMARK_STORE_SCHEMA', details: { version: schemaVersion + 1, schemaVersion } }
    await expect(requireSchema(target)).rejects.toMatchObject(newer)
    await expect(prepareSchema(target)).rejects.toMatchObject(newer)
    expect((await target.query('SELECT schema_version FROM tidemark_store')).rows).toEqual([
      { schema_version: schemaVersion + 1 },
    ])
    await target.close()
  })

  it('of version 1 gets what came since: ids of clients, phases, marks of trades, what few orders have', async () => {
    const target = await openTarget(await fresh(temporaryDirectory()), { readOnly: false, driver })
    await prepareSchema(target)
    const columns = `SELECT table_name, column_name FROM information_schema.columns
  WHERE (table_name LIKE '%order%' OR table_name LIKE 'ledger%' OR table_name IN ('instruments', 'trade_rows', 'balance_change_rows')) AND table_schema = current_schema() ORDER BY table_name, ordinal_position`
    const { rows } = await target.query(columns)
    await makeVersion4(target)
    for (const table of ['order_event_rows', 'open_order_rows', 'closed_order_rows'])
      await target.run(`ALTER TABLE ${table} DROP COLUMN client_order_id`)
    for (const table of ['open_order_rows', 'closed_order_rows'])
      for (const column of Object.keys(orderTermTypes))
        await target.run(`ALTER TABLE ${table} DROP COLUMN ${column}`)
    for (const column of ['list_id', 'phase', 'phase_options', 'trade_id'])
      await target.run(`ALTER TABLE order_event_rows DROP COLUMN ${column}`)
    for (const column of instrumentColumnsSince4)
      await target.run(`ALTER TABLE instruments DROP COLUMN ${column}`)
    await target.run('ALTER TABLE instruments RENAME COLUMN phase TO status')
    for (const column of ['uncross', 'busted'])
      await target.run(`ALTER TABLE trade_rows DROP COLUMN ${column}`)
    await target.run('UPDATE tidemark_store SET schema_version = 1')
    await target.run('DROP TABLE order_changes')
    await target.run('DROP TABLE job_changes')
    await expect(requireSchema(target)).rejects.toMatchObject({ details: { version: 1, schemaVersion } })
    await target.run(
      "INSERT INTO order_event_rows VALUES (0, 1, CAST('2026-01-01 00:00:00' AS TIMESTAMP), 8, 0, 1, 0, 0, 1, 5, 6, 0, 0)",
    )
    await target.run(
      "INSERT INTO instruments VALUES (0, 'A', 1, 1, 1, 'keep-on-reduce', 'none', 'open', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, CAST('2026-01-01 00:00:00' AS TIMESTAMP), 8)",
    )
    await prepareSchema(target)
    await requireSchema(target)
    expect((await target.query(columns)).rows).toEqual(rows)
    expect((await target.query('SELECT phase, closing, allocation FROM instruments')).rows).toEqual([
      { phase: 'continuous', closing: null, allocation: null },
    ])
    // What was there before has no list and says no phase.
    expect((await target.query('SELECT list_id, phase, trade_id FROM order_event_rows')).rows).toEqual([
      { list_id: 0, phase: -1, trade_id: 0 },
    ])
    await target.close()
  })

  it('stays as it was when a migration fails', async () => {
    const target = await openTarget(await fresh(temporaryDirectory()), { readOnly: false, driver })
    await prepareSchema(target)
    const broken = {
      version: schemaVersion + 1,
      migrations: { [schemaVersion]: () => ({ alter: ['ALTER TABLE nowhere ADD COLUMN x INTEGER'] }) },
    }
    await expect(prepareSchema(target, broken)).rejects.toMatchObject({ code: 'TIDEMARK_STORE_WRITE' })
    await requireSchema(target)
    expect((await target.query('SELECT * FROM trades')).rows).toEqual([])
    await target.close()
  })
})
