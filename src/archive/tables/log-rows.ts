import type { KeyTexts, RowSet } from './columns.js'

/** Makes rows of the records of a log, in their order. */
export interface LogRows {
  /** One for each table. */
  readonly sets: readonly RowSet[]
  readonly texts: KeyTexts
  /** Takes a record: its words from `from` to `to`. */
  record(words: Int32Array, from: number, to: number, lsn: number, type: number, timeUs: number): void
}
