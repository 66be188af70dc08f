import type { ByteSink } from './byte-sink.js'
import type { ByteSource } from './byte-source.js'

// How Parquet packs numbers: https://github.com/apache/parquet-format/blob/master/Encodings.md

/** How many bits hold a number up to `max`. */
export function bitWidth(max: number): number {
  const high = Math.floor(max / 0x1_0000_0000)
  return high > 0 ? 64 - Math.clz32(high) : 32 - Math.clz32(max)
}

/** Equal numbers beside each other are a run when there are so many of them; others are packed by eights. */
const runMin = 8

/** RLE and bit packing: small numbers of `width` bits, at most 24, runs of equal ones as one. */
export function writeHybrid(sink: ByteSink, values: ArrayLike<number>, count: number, width: number): void {
  let packedFrom = 0
  let at = 0
  const flush = () => {
    if (at === packedFrom) return
    const eights = Math.ceil((Math.min(at, count) - packedFrom) / 8)
    sink.varint(eights * 2 + 1)
    const real = Math.min(eights * 8, count - packedFrom)
    const start = sink.at
    sink.packed(values, packedFrom, real, width)
    for (const end = start + eights * width; sink.at < end; ) sink.byte(0)
  }
  while (at < count) {
    const value = values[at]!
    let run = 1
    while (at + run < count && values[at + run] === value) run++
    if (run < runMin) {
      at += 8
      continue
    }
    flush()
    sink.varint(run * 2)
    for (let bits = 0; bits < width; bits += 8) sink.byte((value >>> bits) & 0xff)
    at += run
    packedFrom = at
  }
  flush()
}

/** Reads `count` numbers of `writeHybrid`. */
export function readHybrid(
  source: ByteSource,
  into: { [index: number]: number },
  count: number,
  width: number,
): void {
  for (let at = 0; at < count; ) {
    const head = source.varint()
    if (head % 2 === 0) {
      const run = head / 2
      let value = 0
      for (let bits = 0; bits < width; bits += 8) value |= source.byte() << bits
      if (run === 0 || at + run > count) throw new RangeError('a run is longer than its page')
      for (const end = at + run; at < end; at++) into[at] = value
    } else {
      const packed = ((head - 1) / 2) * 8
      const bytes = (packed / 8) * width
      const real = Math.min(packed, count - at)
      const end = source.at + bytes
      source.packed(into, at, real, width)
      source.take(end - source.at)
      at += real
    }
  }
}

const blockValues = 128
const miniblockValues = 32
const miniblocks = blockValues / miniblockValues
/** Numbers up to here keep all sums and differences of two of them exact. */
export const deltaMax = 2 ** 52

const deltas = new Float64Array(blockValues)
const widths = new Uint8Array(miniblocks)

/** DELTA_BINARY_PACKED, for numbers from 0 to `deltaMax`: the differences, packed in blocks. */
export function writeDeltas(sink: ByteSink, values: Float64Array, count: number): void {
  sink.varint(blockValues)
  sink.varint(miniblocks)
  sink.varint(count)
  sink.zigzag(count === 0 ? 0 : values[0]!)
  for (let from = 1; from < count; from += blockValues) {
    const length = Math.min(blockValues, count - from)
    let least = values[from]! - values[from - 1]!
    for (let i = 0; i < length; i++) {
      const delta = values[from + i]! - values[from + i - 1]!
      deltas[i] = delta
      if (delta < least) least = delta
    }
    for (let i = 0; i < length; i++) deltas[i]! -= least
    deltas.fill(0, length)
    sink.zigzag(least)
    for (let block = 0; block < miniblocks; block++) {
      let most = 0
      for (let i = block * miniblockValues; i < (block + 1) * miniblockValues; i++)
        if (deltas[i]! > most) most = deltas[i]!
      widths[block] = block * miniblockValues < length ? bitWidth(most) : 0
      sink.byte(widths[block]!)
    }
    for (let block = 0; block * miniblockValues < length; block++)
      sink.packed(deltas, block * miniblockValues, miniblockValues, widths[block]!)
  }
}

/** Reads `count` numbers of `writeDeltas`. */
export function readDeltas(source: ByteSource, into: Float64Array, count: number): void {
  if (source.varint() !== blockValues || source.varint() !== miniblocks)
    throw new RangeError('its blocks have another size')
  if (source.varint() !== count) throw new RangeError('it has another number of values')
  let value = source.zigzag()
  if (count > 0) into[0] = value
  for (let from = 1; from < count; from += blockValues) {
    const length = Math.min(blockValues, count - from)
    const least = source.zigzag()
    for (let block = 0; block < miniblocks; block++) widths[block] = source.byte()
    for (let block = 0; block * miniblockValues < length; block++)
      source.packed(deltas, block * miniblockValues, miniblockValues, widths[block]!)
    for (let i = 0; i < length; i++) {
      value += least + deltas[i]!
      into[from + i] = value
    }
  }
}
