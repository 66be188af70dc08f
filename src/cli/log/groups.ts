import type { InspectedRecord } from '../../log/index.js'
import {
  CANCEL_ALL_WORDS,
  CANCEL_WORDS,
  type CommandKind,
  commandKindNames,
  commandKinds,
  DETAILS_WORDS,
  type DecodedCommand,
  decodeCommand,
  detailsWords,
  EVENT_WORDS,
  type EventKind,
  EXPIRE_WORDS,
  eventKinds,
  fromSteps,
  HEADER_WORDS,
  INSTRUMENT_HAS_DETAILS,
  INSTRUMENT_WORDS,
  type InstrumentDefinition,
  limits,
  NEW_WORDS,
  REDUCE_WORDS,
  REPLACE_WORDS,
} from '../../matching/index.js'
import {
  describeDetails,
  groupType,
  InstrumentRegistry,
  type PoolInstrument,
  poolEvents,
} from '../../pool/index.js'

/** The shortest record of each kind in 32-bit words, from docs/command-format.md. */
const commandWords: Record<CommandKind, number> = {
  new: NEW_WORDS,
  cancel: CANCEL_WORDS,
  replace: REPLACE_WORDS,
  reduce: REDUCE_WORDS,
  'cancel-all': CANCEL_ALL_WORDS,
  instrument: INSTRUMENT_WORDS,
  halt: HEADER_WORDS,
  resume: HEADER_WORDS,
  expire: EXPIRE_WORDS,
  noop: HEADER_WORDS,
  'instrument-change': HEADER_WORDS + DETAILS_WORDS,
}
const eventWords: Record<EventKind, number> = {
  accepted: 2,
  trade: 18,
  cancelled: 8,
  replaced: 8,
  rejected: 4,
  triggered: 4,
  repeated: 10,
  'instrument-created': 2,
  halted: 2,
  resumed: 2,
  'instrument-changed': EVENT_WORDS + DETAILS_WORDS,
}
/** Of an order with every optional field, and of the longest amendment: more than any record has besides strings. */
const optionalWordsMax = 8
const minimumWords: (number | undefined)[] = []
for (const [kind, words] of Object.entries(commandWords))
  minimumWords[commandKinds[kind as CommandKind]] = words
for (const [kind, words] of Object.entries(eventWords)) minimumWords[eventKinds[kind as EventKind]] = words

/** A group of the pool, in words; valid as long as the payload is. */
export interface PoolGroup {
  readonly words: Int32Array
  readonly from: number
  readonly to: number
  readonly commandType: CommandKind
}

/**
 * A record as a group of the pool, or `undefined` when it is not one: of another application, or the rest of a group
 * whose beginning is lost. Every record's length is checked, so that decoding stays inside the payload and ends.
 */
export function poolGroupOf(group: InspectedRecord): PoolGroup | undefined {
  const { payload, type } = group
  if (type !== groupType || payload.byteLength < HEADER_WORDS * 4 || payload.byteLength % 8 !== 0)
    return undefined
  const aligned = payload.byteOffset % 4 === 0 ? payload : Uint8Array.from(payload)
  const words = new Int32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength >> 2)
  const commandType = commandKindNames[words[0]! & 0xff]
  if (commandType === undefined) return undefined
  for (let at = 0; at < words.length; ) {
    const kind = words[at]! & 0xff
    const length = words[at]! >>> 18
    const least = minimumWords[kind]
    const isCommand = kind < eventKinds.accepted
    if (least === undefined || length < least || isCommand !== (at === 0)) return undefined
    if (!isCommand && kind !== eventKinds['instrument-changed'] && length !== least) return undefined
    if (isCommand && !hasTexts(kind) && length > least + optionalWordsMax) return undefined
    at += length
    if (at > words.length) return undefined
    if (kind === eventKinds['instrument-changed'] && !detailsFit(words, at - length + EVENT_WORDS, at))
      return undefined
  }
  return fieldsFit(words) ? { words, from: 0, to: words.length, commandType } : undefined
}

/** Whether commands of a kind have texts, of which it depends how long they are. */
function hasTexts(kind: number): boolean {
  return kind === commandKinds.instrument || kind === commandKinds['instrument-change']
}

/** Whether the block of details at a word offset ends where its record does. */
function detailsFit(words: Int32Array, at: number, end: number): boolean {
  return at + DETAILS_WORDS <= end && at + detailsWords(words, at) === end
}

/** Whether the optional fields that the command's flags promise lie within its record. */
function fieldsFit(words: Int32Array): boolean {
  const kind = words[0]! & 0xff
  const length = words[0]! >>> 18
  const flags = (words[0]! >>> 8) & 0xff
  if (kind === commandKinds.instrument) {
    const lengths = words[4]!
    const textBytes = (lengths & 0xff) + ((lengths >>> 8) & 0xff) + ((lengths >>> 16) & 0xff)
    const end = INSTRUMENT_WORDS + Math.ceil(textBytes / 8) * 2
    return end <= length && ((flags & INSTRUMENT_HAS_DETAILS) === 0 || detailsFit(words, end, length))
  }
  if (kind === commandKinds['instrument-change']) return detailsFit(words, HEADER_WORDS, length)
  const optional = kind === commandKinds.new ? flags & 0x3c : flags & 0x30
  let fields = 0
  for (let bits = optional; bits !== 0; bits &= bits - 1) fields++
  const hasOptional =
    kind === commandKinds.new ||
    kind === commandKinds.cancel ||
    kind === commandKinds.replace ||
    kind === commandKinds.reduce
  return !hasOptional || minimumWords[kind]! + fields * 2 <= length
}

/** A group of the pool as people and programs read it: symbols, and decimals on the instrument's grids. */
export interface DescribedGroup {
  readonly symbol: string | undefined
  readonly instrumentId: number | undefined
  readonly tag: string
  readonly command: Record<string, unknown>
  readonly events: Record<string, unknown>[]
}

/** The instruments of a log as far as it has been read; `learn` takes its groups in order. */
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

  /** Learns the instrument that a group creates, if it creates one. */
  learn({ words, from, commandType }: PoolGroup): void {
    if (commandType !== 'instrument') return
    const command = decodeOrNothing(words, from)
    const created = words[from + (words[from]! >>> 18)]! & 0xff
    if (command?.type === 'instrument' && created === eventKinds['instrument-created']) this.add(command)
  }

  symbolOf({ words, from }: PoolGroup): string | undefined {
    return this.#registry.byId(words[from + 1]! >>> 0)?.definition.symbol
  }

  describe(group: PoolGroup, lsn: number): DescribedGroup {
    const { words, from } = group
    const instrumentId = words[from + 1]! >>> 0
    const instrument = this.#registry.byId(instrumentId)
    const command = decodeOrNothing(words, from)
    const events = poolEvents({ ...group, lsn }, this.#registry).map((event) => {
      const { lsn: _, index: __, symbol: ___, tag: ____, ...rest } = event
      return rest as Record<string, unknown>
    })
    return {
      symbol: instrument?.definition.symbol,
      instrumentId: instrumentId === 0xffff_ffff ? undefined : instrumentId,
      tag: tagOf(words, from),
      command: command ? describeCommand(command, instrument) : { type: group.commandType },
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

const priceFields = ['price', 'stopPrice'] as const
const quantityFields = ['quantity', 'displayQuantity'] as const

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
  for (const field of priceFields) {
    const ticks = described[field]
    if (ticks === 0) delete described[field]
    else if (typeof ticks === 'number') described[field] = fromSteps(ticks, grids?.price ?? one)
  }
  for (const field of quantityFields) {
    const lots = described[field]
    if (typeof lots === 'number') described[field] = fromSteps(lots, grids?.quantity ?? one)
  }
  if (described['postOnly'] === false) delete described['postOnly']
  return described
}

function tagOf(words: Int32Array, from: number): string {
  return String((BigInt(words[from + 3]! >>> 0) << 32n) | BigInt(words[from + 2]! >>> 0))
}
