import type { DecodedArray } from 'hyparquet'
import type { Column, RowSet } from '../tables/columns.js'
import type { ParquetFile } from './read-file.js'

/** The key of a row, by the texts of its key columns. */
export type KeyOf = (texts: readonly string[]) => number

/** Adds the rows of a file to a set, in their order. @throws ArchiveError `TIDEMARK_ARCHIVE_DAMAGED`; LogError `TIDEMARK_LOG_IO`. */
export async function addRowsOf(file: ParquetFile, rows: RowSet, keyOf: KeyOf): Promise<void> {
  const columns = rows.table.columns.filter(({ kind }) => kind !== 'decimal')
  const names = columns.map(({ name }) => name)
  const keyNames = columns.filter(({ kind }) => kind === 'key').map(({ name }) => name)
  const end = await file.end()
  for (const group of end.groups) {
    const found = await file.group(end, group, names)
    const keys = keyNames.map((name) => found[name]!)
    const first = rows.rows
    const count = group.rowEnd - group.rowStart
    for (let i = 0; i < count; i++) rows.add(keyOf(keys.map((values) => values[i] as string)))
    for (const column of columns) fill(rows, column, found[column.name]!, first)
  }
}

function fill(rows: RowSet, { name, kind, names }: Column, values: DecodedArray, first: number): void {
  const count = values.length
  if (kind === 'key') return
  if (kind === 'unsigned') {
    for (let i = 0; i < count; i++) {
      const value = values[i] as bigint | null | undefined
      if (value !== null && value !== undefined)
        rows.setWide(name, first + i, Number(value & 0xffff_ffffn), Number(value >> 32n))
    }
    return
  }
  if (kind === 'text') {
    const others = rows.others[name]!
    for (let i = 0; i < count; i++) others[first + i] = values[i] ?? undefined
    return
  }
  const numbers = rows.numbers[name]!
  const codes = names && new Map(Array.from(names, (text, code) => [text, code]))
  for (let i = 0; i < count; i++) {
    const value = values[i]
    if (value === null || value === undefined) continue
    numbers[first + i] = codes ? codes.get(value)! : Number(value)
  }
}
