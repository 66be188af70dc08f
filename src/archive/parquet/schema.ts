import type { SchemaElement } from 'hyparquet'
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

function elementOf({ name, kind, nullable }: Column): SchemaElement {
  const common = { name, repetition_type: nullable ? ('OPTIONAL' as const) : ('REQUIRED' as const) }
  switch (kind) {
    case 'integer':
      return { ...common, type: 'INT64' }
    case 'int32':
      return { ...common, type: 'INT32' }
    case 'time':
      return {
        ...common,
        type: 'INT64',
        logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MICROS' },
      }
    case 'unsigned':
      return { ...common, type: 'INT64', converted_type: 'UINT_64' }
    case 'flag':
      return { ...common, type: 'BOOLEAN' }
    case 'double':
      return { ...common, type: 'DOUBLE' }
    case 'decimal':
      return { ...common, type: 'FIXED_LEN_BYTE_ARRAY', type_length: decimalBytes }
    default:
      return { ...common, type: 'BYTE_ARRAY', converted_type: 'UTF8' }
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
