import { cpSync } from 'node:fs'
import * as path from 'node:path'
import { describe, expect, it } from 'vitest'
import { EnginePool } from '#tidemark/index.js'
import { Store, storeCursorName } from '#tidemark/store/index.js'
import { firstDifference, naiveTables, storedTables } from '../support/naive-store.js'
import { eventsOf } from '../support/pools.js'
import { instruments, StoreFlow } from '../support/store-flow.mjs'
import { storeTargets } from '../support/store-targets.js'
import { temporaryDirectory } from '../support/temporary.js'

const targets = await storeTargets()

/** Runs commands of a flow through a pool, a few hundred at a time; returns the LSN of the last. */
async function trade(pool: EnginePool, flow: StoreFlow, commands: number): Promise<number> {
  let lsn = 0
  for (let done = 0; done < commands; done += 200) {
    const batch = Array.from({ length: 200 }, () => flow.next())
    const reports = await Promise.all(batch.map((command) => pool.submit(command).catch(() => undefined)))
    for (const report of reports) if (report && report.lsn > lsn) lsn = report.lsn
  }
  return lsn
}

describe.each(targets)('a store in $name', ({ driver, fresh }) => {
  it('holds what the log says, while the pool runs, after it, and in a second store from the beginning', async () => {
    const root = temporaryDirectory()
    const dir = path.join(root, 'log')
    const pool = await EnginePool.open({
      dir,
      instruments,
      shards: 2,
      segmentBytes: 64 * 1024,
      ringBytes: 64 * 1024,
      maxBatchBytes: 16 * 1024,
    })
    const to = await fresh(root)
    const store = await Store.open({ dir, to, driver, transactionRows: 1000 })
    const flow = new StoreFlow(1)
    for (let part = 0; part < 3; part++) {
      const lsn = await trade(pool, flow, 1000)
      await store.caughtUp(lsn)
      const logged = naiveTables((await eventsOf(pool)).filter((event) => event.lsn <= lsn))
      expect(firstDifference(await storedTables(store), logged)).toBeUndefined()
    }
    expect(store.stats()).toMatchObject({ lagMs: 0 })
    expect(store.stats().latency.count).toBeGreaterThan(0)
    await store.close()
    await pool.changeInstrument('BBB', {
      quoteAsset: 'EUR',
      minPrice: '2',
      maxQuantity: '5000',
      minNotional: '3',
      info: { n: 1 },
    })
    await trade(pool, flow, 400)
    await pool.submit({ type: 'phase', symbol: 'AAA', phase: 'halted' })
    const { lsn } = await pool.submit({ type: 'phase', symbol: 'BBB', phase: 'continuous' })
    const logged = naiveTables(await eventsOf(pool))
    await pool.close()
    const again = await Store.open({ dir, to, driver, follow: false })
    await again.ended
    expect(again.stats().storedLsn).toBeGreaterThanOrEqual(lsn)
    expect(firstDifference(await storedTables(again), logged)).toBeUndefined()
    expect((await again.query('SELECT * FROM instruments ORDER BY symbol')).rows).toMatchObject([
      {
        symbol: 'AAA',
        phase: 'halted',
        tick_size: '0.05',
        lot_size: '0.1',
        tick_value: '0.005',
        min_price: null,
      },
      {
        symbol: 'BBB',
        phase: 'continuous',
        self_trade_prevention: 'decrement',
        quote_asset: 'EUR',
        base_asset: null,
        min_price: '2',
        max_price: null,
        max_quantity: '5000',
        min_notional: '3',
        info: '{"n":1}',
      },
    ])
    await again.close()
    const other = await Store.open({ dir, to: await fresh(root), driver, follow: false })
    await other.ended
    expect(firstDifference(await storedTables(other), logged)).toBeUndefined()
    await other.close()
    const statuses = new Set(logged.orders.map((line) => JSON.parse(line).status))
    expect([...statuses].sort()).toEqual([
      'cancelled',
      'filled',
      'partially-filled',
      'pending',
      'resting',
      'waiting',
    ])
  })

  it('is refused for another log, for one that ends before it, and for one whose beginning is gone', async () => {
    const root = temporaryDirectory()
    const dir = path.join(root, 'log')
    const settings = { instruments, segmentBytes: 64 * 1024, ringBytes: 64 * 1024, maxBatchBytes: 16 * 1024 }
    const flow = new StoreFlow(2)
    let pool = await EnginePool.open({ dir, ...settings })
    await trade(pool, flow, 200)
    await pool.close()
    const earlier = path.join(root, 'earlier')
    cpSync(dir, earlier, { recursive: true })
    pool = await EnginePool.open({ dir, ...settings })
    await trade(pool, flow, 400)
    await pool.close()
    const to = await fresh(root)
    const store = await Store.open({ dir, to, driver, follow: false })
    await store.ended
    await store.close()
    await expect(Store.open({ dir: earlier, to, driver })).rejects.toMatchObject({
      code: 'TIDEMARK_STORE_AHEAD',
    })
    const other = await EnginePool.open({ dir: earlier, ...settings })
    await trade(other, flow, 1000)
    await other.close()
    await expect(Store.open({ dir: earlier, to, driver })).rejects.toMatchObject({
      code: 'TIDEMARK_STORE_OTHER_LOG',
    })
    pool = await EnginePool.open({ dir, ...settings, keepLogBytes: 0, keepSnapshots: 1 })
    await trade(pool, flow, 1000)
    // Its cursor is dropped, and retention does not wait for the store.
    const readers = await pool.readers()
    expect(readers).toMatchObject([{ name: storeCursorName(to), state: 'valid', live: false, lost: false }])
    await pool.dropReader(readers[0]!.name)
    const { firstLsn } = await pool.checkpoint()
    await pool.close()
    expect(firstLsn).toBeGreaterThan(0)
    const refused = { code: 'TIDEMARK_STORE_LOG_GONE', details: { firstLsn } }
    await expect(Store.open({ dir, to, driver })).rejects.toMatchObject(refused)
    await expect(Store.open({ dir, to: await fresh(root), driver })).rejects.toMatchObject(refused)
  })
})
