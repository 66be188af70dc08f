import {
  acceptedOrderAt,
  commandInstrument,
  commandTagHigh,
  commandTagLow,
  eventKinds,
  type Grid,
  hasTag,
} from '../../matching/index.js'
import type { InstrumentRegistry, PoolInstrument } from '../instruments.js'
import type { EnteredEvent, PoolEvent, TriggeredEvent } from '../types.js'
import {
  AcceptedRecord,
  AccountRecord,
  CancelledRecord,
  EnteredRecord,
  type EventSource,
  InstrumentChangedRecord,
  InstrumentRecord,
  PhaseChangedRecord,
  RejectedRecord,
  RepeatedRecord,
  ReplacedRecord,
  TradeBustedRecord,
  TradeRecord,
  TriggeredRecord,
} from './event-records.js'

/** Where a record stands: its words, the LSN of its end, and when it was logged. */
export interface RecordPlace {
  readonly words: Int32Array
  readonly from: number
  readonly to: number
  readonly lsn: number
  /** When it was logged, microseconds since 1970-01-01T00:00:00Z. */
  readonly timeUs: number
}

const noTag = 0n
const oneStep: Grid = { mantissa: 1, scale: 0 }
const noWords = new Int32Array(0)

/** Filled again for every record: what is allocated for a command is paid for once more by each collection. */
const source: EventSource = {
  words: noWords,
  from: 0,
  lsn: 0,
  index: 0,
  timeUs: 0,
  symbol: '',
  tag: noTag,
  prices: oneStep,
  lots: oneStep,
}

/** The events of a record as users see them: symbols, and decimal strings. */
export function poolEvents(record: RecordPlace, registry: InstrumentRegistry): PoolEvent[] {
  const events: PoolEvent[] = []
  appendPoolEvents(events, record, registry)
  return events
}

/** Appends a record's events to `events`. */
export function appendPoolEvents(
  events: PoolEvent[],
  { words, from, to, lsn, timeUs }: RecordPlace,
  registry: InstrumentRegistry,
): void {
  begin(words, from, lsn, timeUs, registry.byId(commandInstrument(words, from)))
  for (let at = from + (words[from]! >>> 18); at < to; at += words[at]! >>> 18) {
    if (isEvent(words, from, at)) events.push(eventAt(at))
    source.index++
  }
}

/** A record's events in an array of just their number; one that grows has room for 16 more. */
export function eventsOf(
  words: Int32Array,
  from: number,
  to: number,
  lsn: number,
  timeUs: number,
  instrument: PoolInstrument | undefined,
): PoolEvent[] {
  const first = from + (words[from]! >>> 18)
  let count = 0
  for (let at = first; at < to; at += words[at]! >>> 18) if (isEvent(words, from, at)) count++
  begin(words, from, lsn, timeUs, instrument)
  if (count === 1 && first + (words[first]! >>> 18) === to) return [eventAt(first)]
  const events: PoolEvent[] = new Array(count)
  let next = 0
  for (let at = first; at < to; at += words[at]! >>> 18) {
    if (isEvent(words, from, at)) events[next++] = eventAt(at)
    source.index++
  }
  return events
}

/** Only a damaged log says that another command than a new order or a list was accepted. */
function isEvent(words: Int32Array, from: number, at: number): boolean {
  return (words[at]! & 0xff) !== eventKinds.accepted || acceptedOrderAt(words, at, from) >= 0
}

function begin(
  words: Int32Array,
  from: number,
  lsn: number,
  timeUs: number,
  instrument: PoolInstrument | undefined,
): void {
  source.words = words
  source.from = from
  source.lsn = lsn
  source.index = 0
  source.timeUs = timeUs
  source.tag = tagOf(words, from)
  source.symbol = instrument === undefined ? '' : instrument.definition.symbol
  source.prices = instrument === undefined ? oneStep : instrument.grids.price
  source.lots = instrument === undefined ? oneStep : instrument.grids.quantity
}

/** The event at the word offset `at` of the record that `begin` was called for. */
function eventAt(at: number): PoolEvent {
  switch (source.words[at]! & 0xff) {
    case eventKinds.accepted:
      return new AcceptedRecord(source, at)
    case eventKinds.trade:
      return new TradeRecord(source, at)
    case eventKinds.cancelled:
      return new CancelledRecord(source, at)
    case eventKinds.replaced:
      return new ReplacedRecord(source, at)
    case eventKinds.rejected:
      return new RejectedRecord(source, at)
    case eventKinds.repeated:
      return new RepeatedRecord(source, at)
    case eventKinds.triggered:
      return new TriggeredRecord(source, at) as TriggeredEvent
    case eventKinds.entered:
      return new EnteredRecord(source, at) as EnteredEvent
    case eventKinds['phase-changed']:
      return new PhaseChangedRecord(source, at)
    case eventKinds['trade-busted']:
      return new TradeBustedRecord(source)
    case eventKinds['account-blocked']:
    case eventKinds['account-unblocked']:
      return new AccountRecord(source, at)
    case eventKinds['instrument-changed']:
      return new InstrumentChangedRecord(source, at)
    default:
      return new InstrumentRecord(source, at)
  }
}

/** The tag of the command at `from`. */
function tagOf(words: Int32Array, from: number): bigint {
  if (!hasTag(words, from)) return noTag
  const low = commandTagLow(words, from)
  const high = commandTagHigh(words, from)
  return high === 0 ? BigInt(low) : (BigInt(high) << 32n) | BigInt(low)
}
