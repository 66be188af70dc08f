import { rmSync, writeFileSync } from 'node:fs'
import * as path from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { DurableFactorEngine, FactorConsumer, FactorPool } from '#tidemark/factors/index.js'
import { smallTmpfs, whyNoTmpfs } from '../support/small-disk.js'

const log = { segmentBytes: 1024 * 1024, ringBytes: 65_536, maxBatchBytes: 4096 }
const whyNot = whyNoTmpfs()

/** Sends ticks until the disk takes no more of them; returns how many were taken. */
async function fill(engine: DurableFactorEngine): Promise<number> {
  let sent = 0
  while (!engine.stats().persister.diskFull) {
    for (let n = 0; n < 200; n++) engine.processTick({ instrument: 'X', timestamp: ++sent, last: sent })
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  return sent
}

describe.skipIf(whyNot)(`a full disk under factors${whyNot ? ` (${whyNot})` : ''}`, () => {
  it('makes ticks wait in the channel, and all of them are logged when there is room again', async () => {
    const disk = smallTmpfs(6 * 1024 * 1024)
    const ballast = path.join(disk.folder, 'ballast')
    writeFileSync(ballast, Buffer.alloc(3 * 1024 * 1024))
    const dir = path.join(disk.folder, 'factors')
    const engine = await DurableFactorEngine.open({ dir, log })
    const events: string[] = []
    engine.on('error', (error) => events.push((error as { code?: string }).code ?? 'error'))
    for (const name of ['diskFull', 'diskReady'] as const) engine.on(name, () => events.push(name))
    engine.registerAll('X', { mean: 'mean(last, 2)' })
    const sent = await fill(engine)
    expect(engine.stats().persister).toMatchObject({ failed: 0, dropped: 0, diskFull: true })
    const flushed = engine.flush()
    rmSync(ballast)
    disk.makeRoom()
    await flushed
    const { persister } = engine.stats()
    expect(persister).toMatchObject({ durable: persister.sent, failed: 0, pending: 0, diskFull: false })
    engine.processTick({ instrument: 'X', timestamp: sent + 1, last: sent + 1 })
    await engine.flush()
    // The ticks may have had room before there was some for the segment after them.
    await vi.waitFor(() => expect(events).toContain('diskReady'), 20_000)
    await engine.close()
    expect(events).toEqual(['diskFull', 'diskReady'])
    const again = await DurableFactorEngine.open({ dir, log })
    expect(again.recovery.ticks).toBe(sent + 1)
    expect(again.get('X', 'mean')).toBe(sent + 0.5)
    await again.close()
  })

  it('makes a close say that it had no room, and leaves what was acknowledged', async () => {
    const disk = smallTmpfs(6 * 1024 * 1024)
    const dir = path.join(disk.folder, 'factors')
    const engine = await DurableFactorEngine.open({ dir, log, snapshotEveryTicks: 0 })
    engine.registerAll('X', { mean: 'mean(last, 2)' })
    let sent = await fill(engine)
    // The shortage may have been a passing one: what fills the channel too has no room in any case.
    while (!engine.full) {
      for (let n = 0; n < 200 && !engine.full; n++) {
        engine.processTick({ instrument: 'X', timestamp: ++sent, last: sent })
      }
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    await vi.waitFor(() => expect(engine.stats().persister.inFlight).toBe(0), 20_000)
    const ticks = engine.stats().persister.durable
    await expect(engine.close()).rejects.toMatchObject({ code: 'TIDEMARK_DISK_FULL' })
    disk.makeRoom()
    const again = await DurableFactorEngine.open({ dir, log })
    expect(again.recovery.ticks).toBeGreaterThanOrEqual(ticks - 10)
    expect(again.recovery.ticks).toBeLessThan(sent)
    await again.close()
  })

  it.each(['wait', 'drop'] as const)(
    'ends the close of a pool whose workers are stuck (whenFull: %s)',
    async (whenFull) => {
      const disk = smallTmpfs(6 * 1024 * 1024)
      const dir = path.join(disk.folder, 'factors')
      const pool = await FactorPool.open({ dir, log, whenFull, queueTicks: 256 })
      let isFull = false
      pool.on('diskFull', () => {
        isFull = true
      })
      for (const name of ['X', 'Y']) pool.registerAll(name, { mean: 'mean(last, 2)' })
      let taken = 0
      // Until the ring of the log is full too, and no worker takes anything any more.
      for (let idle = 0; idle < 200; idle++) {
        for (const instrument of ['X', 'Y']) {
          while (!pool.full(instrument) && pool.processTick({ instrument, timestamp: taken, last: 1 })) {
            taken++
            idle = 0
          }
        }
        await new Promise((resolve) => setTimeout(resolve, 1))
      }
      expect(isFull).toBe(true)
      const durable = pool.stats().log.durableLsn
      const closed = pool.close().catch((error) => error.code)
      const isStuck = new Promise((resolve) => setTimeout(resolve, 20_000, 'stuck').unref())
      const outcome = await Promise.race([closed, isStuck])
      disk.makeRoom()
      await closed
      expect(outcome).toBe('TIDEMARK_DISK_FULL')
      const again = await FactorConsumer.open({ dir })
      expect(again.lastLsn()).toBeGreaterThanOrEqual(durable)
      expect(again.replayedEntries).toBeGreaterThan(1000)
      await again.close()
    },
  )
})
