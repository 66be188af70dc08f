import { EntryCursor, entryKind, factorRecordType, type SeriesText } from '../../factors/index.js'
import { StoreError } from '../errors.js'
import { Rows } from '../schema/columns.js'
import { factorSeriesTypes, factorTypes, factorValueTypes } from '../schema/tables.js'
import type { StoreTarget } from '../targets/target.js'
import type { FoldedTransaction, LogFold } from './log-fold.js'

/**
 * The log of a factor engine: one row for each value of each tick. The numbers that the log gives to series begin anew with
 * each opening; those that hold now are stored, so that a store can continue within an opening.
 */
export class FactorLogFold implements LogFold {
  readonly kind = 'factors'
  #rows = new FactorRows()
  #others = new FactorRows()
  readonly #entry = new EntryCursor()
  /** Ids by instrument and factor, as JSON of the pair. */
  readonly #ids = new Map<string, number>()
  /** Ids of a series' values, by the series' number. */
  #numbers = new Map<number, readonly number[]>()

  async begin(target: StoreTarget): Promise<void> {
    const known = await target.run('SELECT factor_id, instrument, factor FROM factors')
    for (const { factor_id, instrument, factor } of known.rows)
      this.#ids.set(JSON.stringify([instrument, factor]), Number(factor_id))
    const { rows } = await target.run('SELECT series, factor_id FROM factor_series ORDER BY series, position')
    for (const row of rows) {
      const series = Number(row['series'])
      this.#numbers.set(series, [...(this.#numbers.get(series) ?? []), Number(row['factor_id'])])
    }
  }

  get rowCount(): number {
    return this.#rows.count
  }

  visit(words: Int32Array, from: number, to: number, lsn: number, type: number): void {
    if (type !== factorRecordType) return
    const entry = this.#entry
    entry.reset(words, from, to, lsn)
    for (let index = 0; entry.next(); index++) {
      switch (entry.kind) {
        case entryKind.tick:
          this.#add(entry.valuesAt, lsn, index)
          break
        case entryKind.vector:
          this.#add(entry.data, lsn, index)
          break
        case entryKind.series:
          this.#define(entry.series, entry.text<SeriesText>())
          break
        case entryKind.session:
          this.#numbers = new Map()
          this.#rows.seriesChanged = true
      }
    }
  }

  cut(): FoldedTransaction {
    const rows = this.#rows
    if (rows.seriesChanged) this.#writeSeries()
    this.#others.clear()
    this.#rows = this.#others
    this.#others = rows
    return { rowCount: rows.count, write: (target) => writeRows(target, rows) }
  }

  /** The values of the entry at hand, which begin at a 64-bit word. */
  #add(at: number, lsn: number, index: number): void {
    const { series, values, timestamp, float64 } = this.#entry
    const ids = this.#numbers.get(series)
    if (!ids || ids.length < values) {
      throw new StoreError(
        'TIDEMARK_STORE_DIFFERS',
        `The record that ends at LSN ${lsn} has values of series ${series}, which the store does not know: another program changed it. Store the log anew.`,
        { lsn, series },
      )
    }
    const rows = this.#rows.values
    const { columns } = rows
    for (let i = 0; i < values; i++) {
      const row = rows.add()
      columns.factor_id.set(row, ids[i]!)
      columns.time_value.set(row, timestamp)
      columns.value.set(row, float64[at + i]!)
      columns.lsn.set(row, lsn)
      columns.entry_index.set(row, index)
    }
  }

  #define(series: number, { instrument, factors }: SeriesText): void {
    this.#numbers.set(
      series,
      factors.map((factor) => this.#idOf(instrument, factor)),
    )
    this.#rows.seriesChanged = true
  }

  #idOf(instrument: string, factor: string): number {
    const key = JSON.stringify([instrument, factor])
    const known = this.#ids.get(key)
    if (known !== undefined) return known
    const id = this.#ids.size
    this.#ids.set(key, id)
    const rows = this.#rows.factors
    const row = rows.add()
    const { columns } = rows
    columns.factor_id.set(row, id)
    columns.instrument.set(row, instrument)
    columns.factor.set(row, factor)
    return id
  }

  /** The numbers that hold now, all of them. */
  #writeSeries(): void {
    const rows = this.#rows.series
    for (const [series, ids] of this.#numbers) {
      for (const [position, id] of ids.entries()) {
        const row = rows.add()
        rows.columns.series.set(row, series)
        rows.columns.position.set(row, position)
        rows.columns.factor_id.set(row, id)
      }
    }
  }
}

/** What a transaction appends of a factor engine's log. */
class FactorRows {
  readonly factors = new Rows('factors', factorTypes)
  readonly series = new Rows('factor_series', factorSeriesTypes)
  readonly values = new Rows('factor_value_rows', factorValueTypes)
  seriesChanged = false

  get count(): number {
    return this.values.count + this.factors.count + this.series.count + (this.seriesChanged ? 1 : 0)
  }

  clear(): void {
    this.factors.clear()
    this.series.clear()
    this.values.clear()
    this.seriesChanged = false
  }
}

async function writeRows(target: StoreTarget, rows: FactorRows): Promise<void> {
  if (rows.seriesChanged) await target.run('TRUNCATE factor_series')
  for (const added of [rows.factors, rows.series, rows.values])
    if (added.count > 0) await target.append(added)
}
