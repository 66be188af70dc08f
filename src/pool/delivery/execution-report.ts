import { inspect } from 'node:util'
import {
  commandInstrument,
  commandOrder,
  emptyOutcome,
  type Outcome,
  outcomeOf,
  quantityText,
} from '../../matching/index.js'
import type { InstrumentRegistry, PoolInstrument } from '../instruments.js'
import type { ExecutionReport, PoolEvent, ReportStatus, TradeEvent } from '../types.js'
import { defineGetter, isLone, LoneReport, noTrades } from './lone-report.js'
import { appendPoolEvents } from './pool-events.js'

/** Read again for every report. */
const outcome = emptyOutcome()

/** A record that was copied to where it stays: words that it shares with other records, and where it is in them. */
export interface KeptRecord {
  readonly words: Int32Array
  readonly place: number
}

/** Before each record: the LSN of its end, in two words, and its length in words. */
const placeWords = 3
/** Words that records share, 2 KiB: one allocation for some thirty, and all that a report that is kept holds. */
const sharedWords = 512
let shared = new Int32Array(sharedWords)
let used = 0

/** Copies a record to `shared`; returns its place there. A large one gets words of its own. */
function keep(words: Int32Array, from: number, to: number, lsn: number): number {
  const count = to - from
  if (used + placeWords + count > shared.length) {
    shared = new Int32Array(Math.max(sharedWords, placeWords + count))
    used = 0
  }
  const target = shared
  const place = used
  target[place] = lsn
  target[place + 1] = lsn / 0x1_0000_0000
  target[place + 2] = count
  const start = place + placeWords
  for (let i = 0; i < count; i++) target[start + i] = words[from + i]!
  used = start + count
  return place
}

/** Copies a record to where it stays as long as it is needed. */
export function keepRecord(words: Int32Array, from: number, to: number, lsn: number): KeptRecord {
  const place = keep(words, from, to, lsn)
  return { words: shared, place }
}

function appendEvents(
  events: PoolEvent[],
  words: Int32Array,
  place: number,
  registry: InstrumentRegistry,
): void {
  const from = place + placeWords
  const lsn = (words[place]! >>> 0) + words[place + 1]! * 0x1_0000_0000
  appendPoolEvents(events, { words, from, to: from + words[place + 2]!, lsn }, registry)
}

/** The report of a command that is one record, which spans the words `from` to `to` and ends at `lsn`. */
export function reportOf(
  words: Int32Array,
  from: number,
  to: number,
  lsn: number,
  registry: InstrumentRegistry,
): ExecutionReport {
  outcomeOf(words, from, to, outcome)
  const instrument = registry.byId(commandInstrument(words, from))
  const orderId = commandOrder(words, from)
  const first = from + (words[from]! >>> 18)
  if (orderId !== undefined && instrument !== undefined && isLone(words, from, first, to, orderId)) {
    return new LoneReport(words, from, first, lsn, orderId, outcome, instrument)
  }
  const place = keep(words, from, to, lsn)
  return Report.of(outcome, instrument, orderId, lsn, shared, place, undefined, registry)
}

/** The report of a command that was executed in several symbols, or in none: `records` by LSN. */
export function reportOfSeveral(
  records: readonly KeptRecord[],
  registry: InstrumentRegistry,
): ExecutionReport {
  const { words, place } = records[0]!
  const from = place + placeWords
  const instrument = records.length === 1 ? registry.byId(commandInstrument(words, from)) : undefined
  outcomeOf(words, from, from + words[place + 2]!, outcome)
  const last = records.at(-1)!
  const lsn = (last.words[last.place]! >>> 0) + last.words[last.place + 1]! * 0x1_0000_0000
  return Report.of(outcome, instrument, undefined, lsn, words, place, records.slice(1), registry)
}

/**
 * The report of any command: all that the types promise are properties of its own, so that it can be printed, spread, cloned
 * and written as JSON. Events, and trades where there are any, are decoded from the record's words when somebody looks at
 * them; why is said at `LoneReport`, which most commands get.
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
  declare readonly events: readonly PoolEvent[]
  readonly #words: Int32Array
  readonly #place: number
  /** The records after the first, of a command that was executed in several symbols. */
  readonly #others: readonly KeptRecord[] | undefined
  readonly #registry: InstrumentRegistry

  static of(
    outcome: Outcome,
    instrument: PoolInstrument | undefined,
    orderId: number | undefined,
    lsn: number,
    words: Int32Array,
    place: number,
    others: readonly KeptRecord[] | undefined,
    registry: InstrumentRegistry,
  ): Report {
    const report = new Report(outcome, instrument, orderId, lsn, words, place, others, registry)
    // Each is defined once: an object loses its fast layout when a field of it becomes an accessor.
    if (outcome.filled > 0) defineGetter(report, 'trades', readTrades)
    else report.trades = noTrades
    defineGetter(report, 'events', readEvents)
    return report
  }

  static eventsOf(report: Report): PoolEvent[] {
    const events: PoolEvent[] = []
    appendEvents(events, report.#words, report.#place, report.#registry)
    for (const { words, place } of report.#others ?? []) appendEvents(events, words, place, report.#registry)
    return events
  }

  private constructor(
    { status, code, filled, remaining, firstLsn }: Outcome,
    instrument: PoolInstrument | undefined,
    orderId: number | undefined,
    lsn: number,
    words: Int32Array,
    place: number,
    others: readonly KeptRecord[] | undefined,
    registry: InstrumentRegistry,
  ) {
    const lots = orderId === undefined ? undefined : instrument?.grids.quantity
    this.#words = words
    this.#place = place
    this.#others = others
    this.#registry = registry
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
}

/** Read once: from then on it is a plain property, except in a report that somebody froze. */
function readEvents(this: Report): readonly PoolEvent[] {
  return keepValue(this, 'events', Report.eventsOf(this))
}

/** The trades of the command's own order; those of stops that it triggered are among the events only. */
function readTrades(this: Report): readonly TradeEvent[] {
  const { orderId, events } = this
  const trades = events.filter(
    (event): event is TradeEvent =>
      event.event === 'trade' && (event.takerOrderId === orderId || event.makerOrderId === orderId),
  )
  return keepValue(this, 'trades', trades)
}

function keepValue<T>(report: Report, name: string, value: T): T {
  Reflect.defineProperty(report, name, { value, enumerable: true, configurable: true, writable: true })
  return value
}
