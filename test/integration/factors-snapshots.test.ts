import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import * as path from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  DurableFactorEngine,
  FactorConsumer,
  FactorPool,
  type SnapshotFailure,
  SnapshotStore,
} from '#tidemark/factors/index.js'
import { isTemporaryName } from '#tidemark/log/disk/atomic-file.js'
import { NodeDisk } from '#tidemark/log/disk/node-disk.js'
import { blockAtomicFiles } from '../support/blocked-files.js'
import { ManualClock } from '../support/manual-clock.js'
import { temporaryDirectory } from '../support/temporary.js'

const leftover = 'factors.snapshot.0123456789abcdef.tmp'
const tick = (instrument: string, timestamp: number) => ({ instrument, timestamp, last: timestamp })

/** Calls `meanwhile` between the writing and the renaming of each atomic file. */
function beforeEachRename(meanwhile: () => void): void {
  const { async } = new NodeDisk()
  const { rename } = async
  async.rename = (from, to) => {
    meanwhile()
    return rename(from, to)
  }
  onTestFinished(() => {
    async.rename = rename
  })
}

describe('snapshots of factors', () => {
  it('that are taken at the same time each hold the state of their own LSN, in the pool', async () => {
    const dir = temporaryDirectory()
    const pool = await FactorPool.open({ dir, workers: 1 })
    for (let i = 0; i < 10; i++) pool.registerAll(`I${i}`, { m: 'mean(last, 5000)' })
    const store = new SnapshotStore(path.join(dir, 'snapshots'))
    let checked = 0
    for (let round = 0; round < 5; round++) {
      const taken = [0, 1].map((i) => {
        pool.processTick(tick(`I${i}`, 10 * round + i + 1))
        return pool.createSnapshot(`${round}-${i}`)
      })
      for (const info of await Promise.all(taken)) {
        expect(store.read(info.lsn).info).toEqual(info)
        checked++
      }
    }
    expect(checked).toBe(10)
    await pool.close()
  })

  it('are written beside consumers that are attached meanwhile', async () => {
    const dir = temporaryDirectory()
    const engine = await DurableFactorEngine.open({ dir })
    engine.registerAll('X', { m: 'mean(last, 5)' })
    let attached = 0
    beforeEachRename(() => {
      attached++
      FactorConsumer.attach(engine.log)
    })
    for (let i = 1; i <= 3; i++) {
      engine.processTick(tick('X', i))
      const { lsn } = await engine.createSnapshot(`s${i}`)
      expect(new SnapshotStore(path.join(dir, 'snapshots')).read(lsn).info.checkpointId).toBe(`s${i}`)
    }
    expect(attached).toBe(3)
    await engine.close()
  })

  it.each([
    ['an engine', (dir: string) => DurableFactorEngine.open({ dir })],
    ['a pool', (dir: string) => FactorPool.open({ dir, workers: 1 })],
    ['a consumer of its own', (dir: string) => FactorConsumer.open({ dir })],
  ])('that a crash left unfinished are removed by the opening of %s', async (_, open) => {
    const dir = temporaryDirectory()
    const folder = path.join(dir, 'snapshots')
    mkdirSync(folder, { recursive: true })
    for (const place of [dir, folder]) writeFileSync(path.join(place, leftover), 'half')
    const owner = await open(dir)
    await owner.close()
    expect([...readdirSync(dir), ...readdirSync(folder)].filter(isTemporaryName)).toEqual([])
  })

  it('that fail are reported, and leave an engine that closes and opens', async () => {
    const dir = temporaryDirectory()
    const clock = new ManualClock()
    const engine = await DurableFactorEngine.open({ dir, clock, snapshotEveryTicks: 10 })
    const failed: SnapshotFailure[] = []
    engine.on('snapshotFailed', (failure) => failed.push(failure))
    engine.registerAll('X', { m: 'mean(last, 5)' })
    const blocked = blockAtomicFiles(path.join(dir, 'snapshots'), 'ENOSPC')
    for (let i = 1; i <= 100; i++) {
      engine.processTick(tick('X', i))
      if (i % 10 === 0) await engine.flush()
    }
    await expect.poll(() => failed.length).toBe(1)
    expect(failed[0]).toMatchObject({ error: { code: 'TIDEMARK_SNAPSHOT_IO' }, retryMs: 1000 })
    await engine.close()
    expect(failed).toHaveLength(2)
    expect(failed[1]).toMatchObject({ failures: 2, retryMs: undefined })
    expect(engine.stats()).toMatchObject({
      snapshotFailures: 2,
      snapshotError: { code: 'TIDEMARK_SNAPSHOT_IO' },
      snapshotRetryAtMs: undefined,
    })
    expect(blocked.tries).toBe(2)
    expect(clock.pending).toBe(0)
    blocked.release()
    const again = await DurableFactorEngine.open({ dir })
    expect(again.recovery.ticks).toBe(100)
    await again.close()
  })
})
