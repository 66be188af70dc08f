import * as path from 'node:path'
import { describe, expect, it } from 'vitest'
import { segmentNameLsn } from '#tidemark/log/format/segment.js'
import { inspectLogNow } from '#tidemark/log/tools/inspection.js'
import { segmentPaths } from '../support/damaged-log.js'
import { faultCases, faultCount } from '../support/fault-tier.js'
import { InlineLog, inlineDirectory, readRecords } from '../support/inline-log.js'
import { MemoryDisk } from '../support/memory-disk.js'
import { Random } from '../support/random.js'

const segmentBytes = 16 * 1024
/** An opening continues in a last segment that holds no more than this. */
const joinedBytesMax = segmentBytes / 4

const count = faultCount('many-openings', { short: 20, full: 2000 })
const livesPerSeed = 25

/** Many short lives of one log, many of which end in a power cut, often within the opening. */
function liveOften(seed: number): void {
  const random = new Random(seed)
  let disk = new MemoryDisk({ sectorBytes: 512 })
  const acknowledged = new Map<number, string>()
  let keptFrom = 0
  for (let life = 0; life < livesPerSeed; life++) {
    const survival = random.next()
    const sent = new Map<number, string>()
    let log: InlineLog | undefined
    let cut: MemoryDisk | undefined
    const note = () => {
      for (const [lsn, payload] of sent) if (lsn <= (log?.released ?? 0)) acknowledged.set(lsn, payload)
    }
    let calls = random.int(2) === 0 ? random.int(20) : 1000
    disk.beforeCall = () => {
      if (cut || calls-- > 0) return
      note()
      cut = disk.powerCut(() => random.next() < survival)
    }
    log = new InlineLog(disk, { segmentBytes })
    compare(disk, log, acknowledged, keptFrom, `seed ${seed}, life ${life}`)
    for (let i = random.int(8); i > 0; i--) {
      // Sometimes over the end of a segment.
      const bytes = random.int(10) === 0 ? 3000 + random.int(15_000) : random.int(200)
      const payload = Buffer.from(random.bytes(bytes))
      if (bytes > 3000) log.flushAll()
      sent.set(log.producer.append(1, 0, payload), payload.toString('hex'))
      if (random.int(3) > 0) log.flusher.flush()
    }
    log.flushAll()
    if (random.int(2) === 0) log.flusher.writeSyncMarker()
    log.flushAll()
    if (!cut && random.int(4) === 0) {
      keptFrom = Math.max(keptFrom, log.released - 2 * segmentBytes)
      log.removeBefore(keptFrom)
    }
    // What is acknowledged after the cut is not on the disk that is opened.
    if (!cut) note()
    disk = cut ?? disk.powerCut(() => random.next() < survival)
  }
}

/** What was acknowledged and is not removed is there, and the log is whole by every check. */
function compare(
  disk: MemoryDisk,
  log: InlineLog,
  acknowledged: ReadonlyMap<number, string>,
  keptFrom: number,
  where: string,
): void {
  const { firstLsn, endLsn } = log.recovered.report
  const records = readRecords(disk, firstLsn, endLsn)
  const found = new Map(records.map(({ lsn, payload }) => [lsn, Buffer.from(payload).toString('hex')]))
  const lost = [...acknowledged].filter(([lsn, payload]) => lsn > keptFrom && found.get(lsn) !== payload)
  expect(lost, where).toEqual([])
  const { damage, segments } = inspectLogNow(disk, inlineDirectory, {}, { settle: false })
  expect(damage, where).toEqual([])
  // One that a rotation began has the epoch of the one before. Of those that openings began, two in a row hold more than is
  // joined: the second may have got most of it from the first, which was not known to be synced.
  const epochs = segments.map(({ header }) => header?.epoch)
  const begunByOpenings = epochs.filter((epoch, i) => i === 0 || epoch !== epochs[i - 1]).length
  const bytes = endLsn - segmentNameLsn(path.basename(segmentPaths(disk)[0]!))!
  expect(begunByOpenings, where).toBeLessThanOrEqual(1 + (2 * bytes) / joinedBytesMax)
}

describe('a log that is opened often', () => {
  it(`loses nothing, though small segments are written again and the power fails (${count} seeds)`, () => {
    for (const seed of faultCases(count)) liveOften(seed)
  })

  it.each([
    ['nothing', 0, 1],
    ['a few records', 3, 30],
  ] as const)(
    'and gets %s each time has a bounded number of files after hundreds of openings',
    (_, records, filesMax) => {
      let disk = new MemoryDisk()
      let lsn = 0
      for (let opening = 0; opening < 400; opening++) {
        const log = new InlineLog(disk, { segmentBytes })
        for (let i = 0; i < records; i++) lsn = log.append(Buffer.alloc(42, i))
        log.flushAll()
        if (records > 0 && opening % 2 === 0) log.flusher.writeSyncMarker()
        log.flushAll()
        disk = disk.powerCut()
      }
      expect(readRecords(disk, 0, lsn)).toHaveLength(records * 400)
      expect(segmentPaths(disk).length).toBeLessThanOrEqual(filesMax)
      // Each file but the last holds at least as much as is joined.
      expect(segmentPaths(disk).length).toBeLessThanOrEqual(1 + lsn / joinedBytesMax)
    },
  )

  it('keeps what a segment says of the record that it begins within, and when the one before was sealed', () => {
    const disk = new MemoryDisk()
    const log = new InlineLog(disk, { segmentBytes })
    while (log.tail < segmentBytes - 6000) log.append(Buffer.alloc(500))
    log.flushAll()
    log.producer.append(1, 0, Buffer.alloc(6000, 7))
    log.flushAll()
    const last = segmentPaths(disk).at(-1)!
    const read = () => inspectLogNow(disk, inlineDirectory, {}, { settle: false }).segments.at(-1)!
    const before = read()
    expect(before.header).toMatchObject({ withinRecord: true })
    new InlineLog(disk, { segmentBytes })
    expect(segmentPaths(disk).at(-1)).toBe(last)
    const { withinRecord, previous, createdUs, epoch } = read().header!
    expect({ withinRecord, previous, createdUs }).toEqual({
      withinRecord: true,
      previous: before.header!.previous,
      createdUs: before.header!.createdUs,
    })
    expect(epoch).not.toBe(before.header!.epoch)
  })
})
