import { rmSync, writeFileSync } from 'node:fs'
import * as path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { Archive, verifyArchive } from '#tidemark/archive/index.js'
import { type ArchiveStall, EnginePool, type PoolEvent } from '#tidemark/pool/index.js'
import { collect, inOrder, openSmallPool, trade } from '../support/archived-pool.js'
import { temporaryDirectory } from '../support/temporary.js'

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(20)
}

describe('a pool with an archive', () => {
  it('archives what is sealed, and deletes of the log only that: together they have every event once', async () => {
    const dir = path.join(temporaryDirectory(), 'archive')
    const pool = await openSmallPool({ archive: dir, keepLogBytes: 0, keepSnapshots: 1 })
    const seen: PoolEvent[] = []
    const subscribed = (async () => {
      for await (const event of pool.subscribe()) seen.push(event)
    })()
    for (let round = 0; round < 4; round++) {
      await trade(pool, round, 2500, 1 + round * 10_000)
      await pool.checkpoint()
      const { archivedLsn } = pool.stats().archive!
      const { firstLsn } = await pool.checkpoint()
      expect(firstLsn).toBeLessThanOrEqual(Math.max(archivedLsn, pool.stats().archive!.archivedLsn))
    }
    await until(() => pool.stats().archive!.archivedLsn > 500_000)
    const { firstLsn } = await pool.checkpoint()
    expect(firstLsn).toBeGreaterThan(0)
    expect(firstLsn).toBeLessThanOrEqual(pool.stats().archive!.archivedLsn)

    const archive = await Archive.open({ dir, pool })
    const all = [...(await collect(archive.trades())), ...(await collect(archive.orderEvents()))]
    await until(() => (seen.at(-1)?.lsn ?? 0) >= Math.max(...all.map(({ lsn }) => lsn)))
    await pool.close()
    await subscribed
    expect(inOrder(all)).toEqual(inOrder(seen))
    expect((await verifyArchive({ archive: dir, log: pool.dir })).problems).toEqual([])
  })

  it('waits while the archive can not be written, says so, loses nothing, and continues by itself', async () => {
    const dir = path.join(temporaryDirectory(), 'archive')
    const pool = await openSmallPool({ archive: dir, keepLogBytes: 0, keepSnapshots: 1 })
    const stalls: ArchiveStall[] = []
    let resumed = 0
    pool.on('archiveStalled', (stall) => stalls.push(stall))
    pool.on('archiveResumed', () => resumed++)
    // No folder can be made where a file is.
    writeFileSync(path.join(dir, 'trades'), '')
    await trade(pool, 5, 4000)
    await until(() => stalls.some(({ waitingBytes }) => waitingBytes > 0))
    expect(stalls[0]).toMatchObject({ failures: 1, retryMs: 1000, error: { code: 'TIDEMARK_LOG_IO' } })
    expect((await pool.checkpoint()).firstLsn).toBe(0)
    rmSync(path.join(dir, 'trades'))
    await until(() => resumed > 0)
    expect(pool.stats().archive).toMatchObject({ failures: 0 })
    expect((await pool.checkpoint()).firstLsn).toBeGreaterThan(0)
  })

  it('does not open with the archive of another pool', async () => {
    const dir = path.join(temporaryDirectory(), 'archive')
    const pool = await openSmallPool({ archive: dir })
    await trade(pool, 6, 4000)
    await until(() => pool.stats().archive!.archivedLsn > 0)
    await pool.close()
    const other = await openSmallPool()
    await trade(other, 6, 4000)
    await other.close()
    await expect(EnginePool.open({ dir: other.dir, archive: dir })).rejects.toMatchObject({
      code: 'TIDEMARK_ARCHIVE_OTHER_LOG',
    })
    // Nothing of it is left open: the folder can be opened by its owner.
    await (await EnginePool.open({ dir: other.dir })).close()
  })
})
