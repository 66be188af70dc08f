import type { ColumnType } from './columns.js'

/** Where the SQL of the targets differs; all other statements of the store are the same for all of them. */
export interface Dialect {
  readonly types: Readonly<Record<ColumnType, string>>
  /** Types of exact decimals: of tick and lot sizes, and of what one lot is worth for one tick. */
  readonly sizeType: string
  readonly tickValueType: string
  /** Of what a view has no value for yet. */
  readonly decimalType: string
  /** A whole number of steps times the size of a step, as an exact decimal. */
  product(steps: string, size: string): string
  /** The sum over the rows of a group of ticks times lots, however large. */
  sumOfProducts(ticks: string, lots: string): string
  /** Such a sum times what one lot is worth for one tick. */
  notional(sum: string, tickValue: string): string
  /** A signed 64-bit number as the unsigned one with the same bits. */
  unsigned(value: string): string
  /** Milliseconds since 1970 as a time. */
  timeOfMs(value: string): string
  /** `column` of the row with the lowest or highest `order` of a group. */
  first(column: string, order: string): string
  last(column: string, order: string): string
  /** Statements that make `candles(width)`, which is used like a table, out of a query that has `$width`. */
  tableFunction(
    name: string,
    parameter: string,
    query: string,
    columns: readonly (readonly [string, string])[],
  ): string
  /** The beginning of the stretch of time of a width that a time lies in; stretches begin at 1970-01-01T00:00:00Z. */
  timeBucket(width: string, time: string): string
  /** Statements that follow the creation of the tables; those of a ledger have their own. */
  readonly indexes: readonly string[]
  readonly ledgerIndexes: readonly string[]
}

/**
 * A decimal has 38 digits here, 15 of them after the point, which is as many as a tick or a lot can have. What is too large
 * for that is null; its ticks or lots are there.
 */
export const duckdbDialect: Dialect = {
  types: {
    int16: 'SMALLINT',
    int32: 'INTEGER',
    int64: 'BIGINT',
    float64: 'DOUBLE',
    time: 'TIMESTAMP',
    text: 'VARCHAR',
  },
  sizeType: 'DECIMAL(30, 15)',
  tickValueType: 'DECIMAL(38, 18)',
  decimalType: 'DECIMAL(38, 15)',
  product: (steps, size) => `TRY(CAST(${steps} AS DECIMAL(23, 0)) * ${size})`,
  sumOfProducts: (ticks, lots) => `SUM(CAST(${ticks} AS HUGEINT) * ${lots})`,
  notional: (sum, tickValue) => `TRY(CAST(${sum} AS DECIMAL(38, 0)) * ${tickValue})`,
  unsigned: (value) =>
    `CAST(CAST(${value} AS HUGEINT) + CASE WHEN ${value} < 0 THEN 18446744073709551616 ELSE 0 END AS DECIMAL(20, 0))`,
  timeOfMs: (value) => `make_timestamp(${value} * 1000)`,
  first: (column, order) => `arg_min(${column}, ${order})`,
  last: (column, order) => `arg_max(${column}, ${order})`,
  tableFunction: (name, parameter, query) =>
    `CREATE OR REPLACE MACRO ${name}(${parameter}) AS TABLE ${query}`,
  timeBucket: (width, time) => `time_bucket(${width}, ${time}, TIMESTAMP '1970-01-01')`,
  indexes: [],
  ledgerIndexes: [],
}

export const postgresDialect: Dialect = {
  types: {
    int16: 'SMALLINT',
    int32: 'INTEGER',
    int64: 'BIGINT',
    float64: 'DOUBLE PRECISION',
    time: 'TIMESTAMPTZ',
    text: 'TEXT',
  },
  sizeType: 'NUMERIC',
  tickValueType: 'NUMERIC',
  decimalType: 'NUMERIC',
  product: (steps, size) => `CAST(${steps} AS NUMERIC) * ${size}`,
  sumOfProducts: (ticks, lots) => `SUM(CAST(${ticks} AS NUMERIC) * ${lots})`,
  notional: (sum, tickValue) => `CAST(${sum} AS NUMERIC) * ${tickValue}`,
  unsigned: (value) =>
    `(CAST(${value} AS NUMERIC) + CASE WHEN ${value} < 0 THEN 18446744073709551616 ELSE 0 END)`,
  timeOfMs: (value) => `to_timestamp(${value} / 1000.0)`,
  first: (column, order) => `(array_agg(${column} ORDER BY ${order}))[1]`,
  last: (column, order) => `(array_agg(${column} ORDER BY ${order} DESC))[1]`,
  tableFunction: (name, parameter, query, columns) =>
    `CREATE OR REPLACE FUNCTION ${name}(${parameter} INTERVAL) RETURNS TABLE (${columns
      .map(([column, type]) => `"${column}" ${type}`)
      .join(', ')}) LANGUAGE sql STABLE AS $body$ ${query} $body$`,
  timeBucket: (width, time) => `date_bin(${width}, ${time}, TIMESTAMPTZ '1970-01-01 00:00:00+00')`,
  indexes: [
    'CREATE UNIQUE INDEX trade_rows_id ON trade_rows (instrument_id, trade_id)',
    'CREATE INDEX trade_rows_time ON trade_rows USING brin (time)',
    'CREATE INDEX order_event_rows_order ON order_event_rows (instrument_id, order_id)',
    'CREATE INDEX order_event_rows_time ON order_event_rows USING brin (time)',
    'CREATE UNIQUE INDEX open_order_rows_id ON open_order_rows (instrument_id, order_id)',
    'CREATE INDEX closed_order_rows_id ON closed_order_rows (instrument_id, order_id)',
    'CREATE INDEX factor_value_rows_factor ON factor_value_rows (factor_id, lsn)',
    'CREATE UNIQUE INDEX job_rows_id ON job_rows (job_id)',
  ],
  ledgerIndexes: [
    'CREATE INDEX ledger_entry_rows_key ON ledger_entry_rows (key)',
    'CREATE INDEX balance_change_rows_account ON balance_change_rows (account, asset_id)',
    'CREATE INDEX balance_change_rows_time ON balance_change_rows USING brin (time)',
  ],
}
