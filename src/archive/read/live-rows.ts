import type { DecodedArray } from 'hyparquet'
import { type Disk, FolderTailer, RecordAssembler } from '../../log/index.js'
import { Decimals } from '../parquet/decimals.js'
import { ColumnEncoder } from '../parquet/encode.js'
import type { RowSet, Table } from '../tables/columns.js'
import { type LogState, rowsAfter } from '../tables/rows-after.js'
import { type FoundRows, placesIn, type RowFilter } from './part-scan.js'

/** Rows of a log, and what the records up to them said of the instruments or series that they are of. */
export interface LiveRows extends FoundRows {
  readonly state: LogState
}

/**
 * The rows that a filter asks for, in the records of a log after an LSN, up to what was known to be synced when the reading
 * began. Another process may have the log open. `state` is what is known of the log at that LSN.
 *
 * @throws LogError `TIDEMARK_BAD_LSN` when what is read next was removed, `TIDEMARK_LOG_CORRUPT`, `TIDEMARK_LOG_IO`.
 */
export async function* liveRows(
  disk: Disk,
  log: string,
  afterLsn: number,
  state: LogState,
  table: Table,
  filter: RowFilter,
): AsyncGenerator<LiveRows> {
  const tailer = new FolderTailer(disk, log, afterLsn)
  let known = state
  let rows = rowsAfter(known)
  let endLsn = 0
  const assembler: RecordAssembler = new RecordAssembler({
    visit: (words, from, to, lsn, type) => {
      if (lsn > afterLsn && lsn <= endLsn) rows.record(words, from, to, lsn, type, assembler.timestampUs)
    },
  })
  try {
    await tailer.look()
    endLsn = tailer.syncedLsn
    while (tailer.position < endLsn) {
      const chunk = await tailer.next()
      if (!chunk) return
      assembler.walk(chunk)
      known = { ...known, ...rows.state }
      const set = rows.sets.find((one) => one.table === table)
      if (set && set.rows > 0) {
        const columns = columnsOf(set, new ColumnEncoder(rows.texts, new Decimals(rows.texts)))
        const places = placesIn(columns, filter, afterLsn)
        if (places.length > 0) yield { columns, places, state: known }
      }
      rows = rowsAfter(known)
    }
  } finally {
    tailer.close()
  }
}

/** The columns of a table as they would be read from a file of the archive, the decimals left out. */
function columnsOf(set: RowSet, encoder: ColumnEncoder): Record<string, DecodedArray> {
  const places = Uint32Array.from({ length: set.rows }, (_, i) => i)
  const columns: Record<string, DecodedArray> = {}
  for (const column of set.table.columns)
    if (column.kind !== 'decimal') columns[column.name] = encoder.values(column, set, places)
  return columns
}
