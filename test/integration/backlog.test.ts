import { describe, expect, it } from 'vitest'
import { eventsOf, limit, openPool } from '../support/pools.js'

/** Keeps this thread from doing anything for a while, as a caller that computes does. */
function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

describe('a caller that lags more than the ring holds', () => {
  it('is taken off it, catches up from the files, and misses nothing', async () => {
    const pool = await openPool({ shards: 2, ringBytes: 65_536, segmentBytes: 131_072 })
    for (let round = 0; round < 3; round++) {
      const promises = Array.from({ length: 4000 }, (_, i) =>
        pool.submit({
          ...limit(round * 4000 + i + 1, 'buy', '10', '1'),
          symbol: i % 2 ? 'BTC-USD' : 'ETH-USD',
        }),
      )
      // Until the flusher has taken it off the ring, for as long as that takes on a loaded machine.
      for (let i = 0; i < 100 && pool.stats().log.tailerDetached <= round; i++) block(100)
      const reports = await Promise.all(promises)
      expect(reports.map(({ orderId }) => orderId)).toEqual(reports.map((_, i) => round * 4000 + i + 1))
      // When it has caught up, it reads from the ring again.
      for (let i = 0; i < 50; i++) await pool.submit({ type: 'cancel', symbol: 'BTC-USD', orderId: 1 })
    }
    expect(pool.stats().log.tailerDetached).toBeGreaterThanOrEqual(3)
    expect((await eventsOf(pool)).filter(({ event }) => event === 'accepted')).toHaveLength(12_000)
  })
})

describe('one command that causes more events than the ring holds', () => {
  it('is acknowledged whole, in one record, and is there after opening again', async () => {
    const pool = await openPool({ ringBytes: 65_536, segmentBytes: 131_072 })
    const makers = 3000
    const batch = pool.batch()
    for (let i = 1; i <= makers; i++) batch.addNew(0, i, 1, 1, 0, 0, 100 + (i % 50), 10)
    await pool.submitBatch(batch)
    const before = pool.durableLsn
    const sweep = await pool.submit({
      ...limit(9_000, 'buy', '100', '1', 2),
      quantity: `${(makers * 10) / 100_000}`,
    })
    expect(sweep.lsn - before).toBeGreaterThan(65_536)
    expect(sweep.status).toBe('filled')
    expect(sweep.trades).toHaveLength(makers)
    expect(sweep.trades.map(({ tradeId }) => tradeId)).toEqual(
      Array.from({ length: makers }, (_, i) => i + 1),
    )
    const { symbols } = await pool.digest()
    await pool.close()
    const again = await openPool({ dir: pool.dir })
    expect((await again.digest()).symbols).toEqual(symbols)
    expect((await eventsOf(again, before)).filter(({ event }) => event === 'trade')).toEqual(sweep.trades)
  })
})
