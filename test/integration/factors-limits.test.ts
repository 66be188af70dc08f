import { afterEach, describe, expect, it, vi } from 'vitest'
import { DurableFactorEngine, FactorConsumer, FactorPool } from '#tidemark/factors/index.js'
import { DurableLog, LogError } from '#tidemark/log/index.js'
import { temporaryDirectory } from '../support/temporary.js'
import { collectUncaught } from '../support/uncaught.js'

afterEach(() => vi.restoreAllMocks())

describe('listeners of updates', () => {
  it('that throw are uncaught exceptions of the process, and every listener is called for each update all the same', async () => {
    const uncaught = collectUncaught()
    const attached = vi.spyOn(FactorConsumer, 'attach')
    const engine = await DurableFactorEngine.open({ dir: temporaryDirectory() })
    engine.registerAll('X', { m: 'mean(last, 2)' })
    engine.processTick({ instrument: 'X', timestamp: 0, last: 1 })
    const bug = new Error('a bug in the application')
    const seen: number[][] = [[], [], []]
    const stops: (() => void)[] = []
    for (const [i, timestamps] of seen.entries()) {
      stops.push(
        engine.onUpdate(({ timestamp }) => {
          timestamps.push(timestamp)
          if (i === 0 && timestamp >= 2) throw bug
        }),
      )
      engine.processTick({ instrument: 'X', timestamp: i + 1, last: 1 })
      await engine.flush()
    }
    for (let timestamp = 4; timestamp <= 10; timestamp++) {
      engine.processTick({ instrument: 'X', timestamp, last: timestamp })
      await engine.flush()
    }
    const upTo10 = (from: number) => Array.from({ length: 11 - from }, (_, i) => from + i)
    await expect.poll(() => seen.map((one) => one.length)).toEqual([10, 9, 8])
    expect(seen).toEqual([upTo10(1), upTo10(2), upTo10(3)])
    expect(uncaught).toEqual(Array(9).fill(bug))
    // One consumer computes for all, also for one that comes when the others are gone.
    for (const stop of stops) stop()
    const late: number[] = []
    engine.processTick({ instrument: 'X', timestamp: 11, last: 1 })
    engine.onUpdate(({ timestamp }) => late.push(timestamp))
    engine.processTick({ instrument: 'X', timestamp: 12, last: 1 })
    await engine.flush()
    await expect.poll(() => late).toEqual([12])
    expect(attached).toHaveBeenCalledTimes(1)
    expect(seen.map((one) => one.length)).toEqual([10, 9, 8])
    await engine.close()
  })
})

describe('a factor pool', () => {
  it.each([1, 2, 3])('takes ticks whatever its queue is: %i', async (queueTicks) => {
    const pool = await FactorPool.open({ dir: temporaryDirectory(), workers: 1, queueTicks })
    pool.registerAll('X', { n: 'count(last, 100)' })
    let refused = 0
    for (let timestamp = 0; timestamp < 20; timestamp++) {
      while (pool.full('X')) {
        try {
          pool.processTick({ instrument: 'X', timestamp, last: 1 })
        } catch (error) {
          expect(error).toMatchObject({ code: 'TIDEMARK_CHANNEL_FULL' })
          refused++
        }
        await pool.ready()
      }
      pool.processTick({ instrument: 'X', timestamp, last: 1 })
    }
    expect(await pool.get('X', 'n')).toBe(20)
    expect(pool.stats()).toMatchObject({ ticks: 20, dropped: 0, refused })
    await pool.close()
  })

  it('opens with more instruments than its ring has room for their names', async () => {
    const dir = temporaryDirectory()
    const count = 700
    const pool = await FactorPool.open({ dir, workers: 1 })
    for (let i = 0; i < count; i++) {
      pool.registerAll(`instrument-${i}`.padEnd(100, 'x'), { m: 'mean(last, 5)' })
      if (i % 100 === 0) await pool.ready()
    }
    await pool.close()
    const again = await FactorPool.open({ dir, workers: 2, queueTicks: 1, log: { ringBytes: 65_536 } })
    expect(again.instruments).toHaveLength(count)
    await again.ready()
    again.processTick({ instrument: again.instruments[count - 1]!, timestamp: 1, last: 3 })
    await again.flush()
    await again.close()
  })
})

describe('a log of another version', () => {
  it('is refused by name, because the same ticks would give other values', async () => {
    const dir = temporaryDirectory()
    const older = await DurableLog.open({ dir, kind: 'factors', contentVersion: 1 })
    await older.waitDurable(older.append(Buffer.alloc(8), 16))
    await older.close()
    for (const owner of [DurableFactorEngine, FactorPool, FactorConsumer]) {
      await expect(owner.open({ dir })).rejects.toMatchObject({
        code: 'TIDEMARK_LOG_FORMAT',
        details: { found: 1 },
      })
    }
  })
})

describe('listeners of updates whose log is removed before they are called', () => {
  it('are removed, which an event says, and new ones can be added', async () => {
    const log = { segmentBytes: 256 * 1024, maxBatchBytes: 64 * 1024 }
    const engine = await DurableFactorEngine.open({
      dir: temporaryDirectory(),
      log,
      reclaimLog: true,
      keepSnapshots: 1,
    })
    engine.registerAll('X', { m: 'mean(last, 2)' })
    let timestamp = 0
    const fill = async () => {
      const before = engine.log.firstLsn
      for (let round = 0; round < 50 && engine.log.firstLsn === before; round++) {
        for (let i = 0; i < 2000; i++)
          engine.processTick({ instrument: 'X', timestamp: ++timestamp, last: 1 })
        await engine.flush()
        await engine.createSnapshot(`s${timestamp}`)
      }
      expect(engine.log.firstLsn).toBeGreaterThan(before)
    }
    const listen = async () => {
      const seen: number[] = []
      const stop = engine.onUpdate((update) => void seen.push(update.timestamp))
      engine.processTick({ instrument: 'X', timestamp: ++timestamp, last: 1 })
      await engine.flush()
      await expect.poll(() => seen).toEqual([timestamp])
      return stop
    }
    const failures: unknown[] = []
    engine.on('updatesFailed', (error) => failures.push(error))
    // There is no listener while the log is removed: that fails nothing.
    const stop = await listen()
    stop()
    await fill()
    const again = await listen()
    expect(failures).toEqual([])
    again()
    // And this is how a reader fails that retention has overtaken.
    const gone = new LogError('TIDEMARK_BAD_LSN', 'The log begins later.')
    const reader = vi.spyOn(engine.log, 'reader').mockImplementation(() => {
      throw gone
    })
    const unheard: number[] = []
    engine.onUpdate((update) => void unheard.push(update.timestamp))
    await expect.poll(() => failures).toMatchObject([{ code: 'TIDEMARK_UPDATES_ENDED', cause: gone }])
    reader.mockRestore()
    await listen()
    expect(unheard).toEqual([])
    expect(failures.length).toBe(1)
    await engine.close()
  })
})
