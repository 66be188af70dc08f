import { describe, expect, it } from 'vitest'
import { BatchDecoder } from '#tidemark/log/format/batch.js'
import { LogProducer } from '#tidemark/log/ring/producer.js'
import { RingReader } from '#tidemark/log/ring/ring-reader.js'
import { inspectLogNow } from '#tidemark/log/tools/inspection.js'
import { InlineLog, inlineDirectory, readRecords, reopen } from '../../support/inline-log.js'
import { logWords } from '../../support/log-words.js'
import { MemoryDisk } from '../../support/memory-disk.js'
import { Random } from '../../support/random.js'

const ringBytes = 64 * 1024

describe('the ring', () => {
  it('gives every record back in order, whatever the sizes and wherever it wraps', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const random = new Random(seed)
      const disk = new MemoryDisk()
      const log = new InlineLog(disk, { segmentBytes: 256 * 1024, ringBytes })
      const sent: Uint8Array[] = []
      const lsns: number[] = []
      for (let i = 0; i < 600; i++) {
        const payload = random.bytes(random.int(random.int(10) === 0 ? 4000 : 90))
        sent.push(payload)
        lsns.push(log.append(payload))
        if (random.int(4) === 0) log.flushAll()
      }
      log.flushAll()
      const records = readRecords(disk, 0, log.released)
      expect(
        records.map(({ lsn }) => lsn),
        `seed ${seed}`,
      ).toEqual(lsns)
      expect(records.map(({ payload }) => Buffer.from(payload).toString('hex'))).toEqual(
        sent.map((payload) => Buffer.from(payload).toString('hex')),
      )
    }
  })

  it('takes exactly what fits and refuses the next byte without claiming it', () => {
    const log = new InlineLog(new MemoryDisk(), { ringBytes, segmentBytes: 256 * 1024 })
    const payload = new Uint8Array(4096 - 40)
    for (let i = 0; i < ringBytes / 4096; i++)
      expect(log.producer.tryAppend(1, 0, payload)).toBe((i + 1) * 4096)
    expect(log.producer.tryAppend(1, 0, new Uint8Array(0))).toBeUndefined()
    expect(log.tail).toBe(ringBytes)
    log.flushAll()
    expect(log.producer.tryAppend(1, 0, payload)).toBe(ringBytes + 4096)
  })

  it('takes a batch whole or not at all', () => {
    const log = new InlineLog(new MemoryDisk(), { ringBytes, segmentBytes: 256 * 1024 })
    const payloads = Array.from({ length: 100 }, () => new Uint8Array(976))
    // Four to a batch: 15 headers.
    const bytes = 60 * 984 + 15 * 32
    expect(log.producer.tryAppendBatch(1, 0, payloads.slice(0, 60))).toBe(bytes)
    expect(log.producer.tryAppendBatch(1, 0, payloads.slice(0, 60))).toBeUndefined()
    // 100 KB never fit into a ring of 64 KiB.
    expect(() => log.producer.tryAppendBatch(1, 0, payloads)).toThrowError(
      expect.objectContaining({ code: 'TIDEMARK_BATCH_TOO_LARGE' }),
    )
    expect(log.tail).toBe(bytes)
    log.flushAll()
    expect(log.producer.tryAppendBatch(1, 0, payloads.slice(0, 60))).toBe(2 * bytes)
    log.flushAll()
    expect(log.released).toBe(2 * bytes)
  })

  it('takes what was staged along with what is appended, within one claim', () => {
    const disk = new MemoryDisk()
    const log = new InlineLog(disk, { ringBytes, segmentBytes: 256 * 1024 })
    const { producer } = log
    const sizes = [10, 20, 4000, 30, 3000, 1500, 40]
    const [a, b, c, d, e, f, g] = sizes.map((bytes, i) => Buffer.alloc(bytes, i + 1)) as Buffer[]
    producer.stage(1, 0, a!)
    expect(producer.tryAppend(1, 0, b!)).toBe(log.tail)
    producer.stage(1, 0, c!)
    // It does not fit beside the last one.
    expect(producer.tryAppend(1, 0, d!)).toBe(log.tail)
    producer.stage(1, 0, e!)
    expect(producer.tryAppendBatch(1, 0, [f!, g!])).toBe(log.tail)
    expect(producer.stagedBytes).toBe(0)
    expect(producer.tryAppendBatch(1, 0, [])).toBe(log.tail)
    producer.stage(1, 0, a!)
    expect(producer.tryAppendSyncMarker()).toBe(log.tail)
    expect(producer.publish()).toBe(log.tail)
    log.flushAll()
    const { records } = reopen(disk)
    expect(records.map(({ payload }) => payload.byteLength)).toEqual([...sizes, 10])
    expect(new Set(records.map(({ payload }, i) => payload[0] === (i % 7) + 1))).toEqual(new Set([true]))
  })

  it('puts no more records into a batch than its header counts, or one where each is synced by itself', () => {
    const megabyte = 1024 * 1024
    const options = { ringBytes: 4 * megabyte, maxBatchBytes: megabyte, segmentBytes: 8 * megabyte }
    for (const [durability, records, batches] of [
      ['group', 0x1_0001, 2],
      ['each', 100, 100],
    ] as const) {
      const disk = new MemoryDisk()
      const log = new InlineLog(disk, { ...options, durability })
      const payloads = Array.from({ length: records }, () => new Uint8Array(0))
      const end = batches * 32 + records * 8
      for (const payload of payloads) log.producer.stage(1, 0, payload)
      expect(log.producer.publish()).toBe(end)
      log.flushAll()
      expect(log.producer.tryAppendBatch(1, 0, payloads)).toBe(2 * end)
      let flushes = 0
      for (; log.released < log.tail; flushes++) log.flusher.flush()
      expect(flushes).toBe(durability === 'each' ? records : 1)
      expect(inspectLogNow(disk, inlineDirectory, {}, { settle: false })).toMatchObject({
        batches: 2 * batches,
        records: 2 * records,
        endLsn: 2 * end,
        damage: [],
      })
    }
  })

  it('works across the wrap of its 32-bit counters', () => {
    const disk = new MemoryDisk()
    const log = new InlineLog(disk, { ringBytes, segmentBytes: 256 * 1024 })
    const words = logWords(log)
    words.published = 0x7ffffff0
    for (let i = 0; i < 64; i++) {
      log.append(new Uint8Array(8))
      log.flushAll()
    }
    expect(words.published).toBe(-0x7fffffd0)
    expect(readRecords(disk, 0, log.released)).toHaveLength(64)
  })

  it('places batches by LSNs beyond 2^32', () => {
    const disk = new MemoryDisk()
    const log = new InlineLog(disk, { ringBytes, segmentBytes: 256 * 1024 })
    const start = 2 ** 32 - 4096
    const words = logWords(log)
    words.claimTail = start
    words.synced = start
    words.released = start
    words.claimLimit = start + ringBytes
    const producer = new LogProducer(log.memory, 1)
    expect(producer.append(1, 0, new Uint8Array(4056))).toBe(start + 4096)
    expect(producer.append(1, 0, new Uint8Array(64))).toBe(2 ** 32 + 104)
    const decoder = new BatchDecoder(4096)
    const ring = Buffer.from(log.memory.ring)
    const seed = logWords(log).crcSeed
    expect(decoder.decode(ring, start % ringBytes, ringBytes, start, seed)).toBe('none')
    expect(decoder.decode(ring, 0, ringBytes, 2 ** 32, seed)).toBe('none')
  })

  it('never shows a reader what is not released, and throws a copy away when the reader was detached', () => {
    const log = new InlineLog(new MemoryDisk(), { ringBytes, segmentBytes: 1024 * 1024 })
    const reader = new RingReader(log.memory)
    reader.request()
    log.flusher.flush()
    log.flusher.advanceLimit()
    expect(reader.attach()).toBe(0)
    const target = new Uint8Array(ringBytes)
    log.append(new Uint8Array(100))
    expect(reader.read(target, log.released)).toBe(0)
    log.flushAll()
    expect(reader.read(target, log.released)).toBe(144)
    for (let i = 0; i < 40; i++) log.append(new Uint8Array(1000))
    log.flushAll()
    expect(reader.detached).toBe(true)
    expect(reader.read(target, log.released)).toBeUndefined()
  })

  it('keeps a reader where it is that was attached above the released LSN, within a record in pieces', () => {
    const log = new InlineLog(new MemoryDisk(), { ringBytes, segmentBytes: 6000 })
    log.producer.append(1, 0, new Uint8Array(9000))
    log.flusher.flush()
    const reader = new RingReader(log.memory)
    reader.request()
    log.flusher.advanceLimit()
    const at = reader.attach()!
    expect(at).toBeGreaterThan(log.released)
    expect(reader.read(new Uint8Array(ringBytes), log.released)).toBe(0)
    expect(reader.attach()).toBe(at)
    log.flushAll()
    expect(reader.read(new Uint8Array(ringBytes), log.released)).toBe(log.released - at)
  })
})
