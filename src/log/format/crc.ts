import { crc32 as zlibCrc32 } from 'node:zlib'
import crc32 from 'crc-32'

/**
 * CRC-32 (IEEE 802.3, as zlib's) over the words of a log's batches, eight bytes a step ("slicing by 8"; M. Kounavis and
 * F. Berry, "A Systematic Approach to Building High Performance Software-based CRC Generators", 2005). The table is
 * made by `crc-32`, whose own functions go byte by byte through what is left of sixteen and need a view on every
 * payload: 51 ns for 56 bytes, against 36 for the loop below. Little-endian machines only, like the log.
 */

/** A byte's entry is what the library makes of that byte alone when it continues from a state of zero. */
const table0 = Int32Array.from({ length: 256 }, (_, byte) => ~crc32.buf([byte], -1))
const table1 = advance(table0)
const table2 = advance(table1)
const table3 = advance(table2)
const table4 = advance(table3)
const table5 = advance(table4)
const table6 = advance(table5)
const table7 = advance(table6)

/** Runs of so many bytes or more go to zlib: its call alone costs 140 ns, and then it is six times faster. */
const zlibBytesMin = 512

/** What each entry of a table becomes when one more zero byte follows. */
function advance(table: Int32Array): Int32Array {
  return table.map((crc) => table0[crc & 0xff]! ^ (crc >>> 8))
}

/** CRC-32 of the words from `from` to `to` (excluded), continuing from `crc`; signed. */
export function crcOfWords(words: Int32Array, from: number, to: number, crc: number): number {
  let state = ~crc
  let i = from
  for (; i + 1 < to; i += 2) {
    const low = words[i]! ^ state
    const high = words[i + 1]!
    state =
      table7[low & 0xff]! ^
      table6[(low >>> 8) & 0xff]! ^
      table5[(low >>> 16) & 0xff]! ^
      table4[low >>> 24]! ^
      table3[high & 0xff]! ^
      table2[(high >>> 8) & 0xff]! ^
      table1[(high >>> 16) & 0xff]! ^
      table0[high >>> 24]!
  }
  if (i < to) {
    const low = words[i]! ^ state
    state =
      table3[low & 0xff]! ^ table2[(low >>> 8) & 0xff]! ^ table1[(low >>> 16) & 0xff]! ^ table0[low >>> 24]!
  }
  return ~state
}

/**
 * CRC-32 of `length` bytes that begin at a multiple of four, continuing from `crc`; signed. `bytes` and `words` are views
 * of the same memory, both from its beginning.
 */
export function crcOfBytes(
  bytes: Uint8Array,
  words: Int32Array,
  from: number,
  length: number,
  crc: number,
): number {
  if (length >= zlibBytesMin) return zlibCrc32(bytes.subarray(from, from + length), crc >>> 0) | 0
  const wholeWords = (from + length) >> 2
  const state = crcOfWords(words, from >> 2, wholeWords, crc)
  return (length & 3) === 0 ? state : crcOfTail(bytes, wholeWords << 2, from + length, state)
}

function crcOfTail(bytes: Uint8Array, from: number, to: number, crc: number): number {
  let state = ~crc
  for (let i = from; i < to; i++) state = table0[(state ^ bytes[i]!) & 0xff]! ^ (state >>> 8)
  return ~state
}
