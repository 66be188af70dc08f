import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { DurableLog, type LogRecord } from '#tidemark/log/index.js'
import { root, runScript } from '../support/run-script.js'
import { temporaryDirectory } from '../support/temporary.js'

async function readAll(log: DurableLog, from = 0): Promise<LogRecord[]> {
  const records: LogRecord[] = []
  for await (const record of log.reader({ from, to: log.durableLsn })) records.push(record)
  return records
}

describe('a durable log', () => {
  it('returns what was awaited, after close and reopen', async () => {
    const dir = temporaryDirectory()
    const log = await DurableLog.open({ dir })
    const lsns = ['one', 'two', 'three'].map((text, i) => log.append(Buffer.from(text), 5 + i))
    await Promise.all(lsns.map((lsn) => log.waitDurable(lsn)))
    await log.close()
    const again = await DurableLog.open({ dir })
    const records = await readAll(again)
    expect(records.map(({ payload, type, lsn }) => [Buffer.from(payload).toString(), type, lsn])).toEqual([
      ['one', 5, lsns[0]],
      ['two', 6, lsns[1]],
      ['three', 7, lsns[2]],
    ])
    expect(again.recovery.tornTail).toBeUndefined()
    await again.close()
    expect(readdirSync(dir).filter((name) => !/^(\d+\.wal|LOCK)$/.test(name))).toEqual([])
  })

  it('keeps the order of each of many threads that write at once, through a ring they overflow', async () => {
    const dir = temporaryDirectory()
    const log = await DurableLog.open({ dir, ringBytes: 65_536, segmentBytes: 262_144 })
    const records = 20_000
    const ends = await Promise.all(
      [1, 2, 3].map(async () => {
        const worker = new Worker(`${root}/test/support/producer-thread.mjs`, {
          workerData: { handle: log.producerHandle(), records, bytes: 50 },
        })
        const [[last]] = await Promise.all([once(worker, 'message'), once(worker, 'exit')])
        return last as number
      }),
    )
    await log.waitDurable(Math.max(...ends))
    const next = new Map<number, number>()
    const wrong: string[] = []
    let previous = 0
    for (const { lsn, payload } of await readAll(log)) {
      const bytes = Buffer.from(payload)
      const thread = bytes.readUInt32LE(0)
      const number = bytes.readUInt32LE(4)
      if (number !== (next.get(thread) ?? 0)) wrong.push(`LSN ${lsn}: record ${number} of thread ${thread}`)
      next.set(thread, number + 1)
      // The log may have marked itself idle before the first record.
      if ((lsn - previous - 64) % 32 !== 0) wrong.push(`LSN ${lsn} after ${previous}`)
      previous = lsn
    }
    expect(wrong).toEqual([])
    expect([...next.values()]).toEqual([records, records, records])
    expect(log.stats().rotations).toBeGreaterThan(10)
    await log.close()
  })

  it('takes a record larger than the whole ring from a thread, and returns it whole', async () => {
    const dir = temporaryDirectory()
    const log = await DurableLog.open({ dir, ringBytes: 65_536, segmentBytes: 131_072 })
    const worker = new Worker(`${root}/test/support/producer-thread.mjs`, {
      workerData: { handle: log.producerHandle(), records: 3, bytes: 400_000 },
    })
    const [last] = await once(worker, 'message')
    await log.waitDurable(last)
    const records = await readAll(log)
    expect(records.map(({ payload }) => payload.byteLength)).toEqual([400_000, 400_000, 400_000])
    await log.close()
    const again = await DurableLog.open({ dir })
    const reread = await readAll(again)
    expect(reread.map(({ payload }, i) => Buffer.compare(payload, records[i]!.payload))).toEqual([0, 0, 0])
    await again.close()
  })

  it('is followed live by a reader across rotations, gap-free, until it is closed', async () => {
    const dir = temporaryDirectory()
    const log = await DurableLog.open({ dir, ringBytes: 65_536, segmentBytes: 65_536 })
    const seen: number[] = []
    const reading = (async () => {
      for await (const { lsn } of log.reader()) seen.push(lsn)
    })()
    const lsns: number[] = []
    for (let i = 0; i < 3000; i++) {
      lsns.push(log.append(Buffer.alloc(60, i)))
      if (i % 100 === 0) await log.waitDurable(lsns.at(-1)!)
    }
    await log.waitDurable(lsns.at(-1)!)
    while (seen.length < lsns.length) await new Promise((resolve) => setTimeout(resolve, 5))
    await log.close()
    await reading
    expect(seen).toEqual(lsns)
  })

  it('gathers a batch until it has batchSize records or is batchDelayMs old', async () => {
    const log = await DurableLog.open({ dir: temporaryDirectory(), batchSize: 50, batchDelayMs: 10_000 })
    const lsns = Array.from({ length: 50 }, () => log.append(Buffer.alloc(16)))
    await log.waitDurable(lsns.at(-1)!)
    expect(log.stats()).toMatchObject({ flushes: 1, records: 50 })
    await log.close()
    const delayed = await DurableLog.open({ dir: temporaryDirectory(), batchSize: 1000, batchDelayMs: 20 })
    await delayed.waitDurable(delayed.append(Buffer.alloc(16)))
    expect(delayed.stats().flushes).toBe(1)
    await delayed.close()
  })

  it('syncs each record by itself under durability each', async () => {
    const log = await DurableLog.open({ dir: temporaryDirectory(), durability: 'each' })
    const lsn = log.appendBatch(Array.from({ length: 20 }, () => Buffer.alloc(16)))
    await log.waitDurable(lsn)
    // Closed first: a log that is idle for a moment, as on a busy machine, writes a sync marker, which is a flush too.
    await log.close()
    const { flushes, records, syncMarkers, flushLatency } = log.stats()
    expect([flushes - syncMarkers, records]).toEqual([20, 20])
    expect(flushLatency.count).toBe(flushes)
    const { p50Ms, p90Ms, p99Ms, p999Ms, maxMs } = flushLatency
    const rising = [0, p50Ms, p90Ms, p99Ms, p999Ms, maxMs]
    expect(rising).toEqual([...rising].sort((a, b) => a - b))
  })

  it('refuses an LSN beyond its end, bad records, and every use after close', async () => {
    const log = await DurableLog.open({ dir: temporaryDirectory() })
    await expect(log.waitDurable(8)).rejects.toMatchObject({ code: 'TIDEMARK_BAD_LSN' })
    await expect(log.waitDurable(Number.NaN)).rejects.toMatchObject({ code: 'TIDEMARK_BAD_LSN' })
    expect(() => log.append(Buffer.alloc(1), 0)).toThrowError(
      expect.objectContaining({ code: 'TIDEMARK_BAD_RECORD' }),
    )
    expect(() => log.append(Buffer.alloc(1), 240)).toThrowError(
      expect.objectContaining({ code: 'TIDEMARK_BAD_RECORD' }),
    )
    const most = log.settings.maxBatchBytes - 40
    expect(() => log.append(Buffer.alloc(most + 1))).toThrowError(
      expect.objectContaining({ code: 'TIDEMARK_BAD_RECORD' }),
    )
    await log.waitDurable(log.append(Buffer.alloc(most)))
    expect(() => log.reader({ from: 4 })).toThrowError(expect.objectContaining({ code: 'TIDEMARK_BAD_LSN' }))
    await log.close()
    expect(() => log.append(Buffer.alloc(1))).toThrowError(
      expect.objectContaining({ code: 'TIDEMARK_LOG_CLOSED' }),
    )
    await expect(log.waitDurable(1e9)).rejects.toMatchObject({ code: 'TIDEMARK_LOG_CLOSED' })
  })

  it('begins above what is to be removed before it is, removes one after the other, and is closed after that', async () => {
    const dir = temporaryDirectory()
    const log = await DurableLog.open({ dir, ringBytes: 65_536, segmentBytes: 65_536 })
    const firstLsns = [0]
    for (let i = 0; i < 12; i++) {
      await log.waitDurable(log.append(Buffer.alloc(10_000)))
      firstLsns.push(await log.rotate())
    }
    const segments = () => readdirSync(dir).filter((name) => /^\d{20}\.wal$/.test(name)).length
    expect(segments()).toBe(firstLsns.length)
    const [third, sixth, last] = [firstLsns[3]!, firstLsns[6]!, firstLsns.at(-1)!]
    const first = log.removeBefore(third)
    while (log.firstLsn !== third) await new Promise((resolve) => setImmediate(resolve))
    expect(() => log.reader({ from: 0 })).toThrowError(expect.objectContaining({ code: 'TIDEMARK_BAD_LSN' }))
    const removals = [first, log.removeBefore(sixth), log.removeBefore(third)]
    expect(await Promise.all(removals)).toEqual([third, sixth, sixth])
    expect(segments()).toBe(firstLsns.length - 6)
    const removing = log.removeBefore(last)
    await log.close()
    expect(await removing).toBe(last)
    expect(readdirSync(dir).filter((name) => name.endsWith('.wal')).length).toBe(1)
    await expect(log.removeBefore(last)).rejects.toMatchObject({ code: 'TIDEMARK_LOG_CLOSED' })
  })

  it('says that the ring is full instead of blocking the event loop, and takes records again after a wait', async () => {
    const log = await DurableLog.open({ dir: temporaryDirectory(), ringBytes: 65_536 })
    let last = 0
    let full = 0
    for (let i = 0; i < 5000; i++) {
      try {
        last = log.append(Buffer.alloc(200))
      } catch (error) {
        expect(error).toMatchObject({ code: 'TIDEMARK_RING_FULL' })
        full++
        await log.waitDurable(last)
        last = log.append(Buffer.alloc(200))
      }
    }
    expect(full).toBeGreaterThan(0)
    await log.waitDurable(last)
    expect(await readAll(log)).toHaveLength(5000)
    await log.close()
  })
})

describe('a log has one owner', () => {
  it('in one process', async () => {
    const dir = temporaryDirectory()
    const log = await DurableLog.open({ dir })
    await expect(DurableLog.open({ dir })).rejects.toMatchObject({ code: 'TIDEMARK_LOG_LOCKED' })
    await log.close()
    await (await DurableLog.open({ dir })).close()
  })

  it('over processes, and a killed owner is no obstacle', async () => {
    const dir = temporaryDirectory()
    const script = `import { DurableLog } from '#tidemark/log/index.js'
      const log = await DurableLog.open({ dir: process.env.DIR })
      console.log(await log.waitDurable(log.append(Buffer.from('kept'))))
      setInterval(() => {}, 1000)`
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      cwd: root,
      env: { ...process.env, DIR: dir },
    })
    await once(child.stdout, 'data')
    await expect(DurableLog.open({ dir })).rejects.toMatchObject({ code: 'TIDEMARK_LOG_LOCKED' })
    child.kill('SIGKILL')
    await once(child, 'exit')
    const log = await DurableLog.open({ dir })
    expect(await readAll(log)).toHaveLength(1)
    await log.close()
  })
})

describe('a program that uses a log', () => {
  it('stays alive while it awaits, and ends by itself after close', async () => {
    const script = `import { DurableLog } from '#tidemark/log/index.js'
      const log = await DurableLog.open({ dir: process.env.DIR, batchSize: 10, batchDelayMs: 300 })
      await log.waitDurable(log.append(Buffer.from('slow batch')))
      console.log('durable')
      await log.close()
      console.log('closed')`
    const run = await runScript(script, { DIR: temporaryDirectory() })
    expect(run).toEqual({ code: 0, signal: null, stdout: 'durable\nclosed\n', stderr: '' })
  })

  it('ends too when it does not close the log, with everything acknowledged on disk', async () => {
    const dir = temporaryDirectory()
    const script = `import { DurableLog } from '#tidemark/log/index.js'
      const log = await DurableLog.open({ dir: process.env.DIR })
      await log.waitDurable(log.append(Buffer.from('x')))
      console.log('durable')`
    expect(await runScript(script, { DIR: dir })).toEqual({
      code: 0,
      signal: null,
      stdout: 'durable\n',
      stderr: '',
    })
    const log = await DurableLog.open({ dir })
    expect(await readAll(log)).toHaveLength(1)
    await log.close()
  })
})
