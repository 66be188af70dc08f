import { describe, expect, it } from 'vitest'
import { requireSegmentHeader, segmentHeaderBytes } from '#tidemark/log/format/segment.js'
import { BatchWalk } from '#tidemark/log/read/batch-walk.js'
import { SegmentWindow } from '#tidemark/log/read/segment-window.js'
import { InlineLog } from '../../support/inline-log.js'
import { MemoryDisk } from '../../support/memory-disk.js'

const file = '/log/00000000000000000000.wal'

/** A log of one segment whose records have such sizes, and where each ends. */
function logOf(sizes: readonly number[]): { disk: MemoryDisk; ends: number[] } {
  const disk = new MemoryDisk()
  const log = new InlineLog(disk, { segmentBytes: 64 * 1024 })
  const ends = sizes.map((bytes, i) => log.append(Buffer.alloc(bytes, i + 1)))
  log.flushAll()
  return { disk, ends }
}

function walkOf(disk: MemoryDisk, chunkBytes?: number): BatchWalk {
  const segment = { path: file, header: requireSegmentHeader(disk, file, 0) }
  return new BatchWalk(new SegmentWindow(disk, segment, chunkBytes === undefined ? {} : { chunkBytes }))
}

/** Where each batch ends that is walked up to a limit, and what the walk came to then. */
function steps(walk: BatchWalk, limitLsn: number): { ends: number[]; last: string } {
  const ends: number[] = []
  for (;;) {
    const step = walk.step(limitLsn)
    if (step !== 'batch') return { ends, last: step }
    ends.push(walk.position)
  }
}

describe('a walk over the batches of a segment', () => {
  const sizes = Array.from({ length: 40 }, (_, i) => (i * 397) % 3000)

  it('finds the same batches whatever is read at a time, also those larger than that', () => {
    const { disk, ends } = logOf(sizes)
    for (const chunkBytes of [8, 32, 40, 136, 1000, 4096, undefined]) {
      const walk = walkOf(disk, chunkBytes)
      expect([chunkBytes, steps(walk, ends.at(-1)!)]).toEqual([chunkBytes, { ends, last: 'end' }])
      walk.window.close()
    }
  })

  it('stays where no valid batch begins, and finds the next one from there', () => {
    const { disk, ends } = logOf(sizes)
    const content = disk.contentOf(file)!
    content[segmentHeaderBytes + ends[19]! + 40]! ^= 1
    disk.replace(file, content)
    for (const chunkBytes of [32, 136, 1000, undefined]) {
      const walk = walkOf(disk, chunkBytes)
      expect(steps(walk, ends.at(-1)!)).toEqual({ ends: ends.slice(0, 20), last: 'bad-crc' })
      expect(walk.position).toBe(ends[19])
      expect([chunkBytes, walk.findNext(ends.at(-1)!).lsn]).toEqual([chunkBytes, ends[20]])
      expect(walk.position).toBe(ends[19])
      walk.position = ends[20]!
      expect(steps(walk, ends.at(-1)!)).toEqual({ ends: ends.slice(21), last: 'end' })
      walk.window.close()
    }
  })

  it('knows how far the file was written where no valid batch follows', () => {
    const { disk, ends } = logOf([100, 100, 100])
    const content = disk.contentOf(file)!
    content.fill(0, segmentHeaderBytes + ends[1]! + 80)
    disk.replace(file, content)
    const walk = walkOf(disk)
    const { fileEndLsn } = walk.window
    expect(steps(walk, fileEndLsn).last).toBe('bad-crc')
    expect(walk.findNext(fileEndLsn)).toEqual({ lsn: undefined, lastWrittenLsn: ends[1]! + 80 })
    walk.window.close()
  })

  it('reads bytes anew when it is asked whether they are valid now', () => {
    const { disk, ends } = logOf([100, 100])
    const whole = disk.contentOf(file)!
    const torn = Buffer.from(whole).fill(0, segmentHeaderBytes + ends[0]!)
    disk.replace(file, torn)
    const walk = walkOf(disk)
    expect(steps(walk, ends[1]!)).toEqual({ ends: [ends[0]], last: 'bad-length' })
    expect(walk.isValidNow(ends[0]!, ends[1]!)).toBe(false)
    const handle = disk.open(file, 'write')
    disk.write(handle, [whole], 0)
    expect(walk.step(ends[1]!)).toBe('bad-length')
    expect(walk.isValidNow(ends[0]!, ends[1]!)).toBe(true)
    expect(steps(walk, ends[1]!)).toEqual({ ends: [ends[1]], last: 'end' })
    walk.window.close()
  })

  it('is not begun before its segment', () => {
    const { disk } = logOf([100])
    const { window } = walkOf(disk)
    expect(() => new BatchWalk(window, { fromLsn: -8 })).toThrowError(
      expect.objectContaining({ code: 'TIDEMARK_INVARIANT' }),
    )
    window.close()
  })
})
