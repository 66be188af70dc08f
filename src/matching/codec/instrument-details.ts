import { CommandError } from './command-errors.js'
import { readU64 } from './command-layout.js'
import { limits } from './limits.js'
import { type Phase, phaseCodes, phaseNames } from './names.js'
import { checkPositive, writeU64 } from './record-words.js'

/** What an instrument says of itself beside its grids. All of it can change. Fields that were not stated are absent. */
export interface InstrumentDetails {
  /** What is traded. */
  readonly baseAsset?: string
  /** What it is paid with. */
  readonly quoteAsset?: string
  /** Ticks. */
  readonly minPrice?: number
  /** The highest price of an order, in ticks. */
  readonly maxPrice?: number
  /** Lots. */
  readonly minQuantity?: number
  /** The most quantity of an order, in lots. */
  readonly maxQuantity?: number
  /** Ticks times lots. */
  readonly minNotional?: number
  /** Ticks: what the static band is around, and how far it reaches to both sides; the narrower one counts. */
  readonly referencePrice?: number
  /** How far the static band reaches to both sides, in ticks. */
  readonly staticBand?: number
  /** The same in parts of 10,000 of the reference price. */
  readonly staticBandBasisPoints?: number
  /** The same around the last trade. */
  readonly dynamicBand?: number
  /** The same in parts of 10,000 of the last price. */
  readonly dynamicBandBasisPoints?: number
  /** A code of `bandActionCodes`. */
  readonly bandAction?: number
  /** The most live orders of one account. */
  readonly maxAccountOrders?: number
  /** As `TickTable` takes it. */
  readonly tickTable?: string
  /** An object as JSON text. */
  readonly info?: string
}

/** The name of a detail of an instrument. */
export type DetailName = keyof InstrumentDetails

/** A change of an instrument: what is stated from now on, and what is not stated any more. The rest stays. */
export interface InstrumentChange {
  /** Of an instrument that is created: the phase that it begins in. */
  readonly phase?: Phase
  /** The details that have another value now. */
  readonly set: InstrumentDetails
  /** The details that it has no more. */
  readonly removed: readonly DetailName[]
}

const numberNames = [
  'minPrice',
  'maxPrice',
  'minQuantity',
  'maxQuantity',
  'minNotional',
  'referencePrice',
  'staticBand',
  'staticBandBasisPoints',
  'dynamicBand',
  'dynamicBandBasisPoints',
  'bandAction',
  'maxAccountOrders',
] as const
const textNames = ['baseAsset', 'quoteAsset', 'info', 'tickTable'] as const
const textBytesMax = {
  baseAsset: limits.maxAssetBytes,
  quoteAsset: limits.maxAssetBytes,
  info: limits.maxInfoBytes,
  // Of each range two numbers of 16 digits, and a colon and a comma.
  tickTable: limits.maxTickRanges * 34,
} as const

/** The order of the bits, and of the numbers. */
export const detailNames: readonly DetailName[] = [...numberNames, ...textNames]
const PHASE = 1 << detailNames.length

/** Words of a block of details before its numbers and texts. */
export const DETAILS_WORDS = 4
/** No block of details is longer. */
export const detailsWordsMax =
  DETAILS_WORDS +
  numberNames.length * 2 +
  Math.ceil((2 * limits.maxAssetBytes + limits.maxInfoBytes + textBytesMax.tickTable) / 8) * 2

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })

/**
 * Encodes details at a word offset and returns the words used.
 *
 * @throws CommandError, before anything is written, for a number or a text that is out of range.
 */
export function encodeDetails(words: Int32Array, at: number, change: InstrumentChange): number {
  const { set, removed, phase } = change
  const texts = textNames.map((name) => (set[name] === undefined ? undefined : encoder.encode(set[name])))
  let mask = phase === undefined ? 0 : PHASE
  for (const [bit, name] of detailNames.entries()) if (set[name] !== undefined) mask |= 1 << bit
  for (const name of numberNames) if (set[name] !== undefined) checkPositive(name, set[name])
  for (const [i, name] of textNames.entries()) checkText(name, set[name], texts[i])
  let removedMask = 0
  for (const name of removed) removedMask |= 1 << detailNames.indexOf(name)
  const [base = 0, quote = 0, info = 0, table = 0] = texts.map((text) => text?.length ?? 0)
  const textBytes = base + quote + info + table
  const numbers = numberNames.filter((name) => set[name] !== undefined)
  const textAt = at + DETAILS_WORDS + numbers.length * 2
  const end = textAt + Math.ceil(textBytes / 8) * 2
  words.fill(0, at, end)
  words[at] = mask
  words[at + 1] = (phase === undefined ? 0 : phaseCodes[phase]) | (base << 8) | (quote << 16)
  words[at + 2] = info | (table << 16)
  words[at + 3] = removedMask
  let to = at + DETAILS_WORDS
  for (const name of numbers) to = writeU64(words, to, set[name]!)
  const bytes = new Uint8Array(words.buffer, words.byteOffset + textAt * 4, textBytes)
  let byte = 0
  for (const text of texts) {
    if (text === undefined) continue
    bytes.set(text, byte)
    byte += text.length
  }
  return end - at
}

/** Reads the details at a word offset. */
export function decodeDetails(words: Int32Array, at: number): InstrumentChange {
  const mask = words[at]!
  const removedMask = words[at + 3]!
  const set: Record<string, string | number> = {}
  let from = at + DETAILS_WORDS
  for (const [bit, name] of numberNames.entries()) {
    if ((mask & (1 << bit)) === 0) continue
    set[name] = readU64(words, from)
    from += 2
  }
  const lengths = textLengths(words, at)
  const total = lengths.reduce((sum, length) => sum + length, 0)
  // A copy, because a TextDecoder does not read shared memory.
  const bytes = new Uint8Array(total)
  bytes.set(new Uint8Array(words.buffer, words.byteOffset + from * 4, total))
  let byte = 0
  for (const [i, name] of textNames.entries()) {
    const end = byte + lengths[i]!
    if ((mask & (1 << (numberNames.length + i))) !== 0) set[name] = decoder.decode(bytes.subarray(byte, end))
    byte = end
  }
  const removed = detailNames.filter((_, bit) => (removedMask & (1 << bit)) !== 0)
  const phase = phaseNames[words[at + 1]! & 0xff]!
  return { set, removed, ...((mask & PHASE) !== 0 && { phase }) }
}

/** Bytes of the texts of the block of details at a word offset, in their order. */
function textLengths(words: Int32Array, at: number): number[] {
  const [assets, others] = [words[at + 1]!, words[at + 2]!]
  return [(assets >>> 8) & 0xff, (assets >>> 16) & 0xff, others & 0xffff, others >>> 16]
}

/** Words of the block of details at a word offset, by what its head says. */
export function detailsWords(words: Int32Array, at: number): number {
  let numbers = 0
  for (let bit = 0; bit < numberNames.length; bit++) numbers += (words[at]! >>> bit) & 1
  const textBytes = textLengths(words, at).reduce((sum, length) => sum + length, 0)
  return DETAILS_WORDS + numbers * 2 + Math.ceil(textBytes / 8) * 2
}

/** The details after a change; `undefined` when it leaves none. */
export function changedDetails(
  details: InstrumentDetails | undefined,
  { set, removed }: InstrumentChange,
): InstrumentDetails | undefined {
  const changed: Record<string, unknown> = {}
  // In their order, so that the same details are the same object however they came about.
  for (const name of detailNames) {
    const value = set[name] ?? (removed.includes(name) ? undefined : details?.[name])
    if (value !== undefined) changed[name] = value
  }
  return Object.keys(changed).length === 0 ? undefined : changed
}

/** The limit that contradicts another one, with that one; `undefined` when none does. */
export function crossedLimits(details: InstrumentDetails | undefined): [DetailName, DetailName] | undefined {
  const { minPrice = 0, maxPrice = minPrice, minQuantity = 0, maxQuantity = minQuantity } = details ?? {}
  if (minPrice > maxPrice) return ['minPrice', 'maxPrice']
  return minQuantity > maxQuantity ? ['minQuantity', 'maxQuantity'] : undefined
}

function checkText(name: (typeof textNames)[number], value: unknown, text: Uint8Array | undefined): void {
  if (text === undefined) return
  const most = textBytesMax[name]
  if (text.length >= 1 && text.length <= most) return
  throw new CommandError(
    'TIDEMARK_FIELD_RANGE',
    name,
    value,
    `${name} must have 1 to ${most} bytes of UTF-8.`,
  )
}
