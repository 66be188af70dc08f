import { mkdirSync, writeFileSync } from 'node:fs'
import * as path from 'node:path'
import { describe, expect, it } from 'vitest'
import { readSegmentHeader, segmentHeaderBytes } from '#tidemark/log/format/segment.js'
import { SalvageReader } from '#tidemark/log/index.js'
import { inspectLogNow } from '#tidemark/log/tools/inspection.js'
import { scanLog } from '#tidemark/log/tools/log-scan.js'
import { applyRepair, planRepair } from '#tidemark/log/tools/repair.js'
import { tidemark } from '../../support/cli.js'
import { damage, inspected, segmentPaths } from '../../support/damaged-log.js'
import { InlineLog, inlineDirectory, reopen } from '../../support/inline-log.js'
import { MemoryDisk } from '../../support/memory-disk.js'
import { temporaryDirectory } from '../../support/temporary.js'

/** A record in several batches, which may begin in one segment and end in the next. */
const largeBytes = (n: number) => 5000 + 333 * (n % 11)

/**
 * A log of records of which the large ones lie over the ends of segments, as it stands when a removal was interrupted
 * after `gone` segments. `whole` are the LSNs of the records that are there from their beginning.
 */
function interrupted(full: MemoryDisk, gone: number) {
  const disk = full.clone()
  for (const file of segmentPaths(disk).slice(0, gone)) disk.remove(file)
  const [file] = segmentPaths(disk) as [string]
  const { firstLsn, withinRecord = false } = readSegmentHeader(disk, file)!
  // What an opening reads, which is on a disk of its own: it writes.
  const whole = reopen(disk.clone()).records.map(({ lsn }) => lsn)
  return { disk, file, firstLsn, withinRecord, whole }
}

function logOf(bytesOf: (n: number) => number, records: number): MemoryDisk {
  const disk = new MemoryDisk()
  const log = new InlineLog(disk)
  for (let n = 0; n < records; n++) {
    log.producer.append(1, 0, Buffer.alloc(bytesOf(n), n))
    log.flushAll()
  }
  log.flusher.writeSyncMarker()
  log.flushAll()
  return disk
}

const large = logOf(largeBytes, 40)
const states = Array.from({ length: segmentPaths(large).length - 1 }, (_, i) => interrupted(large, i + 1))
const within = states.filter(({ withinRecord }) => withinRecord)
/** Where the first record begins that is whole. */
function restEnd(disk: MemoryDisk): number {
  const starts: number[] = []
  inspectLogNow(disk, inlineDirectory, { record: ({ startLsn }) => starts.push(startLsn) }, { settle: false })
  return starts[0]!
}

/** The files of a log in a folder of the machine. */
function folderOf(disk: MemoryDisk): string {
  const dir = path.join(temporaryDirectory(), 'log')
  mkdirSync(dir)
  for (const file of segmentPaths(disk))
    writeFileSync(path.join(dir, path.basename(file)), disk.contentOf(file)!)
  return dir
}

describe('a log whose removal was interrupted, so that it begins within a record', () => {
  it('is among the states of this test, beside logs that begin with a whole record', () => {
    expect(within.length).toBeGreaterThan(3)
    expect(within.length).toBeLessThan(states.length)
  })

  it('is inspected without the rest of that record, and nothing is said to lack its beginning', () => {
    for (const { disk, whole } of states) {
      const { lsns, payloads, verdict, records } = inspected(disk)
      expect(lsns).toEqual(whole)
      expect([...payloads.keys()]).toEqual(whole)
      expect([verdict, records]).toEqual(['valid', whole.length])
    }
  })

  it('is salvaged with that rest among what was skipped, and without damage', async () => {
    for (const { disk, whole, withinRecord, firstLsn, file } of states) {
      const reader = new SalvageReader(inlineDirectory, { disk })
      const records = []
      for await (const record of reader) records.push(record)
      expect(records.map(({ lsn }) => lsn)).toEqual(whole)
      expect(records.filter(({ lacksBeginning }) => lacksBeginning)).toEqual([])
      const toLsn = restEnd(disk)
      const rest = { fromLsn: firstLsn, toLsn, file, bytes: toLsn - firstLsn }
      expect([reader.skipped, reader.damage]).toEqual([withinRecord ? [rest] : [], []])
    }
  })

  it('is dumped, counted and salvaged on the command line without that rest as a record', async () => {
    const { disk, whole } = within[0]!
    const dir = folderOf(disk)
    const [dump, stats, salvage] = await Promise.all([
      tidemark(['log', 'dump', dir, '--json', '--no-progress']),
      tidemark(['log', 'stats', dir, '--json']),
      tidemark(['log', 'salvage', dir, '--json']),
    ])
    const lines = (text: string) =>
      text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
    expect([dump.code, dump.stderr]).toEqual([0, ''])
    expect(lines(dump.stdout).map(({ lsn }) => lsn)).toEqual(whole)
    expect(JSON.parse(stats.stdout)).toMatchObject({ records: whole.length, corrupt: 0 })
    const [rest, ...salvaged] = lines(salvage.stdout)
    expect(rest).toMatchObject({ skipped: { toLsn: restEnd(disk) } })
    expect(salvaged.map(({ lsn }) => lsn)).toEqual(whole)
  })

  it('keeps every record that is appended after a repair has cut all that there was', () => {
    const { disk, file } = within[0]!
    const repaired = disk.clone()
    // Within the rest of the first record: nothing whole stands before it.
    damage(repaired, file, (content) => void (content[segmentHeaderBytes + 48]! ^= 1))
    applyRepair(repaired, inlineDirectory, planRepair(inspected(repaired)), 'repair-1')
    const { log, records } = reopen(repaired)
    expect(records).toEqual([])
    const lsns = [1, 2, 3].map((n) => log.append(Buffer.alloc(100, n)))
    log.flushAll()
    expect(inspected(repaired)).toMatchObject({ verdict: 'valid', lsns })
    expect(reopen(repaired).records.map(({ lsn }) => lsn)).toEqual(lsns)
  })

  it('is scanned for jobs from the first whole record on', () => {
    // Job events fit in a batch: only the one over the end of the first segment does not.
    const full = logOf((n) => (n === 76 ? 9000 : 100), 200)
    const { disk, withinRecord, whole } = interrupted(full, 1)
    expect(withinRecord).toBe(true)
    const found = [...scanLog(disk, inlineDirectory, { kind: 'log' })]
    expect(found.map((one) => (one.kind === 'record' ? one.endLsn : one.kind))).toEqual(whole)
    const firstLsn = restEnd(disk)
    expect([...scanLog(disk, inlineDirectory, { kind: 'log', fromLsn: firstLsn })]).toHaveLength(whole.length)
  })
})

describe('a record in several batches', () => {
  it('is scanned as one record, which says so', () => {
    const full = logOf((n) => (n === 76 ? 9000 : 100), 200)
    const { lsns } = inspected(full)
    const records = [...scanLog(full, inlineDirectory, { kind: 'log' })].flatMap((one) =>
      one.kind === 'record' ? [one] : [],
    )
    expect(records.map(({ endLsn }) => endLsn)).toEqual(lsns)
    expect(records.flatMap(({ inPieces }, n) => (inPieces ? [n] : []))).toEqual([76])
    expect([...records[76]!.payload]).toEqual(Array.from({ length: 9000 }, () => 76))
  })
})
