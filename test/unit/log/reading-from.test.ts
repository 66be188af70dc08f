import { describe, expect, it, onTestFinished } from 'vitest'
import { FileReader } from '#tidemark/log/read/file-reader.js'
import { RecordCollector } from '#tidemark/log/read/log-record.js'
import { scanLog } from '#tidemark/log/tools/log-scan.js'
import { segmentPaths } from '../../support/damaged-log.js'
import { FollowedLog } from '../../support/followed-log.js'
import { InlineLog, inlineDirectory } from '../../support/inline-log.js'
import { MemoryDisk } from '../../support/memory-disk.js'
import { Random } from '../../support/random.js'

/** Batches of one record, of many, and records in pieces, over several segments; the LSN of every record. */
function sample(seed: number) {
  const disk = new MemoryDisk()
  const log = new InlineLog(disk)
  const random = new Random(seed)
  const lsns: number[] = []
  while (segmentPaths(disk).length < 3) {
    log.preallocator.preallocateOnce()
    const what = random.int(8)
    if (what === 0) {
      log.flushAll()
      lsns.push(log.producer.append(1, 0, random.bytes(4000 + random.int(9000))))
    } else if (what < 5) {
      const payloads = Array.from({ length: 1 + random.int(40) }, () => random.bytes(random.int(90)))
      lsns.push(...log.appendTogether(payloads))
    } else lsns.push(log.append(random.bytes(random.int(900))))
    if (random.int(3) === 0) log.flusher.writeSyncMarker()
    log.flushAll()
  }
  return { disk, lsns, endLsn: log.released }
}

function read(disk: MemoryDisk, from: number, endLsn: number, chunkBytes?: number): number[] {
  const files = new FileReader(disk, inlineDirectory, from, chunkBytes === undefined ? {} : { chunkBytes })
  const collector = new RecordCollector()
  const lsns: number[] = []
  try {
    for (let chunk = files.nextSync(endLsn); chunk; chunk = files.nextSync(endLsn))
      lsns.push(...collector.take(chunk).map(({ lsn }) => lsn))
  } finally {
    files.close()
  }
  return lsns
}

describe('reading from the LSN of any record', () => {
  it('gives exactly the records after it, in the files, across segments, whatever is read at a time', () => {
    for (const seed of [1, 2]) {
      const { disk, lsns, endLsn } = sample(seed)
      expect(segmentPaths(disk)).toHaveLength(3)
      expect(read(disk, 0, endLsn)).toEqual(lsns)
      for (const [i, from] of lsns.entries()) {
        const rest = lsns.slice(i + 1)
        expect([from, read(disk, from, endLsn, i % 2 ? 1 : undefined)]).toEqual([from, rest])
        if (i % 7 > 0) continue
        const scanned = [...scanLog(disk, inlineDirectory, { kind: 'log', fromLsn: from, limitLsn: endLsn })]
        expect([from, scanned.map((one) => one.kind === 'record' && one.endLsn)]).toEqual([from, rest])
      }
    }
  })

  it('is refused at every other place', () => {
    const { disk, lsns, endLsn } = sample(3)
    // Where a batch begins that no record ends at: after a sync marker.
    const known = new Set([0, ...lsns])
    const codes = new Map<string, number>()
    for (let from = 0; from < endLsn; from += 8) {
      if (known.has(from)) continue
      let found: string
      try {
        const after = read(disk, from, endLsn)
        expect([from, after]).toEqual([from, lsns.filter((lsn) => lsn > from)])
        found = 'after a sync marker'
      } catch (error) {
        found = (error as { code: string }).code
      }
      codes.set(found, (codes.get(found) ?? 0) + 1)
    }
    expect([...codes.keys()].sort()).toEqual(['TIDEMARK_BAD_LSN', 'after a sync marker'])
    expect(codes.get('after a sync marker')).toBeLessThan(100)
  })

  it('gives what comes after it also where that is still in memory, and ends at the LSN of any record', async () => {
    const log = new FollowedLog(new MemoryDisk(), {})
    onTestFinished(() => log.close())
    const random = new Random(4)
    const lsns: number[] = []
    const append = () => {
      const payloads = Array.from({ length: 1 + random.int(12) }, () => random.bytes(random.int(60)))
      lsns.push(...log.appendTogether(payloads))
      log.flushAll()
    }
    for (let i = 0; i < 8; i++) append()
    void log.tailer.start(() => {})
    const froms = [0, ...lsns]
    const readers = froms.map((from) => ({ from, records: log.reader({ from })[Symbol.asyncIterator]() }))
    for (let i = 0; i < 8; i++) append()
    for (const { from, records } of readers) {
      const seen: number[] = []
      while (seen.at(-1) !== lsns.at(-1)) seen.push((await records.next()).value!.lsn)
      expect([from, seen]).toEqual([from, lsns.filter((lsn) => lsn > from)])
      await records.return!()
    }
    for (const from of froms.filter((_, i) => i % 5 === 0)) {
      for (const to of lsns.filter((_, i) => i % 3 === 0)) {
        const seen: number[] = []
        for await (const { lsn } of log.reader({ from, to })) seen.push(lsn)
        expect([from, to, seen]).toEqual([from, to, lsns.filter((lsn) => lsn > from && lsn <= to)])
      }
    }
  })
})
