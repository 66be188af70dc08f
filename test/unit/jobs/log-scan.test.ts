import { describe, expect, it } from 'vitest'
import { scanLog } from '#tidemark/jobs/log-scan.js'
import { MemoryDisk } from '#tidemark/log/memory-disk.js'
import { segmentHeaderBytes } from '#tidemark/log/segment.js'
import { segmentPaths } from '../../support/damaged-log.js'
import { InlineLog, inlineDirectory } from '../../support/inline-log.js'

function sampleOf(segmentBytes: number) {
  const disk = new MemoryDisk()
  const log = new InlineLog(disk, { segmentBytes })
  const lsns = Array.from({ length: 200 }, (_, i) => {
    const lsn = log.append(Buffer.alloc(100, i))
    log.flushAll()
    return lsn
  })
  return { disk, lsns }
}

/** What a scan finds: the ends of records, and the kinds of all else. */
function scanned(disk: MemoryDisk): { lsns: number[]; others: string[] } {
  const all = [...scanLog(disk, inlineDirectory)]
  return {
    lsns: all.flatMap((found) => (found.kind === 'record' ? [found.endLsn] : [])),
    others: all.flatMap(({ kind }) => (kind === 'record' ? [] : [kind])),
  }
}

describe('a scan beside the owner of a log', () => {
  it('finds no fault in what the owner is writing, whenever it goes on', () => {
    const { disk: whole, lsns } = sampleOf(64 * 1024)
    const [file] = segmentPaths(whole) as [string]
    const content = whole.contentOf(file)!
    let readsMax = 0
    for (let at = 1; ; at++) {
      const disk = whole.clone()
      const torn = Buffer.from(content).fill(0, segmentHeaderBytes + lsns[4]! + 60)
      disk.replace(file, torn)
      const handle = disk.open(file, 'write')
      let reads = 0
      disk.beforeCall = (call) => {
        if (call === 'readSync' && ++reads === at) disk.write(handle, [content], 0)
      }
      const found = scanned(disk)
      readsMax = Math.max(readsMax, reads)
      expect(found.lsns).toEqual(lsns.slice(0, found.lsns.length))
      expect(found.lsns.length).toBeGreaterThanOrEqual(5)
      if (reads < at) {
        expect(found.others).toEqual(['tornTail'])
        break
      }
      expect([at, found.others]).toEqual([at, []])
    }
    expect(readsMax).toBeGreaterThan(3)
  })

  it('leaves out what the owner removes meanwhile, whenever that is', () => {
    const { disk: whole, lsns } = sampleOf(16 * 1024)
    const [first, second] = segmentPaths(whole) as [string, string]
    const begin = Number(second.slice(-24, -4))
    const later = lsns.filter((lsn) => lsn > begin)
    for (let at = 1; ; at++) {
      const disk = whole.clone()
      let calls = 0
      const handle = disk.open(first, 'write')
      disk.beforeCall = (call) => {
        if (['list', 'open', 'readSync'].includes(call) && ++calls === at) {
          // The file is used again: who has it open reads other bytes.
          disk.remove(first)
          disk.write(handle, [Buffer.alloc(20_000, 7)], 0)
        }
      }
      const found = scanned(disk)
      expect([at, found.others]).toEqual([at, []])
      expect(found.lsns.slice(-later.length)).toEqual(later)
      if (calls < at) break
      expect(at).toBeLessThan(100)
    }
  })
})
