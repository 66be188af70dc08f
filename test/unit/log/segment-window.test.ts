import { crc32 } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { requireSegmentHeader } from '#tidemark/log/format/segment.js'
import { SegmentWindow } from '#tidemark/log/read/segment-window.js'
import { scanSegment, searchAfter } from '#tidemark/log/recover/segment-scan.js'
import { InlineLog } from '../../support/inline-log.js'
import { MemoryDisk } from '../../support/memory-disk.js'

const file = '/log/00000000000000000000.wal'

function logOf(records: number): MemoryDisk {
  const disk = new MemoryDisk()
  const log = new InlineLog(disk)
  for (let i = 0; i < records; i++) log.append(Buffer.alloc(100, i))
  log.flushAll()
  return disk
}

/** The same segment with a header whose CRC fits and which says that batches have up to so many bytes. */
function withLargestBatch(disk: MemoryDisk, maxBatchBytes: number) {
  const content = disk.contentOf(file)!
  content.writeUInt32LE(maxBatchBytes, 56)
  content.writeUInt32LE(crc32(content.subarray(0, 76)), 76)
  disk.replace(file, content)
  return { path: file, header: requireSegmentHeader(disk, file, 0) }
}

describe('a window of a segment', () => {
  it('takes no more memory than the file has bytes, whatever the header says of its batches', () => {
    const disk = logOf(20)
    const segment = withLargestBatch(disk, 0xffff_fff8)
    const window = new SegmentWindow(disk, segment, { chunkBytes: segment.header.maxBatchBytes })
    window.fill(0, Number.MAX_SAFE_INTEGER)
    expect(window.bytes.byteLength).toBeLessThanOrEqual(disk.contentOf(file)!.byteLength)
    expect(scanSegment(disk, segment, window.fileEndLsn).batches).toBe(20)
    window.close()
    expect(searchAfter(disk, segment, 0).lastWrittenLsn).toBe(20 * 144)
  })

  it('grows with what is asked of it', () => {
    const disk = logOf(20)
    const window = new SegmentWindow(disk, withLargestBatch(disk, 4096))
    const whole = disk.contentOf(file)!
    for (const limit of [144, 1440, 2880, 144]) {
      window.fill(0, limit)
      expect(window.available).toBe(limit)
      expect(window.bytes.subarray(0, limit)).toEqual(whole.subarray(4096, 4096 + limit))
    }
    window.close()
  })
})
