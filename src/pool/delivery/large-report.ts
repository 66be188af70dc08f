import { inspect } from 'node:util'
import { type Outcome, quantityText } from '../../matching/index.js'
import type { InstrumentRegistry, PoolInstrument } from '../instruments.js'
import type { ExecutionReport, PoolEvent, ReportStatus, TradeEvent } from '../types.js'
import { appendPoolEvents } from './pool-events.js'

export const noTrades: readonly TradeEvent[] = Object.freeze([])

/** A record in words of its own, which stay as long as they are needed. */
export interface KeptRecord {
  readonly words: Int32Array
  /** Where the record ends. */
  readonly lsn: number
  /** When it was logged, microseconds since 1970-01-01T00:00:00Z. */
  readonly timeUs: number
}

export function keepRecord(
  words: Int32Array,
  from: number,
  to: number,
  lsn: number,
  timeUs: number,
): KeptRecord {
  return { words: words.slice(from, to), lsn, timeUs }
}

/**
 * The report of a command with many events, or with one record for each symbol: it keeps their words, and makes events and
 * trades of them when they are read. All that the type promises are properties of its own, as in any report.
 */
export class LargeReport implements ExecutionReport {
  declare readonly lsn: number
  declare readonly symbol: string | undefined
  declare readonly orderId: number | undefined
  declare readonly status: ReportStatus
  declare readonly code: string | undefined
  declare readonly filled: string | undefined
  declare readonly remaining: string | undefined
  declare readonly repeated: boolean
  declare readonly trades: readonly TradeEvent[]
  declare readonly events: readonly PoolEvent[]
  readonly #records: readonly KeptRecord[]
  readonly #registry: InstrumentRegistry

  /** `records` by LSN. */
  constructor(
    records: readonly KeptRecord[],
    orderId: number | undefined,
    { status, code, filled, remaining, firstLsn }: Outcome,
    instrument: PoolInstrument | undefined,
    registry: InstrumentRegistry,
  ) {
    const lots = orderId === undefined ? undefined : instrument?.grids.quantity
    this.#records = records
    this.#registry = registry
    this.lsn = firstLsn ?? records.at(-1)!.lsn
    this.symbol = instrument?.definition.symbol
    this.orderId = orderId
    this.status = status
    this.code = code
    this.filled = lots && filled >= 0 ? quantityText(filled, lots) : undefined
    this.remaining = lots && remaining >= 0 ? quantityText(remaining, lots) : undefined
    this.repeated = firstLsn !== undefined
    defineLazy(this, 'trades', () => (filled > 0 ? tradesOf(orderId, this.events) : noTrades))
    defineLazy(this, 'events', () => this.#readEvents())
  }

  #readEvents(): readonly PoolEvent[] {
    const events: PoolEvent[] = []
    for (const record of this.#records) {
      appendPoolEvents(events, { ...record, from: 0, to: record.words.length }, this.#registry)
    }
    return events
  }

  [inspect.custom](): ExecutionReport {
    return { ...this }
  }
}

/** The trades of the command's own order; those of stops that it triggered are among the events only. */
export function tradesOf(orderId: number | undefined, events: readonly PoolEvent[]): readonly TradeEvent[] {
  return events.filter(
    (event): event is TradeEvent =>
      event.event === 'trade' && (event.takerOrderId === orderId || event.makerOrderId === orderId),
  )
}

/** A property that is made when it is first read, also in a report that was frozen before. */
function defineLazy<T>(report: LargeReport, name: string, make: () => T): void {
  let made: T | undefined
  const get = () => {
    made ??= make()
    return made
  }
  Object.defineProperty(report, name, { get, enumerable: true, configurable: true })
}
