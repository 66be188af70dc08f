import { describe, expect, it } from 'vitest'
import { orderTypeCodes, sideCodes, timeInForceCodes } from '#tidemark/matching/index.js'
import { eventsOf, limit, openPool } from '../support/pools.js'
import { temporaryDirectory } from '../support/temporary.js'

const symbol = 'BTC-USD'
const largest = Number.MAX_SAFE_INTEGER

/** A new order that names no id. */
function unnamed(side: 'buy' | 'sell', price: string, quantity: string, account = 1) {
  const { orderId: _, ...order } = limit(1, side, price, quantity, account)
  return order
}

describe('an order that names no id', () => {
  it('gets the highest id of its symbol so far plus one, and its report and its events say it', async () => {
    const pool = await openPool()
    await pool.submit(limit(41, 'sell', '64000', '0.5'))
    const { orderId, events } = await pool.submit(unnamed('buy', '64000', '0.2'))
    expect(orderId).toBe(42)
    expect(events).toMatchObject([
      { event: 'accepted', orderId: 42 },
      { event: 'trade', takerOrderId: 42 },
    ])
    expect((await pool.submit({ ...unnamed('buy', '1', '1'), symbol: 'ETH-USD' })).orderId).toBe(1)
    expect((await pool.order('ETH-USD', 1)).order).toMatchObject({ orderId: 1 })
    expect((await eventsOf(pool)).filter((event) => event.event === 'accepted')).toMatchObject([
      { orderId: 41 },
      { orderId: 42 },
      { orderId: 1 },
    ])
  })

  it('keeps the id that it was refused under, and the next order gets another one', async () => {
    const pool = await openPool()
    await pool.submit(limit(1, 'sell', '64000', '0.5'))
    const refused = await pool.submit({ ...unnamed('buy', '64000', '1'), postOnly: true })
    expect(refused).toMatchObject({ status: 'rejected', code: 'POST_ONLY_WOULD_TRADE', orderId: 2 })
    expect(refused.events).toMatchObject([{ event: 'rejected', orderId: 2 }])
    expect((await pool.submit(unnamed('buy', '1', '1'))).orderId).toBe(3)
  })

  it('is refused when there is no id left, and until then gets even the last one', async () => {
    const pool = await openPool()
    await pool.submit(limit(largest - 1, 'buy', '1', '1', 1))
    expect((await pool.submit(unnamed('buy', '1', '1'))).orderId).toBe(largest)
    const refused = await pool.submit(unnamed('buy', '1', '1'))
    expect(refused).toMatchObject({ status: 'rejected', code: 'ORDER_IDS_EXHAUSTED', orderId: undefined })
    expect(refused.events).toMatchObject([{ event: 'rejected', orderId: 0, account: 1, side: 'buy' }])
    await expect(pool.submit({ ...unnamed('buy', '1', '1'), orderId: 0 })).rejects.toMatchObject({
      code: 'TIDEMARK_FIELD_RANGE',
    })
  })

  it('has the same id after every opening, from the log and from a snapshot, and ids go on from there', async () => {
    for (const checkpointBytes of [0, 1]) {
      const dir = temporaryDirectory()
      const pool = await openPool({ dir, checkpointBytes })
      for (let i = 1; i <= 5; i++) expect((await pool.submit(unnamed('buy', '1', '1'))).orderId).toBe(i)
      await pool.submit({ type: 'cancel', symbol, orderId: 5 })
      const { symbols } = await pool.digest()
      if (checkpointBytes > 0) await pool.checkpoint()
      await pool.close()
      const again = await openPool({ dir, checkpointBytes, shards: 2 })
      expect((await again.digest()).symbols).toEqual(symbols)
      expect((await again.submit(unnamed('buy', '1', '1'))).orderId).toBe(6)
      await again.close()
    }
  })

  it('that is sent again under its request id is answered with the id that it got', async () => {
    const dir = temporaryDirectory()
    const pool = await openPool({ dir })
    const order = { ...unnamed('buy', '1', '1', 7), requestId: 3 }
    const first = await pool.submit(order)
    expect(first.orderId).toBe(1)
    await pool.submit(unnamed('buy', '1', '1'))
    expect(await pool.submit({ ...order, tag: 8 })).toMatchObject({
      orderId: 1,
      repeated: true,
      lsn: first.lsn,
    })
    await pool.checkpoint()
    await pool.close()
    const again = await openPool({ dir })
    expect(await again.submit(order)).toMatchObject({ orderId: 1, repeated: true, lsn: first.lsn })
    expect(await again.submit({ ...order, quantity: '2' })).toMatchObject({ code: 'REQUEST_ID_REUSED' })
    expect((await again.submit(unnamed('buy', '1', '1'))).orderId).toBe(3)
  })

  it('comes in a batch of positional commands as 0, and among objects', async () => {
    const pool = await openPool()
    const { id } = pool.instrument(symbol)!
    const batch = pool.batch()
    batch.addNew(id, 0, 1, sideCodes.buy, orderTypeCodes.limit, timeInForceCodes.GTC, 100, 5)
    batch.addNew(id, 0, 1, sideCodes.buy, orderTypeCodes.limit, timeInForceCodes.GTC, 100, 5)
    batch.add(unnamed('buy', '1', '1'))
    await pool.submitBatch(batch)
    await pool.submitBatch([unnamed('buy', '1', '1')])
    expect(
      (await eventsOf(pool)).flatMap((event) => (event.event === 'accepted' ? [event.orderId] : [])),
    ).toEqual([1, 2, 3, 4])
  })
})
