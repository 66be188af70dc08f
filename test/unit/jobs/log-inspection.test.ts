import * as fs from 'node:fs'
import { describe, expect, it } from 'vitest'
import { encodeEvent } from '#tidemark/jobs/events/event.js'
import {
  countEvents,
  dumpLog,
  JobLog,
  lastEvent,
  logStats,
  type OnProgress,
  readStoredJobs,
  replayLog,
  validateLog,
} from '#tidemark/jobs/index.js'
import { DurableLog, LogProducer } from '#tidemark/log/index.js'
import { temporaryDirectory } from '../../support/temporary.js'
import { collectUncaught } from '../../support/uncaught.js'
import { damage, failureOf, findText, segmentFiles, smallLog, writeRecords } from './support/folders.js'

function record(seq: number, jobId = 'a'): string {
  return encodeEvent(seq, 'ACK', jobId, 1000 + seq, '{}').text
}

async function twoSegments(dir: string): Promise<void> {
  const log = await JobLog.open(dir, smallLog)
  await log.append('ENQUEUE', 'a', { payload: 1 })
  await log.append('DISPATCH', 'a')
  await log.rotate()
  await log.append('ACK', 'a')
  await log.append('ENQUEUE', 'b', { payload: 2 })
  await log.close()
}

describe('a valid log', () => {
  it('is valid, and counted without being opened', async () => {
    const dir = temporaryDirectory()
    await twoSegments(dir)
    expect(validateLog(dir)).toEqual({
      valid: true,
      events: 4,
      firstSeq: 1,
      lastSeq: 4,
      segments: 2,
      damage: [],
      tornEnd: undefined,
    })
    const stats = logStats(dir)
    expect(stats).toMatchObject({ totalEvents: 4, firstSeq: 1, lastSeq: 4, corrupt: 0, segments: 2 })
    expect(stats.byType).toEqual({ ENQUEUE: 2, DISPATCH: 1, ACK: 1, RETRY: 0, TIMEOUT: 0, DEAD: 0 })
    expect(stats.lastAtMs).toBeGreaterThanOrEqual(stats.firstAtMs)
    expect(stats.bytes).toBe(segmentFiles(dir).reduce((sum, file) => sum + fs.statSync(file).size, 0))
    expect(countEvents(dir)).toBe(4)
  })

  it('is whole where the last segment still has the name under which it was made ready, its rename lost', async () => {
    const dir = temporaryDirectory()
    await twoSegments(dir)
    const before = [logStats(dir), validateLog(dir), lastEvent(dir)]
    fs.renameSync(segmentFiles(dir).at(-1)!, `${dir}/spare-7.wal`)
    expect([logStats(dir), validateLog(dir), lastEvent(dir)]).toEqual(before)
    expect(before[0]).toMatchObject({ totalEvents: 4, segments: 2 })
    // The same holds where there is no other segment.
    for (const file of segmentFiles(dir)) fs.rmSync(file)
    expect(countEvents(dir)).toBe(2)
  })

  it('says how far it is read, and each reader calls', async () => {
    const dir = temporaryDirectory()
    const log = await JobLog.open(dir, smallLog)
    const job = { payload: 'x'.repeat(10_000), timeoutMs: 1000, priority: 0, maxAttempts: 1 }
    for (let i = 0; i < 40; i++) await log.append('ENQUEUE', `job ${i}`, job)
    await log.close()
    const readers = {
      validateLog: (onProgress: OnProgress) => void validateLog(dir, { onProgress }),
      dumpLog: (onProgress: OnProgress) => void [...dumpLog(dir, { onProgress })],
      readStoredJobs: async (onProgress: OnProgress) =>
        void (await readStoredJobs(dir, { count: 100, ageMs: Number.POSITIVE_INFINITY }, onProgress)),
    }
    const uncaught = collectUncaught()
    for (const [name, read] of Object.entries(readers)) {
      const seen: number[] = []
      await read((bytesDone, bytesTotal) => {
        expect(bytesTotal).toBe(logStats(dir).bytes)
        seen.push(bytesDone)
      })
      // 400 KB, at most every 64 KiB.
      expect(seen.length, name).toBeGreaterThan(3)
      expect(seen.length, name).toBeLessThan(8)
      expect(seen, name).toEqual(seen.toSorted((a, b) => a - b))
      expect(seen.at(-1), name).toBeGreaterThan(330_000)
      // What the application's function throws is its own: nothing ends for it, or is read again.
      let calls = 0
      await read(() => {
        throw new Error(`call ${++calls}`)
      })
      await new Promise((resolve) => setImmediate(resolve))
      expect(uncaught.splice(0), name).toEqual(seen.map((_, i) => new Error(`call ${i + 1}`)))
    }
    expect(() => validateLog(dir, { onprogress: 1 } as object)).toThrow(/did you mean onProgress/i)
  })

  it('may be looked at beside its owner', async () => {
    const dir = temporaryDirectory()
    await using log = await JobLog.open(dir, smallLog)
    await log.append('ACK', 'a')
    expect(validateLog(dir)).toMatchObject({ valid: true, events: 1 })
    expect(lastEvent(dir)).toMatchObject({ seq: 1, jobId: 'a' })
  })

  it('gives its last event from the last segment that has one', async () => {
    const dir = temporaryDirectory()
    await twoSegments(dir)
    // The first segment is not even looked at.
    damage(segmentFiles(dir)[0]!, 5000, Buffer.alloc(100, 1))
    expect(lastEvent(dir)).toMatchObject({ seq: 4, type: 'ENQUEUE', jobId: 'b' })
  })

  it('gives its last event also when segments without any follow', async () => {
    const dir = temporaryDirectory()
    for (let n = 0; n < 3; n++) {
      const log = await JobLog.open(dir, smallLog)
      if (n === 0) await log.append('ACK', 'a')
      else await log.rotate()
      await log.close()
    }
    expect(lastEvent(dir)).toMatchObject({ seq: 1, jobId: 'a' })
    expect(validateLog(dir)).toMatchObject({ valid: true, events: 1, lastSeq: 1 })
  })

  it('is dumped as asked for', async () => {
    const dir = temporaryDirectory()
    await twoSegments(dir)
    const seqs = (filter: Parameters<typeof dumpLog>[1]) => [...dumpLog(dir, filter)].map(({ seq }) => seq)
    expect(seqs({})).toEqual([1, 2, 3, 4])
    expect(seqs({ fromSeq: 2, toSeq: 3 })).toEqual([2, 3])
    expect(seqs({ types: ['ENQUEUE'] })).toEqual([1, 4])
    expect(seqs({ jobId: 'a' })).toEqual([1, 2, 3])
    const replayed: number[] = []
    expect(await replayLog(dir, (event) => replayed.push(event.seq))).toMatchObject({ events: 4, lastSeq: 4 })
    expect(replayed).toEqual([1, 2, 3, 4])
  })

  it('keeps readable JSON in its files', async () => {
    const dir = temporaryDirectory()
    await twoSegments(dir)
    expect(findText(dir, '{"seq":1,"type":"ENQUEUE","jobId":"a","atMs":').offset).toBeGreaterThan(4095)
  })
})

describe('a folder without events', () => {
  it('has a code of its own', async () => {
    const empty = 'TIDEMARK_JOB_LOG_EMPTY'
    const none = `${temporaryDirectory()}/none`
    for (const dir of [none, temporaryDirectory()]) {
      expect(await failureOf(() => validateLog(dir))).toBe(empty)
      expect(await failureOf(() => logStats(dir))).toBe(empty)
      expect(await failureOf(() => countEvents(dir))).toBe(empty)
      expect(await failureOf(() => [...dumpLog(dir)])).toBe(empty)
      expect(await failureOf(() => replayLog(dir, () => {}))).toBe(empty)
      expect(await failureOf(() => lastEvent(dir))).toBe(empty)
    }
    expect(fs.existsSync(none)).toBe(false)
  })

  it('counts nothing when a log is there', async () => {
    const dir = temporaryDirectory()
    await (await JobLog.open(dir, smallLog)).close()
    expect(logStats(dir)).toMatchObject({
      totalEvents: 0,
      firstSeq: 0,
      lastSeq: 0,
      firstAtMs: 0,
      lastAtMs: 0,
    })
    expect(await failureOf(() => lastEvent(dir))).toBe('TIDEMARK_JOB_LOG_EMPTY')
  })
})

describe('a damaged log', () => {
  it('is reported with every corruption, not only the first', async () => {
    const dir = temporaryDirectory()
    await writeRecords(dir, [
      record(1),
      record(2).replace('"jobId":"a"', '"jobId":"b"'),
      record(3),
      'no json',
      record(5),
      record(8),
      record(8),
      record(9),
    ])
    const { damage: places, ...found } = validateLog(dir)
    expect(found).toMatchObject({ valid: false, events: 6, firstSeq: 1, lastSeq: 9 })
    expect(places.map(({ kind, seq, count }) => ({ kind, seq, count }))).toEqual([
      { kind: 'checksum', seq: 2, count: 1 },
      { kind: 'event', seq: 4, count: 1 },
      { kind: 'sequence', seq: 6, count: 2 },
      { kind: 'sequence', seq: 9, count: 0 },
    ])
    expect(places[0]!.cause).toMatchObject({ code: 'TIDEMARK_JOB_CHECKSUM', seq: 2 })
    expect(logStats(dir).corrupt).toBe(4)
  })

  it('ends a strict replay with the checksum, and a strict dump with the place', async () => {
    const dir = temporaryDirectory()
    await writeRecords(dir, [record(1), record(2).replace('"jobId":"a"', '"jobId":"b"'), record(3)])
    expect(await failureOf(() => replayLog(dir, () => {}))).toBe('TIDEMARK_JOB_CHECKSUM')
    const gap = temporaryDirectory()
    await writeRecords(gap, [record(1), record(3)])
    expect(await failureOf(() => [...dumpLog(gap)])).toBe('TIDEMARK_JOB_LOG_CORRUPT')
    const places: unknown[] = []
    const seqs = [...dumpLog(gap, { onDamage: (damaged) => places.push(damaged) })].map(({ seq }) => seq)
    expect(seqs).toEqual([1, 3])
    expect(places).toMatchObject([{ kind: 'sequence', seq: 2, count: 1 }])
  })

  it('does not pass records of another program for events', async () => {
    const dir = temporaryDirectory()
    await writeRecords(dir, [record(1)])
    await writeRecords(dir, ['other'], 7)
    await writeRecords(dir, ['{"base":"x"}'], 65)
    expect(validateLog(dir).damage).toMatchObject([{ kind: 'format' }, { kind: 'event' }])
  })

  it('does not pass a record in pieces for an event', async () => {
    const dir = temporaryDirectory()
    const log = await DurableLog.open({ dir, kind: 'jobs', ...smallLog })
    const { memory, producerId } = log.producerHandle()
    new LogProducer(memory, producerId).append(64, 0, Buffer.alloc(20_000, 'x'))
    log.append(Buffer.from(record(1)), 64)
    await log.close()
    const { damage: places, events } = validateLog(dir)
    expect(events).toBe(1)
    expect(places.map(({ reason }) => reason)).toContain('a record in pieces')
  })

  it('does not know how many events are missing where none follows', async () => {
    const dir = temporaryDirectory()
    await writeRecords(dir, [record(1), 'x', 'y'])
    expect(validateLog(dir).damage.map(({ seq, count }) => ({ seq, count }))).toEqual([
      { seq: 2, count: undefined },
      { seq: 2, count: undefined },
    ])
  })

  it('reports a note that does not fit the event before it', async () => {
    const dir = temporaryDirectory()
    await writeRecords(dir, [record(1)])
    await writeRecords(dir, ['{"base":4}'], 65)
    await writeRecords(dir, [record(5)])
    expect(validateLog(dir).damage).toMatchObject([{ kind: 'sequence', seq: 2, count: 3 }])
  })

  it('is reported for a segment whose header is gone, and the events of the others are read', async () => {
    const dir = temporaryDirectory()
    const log = await JobLog.open(dir, smallLog)
    for (let n = 1; n <= 3; n++) {
      await log.append('ACK', `job-${n}`)
      await log.rotate()
    }
    await log.close()
    const file = segmentFiles(dir)[1]!
    damage(file, 0, Buffer.alloc(64))
    damage(file, 2048, Buffer.alloc(64))
    const seqs: number[] = []
    const report = await replayLog(dir, (event) => seqs.push(event.seq), { tolerant: true })
    expect(seqs).toEqual([1, 3])
    expect(report.damage).toMatchObject([{ kind: 'record', file, offset: 0, seq: 2, count: 1 }])
    expect(report.damage[0]!.reason).toBe('bad segment header')
  })

  it('is reported for a segment that is missing, and for one that ends too early', async () => {
    const dir = temporaryDirectory()
    const log = await JobLog.open(dir, smallLog)
    for (let n = 1; n <= 4; n++) {
      await log.append('ACK', `job-${n}`)
      await log.rotate()
    }
    await log.close()
    const files = segmentFiles(dir)
    fs.rmSync(files[1]!)
    expect(validateLog(dir).valid).toBe(false)
    fs.truncateSync(files[2]!, 4096)
    const { damage: places } = validateLog(dir)
    expect(places.map(({ reason }) => reason)).toContain('truncated')
    expect(places.at(-1)).toMatchObject({ count: 2 })
  })

  it('is not called corrupt for a torn end, which was never acknowledged', async () => {
    const dir = temporaryDirectory()
    const log = await JobLog.open(dir, smallLog)
    for (let n = 1; n <= 3; n++) void log.append('ACK', `job-${n}`)
    await log.close()
    // Without the sync marker of the clean close nothing proves that the last event was synced.
    const { file, offset } = findText(dir, '{"seq":3')
    const bytes = fs.readFileSync(file)
    fs.writeFileSync(file, Buffer.concat([bytes.subarray(0, offset + 10), Buffer.alloc(4096)]))
    const found = validateLog(dir)
    expect(found).toMatchObject({ valid: true, events: 2, lastSeq: 2 })
    expect(found.tornEnd).toMatchObject({ file, offset: offset - 40 })
    expect(lastEvent(dir).seq).toBe(2)
    expect(logStats(dir).corrupt).toBe(0)
  })
})
