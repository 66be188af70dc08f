import { describe, expect, it } from 'vitest'
import {
  decodeSegmentHeader,
  listSegmentNames,
  segmentNameLsn,
  segmentPath,
} from '#tidemark/log/format/segment.js'
import { EntrySource, type OutgoingEntry } from '#tidemark/log/replication/entry-source.js'
import { InlineLog, inlineDirectory } from '../../support/inline-log.js'
import { MemoryDisk } from '../../support/memory-disk.js'
import { Random } from '../../support/random.js'
import { batchesOf } from '../../support/replicated-bytes.js'

/** All entries of a log, cut while the synced LSN moves as `limits` says. */
function entriesOf(
  disk: MemoryDisk,
  limits: readonly number[],
  entryBytes: number,
  fromLsn = 0,
): OutgoingEntry[] {
  const source = new EntrySource(disk, inlineDirectory, fromLsn, entryBytes)
  const entries: OutgoingEntry[] = []
  for (const limit of limits) {
    for (let entry = source.next(limit); entry; entry = source.next(limit)) entries.push(entry)
    expect(source.position).toBe(limit)
  }
  source.close()
  return entries
}

describe('the entries of a log', () => {
  it('are its files byte for byte, with the header of each segment where it begins, whatever is read when', () => {
    const random = new Random(3)
    let inPieces = 0
    for (let round = 0; round < 30; round++) {
      const disk = new MemoryDisk()
      const log = new InlineLog(disk, { segmentBytes: 16 * 1024 })
      const limits: number[] = []
      const wholeEnds = new Set<number>()
      for (let i = 0; i < 60; i++) {
        const payload = random.bytes(random.int(random.int(6) === 0 ? 12_000 : 300))
        if (payload.length > 4000) log.flushAll()
        const lsn = payload.length > 4000 ? log.producer.append(1, 0, payload) : log.append(payload)
        wholeEnds.add(lsn)
        if (random.int(3) > 0) continue
        log.flushAll()
        limits.push(log.synced)
      }
      log.flushAll()
      limits.push(log.synced)
      const entryBytes = 4096 + random.int(8192)
      const entries = entriesOf(disk, limits, entryBytes)
      const bytes = batchesOf(disk, inlineDirectory, log.synced)
      const firstLsns = listSegmentNames(disk, inlineDirectory).map((name) => segmentNameLsn(name)!)
      expect(Buffer.concat(entries.map((entry) => entry.bytes)).equals(bytes)).toBe(true)
      let at = 0
      for (const {
        startLsn,
        endLsn,
        segmentHeader,
        wholeEndLsn,
        bytes: { length },
      } of entries) {
        expect([startLsn, endLsn]).toEqual([at, at + length])
        expect(length).toBeLessThanOrEqual(entryBytes)
        at = endLsn
        if (wholeEndLsn !== undefined) expect(wholeEnds.has(wholeEndLsn)).toBe(true)
        else inPieces++
        const header = segmentHeader && decodeSegmentHeader(segmentHeader)
        expect(header?.firstLsn).toBe(firstLsns.includes(startLsn) ? startLsn : undefined)
        if (!segmentHeader) continue
        const file = disk.contentOf(segmentPath(inlineDirectory, startLsn))!
        expect(file.subarray(0, segmentHeader.length).equals(segmentHeader)).toBe(true)
      }
      expect(entries.filter(({ segmentHeader }) => segmentHeader)).toHaveLength(firstLsns.length)
      expect(wholeEnds.has(entries.at(-1)!.wholeEndLsn!)).toBe(true)
      // From the end of any entry on the same follows.
      const cut = entries[random.int(entries.length)]!.startLsn
      const rest = entriesOf(disk, [log.synced], entryBytes, cut)
      expect(Buffer.concat(rest.map((entry) => entry.bytes)).equals(bytes.subarray(cut))).toBe(true)
    }
    expect(inPieces).toBeGreaterThan(10)
  })

  it('hold as many batches as fit, and a batch that is larger by itself', () => {
    const disk = new MemoryDisk()
    const log = new InlineLog(disk)
    for (let i = 0; i < 10; i++) {
      log.append(Buffer.alloc(984))
      log.flushAll()
    }
    const all = entriesOf(disk, [log.synced], 3 * 1024)
    expect(all.map(({ bytes }) => bytes.length)).toEqual([3072, 3072, 3072, 1024])
    expect(entriesOf(disk, [log.synced], 512).map(({ bytes }) => bytes.length)).toEqual(Array(10).fill(1024))
  })

  it('keep their bytes when the next ones are read', () => {
    const disk = new MemoryDisk()
    const log = new InlineLog(disk)
    log.append(Buffer.alloc(100, 1))
    log.flushAll()
    const source = new EntrySource(disk, inlineDirectory, 0, 4096)
    const first = source.next(log.synced)!
    const before = Buffer.from(first.bytes)
    log.append(Buffer.alloc(100, 2))
    log.flushAll()
    expect(source.next(log.synced)!.startLsn).toBe(first.endLsn)
    expect(first.bytes.equals(before)).toBe(true)
    source.close()
  })
})
