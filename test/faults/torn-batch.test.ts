import { describe, expect, it } from 'vitest'
import { segmentHeaderBytes } from '#tidemark/log/format/segment.js'
import { segmentPaths } from '../support/damaged-log.js'
import { describeSegments, type FaultFrame, liveOn, recover, type Written } from '../support/fault-log.js'
import { faultCases, faultCount, faultPlaces } from '../support/fault-tier.js'
import { fixClock, fixEpochs, freeEntropy } from '../support/fixed-entropy.js'
import { InlineLog } from '../support/inline-log.js'
import { MemoryDisk } from '../support/memory-disk.js'
import { Random } from '../support/random.js'

/** A log whose last batch was written and not synced when the machine failed. */
interface Batch {
  readonly path: string
  /** The last segment's file before the batch was written, and with it. */
  readonly before: Buffer
  readonly after: Buffer
  /** Bytes of the file that the batch takes. */
  readonly from: number
  readonly to: number
  readonly firstLsn: number
  readonly frames: readonly FaultFrame[]
  readonly written: readonly Written[]
  readonly acknowledged: number
  /** The files below the last. */
  readonly others: ReadonlyMap<string, Buffer>
}

/**
 * `payloads` in one batch, after records that were synced, so that the log has `segments` segments. Another `use` of
 * the same seed gives records of the same sizes with other bytes, under other epochs.
 */
function batchOf(seed: number, payloads: readonly number[], segments: 1 | 2, use = 0): Batch {
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
    for (const bytes of payloads) append(bytes)
    log.flushAll()
    const after = disk.contentOf(path)!
    const last = describeSegments(disk, log.released).at(-1)!
    const paths = segmentPaths(disk)
    if (paths.at(-1) !== path || paths.length !== segments) throw new Error('the batch is not in one segment')
    const byte = (lsn: number) => segmentHeaderBytes + lsn - last.firstLsn
    return {
      path,
      before,
      after,
      from: byte(from),
      to: byte(log.released),
      firstLsn: last.firstLsn,
      frames: last.frames.filter(({ lsn }) => lsn >= from),
      written,
      acknowledged,
      others: new Map(paths.slice(0, -1).map((other) => [other, disk.contentOf(other)!])),
    }
  } finally {
    freeEntropy()
  }
}

function diskOf(batch: Batch, last: Buffer): MemoryDisk {
  const disk = new MemoryDisk()
  for (const [path, content] of batch.others) disk.replace(path, content)
  disk.replace(batch.path, last)
  return disk
}

/** Opens what is left of a batch: nothing of what was acknowledged before is gone; returns how many groups were kept. */
function openTorn(batch: Batch, last: Buffer, where: () => string): number {
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

/** How many groups of the batch stand whole in `last`, from the first on: each of their bytes is what was written. */
function wholeGroups(batch: Batch, last: Buffer): number {
  let groups = 0
  for (const { lsn, payloadEndLsn, endsGroup } of batch.frames) {
    const [from, to] = [lsn, payloadEndLsn].map((at) => segmentHeaderBytes + at - batch.firstLsn) as [
      number,
      number,
    ]
    if (last.compare(batch.after, from, to, from, to) !== 0) break
    if (endsGroup) groups++
  }
  return groups
}

/** Stale bytes are whole frames: of an earlier use at the very same LSNs, or of this epoch at other LSNs. */
const rests = [
  'zeros',
  'stale frames of an earlier use',
  'stale frames of another place',
  'random bytes',
] as const

/** The file with the first `bytes` of the batch, and something else where the rest should be. */
function torn(
  batch: Batch,
  earlier: Batch,
  bytes: number,
  rest: (typeof rests)[number],
  random: Random,
): Buffer {
  const last = Buffer.from(batch.before)
  const at = batch.from + bytes
  if (rest === 'random bytes') last.set(random.bytes(batch.to - at + 64), at)
  if (rest === 'stale frames of an earlier use') earlier.after.copy(last, at, at, batch.to)
  if (rest === 'stale frames of another place') batch.before.copy(last, at, segmentHeaderBytes, batch.from)
  batch.after.copy(last, batch.from, batch.from, at)
  return last
}

describe('the last batch', () => {
  const smallCount = faultCount('torn-batch', { short: 2_244, full: 2_244 })
  const piecesCount = faultCount('torn-pieces', { short: 400, full: 36_868 })

  it.each([
    ['of small groups', [0, 1, 7, 64, 8, 33, 120, 3, 9], 2, smallCount, 2_244],
    ['with a group in pieces', [30, 9000, 17], 1, piecesCount, 36_868],
  ] as const)(
    '%s, torn at a byte, keeps its whole groups before the tear, whatever stands after it',
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
        const expected = wholeGroups(batch, last)
        if (kept !== expected) throw new Error(`${where()}: ${kept} groups of the batch and not ${expected}`)
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
      const groups = openTorn(batch, last, where)
      const expected = wholeGroups(batch, last)
      if (groups !== expected)
        throw new Error(`${where()}: ${groups} groups of the batch and not ${expected}`)
      kept += groups
      runs++
      if (groups > 0 && groups < batch.written.length - batch.acknowledged) partly++
    }
    if (runs >= 500) expect(Math.min(kept, partly)).toBeGreaterThan(10)
  })
})

/** A batch over one to thirty-odd sectors of 512 bytes, some with a group in pieces. */
function sectorBatch(seed: number): Batch {
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
