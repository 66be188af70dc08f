import {
  commandInstrument,
  commandOrder,
  EventCursor,
  emptyOutcome,
  eventKinds,
  isForAmount,
  NewOrderFields,
  type Outcome,
  outcomeOf,
  quantityText,
  quoteText,
} from '../../matching/index.js'
import type { InstrumentRegistry, PoolInstrument } from '../instruments.js'
import type { ExecutionReport, PoolEvent, ReportStatus, TradeEvent } from '../types.js'
import { type KeptRecord, keepRecord, LargeReport, noTrades, tradesOf } from './large-report.js'
import { eventsOf } from './pool-events.js'

/**
 * Events of a record of at most so many words, some ten trades, are made with the report. Making an event takes about 30 ns
 * and a property that makes them later 200 ns, but the events of a sweep would hold up the event loop, and fill it with what
 * few callers look at.
 */
const smallWordsMax = 256

/** Read again for every report. */
const outcome = emptyOutcome()
const fields = new NewOrderFields()
const cursor = new EventCursor()

/**
 * The report of a command. All that the type promises are properties of its own, so that it can be printed, spread, cloned
 * and written as JSON.
 */
class SmallReport implements ExecutionReport {
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

  constructor(
    lsn: number,
    orderId: number | undefined,
    { status, code, filled, remaining, firstLsn }: Outcome,
    instrument: PoolInstrument | undefined,
    trades: readonly TradeEvent[],
    events: readonly PoolEvent[],
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
    this.trades = trades
    this.events = events
  }
}

/**
 * The report of a command that is one record, which spans the words `from` to `to`, ends at `lsn`, and was logged at `timeUs`
 * (microseconds since 1970).
 */
export function reportOf(
  words: Int32Array,
  from: number,
  to: number,
  lsn: number,
  timeUs: number,
  registry: InstrumentRegistry,
): ExecutionReport {
  outcomeOf(words, from, to, outcome)
  const instrument = registry.byId(commandInstrument(words, from))
  // 0 where the book gave no id to an order that named none.
  const orderId = commandOrder(words, from) || undefined
  if (to - from > smallWordsMax) {
    const kept = [keepRecord(words, from, to, lsn, timeUs)]
    const report = new LargeReport(kept, orderId, outcome, instrument, registry)
    return isForAmount(words, from) ? Object.assign(report, amountsOf(words, from, to, instrument)) : report
  }
  const events = eventsOf(words, from, to, lsn, timeUs, instrument)
  const trades = outcome.filled > 0 ? tradesOf(orderId, events) : noTrades
  const report = new SmallReport(lsn, orderId, outcome, instrument, trades, events)
  return isForAmount(words, from) ? Object.assign(report, amountsOf(words, from, to, instrument)) : report
}

/** What of the amount that a market order is for it has spent or received in its record, and what is left. */
function amountsOf(
  words: Int32Array,
  from: number,
  to: number,
  instrument: PoolInstrument | undefined,
): Pick<ExecutionReport, 'quoteFilled' | 'quoteRemaining'> {
  if (instrument === undefined || outcome.firstLsn !== undefined || outcome.status === 'rejected') return {}
  fields.read(words, from)
  let steps = 0
  cursor.reset(words, from, to)
  for (let kind = cursor.next(); kind !== 0; kind = cursor.next()) {
    if (kind !== eventKinds.trade) continue
    const { takerOrderId, price, quantity } = cursor.trade
    if (takerOrderId === fields.orderId) steps += price * quantity
  }
  const { grids } = instrument
  const { quoteQuantity } = fields
  return {
    quoteFilled: quoteText(0, -steps, grids),
    quoteRemaining: quoteText(quoteQuantity, steps, grids),
  }
}

/** The report of a command that is several records, of several symbols as a rule, or of none: `records` by LSN. */
export function reportOfSeveral(
  records: readonly KeptRecord[],
  registry: InstrumentRegistry,
): ExecutionReport {
  const { words } = records[0]!
  const id = commandInstrument(words, 0)
  const isOne = records.every((record) => commandInstrument(record.words, 0) === id)
  const instrument = isOne ? registry.byId(id) : undefined
  outcomeOf(words, 0, words.length, outcome)
  return new LargeReport(records, undefined, outcome, instrument, registry)
}
