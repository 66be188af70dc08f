import { double, int32, integer, key, type Table, table, time } from './columns.js'

/**
 * One row for each value of a tick or vector. `value` is null where the factor is not defined (yet); `time_value` is the
 * time that the source gave, in the source's unit, and `time` when it was logged.
 */
export const factorValuesTable = table('factor_values', {
  instrument: key,
  factor: key,
  time_value: double,
  value: double,
  time,
  lsn: integer,
  entry_index: int32,
})

export const factorTables: readonly Table[] = [factorValuesTable]
