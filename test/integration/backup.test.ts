import { writeFileSync } from 'node:fs'
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

  it('goes into an empty folder only', async () => {
    const pool = await openPool()
    const target = temporaryDirectory()
    writeFileSync(path.join(target, 'mine'), '')
    await expect(pool.backup(target)).rejects.toMatchObject({ code: 'TIDEMARK_BAD_ARGUMENT' })
  })
})
