import { describe, expect, it } from 'vitest'
import { DurableLog } from '#tidemark/log/index.js'
import { type Command, EnginePool } from '#tidemark/pool/index.js'
import { bitcoin, ether, limit, openPool } from '../support/pools.js'
import { temporaryDirectory } from '../support/temporary.js'

const coded = (code: string) => expect.objectContaining({ code })

describe('cancel-all', () => {
  it('stays in its symbol and on its side, and does so again after opening', async () => {
    const dir = temporaryDirectory()
    const pool = await openPool({ dir, shards: 2 })
    const ids: number[] = []
    for (const symbol of ['BTC-USD', 'ETH-USD']) {
      for (const [side, price] of [
        ['buy', '100'],
        ['sell', '200'],
      ] as const) {
        for (const account of [7, 8]) {
          ids.push(ids.length + 1)
          await pool.submit({ ...limit(ids.length, side, price, '1', account), symbol })
        }
      }
    }
    expect(ids).toHaveLength(8)
    const live = async () => {
      const answers = ids.flatMap((id) => [pool.order('BTC-USD', id), pool.order('ETH-USD', id)])
      return (await Promise.all(answers)).flatMap(({ order }) => (order ? [order.orderId] : []))
    }
    const sellOfBtc = await pool.submit({ type: 'cancel-all', account: 7, symbol: 'BTC-USD', side: 'sell' })
    expect(sellOfBtc).toMatchObject({ status: 'done', symbol: 'BTC-USD', orderId: undefined, trades: [] })
    expect(sellOfBtc.events).toMatchObject([{ event: 'cancelled', orderId: 3, reason: 'cancel-all' }])
    expect(await live()).toEqual([1, 2, 4, 5, 6, 7, 8])
    const batch = pool.batch()
    batch.add({ type: 'cancel-all', account: 8, symbol: 'ETH-USD' })
    expect(await pool.submitBatch(batch)).toMatchObject({ commands: 1 })
    expect(await live()).toEqual([1, 2, 4, 5, 7])
    const sells = await pool.submit({ type: 'cancel-all', account: 7, side: 'sell' })
    expect(sells.events).toMatchObject([{ event: 'cancelled', orderId: 7, symbol: 'ETH-USD' }])
    expect(await live()).toEqual([1, 2, 4, 5])
    const { symbols } = await pool.digest()
    // Without the snapshot of a clean close, every record is executed again, and compared.
    const copy = temporaryDirectory()
    await pool.backup(copy)
    await pool.close()
    for (const [from, checkpointBytes] of [
      [dir, 0],
      [copy, 0],
    ] as const) {
      const again = await openPool({ dir: from, shards: 1, checkpointBytes })
      expect((await again.digest()).symbols).toEqual(symbols)
      await again.close()
    }
  })

  it('is refused for a symbol that is not there, a side that is none, and a field that it does not know', async () => {
    const pool = await openPool()
    const refused = (fields: object) => pool.submit({ type: 'cancel-all', account: 7, ...fields } as Command)
    await expect(refused({ symbol: 'XRP' })).rejects.toEqual(coded('TIDEMARK_UNKNOWN_SYMBOL'))
    await expect(refused({ side: 'both' })).rejects.toEqual(coded('TIDEMARK_FIELD_VALUE'))
    await expect(refused({ symbols: ['BTC-USD'] })).rejects.toThrow('Did you mean symbol?')
    await expect(refused({ symbol: 'BTC-USD', orderId: 1 })).rejects.toEqual(coded('TIDEMARK_FIELD_UNKNOWN'))
    expect(() => pool.batch().add({ type: 'cancel-all', account: 7 })).toThrow(coded('TIDEMARK_BAD_ARGUMENT'))
  })

  it('is replayed from the log', async () => {
    const dir = temporaryDirectory()
    const settings = { dir, checkpointBytes: 0, instruments: [bitcoin, ether] }
    const pool = await openPool(settings)
    await pool.submit(limit(1, 'buy', '100', '1', 7))
    await pool.submit(limit(2, 'sell', '200', '1', 7))
    await pool.submit({ type: 'cancel-all', account: 7, symbol: 'BTC-USD', side: 'buy' })
    const { symbols } = await pool.digest()
    await pool.close()
    const again = await openPool(settings)
    expect((await again.digest()).symbols).toEqual(symbols)
    expect((await again.order('BTC-USD', 2)).order).toBeDefined()
    expect((await again.order('BTC-USD', 1)).order).toBeUndefined()
  })
})

describe('a call that is not this pool’s to answer', () => {
  it('is refused for a batch that another pool made, and for one of before a new opening', async () => {
    const dir = temporaryDirectory()
    const pool = await openPool({ dir })
    const other = await openPool({ instruments: [ether] })
    const batch = pool.batch()
    batch.add(limit(1, 'buy', '100', '1'))
    await expect(other.submitBatch(batch)).rejects.toEqual(coded('TIDEMARK_BAD_ARGUMENT'))
    await expect(other.submit({ ...limit(1, 'buy', '100', '1'), symbol: 'ETH-USD' })).resolves.toMatchObject({
      status: 'resting',
    })
    await pool.close()
    const again = await openPool({ dir })
    await expect(again.submitBatch(batch)).rejects.toEqual(coded('TIDEMARK_BAD_ARGUMENT'))
    expect(again.stats().commands).toBe(0)
  })

  it('is refused once the pool or the log is closed, reading too', async () => {
    const pool = await openPool()
    const closing = pool.close()
    expect(() => pool.subscribe()).toThrow(coded('TIDEMARK_POOL_CLOSED'))
    await closing
    expect(() => pool.subscribe({ cursor: 'a' })).toThrow(coded('TIDEMARK_POOL_CLOSED'))
    const log = await DurableLog.open({ dir: temporaryDirectory() })
    await log.close()
    expect(() => log.reader()).toThrow(coded('TIDEMARK_LOG_CLOSED'))
  })

  it('is refused for a symbol that UTF-8 can’t hold', async () => {
    const pool = await openPool()
    const added = (symbol: string) => pool.addInstrument({ symbol, tickSize: '1', lotSize: '1' })
    await expect(added('\ud83d')).rejects.toEqual(coded('TIDEMARK_FIELD_VALUE'))
    const instruments = [{ symbol: '\udc00', tickSize: '1', lotSize: '1' }]
    await expect(EnginePool.open({ dir: temporaryDirectory(), instruments })).rejects.toEqual(
      coded('TIDEMARK_FIELD_VALUE'),
    )
    expect(pool.instruments().map(({ symbol }) => symbol)).toEqual(['BTC-USD', 'ETH-USD'])
  })
})
