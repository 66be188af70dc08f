import { describe, expect, it } from 'vitest'
import type { AcceptedEvent, CancelledEvent, PoolEvent } from '#tidemark/pool/index.js'
import { type ListUpdate, OrderHistory, type OrderUpdate } from '#tidemark/server/venue/history.js'
import { strategyOf, strategyTag, strategyTypeMax } from '#tidemark/server/venue/tags.js'

const symbol = 'BTCUSDT'

function historyOf(closedOrders = 100) {
  const orders: string[] = []
  const lists: string[] = []
  const history = new OrderHistory(
    { closedOrders, accountTrades: 10 },
    ({ order, execution }: OrderUpdate) => orders.push(`${execution} ${order.orderId} ${order.status}`),
    ({ list, status }: ListUpdate) => lists.push(`${status} ${list.listId} ${list.name}`),
  )
  const record = (lsn: number, ...events: PoolEvent[]) => {
    for (const event of events) history.apply({ ...event, lsn })
    history.endRecord(lsn)
  }
  return { history, orders, lists, record }
}

function accepted(
  orderId: number,
  listId: number,
  clientListId?: string,
  more: Partial<AcceptedEvent> = {},
): AcceptedEvent {
  return {
    event: 'accepted',
    lsn: 0,
    index: 0,
    timeUs: 1_000_000,
    symbol,
    tag: 0n,
    orderId,
    clientOrderId: `c${orderId}`,
    account: 1,
    side: 'buy',
    price: '10.00',
    quantity: '2.0',
    orderType: 'limit',
    timeInForce: 'GTC',
    stopPrice: undefined,
    displayQuantity: undefined,
    postOnly: false,
    expireTime: undefined,
    selfTradePrevention: undefined,
    listId,
    ...(clientListId !== undefined && { clientListId }),
    ...more,
  }
}

function cancelled(orderId: number, reason: CancelledEvent['reason']): CancelledEvent {
  const { event: _, ...order } = accepted(orderId, 1)
  return { ...order, event: 'cancelled', remaining: '2.0', filled: '0.0', reason } as CancelledEvent
}

describe('the lists of a history', () => {
  it('are reported once when they are placed and once when the last of their orders is done', () => {
    const { history, orders, lists, record } = historyOf()
    expect(history.lists.begin(1, 'mine')).toBe(1)
    record(8, accepted(1, 1, 'mine'), accepted(2, 1, 'mine'))
    history.lists.end(1)
    expect(lists).toEqual(['EXEC_STARTED 1 mine'])
    record(16, cancelled(1, 'requested'), cancelled(2, 'list'))
    expect(lists).toEqual(['EXEC_STARTED 1 mine', 'ALL_DONE 1 mine'])
    expect(orders.slice(2)).toEqual(['CANCELED 1 CANCELED', 'CANCELED 2 CANCELED'])
    record(24, accepted(3, 2), accepted(4, 2))
    record(32, cancelled(3, 'end-of-day'), cancelled(4, 'list'))
    expect(orders.slice(6)).toEqual(['EXPIRED 3 EXPIRED', 'EXPIRED 4 EXPIRED'])
  })

  it('have a name that is theirs until they are done, and by which they are found after a restart', () => {
    const { history, record } = historyOf()
    const { lists } = history
    expect(lists.begin(1, 'mine')).toBe(1)
    // It is under way, and not in the log yet.
    expect(lists.begin(1, 'mine')).toBeUndefined()
    expect(lists.begin(2, 'mine')).toBe(2)
    record(8, accepted(1, 1, 'mine'), accepted(2, 1, 'mine'))
    lists.end(1)
    expect(lists.begin(1, 'mine')).toBeUndefined()
    record(16, cancelled(1, 'requested'), cancelled(2, 'list'))
    expect(lists.begin(1, 'mine')).toBe(3)
    const again = historyOf()
    again.record(8, accepted(1, 1, 'mine'), accepted(2, 1, 'mine'))
    expect(again.lists).toEqual(['EXEC_STARTED 1 mine'])
    expect(again.history.lists.find(1, 1)?.name).toBe('mine')
    expect(again.history.lists.begin(1, 'mine')).toBeUndefined()
    expect(again.history.lists.findByName(1, 'mine')).toMatchObject({ listId: 1, name: 'mine' })
    expect(again.history.lists.findByName(1, 'list-1')).toBeUndefined()
    expect(again.history.lists.findByName(2, 'mine')).toBeUndefined()
    expect(again.history.lists.begin(1, undefined)).toBe(2)
  })

  it('are kept whole as long as one of their orders is', () => {
    const { history, record } = historyOf(2)
    record(8, accepted(1, 1), accepted(2, 1, undefined, { pending: true }))
    record(16, cancelled(1, 'requested'), cancelled(2, 'list'))
    record(24, accepted(3, 2))
    record(32, cancelled(3, 'requested'))
    expect(history.lists.find(1, 1)?.orders).toHaveLength(2)
    record(40, accepted(4, 3))
    record(48, cancelled(4, 'requested'))
    expect(history.lists.find(1, 1)).toBeUndefined()
    expect(history.lists.all(1).map(({ listId }) => listId)).toEqual([2, 3])
  })
})

describe('a tag', () => {
  it('has the strategy of an order, also when only one half of it is stated', () => {
    for (const strategy of [
      { strategyId: 0, strategyType: undefined },
      { strategyId: undefined, strategyType: 1_000_000 },
      { strategyId: 2 ** 32 - 1, strategyType: strategyTypeMax },
    ])
      expect(strategyOf(strategyTag(strategy)!)).toEqual(strategy)
    expect(strategyTag({ strategyId: undefined, strategyType: undefined })).toBeUndefined()
    // Tags of others say nothing.
    for (const tag of [0n, 7n, 2n ** 64n - 1n]) expect(strategyOf(tag)).toBeUndefined()
  })
})
