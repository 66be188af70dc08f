import { expect, it } from 'vitest'
import type { TradeEvent } from '#tidemark/pool/index.js'
import { RecentFees } from '#tidemark/server/venue/recent-fees.js'

const fees = { maker: undefined, taker: { asset: 'USDT', amount: '1' } }
const trade = (lsn: number, tradeId: number) => ({ lsn, tradeId }) as TradeEvent

it('keeps what trades cost as long as an answer on its way may ask for it, and no longer', () => {
  const recent = new RecentFees()
  recent.add(trade(8, 1), fees)
  expect(recent.size).toBe(0)
  const first = recent.ask(8)
  recent.add(trade(16, 2), fees)
  const second = recent.ask(16)
  recent.add(trade(24, 3), fees)
  recent.add(trade(24, 4), fees)
  recent.end(first)
  expect([...recent.of(24).keys()]).toEqual([3, 4])
  expect([recent.of(16).size, recent.size]).toEqual([0, 1])
  recent.end(second)
  expect(recent.size).toBe(0)
})
