import { describe, expect, it } from 'vitest'
import { limit, openPool } from '../support/pools.js'
import { temporaryDirectory } from '../support/temporary.js'

describe('a command that is sent again with its request id', () => {
  it('is executed once, also after opening again, from the log and from a snapshot', async () => {
    const dir = temporaryDirectory()
    let pool = await openPool({ dir, shards: 2 })
    await pool.submit(limit(1, 'buy', '100', '1', 5))
    const order = { ...limit(2, 'sell', '100', '0.4', 6), requestId: 10 }
    const first = await pool.submit(order)
    expect(first).toMatchObject({ status: 'filled', filled: '0.40000', repeated: false })
    for (const checkpoint of [false, true]) {
      expect(await pool.submit(order)).toMatchObject({
        status: 'filled',
        filled: '0.40000',
        remaining: '0.00000',
        repeated: true,
        lsn: first.lsn,
        trades: [],
      })
      expect(await pool.lastRequestId(6, 'BTC-USD')).toMatchObject({ requestId: 10 })
      expect(await pool.lastRequestId(5, 'BTC-USD')).toMatchObject({ requestId: undefined })
      if (checkpoint) await pool.checkpoint()
      await pool.close()
      pool = await openPool({ dir, shards: 1, instruments: [] })
    }
    expect(await pool.submit(order)).toMatchObject({ repeated: true, lsn: first.lsn })
    expect(await pool.submit({ ...order, quantity: '0.5' })).toMatchObject({
      status: 'rejected',
      code: 'REQUEST_ID_REUSED',
    })
    expect((await pool.order('BTC-USD', 1)).order).toMatchObject({ remaining: '0.60000' })
    await expect(pool.lastRequestId(-1, 'BTC-USD')).rejects.toMatchObject({ code: 'TIDEMARK_FIELD_RANGE' })
  })

  it('gives the right first LSN when many of them come in one batch', async () => {
    const pool = await openPool()
    const orders = Array.from({ length: 200 }, (_, i) => ({
      ...limit(i + 1, 'buy', '1', '1', 3),
      requestId: i + 1,
    }))
    const reports = await Promise.all(orders.map((order) => pool.submit(order)))
    const again = await pool.submit(orders.at(-1)!)
    expect(again).toMatchObject({ repeated: true, lsn: reports.at(-1)!.lsn })
    expect(await pool.submit(orders[0]!)).toMatchObject({ status: 'rejected', code: 'REQUEST_ID_OUTDATED' })
  })

  it.each([
    ['fits into a batch of its own', 45],
    ['stands in pieces', 70],
  ])('gives the right first LSN when its record %s, after others of the same turn', async (_, makers) => {
    const dir = temporaryDirectory()
    let pool = await openPool({ dir, shards: 1, maxBatchBytes: 4096 })
    for (let i = 1; i <= makers; i++) await pool.submit(limit(i, 'sell', '100', '1', 5))
    const sweep = { ...limit(1000, 'buy', '100', String(makers), 6), requestId: 1 }
    const others = Array.from({ length: 20 }, (_, i) => ({
      ...limit(2000 + i, 'buy', '1', '1', 10 + i),
      requestId: 7,
    }))
    const commands = [...others, sweep]
    const reports = await Promise.all(commands.map((command) => pool.submit(command)))
    const retry = async () => {
      for (const [i, command] of commands.entries())
        expect(await pool.submit(command)).toMatchObject({ repeated: true, lsn: reports[i]!.lsn })
    }
    await retry()
    await pool.close()
    pool = await openPool({ dir, shards: 1, instruments: [] })
    await retry()
  })
})
