import crc32 from 'crc-32'
import { describe, expect, it } from 'vitest'
import { crcOfBytes, crcOfWords } from '#tidemark/log/format/crc.js'
import { Random } from '../../support/random.js'

describe('the CRC of batches', () => {
  const random = new Random(20)
  const bytes = random.bytes(4096)
  const words = new Int32Array(bytes.buffer)

  it('is that of crc-32 for every length, place and beginning', () => {
    for (let length = 0; length <= 1100; length++) {
      const from = random.int(700) * 4
      const crc = random.int(2 ** 32) | 0
      const expected = crc32.buf(bytes.subarray(from, from + length), crc)
      expect(crcOfBytes(bytes, words, from, length, crc), `${length} bytes`).toBe(expected)
      if (length % 4 !== 0) continue
      expect(crcOfWords(words, from / 4, (from + length) / 4, crc)).toBe(expected)
    }
  })
})
