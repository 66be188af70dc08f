import { describe, expect, it } from 'vitest'
import { requireSegmentHeader, segmentHeaderBytes } from '#tidemark/log/format/segment.js'
import { copyEnd } from '#tidemark/log/tools/backup-end.js'
import { inspectLogNow } from '#tidemark/log/tools/inspection.js'
import { scanWritten, successorOf } from '#tidemark/log/tools/log-end.js'
import { segmentPaths } from '../../support/damaged-log.js'
import { InlineLog, inlineDirectory } from '../../support/inline-log.js'
import { MemoryDisk } from '../../support/memory-disk.js'

/** A log of one segment with records that are each synced before the next is written, and its first segment. */
function sampleOf(records: number, segmentBytes = 64 * 1024) {
  const disk = new MemoryDisk()
  const log = new InlineLog(disk, { segmentBytes })
  const lsns = Array.from({ length: records }, (_, i) => {
    const lsn = log.append(Buffer.alloc(100, i))
    log.flushAll()
    return lsn
  })
  const segments = segmentPaths(disk).map((path) => {
    return { path, header: requireSegmentHeader(disk, path, Number(path.slice(-24, -4))) }
  })
  return { disk, lsns, segments, end: log.released }
}

/** A disk that holds a log up to `lsn`, to which `grow` adds the rest, up to another LSN, as its writer does. */
function growing({ disk, segments }: ReturnType<typeof sampleOf>, lsn: number) {
  const { path: file } = segments[0]!
  const whole = disk.contentOf(file)!
  const copy = disk.clone()
  const withTail = (end: number) => {
    const content = Buffer.alloc(whole.byteLength)
    whole.copy(content, 0, 0, segmentHeaderBytes + end)
    return content
  }
  copy.replace(file, withTail(lsn))
  const handle = copy.open(file, 'write')
  return { disk: copy, grow: (end: number) => void copy.write(handle, [withTail(end)], 0) }
}

describe('the end of a log that is written meanwhile', () => {
  it('is never taken for damage, whenever the writer continues, and is not before what was whole at first', () => {
    const sample = sampleOf(12)
    const { lsns, segments, end } = sample
    let readsMax = 0
    // Whole up to a record, or torn within the next one; the rest appears at once before some read.
    for (const cut of [0, 60]) {
      for (let at = 1; ; at++) {
        const { disk, grow } = growing(sample, lsns[4]! + cut)
        let reads = 0
        disk.beforeCall = (call) => {
          if (call === 'readSync' && ++reads === at) grow(end)
        }
        const { wholeEndLsn } = scanWritten(disk, inlineDirectory, segments[0]!, 0)
        expect(wholeEndLsn).toBeGreaterThanOrEqual(lsns[4]!)
        expect(lsns).toContain(wholeEndLsn)
        readsMax = Math.max(readsMax, reads)
        if (reads < at) break
      }
    }
    expect(readsMax).toBeGreaterThanOrEqual(3)
  })

  it('is no damage to an inspection, whenever the writer continues what looked torn until then', () => {
    const sample = sampleOf(12)
    let readsMax = 0
    for (let at = 1; ; at++) {
      const { disk, grow } = growing(sample, sample.lsns[4]! + 60)
      let reads = 0
      disk.beforeCall = (call) => {
        if (call === 'readSync' && ++reads === at) grow(sample.end)
      }
      const { verdict } = inspectLogNow(disk, inlineDirectory)
      readsMax = Math.max(readsMax, reads)
      if (reads < at) {
        expect(verdict).toBe('torn')
        break
      }
      expect([at, verdict]).toEqual([at, 'valid'])
    }
    expect(readsMax).toBeGreaterThan(30)
  })

  it('is found though the writer adds a record before each read', () => {
    const sample = sampleOf(300)
    const { disk, grow } = growing(sample, sample.lsns[4]! + 60)
    let added = 4
    disk.beforeCall = (call) => {
      if (call === 'readSync') grow(sample.lsns[++added]! + 60)
    }
    const { wholeEndLsn } = scanWritten(disk, inlineDirectory, sample.segments[0]!, 0)
    expect(wholeEndLsn).toBeGreaterThanOrEqual(sample.lsns[4]!)
    const { verdict, records } = inspectLogNow(disk, inlineDirectory)
    expect(verdict).toBe('valid')
    expect(records).toBeGreaterThan(4)
    expect(records).toBeLessThan(added)
  })

  it('is corrupt where it stays invalid after something says that it was synced', () => {
    const { disk, lsns, segments, end } = sampleOf(12)
    const { path: file } = segments[0]!
    const content = disk.contentOf(file)!
    content[segmentHeaderBytes + lsns[4]! + 50]! ^= 1
    disk.replace(file, content)
    const scan = (knownLsn = 0) => scanWritten(disk, inlineDirectory, segments[0]!, knownLsn)
    const damaged = expect.objectContaining({ code: 'TIDEMARK_LOG_CORRUPT' })
    expect(() => scan()).toThrowError(damaged)
    // No byte of the log says that anything came after it: only the caller knows.
    content.fill(0, segmentHeaderBytes + lsns[5]!)
    disk.replace(file, content)
    expect(scan().wholeEndLsn).toBe(lsns[4])
    expect(() => scan(end)).toThrowError(damaged)
  })

  it('holds the last records of a segment from which the log has gone on since it was listed', async () => {
    const sample = sampleOf(300, 16 * 1024)
    const { disk, segments } = sample
    expect(segments.length).toBeGreaterThan(2)
    for (let listed = 1; listed < segments.length; listed++) {
      const next = segments[listed]!.header
      expect(successorOf(disk, inlineDirectory, segments[listed - 1]!.header.firstLsn)?.header).toEqual(next)
      const known = segments.slice(0, listed)
      expect(await copyEnd(disk, inlineDirectory, known, 0, {})).toBe(next.firstLsn)
      const inside = sample.lsns.findLast((lsn) => lsn < next.firstLsn)!
      expect(await copyEnd(disk, inlineDirectory, segments, 0, { syncedLsn: inside })).toBe(inside)
    }
  })

  it('is not searched before damage, when the last segment holds nothing but a part of a record', async () => {
    const segmentBytes = 16 * 1024
    const disk = new MemoryDisk()
    const log = new InlineLog(disk, { segmentBytes })
    const lsns: number[] = []
    while (log.tail < segmentBytes - 6000) lsns.push(log.append(Buffer.alloc(500, 1)))
    log.flushAll()
    const end = log.released
    // A record that is longer than a segment: the second one is full before it ends.
    log.producer.append(1, 0, Buffer.alloc(segmentBytes * 2, 2))
    while (segmentPaths(disk).length < 2 || log.segments.end < log.segments.limit) log.flusher.flush()
    expect(log.released).toBe(end)
    const segments = segmentPaths(disk).map((path) => {
      return { path, header: requireSegmentHeader(disk, path, Number(path.slice(-24, -4))) }
    })
    expect(segments.map(({ header }) => header.withinRecord ?? false)).toEqual([false, true])
    const copied = (snapshotLsn: number) =>
      copyEnd(disk, inlineDirectory, segments, snapshotLsn, { closed: true })
    expect(await copied(0)).toBe(end)
    const { path: file } = segments[0]!
    const content = disk.contentOf(file)!
    content[segmentHeaderBytes + lsns[4]! + 50]! ^= 1
    disk.replace(file, content)
    for (const snapshotLsn of [0, lsns[9]!]) {
      await expect(copied(snapshotLsn)).rejects.toMatchObject({
        code: 'TIDEMARK_LOG_CORRUPT',
        details: { lsn: lsns[4] },
      })
    }
  })

  it('is never found too early, whenever an opening puts another file in its place, or it is removed and used again', async () => {
    const sample = sampleOf(150, 16 * 1024)
    const { lsns, segments, end } = sample
    const { path: file, header } = segments.at(-1)!
    const opened = sample.disk.clone()
    expect(new InlineLog(opened, { initialSegmentBytes: 4 * 1024 * 1024 }).recovered.active.path).toBe(file)
    const handles = new WeakMap<MemoryDisk, number>()
    const changes = {
      replaced: (disk: MemoryDisk) => disk.replace(file, opened.contentOf(file)!),
      'used again': (disk: MemoryDisk) => {
        disk.remove(file)
        disk.write(handles.get(disk)!, [Buffer.alloc(segmentHeaderBytes + end - header.firstLsn, 7)], 0)
      },
    }
    for (const [name, change] of Object.entries(changes)) {
      let found = 0
      let refused = 0
      for (let at = 1; ; at++) {
        const disk = sample.disk.clone()
        handles.set(disk, disk.open(file, 'write'))
        let calls = 0
        disk.beforeCall = (call) => {
          if (['list', 'open', 'readSync'].includes(call) && ++calls === at) change(disk)
        }
        const outcome = await copyEnd(disk, inlineDirectory, segments, 0, { closed: true }).catch(
          (error) => error,
        )
        if (outcome instanceof Error) {
          expect([name, at, outcome]).toMatchObject([name, at, { name: 'LogError' }])
          refused++
        } else {
          expect([name, at, outcome]).toEqual([name, at, lsns.at(-1)])
          found++
        }
        if (calls < at) break
      }
      expect(found, name).toBeGreaterThan(0)
      expect(refused, name).toBeGreaterThan(0)
    }
  })
})
