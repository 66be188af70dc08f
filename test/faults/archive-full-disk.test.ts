import * as path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { Archive, verifyArchive } from '#tidemark/archive/index.js'
import type { ArchiveStall, PoolEvent } from '#tidemark/pool/index.js'
import { collect, inOrder, openSmallPool, trade } from '../support/archived-pool.js'
import { smallTmpfs, whyNoTmpfs } from '../support/small-disk.js'

const reason = whyNoTmpfs()
if (reason) process.stderr.write(`SKIPPED: an archive on a full disk is not tested: ${reason}.\n`)

/** Room for about a part and a half of what the test archives. */
const diskBytes = 512 * 1024

describe.skipIf(reason)('a pool whose archive is on a disk that is full', () => {
  it('runs on, keeps its log and says so; when there is room it archives all of it, each event once', async () => {
    const disk = smallTmpfs(diskBytes)
    const dir = path.join(disk.folder, 'archive')
    const pool = await openSmallPool({ archive: dir, keepLogBytes: 0, keepSnapshots: 1 })
    const seen: PoolEvent[] = []
    const subscribed = (async () => {
      for await (const event of pool.subscribe()) seen.push(event)
    })()
    const stalls: ArchiveStall[] = []
    let resumed = 0
    pool.on('archiveStalled', (stall) => stalls.push(stall))
    pool.on('archiveResumed', () => resumed++)
    let rounds = 0
    for (; stalls.length === 0; rounds++) {
      expect(rounds).toBeLessThan(600)
      await trade(pool, rounds, 2000, 1 + rounds * 10_000)
      await sleep(100)
    }
    expect(stalls[0]!.error).toMatchObject({ code: 'TIDEMARK_LOG_IO', cause: { code: 'ENOSPC' } })
    expect(stalls[0]).toMatchObject({ failures: 1, retryMs: 1000, waitingBytes: expect.any(Number) })
    expect(stalls[0]!.waitingBytes).toBeGreaterThan(0)

    // Commands are taken meanwhile; nothing goes that is not archived.
    await trade(pool, rounds, 2000, 1 + rounds * 10_000)
    const { archivedLsn } = pool.stats().archive!
    expect((await pool.checkpoint()).firstLsn).toBeLessThanOrEqual(archivedLsn)
    expect(archivedLsn).toBeLessThan(pool.durableLsn - 256 * 1024)

    disk.makeRoom()
    while (resumed === 0 || pool.stats().archive!.waitingBytes > 0) await sleep(20)
    expect(pool.stats().archive!.failures).toBe(0)
    const { firstLsn } = await pool.checkpoint()
    expect(firstLsn).toBeGreaterThan(archivedLsn)
    const archive = await Archive.open({ dir, pool })
    const all = [...(await collect(archive.trades())), ...(await collect(archive.orderEvents()))]
    while ((seen.at(-1)?.lsn ?? 0) < Math.max(...all.map(({ lsn }) => lsn))) await sleep(20)
    await pool.close()
    await subscribed
    expect(inOrder(all)).toEqual(inOrder(seen))
    expect((await verifyArchive({ archive: dir, log: pool.dir })).problems).toEqual([])
    disk.release()
  })
})
