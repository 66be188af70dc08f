import { describe, expect, it } from 'vitest'
import { followMarketData } from '#tidemark/market-data/public.js'
import { limit, openPool } from '../support/pools.js'
import { instruments, RandomFlow } from '../support/random-flow.mjs'
import { temporaryDirectory } from '../support/temporary.js'

describe('market data that follows a pool', () => {
  it('has its depth at the same LSN, from the beginning of the log and from a snapshot', async () => {
    const pool = await openPool({ dir: temporaryDirectory(), instruments, shards: 2 })
    const flow = new RandomFlow(7, 1)
    const feed = followMarketData(pool)
    let compared = 0
    for (let i = 0; i < 400; i++) {
      const report = await pool.submit(flow.next())
      if (i % 20 !== 0 || report.symbol === undefined) continue
      const late = followMarketData(pool, i % 40 === 0 ? {} : { snapshot: feed.data.snapshot() })
      await late.ready
      expect(late.data.lsn).toBe(report.lsn)
      const { bids, asks } = await pool.depth(report.symbol, 100)
      expect(late.data.depth(report.symbol, 100)).toEqual({
        lsn: report.lsn,
        symbol: report.symbol,
        bids,
        asks,
      })
      await late.close()
      compared++
    }
    expect(compared).toBe(20)
    await feed.close()
    await feed.ended
  })

  it('ends with its pool', async () => {
    const pool = await openPool()
    const feed = followMarketData(pool)
    await pool.submit(limit(1, 'buy', '10', '1'))
    await pool.close()
    await feed.ended
    expect(feed.data.bookTicker('BTC-USD').bid).toEqual({ price: '10.00', quantity: '1.00000', orders: 1 })
  })
})
