import * as path from 'node:path'
import { describe, expect, it } from 'vitest'
import type { EnginePool, PoolEvent } from '#tidemark/pool/index.js'
import { bitcoin, eventsOf, limit, openPool } from '../support/pools.js'
import { temporaryDirectory } from '../support/temporary.js'

const symbol = bitcoin.symbol

async function trade(pool: EnginePool, id: number, price: string): Promise<void> {
  await pool.submit(limit(id, 'sell', price, '0.1'))
  await pool.submit({ ...limit(id + 1, 'buy', price, '0.1'), timeInForce: 'IOC' })
}

/** Closes a pool and opens its folder again with other shards, with a checkpoint in between or without. */
async function reopened(pool: EnginePool, shards: number): Promise<EnginePool> {
  const { dir } = pool
  await pool.close()
  return openPool({ dir, shards })
}

const said = ({ lsn: _, index: __, timeUs: ___, symbol: ____, tag: _____, ...rest }: PoolEvent) => rest

describe('trailing stops and order lists in a pool', () => {
  it('say in events and answers what they are, and go on after the pool was opened again', async () => {
    let pool = await openPool({ shards: 2 })
    await trade(pool, 1, '64000')
    const trailing = {
      type: 'new',
      symbol,
      account: 7,
      side: 'sell',
      orderType: 'stop',
      quantity: '0.2',
    } as const
    const { events } = await pool.submit({ ...trailing, orderId: 11, trailingOffset: '50.00' })
    expect(events[0]).toMatchObject({
      event: 'accepted',
      orderId: 11,
      trailingOffset: '50.00',
      stopPrice: undefined,
    })
    await pool.submit({ ...trailing, orderId: 12, trailingBasisPoints: 100, activationPrice: '63000' })
    const list = await pool.submit({
      type: 'list',
      symbol,
      account: 8,
      listType: 'otoco',
      clientListId: 'a bracket',
      orders: [
        { side: 'buy', orderType: 'limit', price: '63990', quantity: '0.3' },
        { side: 'sell', orderType: 'limit', price: '65000', quantity: '0.3', clientOrderId: 'gain' },
        { side: 'sell', orderType: 'stop', stopPrice: '63000', quantity: '0.3' },
      ],
    })
    expect(list).toMatchObject({ status: 'done', orderId: undefined, symbol })
    expect(list.events.map(said)).toMatchObject([
      { event: 'accepted', orderId: 13, listId: 13, clientListId: 'a bracket', side: 'buy' },
      { event: 'accepted', orderId: 14, listId: 13, clientListId: 'a bracket', clientOrderId: 'gain' },
      { event: 'accepted', orderId: 15, listId: 13, stopPrice: '63000.00' },
    ])
    const before = await pool.openOrders({ account: 8 })
    expect(before.orders.map(({ orderId, status, listId }) => [orderId, status, listId])).toEqual([
      [13, 'resting', 13],
      [14, 'pending', 13],
      [15, 'pending', 13],
    ])
    const { symbols } = await pool.digest()

    // First from the snapshot that closing takes, then with what follows it in the log.
    pool = await reopened(pool, 3)
    expect((await pool.digest()).symbols).toEqual(symbols)
    expect((await pool.order(symbol, 11)).order).toMatchObject({
      stopPrice: '63950.00',
      trailingOffset: '50.00',
      trailingReference: '64000.00',
    })
    expect((await pool.order(symbol, 12)).order).toMatchObject({
      activationPrice: '63000.00',
      stopPrice: undefined,
    })
    await trade(pool, 20, '64010')
    const filled = await pool.submit(limit(30, 'sell', '63990', '0.3'))
    expect(filled.events.map(({ event }) => event)).toEqual(['accepted', 'trade', 'entered', 'entered'])
    const cancelled = await pool.submit({ type: 'cancel-list', symbol, listId: 13, account: 8 })
    expect(cancelled.events.map(said)).toMatchObject([
      { event: 'cancelled', orderId: 14, reason: 'requested', clientOrderId: 'gain' },
      { event: 'cancelled', orderId: 15, reason: 'requested' },
    ])
    await expect(pool.submit({ type: 'cancel-list', symbol, listId: 13 })).resolves.toMatchObject({
      status: 'rejected',
      code: 'UNKNOWN_LIST',
    })
    expect((await eventsOf(pool)).filter(({ event }) => event === 'entered')).toHaveLength(2)
  })

  it('are refused before the log when they are malformed, with the place of the mistake', async () => {
    const pool = await openPool()
    const { durableLsn } = pool
    const orders = [
      { side: 'sell', orderType: 'limit', price: '65000', quantity: '0.3' },
      { side: 'sell', orderType: 'stop', stopPrice: '63000.005', quantity: '0.3' },
    ] as const
    await expect(
      pool.submit({ type: 'list', symbol, account: 8, listType: 'oco', orders }),
    ).rejects.toMatchObject({
      code: 'TIDEMARK_OFF_GRID',
      details: { field: 'orders[1].stopPrice' },
    })
    expect(pool.durableLsn).toBe(durableLsn)
  })

  it('are replayed from the log alone', async () => {
    const pool = await openPool({ checkpointBytes: 2 ** 40 })
    await trade(pool, 1, '64000')
    for (let account = 1; account <= 20; account++) {
      await pool.submit({
        type: 'list',
        symbol,
        account,
        listType: 'oco',
        orders: [
          { side: 'sell', orderType: 'limit', price: '64010', quantity: '0.1' },
          { side: 'sell', orderType: 'stop', trailingBasisPoints: account, quantity: '0.1' },
        ],
      })
    }
    await trade(pool, 100, '64005')
    await pool.submit(limit(200, 'buy', '64010', '0.5'))
    await trade(pool, 300, '63950')
    const { symbols } = await pool.digest()
    const events = (await eventsOf(pool)).map(said)
    expect(
      events.filter((event) => event.event === 'cancelled' && event.reason === 'list').length,
    ).toBeGreaterThan(5)
    const dir = path.join(temporaryDirectory(), 'copy')
    await pool.backup(dir)
    const copy = await openPool({ dir, shards: 1 })
    expect((await copy.digest()).symbols).toEqual(symbols)
    expect((await eventsOf(copy)).map(said)).toEqual(events)
  })
})
