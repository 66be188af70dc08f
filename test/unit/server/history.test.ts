import { describe, expect, it } from 'vitest'
import type { AcceptedEvent, PoolEvent } from '#tidemark/pool/index.js'
import { OrderHistory } from '#tidemark/server/venue/history.js'

const limits = { closedOrders: 3, accountTrades: 4 }

function accepted(orderId: number, account: number, side: 'buy' | 'sell' = 'buy'): AcceptedEvent {
  return {
    event: 'accepted',
    lsn: orderId * 8,
    index: 0,
    timeUs: 1_000_000,
    symbol: 'BTCUSDT',
    tag: 0n,
    orderId,
    clientOrderId: `c${orderId}`,
    account,
    side,
    price: '10.00',
    quantity: '2.0',
    orderType: 'limit',
    timeInForce: 'GTC',
    stopPrice: undefined,
    displayQuantity: undefined,
    postOnly: false,
    expireTime: undefined,
    selfTradePrevention: undefined,
  }
}

function trade(tradeId: number, maker: AcceptedEvent, taker: AcceptedEvent): PoolEvent {
  return {
    event: 'trade',
    lsn: 8000 + tradeId,
    index: 1,
    timeUs: 2_000_000,
    symbol: 'BTCUSDT',
    tag: 0n,
    tradeId,
    makerOrderId: maker.orderId,
    takerOrderId: taker.orderId,
    price: '10.00',
    quantity: '2.0',
    takerSide: taker.side,
    makerAccount: maker.account,
    takerAccount: taker.account,
    makerRemaining: '0.0',
    takerRemaining: '0.0',
    uncross: false,
  }
}

const every = () => true

describe('the history of orders', () => {
  it('keeps what is open, the last orders that are over and the last trades of all accounts together', () => {
    const updates: string[] = []
    const history = new OrderHistory(
      limits,
      ({ order, execution }) => updates.push(`${execution} ${order.orderId}`),
      () => {},
    )
    history.apply(accepted(1, 1))
    for (let i = 0; i < 3; i++) {
      const maker = accepted(10 + i, 2 + i)
      const taker = accepted(20 + i, 2 + i, 'sell')
      for (const event of [maker, taker, trade(i + 1, maker, taker)]) history.apply(event)
    }
    expect(updates).toHaveLength(1 + 3 * 4)
    expect(history.openOrders(1)).toHaveLength(1)
    // Six orders are over, and three are kept; six trades of accounts, and four are kept.
    expect([2, 3, 4].map((account) => history.orders(account, 'BTCUSDT', 10, true, every).length)).toEqual([
      0, 1, 2,
    ])
    expect([2, 3, 4].map((account) => history.trades(account, 'BTCUSDT', 10, true, every).length)).toEqual([
      0, 2, 2,
    ])
    expect(history.order(3, 'BTCUSDT', 21)).toMatchObject({ status: 'FILLED', amount: '20.000' })
    expect(history.orderByClientId(3, 'BTCUSDT', 'c11')).toBeUndefined()
    expect(history.orderByClientId(1, 'BTCUSDT', 'c1')).toMatchObject({ orderId: 1, status: 'NEW' })
    expect(history.accounts).toBe(3)
  })
})
