import { crc32 } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { BatchDecoder, type BatchView, batchHeaderBytes } from '#tidemark/log/format/batch.js'
import { faultCases, faultCount } from '../support/fault-tier.js'
import { Random } from '../support/random.js'

const batchesPerSeed = 250
const memoryBytes = 32 * 1024
const findings = new Set(['none', 'truncated', 'bad-length', 'bad-lsn', 'bad-records', 'bad-crc'])

/** Whether a batch is valid, from docs/wal-format.md alone. */
function isValid(
  memory: Buffer,
  offset: number,
  end: number,
  lsn: number,
  seed: number,
  bytesMax: number,
): boolean {
  if (offset + 32 > end) return false
  const length = memory.readUInt32LE(offset)
  if (length < 32 || length % 8 !== 0 || length > bytesMax || offset + length > end) return false
  if (memory.readBigUInt64LE(offset + 16) !== BigInt(lsn)) return false
  const batch = Buffer.from(memory.subarray(offset, offset + length))
  const crc = batch.readUInt32LE(4)
  batch.writeUInt32LE(0, 4)
  if (crc32(batch.subarray(0, 32), crc32(batch.subarray(32), seed)) !== crc) return false
  const records = batch.readUInt16LE(8)
  let at = 32
  for (let i = 0; i < records; i++) {
    if (at + 8 > length) return false
    const bytes = batch.readUInt32LE(at)
    const [type, flags] = [batch[at + 4]!, batch[at + 5]!]
    if (bytes < 8 || at + bytes > length || type < 1 || type > 239) return false
    if ((flags & 0x0c) !== 0 || batch.readUInt16LE(at + 6) !== 0) return false
    if ((flags & 3) !== 0 && records !== 1) return false
    at += Math.ceil(bytes / 8) * 8
  }
  return at === length
}

/** Writes a valid batch of at most `length` bytes; returns its length. */
function putBatch(
  memory: Buffer,
  offset: number,
  length: number,
  lsn: number,
  seed: number,
  random: Random,
): number {
  let records = 0
  let at = 32
  const wanted = random.int(4) === 0 ? 1 : 1 + random.int(8)
  while (records < wanted && at + 8 <= length) {
    const bytes = 8 + random.int(Math.min(length - at - 8, random.int(2) === 0 ? 40 : length) + 1)
    const padded = Math.ceil(bytes / 8) * 8
    if (at + padded > length) break
    const piece = wanted === 1 && random.int(2) === 0 ? random.int(4) : 0
    memory.writeUInt32LE(bytes, offset + at)
    memory[offset + at + 4] = 1 + random.int(239)
    memory[offset + at + 5] = (random.int(16) << 4) | piece
    memory.writeUInt16LE(0, offset + at + 6)
    at += padded
    records++
  }
  const batch = memory.subarray(offset, offset + at)
  batch.writeUInt32LE(at, 0)
  batch.writeUInt16LE(records, 8)
  batch.writeUInt16LE(random.int(0x10000), 10)
  batch.writeUInt32LE(random.int(2 ** 32), 12)
  batch.writeBigUInt64LE(BigInt(lsn), 16)
  batch.writeBigUInt64LE(BigInt(random.int(2 ** 52)), 24)
  seal(batch, seed)
  return at
}

function seal(batch: Buffer, seed: number): void {
  batch.writeUInt32LE(0, 4)
  batch.writeUInt32LE(crc32(batch.subarray(0, 32), crc32(batch.subarray(32), seed)), 4)
}

function expectFields(view: BatchView, memory: Buffer, offset: number, where: () => string): void {
  const lsn = Number(memory.readBigUInt64LE(offset + 16))
  const records = memory.readUInt16LE(offset + 8)
  const flags = records === 0 ? 0 : memory[offset + 32 + 5]!
  const expected: BatchView = {
    length: memory.readUInt32LE(offset),
    records,
    producer: memory.readUInt16LE(offset + 10),
    lsn,
    synced: lsn - memory.readUInt32LE(offset + 12) * 8,
    timestampUs: Number(memory.readBigUInt64LE(offset + 24)),
    continues: (flags & 1) !== 0,
    beganBefore: (flags & 2) !== 0,
  }
  for (const field of Object.keys(expected) as (keyof BatchView)[]) {
    if (view[field] !== expected[field])
      throw new Error(`${where()}: ${field} is ${view[field]}, not ${expected[field]}`)
  }
}

describe('the decoder of batches', () => {
  const count = faultCount('decoder-fuzz', { short: 20_000, full: 10_000_000 })

  it(`takes a batch for valid if, and only if, its description says so (${count} batches)`, () => {
    // One decoder for all, as a reader has it, and memory of which a batch may stand at any multiple of four.
    const slab = Buffer.from(new Random(1).bytes(memoryBytes))
    const decoders = [64, 4096, 0xffff_ffff].map(
      (bytesMax) => [bytesMax, new BatchDecoder(bytesMax)] as const,
    )
    const tally = new Map<string, number>()
    let batches = 0
    for (const seed of faultCases(Math.ceil(count / batchesPerSeed), batchesPerSeed)) {
      const random = new Random(seed)
      for (let i = 0; i < batchesPerSeed; i++) {
        const where = () => `seed ${seed}, batch ${i}`
        const [bytesMax, decoder] = decoders[random.int(3)]!
        const memory = slab.subarray(4 * random.int(64))
        const lsn = 8 * random.int(random.int(2) === 0 ? 1000 : 2 ** 49)
        const crcSeed = random.int(2 ** 32)
        const space = batchHeaderBytes + 8 * random.int(random.int(4) === 0 ? 750 : 14)
        const offset = 8 * random.int((memory.byteLength - space) / 8)
        const kind = random.int(10)
        const length = kind > 0 ? putBatch(memory, offset, space, lsn, crcSeed, random) : space
        const flips = kind < 4 ? 0 : kind < 8 ? kind - 3 : 1
        for (let flip = 0; flip < flips; flip++) {
          const bits = 8 * (random.int(2) === 0 ? Math.min(length, batchHeaderBytes + 16) : length)
          const bit = random.int(bits)
          memory[offset + (bit >> 3)]! ^= 1 << (bit & 7)
        }
        // What only a writer's error can do: the CRC fits what is wrong.
        if (kind >= 8) {
          memory.writeUInt32LE(length, offset)
          memory.writeBigUInt64LE(BigInt(lsn), offset + 16)
          seal(memory.subarray(offset, offset + length), crcSeed)
        }
        const end = kind === 1 ? offset + random.int(length + 2) : memory.byteLength
        const found = decoder.decode(memory, offset, end, lsn, crcSeed)
        const valid = isValid(memory, offset, end, lsn, crcSeed, bytesMax)
        if (!findings.has(found) || valid !== (found === 'none')) {
          throw new Error(`${where()}: the decoder says ${found}; it is ${valid ? '' : 'not '}valid`)
        }
        if (valid) expectFields(decoder.view, memory, offset, where)
        tally.set(found, (tally.get(found) ?? 0) + 1)
        batches++
      }
    }
    if (batches >= 20_000) expect([...tally.keys()].sort()).toEqual([...findings].sort())
  })
})
