import type { ArchiveKind } from '../manifest.js'
import type { Table } from './columns.js'
import { factorTables } from './factor-table.js'
import { poolTables } from './pool-tables.js'

/** The tables of an archive. */
export function tablesOf(kind: ArchiveKind): readonly Table[] {
  return kind === 'pool' ? poolTables : factorTables
}
