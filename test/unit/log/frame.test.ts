import crc32 from 'crc-32'
import { describe, expect, it } from 'vitest'
import { FrameDecoder, frameHeaderBytes, writeFrameHeader } from '#tidemark/log/format/frame.js'

const seed = 0x1234567
const payload = Buffer.from('price-time priority')
const lsn = 0x12_3456_7890

function frame(at = lsn): Buffer {
  const length = frameHeaderBytes + payload.byteLength
  const words = new Int32Array(frameHeaderBytes / 4)
  writeFrameHeader(
    words,
    0,
    length,
    0x1007,
    3,
    at,
    at - 4096,
    1_700_000_000_000_000,
    crc32.buf(payload, seed),
  )
  return Buffer.concat([Buffer.from(words.buffer.slice(0)), payload, Buffer.alloc(5)])
}

describe('a frame', () => {
  it('is read back with every field', () => {
    const bytes = frame()
    const decoder = new FrameDecoder(4096)
    expect(decoder.decode(bytes, 0, bytes.byteLength, lsn, seed)).toBe('none')
    expect(decoder.view).toEqual({
      length: frameHeaderBytes + payload.byteLength,
      type: 7,
      flags: 0x10,
      producer: 3,
      lsn,
      synced: lsn - 4096,
      timestampUs: 1_700_000_000_000_000,
    })
  })

  it('is refused when any single bit of it is flipped', () => {
    const valid = frame()
    const decoder = new FrameDecoder(4096)
    const length = frameHeaderBytes + payload.byteLength
    for (let bit = 0; bit < length * 8; bit++) {
      const bytes = Buffer.from(valid)
      bytes[bit >> 3]! ^= 1 << (bit & 7)
      expect(decoder.decode(bytes, 0, bytes.byteLength, lsn, seed), `bit ${bit}`).not.toBe('none')
    }
  })

  it('is refused at another place and under another epoch', () => {
    const bytes = frame()
    const decoder = new FrameDecoder(4096)
    expect(decoder.decode(bytes, 0, bytes.byteLength, lsn + 8, seed)).toBe('bad-lsn')
    expect(decoder.decode(bytes, 0, bytes.byteLength, lsn, seed + 1)).toBe('bad-crc')
  })

  it('is not looked for beyond the bytes that are there, whatever its length says', () => {
    const decoder = new FrameDecoder(4096)
    const bytes = frame()
    expect(decoder.decode(bytes, 0, 31, lsn, seed)).toBe('truncated')
    expect(decoder.decode(bytes, 0, 40, lsn, seed)).toBe('truncated')
    for (const length of [0, 1, 31, 4097, 0x7fffffff, 0xffffffff]) {
      bytes.writeUInt32LE(length, 0)
      expect(decoder.decode(bytes, 0, bytes.byteLength, lsn, seed)).toBe('bad-length')
    }
  })

  it('carries a distance to the synced LSN that saturates instead of wrapping', () => {
    const words = new Int32Array(8)
    writeFrameHeader(words, 0, 32, 1, 0, 2 ** 40, 0, 0, 0)
    const bytes = Buffer.from(words.buffer.slice(0))
    const decoder = new FrameDecoder(4096)
    decoder.read(bytes, 0)
    expect(decoder.view.synced).toBe(2 ** 40 - 0xffffffff * 8)
    expect(decoder.view.synced).toBeGreaterThan(0)
  })
})
