import { shown } from '../../base/shown.js'
import { FactorError } from '../errors.js'
import type { SnapshotSeries } from './snapshot-store.js'

/** A series of values of one instrument: what `sendVector` takes in place of names. */
export interface Series {
  /** The number that stands for the series in the log. */
  readonly number: number
  /** The instrument's name. */
  readonly instrument: string
  /** The names of the values, in their order. */
  readonly factors: readonly string[]
}

interface SentSeries extends Series {
  /** The last values that were sent, for snapshots. */
  readonly last: Float64Array
  /** NaN while none were. */
  lastTimestamp: number
}

/** The series whose values callers send, each with its last values. */
export class SentSeriesTable {
  readonly #byNames = new Map<string, SentSeries>()
  readonly #byNumber: (SentSeries | undefined)[] = []

  get(instrument: string, factors: readonly string[]): Series | undefined {
    return this.#byNames.get(keyOf(instrument, factors))
  }

  add(number: number, instrument: string, factors: readonly string[]): Series {
    const series = {
      number,
      instrument,
      factors: [...factors],
      last: new Float64Array(factors.length).fill(Number.NaN),
      lastTimestamp: Number.NaN,
    }
    this.#byNames.set(keyOf(instrument, factors), series)
    this.#byNumber[number] = series
    return series
  }

  keepLast(number: number, values: ArrayLike<number>, timestamp: number): void {
    const series = this.#byNumber[number]
    if (!series) return
    const { last } = series
    for (let i = 0; i < last.length; i++) last[i] = values[i]!
    series.lastTimestamp = timestamp
  }

  /** What a snapshot says of a series, with its last values if any were sent. */
  withLast(series: SnapshotSeries): SnapshotSeries {
    const sent = this.#byNumber[series.number]
    if (!sent || Number.isNaN(sent.lastTimestamp)) return series
    const values = Buffer.from(sent.last.buffer).toString('base64')
    return { ...series, last: { values, timestamp: sent.lastTimestamp } }
  }
}

/** @throws FactorError `TIDEMARK_BAD_VALUE` for values that don't fit the series. */
export function checkVector(series: Series, values: ArrayLike<number>, timestamp: number): void {
  const { instrument, factors } = series
  let reason: string | undefined
  if (values.length !== factors.length) reason = `${values.length} values for ${factors.length} factors`
  else if (!Number.isFinite(timestamp)) reason = `the timestamp is ${shown(timestamp)}`
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!
    if (typeof value !== 'number' || value === Infinity || value === -Infinity)
      reason ??= `${factors[i]} is ${shown(value)}`
  }
  if (reason === undefined) return
  throw new FactorError(
    'TIDEMARK_BAD_VALUE',
    `The values of ${instrument} can't be sent: ${reason}. Send a finite number, or NaN, for each factor.`,
    { instrument, reason },
  )
}

function keyOf(instrument: string, factors: readonly string[]): string {
  return JSON.stringify([instrument, ...factors])
}
