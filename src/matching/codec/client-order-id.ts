import { shown } from '../../base/shown.js'
import { CommandError } from './command-errors.js'
import { limits } from './limits.js'

const MOST = limits.maxClientOrderIdChars
const FIRST_PRINTABLE = 0x20
const LAST_PRINTABLE = 0x7e

/**
 * Client order ids in records: a byte that says how many characters there are, the characters, and zeros up to a multiple of
 * 8 bytes.
 */

/** @throws CommandError when it is no text of 1 to 36 printable ASCII characters. */
export function checkClientOrderId(value: unknown, field = 'clientOrderId'): string {
  if (typeof value !== 'string') {
    throw new CommandError('TIDEMARK_FIELD_TYPE', field, value, `${field} must be a string.`)
  }
  if (value.length < 1 || value.length > MOST) {
    throw new CommandError(
      'TIDEMARK_FIELD_RANGE',
      field,
      value,
      `${field} must have 1 to ${MOST} characters.`,
    )
  }
  for (let i = 0; i < value.length; i++) {
    const char = value.charCodeAt(i)
    if (char >= FIRST_PRINTABLE && char <= LAST_PRINTABLE) continue
    throw new CommandError(
      'TIDEMARK_FIELD_VALUE',
      field,
      value,
      `${field} ${shown(value)} has a character that is not printable ASCII.`,
    )
  }
  return value
}

/** Words that a client order id of so many characters takes. */
export function clientOrderIdWords(chars: number): number {
  return ((chars + 8) >> 3) << 1
}

/** No client order id takes more. */
export const clientOrderIdWordsMax = clientOrderIdWords(MOST)

/** Writes one that was checked; returns where the next field stands. */
export function writeClientOrderId(words: Int32Array, at: number, id: string): number {
  const end = at + clientOrderIdWords(id.length)
  let word = id.length
  let next = at
  for (let i = 0; i < id.length; i++) {
    const byte = (i + 1) & 3
    if (byte === 0) {
      words[next++] = word
      word = 0
    }
    word |= id.charCodeAt(i) << (byte * 8)
  }
  words[next++] = word
  if (next < end) words[next] = 0
  return end
}

/** Words of the client order id at a word offset. */
export function clientOrderIdWordsAt(words: Int32Array, at: number): number {
  return clientOrderIdWords(words[at]! & 0xff)
}

export function readClientOrderId(words: Int32Array, at: number): string {
  const length = Math.min(words[at]! & 0xff, MOST)
  let id = ''
  for (let i = 1; i <= length; i++) {
    id += String.fromCharCode((words[at + (i >> 2)]! >>> ((i & 3) * 8)) & 0xff)
  }
  return id
}
