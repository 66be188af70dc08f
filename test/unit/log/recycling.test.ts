import crc32 from 'crc-32'
import { describe, expect, it } from 'vitest'
import type { Disk } from '#tidemark/log/disk/disk.js'
import {
  batchHeaderBytes,
  crcSeedOf,
  recordBytes,
  recordHeaderBytes,
  writeBatchHeader,
  writeRecordHeader,
} from '#tidemark/log/format/batch.js'
import { readSegmentHeader, segmentHeaderBytes } from '#tidemark/log/format/segment.js'
import { FileReader } from '#tidemark/log/read/file-reader.js'
import { inspectLogNow } from '#tidemark/log/tools/inspection.js'
import {
  planRemoval,
  recycledSegmentsMax,
  removeSegments,
  SegmentRemover,
} from '#tidemark/log/tools/segment-removal.js'
import { InlineLog, inlineDirectory, readRecords, reopen } from '../../support/inline-log.js'
import { logWords } from '../../support/log-words.js'
import { MemoryDisk } from '../../support/memory-disk.js'

const segmentBytes = 16 * 1024
const record = (n: number) => Buffer.alloc(100 + (n % 50), n)

const names = (disk: MemoryDisk, pattern: RegExp) =>
  disk
    .list(inlineDirectory)
    .filter((name) => pattern.test(name))
    .sort()
const segments = (disk: MemoryDisk) => names(disk, /^\d+\.wal$/).map((name) => `${inlineDirectory}/${name}`)
const firstLsnOf = (file: string) => Number(/(\d+)\.wal/.exec(file)![1])

/** Appends and flushes until the log has so many segments. */
function grow(disk: MemoryDisk, log: InlineLog, count: number, lsns: number[] = []): number[] {
  while (segments(disk).length < count) {
    log.preallocator.preallocateOnce()
    lsns.push(log.append(record(lsns.length)))
    log.flushAll()
  }
  return lsns
}

/** A log whose last segment stands in a file that was one before, with some records in it. */
function recycled(): { disk: MemoryDisk; log: InlineLog; last: string } {
  const disk = new MemoryDisk()
  const log = new InlineLog(disk)
  grow(disk, log, 3)
  log.removeBefore(log.released)
  // The segment that was ready is taken by the next rotation, the recycled one by the rotation after it.
  grow(disk, log, 3)
  const last = segments(disk).at(-1)!
  expect(readSegmentHeader(disk, last)).toMatchObject({ recycled: true })
  for (let i = 0; i < 10; i++) log.append(record(i))
  log.flushAll()
  return { disk, log, last }
}

/** A batch with one record as the log makes them. */
function batch(options: { lsn: number; epoch: bigint; synced: number; payload: Uint8Array }): Buffer {
  const { lsn, epoch, synced, payload } = options
  const length = batchHeaderBytes + recordBytes(payload.byteLength)
  const words = new Int32Array(length / 4)
  const bytes = Buffer.from(words.buffer)
  writeRecordHeader(words, 8, recordHeaderBytes + payload.byteLength, 1, 0)
  bytes.set(payload, 40)
  const crc = crc32.buf(bytes.subarray(batchHeaderBytes), crcSeedOf(epoch))
  writeBatchHeader(words, 0, length, 1, 1, lsn, synced, 1, crc)
  return bytes
}

describe('a segment that is made ready', () => {
  it('takes four times what the segment of the opening takes, if it is the first, and is filled no further', () => {
    const disk = new MemoryDisk()
    const log = new InlineLog(disk, { initialSegmentBytes: 2 * 1024, firstSegmentBytes: 2 * 1024 })
    const lsns = grow(disk, log, 5)
    for (let i = 0; i < 5; i++) lsns.push(log.append(record(lsns.length)))
    log.flushAll()
    const sizes = segments(disk).map((file) => disk.contentOf(file)!.byteLength - segmentHeaderBytes)
    expect(sizes).toEqual([2, 8, 16, 16, 16].map((kib) => kib * 1024))
    const firstLsns = [...segments(disk).map(firstLsnOf), log.released]
    for (const [i, bytes] of sizes.entries()) {
      expect(firstLsns[i + 1]! - firstLsns[i]!, `segment ${i}`).toBeLessThanOrEqual(bytes)
    }
    expect(readRecords(disk, 0, log.released).map(({ lsn }) => lsn)).toEqual(lsns)
  })
})

describe('a segment that is removed', () => {
  it('is removed by calls that do not block the thread, oldest first', async () => {
    const disk = new MemoryDisk()
    const log = new InlineLog(disk)
    grow(disk, log, 12)
    const before = segments(disk)
    const removal = planRemoval(disk, inlineDirectory, log.released)!
    expect(removal).toEqual({
      firstLsns: before.slice(0, -1).map(firstLsnOf),
      firstLsn: firstLsnOf(before.at(-1)!),
    })
    const gone: string[] = []
    disk.beforeCall = (call, file) => {
      if (call === 'remove' || call === 'rename') gone.push(file)
    }
    // The list has only the calls of `async`.
    await removeSegments({ async: disk.async } as Disk, inlineDirectory, removal, segmentBytes)
    expect(gone).toEqual(before.slice(0, -1))
    expect(segments(disk)).toEqual(before.slice(-1))
    expect(names(disk, /^recycled/).length).toBe(recycledSegmentsMax)
    expect(planRemoval(disk, inlineDirectory, log.released)).toBeUndefined()
  })

  it('stays, with those after it, when the folder is lost meanwhile', async () => {
    const disk = new MemoryDisk()
    const log = new InlineLog(disk)
    grow(disk, log, 5)
    const before = segments(disk)
    const removal = planRemoval(disk, inlineDirectory, log.released)!
    let looks = 0
    const check = () => {
      if (++looks === 3) throw new Error('taken away')
    }
    await expect(removeSegments(disk, inlineDirectory, removal, segmentBytes, check)).rejects.toThrowError(
      /taken away/,
    )
    expect(segments(disk)).toEqual(before.slice(2))
  })

  it('is completed by the next one, were that for less, when it failed', async () => {
    const disk = new MemoryDisk()
    const log = new InlineLog(disk)
    grow(disk, log, 5)
    const before = segments(disk)
    let looks = 0
    const remover = new SegmentRemover({
      disk,
      directory: inlineDirectory,
      segmentBytes,
      firstLsn: 0,
      check: () => {
        if (++looks === 2) throw new Error('the disk is gone')
      },
    })
    await expect(remover.removeBelow(() => firstLsnOf(before[3]!))).rejects.toThrow('the disk is gone')
    expect(remover.firstLsn).toBe(firstLsnOf(before[3]!))
    expect(segments(disk)).toEqual(before.slice(1))
    expect(await remover.removeBelow(() => firstLsnOf(before[2]!))).toBe(firstLsnOf(before[3]!))
    expect(segments(disk)).toEqual(before.slice(3))
  })

  it('leaves whole records only, wherever the power fails meanwhile', () => {
    const whole = new MemoryDisk()
    const log = new InlineLog(whole)
    const payloads = new Map<number, Buffer>()
    for (let n = 0; n < 60; n++) {
      // More than a batch holds: such a record may begin in one segment and end in the next.
      const payload = Buffer.alloc(5000 + 333 * (n % 11), n)
      payloads.set(log.producer.append(1, 0, payload), payload)
      log.flushAll()
    }
    const { firstLsns } = planRemoval(whole, inlineDirectory, log.released)!
    const within = firstLsns.filter((_, i) => readSegmentHeader(whole, segments(whole)[i]!)?.withinRecord)
    expect(within.length).toBeGreaterThan(2)
    for (let gone = 1; gone <= firstLsns.length; gone++) {
      const disk = whole.clone()
      for (const file of segments(disk).slice(0, gone)) disk.remove(file)
      const { records } = reopen(disk)
      expect(records.length).toBeGreaterThan(0)
      expect(records.filter(({ lsn, payload }) => !payloads.get(lsn)?.equals(payload))).toEqual([])
    }
  })

  it('becomes the next segment without being filled with zeros again, under a wiped header', () => {
    const disk = new MemoryDisk()
    const log = new InlineLog(disk)
    grow(disk, log, 3)
    log.removeBefore(log.released)
    expect(names(disk, /^recycled/)).toHaveLength(2)
    log.append(record(0))
    log.preallocator.preallocateOnce()
    const before = disk.calls.length
    while (!log.preallocator.preallocateOnce()) {
      log.append(record(1))
      log.flushAll()
    }
    const calls = disk.calls.slice(before).filter((call) => /(spare|recycled)-/.test(call))
    expect(calls.filter((call) => call.startsWith('write recycled'))).toHaveLength(1)
    const [recycled] = names(disk, /^spare/)
    const content = disk.contentOf(`${inlineDirectory}/${recycled}`)!
    expect(content.byteLength).toBe(segmentHeaderBytes + segmentBytes)
    expect(content.subarray(0, segmentHeaderBytes).every((byte) => byte === 0)).toBe(true)
    expect(content.subarray(segmentHeaderBytes).some((byte) => byte !== 0)).toBe(true)
  })

  it('is kept only while fewer than recycledSegmentsMax wait, and only if it has the size of a whole one', () => {
    const disk = new MemoryDisk()
    const log = new InlineLog(disk, { initialSegmentBytes: 8 * 1024 })
    grow(disk, log, recycledSegmentsMax + 4)
    expect(log.removeBefore(log.released)).toBe(firstLsnOf(segments(disk)[0]!))
    expect(segments(disk)).toHaveLength(1)
    // The first one was the opening's, and small.
    const kept = names(disk, /^recycled/)
    expect(kept).toHaveLength(recycledSegmentsMax)
    expect(kept[0]).not.toContain('00000000000000000000')
  })

  it('is not used again when its new name could not be synced', () => {
    const disk = new MemoryDisk()
    const log = new InlineLog(disk)
    grow(disk, log, 4)
    disk.beforeCall = (call) => {
      if (call === 'syncDirectory') throw Object.assign(new Error('EIO: injected'), { code: 'EIO' })
    }
    expect(() => log.removeBefore(log.released)).toThrowError(
      expect.objectContaining({ code: 'TIDEMARK_LOG_IO' }),
    )
    expect(names(disk, /^recycled/)).toEqual([])
  })

  it('leaves no file for the next opening', () => {
    const disk = new MemoryDisk()
    const log = new InlineLog(disk)
    grow(disk, log, 4)
    const firstLsn = log.removeBefore(log.released)
    const { log: again } = reopen(disk)
    expect(names(disk, /^(recycled|spare)/)).toEqual([])
    const endLsn = log.tail + batchHeaderBytes
    expect(again.recovered.report).toMatchObject({ firstLsn, endLsn, tornTail: undefined })
  })

  it('gives a reader that is in it TIDEMARK_BAD_LSN when its bytes are others', () => {
    const disk = new MemoryDisk()
    const log = new InlineLog(disk)
    const lsns = grow(disk, log, 3)
    const reader = new FileReader(disk, inlineDirectory, 0)
    expect(reader.nextSync(lsns[2]!)).toBeDefined()
    log.removeBefore(log.released)
    const file = disk.open(`${inlineDirectory}/${names(disk, /^recycled/)[0]}`, 'write')
    disk.write(file, [Buffer.alloc(segmentBytes, 9)], segmentHeaderBytes)
    expect(() => reader.nextSync(lsns[20]!)).toThrowError(
      expect.objectContaining({ code: 'TIDEMARK_BAD_LSN' }),
    )
  })

  it('is found whole under its name, or not at all, when the power fails while the preallocator takes it up', () => {
    const disk = new MemoryDisk()
    const log = new InlineLog(disk)
    grow(disk, log, 4)
    // The segment that is ready is taken, so that the preallocator makes the next one.
    while (segments(disk).length < 5) {
      log.append(record(7))
      log.flushAll()
    }
    const tail = log.tail + batchHeaderBytes
    let cuts = 0
    let preallocating = false
    disk.beforeCall = (call) => {
      if (call === 'syncDirectory' && !preallocating) {
        // Before the removal is durable, the preallocator is at work already.
        preallocating = true
        log.preallocator.preallocateOnce()
        preallocating = false
      }
      for (const survives of [() => false, () => true]) {
        const { log: again } = reopen(disk.powerCut(survives))
        expect(again.tail, `cut ${cuts} at ${call}`).toBe(tail)
        cuts++
      }
    }
    log.removeBefore(log.released)
    log.preallocator.preallocateOnce()
    expect(cuts).toBeGreaterThan(6)
  })
})

describe('a segment in a file that was used before', () => {
  it('ends where its own batches end, with nothing torn', () => {
    const { disk, log } = recycled()
    expect(inspectLogNow(disk, inlineDirectory, {}, { settle: false })).toMatchObject({
      damage: [],
      endLsn: log.tail,
    })
    expect(reopen(disk.clone()).log.recovered.report).toMatchObject({
      endLsn: log.tail + batchHeaderBytes,
      tornTail: undefined,
    })
  })

  it('takes no batch of the earlier use for its own, nor its synced LSN for a proof', () => {
    const { disk, log, last } = recycled()
    const header = readSegmentHeader(disk, last)!
    const firstLsn = header.firstLsn
    const content = disk.contentOf(last)!
    const at = log.tail + 512
    const payload = Buffer.alloc(40, 5)
    const stale = [
      // The same epoch, a valid CRC, a high synced LSN: but the LSN of the place in an earlier use.
      { lsn: at - 2 * segmentBytes, epoch: header.epoch, synced: at - 2 * segmentBytes },
      // The LSN of this place, but under another epoch.
      { lsn: at, epoch: header.epoch + 1n, synced: at },
    ]
    for (const [i, one] of stale.entries()) {
      const image = disk.clone()
      const bytes = Buffer.from(content)
      batch({ ...one, payload }).copy(bytes, segmentHeaderBytes + at - firstLsn)
      image.replace(last, bytes)
      const { report } = reopen(image).log.recovered
      expect(report.endLsn, `batch ${i}`).toBe(log.tail + batchHeaderBytes)
      if (i === 0) expect(report.tornTail).toBeUndefined()
    }
    // What proves it is a batch of this use: then the place between was synced, and is damaged.
    const proof = Buffer.from(content)
    batch({ lsn: at, epoch: header.epoch, synced: at, payload }).copy(
      proof,
      segmentHeaderBytes + at - firstLsn,
    )
    disk.replace(last, proof)
    expect(() => reopen(disk)).toThrowError(expect.objectContaining({ code: 'TIDEMARK_LOG_CORRUPT' }))
  })

  it('that ends within a batch is cut there, and the cut is reported', () => {
    const { disk, log, last } = recycled()
    const before = log.tail
    const stale = disk.contentOf(last)!
    log.append(Buffer.alloc(1000, 3))
    log.flushAll()
    const { firstLsn } = readSegmentHeader(disk, last)!
    const from = segmentHeaderBytes + before - firstLsn
    // The header of the batch got to the disk, the rest of it is what was there before.
    const torn = Buffer.from(stale)
    disk.contentOf(last)!.copy(torn, from, from, from + 100)
    disk.replace(last, torn)
    const inspection = inspectLogNow(disk, inlineDirectory, {}, { settle: false })
    expect(inspection.damage).toMatchObject([{ kind: 'torn-tail', lsn: before }])
    const { log: again } = reopen(disk)
    expect(again.recovered.report).toMatchObject({
      endLsn: before + batchHeaderBytes,
      tornTail: { lsn: before },
    })
    const lsn = again.append(Buffer.from('after it'))
    again.flushAll()
    expect(reopen(disk.powerCut()).records.at(-1)).toMatchObject({ lsn })
  })

  it('that is sealed half full is checked to its end and no further', () => {
    const { disk, log } = recycled()
    const lsns = [log.tail]
    logWords(log).rotationsRequested += 1
    log.flusher.completeRotation()
    lsns.push(log.append(Buffer.from('in the next segment')))
    log.flushAll()
    const { firstLsn } = log.recovered.report
    expect(firstLsn).toBe(0)
    const kept = readRecords(disk, firstLsnOf(segments(disk)[0]!), log.tail).map(({ lsn }) => lsn)
    expect(kept.slice(-2)).toEqual(lsns)
    expect(reopen(disk).records.map(({ lsn }) => lsn)).toEqual(kept)
  })
})
