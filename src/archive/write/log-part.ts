import { type Disk, FileReader, RecordAssembler } from '../../log/index.js'
import type { LogRows } from '../tables/log-rows.js'

/** A part is full when so much was read after its last row at most. */
const chunkBytes = 64 * 1024

/** How far a part of the log was read. */
export interface ReadPart {
  /** The end of the last record that was read whole; reading continues there. */
  readonly endLsn: number
  readonly records: number
}

/**
 * Makes rows of the records of a log from `fromLsn`, where one begins, to `limitLsn`, which is on disk; ends earlier when
 * `full` says so. A record that ends after the limit is left to the next part.
 *
 * @throws LogError `TIDEMARK_LOG_CORRUPT`, `TIDEMARK_LOG_IO`, `TIDEMARK_BAD_LSN` when the log does not have `fromLsn` any more.
 */
export function readPart(
  disk: Disk,
  log: string,
  range: { readonly fromLsn: number; readonly limitLsn: number },
  rows: LogRows,
  full: () => boolean = () => false,
): ReadPart {
  let records = 0
  const assembler: RecordAssembler = new RecordAssembler({
    visit: (words, from, to, lsn, type) => {
      records++
      rows.record(words, from, to, lsn, type, assembler.timestampUs)
    },
  })
  const reader = new FileReader(disk, log, range.fromLsn, { known: true, chunkBytes })
  try {
    while (!full()) {
      const chunk = reader.nextSync(range.limitLsn)
      if (!chunk) break
      assembler.walk(chunk)
    }
    return { endLsn: assembler.unfinishedLsn ?? reader.position, records }
  } finally {
    reader.close()
  }
}
