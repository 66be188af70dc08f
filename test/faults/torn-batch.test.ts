import { describe, expect, it } from 'vitest'
import { segmentHeaderBytes } from '#tidemark/log/format/segment.js'
import { segmentPaths } from '../support/damaged-log.js'
import { describeSegments, type FaultBatch, liveOn, recover, type Written } from '../support/fault-log.js'
import { faultCases, faultCount, faultPlaces } from '../support/fault-tier.js'
import { fixClock, fixEpochs, freeEntropy } from '../support/fixed-entropy.js'
import { InlineLog } from '../support/inline-log.js'
import { MemoryDisk } from '../support/memory-disk.js'
import { Random } from '../support/random.js'

/** A log whose last write, of one or several batches, was not synced when the machine failed. */
interface LastWrite {
  readonly path: string
  /** The last segment's file before it was written, and with it. */
  readonly before: Buffer
  readonly after: Buffer
  /** Bytes of the file that the write takes. */
  readonly from: number
  readonly to: number
  readonly firstLsn: number
  readonly batches: readonly FaultBatch[]
  readonly written: readonly Written[]
  readonly acknowledged: number
  /** The files below the last. */
  readonly others: ReadonlyMap<string, Buffer>
}

/**
 * `payloads` in one write, after records that were synced, so that the log has `segments` segments. Another `use` of
 * the same seed gives records of the same sizes with other bytes, under other epochs.
 */
function batchOf(seed: number, payloads: readonly number[], segments: 1 | 2, use = 0): LastWrite {
  const sizes = new Random(seed)
  const random = new Random(seed + 1_000_000 * use)
  const disk = new MemoryDisk()
  const written: Written[] = []
  fixEpochs(seed + 1_000_000 * use)
  fixClock(1_700_000_000_000)
  try {
    const log = new InlineLog(disk, {
      initialSegmentBytes: segments === 1 ? 24 * 1024 : 2048,
      segmentBytes: 24 * 1024,
    })
    const append = (bytes: number) => {
      const payload = Buffer.from(random.bytes(bytes))
      log.producer.stage(1, 0, payload)
      const lsn = log.producer.publish()
      written.push({ lsn, payload })
    }
    while (log.tail < 4000) {
      log.preallocator.preallocateOnce()
      append(20 + sizes.int(200))
      log.flushAll()
    }
    const acknowledged = written.length
    const path = segmentPaths(disk).at(-1)!
    const before = disk.contentOf(path)!
    const from = log.tail
    // Large ones by themselves, and the others in batches of one to four records.
    for (let i = 0; i < payloads.length; ) {
      const together = 1 + sizes.int(4)
      const some = payloads.slice(i, i + together)
      i += some.length
      if (some.every((bytes) => bytes < 900)) {
        const made = some.map((bytes) => Buffer.from(random.bytes(bytes)))
        for (const [n, lsn] of log.appendTogether(made).entries()) written.push({ lsn, payload: made[n]! })
      } else for (const bytes of some) append(bytes)
    }
    log.flushAll()
    const after = disk.contentOf(path)!
    const last = describeSegments(disk, log.released).at(-1)!
    const paths = segmentPaths(disk)
    if (paths.at(-1) !== path || paths.length !== segments) throw new Error('the write is not in one segment')
    const byte = (lsn: number) => segmentHeaderBytes + lsn - last.firstLsn
    return {
      path,
      before,
      after,
      from: byte(from),
      to: byte(log.released),
      firstLsn: last.firstLsn,
      batches: last.batches.filter(({ lsn }) => lsn >= from),
      written,
      acknowledged,
      others: new Map(paths.slice(0, -1).map((other) => [other, disk.contentOf(other)!])),
    }
  } finally {
    freeEntropy()
  }
}

function diskOf(batch: LastWrite, last: Buffer): MemoryDisk {
  const disk = new MemoryDisk()
  for (const [path, content] of batch.others) disk.replace(path, content)
  disk.replace(batch.path, last)
  return disk
}

/** Opens what is left of a write: nothing of what was acknowledged before is gone; returns how many records were kept. */
function openTorn(batch: LastWrite, last: Buffer, where: () => string): number {
  const disk = diskOf(batch, last)
  let opened: ReturnType<typeof recover>
  try {
    opened = recover(disk)
  } catch (cause) {
    throw new Error(`${where()}: refused: ${(cause as Error).message}`, { cause })
  }
  const kept = liveOn(disk, opened, batch.written, where)
  if (kept < batch.acknowledged) throw new Error(`${where()}: only ${kept} of ${batch.acknowledged} records`)
  return kept - batch.acknowledged
}

/** How many records stand in batches that are whole in `last`, from the first on: each byte is what was written. */
function wholeRecords(batch: LastWrite, last: Buffer): number {
  let records = 0
  for (const { lsn, endLsn, records: more } of batch.batches) {
    const [from, to] = [lsn, endLsn].map((at) => segmentHeaderBytes + at - batch.firstLsn) as [number, number]
    if (last.compare(batch.after, from, to, from, to) !== 0) break
    records += more
  }
  return records
}

/** Stale bytes are whole batches: of an earlier use at the very same LSNs, or of this epoch at other LSNs. */
const rests = [
  'zeros',
  'stale batches of an earlier use',
  'stale batches of another place',
  'random bytes',
] as const

/** The file with the first `bytes` of the write, and something else where the rest should be. */
function torn(
  batch: LastWrite,
  earlier: LastWrite,
  bytes: number,
  rest: (typeof rests)[number],
  random: Random,
): Buffer {
  const last = Buffer.from(batch.before)
  const at = batch.from + bytes
  if (rest === 'random bytes') last.set(random.bytes(batch.to - at + 64), at)
  if (rest === 'stale batches of an earlier use') earlier.after.copy(last, at, at, batch.to)
  if (rest === 'stale batches of another place') batch.before.copy(last, at, segmentHeaderBytes, batch.from)
  batch.after.copy(last, batch.from, batch.from, at)
  return last
}

describe('the last write', () => {
  const smallCount = faultCount('torn-batch', { short: 1_892, full: 1_892 })
  const piecesCount = faultCount('torn-pieces', { short: 400, full: 37_028 })

  it.each([
    ['of small records', [0, 1, 7, 64, 8, 33, 120, 3, 9], 2, smallCount, 1_892],
    ['with a record in pieces', [30, 9000, 17], 1, piecesCount, 37_028],
  ] as const)(
    '%s, torn at a byte, keeps its whole batches before the tear, and none of the torn one, whatever stands after it',
    (_, payloads, segments, count, all) => {
      const batch = batchOf(1, payloads, segments)
      const earlier = batchOf(1, payloads, segments, 1)
      expect([earlier.from, earlier.to]).toEqual([batch.from, batch.to])
      const prefixes = batch.to - batch.from + 1
      expect(prefixes * rests.length).toBe(all)
      for (const place of faultPlaces(count, all)) {
        const bytes = place % prefixes
        const rest = rests[Math.floor(place / prefixes)]!
        const last = torn(batch, earlier, bytes, rest, new Random(place))
        const where = () => `torn at byte ${bytes} of ${prefixes - 1}, then ${rest}`
        const kept = openTorn(batch, last, where)
        const expected = wholeRecords(batch, last)
        if (kept !== expected) throw new Error(`${where()}: ${kept} records of the write and not ${expected}`)
      }
    },
  )

  const sectorCount = faultCount('sectors', { short: 500, full: 50_000 })
  it(`written in sectors in any order keeps what stands whole from its beginning (${sectorCount} subsets)`, () => {
    const shapes = Array.from({ length: 24 }, (_, i) => sectorBatch(100 + i))
    let runs = 0
    let kept = 0
    let partly = 0
    for (const seed of faultCases(sectorCount)) {
      const random = new Random(seed)
      const batch = shapes[seed % shapes.length]!
      const sectorBytes = random.int(2) === 0 ? 512 : 4096
      const survival = random.next()
      const last = Buffer.from(batch.before)
      for (let at = batch.from - (batch.from % sectorBytes); at < batch.to; at += sectorBytes) {
        if (random.next() < survival) batch.after.copy(last, at, at, at + sectorBytes)
      }
      const where = () => `seed ${seed}, sectors of ${sectorBytes} bytes`
      const records = openTorn(batch, last, where)
      const expected = wholeRecords(batch, last)
      if (records !== expected)
        throw new Error(`${where()}: ${records} records of the write and not ${expected}`)
      kept += records
      runs++
      if (records > 0 && records < batch.written.length - batch.acknowledged) partly++
    }
    if (runs >= 500) expect(Math.min(kept, partly)).toBeGreaterThan(10)
  })
})

/** A write over one to thirty-odd sectors of 512 bytes, some with a record in pieces. */
function sectorBatch(seed: number): LastWrite {
  const random = new Random(seed)
  const payloads = Array.from({ length: 2 + random.int(20) }, () =>
    random.int(random.int(4) === 0 ? 3000 : 200),
  )
  if (random.int(3) === 0) payloads.splice(random.int(payloads.length), 0, 5000 + random.int(4000))
  let total = 0
  return batchOf(
    seed,
    payloads.filter((bytes) => (total += bytes + 40) < 17_000),
    random.int(2) === 0 ? 1 : 2,
  )
}
