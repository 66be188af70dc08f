import type { Manifest } from '../manifest.js'
import { FactorRows } from './factor-rows.js'
import type { LogRows } from './log-rows.js'
import { InstrumentTexts, PoolRows } from './pool-rows.js'

/** What the records of a log mean depends on these of the records before. */
export type LogState = Pick<Manifest, 'kind' | 'instruments' | 'series'>

/** Rows for the records after a place, and what is known of the log after them. */
export interface PartRows extends LogRows {
  readonly state: Partial<LogState>
}

export function rowsAfter({ kind, instruments, series }: LogState): PartRows {
  return kind === 'pool' ? new PoolRows(new InstrumentTexts(instruments)) : new FactorRows(series)
}
