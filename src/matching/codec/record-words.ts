import { outOfRange } from './command-errors.js'
import { HAS_TAG, LENGTH_SHIFT } from './command-layout.js'
import { limits } from './limits.js'

const MAX = Number.MAX_SAFE_INTEGER
const MAX_ACCOUNT = limits.maxAccount
const MAX_INSTRUMENT = limits.maxInstrumentId

/** Writes the header of a command, and returns the record's length in words. */
export function writeHeader(
  words: Int32Array,
  at: number,
  kind: number,
  flags: number,
  length: number,
  instrumentId: number,
): number {
  words[at] = kind | (flags << 8) | (length << LENGTH_SHIFT)
  words[at + 1] = instrumentId
  return length
}

/** Writes a tag unless it is 0, and returns where the next field stands. */
export function writeTag(words: Int32Array, at: number, tagLow: number, tagHigh: number): number {
  if ((tagLow | tagHigh) === 0) return at
  words[at] = tagLow
  words[at + 1] = tagHigh
  return at + 2
}

/** The flag of a command with this tag. */
export function tagFlag(tagLow: number, tagHigh: number): number {
  return (tagLow | tagHigh) === 0 ? 0 : HAS_TAG
}

export function writeU64(words: Int32Array, at: number, value: number): number {
  words[at] = value | 0
  words[at + 1] = (value / 4294967296) | 0
  return at + 2
}

export function checkPositive(field: string, value: number): void {
  if (!(value >= 1 && value <= MAX && Math.floor(value) === value)) throw outOfRange(field, value, 1, MAX)
}

export function checkInstrumentId(instrumentId: number): void {
  if (!(instrumentId >= 0 && instrumentId <= MAX_INSTRUMENT && Math.floor(instrumentId) === instrumentId)) {
    throw outOfRange('instrumentId', instrumentId, 0, MAX_INSTRUMENT)
  }
}

export function checkAccount(account: number): void {
  if (!(account >= 0 && account <= MAX_ACCOUNT && Math.floor(account) === account)) {
    throw outOfRange('account', account, 0, MAX_ACCOUNT)
  }
}
