import { crc32 } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { FrameDecoder, type FrameView, frameHeaderBytes } from '#tidemark/log/format/frame.js'
import { faultCases, faultCount } from '../support/fault-tier.js'
import { Random } from '../support/random.js'

const framesPerSeed = 250
const memoryBytes = 32 * 1024
const faults = new Set(['none', 'truncated', 'bad-length', 'bad-lsn', 'bad-type', 'bad-crc'])

/** Whether a frame is valid, from docs/wal-format.md alone. */
function isValid(
  memory: Buffer,
  offset: number,
  end: number,
  lsn: number,
  seed: number,
  bytesMax: number,
): boolean {
  if (offset + frameHeaderBytes > end) return false
  const length = memory.readUInt32LE(offset)
  if (length < frameHeaderBytes || length > bytesMax || offset + length > end) return false
  if (memory.readBigUInt64LE(offset + 16) !== BigInt(lsn) || memory[offset + 8] === 0) return false
  const frame = Buffer.from(memory.subarray(offset, offset + length))
  const crc = frame.readUInt32LE(4)
  frame.writeUInt32LE(0, 4)
  const ofPayload = crc32(frame.subarray(frameHeaderBytes), seed)
  return crc32(frame.subarray(0, frameHeaderBytes), ofPayload) === crc
}

/** Writes a valid frame. */
function putFrame(
  memory: Buffer,
  offset: number,
  length: number,
  lsn: number,
  seed: number,
  random: Random,
): void {
  const frame = memory.subarray(offset, offset + length)
  frame.writeUInt32LE(length, 0)
  frame.writeUInt32LE(0, 4)
  frame[8] = 1 + random.int(255)
  frame[9] = random.int(256)
  frame.writeUInt16LE(random.int(0x10000), 10)
  frame.writeUInt32LE(random.int(2 ** 32), 12)
  frame.writeBigUInt64LE(BigInt(lsn), 16)
  frame.writeBigUInt64LE(BigInt(random.int(2 ** 52)), 24)
  const ofPayload = crc32(frame.subarray(frameHeaderBytes), seed)
  frame.writeUInt32LE(crc32(frame.subarray(0, frameHeaderBytes), ofPayload), 4)
}

function expectFields(view: FrameView, memory: Buffer, offset: number, where: () => string): void {
  const lsn = Number(memory.readBigUInt64LE(offset + 16))
  const expected: FrameView = {
    length: memory.readUInt32LE(offset),
    type: memory[offset + 8]!,
    flags: memory[offset + 9]!,
    producer: memory.readUInt16LE(offset + 10),
    lsn,
    synced: lsn - memory.readUInt32LE(offset + 12) * 8,
    timestampUs: Number(memory.readBigUInt64LE(offset + 24)),
  }
  for (const field of Object.keys(expected) as (keyof FrameView)[]) {
    if (view[field] !== expected[field])
      throw new Error(`${where()}: ${field} is ${view[field]}, not ${expected[field]}`)
  }
}

describe('the decoder of frames', () => {
  const count = faultCount('decoder-fuzz', { short: 20_000, full: 10_000_000 })

  it(`takes a frame for valid if, and only if, its description says so (${count} frames)`, () => {
    // One decoder for all, as a reader has it, and memory of which a frame may stand at any multiple of four.
    const slab = Buffer.from(new Random(1).bytes(memoryBytes))
    const decoders = [64, 4096, 0xffff_ffff].map(
      (bytesMax) => [bytesMax, new FrameDecoder(bytesMax)] as const,
    )
    const tally = new Map<string, number>()
    let frames = 0
    for (const seed of faultCases(Math.ceil(count / framesPerSeed), framesPerSeed)) {
      const random = new Random(seed)
      for (let i = 0; i < framesPerSeed; i++) {
        const where = () => `seed ${seed}, frame ${i}`
        const [bytesMax, decoder] = decoders[random.int(3)]!
        const memory = slab.subarray(4 * random.int(64))
        const lsn = 8 * random.int(random.int(2) === 0 ? 1000 : 2 ** 49)
        const crcSeed = random.int(2 ** 32)
        const length = frameHeaderBytes + random.int(random.int(4) === 0 ? 6000 : 100)
        const offset = 8 * random.int((memory.byteLength - length) / 8)
        const kind = random.int(8)
        if (kind > 0) putFrame(memory, offset, length, lsn, crcSeed, random)
        const flips = kind < 4 ? 0 : kind - 3
        for (let flip = 0; flip < flips; flip++) {
          const bits = 8 * (random.int(2) === 0 ? frameHeaderBytes : length)
          const bit = random.int(bits)
          memory[offset + (bit >> 3)]! ^= 1 << (bit & 7)
        }
        const end = kind === 1 ? offset + random.int(length + 2) : memory.byteLength
        const fault = decoder.decode(memory, offset, end, lsn, crcSeed)
        const valid = isValid(memory, offset, end, lsn, crcSeed, bytesMax)
        if (!faults.has(fault) || valid !== (fault === 'none')) {
          throw new Error(`${where()}: the decoder says ${fault}; it is ${valid ? '' : 'not '}valid`)
        }
        if (valid) expectFields(decoder.view, memory, offset, where)
        tally.set(fault, (tally.get(fault) ?? 0) + 1)
        frames++
      }
    }
    if (frames >= 20_000) expect([...tally.keys()].sort()).toEqual([...faults].sort())
  })
})
