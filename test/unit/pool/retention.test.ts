import { describe, expect, it } from 'vitest'
import { encodeSegmentHeader, segmentPath } from '#tidemark/log/format/segment.js'
import { firstLsnWithout, retentionLimit } from '#tidemark/log/tools/retention.js'
import { MemoryDisk } from '../../support/memory-disk.js'

const hourMs = 3_600_000
const nowMs = 1000 * hourMs
const { POSITIVE_INFINITY: infinity } = Number

/** Segments of 8 KiB, each made, so the one before it sealed, at these hours; `undefined`: its header is damaged. */
function segmentsMadeAt(...hours: (number | undefined)[]): MemoryDisk {
  const disk = new MemoryDisk()
  hours.forEach((hour, i) => {
    const file = disk.create(segmentPath('/log', i * 8192))
    const header = encodeSegmentHeader({
      kind: 'pool',
      contentVersion: 1,
      epoch: 1n,
      firstLsn: i * 8192,
      previous: undefined,
      createdUs: (hour ?? 0) * hourMs * 1000,
      maxBatchBytes: 4096,
      recycled: false,
    })
    disk.write(file, [hour === undefined ? Buffer.alloc(4096) : header], 0)
    disk.close(file)
  })
  return disk
}

function limit(disk: MemoryDisk, keepLogHours: number, keepLogBytes = infinity): number | undefined {
  return retentionLimit(disk, '/log', { keepLogBytes, keepLogHours }, 40_000, nowMs)
}

describe('retention', () => {
  it('by age lets go what was sealed longer ago, to the millisecond, and never the active segment', () => {
    const disk = segmentsMadeAt(900, 950, 976, 990)
    expect(limit(disk, infinity)).toBeUndefined()
    expect(limit(disk, 100)).toBe(0)
    expect(limit(disk, 50)).toBe(0)
    expect(limit(disk, 50 - 1 / hourMs)).toBe(8192)
    expect(limit(disk, 24)).toBe(8192)
    expect(limit(disk, 24 - 1 / hourMs)).toBe(2 * 8192)
    expect(limit(disk, 0)).toBe(3 * 8192)
  })

  it('takes what has no date, or one in the future, for young', () => {
    expect(limit(segmentsMadeAt(900, 950, undefined, 960), 1)).toBe(8192)
    expect(limit(segmentsMadeAt(900, 2000, 950), 1)).toBe(0)
  })

  it('by bytes and by age lets go what either does', () => {
    const disk = segmentsMadeAt(900, 950, 990)
    expect(limit(disk, infinity, 10_000)).toBe(30_000)
    expect(limit(disk, 24, 39_000)).toBe(8192)
    expect(limit(disk, 24, 20_000)).toBe(20_000)
    expect(limit(disk, infinity, 0)).toBe(40_000)
  })

  it('knows where the log would begin', () => {
    const disk = segmentsMadeAt(1, 2, 3)
    expect([-1, 0, 8191, 8192, 16_383, 16_384, 1e9].map((lsn) => firstLsnWithout(disk, '/log', lsn))).toEqual(
      [0, 0, 0, 8192, 8192, 16_384, 16_384],
    )
  })
})
