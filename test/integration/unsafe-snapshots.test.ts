import { readdirSync } from 'node:fs'
import * as path from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { DurableFactorEngine, FactorPool } from '#tidemark/factors/index.js'
import { JobController } from '#tidemark/jobs/index.js'
import { readSnapshot } from '#tidemark/jobs/state/snapshot.js'
import { DurableLog } from '#tidemark/log/index.js'
import { readCursorFiles } from '#tidemark/log/tools/cursor-file.js'
import { limit, openPool } from '../support/pools.js'
import { temporaryDirectory } from '../support/temporary.js'

/** The logs that are opened from here on. */
function openedLogs(): DurableLog[] {
  const logs: DurableLog[] = []
  const open = DurableLog.openWithoutPreallocator.bind(DurableLog)
  const spy = vi.spyOn(DurableLog, 'openWithoutPreallocator').mockImplementation(async (...args) => {
    const log = await open(...args)
    logs.push(log)
    return log
  })
  onTestFinished(() => spy.mockRestore())
  return logs
}

const durability = 'unsafeNone'

describe('under unsafeNone', () => {
  it('a log syncs when that is waited for, and only then', async () => {
    const log = await DurableLog.open({ dir: temporaryDirectory(), durability })
    const lsn = log.append(new Uint8Array(100))
    await log.waitDurable(lsn)
    expect(log.syncedLsn).toBe(0)
    await Promise.all([log.waitSynced(lsn), log.waitSynced(8)])
    expect(log.syncedLsn).toBeGreaterThanOrEqual(lsn)
    await expect(log.waitSynced(log.tailLsn + 8)).rejects.toMatchObject({ code: 'TIDEMARK_BAD_LSN' })
    const last = log.append(new Uint8Array(100))
    const [settled] = await Promise.allSettled([log.waitSynced(last), log.close()])
    expect(settled.status).toBe('fulfilled')
    await expect(log.waitSynced(log.tailLsn + 8)).rejects.toMatchObject({ code: 'TIDEMARK_LOG_CLOSED' })
  })

  it('a checkpoint of a pool and a stored cursor lie on a log that is synced', async () => {
    const logs = openedLogs()
    const pool = await openPool({ dir: temporaryDirectory(), durability, checkpointBytes: 0 })
    const subscription = pool.subscribe({ cursor: 'risk', from: 0 })
    for (let i = 1; i <= 20; i++) await pool.submit(limit(i, 'buy', '10', '1'))
    await subscription.next()
    subscription.acknowledge()
    await subscription.flush()
    const [stored] = await readCursorFiles(pool.dir)
    expect(stored!.record!.lsn).toBeGreaterThan(0)
    expect(logs[0]!.syncedLsn).toBeGreaterThanOrEqual(stored!.record!.lsn)
    await pool.submit(limit(21, 'buy', '10', '1'))
    const { lsn } = await pool.checkpoint()
    expect(logs[0]!.syncedLsn).toBeGreaterThanOrEqual(lsn)
    await pool.close()
  })

  it('a snapshot of jobs lies on a log that is synced', async () => {
    const logs = openedLogs()
    const dir = temporaryDirectory()
    const queue = await JobController.open({ dir, log: { durability }, snapshotEveryEvents: 10 })
    const synced = new Promise<number>((resolve) => queue.on('checkpoint', () => resolve(logs[0]!.syncedLsn)))
    await queue.enqueueMany(Array.from({ length: 20 }, () => ({ payload: 1 })))
    const syncedLsn = await synced
    const snapshot = await readSnapshot(dir, { count: 10, ageMs: 1000 })
    expect(snapshot!.lsn).toBeGreaterThan(0)
    expect(syncedLsn).toBeGreaterThanOrEqual(snapshot!.lsn)
    await queue.close()
  })

  it('a snapshot of factors lies on a log that is synced, of an engine and of a pool', async () => {
    const logs = openedLogs()
    const owners = [
      await DurableFactorEngine.open({ dir: temporaryDirectory(), log: { durability } }),
      await FactorPool.open({ dir: temporaryDirectory(), log: { durability }, workers: 2 }),
    ]
    for (const [i, owner] of owners.entries()) {
      owner.registerAll('X', { m: 'mean(last, 5)' })
      for (let t = 1; t <= 10; t++) owner.processTick({ instrument: 'X', timestamp: t, last: t })
      const { lsn } = await owner.createSnapshot('one')
      expect(lsn).toBeGreaterThan(0)
      expect(logs[i]!.syncedLsn).toBeGreaterThanOrEqual(lsn)
      expect(readdirSync(path.join(logs[i]!.dir, 'snapshots'))).toHaveLength(1)
      await owner.close()
    }
  })
})
