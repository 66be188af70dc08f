import { describe, expect, it } from 'vitest'
import { JobLog } from '#tidemark/jobs/events/job-log.js'
import { dumpLog, logStats, replayLog, validateLog } from '#tidemark/jobs/events/log-inspection.js'
import { segmentHeaderBytes } from '#tidemark/log/format/segment.js'
import { scanLog } from '#tidemark/log/tools/log-scan.js'
import { segmentPaths } from '../../support/damaged-log.js'
import { InlineLog, inlineDirectory } from '../../support/inline-log.js'
import { MemoryDisk } from '../../support/memory-disk.js'
import { temporaryDirectory } from '../../support/temporary.js'

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
  const all = [...scanLog(disk, inlineDirectory, { kind: 'log' })]
  return {
    lsns: all.flatMap((found) => (found.kind === 'record' ? [found.endLsn] : [])),
    others: all.flatMap(({ kind }) => (kind === 'record' ? [] : [kind])),
  }
}

describe('a scan beside the owner of a log', () => {
  it('finds no corruption in what the owner is writing, whenever it continues', () => {
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
          // The file is used again: a reader that has it open reads other bytes.
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

  it('takes nothing for torn when an opening puts a file under another epoch in the place of the last, whenever that is', () => {
    const { disk: whole, lsns } = sampleOf(64 * 1024)
    const [file] = segmentPaths(whole) as [string]
    const opened = whole.clone()
    const { recovered } = new InlineLog(opened, { initialSegmentBytes: 4 * 1024 * 1024 })
    expect(recovered.active.path).toBe(file)
    let callsMax = 0
    for (let at = 1; ; at++) {
      const disk = whole.clone()
      let calls = 0
      disk.beforeCall = (call) => {
        if (['list', 'open', 'readSync'].includes(call) && ++calls === at) {
          disk.replace(file, opened.contentOf(file)!)
        }
      }
      expect([at, scanned(disk)]).toEqual([at, { lsns, others: [] }])
      callsMax = Math.max(callsMax, calls)
      if (calls < at) break
    }
    expect(callsMax).toBeGreaterThan(3)
  })
})

describe('events that the owner removes after the first was read', () => {
  const overtaken = { name: 'JobError', code: 'TIDEMARK_JOB_LOG_OVERTAKEN' }

  /** A log of three segments, and a call that removes the second. */
  async function threeSegments() {
    const dir = temporaryDirectory()
    const log = await JobLog.open(dir, { segmentBytes: 256 * 1024, maxBatchBytes: 64 * 1024 })
    const firsts: number[] = []
    for (let segment = 0; segment < 3; segment++) {
      if (segment > 0) firsts.push(await log.rotate())
      for (let i = 0; i < 20; i++) await log.append('ENQUEUE', `job-${segment}-${i}`)
    }
    return { dir, log, remove: () => log.removeBefore(firsts[1]!) }
  }

  it.each([false, true])(
    'end a replay and a dump with a code, and are no corruption (tolerant: %s)',
    async (tolerant) => {
      for (const way of ['replay', 'replayLog', 'dumpLog'] as const) {
        const { dir, log, remove } = await threeSegments()
        const seen: number[] = []
        const handler = async ({ seq }: { seq: number }) => {
          if (seen.push(seq) === 1) await remove()
        }
        const reading = async () => {
          if (way === 'replay') return log.replay(handler, { tolerant })
          if (way === 'replayLog') return replayLog(dir, handler, { tolerant })
          for (const event of dumpLog(dir, tolerant ? { onDamage: () => {} } : {})) await handler(event)
        }
        await expect(reading(), way).rejects.toMatchObject(overtaken)
        expect(seen).toEqual(Array.from({ length: 20 }, (_, i) => i + 1))
        await log.close()
      }
    },
  )

  it('are left out by what counts and checks', async () => {
    const { dir, log, remove } = await threeSegments()
    await remove()
    expect(validateLog(dir)).toMatchObject({ valid: true, events: 20, firstSeq: 41, lastSeq: 60 })
    expect(logStats(dir)).toMatchObject({ totalEvents: 20, corrupt: 0 })
    await log.close()
  })
})
