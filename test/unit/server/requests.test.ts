import { describe, expect, it } from 'vitest'
import type { PoolEvent } from '#tidemark/pool/index.js'
import { RequestHistory } from '#tidemark/server/venue/requests.js'
import { requestTag } from '#tidemark/server/venue/tags.js'

const base = { symbol: 'BTCUSDT', index: 0, timeUs: 0 }

function event(lsn: number, tag: bigint, fields: object): PoolEvent {
  return { ...base, lsn, tag, ...fields } as PoolEvent
}

const accepted = (lsn: number, requestId: number, account = 1) =>
  event(lsn, requestTag(requestId), { event: 'accepted', account, clientOrderId: `c${requestId}` })

describe('what came of requests', () => {
  it('is all events of the record that executed them, and of those with a request id only', () => {
    const history = new RequestHistory(100)
    history.apply(event(8, 5n, { event: 'accepted', account: 1 }))
    history.apply(accepted(16, 5))
    history.apply(event(16, requestTag(5), { event: 'trade', tradeId: 1 }))
    history.apply(event(16, requestTag(5), { event: 'triggered', account: 7 }))
    history.apply(event(24, 0n, { event: 'trade', tradeId: 2 }))
    history.apply(event(32, requestTag(6), { event: 'rejected', account: 1, code: 'REQUEST_ID_REUSED' }))
    history.apply(
      event(40, requestTag(2 ** 53 - 1), { event: 'rejected', account: 1, code: 'UNKNOWN_ORDER' }),
    )
    const found = history.find(1, 'BTCUSDT', 5)
    expect(found?.events.map((one) => one.event)).toEqual(['accepted', 'trade', 'triggered'])
    expect(found?.clientOrderId).toBe('c5')
    expect(history.find(1, 'BTCUSDT', 6)).toBeUndefined()
    expect(history.find(1, 'BTCUSDT', 2 ** 53 - 1)?.events).toMatchObject([{ code: 'UNKNOWN_ORDER' }])
    expect(history.find(7, 'BTCUSDT', 5)).toBeUndefined()
    expect(history.find(1, 'ETHUSDT', 5)).toBeUndefined()
    expect(history.lastId(1, 'BTCUSDT')).toBe(2 ** 53 - 1)
    expect(history.lastId(2, 'BTCUSDT')).toBe(0)
  })

  it('is forgotten in the order in which it came, and then said to be', () => {
    const history = new RequestHistory(6)
    history.apply(accepted(8, 3))
    for (let index = 1; index < 4; index++)
      history.apply(event(8, requestTag(3), { event: 'trade', tradeId: index }))
    history.apply(accepted(16, 1, 2))
    history.apply(accepted(24, 4))
    expect(history.find(1, 'BTCUSDT', 3)?.events).toHaveLength(4)
    history.apply(accepted(32, 7))
    expect(history.find(1, 'BTCUSDT', 3)).toBeUndefined()
    expect(history.find(2, 'BTCUSDT', 1)).toBeDefined()
    expect([2, 3, 4].map((id) => history.mayHaveForgotten(1, 'BTCUSDT', id))).toEqual([true, true, false])
    expect(history.mayHaveForgotten(2, 'BTCUSDT', 1)).toBe(false)
  })
})
