import { describe, expect, it } from 'vitest'
import type { Command } from '#tidemark/matching/index.js'
import { EnginePool, type PoolEvent } from '#tidemark/pool/index.js'
import { bitcoin, ether, eventsOf, limit, openPool } from '../support/pools.js'
import { runScript } from '../support/run-script.js'
import { temporaryDirectory } from '../support/temporary.js'

describe('submit', () => {
  it('reports what became of an order, all of it durable', async () => {
    const pool = await openPool()
    const resting = await pool.submit(limit(1, 'buy', '64000.00', '0.5', 7))
    expect(resting).toMatchObject({
      status: 'resting',
      symbol: 'BTC-USD',
      orderId: 1,
      remaining: '0.50000',
      filled: '0.00000',
    })
    expect(pool.durableLsn).toBeGreaterThanOrEqual(resting.lsn)
    const taker = await pool.submit({ ...limit(2, 'sell', '63990', '0.2', 8), tag: 99n })
    expect(taker).toMatchObject({ status: 'filled', filled: '0.20000', remaining: '0.00000' })
    expect(taker.trades).toEqual([
      {
        lsn: taker.lsn,
        index: 1,
        timeUs: expect.any(Number),
        symbol: 'BTC-USD',
        tag: 99n,
        event: 'trade',
        tradeId: 1,
        uncross: false,
        makerOrderId: 1,
        takerOrderId: 2,
        price: '64000.00',
        quantity: '0.20000',
        takerSide: 'sell',
        makerAccount: 7,
        takerAccount: 8,
        makerRemaining: '0.30000',
        takerRemaining: '0.00000',
      },
    ])
    expect(await pool.submit({ type: 'cancel', symbol: 'BTC-USD', orderId: 1 })).toMatchObject({
      status: 'cancelled',
    })
    expect(await pool.submit({ type: 'cancel', symbol: 'BTC-USD', orderId: 1 })).toMatchObject({
      status: 'rejected',
      code: 'UNKNOWN_ORDER',
    })
  })

  it('from many callers at once keeps the order of each symbol', async () => {
    const pool = await openPool({ shards: 2 })
    const reports = await Promise.all(
      Array.from({ length: 5000 }, (_, i) =>
        pool.submit({
          ...limit(i + 1, i % 2 ? 'sell' : 'buy', '100', '1'),
          symbol: i % 3 ? 'BTC-USD' : 'ETH-USD',
        }),
      ),
    )
    for (const symbol of ['BTC-USD', 'ETH-USD']) {
      const lsns = reports.filter((report) => report.symbol === symbol).map(({ lsn }) => lsn)
      expect(lsns).toEqual(lsns.toSorted((a, b) => a - b))
    }
    const events = await eventsOf(pool)
    expect(events.filter(({ event }) => event === 'accepted')).toHaveLength(5000)
  })

  const malformed: [string, Record<string, unknown>, string][] = [
    ['an unknown symbol', { symbol: 'XRP-USD' }, 'TIDEMARK_UNKNOWN_SYMBOL'],
    ['a price off the grid', { price: '64000.001' }, 'TIDEMARK_OFF_GRID'],
    ['a quantity off the grid', { quantity: '0.000001' }, 'TIDEMARK_OFF_GRID'],
    ['a zero price', { price: '0' }, 'TIDEMARK_FIELD_RANGE'],
    ['a negative price', { price: '-1' }, 'TIDEMARK_FIELD_RANGE'],
    ['NaN', { price: Number.NaN }, 'TIDEMARK_FIELD_RANGE'],
    ['infinity', { quantity: Number.POSITIVE_INFINITY }, 'TIDEMARK_FIELD_RANGE'],
    ['a quantity beyond 2^53 lots', { quantity: '90071992547.40992' }, 'TIDEMARK_FIELD_RANGE'],
    ['an order id beyond 2^53', { orderId: 2 ** 53 }, 'TIDEMARK_FIELD_RANGE'],
    ['the order id 0', { orderId: 0 }, 'TIDEMARK_FIELD_RANGE'],
    ['an order id of another type', { orderId: '1' }, 'TIDEMARK_FIELD_TYPE'],
    ['an account beyond 2^32', { account: 2 ** 32 }, 'TIDEMARK_FIELD_RANGE'],
    ['a missing side', { side: undefined }, 'TIDEMARK_FIELD_MISSING'],
    ['a side that does not exist', { side: 'hold' }, 'TIDEMARK_FIELD_VALUE'],
    ['a missing price', { price: undefined }, 'TIDEMARK_FIELD_MISSING'],
    ['a command type that does not exist', { type: 'amend' }, 'TIDEMARK_COMMAND_TYPE'],
  ]

  it('refuses malformed input with a code before anything is logged', async () => {
    const pool = await openPool()
    await pool.submit(limit(1, 'buy', '1', '1'))
    const lsn = pool.durableLsn
    for (const [name, fields, code] of malformed) {
      const command = { ...limit(5, 'buy', '64000.00', '0.5'), ...fields } as Command
      await expect(pool.submit(command), name).rejects.toMatchObject({ code })
      await expect(pool.submitBatch([limit(9, 'buy', '1', '1'), command]), name).rejects.toMatchObject({
        code,
        details: { index: 1 },
      })
    }
    for (const command of [null, undefined, 5, 'new', {}, []]) {
      await expect(pool.submit(command as never)).rejects.toMatchObject({ code: 'TIDEMARK_COMMAND_TYPE' })
    }
    const duplicate = pool.addInstrument(bitcoin)
    await expect(duplicate).rejects.toMatchObject({ code: 'TIDEMARK_DUPLICATE_SYMBOL' })
    expect(pool.stats()).toMatchObject({ commands: 3, inFlight: 0 })
    expect(await eventsOf(pool, lsn)).toEqual([])
  })

  it('is refused past maxInFlight, emits drain when there is room, and loses nothing it took', async () => {
    const pool = await openPool({ maxInFlight: 64, batchSize: 64, batchDelayMs: 200 })
    let drains = 0
    pool.on('drain', () => drains++)
    const promises = Array.from({ length: 64 }, (_, i) => pool.submit(limit(i + 1, 'buy', '1', '1')))
    expect(pool.needsDrain).toBe(true)
    await expect(pool.submit(limit(65, 'buy', '1', '1'))).rejects.toMatchObject({
      code: 'TIDEMARK_BACKPRESSURE',
      details: { inFlight: 64, maxInFlight: 64 },
    })
    const tooMany = Array.from({ length: 65 }, (_, i) => limit(i + 100, 'buy', '1', '1'))
    await expect(pool.submitBatch(tooMany)).rejects.toMatchObject({ code: 'TIDEMARK_BATCH_TOO_LARGE' })
    expect((await Promise.all(promises)).every(({ status }) => status === 'resting')).toBe(true)
    expect(drains).toBe(1)
    expect(pool.needsDrain).toBe(false)
    expect((await pool.submit(limit(65, 'buy', '1', '1'))).status).toBe('resting')
  })
})

describe('submitBatch', () => {
  it('takes plain objects and reusable batches, over several shards, with one promise', async () => {
    const pool = await openPool({ shards: 2 })
    const plain = await pool.submitBatch([
      limit(1, 'buy', '100', '1'),
      { ...limit(1, 'sell', '100', '1'), symbol: 'ETH-USD' },
      limit(2, 'sell', '100', '1'),
      { type: 'cancel', symbol: 'ETH-USD', orderId: 77 },
    ])
    expect(plain).toMatchObject({ commands: 4, trades: 1, rejected: 1 })
    const batch = pool.batch()
    const { id } = pool.instrument('ETH-USD')!
    for (let round = 0; round < 3; round++) {
      batch.clear()
      for (let i = 0; i < 1000; i++) batch.addNew(id, 10 + round * 1000 + i, 5, i & 1, 0, 0, 2000, 1000)
      const submitted = pool.submitBatch(batch)
      batch.clear()
      expect(await submitted).toMatchObject({ commands: 1000, rejected: 0 })
    }
    expect(await pool.submitBatch([])).toMatchObject({ commands: 0 })
    expect(() => batch.addCancel(99, 1)).toThrowError(
      expect.objectContaining({ code: 'TIDEMARK_UNKNOWN_SYMBOL' }),
    )
  })

  it('is all or nothing for malformed positional input', async () => {
    const pool = await openPool()
    const batch = pool.batch()
    batch.addNew(0, 1, 1, 0, 0, 0, 100, 1)
    expect(() => batch.addNew(0, 2, 1, 0, 0, 0, 0.5, 1)).toThrowError(
      expect.objectContaining({ code: expect.stringMatching(/^TIDEMARK_/) }),
    )
    expect(() => batch.addNew(0, 2, 1, 0, 0, 0, 100, Number.NaN)).toThrowError()
    expect(batch.length).toBe(1)
    expect(await pool.submitBatch(batch)).toMatchObject({ commands: 1 })
  })
})

describe('questions', () => {
  it('are answered with the LSN they were taken at, when that is durable', async () => {
    const pool = await openPool({ batchSize: 1000, batchDelayMs: 50 })
    const orders = [limit(1, 'buy', '99', '1'), limit(2, 'buy', '99', '2'), limit(3, 'sell', '101', '3')].map(
      (order) => pool.submit(order),
    )
    const [depth, order, nothing] = await Promise.all([
      pool.depth('BTC-USD', 5),
      pool.order('BTC-USD', 2),
      pool.order('BTC-USD', 9),
    ])
    const reports = await Promise.all(orders)
    expect(depth).toEqual({
      lsn: reports[2]!.lsn,
      symbol: 'BTC-USD',
      bids: [{ price: '99.00', quantity: '3.00000', orders: 2 }],
      asks: [{ price: '101.00', quantity: '3.00000', orders: 1 }],
    })
    expect(order.order).toMatchObject({
      orderId: 2,
      account: 2,
      side: 'buy',
      price: '99.00',
      remaining: '2.00000',
      status: 'resting',
    })
    expect(nothing).toEqual({ lsn: reports[2]!.lsn, order: undefined })
    expect(pool.durableLsn).toBeGreaterThanOrEqual(depth.lsn)
    await expect(pool.depth('BTC-USD', 0)).rejects.toMatchObject({ code: 'TIDEMARK_BAD_ARGUMENT' })
    await expect(pool.order('BTC-USD', 0)).rejects.toMatchObject({ code: 'TIDEMARK_BAD_ARGUMENT' })
    await expect(pool.depth('NONE')).rejects.toMatchObject({ code: 'TIDEMARK_UNKNOWN_SYMBOL' })
  })
})

describe('cancel-all', () => {
  it('takes the account out of every symbol of every shard, one record a symbol', async () => {
    const pool = await openPool({ shards: 2 })
    await pool.submitBatch([
      limit(1, 'buy', '99', '1', 7),
      limit(2, 'buy', '98', '1', 7),
      limit(3, 'buy', '98', '1', 8),
      { ...limit(4, 'sell', '101', '1', 7), symbol: 'ETH-USD' },
    ])
    const report = await pool.submit({ type: 'cancel-all', account: 7, tag: 5 })
    const cancelled = report.events.map((event) => [
      event.symbol,
      event.event,
      'orderId' in event && event.orderId,
    ])
    expect(cancelled.sort()).toEqual([
      ['BTC-USD', 'cancelled', 1],
      ['BTC-USD', 'cancelled', 2],
      ['ETH-USD', 'cancelled', 4],
    ])
    expect(report.events.every(({ tag }) => tag === 5n)).toBe(true)
    expect((await pool.digest()).restingOrders).toBe(1)
    expect((await pool.submit({ type: 'cancel-all', account: 7 })).events).toEqual([])
  })
})

describe('subscribe', () => {
  it('gives the durable events in order, from after an LSN on, and live', async () => {
    const pool = await openPool()
    const first = await pool.submit(limit(1, 'buy', '100', '5'))
    const abort = new AbortController()
    const seen: PoolEvent[] = []
    const reading = (async () => {
      for await (const event of pool.subscribe({ from: first.lsn, signal: abort.signal })) {
        expect(pool.durableLsn).toBeGreaterThanOrEqual(event.lsn)
        seen.push(event)
        if (seen.length === 300) abort.abort()
      }
    })()
    for (let i = 2; i < 102; i++) await pool.submit(limit(i, 'sell', '100', '1'))
    for (let i = 102; i < 302; i++) await pool.submit(limit(i, 'sell', '100', '1'))
    await reading
    expect(seen).toEqual((await eventsOf(pool, first.lsn)).slice(0, 300))
    expect(seen[0]).toMatchObject({ event: 'accepted', orderId: 2, index: 0 })
    expect(seen.filter(({ event }) => event === 'trade')).toHaveLength(5)
  })
})

describe('opening again', () => {
  it('gives the same books, orders and counters, whatever the number of shards', async () => {
    const dir = temporaryDirectory()
    const pool = await openPool({ dir, shards: 2 })
    for (let i = 1; i <= 500; i++) {
      const symbol = i % 2 ? 'BTC-USD' : 'ETH-USD'
      pool.submit({ ...limit(i, i % 3 ? 'buy' : 'sell', String(100 + (i % 7)), '1'), symbol })
    }
    const { symbols } = await pool.digest()
    const trades = pool.stats().trades
    expect(trades).toBeGreaterThan(100)
    await pool.close()
    for (const shards of [1, 3, 2]) {
      const again = await EnginePool.open({ dir, shards, instruments: [ether] })
      expect((await again.digest()).symbols).toEqual(symbols)
      expect(again.instruments().map(({ symbol }) => symbol)).toEqual(['BTC-USD', 'ETH-USD'])
      await again.close()
    }
    const last = await openPool({ dir, instruments: [] })
    const report = await last.submit(limit(9001, 'sell', '1', '10000'))
    expect(report.trades[0]!.tradeId).toBe(
      (await eventsOf(last)).filter((e) => e.event === 'trade' && e.symbol === 'BTC-USD').length -
        report.trades.length +
        1,
    )
  })

  it('refuses an instrument that is defined differently in the log', async () => {
    const dir = temporaryDirectory()
    const pool = await openPool({ dir })
    await pool.close()
    await expect(
      EnginePool.open({ dir, instruments: [{ ...bitcoin, tickSize: '0.1' }] }),
    ).rejects.toMatchObject({
      code: 'TIDEMARK_INSTRUMENT_DIFFERS',
      details: { field: 'tickSize' },
    })
    await openPool({ dir })
  })

  it('takes an instrument whose sizes are the same numbers, written otherwise', async () => {
    const dir = temporaryDirectory()
    const small = { symbol: 'SHIB-USD', tickSize: '0.00000001', lotSize: '1' }
    await (await openPool({ dir, instruments: [small] })).close()
    const pool = await openPool({ dir, instruments: [{ ...small, tickSize: '0.000000010', lotSize: '1.0' }] })
    expect(pool.instrument('SHIB-USD')).toMatchObject({ tickSize: '0.00000001', lotSize: '1' })
  })

  it('adds instruments while it runs, and keeps them', async () => {
    const dir = temporaryDirectory()
    const pool = await openPool({ dir })
    const added = pool.addInstrument({
      symbol: 'ÅÄÖ',
      tickSize: '0.25',
      lotSize: '1',
      replacePriority: 'always-lose',
    })
    const order = pool.submit({ ...limit(1, 'buy', '1.75', '3'), symbol: 'ÅÄÖ' })
    expect((await added).status).toBe('done')
    expect((await order).status).toBe('resting')
    await pool.close()
    const again = await openPool({ dir })
    expect(again.instrument('ÅÄÖ')).toMatchObject({
      symbol: 'ÅÄÖ',
      tickSize: '0.25',
      lotSize: '1',
      replacePriority: 'always-lose',
      selfTradePrevention: 'none',
      id: 2,
      shard: 0,
    })
    expect((await again.order('ÅÄÖ', 1)).order).toMatchObject({ price: '1.75' })
  })
})

describe('close', () => {
  it('settles everything in flight and then refuses with a code', async () => {
    const pool = await openPool({ batchSize: 100_000, batchDelayMs: 1_000 })
    const promises = Array.from({ length: 100 }, (_, i) => pool.submit(limit(i + 1, 'buy', '1', '1')))
    const closing = pool.close()
    await expect(pool.submit(limit(101, 'buy', '1', '1'))).rejects.toMatchObject({
      code: 'TIDEMARK_POOL_CLOSED',
    })
    await closing
    expect((await Promise.all(promises)).every(({ status }) => status === 'resting')).toBe(true)
    await expect(pool.depth('BTC-USD')).rejects.toMatchObject({ code: 'TIDEMARK_POOL_CLOSED' })
    await pool.close()
  })

  it('leaves nothing that keeps the program alive', async () => {
    const script = `import { EnginePool } from '#tidemark/pool/index.js'
      await using pool = await EnginePool.open({ dir: process.env.DIR, shards: 2, instruments: [{ symbol: 'A', tickSize: '1', lotSize: '1' }] })
      const report = await pool.submit({ type: 'new', symbol: 'A', orderId: 1, account: 1, side: 'buy', orderType: 'limit', price: '5', quantity: '2' })
      console.log(report.status)`.replace('await using pool =', 'const pool =')
    const run = await runScript(`${script}\nawait pool.close()`, { DIR: temporaryDirectory() })
    expect(run).toEqual({ code: 0, signal: null, stdout: 'resting\n', stderr: '' })
  })
})
