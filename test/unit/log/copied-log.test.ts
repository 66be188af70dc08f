import { describe, expect, it } from 'vitest'
import { readSegmentHeader, segmentHeaderBytes, segmentPath } from '#tidemark/log/format/segment.js'
import { scanSegment } from '#tidemark/log/recover/segment-scan.js'
import { InlineLog, inlineDirectory, readRecords } from '../../support/inline-log.js'
import { MemoryDisk } from '../../support/memory-disk.js'

const copies = { endLsn: 0 }
const first = segmentPath(inlineDirectory, 0)

/** A log that crashed: its last batches are in no sync marker. */
function crashed(records: number): { disk: MemoryDisk; endLsn: number } {
  const disk = new MemoryDisk()
  const log = new InlineLog(disk)
  for (let i = 0; i < records; i++) {
    log.append(Buffer.alloc(100 + i, i))
    log.flushAll()
  }
  return { disk, endLsn: log.released }
}

function batchesOf(disk: MemoryDisk, endLsn: number): Buffer {
  return disk.contentOf(first)!.subarray(segmentHeaderBytes, segmentHeaderBytes + endLsn)
}

describe('the recovery of a log of which others have copies', () => {
  it('leaves every byte where it is, and begins its segment after the last record', () => {
    const { disk, endLsn } = crashed(20)
    const before = batchesOf(disk, endLsn)
    const { recovered } = new InlineLog(disk, { copies })
    expect(recovered.active.header.firstLsn).toBe(endLsn)
    expect(batchesOf(disk, endLsn).equals(before)).toBe(true)
    expect(readRecords(disk, 0, recovered.report.endLsn)).toHaveLength(20)
    // Without copies what is not known to be synced is written again under another epoch.
    const { disk: other, endLsn: otherEnd } = crashed(20)
    const { firstLsn } = new InlineLog(other).recovered.active.header
    expect(firstLsn).toBeLessThan(otherEnd)
  })

  it('writes what is not known to be synced once more to the same places, and syncs it, before the new segment', () => {
    const { disk, endLsn } = crashed(5)
    const segment = { path: first, header: readSegmentHeader(disk, first)! }
    const { syncedLsn } = scanSegment(disk, segment, endLsn)
    expect(endLsn - syncedLsn).toBeGreaterThan(100)
    const { write } = disk
    const rewritten: [number, number][] = []
    disk.write = (file, pieces, position) => {
      const bytes = write.call(disk, file, pieces, position)
      if (disk.calls.at(-1)!.endsWith('00.wal')) rewritten.push([position - segmentHeaderBytes, bytes])
      return bytes
    }
    new InlineLog(disk, { copies })
    expect(rewritten).toEqual([[syncedLsn, endLsn - syncedLsn]])
    const calls = disk.calls.filter((call) => /^(write|syncData|rename) /.test(call))
    const at = calls.lastIndexOf(`write ${'0'.repeat(20)}.wal`)
    expect(calls[at + 1]).toBe(`syncData ${'0'.repeat(20)}.wal`)
    expect(calls.findIndex((call, i) => i > at && call.startsWith('rename'))).toBeGreaterThan(at + 1)
  })

  it('cuts a torn tail, of which there is no copy', () => {
    const { disk, endLsn } = crashed(5)
    const content = disk.contentOf(first)!
    content.fill(0xab, segmentHeaderBytes + endLsn, segmentHeaderBytes + endLsn + 64)
    disk.replace(first, content)
    const { recovered } = new InlineLog(disk, { copies })
    expect(recovered.report.tornTail).toMatchObject({ lsn: endLsn, recordsKept: 5 })
    expect(recovered.active.header.firstLsn).toBe(endLsn)
  })

  it('refuses a log that ends before the copies, and writes nothing', () => {
    const { disk, endLsn } = crashed(5)
    const before = disk.contentOf(first)!
    expect(() => new InlineLog(disk, { copies: { endLsn: endLsn + 8 } })).toThrowError(
      expect.objectContaining({
        code: 'TIDEMARK_PRIMARY_BEHIND',
        details: expect.objectContaining({ endLsn, replicatedLsn: endLsn + 8 }),
      }),
    )
    expect(disk.contentOf(first)!.equals(before)).toBe(true)
    expect(disk.list(inlineDirectory)).toHaveLength(1)
    expect(() => new InlineLog(new MemoryDisk(), { copies: { endLsn: 8 } })).toThrowError(
      expect.objectContaining({ code: 'TIDEMARK_PRIMARY_BEHIND' }),
    )
    expect(new InlineLog(disk, { copies: { endLsn } }).recovered.active.header.firstLsn).toBe(endLsn)
  })

  it('keeps the epoch of a last segment that is empty', () => {
    const { disk, endLsn } = crashed(0)
    const { active } = new InlineLog(disk, { copies }).recovered
    expect(active.header.firstLsn).toBe(endLsn)
    expect(new InlineLog(disk, { copies }).recovered.active.header.epoch).toBe(active.header.epoch)
    expect(new InlineLog(disk).recovered.active.header.epoch).not.toBe(active.header.epoch)
    const { disk: full } = crashed(3)
    const { epoch } = readSegmentHeader(full, first)!
    expect(new InlineLog(full, { copies }).recovered.active.header.epoch).not.toBe(epoch)
  })
})
