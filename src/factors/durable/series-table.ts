import { FactorError } from '../errors.js'
import type { SnapshotSeries } from './snapshot-store.js'

/** What the numbers of series mean at a place of the log. */
export class SeriesTable {
  #series: (SnapshotSeries | undefined)[] = []

  constructor(series: readonly SnapshotSeries[] = []) {
    for (const one of series) this.set(one)
  }

  /** A session begins: numbers are given anew. */
  clear(): void {
    this.#series = []
  }

  set(series: SnapshotSeries): void {
    this.#series[series.number] = series
  }

  /** @throws FactorError `TIDEMARK_FACTOR_LOG_CORRUPT` for a number that nothing before gave. */
  get(number: number, lsn: number): SnapshotSeries {
    const series = this.#series[number]
    if (series) return series
    throw new FactorError(
      'TIDEMARK_FACTOR_LOG_CORRUPT',
      `The record that ends at LSN ${lsn} names series ${number}, which nothing before it defines; read from a snapshot or from the beginning.`,
      { lsn, series: number },
    )
  }

  list(): SnapshotSeries[] {
    return this.#series.filter((series) => series !== undefined)
  }
}
