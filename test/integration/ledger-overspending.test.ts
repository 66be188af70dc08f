import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import * as path from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { Ledger } from '#tidemark/ledger/index.js'
import type { Command, NewCommand } from '#tidemark/matching/index.js'
import { EnginePool, ledgerDoor } from '#tidemark/pool/index.js'
import { openPool } from '../support/pools.js'
import { temporaryDirectory } from '../support/temporary.js'

const symbol = 'BTC-USD'
const market = { symbol, tickSize: '0.01', lotSize: '0.001', baseAsset: 'BTC', quoteAsset: 'USD' }
const small = { shards: 1, segmentBytes: 64 * 1024, ringBytes: 64 * 1024 }
const assets = [
  { id: 'USD', scale: 5 },
  { id: 'EUR', scale: 5 },
  { id: 'BTC', scale: 3 },
]

function order(
  account: number,
  side: 'buy' | 'sell',
  price: number,
  quantity: number,
  more = {},
): NewCommand {
  return { type: 'new', symbol, account, side, orderType: 'limit', price, quantity, ...more } as NewCommand
}

/** Buys 2 and then sells what that brings. */
function pair(account: number, orderId: number, more = {}): Command {
  const leg = { orderType: 'limit', quantity: 2, ...more }
  return {
    type: 'list',
    symbol,
    account,
    listType: 'oto',
    orders: [
      { ...leg, orderId, side: 'buy', price: 5 },
      { ...leg, orderId: orderId + 1, side: 'sell', price: 14 },
    ],
  } as Command
}

const refusal = (code: string) => expect.objectContaining({ code })
const outcomes = async (calls: readonly Promise<{ status: string }>[]) =>
  (await Promise.allSettled(calls)).map((call) =>
    call.status === 'fulfilled' ? call.value.status : call.reason.code,
  )

/** No account has less than is held of it, and nothing came from nowhere. */
function expectCovered(ledger: Ledger, accounts: readonly number[]): void {
  for (const account of accounts)
    for (const { asset, free } of ledger.balances(account).balances)
      expect(Number(free), `${asset} of ${account}`).toBeGreaterThanOrEqual(0)
  for (const { asset, total, deposited } of ledger.totals().assets) expect(total, asset).toBe(deposited)
}

describe('an account that has no more than it shows', () => {
  let dir: string
  let pool: EnginePool
  let ledger: Ledger

  beforeAll(async () => {
    dir = mkdtempSync(path.join(tmpdir(), 'tidemark-test-'))
    pool = await EnginePool.open({ dir, instruments: [market], ...small })
    ledger = await Ledger.open({ pool, assets })
  })
  afterAll(async () => {
    await pool.close()
    rmSync(dir, { recursive: true })
  })

  const deposit = (account: number, asset: string, amount: number) =>
    ledger.deposit({ account, asset, amount, key: `${account} ${asset}` })

  it('cannot sell what an order of a list brings no more, because that was reduced or replaced', async () => {
    await deposit(1, 'USD', 100)
    const list = ledger.submit(pair(1, 11))
    // Neither while the list is on its way …
    const reduce = { type: 'reduce', symbol, orderId: 11, quantity: 1 } as const
    expect(await outcomes([list, ledger.submit(reduce)])).toEqual(['done', 'TIDEMARK_ORDER_NOT_KNOWN'])
    // … nor when it stands, by whichever id, nor as a part of a batch.
    await expect(ledger.submit(reduce)).rejects.toEqual(refusal('TIDEMARK_WORKING_ORDER_FIXED'))
    await expect(ledger.submitBatch([reduce])).rejects.toEqual(refusal('TIDEMARK_WORKING_ORDER_FIXED'))
    const byName = { type: 'reduce', symbol, account: 1, clientOrderId: 'a', quantity: 1 } as const
    await expect(ledger.submit(byName)).rejects.toEqual(refusal('TIDEMARK_WORKING_ORDER_FIXED'))
    await expect(ledger.submit({ type: 'replace', symbol, orderId: 11, quantity: 1 })).rejects.toEqual(
      refusal('TIDEMARK_WORKING_ORDER_FIXED'),
    )
    // Who waits may become less, and others too.
    expect((await ledger.submit({ ...reduce, orderId: 12 })).status).toBe('replaced')
    await deposit(2, 'USD', 100)
    await ledger.submit(order(2, 'buy', 1, 2, { orderId: 21 }))
    expect((await ledger.submit({ ...reduce, orderId: 21 })).status).toBe('replaced')
    expectCovered(ledger, [1, 2])
    // When it is filled, nothing waits for it any more.
    await deposit(3, 'BTC', 2)
    await ledger.submit(order(3, 'sell', 5, 2))
    expect((await ledger.submit({ ...reduce, orderId: 12, quantity: 0.5 })).status).toBe('replaced')
    expectCovered(ledger, [1, 2, 3])
    await ledger.submit({ type: 'cancel-all', symbol, everybody: true })
  })

  it('holds for an order that waits for one in a self-trade group, which others may decrement', async () => {
    await deposit(4, 'USD', 100)
    await expect(ledger.submit(pair(4, 41, { selfTradeGroup: 7 }))).rejects.toEqual(
      refusal('TIDEMARK_INSUFFICIENT_FUNDS'),
    )
    await deposit(4, 'BTC', 2)
    await ledger.submit(pair(4, 41, { selfTradeGroup: 7 }))
    expect(ledger.balance(4, 'BTC').held).toBe('2.000')
    await deposit(5, 'BTC', 1)
    const own = { selfTradeGroup: 7, selfTradePrevention: 'decrement' }
    expect((await ledger.submit(order(5, 'sell', 5, 1, own))).events).toContainEqual(
      expect.objectContaining({ event: 'replaced', orderId: 41, reason: 'self-trade' }),
    )
    expectCovered(ledger, [4, 5])
    expect(ledger.balance(4, 'BTC').held).toBe('2.000')
    await ledger.submit({ type: 'cancel-all', symbol, everybody: true })
  })

  it('holds for a replace without a price the highest one that replaces on their way may give the order', async () => {
    await deposit(6, 'USD', 800)
    await ledger.submit(order(6, 'buy', 100, 1, { orderId: 61 }))
    const calls = [
      ledger.submit({ type: 'replace', symbol, orderId: 61, price: 200, quantity: 1 }),
      ledger.submit({ type: 'replace', symbol, orderId: 61, quantity: 5 }),
    ]
    expect(await outcomes(calls)).toEqual(['replaced', 'TIDEMARK_INSUFFICIENT_FUNDS'])
    expectCovered(ledger, [6])
    // When they are durable, the price that it has counts again.
    await ledger.submit({ type: 'replace', symbol, orderId: 61, price: 100, quantity: 1 })
    expect((await ledger.submit({ type: 'replace', symbol, orderId: 61, quantity: 7 })).status).toBe(
      'replaced',
    )
    expectCovered(ledger, [6])
    await ledger.submit({ type: 'cancel-all', symbol, everybody: true })
  })

  it('replaces no order whose id a new one is about to get, which is held for by another side', async () => {
    await deposit(7, 'USD', 75)
    await deposit(7, 'BTC', 101)
    await ledger.submit(order(7, 'sell', 500, 1, { orderId: 71 }))
    const calls = [
      ledger.submit({ type: 'cancel', symbol, orderId: 71 }),
      ledger.submit(order(7, 'buy', 50, 1, { orderId: 71 })),
      ledger.submit({ type: 'replace', symbol, orderId: 71, price: 50, quantity: 100 }),
    ]
    expect(await outcomes(calls)).toEqual(['cancelled', 'resting', 'TIDEMARK_ORDER_NOT_KNOWN'])
    expectCovered(ledger, [7])
    expect(
      (await ledger.submit({ type: 'replace', symbol, orderId: 71, price: 25, quantity: 1 })).status,
    ).toBe('replaced')
    // Neither after a batch that was refused half way.
    const batch = [order(7, 'buy', 1, 1, { orderId: 71 }), order(7, 'buy', 1, 1000)]
    await expect(ledger.submitBatch(batch)).rejects.toEqual(refusal('TIDEMARK_INSUFFICIENT_FUNDS'))
    const replaced = ledger.submit({ type: 'replace', symbol, orderId: 71, price: 20, quantity: 1 })
    expect((await replaced).status).toBe('replaced')
    expectCovered(ledger, [7])
    await ledger.submit({ type: 'cancel-all', symbol, everybody: true })
  })

  it('is sent no order while what its instrument is traded in is about to change, unless that was refused', async () => {
    const other = { symbol: 'NEW', tickSize: '1', lotSize: '1', baseAsset: 'BTC', quoteAsset: 'USD' }
    await pool.addInstrument(other)
    await deposit(8, 'USD', 100)
    const buy = { ...order(8, 'buy', 10, 1), symbol: 'NEW' }
    const change = { type: 'instrument-change', symbol: 'NEW', quoteAsset: 'EUR' } as const
    await expect(ledger.submitBatch([change, order(8, 'buy', 1000, 1)])).rejects.toEqual(
      refusal('TIDEMARK_INSUFFICIENT_FUNDS'),
    )
    const calls = [pool.submit(change), pool.submit({ ...change, quoteAsset: 'USD' }), ledger.submit(buy)]
    expect(await outcomes(calls)).toEqual(['done', 'done', 'TIDEMARK_ASSETS_CHANGING'])
    await ledger.submit(buy)
    expect(ledger.balance(8, 'USD').held).toBe('10.00000')
  })

  it('is opened with an instrument that came meanwhile and does not come out: its orders are refused, and its assets can change', async () => {
    ledger.close()
    await pool.addInstrument({ ...market, symbol: 'FINE', tickSize: '0.1', lotSize: '0.0005' })
    ledger = await Ledger.open({ pool, assets })
    const buy = { ...order(9, 'buy', 1, 1), symbol: 'FINE' }
    await expect(ledger.submit(buy)).rejects.toEqual(refusal('TIDEMARK_SCALE_TOO_SMALL'))
    await pool.changeInstrument('FINE', { baseAsset: null })
    await pool.changeInstrument('FINE', { baseAsset: 'FINE' })
    ledger.close()
    const coarse = [{ id: 'FINE', scale: 3 }]
    await expect(Ledger.open({ pool, assets: coarse })).rejects.toEqual(refusal('TIDEMARK_SCALE_TOO_SMALL'))
    ledger = await Ledger.open({ pool, assets: [{ id: 'FINE', scale: 4 }] })
    await deposit(9, 'USD', 1)
    expect((await ledger.submit(buy)).status).toBe('resting')
  })

  it('settles what was on its way when it was closed, and the next one counts it before it takes orders', async () => {
    await deposit(10, 'USD', 100)
    const withdrawal = { account: 10, asset: 'USD', amount: 100, key: 'w' }
    const sent = ledger.withdraw(withdrawal)
    ledger.close()
    ledger = await Ledger.open({ pool, assets })
    await expect(ledger.submit(order(10, 'buy', 100, 1))).rejects.toEqual(
      refusal('TIDEMARK_INSUFFICIENT_FUNDS'),
    )
    const again = await ledger.withdraw(withdrawal)
    expect(await Promise.race([sent, nextTurn('on its way')])).toEqual({ ...again, repeated: false })
    expect(again.repeated).toBe(true)
  })
})

describe('a ledger that is closed and opened', () => {
  it('keeps what an instrument is traded in once it has had orders, and takes no change meanwhile', async () => {
    const dir = temporaryDirectory()
    const change = { quoteAsset: 'EUR' }
    const first = await openPool({ dir, instruments: [market], ...small })
    const before = await Ledger.open({ pool: first, assets })
    await before.deposit({ account: 1, asset: 'USD', amount: 1000, key: 'a' })
    await before.deposit({ account: 2, asset: 'BTC', amount: 10, key: 'b' })
    await before.submit(order(1, 'buy', 100, 1, { orderId: 1 }))
    before.close()
    const reduce = { type: 'reduce', symbol, orderId: 1, quantity: 0.1 } as const
    await expect(first.changeInstrument(symbol, change)).rejects.toEqual(refusal('TIDEMARK_LEDGER_NOT_OPEN'))
    await expect(first.submit(reduce)).rejects.toEqual(refusal('TIDEMARK_LEDGER_NOT_OPEN'))
    await Ledger.open({ pool: first, assets })
    await first.close()

    const pool = await openPool({ dir, instruments: [market], ...small })
    const ledger = await Ledger.open({ pool, assets })
    await expect(pool.changeInstrument(symbol, change)).rejects.toEqual(refusal('TIDEMARK_ASSETS_FIXED'))
    await ledger.submit(order(2, 'sell', 100, 1))
    expectCovered(ledger, [1, 2])
    expect(ledger.balance(2, 'USD').free).toBe('100.00000')
  })

  it('writes no snapshot of what it has not counted, though a checkpoint was being taken when it was closed', async () => {
    const dir = temporaryDirectory()
    const first = await EnginePool.open({ dir, instruments: [market], ...small })
    onTestFinished(() => first.close())
    const before = await Ledger.open({ pool: first, assets })
    const { ledger: checkpoints } = first[ledgerDoor].checkpointer
    const sent = before.deposit({ account: 1, asset: 'USD', amount: 1000, key: 'a' })
    const taken = checkpoints.take(first[ledgerDoor].log.tailLsn)
    before.close()
    await Promise.all([sent, taken])
    await first.close()
    const pool = await openPool({ dir, instruments: [market], ...small })
    const ledger = await Ledger.open({ pool, assets })
    expect(ledger.balance(1, 'USD').total).toBe('1000.00000')
  })
})
