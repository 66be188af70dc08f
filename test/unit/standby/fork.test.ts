import { describe, expect, it } from 'vitest'
import { forkOf } from '#tidemark/standby/fork.js'

const lineage = [
  { n: 1, segmentEpoch: 10n, firstLsn: 1000 },
  { n: 2, segmentEpoch: 20n, firstLsn: 5000 },
  { n: 3, segmentEpoch: 30n, firstLsn: 5000 },
  { n: 5, segmentEpoch: 50n, firstLsn: 9000 },
]
const part = (firstLsn: number, epoch: bigint) => ({ firstLsn, epoch })

describe('where a log left the lineage', () => {
  it('is nowhere for a beginning of it, whatever was written before there was one', () => {
    for (const endLsn of [1000, 3000, 5000]) {
      const parts = [part(0, 7n), part(500, 8n), part(1000, 10n), part(2000, 10n)]
      expect(forkOf({ parts, endLsn }, lineage)).toBeUndefined()
    }
    const parts = [part(1000, 10n), part(5000, 30n), part(7000, 30n), part(9000, 50n)]
    expect(forkOf({ parts, endLsn: 12_000 }, lineage)).toBeUndefined()
    expect(forkOf({ parts: [], endLsn: 0 }, lineage)).toBeUndefined()
    expect(forkOf({ parts, endLsn: 12_000 }, [])).toBeUndefined()
  })

  it('is where the next epoch began, within a segment, and names that epoch', () => {
    expect(forkOf({ parts: [part(0, 7n), part(1000, 10n)], endLsn: 5008 }, lineage)).toEqual({
      lsn: 5000,
      n: 3,
    })
  })

  it('is the first of several places', () => {
    const parts = [part(1000, 10n), part(5000, 30n), part(8000, 30n), part(9600, 31n)]
    expect(forkOf({ parts, endLsn: 9800 }, lineage)).toEqual({ lsn: 9000, n: 5 })
    const early = [part(1000, 10n), part(4000, 11n), part(5000, 12n)]
    expect(forkOf({ parts: early, endLsn: 9800 }, lineage)).toEqual({ lsn: 4000, n: 1 })
  })

  it('is not in a segment that holds nothing, nor in the part of an epoch that wrote nothing', () => {
    expect(forkOf({ parts: [part(1000, 10n), part(5000, 20n)], endLsn: 5000 }, lineage)).toBeUndefined()
    expect(forkOf({ parts: [part(1000, 10n), part(5000, 20n)], endLsn: 5008 }, lineage)).toEqual({
      lsn: 5000,
      n: 3,
    })
  })
})
