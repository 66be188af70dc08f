import { outOfRange } from './command-errors.js'
import { limits } from './limits.js'

const MAX = Number.MAX_SAFE_INTEGER
const MAX_ACCOUNT = limits.maxAccount
const MAX_INSTRUMENT = limits.maxInstrumentId

/** Writes the 16 bytes that every command starts with; returns the record's length in words. */
export function writeHeader(
  words: Int32Array,
  at: number,
  kind: number,
  flags: number,
  length: number,
  instrumentId: number,
  tagLow: number,
  tagHigh: number,
): number {
  words[at] = kind | (flags << 8) | (length << 18)
  words[at + 1] = instrumentId
  words[at + 2] = tagLow
  words[at + 3] = tagHigh
  return length
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
