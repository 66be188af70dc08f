import { inspect } from 'node:util'
import {
  commandInstrument,
  commandOrder,
  eventKinds,
  type Outcome,
  outcomeOf,
  quantityText,
} from '../matching/index.js'
import type { InstrumentRegistry, PoolInstrument } from './instruments.js'
import { onlyPoolEvent, poolEvents } from './pool-events.js'
import type { ExecutionReport, PoolEvent, ReportStatus, TradeEvent } from './types.js'

const noTrades: readonly TradeEvent[] = Object.freeze([])

/** A record's words: of a short one as an array, which costs less to make than a typed one. */
interface KeptRecord {
  readonly words: readonly number[] | Int32Array
  readonly lsn: number
}

/** From so many words on, a typed array is made: it takes half of the memory. */
const typedFrom = 256

/** Copies a record's words to where they stay as long as the report, and hold nothing of others. */
export function keepRecord(words: Int32Array, from: number, to: number, lsn: number): KeptRecord {
  const count = to - from
  if (count >= typedFrom) return { words: words.slice(from, to), lsn }
  const copy: number[] = new Array(count)
  for (let i = 0; i < count; i++) copy[i] = words[from + i]!
  return { words: copy, lsn }
}

/** The report of a command that is one record, which spans the words `from` to `to` and ends at `lsn`. */
export function reportOf(
  words: Int32Array,
  from: number,
  to: number,
  lsn: number,
  registry: InstrumentRegistry,
): ExecutionReport {
  const instrument = registry.byId(commandInstrument(words, from))
  const report = new Report(outcomeOf(words, from, to), instrument, commandOrder(words, from), lsn)
  const event = from + (words[from]! >>> 18)
  const isOne = event >= to || event + (words[event]! >>> 18) >= to
  if (isOne && (words[event]! & 0xff) !== eventKinds.trade) {
    report.trades = noTrades
    report.events = onlyPoolEvent(words, from, to, lsn, instrument)
  } else Report.readLater(report, [keepRecord(words, from, to, lsn)], registry)
  return report
}

/** The report of a command that was executed in several symbols, or in none: `records` by LSN. */
export function reportOfSeveral(
  records: readonly KeptRecord[],
  registry: InstrumentRegistry,
): ExecutionReport {
  const words = Int32Array.from(records[0]!.words)
  const instrument = records.length === 1 ? registry.byId(commandInstrument(words, 0)) : undefined
  const report = new Report(outcomeOf(words, 0, words.length), instrument, undefined, records.at(-1)!.lsn)
  Report.readLater(report, records, registry)
  return report
}

/**
 * All that the types promise are properties of the report's own, so that it can be printed, spread, cloned and written
 * as JSON. Most callers look at two fields of it, and with a million promises a second under way, what a report weighs is
 * what the collector works on. So a single event is made at once, and several are read from the record's words when
 * somebody looks at them, by accessors that are the report's own too.
 */
class Report implements ExecutionReport {
  declare readonly lsn: number
  declare readonly symbol: string | undefined
  declare readonly orderId: number | undefined
  declare readonly status: ReportStatus
  declare readonly code: string | undefined
  declare readonly filled: string | undefined
  declare readonly remaining: string | undefined
  declare readonly repeated: boolean
  declare trades: readonly TradeEvent[]
  declare events: readonly PoolEvent[]
  #source: Source | undefined

  constructor(
    { status, code, filled, remaining, firstLsn }: Outcome,
    instrument: PoolInstrument | undefined,
    orderId: number | undefined,
    lsn: number,
  ) {
    const lots = orderId === undefined ? undefined : instrument?.grids.quantity
    this.lsn = firstLsn ?? lsn
    this.symbol = instrument?.definition.symbol
    this.orderId = orderId
    this.status = status
    this.code = code
    this.filled = lots && filled >= 0 ? quantityText(filled, lots) : undefined
    this.remaining = lots && remaining >= 0 ? quantityText(remaining, lots) : undefined
    this.repeated = firstLsn !== undefined
  }

  [inspect.custom](): ExecutionReport {
    return { ...this }
  }

  /** Each property is defined once: an object loses its fast layout when a field of it becomes an accessor. */
  static readLater(report: Report, records: readonly KeptRecord[], registry: InstrumentRegistry): void {
    report.#source = { records, registry, events: undefined, trades: undefined }
    if (report.filled === undefined) report.trades = noTrades
    else defineGetter(report, 'trades', Report.#tradesOf)
    defineGetter(report, 'events', Report.#eventsOf)
  }

  static readonly #eventsOf = function (this: Report): readonly PoolEvent[] {
    const source = this.#source!
    source.events ??= source.records.flatMap(({ words, lsn }) =>
      poolEvents({ words: Int32Array.from(words), from: 0, to: words.length, lsn }, source.registry),
    )
    return source.events
  }

  /** The trades of the command's own order; those of stops that it triggered are among the events only. */
  static readonly #tradesOf = function (this: Report): readonly TradeEvent[] {
    const { orderId, events } = this
    const source = this.#source!
    source.trades ??= events.filter(
      (event): event is TradeEvent =>
        event.event === 'trade' && (event.takerOrderId === orderId || event.makerOrderId === orderId),
    )
    return source.trades
  }
}

/** What events are read from when somebody looks at them, and what was. */
interface Source {
  readonly records: readonly KeptRecord[]
  readonly registry: InstrumentRegistry
  events: PoolEvent[] | undefined
  trades: TradeEvent[] | undefined
}

/** An enumerable accessor of the object's own. `Object.defineProperty` takes nearly twice as long: 87 against 145 ns. */
function defineGetter(report: Report, name: string, read: () => unknown): void {
  const target = report as unknown as { __defineGetter__(name: string, read: () => unknown): void }
  target.__defineGetter__(name, read)
}
