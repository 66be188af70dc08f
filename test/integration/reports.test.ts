import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it, onTestFinished } from 'vitest'
import { EnginePool, type ExecutionReport } from '#tidemark/index.js'
import type { NewCommand } from '#tidemark/matching/index.js'
import { temporaryDirectory } from '../support/temporary.js'

const fields = [
  'lsn',
  'symbol',
  'orderId',
  'status',
  'code',
  'filled',
  'remaining',
  'repeated',
  'trades',
  'events',
]

async function openPool(symbols = ['A']): Promise<EnginePool> {
  const instruments = symbols.map((symbol) => ({ symbol, tickSize: '0.01', lotSize: '1' }))
  const pool = await EnginePool.open({ dir: temporaryDirectory(), instruments, shards: symbols.length })
  onTestFinished(() => pool.close())
  return pool
}

const limit = {
  type: 'new',
  symbol: 'A',
  account: 1,
  orderType: 'limit',
  price: '10',
  quantity: '5',
} as const

/** One report of each shape: no event, one event, trades, several symbols, a rejection, a repetition. */
async function everyReport(pool: EnginePool): Promise<Record<string, ExecutionReport>> {
  const buy = { ...limit, orderId: 1, side: 'buy', tag: 2n ** 60n, requestId: 1 } as const
  return {
    accepted: await pool.submit(buy),
    repeated: await pool.submit(buy),
    traded: await pool.submit({ ...limit, orderId: 2, account: 2, side: 'sell', quantity: '7', tag: 7 }),
    rejected: await pool.submit({ type: 'cancel', symbol: 'A', orderId: 99 }),
    elsewhere: await pool.submit({ ...limit, symbol: 'B', orderId: 1, account: 2, side: 'buy' }),
    everywhere: await pool.submit({ type: 'cancel-all', account: 2 }),
    nowhere: await pool.submit({ type: 'cancel-all', account: 3 }),
  }
}

describe('a report', () => {
  it('holds what its type promises as properties of its own, however it is copied', async () => {
    const reports = Object.entries(await everyReport(await openPool(['A', 'B'])))
    expect(reports).toHaveLength(7)
    for (const [name, report] of reports) {
      const plain = Object.fromEntries(fields.map((field) => [field, report[field as keyof ExecutionReport]]))
      expect(Object.keys(report), name).toEqual(fields)
      expect({ ...report }, name).toEqual(plain)
      expect(structuredClone(report), name).toEqual(structuredClone(plain))
      expect(Object.keys(structuredClone(report)), name).toEqual(fields)
      const printed = inspect(report, { depth: 5 })
      for (const field of fields) expect(printed, name).toContain(`${field}: `)
      expect(printed, name).not.toContain('Getter')
      expect(report.events, name).toBe(report.events)
      expect(report.trades, name).toBe(report.trades)
    }
  })

  it('has the events that a subscription gets of the same command, whatever happened', async () => {
    const pool = await openPool()
    const own = { symbol: 'A', account: 1, tag: 2n ** 63n + 5n } as const
    const buy = { ...limit, ...own, side: 'buy' } as const
    const reports = [
      await pool.submit({ ...buy, orderId: 1 }),
      await pool.submit({ ...buy, orderId: 2, side: 'sell', price: '11', tag: 6 }),
      await pool.submit({
        ...own,
        type: 'new',
        orderId: 3,
        side: 'sell',
        orderType: 'stop',
        stopPrice: '9',
        quantity: '1',
      }),
      await pool.submit({ ...own, type: 'replace', orderId: 1, price: '10.5', quantity: '4' }),
      await pool.submit({ ...own, type: 'reduce', orderId: 2, quantity: '1' }),
      await pool.submit({ ...own, type: 'cancel', orderId: 2 }),
      await pool.submit({ ...own, type: 'cancel', orderId: 3 }),
      await pool.submit({ ...own, type: 'cancel', orderId: 99 }),
      await pool.submit({ ...buy, orderId: 1 }),
      await pool.submit({ ...buy, orderId: 4, timeInForce: 'IOC' }),
      await pool.submit({ ...buy, orderId: 5, side: 'sell' }),
      await pool.submit({ ...buy, orderId: 6, timeInForce: 'FOK', quantity: '99' }),
      await pool.submit({ type: 'phase', symbol: 'A', phase: 'halted', tag: 9 }),
    ]
    const kinds = ['accepted', 'replaced', 'cancelled', 'rejected', 'trade', 'phase-changed']
    expect(new Set(reports.flatMap(({ events }) => events.map(({ event }) => event)))).toEqual(new Set(kinds))
    const subscribed = new Map<number, object[]>()
    for await (const event of pool.subscribe({ to: pool.durableLsn })) {
      subscribed.set(event.lsn, [...(subscribed.get(event.lsn) ?? []), event])
    }
    for (const { lsn, events } of reports) expect(events).toStrictEqual(subscribed.get(lsn))
  })

  it('of a sweep has the events of a subscription too, and the trades of its order', async () => {
    const pool = await openPool()
    const makers = Array.from({ length: 40 }, (_, i) => ({ ...limit, orderId: i + 1, side: 'sell' }) as const)
    await Promise.all(makers.map((maker) => pool.submit(maker)))
    const sweep = await pool.submit({ ...limit, orderId: 99, account: 2, side: 'buy', quantity: '200' })
    const subscribed: object[] = []
    for await (const event of pool.subscribe({ to: pool.durableLsn })) {
      if (event.lsn === sweep.lsn) subscribed.push(event)
    }
    expect(sweep.trades).toHaveLength(40)
    expect(sweep.events).toStrictEqual(subscribed)
    expect(sweep.events.filter(({ event }) => event === 'trade')).toStrictEqual(sweep.trades)
    expect(pool.stats().acknowledgementLatency.count).toBe(42)
  })

  it('is JSON, with tags as strings, and so are its events by themselves and those of a subscription', async () => {
    const pool = await openPool(['A', 'B'])
    const { accepted, traded, everywhere } = await everyReport(pool)
    expect(JSON.parse(JSON.stringify(accepted))).toMatchObject({
      status: 'resting',
      remaining: '5',
      trades: [],
      events: [{ event: 'accepted', tag: String(2n ** 60n), price: '10.00' }],
    })
    expect(JSON.parse(JSON.stringify(traded))).toMatchObject({
      status: 'partially-filled',
      filled: '5',
      trades: [{ event: 'trade', tag: '7' }],
    })
    expect(JSON.parse(JSON.stringify(everywhere)).events).toHaveLength(2)
    const subscription = pool.subscribe({ to: pool.durableLsn })
    const subscribed: string[] = []
    for await (const event of subscription) {
      const { tag } = JSON.parse(JSON.stringify(event))
      expect(typeof tag).toBe('string')
      expect(structuredClone(event)).toEqual({ ...event })
      subscribed.push(event.event)
    }
    expect(new Set(subscribed)).toEqual(
      new Set(['instrument-created', 'accepted', 'repeated', 'trade', 'rejected', 'cancelled']),
    )
  })

  it('that is frozen is read as ever', async () => {
    const reports = Object.entries(await everyReport(await openPool(['A', 'B'])))
    expect(reports).toHaveLength(7)
    for (const [name, report] of reports) {
      Object.freeze(report)
      const { trades, events } = structuredClone(report)
      expect(structuredClone(report.events), name).toEqual(events)
      expect(structuredClone(report.trades), name).toEqual(trades)
    }
  })

  it('that is copied is JSON by the replacer that docs/embed.md shows', async () => {
    const { traded } = await everyReport(await openPool(['A', 'B']))
    const [event] = traded!.events
    const texts = (_: string, value: unknown) => (typeof value === 'bigint' ? String(value) : value)
    expect(readFileSync('docs/embed.md', 'utf8')).toContain(
      "JSON.stringify(copy, (_, value) => (typeof value === 'bigint' ? String(value) : value))",
    )
    for (const [whole, copy] of [
      [traded, structuredClone(traded)],
      [traded, { ...traded }],
      [event, structuredClone(event)],
      [event, { ...event! }],
    ])
      expect(JSON.parse(JSON.stringify(copy, texts))).toEqual(JSON.parse(JSON.stringify(whole)))
  })

  it('has the trades of its own order, and those of stops that it triggered among the events only', async () => {
    const pool = await openPool()
    await pool.submit({ ...limit, orderId: 1, account: 9, side: 'buy', quantity: '1' })
    await pool.submit({ ...limit, orderId: 2, account: 9, side: 'buy', price: '9', quantity: '5' })
    const stop: NewCommand = {
      type: 'new',
      symbol: 'A',
      orderId: 3,
      account: 1,
      side: 'sell',
      orderType: 'stop',
      stopPrice: '10',
      quantity: '5',
    }
    await pool.submit(stop)
    const report = await pool.submit({ ...limit, orderId: 4, account: 2, side: 'sell', quantity: '1' })
    expect(report.filled).toBe('1')
    expect(report.trades.map(({ takerOrderId, quantity }) => [takerOrderId, quantity])).toEqual([[4, '1']])
    const traded = report.events.filter(({ event }) => event === 'trade')
    expect(traded.map((event) => 'takerOrderId' in event && event.takerOrderId)).toEqual([4, 3])
  })

  it('that is kept holds a little memory beside that of its own command', async () => {
    setFlagsFromString('--expose-gc')
    const collect: () => void = runInNewContext('gc')
    const pool = await openPool()
    const kept: ExecutionReport[] = []
    let orderId = 1
    collect()
    const before = process.memoryUsage().arrayBuffers
    for (let round = 0; round < 40; round++) {
      const orders = Array.from({ length: 600 }, () =>
        pool.submit({
          ...limit,
          orderId: orderId++,
          side: orderId % 2 === 0 ? 'buy' : 'sell',
          quantity: '1',
        }),
      )
      kept.push((await Promise.all(orders)).at(-1)!)
    }
    // Memory that was collected is counted until it was swept, which happens beside this thread.
    const heldBytes = () => {
      collect()
      return (process.memoryUsage().arrayBuffers - before) / kept.length
    }
    await expect.poll(heldBytes, { timeout: 10_000 }).toBeLessThan(4096)
    expect(kept.map(({ events }) => events.length)).toEqual(Array(40).fill(2))
  })
})
