import {
  EntryCursor,
  entryKind,
  FactorError,
  factorRecordType,
  type SeriesText,
} from '../../factors/thread.js'
import type { ArchivedSeries, Manifest } from '../manifest.js'
import { RowSet } from './columns.js'
import { factorValuesTable } from './factor-table.js'
import type { LogRows } from './log-rows.js'
import { TextKeys } from './text-keys.js'

interface Series extends ArchivedSeries {
  /** The key of each factor's rows. */
  readonly keys: readonly number[]
}

/** Makes rows of a log of factors: one of each value of a tick or vector. */
export class FactorRows implements LogRows {
  readonly values = new RowSet(factorValuesTable)
  readonly texts = new TextKeys()
  readonly #cursor = new EntryCursor()
  readonly #series = new Map<number, Series>()

  constructor(series: readonly ArchivedSeries[]) {
    for (const one of series) this.#define(one)
  }

  get sets(): readonly RowSet[] {
    return [this.values]
  }

  /** What the manifest says of the log after these records. */
  get state(): Pick<Manifest, 'series'> {
    return {
      series: [...this.#series.values()].map(({ series, instrument, factors }) => ({
        series,
        instrument,
        factors,
      })),
    }
  }

  /** @throws FactorError `TIDEMARK_FACTOR_LOG_CORRUPT`. */
  record(words: Int32Array, from: number, to: number, lsn: number, type: number, timeUs: number): void {
    if (type !== factorRecordType) return
    const cursor = this.#cursor
    cursor.reset(words, from, to, lsn)
    for (let index = 0; cursor.next(); index++) {
      switch (cursor.kind) {
        case entryKind.session:
          this.#series.clear()
          break
        case entryKind.series: {
          const { instrument, factors } = cursor.text<SeriesText>()
          this.#define({ series: cursor.series, instrument, factors })
          break
        }
        case entryKind.tick:
          this.#entry(cursor, cursor.valuesAt, index, lsn, timeUs)
          break
        case entryKind.vector:
          this.#entry(cursor, cursor.data, index, lsn, timeUs)
          break
      }
    }
  }

  #define({ series, instrument, factors }: ArchivedSeries): void {
    const keys = factors.map((factor) => this.texts.keyOf([instrument, factor]))
    this.#series.set(series, { series, instrument, factors, keys })
  }

  #entry(cursor: EntryCursor, at: number, index: number, lsn: number, timeUs: number): void {
    const series = this.#series.get(cursor.series)
    if (!series || series.keys.length < cursor.values) throw unknownSeries(lsn, cursor.series)
    for (let i = 0; i < cursor.values; i++) {
      const row = this.values.add(series.keys[i]!)
      const { numbers } = this.values
      numbers['time_value']![row] = cursor.timestamp
      numbers['value']![row] = cursor.float64[at + i]!
      numbers['time']![row] = timeUs
      numbers['lsn']![row] = lsn
      numbers['entry_index']![row] = index
    }
  }
}

function unknownSeries(lsn: number, series: number): FactorError {
  return new FactorError(
    'TIDEMARK_FACTOR_LOG_CORRUPT',
    `The record that ends at LSN ${lsn} names series ${series}, which nothing before it defines so.`,
    { lsn, series },
  )
}
