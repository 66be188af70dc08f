import { once } from 'node:events'
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import * as path from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import { DurableFactorEngine } from '#tidemark/factors/index.js'
import { bitcoin, limit, openPool } from '../support/pools.js'
import { type SmallDisk, smallTmpfs, whyNoTmpfs } from '../support/small-disk.js'
import { newQueue } from '../unit/jobs/support/queues.js'

const log = { segmentBytes: 1024 * 1024, ringBytes: 65_536, maxBatchBytes: 4096 }
const diskBytes = 8 * 1024 * 1024
const whyNot = whyNoTmpfs()
/** After so many failures in a row the next try waits for a minute: longer than any of these tests takes. */
const failures = 8
/** An append that takes longer on a full disk waits for room. */
const waitMs = 2000

/** Takes every byte of a disk that is free; the result gives them back. */
function takeAll({ folder }: SmallDisk): () => void {
  const file = path.join(folder, 'ballast')
  for (const bytes of [1024 * 1024, 4096]) {
    try {
      for (;;) writeFileSync(file, Buffer.alloc(bytes), { flag: 'a' })
    } catch (error) {
      expect(error).toMatchObject({ code: 'ENOSPC' })
    }
  }
  return () => rmSync(file)
}

/** Appends until one is refused, or waits for room, having been taken before the disk was known to be full. */
async function appendUntil(full: Promise<unknown>, append: (n: number) => Promise<unknown>): Promise<void> {
  let isFull = false
  for (let n = 1; !isFull; n++) {
    let isSettled = false
    const appended = append(n)
      .catch((error) => {
        expect(error).toMatchObject({ code: 'TIDEMARK_DISK_FULL' })
        isFull = true
      })
      .finally(() => {
        isSettled = true
      })
    await Promise.race([appended, full.then(() => setTimeout(waitMs))])
    if (!isSettled) isFull = true
  }
  await full
}

async function failOften(checkpoint: () => Promise<unknown>): Promise<void> {
  for (let i = 0; i < failures; i++) await expect(checkpoint()).rejects.toThrow()
}

describe.skipIf(whyNot)(`a checkpoint that a full disk made fail${whyNot ? ` (${whyNot})` : ''}`, () => {
  it('of a pool is taken as soon as the disk has room, and not when its delay is over', async () => {
    const disk = smallTmpfs(diskBytes)
    const pool = await openPool({
      dir: path.join(disk.folder, 'pool'),
      ...log,
      checkpointBytes: 64 * 1024,
      instruments: [bitcoin],
    })
    const free = takeAll(disk)
    await appendUntil(once(pool, 'diskFull'), (id) => pool.submit(limit(id, 'buy', '1', '1')))
    await failOften(() => pool.checkpoint())
    const before = pool.stats().checkpoints
    expect(before).toMatchObject({ running: false, retryAtMs: expect.any(Number) })
    const ready = once(pool, 'diskReady').then(() => pool.stats().checkpoints)
    free()
    expect(await ready).toMatchObject({ running: true, retryAtMs: undefined })
    const taken = { taken: before.taken + 1, failuresInARow: 0 }
    await vi.waitFor(() => expect(pool.stats().checkpoints).toMatchObject(taken), 20_000)
  })

  it('of a queue is taken as soon as the disk has room, and not when its delay is over', async () => {
    const disk = smallTmpfs(diskBytes)
    const queue = await newQueue({ dir: path.join(disk.folder, 'jobs'), log, snapshotEveryEvents: 1000 })
    const free = takeAll(disk)
    await appendUntil(once(queue, 'diskFull'), (n) =>
      queue.enqueueMany(
        Array.from({ length: 50 }, (_, i) => ({ id: `job-${n}-${i}`, payload: 'x'.repeat(200) })),
      ),
    )
    await failOften(() => queue.checkpoint())
    const before = queue.metrics()
    expect(before.checkpointRetryAtMs).toEqual(expect.any(Number))
    expect(before.eventsSinceSnapshot).toBeGreaterThan(1000)
    const ready = once(queue, 'diskReady').then(() => queue.metrics())
    free()
    expect((await ready).checkpointRetryAtMs).toBeUndefined()
    await vi.waitFor(() => expect(queue.metrics().checkpoints).toBe(before.checkpoints + 1), 20_000)
  })

  it('of factors is taken as soon as the disk has room, and not when its delay is over', async () => {
    const disk = smallTmpfs(diskBytes)
    const dir = path.join(disk.folder, 'factors')
    const engine = await DurableFactorEngine.open({ dir, log, snapshotEveryTicks: 1000 })
    engine.registerAll('X', { mean: 'mean(last, 2)' })
    const free = takeAll(disk)
    // While the log has no room either, a snapshot waits for the ticks before it; so it fails before that.
    await failOften(() => engine.createSnapshot('asked-for'))
    let sent = 0
    while (!engine.stats().persister.diskFull) {
      for (let n = 0; n < 200 && !engine.full; n++) {
        engine.processTick({ instrument: 'X', timestamp: ++sent, last: sent })
      }
      await setTimeout(1)
    }
    expect(sent).toBeGreaterThan(1000)
    expect(engine.stats().snapshotRetryAtMs).toEqual(expect.any(Number))
    const ready = once(engine, 'diskReady').then(() => engine.stats())
    free()
    expect((await ready).snapshotRetryAtMs).toBeUndefined()
    await engine.flush()
    await vi.waitFor(() => expect(readdirSync(path.join(dir, 'snapshots'))).not.toEqual([]), 20_000)
    await engine.close()
  })
})
