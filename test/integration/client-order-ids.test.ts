import { describe, expect, it } from 'vitest'
import { limit, openPool } from '../support/pools.js'
import { temporaryDirectory } from '../support/temporary.js'

const symbol = 'BTC-USD'

function named(orderId: number, clientOrderId: string, account = 7) {
  return { ...limit(orderId, 'buy', '10', '1', account), clientOrderId }
}

describe('a client order id', () => {
  it('names the order in cancel, replace and reduce, and all about the order says it', async () => {
    const pool = await openPool()
    const { events } = await pool.submit(named(1, 'mine'))
    expect(events).toMatchObject([{ event: 'accepted', clientOrderId: 'mine' }])
    expect((await pool.order(symbol, 1)).order).toMatchObject({ clientOrderId: 'mine' })
    expect((await pool.openOrders({ account: 7 })).orders).toMatchObject([
      { orderId: 1, clientOrderId: 'mine' },
    ])
    const name = { symbol, account: 7, clientOrderId: 'mine' }
    expect(await pool.submit({ ...name, type: 'replace', quantity: '3', price: '11' })).toMatchObject({
      status: 'replaced',
      orderId: 1,
      remaining: '3.00000',
      events: [{ event: 'replaced', orderId: 1, clientOrderId: 'mine', price: '11.00' }],
    })
    expect(await pool.submit({ ...name, type: 'reduce', quantity: '1' })).toMatchObject({
      events: [{ event: 'replaced', clientOrderId: 'mine', quantity: '2.00000' }],
    })
    // Of another command's order too.
    expect(await pool.submit({ type: 'cancel-all', symbol, account: 7 })).toMatchObject({
      events: [{ event: 'cancelled', orderId: 1, clientOrderId: 'mine' }],
    })
    expect(await pool.submit({ ...name, type: 'cancel' })).toMatchObject({
      code: 'UNKNOWN_ORDER',
      orderId: undefined,
      events: [{ event: 'rejected', orderId: 0, account: 7, clientOrderId: 'mine' }],
    })
  })

  it('is unique among the live orders of an account in a symbol, and nowhere else', async () => {
    const pool = await openPool()
    await pool.submit(named(1, 'x'))
    expect(await pool.submit(named(2, 'x'))).toMatchObject({ code: 'DUPLICATE_CLIENT_ORDER_ID' })
    expect(await pool.submit(named(3, 'x', 8))).toMatchObject({ status: 'resting' })
    expect(await pool.submit({ ...named(1, 'x'), symbol: 'ETH-USD' })).toMatchObject({ status: 'resting' })
    expect(await pool.submit({ type: 'cancel', symbol, orderId: 1 })).toMatchObject({
      events: [{ event: 'cancelled', clientOrderId: 'x' }],
    })
    expect(await pool.submit(named(4, 'x'))).toMatchObject({ status: 'resting' })
    await pool.submit({ ...limit(5, 'sell', '10', '2', 9), timeInForce: 'IOC' })
    expect(await pool.submit(named(6, 'x'))).toMatchObject({ status: 'resting' })
  })

  it('is there after every opening, from the log and from a snapshot', async () => {
    for (const checkpointed of [false, true]) {
      const dir = temporaryDirectory()
      const pool = await openPool({ dir })
      await pool.submit(named(1, 'first'))
      await pool.submit(named(2, 'second'))
      await pool.submit({ type: 'cancel', symbol, account: 7, clientOrderId: 'first' })
      const { symbols } = await pool.digest()
      if (checkpointed) await pool.checkpoint()
      await pool.close()
      const again = await openPool({ dir, shards: 2 })
      expect((await again.digest()).symbols).toEqual(symbols)
      expect(await again.submit(named(3, 'second'))).toMatchObject({ code: 'DUPLICATE_CLIENT_ORDER_ID' })
      expect(await again.submit(named(3, 'first'))).toMatchObject({ status: 'resting' })
      expect(
        await again.submit({ type: 'cancel', symbol, account: 7, clientOrderId: 'second' }),
      ).toMatchObject({ status: 'cancelled', orderId: 2 })
      await again.close()
    }
  })

  it('that is sent again under its request id is answered as the first time', async () => {
    const pool = await openPool()
    await pool.submit(named(1, 'x'))
    const cancel = { type: 'cancel', symbol, account: 7, clientOrderId: 'x', requestId: 1 } as const
    const { lsn } = await pool.submit(cancel)
    await pool.submit(named(2, 'x'))
    expect(await pool.submit(cancel)).toMatchObject({ lsn, repeated: true, status: 'cancelled', orderId: 1 })
    expect((await pool.order(symbol, 2)).order).toMatchObject({ clientOrderId: 'x' })
  })

  it('has 1 to 36 printable ASCII characters; anything else is refused before anything is written', async () => {
    const pool = await openPool()
    for (const [id, code] of [
      ['', 'TIDEMARK_FIELD_RANGE'],
      ['x'.repeat(37), 'TIDEMARK_FIELD_RANGE'],
      ['caf\u00e9', 'TIDEMARK_FIELD_VALUE'],
      ['a\tb', 'TIDEMARK_FIELD_VALUE'],
      ['\u007f', 'TIDEMARK_FIELD_VALUE'],
      [5, 'TIDEMARK_FIELD_TYPE'],
    ] as const) {
      await expect(pool.submit(named(1, id as string))).rejects.toMatchObject({
        code,
        details: { field: 'clientOrderId' },
      })
    }
    for (const [i, id] of ['~', ' ', '~'.repeat(36), 'y'.repeat(7), 'y'.repeat(8)].entries()) {
      expect(await pool.submit(named(10 + i, id))).toMatchObject({ events: [{ clientOrderId: id }] })
      expect(await pool.submit({ type: 'cancel', symbol, account: 7, clientOrderId: id })).toMatchObject({
        orderId: 10 + i,
        events: [{ event: 'cancelled', clientOrderId: id }],
      })
    }
    const conflict = { code: 'TIDEMARK_FIELD_CONFLICT', details: { field: 'clientOrderId' } }
    await expect(pool.submit({ type: 'cancel', symbol, clientOrderId: 'x' })).rejects.toMatchObject(conflict)
    await expect(
      pool.submit({ type: 'cancel', symbol, account: 7, orderId: 1, clientOrderId: 'x' }),
    ).rejects.toMatchObject(conflict)
  })
})
