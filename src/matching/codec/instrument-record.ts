import { CommandError } from './command-errors.js'
import {
  HEADER_WORDS,
  INSTRUMENT_HAS_DETAILS,
  INSTRUMENT_WORDS,
  optionalAt,
  TAG_WORDS,
} from './command-layout.js'
import { parseGrid } from './decimal.js'
import {
  decodeDetails,
  encodeDetails,
  type InstrumentChange,
  type InstrumentDetails,
} from './instrument-details.js'
import { limits } from './limits.js'
import {
  type Allocation,
  allocationCodes,
  allocationNames,
  commandKinds,
  type Phase,
  type ReplacePriority,
  replacePriorityCodes,
  replacePriorityNames,
  type SelfTradePrevention,
  selfTradePreventionCodes,
  selfTradePreventionNames,
} from './names.js'
import { checkInstrumentId, tagFlag, writeHeader, writeTag } from './record-words.js'

/** What an instrument is created with. */
export interface InstrumentDefinition {
  /** The instrument's number in the log. */
  readonly instrumentId: number
  /** Its symbol. */
  readonly symbol: string
  /** The price of one tick, a decimal string. */
  readonly tickSize: string
  /** The quantity of one lot, a decimal string. */
  readonly lotSize: string
  /** Whether a smaller quantity at the same price keeps its place. */
  readonly replacePriority: ReplacePriority
  /** What holds for orders that state nothing themselves. */
  readonly selfTradePrevention: SelfTradePrevention
  /** `price-time` unless stated. */
  readonly allocation?: Allocation
  /** The phase that it began in; `continuous` unless stated. */
  readonly phase?: Phase
  /** What it says of itself beside that, if it says anything. */
  readonly details?: InstrumentDetails
}

/** What of an instrument is decided when it is created, and holds from then on. */
export type FixedField = 'tickSize' | 'lotSize' | 'replacePriority' | 'selfTradePrevention' | 'allocation'

/**
 * The first field in which two definitions of one symbol differ. Sizes are compared by their value: "0.010" is "0.01".
 */
export function differingField(a: InstrumentDefinition, b: InstrumentDefinition): FixedField | undefined {
  for (const size of ['tickSize', 'lotSize'] as const) {
    const one = parseGrid(size, a[size])
    const other = parseGrid(size, b[size])
    if (one.mantissa !== other.mantissa || one.scale !== other.scale) return size
  }
  for (const field of ['replacePriority', 'selfTradePrevention'] as const) {
    if (a[field] !== b[field]) return field
  }
  return (a.allocation ?? 'price-time') === (b.allocation ?? 'price-time') ? undefined : 'allocation'
}

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })

/**
 * Encodes the creation of an instrument at a word offset and returns the words used.
 * @throws CommandError when the symbol or a size is empty or too long. The sizes are not checked to be decimals here.
 */
export function encodeInstrument(
  words: Int32Array,
  at: number,
  tagLow: number,
  tagHigh: number,
  definition: InstrumentDefinition,
): number {
  checkInstrumentId(definition.instrumentId)
  const symbol = text('symbol', definition.symbol, limits.maxSymbolBytes)
  const tickSize = text('tickSize', definition.tickSize, limits.maxGridChars)
  const lotSize = text('lotSize', definition.lotSize, limits.maxGridChars)
  const priority = replacePriorityCodes[definition.replacePriority]
  const prevention = selfTradePreventionCodes[definition.selfTradePrevention]
  const textBytes = symbol.length + tickSize.length + lotSize.length
  const textAt = at + INSTRUMENT_WORDS + (tagFlag(tagLow, tagHigh) === 0 ? 0 : TAG_WORDS)
  const detailsAt = textAt + Math.ceil(textBytes / 8) * 2
  const { phase, details } = definition
  const hasDetails = phase !== undefined || details !== undefined
  const change = { set: details ?? {}, removed: [], ...(phase !== undefined && { phase }) }
  const end = detailsAt + (hasDetails ? encodeDetails(words, detailsAt, change) : 0)
  words.fill(0, at, detailsAt)
  words[at + 2] = symbol.length | (tickSize.length << 8) | (lotSize.length << 16) | (priority << 24)
  words[at + 3] = prevention | (allocationCodes[definition.allocation ?? 'price-time'] << 8)
  writeTag(words, at + INSTRUMENT_WORDS, tagLow, tagHigh)
  const bytes = new Uint8Array(words.buffer, words.byteOffset + textAt * 4, textBytes)
  bytes.set(symbol, 0)
  bytes.set(tickSize, symbol.length)
  bytes.set(lotSize, symbol.length + tickSize.length)
  const flags = tagFlag(tagLow, tagHigh) | (hasDetails ? INSTRUMENT_HAS_DETAILS : 0)
  return writeHeader(words, at, commandKinds.instrument, flags, end - at, definition.instrumentId)
}

/** Encodes the change of an instrument's details and returns the words used. @throws as `encodeInstrument`. */
export function encodeInstrumentChange(
  words: Int32Array,
  at: number,
  instrumentId: number,
  tagLow: number,
  tagHigh: number,
  change: InstrumentChange,
): number {
  checkInstrumentId(instrumentId)
  const flags = tagFlag(tagLow, tagHigh)
  const detailsAt = at + HEADER_WORDS + (flags === 0 ? 0 : TAG_WORDS)
  const end = detailsAt + encodeDetails(words, detailsAt, change)
  writeTag(words, at + HEADER_WORDS, tagLow, tagHigh)
  return writeHeader(words, at, commandKinds['instrument-change'], flags, end - at, instrumentId)
}

/** Reads the instrument-change command at a word offset. */
export function decodeInstrumentChange(words: Int32Array, at: number): InstrumentChange {
  return decodeDetails(words, optionalAt(words, at))
}

/** Reads the instrument command at a word offset. */
export function decodeInstrument(words: Int32Array, at: number): InstrumentDefinition {
  const lengths = words[at + 2]!
  const symbolBytes = lengths & 0xff
  const tickBytes = (lengths >>> 8) & 0xff
  const lotBytes = (lengths >>> 16) & 0xff
  const total = symbolBytes + tickBytes + lotBytes
  // A copy, because a TextDecoder does not read shared memory.
  const bytes = new Uint8Array(total)
  bytes.set(new Uint8Array(words.buffer, words.byteOffset + optionalAt(words, at) * 4, total))
  return {
    instrumentId: words[at + 1]! >>> 0,
    symbol: decoder.decode(bytes.subarray(0, symbolBytes)),
    tickSize: decoder.decode(bytes.subarray(symbolBytes, symbolBytes + tickBytes)),
    lotSize: decoder.decode(bytes.subarray(symbolBytes + tickBytes)),
    replacePriority: replacePriorityNames[lengths >>> 24]!,
    selfTradePrevention: selfTradePreventionNames[words[at + 3]! & 0xff]!,
    ...(words[at + 3]! >>> 8 !== 0 && { allocation: allocationNames[words[at + 3]! >>> 8]! }),
    ...detailsOf(words, at, optionalAt(words, at) + Math.ceil(total / 8) * 2),
  }
}

/** Phase and details of the instrument command at a word offset, which stand at another one, if it has them. */
function detailsOf(words: Int32Array, at: number, from: number): Partial<InstrumentDefinition> {
  if (((words[at]! >>> 8) & INSTRUMENT_HAS_DETAILS) === 0) return {}
  const { set, phase } = decodeDetails(words, from)
  return { ...(phase !== undefined && { phase }), ...(Object.keys(set).length > 0 && { details: set }) }
}

function text(field: string, value: string, most: number): Uint8Array {
  const bytes = encoder.encode(value)
  if (bytes.length === 0 || bytes.length > most) {
    throw new CommandError('TIDEMARK_FIELD_RANGE', field, value, `${field} must have 1 to ${most} bytes.`)
  }
  return bytes
}
