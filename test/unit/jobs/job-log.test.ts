import * as fs from 'node:fs'
import * as path from 'node:path'
import { describe, expect, it } from 'vitest'
import { dumpLog, type JobEvent, JobLog, type JobLogDamage, lastEvent } from '#tidemark/jobs/index.js'
import { DurableLog } from '#tidemark/log/index.js'
import { temporaryDirectory } from '../../support/temporary.js'
import {
  codeOf,
  damage,
  failureOf,
  findText,
  segmentFiles,
  smallLog,
  writeRecords,
} from './support/folders.js'

async function filled(dir: string, events: number): Promise<void> {
  const log = await JobLog.open(dir, smallLog)
  for (let n = 1; n <= events; n++) void log.append('ENQUEUE', `job-${n}`, { n })
  await log.close()
}

async function replayed(log: JobLog): Promise<JobEvent[]> {
  const events: JobEvent[] = []
  await log.replay((event) => events.push(event))
  return events
}

describe('JobLog', () => {
  it("names the folder when its last record is not a job log's", async () => {
    const dir = temporaryDirectory()
    const log = await DurableLog.open({ dir, kind: 'jobs' })
    log.append(new Uint8Array(8), 1)
    await log.close()
    await expect(JobLog.open(dir)).rejects.toMatchObject({
      code: 'TIDEMARK_JOB_LOG_CORRUPT',
      message: expect.stringContaining(`The log in ${dir} ends with a record of type 1`),
    })
  })

  it('numbers events from 1 on and continues the numbers after it was closed', async () => {
    const dir = temporaryDirectory()
    const first = await JobLog.open(dir, smallLog)
    expect(first.lastSeq).toBe(0)
    const event = await first.append('ENQUEUE', 'a', { payload: { deep: [1, 'ä', null] } })
    expect(event).toMatchObject({
      seq: 1,
      type: 'ENQUEUE',
      jobId: 'a',
      detail: { payload: { deep: [1, 'ä', null] } },
    })
    expect(first.durableLsn).toBe(first.tailLsn)
    await first.append('DISPATCH', 'a')
    await first.close()
    await using second = await JobLog.open(dir, smallLog)
    expect(second.lastSeq).toBe(2)
    expect((await second.append('ACK', 'a')).seq).toBe(3)
    expect((await replayed(second)).map(({ seq, type }) => `${seq} ${type}`)).toEqual([
      '1 ENQUEUE',
      '2 DISPATCH',
      '3 ACK',
    ])
  })

  it('keeps the order of the sequence in the file when many callers append at once', async () => {
    const dir = temporaryDirectory()
    const log = await JobLog.open(dir, smallLog)
    const given: JobEvent[] = []
    const caller = async (name: string) => {
      for (let n = 0; n < 50; n++) given.push(await log.append('ACK', `${name}-${n}`, { pad: 'x'.repeat(n) }))
    }
    await Promise.all(Array.from({ length: 40 }, (_, n) => caller(`caller-${n}`)))
    await log.close()
    const read = [...dumpLog(dir)]
    expect(read.map(({ seq }) => seq)).toEqual(Array.from({ length: 2000 }, (_, n) => n + 1))
    expect(new Map(read.map((event) => [event.seq, event]))).toEqual(
      new Map(given.map((event) => [event.seq, event])),
    )
    expect(segmentFiles(dir).length).toBeGreaterThan(1)
  })

  it('makes callers wait in order when the ring is full', async () => {
    const dir = temporaryDirectory()
    const log = await JobLog.open(dir, smallLog)
    const many = Array.from({ length: 500 }, (_, n) =>
      log.append('ENQUEUE', `job-${n}`, { pad: 'x'.repeat(1000) }),
    )
    expect(log.waitingSteps).toBeGreaterThan(100)
    const events = await Promise.all(many)
    expect(events.map(({ seq, jobId }) => `${seq} ${jobId}`)).toEqual(
      Array.from({ length: 500 }, (_, n) => `${n + 1} job-${n}`),
    )
    expect(log.waitingSteps).toBe(0)
    await log.close()
    expect([...dumpLog(dir)].map(({ jobId }) => jobId)).toEqual(events.map(({ jobId }) => jobId))
  })

  it('appends entries of more bytes than the ring, in order and not mixed with each other', async () => {
    const dir = temporaryDirectory()
    const log = await JobLog.open(dir, smallLog)
    const entries = (name: string) =>
      Array.from({ length: 300 }, (_, n) => ({
        type: 'ENQUEUE' as const,
        jobId: `${name}-${n}`,
        detailJson: `{"pad":"${'x'.repeat(500)}"}`,
      }))
    const [a, b] = await Promise.all([log.appendMany(entries('a')), log.appendMany(entries('b'))])
    expect([a, b]).toEqual([300, 600])
    expect(await log.appendMany([])).toBe(600)
    await log.close()
    expect([...dumpLog(dir)].map(({ jobId }) => jobId)).toEqual(
      [...entries('a'), ...entries('b')].map(({ jobId }) => jobId),
    )
  })

  it('continues the numbers when rotation and removal have left no event', async () => {
    const dir = temporaryDirectory()
    const log = await JobLog.open(dir, smallLog)
    for (let n = 0; n < 10; n++) await log.append('ACK', 'a')
    const firstLsn = await log.rotate()
    expect(await log.removeBefore(firstLsn)).toBe(firstLsn)
    expect(log.stats().rotations).toBe(1)
    await log.close()
    const again = await JobLog.open(dir, smallLog)
    expect(again.lastSeq).toBe(10)
    expect((await again.append('ACK', 'a')).seq).toBe(11)
    await again.close()
    expect(lastEvent(dir).seq).toBe(11)
    expect([...dumpLog(dir)].map(({ seq }) => seq)).toEqual([11])
  })

  it('never resets the numbers over many rotations', async () => {
    const dir = temporaryDirectory()
    const log = await JobLog.open(dir, smallLog)
    for (let n = 1; n <= 5; n++) {
      expect((await log.append('ACK', 'a')).seq).toBe(n)
      await log.rotate()
    }
    await log.close()
    expect([...dumpLog(dir)].map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5])
  })

  it('refuses an event that is none, or too large, and nothing is appended', async () => {
    await using log = await JobLog.open(temporaryDirectory(), smallLog)
    const bad = 'TIDEMARK_JOB_BAD_EVENT'
    expect(await failureOf(() => log.append('NEW' as 'ACK', 'a'))).toBe(bad)
    expect(await failureOf(() => log.append('ACK', ''))).toBe(bad)
    expect(await failureOf(() => log.append('ACK', 'a', { n: 1n }))).toBe(bad)
    expect(await failureOf(() => log.append('ACK', 'a', { pad: 'x'.repeat(20_000) }))).toBe(bad)
    expect(await failureOf(() => log.append('ACK', 'a', { pad: 'ä'.repeat(9000) }))).toBe(bad)
    const large = {
      type: 'ACK' as const,
      jobId: 'a',
      detailJson: JSON.stringify({ pad: 'x'.repeat(20_000) }),
    }
    expect(await failureOf(() => log.appendMany([large]))).toBe(bad)
    expect((await log.append('ACK', 'a', { pad: 'x'.repeat(log.recordBytesMax - 200) })).seq).toBe(1)
  })

  it('says with a code that it is closed', async () => {
    const log = await JobLog.open(temporaryDirectory(), smallLog)
    await log.append('ACK', 'a')
    await log.close()
    const closed = 'TIDEMARK_JOB_LOG_CLOSED'
    expect(await failureOf(() => log.append('ACK', 'a'))).toBe(closed)
    expect(await failureOf(() => log.appendMany([{ type: 'ACK', jobId: 'a', detailJson: '{}' }]))).toBe(
      closed,
    )
    expect(await failureOf(() => log.replay(() => {}))).toBe(closed)
    expect(await failureOf(() => log.rotate())).toBe(closed)
    expect(await failureOf(() => log.removeBefore(0))).toBe(closed)
    expect(() => log.appendNow('ACK', 'a', {})).toThrow(expect.objectContaining({ code: closed }))
    await log.close()
  })

  it('closes after appends that wait for the ring, and takes no later ones', async () => {
    const dir = temporaryDirectory()
    const log = await JobLog.open(dir, smallLog)
    const before = Array.from({ length: 200 }, () => log.append('ACK', 'a', { pad: 'x'.repeat(1000) }))
    expect(log.waitingSteps).toBeGreaterThan(0)
    const closed = log.close()
    expect(await failureOf(() => log.append('ACK', 'late'))).toBe('TIDEMARK_JOB_LOG_CLOSED')
    await Promise.all(before)
    await closed
    expect(lastEvent(dir)).toMatchObject({ seq: 200, jobId: 'a' })
  })

  it('rejects with a code when a sync failed, both appends that wait and later ones', async () => {
    const log = await JobLog.open(temporaryDirectory(), smallLog)
    const emitted: string[] = []
    log.on('error', (error) => emitted.push(codeOf(error)))
    const waiting = Array.from({ length: 300 }, () => log.append('ACK', 'a', { pad: 'x'.repeat(1000) }))
    const settled = Promise.allSettled(waiting)
    log.poison(new Error('EIO'))
    const results = await settled
    expect(results.at(-1)).toMatchObject({ status: 'rejected', reason: { code: 'TIDEMARK_JOB_SYNC_FAILED' } })
    expect(await failureOf(() => log.append('ACK', 'a'))).toBe('TIDEMARK_JOB_SYNC_FAILED')
    expect(await failureOf(() => log.rotate())).toBe('TIDEMARK_JOB_SYNC_FAILED')
    expect(emitted).toEqual(['TIDEMARK_JOB_SYNC_FAILED'])
    await log.close()
  })

  it('is for one owner', async () => {
    const dir = temporaryDirectory()
    await using _log = await JobLog.open(dir, smallLog)
    expect(await failureOf(() => JobLog.open(dir, smallLog))).toBe('TIDEMARK_LOG_LOCKED')
  })

  it('cuts a torn end and says so', async () => {
    const dir = temporaryDirectory()
    await filled(dir, 3)
    const file = segmentFiles(dir).at(-1)!
    const end = fs.readFileSync(file).lastIndexOf('"checksum"')
    const size = fs.statSync(file).size
    fs.truncateSync(file, end + 100)
    fs.appendFileSync(file, Buffer.alloc(200, 7))
    expect(size).toBeGreaterThan(0)
    await using log = await JobLog.open(dir, smallLog)
    expect(log.recovery.tornTail).toBeDefined()
    expect(log.lastSeq).toBe(3)
  })

  it('refuses a log that is corrupt', async () => {
    const dir = temporaryDirectory()
    await filled(dir, 3)
    const { file, offset } = findText(dir, '"jobId":"job-2"')
    damage(file, offset)
    expect(await failureOf(() => JobLog.open(dir, smallLog))).toBe('TIDEMARK_JOB_LOG_CORRUPT')
  })

  it('refuses a folder whose last record is no event, and releases its lock', async () => {
    const dir = temporaryDirectory()
    await writeRecords(dir, ['{"not":"an event"}'])
    expect(await failureOf(() => JobLog.open(dir, smallLog))).toBe('TIDEMARK_JOB_LOG_CORRUPT')
    expect(await failureOf(() => JobLog.open(dir, smallLog))).toBe('TIDEMARK_JOB_LOG_CORRUPT')
  })

  it('takes its segment size from the environment before its own default', async () => {
    const dir = temporaryDirectory()
    process.env['TIDEMARK_SEGMENT_BYTES'] = '1048576'
    try {
      const log = await JobLog.open(dir)
      await log.rotate()
      await log.close()
    } finally {
      delete process.env['TIDEMARK_SEGMENT_BYTES']
    }
    expect(fs.statSync(segmentFiles(dir).at(-1)!).size).toBe(1_048_576 + 4096)
  })
})

describe('replay', () => {
  it('ends at the last event that was appended before it began, and does not hold appends up', async () => {
    const log = await JobLog.open(temporaryDirectory(), smallLog)
    for (let n = 0; n < 100; n++) void log.append('ACK', 'before')
    const seen: string[] = []
    let meanwhile: Promise<unknown> | undefined
    const report = await log.replay(async (event) => {
      seen.push(event.jobId)
      meanwhile ??= Promise.all(Array.from({ length: 500 }, () => log.append('ACK', 'meanwhile')))
      await meanwhile
    })
    expect(seen).toEqual(Array.from({ length: 100 }, () => 'before'))
    expect(report).toEqual({ events: 100, lastSeq: 100, damage: [], skipped: 0 })
    expect(log.lastSeq).toBe(600)
    await log.close()
  })

  it('includes events that were not yet on disk when it began', async () => {
    const log = await JobLog.open(temporaryDirectory(), smallLog)
    const last = log.append('ACK', 'a')
    expect((await log.replay(() => {})).events).toBe(1)
    await last
    await log.close()
  })

  it('continues after an LSN', async () => {
    const log = await JobLog.open(temporaryDirectory(), smallLog)
    const lsns: number[] = []
    for (let n = 0; n < 5; n++) await log.append('ACK', 'a')
    await log.replay((_event, lsn) => lsns.push(lsn))
    const seqs: number[] = []
    await log.replay((event) => seqs.push(event.seq), { fromLsn: lsns[2]!, afterSeq: 3 })
    expect(seqs).toEqual([4, 5])
    expect(await failureOf(() => log.replay(() => {}, { fromLsn: lsns[2]!, afterSeq: 2 }))).toBe(
      'TIDEMARK_JOB_LOG_CORRUPT',
    )
    await log.close()
  })

  it('ends with what the handler throws', async () => {
    await using log = await JobLog.open(temporaryDirectory(), smallLog)
    await log.append('ACK', 'a')
    await expect(
      log.replay(() => {
        throw new Error('enough')
      }),
    ).rejects.toThrow('enough')
  })

  it('hands the event loop back now and then', async () => {
    const log = await JobLog.open(temporaryDirectory(), smallLog)
    for (let n = 0; n < 4500; n++) void log.append('ACK', 'a')
    await log.append('ACK', 'last')
    const turns: number[] = []
    let events = 0
    const next = () => {
      turns.push(events)
      immediate = setImmediate(next)
    }
    let immediate = setImmediate(next)
    await log.replay(() => events++)
    clearImmediate(immediate)
    expect(turns.filter((count) => count > 0 && count < 4501).length).toBeGreaterThan(0)
    await log.close()
  })

  it('stops at the first damage when it is strict, and skips and reports it when it is tolerant', async () => {
    const dir = temporaryDirectory()
    const log = await JobLog.open(dir, smallLog)
    for (let n = 1; n <= 6; n++) await log.append('ENQUEUE', `job-${n}`, { n })
    for (const n of [2, 3, 5]) {
      const { file, offset } = findText(dir, `"jobId":"job-${n}"`)
      damage(file, offset)
    }
    const strict: number[] = []
    expect(await failureOf(() => log.replay((event) => strict.push(event.seq)))).toBe(
      'TIDEMARK_JOB_LOG_CORRUPT',
    )
    expect(strict).toEqual([1])
    const seqs: number[] = []
    const found: JobLogDamage[] = []
    const report = await log.replay((event) => seqs.push(event.seq), {
      tolerant: true,
      onDamage: (damaged) => found.push(damaged),
    })
    expect(seqs).toEqual([1, 4, 6])
    expect(found.map(({ kind, seq, count, reason }) => ({ kind, seq, count, reason }))).toEqual([
      { kind: 'record', seq: 2, count: 2, reason: 'bad-crc' },
      { kind: 'record', seq: 5, count: 1, reason: 'bad-crc' },
    ])
    const at = findText(dir, '"seq":2,')
    expect(found[0]).toMatchObject({ file: at.file, offset: at.offset - 41 })
    expect(report).toMatchObject({ events: 3, lastSeq: 6, skipped: 3 })
    log.poison(new Error('enough'))
    await log.close()
    expect(path.dirname(at.file)).toBe(dir)
  })
})

describe('an event that is appended out of a field of another one', () => {
  it('has a sequence number of its own', async () => {
    const log = await JobLog.open(temporaryDirectory(), smallLog)
    const nested: Promise<unknown>[] = []
    const entry = {
      type: 'ACK' as const,
      jobId: 'outer',
      get detailJson() {
        if (nested.length === 0) nested.push(log.append('ACK', 'inner'))
        return '{}'
      },
    }
    await log.appendMany([entry, { type: 'ACK', jobId: 'last', detailJson: '{}' }])
    await Promise.all(nested)
    await log.close()
    const events = [...dumpLog(log.dir)].map(({ seq, jobId }) => [seq, jobId])
    expect(events).toEqual([
      [1, 'inner'],
      [2, 'outer'],
      [3, 'last'],
    ])
  })

  it('is read once, when it is appended, however often its step runs', async () => {
    const log = await JobLog.open(temporaryDirectory(), smallLog)
    let reads = 0
    const detail = {
      toJSON() {
        return { reads: ++reads }
      },
    }
    const fill = Array.from({ length: 500 }, (_, i) => log.append('ACK', `${i}`, { text: 'x'.repeat(500) }))
    const last = log.append('ACK', 'last', detail)
    expect(reads).toBe(1)
    await Promise.all([...fill, last])
    expect(reads).toBe(1)
    await log.close()
  })
})
