import { type QueryResult, Store } from '../../store/index.js'
import { columnsTable } from '../tables.js'
import { withStoreFailures } from './failures.js'

export interface QueryFlags {
  readonly param?: string[]
  readonly json?: boolean
  readonly csv?: boolean
}

export async function queryStore(to: string, sql: string, flags: QueryFlags): Promise<void> {
  await withStoreFailures(async () => {
    const store = await Store.open({ to })
    try {
      const result = await store.query(sql, flags.param)
      process.stdout.write(flags.json ? jsonLines(result) : flags.csv ? csv(result) : textTable(result))
    } finally {
      await store.close()
    }
  })
}

function jsonLines({ rows }: QueryResult): string {
  return rows.map((row) => `${JSON.stringify(row, (_, value) => plain(value))}\n`).join('')
}

/** JSON has no numbers of more than 2^53 that all readers keep: they are texts. */
function plain(value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value
}

/** As RFC 4180 has it, with a line feed at the end of each line. */
function csv({ columns, rows }: QueryResult): string {
  const line = (values: readonly string[]) => `${values.map(quoted).join(',')}\n`
  return line(columns) + rows.map((row) => line(columns.map((name) => text(row[name])))).join('')
}

function quoted(value: string): string {
  return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value
}

function textTable({ columns, rows }: QueryResult): string {
  const cells = rows.map((row) => columns.map((name) => text(row[name])))
  const right = columns.map((name) => rows.every((row) => row[name] === null || numeric(row[name])))
  const table = columnsTable(columns, cells, { rule: true, right })
  return `${table}\n${rows.length} ${rows.length === 1 ? 'row' : 'rows'}\n`
}

function numeric(value: unknown): boolean {
  return typeof value === 'number' || typeof value === 'bigint' || /^-?\d+(\.\d+)?$/.test(String(value))
}

function text(value: unknown): string {
  if (value === null || value === undefined) return ''
  return typeof value === 'object' ? JSON.stringify(value, (_, one) => plain(one)) : String(value)
}
