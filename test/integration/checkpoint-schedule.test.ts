import { readdirSync, statSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { isTemporaryName } from '#tidemark/log/disk/atomic-file.js'
import type { CheckpointFailure, CheckpointOverdue, EnginePool } from '#tidemark/pool/index.js'
import { blockAtomicFiles } from '../support/blocked-files.js'
import { ManualClock } from '../support/manual-clock.js'
import { limit, openPool } from '../support/pools.js'
import { temporaryDirectory } from '../support/temporary.js'

const hourMs = 3_600_000
const intervalMs = 60_000

const snapshots = (pool: EnginePool) => readdirSync(pool.dir).filter((name) => name.endsWith('.snap'))
const turn = () => new Promise((resolve) => setImmediate(resolve))

/** Resolves when a checkpoint that may be under way is over. */
async function quiet(pool: EnginePool): Promise<string[]> {
  for (let i = 0; i < 20; i++) await turn()
  while (readdirSync(pool.dir).some(isTemporaryName)) await turn()
  return snapshots(pool)
}

describe('checkpoints by time', () => {
  it('are taken when the last is so old and something was logged since, and not otherwise', async () => {
    const clock = new ManualClock()
    const pool = await openPool({ clock, checkpointIntervalMs: intervalMs, keepSnapshots: 100 })
    clock.advance(intervalMs - 1)
    expect(await quiet(pool)).toEqual([])
    clock.advance(1)
    while (snapshots(pool).length < 1) await turn()
    // Its file is there before it is over; a call joins it, or takes one at the same LSN.
    await pool.checkpoint()
    // Nothing is logged: many intervals go by.
    const [first] = await quiet(pool)
    const writtenMs = statSync(`${pool.dir}/${first}`).mtimeMs
    for (let i = 0; i < 5; i++) {
      clock.advance(intervalMs)
      expect(await quiet(pool)).toEqual([first])
      // Another one at the same LSN would have its name.
      expect(statSync(`${pool.dir}/${first}`).mtimeMs).toBe(writtenMs)
    }
    await pool.submit(limit(1, 'buy', '10', '1'))
    expect(await quiet(pool)).toHaveLength(1)
    clock.advance(intervalMs)
    while (snapshots(pool).length < 2) await turn()
    await pool.checkpoint()
    // One that is asked for counts: the next is due an interval after it.
    await pool.submit(limit(2, 'buy', '10', '1'))
    clock.advance(intervalMs - 10)
    await pool.checkpoint()
    await pool.submit(limit(3, 'buy', '10', '1'))
    clock.advance(intervalMs - 1)
    expect(await quiet(pool)).toHaveLength(3)
    clock.advance(1)
    while (snapshots(pool).length < 4) await turn()
    await pool.close()
    expect(clock.pending).toBe(0)
  })

  it('are not taken when the interval is 0', async () => {
    const clock = new ManualClock()
    const pool = await openPool({ clock, checkpointIntervalMs: 0 })
    expect(clock.pending).toBe(0)
    clock.advance(1000 * hourMs)
    expect(await quiet(pool)).toEqual([])
  })

  it('that fail are tried again an interval later, though nothing was logged since', async () => {
    const clock = new ManualClock()
    const pool = await openPool({ clock, checkpointIntervalMs: intervalMs, ringBytes: 65_536 })
    const blocked = blockAtomicFiles(pool.dir)
    clock.advance(intervalMs)
    for (let i = 0; i < 50; i++) await turn()
    await expect(pool.checkpoint()).rejects.toMatchObject({ code: 'TIDEMARK_LOG_IO' })
    blocked.release()
    expect(snapshots(pool)).toEqual([])
    clock.advance(intervalMs)
    while (snapshots(pool).length < 1) await turn()
  })
})

describe('checkpoints that fail', () => {
  it('cost one try, are reported, and leave a pool that closes and opens', async () => {
    const clock = new ManualClock()
    const dir = temporaryDirectory()
    const pool = await openPool({ dir, clock, checkpointBytes: 4096, ringBytes: 65_536 })
    const blocked = blockAtomicFiles(dir, 'ENOSPC')
    const failed: CheckpointFailure[] = []
    const overdue: CheckpointOverdue[] = []
    pool.on('checkpointFailed', (failure) => failed.push(failure))
    pool.on('checkpointOverdue', (one) => overdue.push(one))
    for (let i = 1; i <= 300; i++) await pool.submit(limit(i, 'buy', '10', '1'))
    while (failed.length < 1) await turn()
    expect(failed).toHaveLength(1)
    expect(failed[0]).toMatchObject({
      error: { code: 'TIDEMARK_LOG_IO', details: { errno: 'ENOSPC' } },
      failures: 1,
      retryMs: 1000,
    })
    expect(overdue.length).toBeGreaterThan(1)
    expect(pool.stats().checkpoints).toMatchObject({ taken: 0, failed: 1, lastLsn: undefined })
    clock.advance(1000)
    while (failed.length < 2) await turn()
    expect(failed[1]).toMatchObject({ failures: 2, retryMs: 2000 })
    await pool.close()
    expect(failed).toHaveLength(3)
    expect(failed[2]).toMatchObject({ failures: 3, retryMs: undefined })
    expect(pool.stats().checkpoints).toMatchObject({ failed: 3, lastError: { code: 'TIDEMARK_LOG_IO' } })
    expect(snapshots(pool)).toEqual([])
    expect(clock.pending).toBe(0)

    blocked.release()
    const again = await openPool({ dir, clock, checkpointBytes: 4096, ringBytes: 65_536 })
    expect((await again.depth('BTC-USD')).bids[0]).toMatchObject({ orders: 300 })
    await again.close()
    expect(snapshots(again).length).toBeGreaterThan(0)
    expect(again.stats().checkpoints).toMatchObject({ failed: 0, lastError: undefined })
  })
})

describe('retention by age', () => {
  it('deletes what was sealed longer ago than keepLogHours at a checkpoint, and nothing that is needed', async () => {
    const clock = new ManualClock()
    const pool = await openPool({
      dir: temporaryDirectory(),
      clock,
      keepLogHours: 24,
      keepSnapshots: 1,
      checkpointBytes: 0,
      ringBytes: 65_536,
      segmentBytes: 65_536,
      maxBatchBytes: 8192,
    })
    let id = 1
    const grow = () => pool.submitBatch(Array.from({ length: 3000 }, () => limit(id++, 'buy', '10', '1')))
    await grow()
    expect((await pool.checkpoint()).firstLsn).toBe(0)
    // Segments carry the real time, which has gone on a little.
    clock.advance(25 * hourMs)
    const before = pool.durableLsn
    const cursor = pool.subscribe({ cursor: 'needs' })
    await cursor.next()
    expect((await pool.checkpoint()).firstLsn).toBe(0)
    await cursor.return()
    await pool.dropCursor('needs')
    const { firstLsn } = await pool.checkpoint()
    expect(firstLsn).toBeGreaterThan(before - 2 * 65_536)
    expect(firstLsn).toBeLessThanOrEqual(before)
  })
})
