import { tradeFeeTypes } from '#tidemark/store/schema/tables.js'
import { viewNames } from '#tidemark/store/schema/views.js'
import type { StoreTarget } from '#tidemark/store/targets/target.js'

/** Makes a store what it was before it had the tables of a ledger: of schema version 4, without views. */
export async function makeVersion4(target: StoreTarget): Promise<void> {
  for (const name of viewNames.toReversed()) await target.run(`DROP VIEW ${name}`)
  for (const column of Object.keys(tradeFeeTypes))
    await target.run(`ALTER TABLE trade_rows DROP COLUMN ${column}`)
  for (const table of ['ledger_assets', 'ledger_entry_rows', 'balance_change_rows'])
    await target.run(`DROP TABLE ${table}`)
  await target.run('UPDATE tidemark_store SET schema_version = 4')
}
