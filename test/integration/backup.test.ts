import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import * as path from 'node:path'
import { describe, expect, it } from 'vitest'
import { backupFolder, EnginePool } from '#tidemark/pool/index.js'
import { limit, openPool } from '../support/pools.js'
import { temporaryDirectory } from '../support/temporary.js'

describe('a backup of a running pool', () => {
  it('opens, and holds everything that was acknowledged before it began', async () => {
    const pool = await openPool({ shards: 2, segmentBytes: 65_536, ringBytes: 262_144 })
    let orderId = 1
    let running = true
    const traffic = (async () => {
      while (running) {
        const batch = Array.from({ length: 100 }, () =>
          limit(orderId++, orderId % 2 ? 'buy' : 'sell', String(90 + (orderId % 20)), '1'),
        )
        await pool.submitBatch(batch)
      }
    })()
    for (let round = 0; round < 4; round++) {
      const order = await pool.submit({ ...limit(10_000_000 + round, 'buy', '1', '1'), symbol: 'ETH-USD' })
      const target = path.join(temporaryDirectory(), 'copy')
      // With a fresh snapshot, and by itself from whatever snapshot is there.
      const report = round % 2 ? await backupFolder(pool.dir, target) : await pool.backup(target)
      expect(report.endLsn).toBeGreaterThanOrEqual(order.lsn)
      const copy = await EnginePool.open({ dir: target })
      expect((await copy.order('ETH-USD', 10_000_000 + round)).order).toBeDefined()
      expect(copy.recovery.tornTail).toBeUndefined()
      expect((await copy.submit({ ...limit(20_000_000, 'buy', '2', '1'), symbol: 'ETH-USD' })).status).toBe(
        'resting',
      )
      await copy.close()
    }
    running = false
    await traffic
  })

  it('ends at what is known to be synced, once that has been waited for', async () => {
    const pool = await openPool({ checkpointBytes: 0 })
    const { dir } = pool
    const first = await pool.submit(limit(1, 'buy', '90', '1'))
    const last = await pool.submit(limit(2, 'buy', '91', '1'))
    await pool.close()
    // The mark of the clean close is the only frame that says the last group is synced.
    const file = path.join(dir, readdirSync(dir).find((name) => name.endsWith('.wal'))!)
    const whole = readFileSync(file)
    truncateSync(file, 4096 + last.lsn)
    const copy = (options = {}) => backupFolder(dir, path.join(temporaryDirectory(), 'copy'), options)
    expect((await copy()).endLsn).toBe(first.lsn)
    expect((await copy({ closed: true })).endLsn).toBe(last.lsn)
    expect((await copy({ syncedLsn: last.lsn })).endLsn).toBe(last.lsn)
    const running = copy()
    setTimeout(() => writeFileSync(file, whole), 100)
    expect((await running).endLsn).toBeGreaterThanOrEqual(last.lsn)
  })

  it('gives its files their names when all of them are there', async () => {
    const small = { segmentBytes: 65_536, ringBytes: 262_144, maxFrameBytes: 32_768 }
    const pool = await openPool({ ...small, checkpointBytes: 0 })
    for (let id = 1; id <= 2000; id++) pool.submit(limit(id, 'buy', '90', '1'))
    await pool.submit(limit(2001, 'buy', '90', '1'))
    await pool.close()
    const target = path.join(temporaryDirectory(), 'copy')
    const seen = new Set<string>()
    const report = await backupFolder(pool.dir, target, {
      closed: true,
      onProgress: () => readdirSync(target).forEach((name) => void seen.add(name)),
    })
    expect(report.segments).toBeGreaterThan(2)
    expect(seen.size).toBe(report.segments)
    expect([...seen].every((name) => name.endsWith('.part'))).toBe(true)
    expect(readdirSync(target).sort()).toEqual([...seen].map((name) => name.slice(0, -5)).sort())
  })

  it('goes into an empty folder only', async () => {
    const pool = await openPool()
    const target = temporaryDirectory()
    writeFileSync(path.join(target, 'mine'), '')
    await expect(pool.backup(target)).rejects.toMatchObject({ code: 'TIDEMARK_BAD_ARGUMENT' })
  })
})
