import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import * as path from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { EnginePool } from '#tidemark/index.js'
import { DurableLog } from '#tidemark/log/index.js'
import { bitcoin, limit } from '../support/pools.js'
import { temporaryDirectory } from '../support/temporary.js'

const settings = { segmentBytes: 1024 * 1024, ringBytes: 65_536, maxBatchBytes: 4096 }
const diskBytes = 6 * 1024 * 1024

/** Mounts a small file system; `undefined` where that is not allowed. */
function smallDisk(): string | undefined {
  const dir = temporaryDirectory()
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${diskBytes}`, 'tidemark-test', dir], {
      stdio: 'ignore',
    })
  } catch {
    return undefined
  }
  onTestFinished(() => void execFileSync('umount', ['--lazy', dir]))
  return dir
}

describe('a full disk', () => {
  it('refuses what is new to a log, keeps what was taken, and takes more when there is room', async ({
    skip,
  }) => {
    const disk = smallDisk()
    if (disk === undefined) return skip()
    const ballast = path.join(disk, 'ballast')
    writeFileSync(ballast, Buffer.alloc(3 * 1024 * 1024))
    const dir = path.join(disk, 'log')
    const log = await DurableLog.open({ dir, ...settings })
    onTestFinished(() => log.close())
    const full = once(log, 'diskFull')
    const lsns: number[] = []
    const take = async (): Promise<{ code?: string; details?: Record<string, number> }> => {
      const full = once(log, 'diskFull')
      for (;;) {
        try {
          lsns.push(log.append(Buffer.alloc(1000, lsns.length)))
        } catch (error) {
          if ((error as { code: string }).code !== 'TIDEMARK_RING_FULL') return error as { code: string }
        }
        // What is beyond the reserve, because the preallocator was late to see it, waits for room.
        await Promise.race([log.waitDurable(lsns.at(-1)!), full])
      }
    }
    expect(await take()).toMatchObject({ code: 'TIDEMARK_DISK_FULL', details: { reserveBytes: 262_144 } })
    expect((await full)[0]).toMatchObject({ code: 'TIDEMARK_DISK_FULL' })
    const ready = once(log, 'diskReady')
    rmSync(ballast)
    await ready
    await log.waitDurable(lsns.at(-1)!)
    const before = lsns.length
    expect(await take()).toMatchObject({ code: 'TIDEMARK_DISK_FULL' })
    expect(lsns.length).toBeGreaterThan(before + 100)
    // What the preallocator saw too late waits for room; what is within the reserve needs none to close.
    if (log.isStuckSince(0)) execFileSync('mount', ['-o', `remount,size=${3 * diskBytes}`, disk])
    await log.close()
    expect(log.poisoned).toBeUndefined()
    execFileSync('mount', ['-o', `remount,size=${3 * diskBytes}`, disk])
    const again = await DurableLog.open({ dir, ...settings })
    expect(again.recovery.tornTail).toBeUndefined()
    const found: number[] = []
    for await (const { lsn } of again.reader({ to: again.durableLsn })) found.push(lsn)
    expect(found).toEqual(lsns)
    await again.close()
  })

  it('refuses commands to a pool, acknowledges those under way, and closes cleanly', async ({ skip }) => {
    const disk = smallDisk()
    if (disk === undefined) return skip()
    const dir = path.join(disk, 'pool')
    const pool = await EnginePool.open({ dir, ...settings, instruments: [bitcoin] })
    onTestFinished(() => pool.close())
    const full = once(pool, 'diskFull')
    const reports: Promise<unknown>[] = []
    let refusal: { code?: string } | undefined
    for (let id = 1; !refusal; id++) {
      const report = pool.submit(limit(id, 'buy', '1', '1'))
      report.catch((error) => {
        refusal = error
      })
      reports.push(report)
      if (id % 500 === 0) await Promise.allSettled(reports.slice(-500))
    }
    await full
    const outcomes = await Promise.allSettled(reports)
    const refused = outcomes.filter(({ status }) => status === 'rejected')
    expect(new Set(refused.map((one) => (one as PromiseRejectedResult).reason.code))).toEqual(
      new Set(['TIDEMARK_DISK_FULL']),
    )
    const { restingOrders, symbols } = await pool.digest()
    expect(restingOrders).toBe(outcomes.length - refused.length)
    await pool.close()
    // The snapshot at the close had no room; nothing of it is left.
    expect(readdirSync(dir).filter((name) => name.startsWith('snapshot'))).toEqual([])
    execFileSync('mount', ['-o', `remount,size=${3 * diskBytes}`, disk])
    const again = await EnginePool.open({ dir, ...settings })
    expect((await again.digest()).symbols).toEqual(symbols)
    expect(again.recovery.tornTail).toBeUndefined()
    await again.close()
  })
})
