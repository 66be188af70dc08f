import { StoreError } from './errors.js'
import type { ColumnTypes } from './schema/columns.js'
import type { Dialect } from './schema/dialect.js'
import {
  balanceChangeTypes,
  factorSeriesTypes,
  factorTypes,
  factorValueTypes,
  jobChangeTypes,
  jobTypes,
  ledgerEntryTypes,
  orderChangeTypes,
  orderEventTypes,
  orderTermTypes,
  orderTypes,
  tradeFeeTypes,
  tradeTypes,
} from './schema/tables.js'
import { createViews, viewNames } from './schema/views.js'
import type { StoreTarget } from './targets/target.js'

/** What stands in `tidemark_store`; it grows when tables, views or their meaning change. */
export const schemaVersion = 5

/** The statements that make the next version's tables of a version's. */
interface Migration {
  readonly alter: readonly string[]
  /** What changes rows. It follows all `alter` of all versions: DuckDB can't alter a table in the transaction that has changed its rows. */
  readonly update?: readonly string[]
}

/** By version; the views are made anew after the last. */
export type Migrations = Readonly<Record<number, (dialect: Dialect) => Migration>>
const migrations: Migrations = {
  1: ({ types }) => ({
    alter: ['order_event_rows', 'open_order_rows', 'closed_order_rows'].map(
      (table) => `ALTER TABLE ${table} ADD COLUMN client_order_id ${types.text}`,
    ),
  }),
  2: ({ types }) => ({
    alter: [
      'ALTER TABLE instruments RENAME COLUMN status TO phase',
      ...['uncross', 'busted'].map(
        (column) => `ALTER TABLE trade_rows ADD COLUMN ${column} ${types.int16} DEFAULT 0`,
      ),
    ],
    update: ["UPDATE instruments SET phase = 'continuous' WHERE phase = 'open'"],
  }),
  3: (dialect) => ({
    alter: [
      ...['open_order_rows', 'closed_order_rows'].flatMap((table) =>
        addColumns(dialect, table, orderTermTypes),
      ),
      ...addColumns(dialect, 'order_event_rows', { list_id: 'int64' }),
      ...addColumns(dialect, 'order_event_rows', { phase: 'int16' }, -1),
      ...addColumns(dialect, 'order_event_rows', { phase_options: 'int16', trade_id: 'int64' }),
      ...instrumentColumns(dialect).map((column) => `ALTER TABLE instruments ADD COLUMN ${column}`),
    ],
  }),
  4: (dialect) => ({
    alter: [
      ...Object.entries(tradeFeeTypes).flatMap(([column, type]) =>
        addColumns(dialect, 'trade_rows', { [column]: type }, column.endsWith('_asset') ? -1 : 0),
      ),
      ...ledgerTables(dialect),
    ],
  }),
}

/** Columns of rows that were there before: they have `value` in them. */
function addColumns({ types }: Dialect, table: string, columns: ColumnTypes, value = 0): string[] {
  return Object.entries(columns).map(
    ([column, type]) => `ALTER TABLE ${table} ADD COLUMN ${column} ${types[type]} DEFAULT ${value}`,
  )
}

/** Columns of `instruments` that came with version 4. What they say of instruments that were there before is not known: null. */
function instrumentColumns({ types, decimalType, tickValueType }: Dialect): string[] {
  return [
    'closing BOOLEAN',
    'takes_orders BOOLEAN',
    `allocation ${types.text}`,
    `reference_price ${decimalType}`,
    `static_band ${decimalType}`,
    `static_band_basis_points ${types.int32}`,
    `dynamic_band ${decimalType}`,
    `dynamic_band_basis_points ${types.int32}`,
    `band_action ${types.text}`,
    `max_account_orders ${types.int32}`,
    `tick_table ${types.text}`,
    `quote_unit ${tickValueType}`,
  ]
}

/** What came with version 5. */
function ledgerTables(dialect: Dialect): string[] {
  const { types, tickValueType } = dialect
  return [
    `CREATE TABLE ledger_assets (asset_id ${types.int32} NOT NULL, asset ${types.text} NOT NULL, scale ${types.int32} NOT NULL,
  unit ${tickValueType} NOT NULL, added_lsn ${types.int64} NOT NULL)`,
    createTable(dialect, 'ledger_entry_rows', ledgerEntryTypes),
    createTable(dialect, 'balance_change_rows', balanceChangeTypes),
    ...dialect.ledgerIndexes,
  ]
}

const tables: Readonly<Record<string, ColumnTypes>> = {
  trade_rows: tradeTypes,
  order_event_rows: orderEventTypes,
  open_order_rows: orderTypes,
  closed_order_rows: orderTypes,
  factors: factorTypes,
  factor_series: factorSeriesTypes,
  factor_value_rows: factorValueTypes,
  job_rows: jobTypes,
}

/** Tables of a connection, for what is applied to others within a transaction. */
const stagingTables: Readonly<Record<string, ColumnTypes>> = {
  order_changes: orderChangeTypes,
  job_changes: jobChangeTypes,
}

/** Makes the tables and views, or brings those of an earlier version up to date, in one transaction. @throws StoreError */
export async function prepareSchema(
  target: StoreTarget,
  wanted: { version: number; migrations: Migrations } = { version: schemaVersion, migrations },
): Promise<void> {
  const { dialect } = target
  await target.transaction(async () => {
    const version = await storedVersion(target)
    if (version === undefined) await createAll(target, wanted.version)
    else if (version !== wanted.version) await migrate(target, version, wanted)
  })
  for (const [name, types] of Object.entries(stagingTables))
    await target.run(createTable(dialect, name, types, 'TEMPORARY '))
}

/** @throws StoreError `TIDEMARK_STORE_SCHEMA` unless the database holds a store of the version that this build reads. */
export async function requireSchema(target: StoreTarget): Promise<void> {
  const version = await storedVersion(target)
  if (version === undefined) {
    throw new StoreError('TIDEMARK_STORE_SCHEMA', `${target.name} holds no store of tidemark.`, {
      target: target.name,
    })
  }
  if (version > schemaVersion) throw newer(target, version)
  if (version < schemaVersion) {
    throw new StoreError(
      'TIDEMARK_STORE_SCHEMA',
      `${target.name} holds a store of schema version ${version}, and this build reads ${schemaVersion}: sync it once, which migrates it.`,
      { target: target.name, version, schemaVersion },
    )
  }
}

async function storedVersion(target: StoreTarget): Promise<number | undefined> {
  const found = await target.run(
    "SELECT 1 AS found FROM information_schema.tables WHERE table_name = 'tidemark_store' AND table_schema = current_schema()",
  )
  if (found.rows.length === 0) return undefined
  const { rows } = await target.run('SELECT schema_version FROM tidemark_store')
  return Number(rows[0]?.['schema_version'])
}

async function createAll(target: StoreTarget, version: number): Promise<void> {
  const { dialect } = target
  const { types, sizeType, tickValueType, decimalType } = dialect
  await target.run(`CREATE TABLE tidemark_store (schema_version ${types.int32} NOT NULL)`)
  await target.run(`INSERT INTO tidemark_store VALUES (${version})`)
  await target.run(
    `CREATE TABLE tidemark_progress (kind ${types.text} NOT NULL, lsn ${types.int64} NOT NULL,
  record_start_lsn ${types.int64} NOT NULL, record_crc ${types.int64} NOT NULL, logged_us ${types.int64} NOT NULL)`,
  )
  await target.run(
    `CREATE TABLE instruments (instrument_id ${types.int32} NOT NULL, symbol ${types.text} NOT NULL,
  tick_size ${sizeType} NOT NULL, lot_size ${sizeType} NOT NULL, tick_value ${tickValueType},
  replace_priority ${types.text} NOT NULL, self_trade_prevention ${types.text} NOT NULL, phase ${types.text} NOT NULL,
  base_asset ${types.text}, quote_asset ${types.text}, min_price ${decimalType}, max_price ${decimalType},
  min_quantity ${decimalType}, max_quantity ${decimalType}, min_notional ${tickValueType}, info ${types.text},
  created_time ${types.time} NOT NULL, created_lsn ${types.int64} NOT NULL, ${instrumentColumns(dialect).join(', ')})`,
  )
  for (const [name, columns] of Object.entries(tables)) await target.run(createTable(dialect, name, columns))
  for (const statement of [...dialect.indexes, ...ledgerTables(dialect)]) await target.run(statement)
  for (const statement of createViews(dialect)) await target.run(statement)
}

async function migrate(
  target: StoreTarget,
  from: number,
  wanted: { version: number; migrations: Migrations },
): Promise<void> {
  if (from > wanted.version) throw newer(target, from)
  for (const name of viewNames.toReversed()) await target.run(`DROP VIEW IF EXISTS ${name}`)
  const updates: string[] = []
  for (let version = from; version < wanted.version; version++) {
    const steps = wanted.migrations[version]
    if (!steps) throw unknownVersion(target, version)
    const { alter, update = [] } = steps(target.dialect)
    for (const statement of alter) await target.run(statement)
    updates.push(...update)
  }
  for (const statement of updates) await target.run(statement)
  for (const statement of createViews(target.dialect)) await target.run(statement)
  await target.run(`UPDATE tidemark_store SET schema_version = ${wanted.version}`)
}

function createTable(dialect: Dialect, name: string, columns: ColumnTypes, how = ''): string {
  const lines = Object.entries(columns).map(
    ([column, type]) => `${column} ${dialect.types[type]}${type === 'text' ? '' : ' NOT NULL'}`,
  )
  return `CREATE ${how}TABLE ${name} (${lines.join(', ')})`
}

function newer(target: StoreTarget, version: number): StoreError {
  return new StoreError(
    'TIDEMARK_STORE_SCHEMA',
    `${target.name} holds a store of schema version ${version}, which is newer than this build's ${schemaVersion}: use the build that wrote it, or a later one.`,
    { target: target.name, version, schemaVersion },
  )
}

function unknownVersion(target: StoreTarget, version: number): StoreError {
  return new StoreError(
    'TIDEMARK_STORE_SCHEMA',
    `${target.name} holds a store of schema version ${version}, which this build can't bring up to date: store the log anew.`,
    { target: target.name, version, schemaVersion },
  )
}
