import type { StoreKind } from './fold/log-fold.js'
import type { StoreTarget } from './targets/target.js'

/** How far a log is stored. It stands in the transaction that stored the rows up to there. */
export interface Progress {
  /** The kind of the log. */
  readonly kind: StoreKind
  /** Everything up to here is stored, and nothing above. */
  readonly lsn: number
  /** The last record that is stored, to know the log again by: where it begins, and the CRC-32 of its payload. */
  readonly recordStartLsn: number
  /** The CRC of the last stored record: by it the log is recognised. */
  readonly recordCrc: number
  /** When that record was logged, microseconds since 1970. */
  readonly loggedUs: number
}

export async function readProgress(target: StoreTarget, kind: StoreKind): Promise<Progress | undefined> {
  return (await readAllProgress(target)).find((progress) => progress.kind === kind)
}

/** Of each log that the store keeps. */
export async function readAllProgress(target: StoreTarget): Promise<Progress[]> {
  const { rows } = await target.run(
    'SELECT kind, lsn, record_start_lsn, record_crc, logged_us FROM tidemark_progress ORDER BY kind',
  )
  return rows.map((row) => ({
    kind: row['kind'] as StoreKind,
    lsn: Number(row['lsn']),
    recordStartLsn: Number(row['record_start_lsn']),
    recordCrc: Number(row['record_crc']),
    loggedUs: Number(row['logged_us']),
  }))
}

/** Writes how far the transaction that is under way will have brought the store. */
export async function writeProgress(
  target: StoreTarget,
  progress: Progress,
  isFirst: boolean,
): Promise<void> {
  const { kind, lsn, recordStartLsn, recordCrc, loggedUs } = progress
  const parameters = [kind, lsn, recordStartLsn, recordCrc, loggedUs]
  if (isFirst) await target.run('INSERT INTO tidemark_progress VALUES ($1, $2, $3, $4, $5)', parameters)
  else {
    await target.run(
      'UPDATE tidemark_progress SET lsn = $2, record_start_lsn = $3, record_crc = $4, logged_us = $5 WHERE kind = $1',
      parameters,
    )
  }
}
