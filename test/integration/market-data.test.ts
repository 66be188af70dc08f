import { describe, expect, it } from 'vitest'
import { followMarketData } from '#tidemark/market-data/public.js'
import type { Command } from '#tidemark/pool/index.js'
import { limit, openPool } from '../support/pools.js'
import { instruments, RandomFlow } from '../support/random-flow.mjs'
import { temporaryDirectory } from '../support/temporary.js'
import { Random } from '../unit/matching/support/random-commands.js'

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

  it('has its depth beside pegs, orders for an amount, own orders that meet and prices that are shared', async () => {
    const both = [instruments[0]!, { ...instruments[1]!, allocation: 'pro-rata' as const }]
    const pool = await openPool({ dir: temporaryDirectory(), instruments: both, shards: 2 })
    const random = new Random(5)
    let moved = 0
    let spent = 0
    for (let orderId = 1; orderId <= 400; orderId++) {
      const { symbol } = random.pick(both)
      const price = 95 + random.below(10)
      const pegged = { peg: random.pick(['primary', 'market', 'mid']), pegOffset: random.below(5) - 2 }
      const limit = { orderType: 'limit', price, quantity: 1 + random.below(9) }
      const kind = random.pick([
        { ...limit, selfTradePrevention: random.pick(['none', 'decrement', 'cancel-oldest']) },
        { ...limit, ...pegged, displayQuantity: 1 },
        { orderType: 'limit', ...pegged, quantity: 5 },
        { orderType: 'market', quoteQuantity: 1 + random.below(3000) },
        { orderType: 'stop', stopPrice: price, quantity: 3 },
      ])
      const side = random.pick(['buy', 'sell'])
      const order = { type: 'new', symbol, orderId, account: 1 + random.below(5), side, ...kind }
      const report = await pool.submit(order as unknown as Command)
      if (report.events.some((event) => event.event === 'replaced' && event.reason === 'pegged')) moved++
      if (report.events.some(({ event }) => event === 'trade') && 'quoteQuantity' in kind) spent++
      if (orderId % 20 !== 0) continue
      const late = followMarketData(pool, {})
      await late.ready
      const { lsn, bids, asks } = await pool.depth(symbol, 100)
      expect(late.data.depth(symbol, 100)).toEqual({ lsn, symbol, bids, asks })
      await late.close()
    }
    expect(moved).toBeGreaterThan(20)
    expect(spent).toBeGreaterThan(20)
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
