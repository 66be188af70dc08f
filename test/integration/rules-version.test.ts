import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import * as path from 'node:path'
import { describe, expect, it } from 'vitest'
import { EnginePool, type EnginePoolOptions } from '#tidemark/index.js'
import { rulesVersion } from '#tidemark/matching/index.js'
import { rulesVersionOf } from '#tidemark/pool/pool-opening.js'
import { bitcoin, ether, limit } from '../support/pools.js'
import { temporaryDirectory } from '../support/temporary.js'

const snapshots = (dir: string) => readdirSync(dir).filter((name) => name.endsWith('.snap'))

/** Opens a pool as a build with the rules after these would. */
const openNext = (options: EnginePoolOptions) =>
  EnginePool.open({ ...options, [rulesVersionOf]: rulesVersion + 1 })

/** A pool with some orders, closed; its digest. */
async function writePool(dir: string, options: EnginePoolOptions = {}): Promise<Record<string, string>> {
  const pool = await EnginePool.open({ dir, shards: 2, instruments: [bitcoin, ether], ...options })
  for (let id = 1; id <= 50; id++) {
    await pool.submit({ ...limit(id, 'buy', '100', '1'), symbol: id % 2 ? 'BTC-USD' : 'ETH-USD' })
  }
  const { symbols } = await pool.digest()
  await pool.close()
  return symbols
}

const contentOf = (dir: string) =>
  Object.fromEntries(
    readdirSync(dir)
      .filter((name) => name !== 'LOCK')
      .map((name) => [name, readFileSync(path.join(dir, name)).toString('latin1')]),
  )

describe('a clean close', () => {
  it('leaves a snapshot of everything that was submitted before, and none where nothing has come since the last', async () => {
    const dir = temporaryDirectory()
    const pool = await EnginePool.open({ dir, instruments: [bitcoin], shards: 2 })
    const reports = Array.from({ length: 300 }, (_, i) => pool.submit(limit(i + 1, 'sell', '9', '1')))
    await pool.close()
    expect((await Promise.all(reports)).every(({ status }) => status === 'resting')).toBe(true)
    const left = snapshots(dir)
    expect(left).toHaveLength(1)
    for (let i = 0; i < 3; i++) {
      const again = await EnginePool.open({ dir })
      expect((await again.digest()).restingOrders).toBe(300)
      await again.close()
      expect(snapshots(dir)).toEqual(left)
    }
    // One command that is not durable yet when the pool is closed.
    const last = await EnginePool.open({ dir })
    const report = last.submit(limit(1000, 'sell', '9', '1'))
    await last.close()
    expect(await report).toMatchObject({ status: 'resting' })
    expect(snapshots(dir).at(-1)! > left[0]!).toBe(true)
    await (await openNext({ dir })).close()
  })

  it('leaves none where checkpoints are taken only when asked for', async () => {
    const dir = temporaryDirectory()
    await writePool(dir, { checkpointBytes: 0 })
    expect(snapshots(dir)).toEqual([])
  })
})

describe('a build with other matching rules', () => {
  it('continues from the snapshot of a clean close, back and forth', async () => {
    const dir = temporaryDirectory()
    const symbols = await writePool(dir)
    const next = await openNext({ dir, shards: 1 })
    expect((await next.digest()).symbols).toEqual(symbols)
    await next.submit(limit(99, 'buy', '50', '1'))
    const { symbols: then } = await next.digest()
    await next.close()
    const reopened = await openNext({ dir })
    expect((await reopened.digest()).symbols).toEqual(then)
    await reopened.close()
    const before = await EnginePool.open({ dir })
    expect((await before.digest()).symbols).toEqual(then)
    await before.close()
  })

  it('replays what it logged itself after that snapshot', async () => {
    const dir = temporaryDirectory()
    await writePool(dir)
    const next = await openNext({ dir, checkpointBytes: 0 })
    await next.submit(limit(99, 'buy', '50', '1'))
    const { symbols } = await next.digest()
    await next.close()
    const again = await openNext({ dir, checkpointBytes: 0 })
    expect((await again.digest()).symbols).toEqual(symbols)
    await again.close()
    await expect(EnginePool.open({ dir })).rejects.toMatchObject({ code: 'TIDEMARK_RULES_DIFFER' })
  })

  it('refuses commands that no snapshot has, names them, and leaves every byte as it was', async () => {
    const dir = temporaryDirectory()
    await writePool(dir)
    const pool = await EnginePool.open({ dir, checkpointBytes: 0 })
    const { lsn } = await pool.submit(limit(77, 'buy', '50', '1'))
    await pool.close()
    const before = contentOf(dir)
    await expect(openNext({ dir })).rejects.toMatchObject({
      code: 'TIDEMARK_RULES_DIFFER',
      details: { found: rulesVersion, supported: rulesVersion + 1, lsn: expect.any(Number) },
    })
    await expect(openNext({ dir })).rejects.toSatisfy(({ details }) => details.lsn < lsn)
    expect(contentOf(dir)).toEqual(before)
    const again = await EnginePool.open({ dir })
    expect((await again.order('BTC-USD', 77)).order?.status).toBe('resting')
    await again.close()
    await (await openNext({ dir })).close()
  })

  it('refuses a log whose snapshot is damaged or gone', async () => {
    const dir = temporaryDirectory()
    await writePool(dir)
    const [name] = snapshots(dir) as [string]
    const file = path.join(dir, name)
    const content = readFileSync(file)
    for (const change of [60, 63, 70, content.byteLength]) {
      const changed = Buffer.concat([content, Buffer.alloc(change === content.byteLength ? 1 : 0)])
      changed[change]! ^= 1
      writeFileSync(file, changed)
      await expect(openNext({ dir }), `byte ${change}`).rejects.toMatchObject({
        code: 'TIDEMARK_RULES_DIFFER',
      })
    }
    rmSync(file)
    await expect(openNext({ dir })).rejects.toMatchObject({ code: 'TIDEMARK_RULES_DIFFER' })
  })

  it('takes a log without a single command', async () => {
    const dir = temporaryDirectory()
    await (await EnginePool.open({ dir })).close()
    const next = await openNext({ dir, instruments: [bitcoin] })
    expect(next.instruments()).toHaveLength(1)
    await next.close()
  })
})
