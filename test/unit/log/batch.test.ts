import crc32 from 'crc-32'
import { describe, expect, it } from 'vitest'
import {
  BatchDecoder,
  batchHeaderBytes,
  recordBytes,
  recordEndsAt,
  recordHeaderBytes,
  resealBatch,
  writeBatchHeader,
  writeRecordHeader,
} from '#tidemark/log/format/batch.js'

const seed = 0x1234567
const payloads = ['price-time priority', '', 'in one batch'].map((text) => Buffer.from(text))
const lsn = 0x12_3456_7890

interface Parts {
  readonly lsn?: number
  readonly records?: number
  /** Changes the bytes before the CRC is made: what only a writer's error can do. */
  readonly change?: (bytes: Buffer) => void
}

/** A batch of three records. */
function batch(parts: Parts = {}): Buffer {
  const at = parts.lsn ?? lsn
  const length = batchHeaderBytes + payloads.reduce((sum, { byteLength }) => sum + recordBytes(byteLength), 0)
  const words = new Int32Array(length / 4)
  const bytes = Buffer.from(words.buffer)
  let word = batchHeaderBytes / 4
  for (const [i, payload] of payloads.entries()) {
    writeRecordHeader(words, word, recordHeaderBytes + payload.byteLength, 7 + i, 0x10 * i)
    payload.copy(bytes, word * 4 + recordHeaderBytes)
    word += recordBytes(payload.byteLength) / 4
  }
  parts.change?.(bytes)
  const records = parts.records ?? payloads.length
  const crc = crc32.buf(bytes.subarray(batchHeaderBytes), seed)
  writeBatchHeader(words, 0, length, records, 3, at, at - 4096, 1_700_000_000_000_000, crc)
  return bytes
}

const decoder = new BatchDecoder(4096)
const found = (bytes: Buffer, at = lsn, crcSeed = seed) =>
  decoder.decode(bytes, 0, bytes.byteLength, at, crcSeed)

describe('a batch', () => {
  it('is read back with every field', () => {
    const bytes = batch()
    expect(found(bytes)).toBe('none')
    expect(decoder.view).toEqual({
      length: bytes.byteLength,
      records: 3,
      producer: 3,
      lsn,
      synced: lsn - 4096,
      timestampUs: 1_700_000_000_000_000,
      continues: false,
      beganBefore: false,
    })
  })

  it('is refused when any single bit of it is flipped, padding too', () => {
    const valid = batch()
    for (let bit = 0; bit < valid.byteLength * 8; bit++) {
      const bytes = Buffer.from(valid)
      bytes[bit >> 3]! ^= 1 << (bit & 7)
      expect(found(bytes), `bit ${bit}`).not.toBe('none')
    }
  })

  it('is refused at another place and under another epoch, until it is sealed for that', () => {
    const bytes = batch()
    expect(found(bytes, lsn + 8)).toBe('bad-lsn')
    expect(found(bytes, lsn, seed + 1)).toBe('bad-crc')
    resealBatch(bytes, 0, bytes.byteLength, seed + 1)
    expect(found(bytes, lsn, seed + 1)).toBe('none')
  })

  it('is not looked for beyond the bytes that are there, whatever its length says', () => {
    const bytes = batch()
    expect(decoder.decode(bytes, 0, 31, lsn, seed)).toBe('truncated')
    expect(decoder.decode(bytes, 0, 40, lsn, seed)).toBe('truncated')
    for (const length of [0, 1, 31, 36, 4104, 0x7ffffff8, 0xfffffff8]) {
      bytes.writeUInt32LE(length, 0)
      expect(found(bytes)).toBe('bad-length')
    }
  })

  it('is refused when its records do not fill it, whatever its CRC says', () => {
    const first = batchHeaderBytes
    const last = first + recordBytes(payloads[0]!.byteLength) + recordBytes(0)
    const wrong: Record<string, Parts> = {
      'one record fewer than counted': { records: 4 },
      'one record more than counted': { records: 2 },
      'bytes after a sync marker': { records: 0 },
      'a record beyond the batch': { change: (bytes) => bytes.writeUInt32LE(4096, last) },
      'a record of all numbers': { change: (bytes) => bytes.writeUInt32LE(0xffff_fff8, last) },
      'a record shorter than its header': { change: (bytes) => bytes.writeUInt32LE(7, first) },
      'a record of no length': { change: (bytes) => bytes.writeUInt32LE(0, first) },
      'a record that ends early': { change: (bytes) => bytes.writeUInt32LE(8, last) },
      'type 0': { change: (bytes) => bytes.writeUInt8(0, first + 4) },
      'type 240': { change: (bytes) => bytes.writeUInt8(240, first + 4) },
      'a flag that no one has defined': { change: (bytes) => bytes.writeUInt8(4, first + 5) },
      'a piece that is not alone': { change: (bytes) => bytes.writeUInt8(1, first + 5) },
      'a rest that is not alone': { change: (bytes) => bytes.writeUInt8(2, last + 5) },
      'the unused bytes of a record': { change: (bytes) => bytes.writeUInt16LE(1, first + 6) },
    }
    for (const [name, parts] of Object.entries(wrong))
      expect([name, found(batch(parts))]).toEqual([name, 'bad-records'])
  })

  it('is refused when a record is so long that its end comes before it, and leads to the end by another way', () => {
    const words = new Int32Array(16)
    writeRecordHeader(words, 8, 24, 1, 0)
    // Within the payload of the first record: from here the end of the batch is reached.
    writeRecordHeader(words, 10, 24, 1, 0)
    // 2^32 - 16: with its padding, in 32 bits, 16 bytes back.
    writeRecordHeader(words, 14, 0xffff_fff0, 1, 0)
    const bytes = Buffer.from(words.buffer)
    const crc = crc32.buf(bytes.subarray(batchHeaderBytes), seed)
    writeBatchHeader(words, 0, 64, 3, 1, lsn, lsn, 0, crc)
    expect(found(bytes)).toBe('bad-records')
  })

  it('says where its records end, and nowhere else', () => {
    const bytes = batch()
    const ends: number[] = []
    for (let at = lsn; at <= lsn + bytes.byteLength; at += 8)
      if (recordEndsAt(bytes, 0, lsn, at)) ends.push(at)
    let end = lsn + batchHeaderBytes
    const expected = payloads.map(({ byteLength }) => {
      end += recordBytes(byteLength)
      return end
    })
    expect(ends).toEqual(expected)
  })

  it('carries a distance to the synced LSN that saturates instead of wrapping', () => {
    const words = new Int32Array(8)
    writeBatchHeader(words, 0, 32, 0, 0, 2 ** 40, 0, 0, 0)
    const bytes = Buffer.from(words.buffer.slice(0))
    expect(decoder.bound(bytes, 0, 32, 2 ** 40)).toBe('none')
    expect(decoder.view.synced).toBe(2 ** 40 - 0xffffffff * 8)
    expect(decoder.view.synced).toBeGreaterThan(0)
  })
})
