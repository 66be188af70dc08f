import { describe, expect, it } from 'vitest'
import { BatchWriter, dumpLog, JobLog } from '#tidemark/jobs/index.js'
import { temporaryDirectory } from '../../support/temporary.js'
import { failureOf, smallLog } from './support/folders.js'

async function opened(): Promise<JobLog> {
  return JobLog.open(temporaryDirectory(), smallLog)
}

describe('BatchWriter', () => {
  it('writes a batch when it has its size, and all of it is on disk when an append resolves', async () => {
    const log = await opened()
    const writer = new BatchWriter(log, { size: 3, intervalMs: 60_000 })
    const first = writer.append('ACK', 'a')
    void writer.append('ACK', 'b')
    expect(writer.pending).toBe(2)
    expect(log.lastSeq).toBe(0)
    void writer.append('ACK', 'c')
    expect(writer.pending).toBe(0)
    await first
    expect(log.lastSeq).toBe(3)
    expect(log.durableLsn).toBe(log.tailLsn)
    await log.close()
    expect([...dumpLog(log.dir)].map(({ jobId }) => jobId)).toEqual(['a', 'b', 'c'])
  })

  it('writes a batch when its first event is old enough', async () => {
    const log = await opened()
    const writer = new BatchWriter(log, { size: 1000, intervalMs: 5 })
    await writer.append('ACK', 'a')
    expect(log.lastSeq).toBe(1)
    await log.close()
  })

  it('flushes what is gathered, and waits for the batches before', async () => {
    const log = await opened()
    const writer = new BatchWriter(log, { size: 10, intervalMs: 60_000 })
    for (let n = 0; n < 25; n++) void writer.append('ACK', `job-${n}`, { pad: 'x'.repeat(4000) })
    await writer.flush()
    expect(writer.pending).toBe(0)
    expect(log.lastSeq).toBe(25)
    expect(log.durableLsn).toBe(log.tailLsn)
    await writer.flush()
    await log.close()
    expect([...dumpLog(log.dir)].map(({ jobId }) => jobId)).toEqual(
      Array.from({ length: 25 }, (_, n) => `job-${n}`),
    )
  })

  it('keeps what an event said when it was added', async () => {
    const log = await opened()
    const writer = new BatchWriter(log)
    const detail = { n: 1 }
    void writer.append('ACK', 'a', detail)
    detail.n = 2
    await writer.close()
    await log.close()
    expect([...dumpLog(log.dir)][0]!.detail).toEqual({ n: 1 })
  })

  it('flushes when it is closed, and takes nothing after', async () => {
    const log = await opened()
    const writer = new BatchWriter(log, { intervalMs: 60_000 })
    void writer.append('ACK', 'a')
    await writer.close()
    expect(log.lastSeq).toBe(1)
    expect(await failureOf(() => writer.append('ACK', 'a'))).toBe('TIDEMARK_JOB_LOG_CLOSED')
    await writer.close()
    await log.close()
  })

  it('refuses an event that is none, or too large, without harm to the others', async () => {
    const log = await opened()
    const writer = new BatchWriter(log, { intervalMs: 60_000 })
    void writer.append('ACK', 'a')
    expect(await failureOf(() => writer.append('X' as 'ACK', 'a'))).toBe('TIDEMARK_JOB_BAD_EVENT')
    expect(await failureOf(() => writer.append('ACK', 'a', { n: 1n }))).toBe('TIDEMARK_JOB_BAD_EVENT')
    const large = { pad: 'x'.repeat(20_000) }
    expect(await failureOf(() => writer.append('ACK', 'a', large))).toBe('TIDEMARK_JOB_BAD_EVENT')
    await writer.close()
    expect(log.lastSeq).toBe(1)
    await log.close()
  })

  it('reports a failed batch to the append, to flush and to close', async () => {
    const log = await opened()
    const writer = new BatchWriter(log, { intervalMs: 60_000 })
    const append = writer.append('ACK', 'a')
    log.poison(new Error('EIO'))
    expect(await failureOf(() => writer.flush())).toBe('TIDEMARK_JOB_SYNC_FAILED')
    expect(await failureOf(() => append)).toBe('TIDEMARK_JOB_SYNC_FAILED')
    expect(await failureOf(() => writer.close())).toBe('TIDEMARK_JOB_SYNC_FAILED')
    await log.close()
  })

  it.each([{ size: 0 }, { size: 1.5 }, { intervalMs: -1 }, { intervalMs: Number.NaN }])(
    'refuses the setting %o',
    async (options) => {
      const log = await opened()
      expect(await failureOf(() => new BatchWriter(log, options))).toBe('TIDEMARK_BAD_SETTING')
      await log.close()
    },
  )

  it('takes no event whose toJSON closes it', async () => {
    const log = await opened()
    const writer = new BatchWriter(log, { intervalMs: 60_000 })
    const detail = {
      toJSON() {
        void writer.close()
        return {}
      },
    }
    expect(() => writer.append('ACK', 'a', detail)).toThrow(
      expect.objectContaining({ code: 'TIDEMARK_JOB_LOG_CLOSED' }),
    )
    expect(writer.pending).toBe(0)
    await log.close()
  })
})
