import type { ParquetType, SchemaElement } from 'hyparquet'
import type { Column, Table } from '../tables/columns.js'

/** A decimal has 38 digits, 15 of them after the point: as many as a tick or a lot can have. */
export const decimalScale = 15
const decimalPrecision = 38
export const decimalBytes = 16

/**
 * The columns of a table as Parquet describes them. Decimals are written as bytes that are made here, which is many times
 * faster than from bigints: the writer must not know meanwhile what they are, and is given their type before it writes the
 * end of the file, `declareDecimals`.
 */
export function schemaOf(table: Table): SchemaElement[] {
  return [{ name: 'root', num_children: table.columns.length }, ...table.columns.map(elementOf)]
}

const physicalTypes: Readonly<Record<Column['kind'], ParquetType>> = {
  integer: 'INT64',
  time: 'INT64',
  unsigned: 'INT64',
  int32: 'INT32',
  flag: 'BOOLEAN',
  double: 'DOUBLE',
  decimal: 'FIXED_LEN_BYTE_ARRAY',
  key: 'BYTE_ARRAY',
  name: 'BYTE_ARRAY',
  text: 'BYTE_ARRAY',
}

/** As what the values of a column stand in a file. */
export function physicalType({ kind }: Column): ParquetType {
  return physicalTypes[kind]
}

function elementOf(column: Column): SchemaElement {
  const { name, kind, nullable } = column
  const common = {
    name,
    type: physicalType(column),
    repetition_type: nullable ? ('OPTIONAL' as const) : ('REQUIRED' as const),
  }
  switch (kind) {
    case 'time':
      return {
        ...common,
        logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MICROS' },
      }
    case 'unsigned':
      return { ...common, converted_type: 'UINT_64' }
    case 'decimal':
      return { ...common, type_length: decimalBytes }
    case 'key':
    case 'name':
    case 'text':
      return { ...common, converted_type: 'UTF8' }
    default:
      return common
  }
}

/** Gives the decimals of a schema their type. */
export function declareDecimals(schema: readonly SchemaElement[], table: Table): void {
  for (const [i, { kind }] of table.columns.entries()) {
    if (kind !== 'decimal') continue
    Object.assign(schema[i + 1]!, {
      converted_type: 'DECIMAL',
      logical_type: { type: 'DECIMAL', scale: decimalScale, precision: decimalPrecision },
      scale: decimalScale,
      precision: decimalPrecision,
    })
  }
}

/** Takes the type of decimals away, so that they are read as the bytes that they are. */
export function decimalsAsBytes(schema: readonly SchemaElement[]): SchemaElement[] {
  return schema.map((element) => {
    if (element.converted_type !== 'DECIMAL') return element
    const { converted_type, logical_type, ...rest } = element
    return rest
  })
}
