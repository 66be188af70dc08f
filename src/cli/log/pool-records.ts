import type { InspectedRecord } from '../../log/index.js'
import {
  CANCEL_ALL_HAS_IDS,
  CANCEL_ALL_HAS_PRICES,
  type CommandKind,
  clientOrderIdWordsAt,
  codeWords,
  commandKindNames,
  commandKinds,
  commandTagHigh,
  commandTagLow,
  DETAILS_WORDS,
  type DecodedCommand,
  decodeCommand,
  detailsWords,
  EVENT_HAS_CLIENT_ORDER_ID,
  EVENT_HEADER_WORDS,
  eventKinds,
  eventWords,
  flagsOf,
  fromSteps,
  HAS_CLIENT_ORDER_ID,
  HEADER_WORDS,
  INSTRUMENT_HAS_DETAILS,
  type InstrumentDefinition,
  legsAt,
  limits,
  MORE_SHIFT,
  optionalAt,
  quoteText,
} from '../../matching/index.js'
import {
  commandRecordType,
  describeDetails,
  InstrumentRegistry,
  type PoolInstrument,
  poolEvents,
  signedText,
} from '../../pool/index.js'

/** A record of the pool, in words; valid as long as the payload is. */
export interface PoolRecord {
  readonly words: Int32Array
  readonly from: number
  readonly to: number
  readonly commandType: CommandKind
}

/**
 * A record of the log as one of the pool, or `undefined` when it is not one: of another application, or the rest of a record
 * whose beginning is lost. Every record's length is checked, so that decoding stays inside the payload and ends.
 */
export function poolRecordOf(record: InspectedRecord): PoolRecord | undefined {
  const { payload, type } = record
  if (type !== commandRecordType || payload.byteLength < HEADER_WORDS * 4 || payload.byteLength % 8 !== 0)
    return undefined
  const aligned = payload.byteOffset % 4 === 0 ? payload : Uint8Array.from(payload)
  const words = new Int32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength >> 2)
  const commandType = commandKindNames[words[0]! & 0xff]
  if (commandType === undefined) return undefined
  for (let at = 0; at < words.length; ) {
    const length = words[at]! >>> 18
    if (at === 0 ? !commandFits(words, 0, length) : !eventFits(words, at, length)) return undefined
    at += length
    if (length === 0 || at > words.length) return undefined
  }
  return { words, from: 0, to: words.length, commandType }
}

/** Whether the event at a word offset is as long as its kind and its flags say. */
function eventFits(words: Int32Array, at: number, length: number): boolean {
  if ((words[at]! & 0xff) === eventKinds['instrument-changed'])
    return at + length <= words.length && detailsFit(words, at + EVENT_HEADER_WORDS, at + length)
  const fixed = eventWords(words[at]!)
  if (!isAboutOrder(words[at]!) || (flagsOf(words, at) & EVENT_HAS_CLIENT_ORDER_ID) === 0)
    return length === fixed
  const clientAt = at + fixed - codeWords(words[at]!)
  return length === fixed + clientOrderIdWordsAt(words, clientAt)
}

/** Whether an event, by its first word, is one that may have a client order id. */
function isAboutOrder(header: number): boolean {
  const kind = header & 0xff
  return (
    kind === eventKinds.cancelled ||
    kind === eventKinds.replaced ||
    kind === eventKinds.rejected ||
    kind === eventKinds.triggered ||
    kind === eventKinds.entered
  )
}

/** Whether the block of details at a word offset ends where its record does. */
function detailsFit(words: Int32Array, at: number, end: number): boolean {
  return at + DETAILS_WORDS <= end && at + detailsWords(words, at) === end
}

/** Whether the fields that the command's flags promise lie within its record of so many words. */
function commandFits(words: Int32Array, at: number, length: number): boolean {
  const kind = words[at]! & 0xff
  const fixed = optionalAt(words, at) - at
  if (length < fixed || at + length > words.length) return false
  if (kind === commandKinds.instrument) {
    const lengths = words[2]!
    const textBytes = (lengths & 0xff) + ((lengths >>> 8) & 0xff) + ((lengths >>> 16) & 0xff)
    const end = fixed + Math.ceil(textBytes / 8) * 2
    const hasDetails = (flagsOf(words, 0) & INSTRUMENT_HAS_DETAILS) !== 0
    return end <= length && (!hasDetails || detailsFit(words, end, length))
  }
  if (kind === commandKinds['instrument-change']) return detailsFit(words, fixed, length)
  const flags = flagsOf(words, at)
  if (kind === commandKinds['cancel-all']) {
    const prices = (flags & CANCEL_ALL_HAS_PRICES) === 0 ? 0 : 4
    const ids = length - fixed - prices
    return (flags & CANCEL_ALL_HAS_IDS) === 0 ? ids === 0 : ids > 0 && ids % 2 === 0
  }
  if (kind === commandKinds.list) return legsFit(words, legsAt(words, at) - at, length)
  if (kind === commandKinds['cancel-list']) return length === fixed + bits(flags & 0x10) * 2
  if (kind > commandKinds.reduce) return length === fixed
  // The client order id stands after all that only new orders have, and before account and request id.
  const isNew = kind === commandKinds.new
  const before = isNew ? (bits(flags & 0x1c) + bits(words[at + 5]! >>> MORE_SHIFT)) * 2 : 0
  const after = bits(isNew ? flags & 0x20 : flags & 0x30) * 2
  const hasClientId = (flags & HAS_CLIENT_ORDER_ID) !== 0
  const client = hasClientId ? clientOrderIdWordsAt(words, at + fixed + before) : 0
  return length === fixed + before + client + after
}

/** Whether the orders of a list, from a word offset on, end where it does. */
function legsFit(words: Int32Array, first: number, end: number): boolean {
  let at = first
  while (at < end) {
    const length = words[at]! >>> 18
    if ((words[at]! & 0xff) !== commandKinds.new || !commandFits(words, at, length)) return false
    at += length
  }
  return at === end && at > first
}

function bits(flags: number): number {
  let count = 0
  for (let left = flags; left !== 0; left &= left - 1) count++
  return count
}

/** A record of the pool as people and programs read it: symbols, and decimals on the instrument's grids. */
export interface DescribedRecord {
  readonly symbol: string | undefined
  readonly instrumentId: number | undefined
  readonly tag: string
  readonly command: Record<string, unknown>
  readonly events: Record<string, unknown>[]
}

/** The instruments of a log as far as it has been read; `learn` takes its records in order. */
export class InstrumentCatalog {
  readonly #registry = new InstrumentRegistry(1)

  /** Adds what a snapshot holds, or a logged command defined. A definition that no pool can have made is ignored. */
  add(definition: InstrumentDefinition): void {
    if (definition.instrumentId > limits.maxInstrumentId) return
    try {
      this.#registry.add(definition)
    } catch {
      // Its tick or lot size is no decimal: its orders are shown in ticks and lots.
    }
  }

  /** Learns the instrument that a record creates, if it creates one. */
  learn({ words, from, commandType }: PoolRecord): void {
    if (commandType !== 'instrument') return
    const command = decodeOrNothing(words, from)
    const created = words[from + (words[from]! >>> 18)]! & 0xff
    if (command?.type === 'instrument' && created === eventKinds['instrument-created']) this.add(command)
  }

  symbolOf({ words, from }: PoolRecord): string | undefined {
    return this.#registry.byId(words[from + 1]! >>> 0)?.definition.symbol
  }

  describe(record: PoolRecord, lsn: number): DescribedRecord {
    const { words, from } = record
    const instrumentId = words[from + 1]! >>> 0
    const instrument = this.#registry.byId(instrumentId)
    const command = decodeOrNothing(words, from)
    // Time, LSN, symbol and tag are said once, of the whole record.
    const events = poolEvents({ ...record, lsn, timeUs: 0 }, this.#registry).map((event) => {
      const { lsn: _, index: __, timeUs: ___, symbol: ____, tag: _____, ...rest } = event
      return rest as Record<string, unknown>
    })
    return {
      symbol: instrument?.definition.symbol,
      instrumentId: instrumentId === 0xffff_ffff ? undefined : instrumentId,
      tag: tagOf(words, from),
      command: command ? describeCommand(command, instrument) : { type: record.commandType },
      events,
    }
  }
}

/** A command that says what its CRC covered and still is not readable, such as a symbol that is no UTF-8, is none. */
function decodeOrNothing(words: Int32Array, at: number): DecodedCommand | undefined {
  try {
    return decodeCommand(words, at)
  } catch {
    return undefined
  }
}

const priceFields = [
  'price',
  'stopPrice',
  'trailingOffset',
  'activationPrice',
  'minPrice',
  'maxPrice',
] as const
const quantityFields = ['quantity', 'displayQuantity', 'minQuantity'] as const

function describeCommand(
  command: DecodedCommand,
  instrument: PoolInstrument | undefined,
): Record<string, unknown> {
  const { instrumentId: _, tagLow: __, tagHigh: ___, ...rest } = command
  const described: Record<string, unknown> = rest
  const grids = instrument?.grids
  const one = { mantissa: 1, scale: 0 }
  if (command.type === 'instrument' || command.type === 'instrument-change') {
    const details = command.type === 'instrument' ? command.details : command.set
    for (const field of ['details', 'set', 'removed']) delete described[field]
    Object.assign(described, describeDetails(details, grids ?? { price: one, quantity: one }))
    if (command.type === 'instrument-change') for (const field of command.removed) described[field] = null
  }
  if (command.type === 'list') {
    described['orders'] = command.orders.map((order) => {
      const { type, account, ...leg } = describeCommand(order, instrument)
      return leg
    })
  }
  for (const field of priceFields) {
    const ticks = described[field]
    if (ticks === 0) delete described[field]
    else if (typeof ticks === 'number') described[field] = fromSteps(ticks, grids?.price ?? one)
  }
  for (const field of quantityFields) {
    const lots = described[field]
    if (typeof lots === 'number') described[field] = fromSteps(lots, grids?.quantity ?? one)
  }
  const { quoteQuantity, pegOffset } = described
  if (typeof quoteQuantity === 'number' && grids)
    described['quoteQuantity'] = quoteText(quoteQuantity, 0, grids)
  if (typeof pegOffset === 'number') described['pegOffset'] = signedText(pegOffset, grids?.price ?? one)
  if (described['postOnly'] === false) delete described['postOnly']
  return described
}

function tagOf(words: Int32Array, from: number): string {
  return String((BigInt(commandTagHigh(words, from)) << 32n) | BigInt(commandTagLow(words, from)))
}
