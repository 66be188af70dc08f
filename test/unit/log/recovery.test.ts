import { crc32 } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { batchHeaderBytes } from '#tidemark/log/format/batch.js'
import { segmentHeaderBytes } from '#tidemark/log/format/segment.js'
import { InlineLog, inlineDirectory, reopen } from '../../support/inline-log.js'
import { MemoryDisk } from '../../support/memory-disk.js'
import { Random } from '../../support/random.js'

const record = (n: number) => Buffer.from(`record ${n} `.repeat(1 + (n % 7)))

/** A log of `count` records, flushed `perFlush` at a time, not closed. */
function written(count: number, perFlush = 5): { disk: MemoryDisk; log: InlineLog; lsns: number[] } {
  const disk = new MemoryDisk()
  const log = new InlineLog(disk)
  const lsns: number[] = []
  for (let i = 0; i < count; i++) {
    log.preallocator.preallocateOnce()
    lsns.push(log.append(record(i)))
    if (i % perFlush === perFlush - 1) log.flushAll()
  }
  log.flushAll()
  return { disk, log, lsns }
}

const segmentFiles = (disk: MemoryDisk) =>
  disk
    .list(inlineDirectory)
    .filter((name) => /^\d+\.wal$/.test(name))
    .sort()
    .map((name) => `${inlineDirectory}/${name}`)

const codeOf = (act: () => unknown) => {
  try {
    act()
  } catch (error) {
    return (error as { code?: string }).code
  }
  return undefined
}

describe('opening a log again', () => {
  it('returns every record, across segments, and continues at the same LSN', () => {
    const { disk, lsns } = written(700)
    expect(segmentFiles(disk).length).toBeGreaterThan(2)
    const { log, records } = reopen(disk.powerCut())
    expect(records.map(({ lsn }) => lsn)).toEqual(lsns)
    expect(records.map(({ payload }) => String(Buffer.from(payload)))).toEqual(
      lsns.map((_, n) => String(record(n))),
    )
    // A sync marker follows the last record.
    expect(log.tail).toBe(lsns.at(-1)! + batchHeaderBytes)
    expect(log.recovered.report.tornTail).toBeUndefined()
  })

  it('twice is the same as once', () => {
    const { disk } = written(120)
    const once = reopen(disk)
    const twice = reopen(disk)
    const thrice = reopen(disk)
    expect(twice.records).toEqual(once.records)
    expect(thrice.records).toEqual(once.records)
    expect(thrice.log.recovered.report).toMatchObject({
      endLsn: once.log.recovered.report.endLsn,
      tornTail: undefined,
    })
  })

  it('keeps what is appended after it through another opening', () => {
    const { disk } = written(50)
    const first = reopen(disk)
    const lsn = first.log.append(record(1000))
    first.log.flushAll()
    const second = reopen(disk.powerCut())
    expect(second.records).toHaveLength(51)
    expect(second.records.at(-1)).toMatchObject({ lsn })
  })

  it('begins an empty log in an empty folder', () => {
    const { log, records } = reopen(new MemoryDisk())
    expect(records).toEqual([])
    expect(log.tail).toBe(0)
  })

  it('refuses another format and another kind', () => {
    const { disk } = written(10)
    const [file] = segmentFiles(disk) as [string]
    const changed = (change: (copy: Buffer) => void) => {
      const content = disk.contentOf(file)!
      for (const at of [0, 2048]) {
        change(content.subarray(at, at + 80))
        content.writeUInt32LE(crc32(content.subarray(at, at + 76)), at + 76)
      }
      const other = disk.clone()
      other.replace(file, content)
      return other
    }
    expect(codeOf(() => reopen(changed((copy) => copy.writeUInt16LE(3, 8))))).toBe('TIDEMARK_LOG_FORMAT')
    expect(codeOf(() => reopen(changed((copy) => copy.write('pool', 60))))).toBe('TIDEMARK_LOG_KIND')
    expect(codeOf(() => reopen(changed(() => {})))).toBeUndefined()
  })

  it('uses the second copy of a header whose first copy is damaged', () => {
    const { disk, lsns } = written(20)
    const [file] = segmentFiles(disk) as [string]
    const content = disk.contentOf(file)!
    content[20]! ^= 0xff
    disk.replace(file, content)
    expect(reopen(disk).records).toHaveLength(lsns.length)
    content[2048 + 20]! ^= 0xff
    disk.replace(segmentFiles(disk)[0]!, content)
    expect(codeOf(() => reopen(disk))).toBe('TIDEMARK_LOG_CORRUPT')
  })
})

describe('a torn tail', () => {
  it('is cut at the last whole record, reported, and never judged again', () => {
    const { disk, log, lsns } = written(30)
    const keep = disk.powerCut()
    log.append(record(77))
    log.flusher.flush()
    const file = segmentFiles(disk).at(-1)!
    const firstLsn = Number(/(\d+)\.wal/.exec(file)![1])
    const torn = disk.contentOf(file)!.subarray(0, segmentHeaderBytes + lsns.at(-1)! - firstLsn + 40)
    keep.replace(file, torn)
    const { log: again, records } = reopen(keep)
    expect(records).toHaveLength(30)
    expect(again.recovered.report.tornTail).toMatchObject({ file, lsn: lsns.at(-1), bytesCut: 40 })
    expect(reopen(keep).log.recovered.report.tornTail).toBeUndefined()
  })

  it('differs from corruption by what later batches say was synced', () => {
    // One flush of 3 records, then one of 3 more: the second proves the first synced.
    const disk = new MemoryDisk()
    const log = new InlineLog(disk)
    const lsns = [0, 1, 2].map((n) => log.append(record(n)))
    log.flushAll()
    lsns.push(...[3, 4, 5].map((n) => log.append(record(n))))
    log.flushAll()
    const [file] = segmentFiles(disk) as [string]
    const damage = (lsn: number) => {
      const damaged = disk.clone()
      const content = damaged.contentOf(file)!
      content[segmentHeaderBytes + lsn + 33]! ^= 0x40
      damaged.replace(file, content)
      return damaged
    }
    expect(codeOf(() => reopen(damage(lsns[0]!)))).toBe('TIDEMARK_LOG_CORRUPT')
    const { records, log: recovered } = reopen(damage(lsns[3]!))
    expect(records).toHaveLength(4)
    expect(recovered.recovered.report.tornTail).toMatchObject({ lsn: lsns[3], reason: 'bad-crc' })
  })

  it('of a record in several batches takes the whole record', () => {
    const { disk, log } = written(10)
    const before = log.tail + batchHeaderBytes
    const small = log.producer
    expect(() => small.tryAppend(1, 0, new Uint8Array(10_000))).toThrowError(/at most/)
    small.append(1, 0, new Uint8Array(10_000))
    const cuts: number[] = []
    disk.beforeCall = (call) => {
      if (call === 'syncData') cuts.push(reopen(disk.powerCut(() => true)).log.tail)
    }
    log.flushAll()
    expect(cuts.every((tail) => tail === before || tail === log.released + batchHeaderBytes)).toBe(true)
  })

  it('of a record that goes over a rotation ends the log before it, in the segment where it began', () => {
    for (const pieces of [9500, 40_000]) {
      const disk = new MemoryDisk()
      const log = new InlineLog(disk)
      const lsns: number[] = []
      while (log.tail < 16 * 1024 - 5000) {
        lsns.push(log.append(Buffer.alloc(400, 1)))
        log.flushAll()
      }
      log.producer.append(1, 0, Buffer.alloc(pieces, 7))
      while (segmentFiles(disk).length < (pieces > 20_000 ? 3 : 2)) log.flusher.flush()
      log.flusher.flush()
      // Of the batches in the newest segment none got to the disk.
      const newest = segmentFiles(disk).at(-1)!
      disk.replace(newest, disk.contentOf(newest)!.subarray(0, segmentHeaderBytes))
      const { log: again, records } = reopen(disk)
      expect(records.map(({ lsn }) => lsn)).toEqual(lsns)
      expect(again.recovered.report).toMatchObject({
        endLsn: lsns.at(-1),
        tornTail: { lsn: expect.any(Number) },
      })
      const lsn = again.append(Buffer.from('the next record'))
      again.flushAll()
      const next = reopen(disk).records.at(-1)!
      expect([next.lsn, Buffer.from(next.payload).toString()]).toEqual([lsn, 'the next record'])
    }
  })

  it('is not prolonged by valid batches of an earlier epoch that stand at the right place', () => {
    const disk = new MemoryDisk()
    const log = new InlineLog(disk)
    const lsns = [0, 1, 2, 3, 4].map((n) => log.append(record(n)))
    log.flushAll()
    const [file] = segmentFiles(disk) as [string]
    const whole = disk.contentOf(file)!
    const cut = segmentHeaderBytes + lsns[2]!
    disk.replace(file, whole.subarray(0, cut))
    expect(reopen(disk).records).toHaveLength(3)
    const content = disk.contentOf(file)!
    whole.copy(content, cut, cut, segmentHeaderBytes + lsns[4]!)
    disk.replace(file, content)
    const { records, log: again } = reopen(disk)
    expect(records).toHaveLength(3)
    expect(again.recovered.report.tornTail).toMatchObject({ lsn: lsns[2], reason: 'bad-crc' })
  })

  it('that was marked synced when the log fell idle is corruption', () => {
    const { disk, log, lsns } = written(5)
    expect(log.flusher.writeSyncMarker()).toBe(true)
    log.flushAll()
    const [file] = segmentFiles(disk) as [string]
    const content = disk.contentOf(file)!
    content[segmentHeaderBytes + lsns[3]! + 33]! ^= 1
    disk.replace(file, content)
    expect(codeOf(() => reopen(disk))).toBe('TIDEMARK_LOG_CORRUPT')
  })
})

describe('damage', () => {
  it('anywhere below the durable LSN is refused with file, offset and LSN, or changes nothing', () => {
    const { disk, log, lsns } = written(200)
    log.flusher.writeSyncMarker()
    log.flushAll()
    const random = new Random(7)
    const files = segmentFiles(disk)
    for (let i = 0; i < 300; i++) {
      const damaged = disk.clone()
      const file = files[random.int(files.length)]!
      const content = damaged.contentOf(file)!
      const bit = random.int(content.byteLength * 8)
      content[bit >> 3]! ^= 1 << (bit & 7)
      damaged.replace(file, content)
      const firstLsn = Number(/(\d+)\.wal/.exec(file)![1])
      const lsn = firstLsn + (bit >> 3) - segmentHeaderBytes
      const next = files[files.indexOf(file) + 1]
      const end = next ? Number(/(\d+)\.wal/.exec(next)![1]) : lsns.at(-1)!
      try {
        const { records } = reopen(damaged)
        expect(
          records.map((one) => one.lsn),
          `bit ${bit} of ${file}`,
        ).toEqual(lsns)
        const within = content.byteLength > 0 && lsn >= firstLsn && lsn < end
        expect(within, `bit ${bit} of ${file}`).toBe(false)
      } catch (error) {
        expect(error).toMatchObject({
          code: 'TIDEMARK_LOG_CORRUPT',
          details: { file: expect.any(String), lsn: expect.any(Number) },
        })
      }
    }
  })

  it('in the chain of segments is refused', () => {
    const { disk } = written(700)
    const files = segmentFiles(disk)
    disk.remove(files[1]!)
    expect(codeOf(() => reopen(disk))).toBe('TIDEMARK_LOG_CORRUPT')
  })

  it('by a truncation below the durable LSN is refused, above it cut', () => {
    const { disk, lsns } = written(200)
    const files = segmentFiles(disk)
    const last = files.at(-1)!
    const firstLsn = Number(/(\d+)\.wal/.exec(last)![1])
    const content = disk.contentOf(last)!
    for (let bytes = 0; bytes <= content.byteLength; bytes += 97) {
      const cut = disk.clone()
      cut.replace(last, content.subarray(0, bytes))
      let records: unknown[]
      try {
        records = reopen(cut).records
      } catch (error) {
        expect((error as { code: string }).code).toBe('TIDEMARK_LOG_CORRUPT')
        continue
      }
      expect(records.length).toBeLessThanOrEqual(lsns.length)
      const end = firstLsn + Math.max(0, bytes - segmentHeaderBytes)
      const whole = lsns.filter((lsn) => lsn <= end).length
      expect(records.length, `${bytes} bytes`).toBe(whole)
    }
  })
})

describe('what is written again at an opening', () => {
  it('begins where a batch begins, whatever a batch says was synced', () => {
    // More than an opening writes again as a whole.
    const { disk, lsns } = written(100, 1)
    const [file] = segmentFiles(disk) as [string]
    const content = disk.contentOf(file)!
    // A writer's error: the CRC fits, and the last batch says that the log was synced up to the middle of the one before.
    const at = segmentHeaderBytes + lsns[98]!
    const batch = content.subarray(at, at + content.readUInt32LE(at))
    batch.writeUInt32LE(1, 12)
    batch.writeUInt32LE(0, 4)
    const ofRecords = crc32(batch.subarray(32), crc32(content.subarray(16, 24)))
    batch.writeUInt32LE(crc32(batch.subarray(0, 32), ofRecords), 4)
    disk.replace(file, content)
    const files = segmentFiles(disk)
    expect(codeOf(() => reopen(disk))).toBe('TIDEMARK_LOG_CORRUPT')
    expect(segmentFiles(disk)).toEqual(files)
  })
})
