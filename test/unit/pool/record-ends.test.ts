import { describe, expect, it } from 'vitest'
import { acknowledgeWindowBytes, RecordEnds } from '#tidemark/pool/delivery/record-ends.js'
import { Random } from '../../support/random.js'

describe('the ends of records', () => {
  it('are known exactly, over pages and beyond 2^32, and forgotten below what was acknowledged', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const random = new Random(seed)
      const ends = new RecordEnds()
      const added = new Set<number>()
      const first = random.int(2) ? 2 ** 33 - 8 * random.int(100_000) : 0
      let lsn = first
      for (let i = 0; i < 5000; i++) {
        lsn += 8 * (1 + random.int(random.int(20) === 0 ? 10_000 : 40))
        ends.add(lsn)
        added.add(lsn)
      }
      for (let i = 0; i < 20_000; i++) {
        const asked = first + 8 * random.int((lsn - first) / 8 + 100)
        if (ends.has(asked) !== added.has(asked))
          expect(ends.has(asked), `seed ${seed}, ${asked}`).toBe(added.has(asked))
      }
      const acknowledged = [...added][2500]!
      ends.dropBelow(acknowledged)
      for (const end of added) if (end >= acknowledged) expect(ends.has(end), `seed ${seed}`).toBe(true)
      expect(ends.has([...added][0]!)).toBe(false)
    }
  })

  it('are kept over the window, and no further back', () => {
    const ends = new RecordEnds()
    ends.add(8)
    ends.add(acknowledgeWindowBytes)
    expect(ends.has(8)).toBe(true)
    ends.add(acknowledgeWindowBytes + 262_144)
    expect(ends.has(8)).toBe(false)
    expect(ends.has(acknowledgeWindowBytes)).toBe(true)
  })
})
