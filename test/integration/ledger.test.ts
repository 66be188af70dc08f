import { mkdtempSync, readdirSync, rmSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import * as path from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { Ledger, type LedgerOptions } from '#tidemark/ledger/index.js'
import type { NewCommand } from '#tidemark/matching/index.js'
import { EnginePool, type EnginePoolOptions, type TradeEvent } from '#tidemark/pool/index.js'
import { openPool } from '../support/pools.js'
import { temporaryDirectory } from '../support/temporary.js'

const market = { symbol: 'BTC-USD', tickSize: '0.01', lotSize: '0.001', baseAsset: 'BTC', quoteAsset: 'USD' }
const assets = [
  { id: 'USD', scale: 5 },
  { id: 'BTC', scale: 3 },
]

async function openLedger(
  options: EnginePoolOptions = {},
  ledgerOptions: Partial<LedgerOptions> = {},
): Promise<{ pool: EnginePool; ledger: Ledger }> {
  const pool = await openPool({ instruments: [market], shards: 2, ...options })
  return { pool, ledger: await Ledger.open({ pool, assets, ...ledgerOptions }) }
}

function order(
  account: number,
  side: 'buy' | 'sell',
  price: string,
  quantity: string,
  more = {},
): NewCommand {
  return {
    type: 'new',
    symbol: 'BTC-USD',
    account,
    side,
    orderType: 'limit',
    price,
    quantity,
    ...more,
  } as NewCommand
}

const free = (ledger: Ledger, account: number, asset: string) => ledger.balance(account, asset).free
const refusal = (code: string, details = {}) =>
  expect.objectContaining({ code, details: expect.objectContaining(details) })

/** One pool for the tests that need none of their own: each has accounts and keys of its own. */
let dir: string
let pool: EnginePool
let ledger: Ledger

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'tidemark-test-'))
  pool = await EnginePool.open({ dir, instruments: [market], shards: 2 })
  ledger = await Ledger.open({ pool, assets: [...assets, { id: 'BIG', scale: 18 }] })
})
afterAll(async () => {
  await pool.close()
  rmSync(dir, { recursive: true })
})

describe('Ledger', () => {
  it('holds what an order may take at its limit, settles trades at the price of the trade, and frees the rest', async () => {
    await ledger.deposit({ account: 1, asset: 'USD', amount: '1000', key: 'a' })
    await ledger.deposit({ account: 2, asset: 'BTC', amount: '2', key: 'b' })
    await ledger.submit(order(2, 'sell', '90', '1.5', { orderId: 1 }))
    expect(ledger.balance(2, 'BTC')).toMatchObject({ total: '2.000', free: '0.500', held: '1.500' })
    const sent = ledger.submit(order(1, 'buy', '100', '2', { orderId: 2 }))
    expect(ledger.balance(1, 'USD')).toMatchObject({
      total: '1000.00000',
      free: '800.00000',
      held: '200.00000',
    })
    expect(ledger.holds(1)).toMatchObject({ orders: [], pending: [{ asset: 'USD', amount: '200.00000' }] })
    const { lsn } = await sent
    // 1.5 for 90 each; 0.5 is open at 100.
    expect(ledger.balance(1, 'USD')).toEqual({
      lsn,
      account: 1,
      asset: 'USD',
      total: '865.00000',
      free: '815.00000',
      held: '50.00000',
    })
    expect(ledger.balances(2).balances).toEqual([
      { asset: 'USD', total: '135.00000', free: '135.00000', held: '0.00000' },
      { asset: 'BTC', total: '0.500', free: '0.500', held: '0.000' },
    ])
    expect(ledger.holds(1)).toMatchObject({
      orders: [{ symbol: 'BTC-USD', orderId: 2, asset: 'USD', amount: '50.00000' }],
      pending: [],
    })
    await ledger.submit({ type: 'reduce', symbol: 'BTC-USD', orderId: 2, quantity: '0.2' })
    expect(ledger.balance(1, 'USD')).toMatchObject({ free: '835.00000', held: '30.00000' })
    await ledger.submit({ type: 'cancel', symbol: 'BTC-USD', orderId: 2 })
    expect(ledger.balance(1, 'USD')).toMatchObject({ free: '865.00000', held: '0.00000' })
    expect(ledger.totals().assets.slice(0, 2)).toMatchObject([
      { asset: 'USD', total: '1000.00000', held: '0.00000' },
      { asset: 'BTC', total: '2.000', held: '0.000' },
    ])
  })

  it('hands over nothing of a command or a batch that an account cannot pay, and says what is missing', async () => {
    await ledger.deposit({ account: 11, asset: 'USD', amount: '100', key: 'b1' })
    const tooMuch = order(11, 'buy', '100', '1.001')
    const missing = { account: 11, asset: 'USD', needed: '100.10000', free: '100.00000', missing: '0.10000' }
    const { lsn } = ledger
    await expect(ledger.submit(tooMuch)).rejects.toEqual(refusal('TIDEMARK_INSUFFICIENT_FUNDS', missing))
    await expect(pool.submit(tooMuch)).rejects.toEqual(refusal('TIDEMARK_INSUFFICIENT_FUNDS'))
    const half = order(11, 'buy', '100', '0.5')
    await expect(ledger.submitBatch([half, half, half])).rejects.toEqual(
      refusal('TIDEMARK_INSUFFICIENT_FUNDS'),
    )
    const batch = pool.batch()
    for (let i = 0; i < 3; i++) batch.add(half)
    await expect(pool.submitBatch(batch)).rejects.toEqual(refusal('TIDEMARK_INSUFFICIENT_FUNDS'))
    await expect(ledger.submit(order(9, 'sell', '1', '1'))).rejects.toEqual(
      refusal('TIDEMARK_INSUFFICIENT_FUNDS'),
    )
    await expect(
      ledger.submit({ ...order(11, 'buy', '1', '1'), orderType: 'market', price: undefined } as NewCommand),
    ).rejects.toEqual(refusal('TIDEMARK_HOLD_UNBOUNDED'))
    await expect(
      ledger.submit({ type: 'replace', symbol: 'BTC-USD', orderId: 5, quantity: '1' }),
    ).rejects.toEqual(refusal('TIDEMARK_ORDER_NOT_KNOWN'))
    expect(ledger.lsn).toBe(lsn)
    expect(ledger.balance(11, 'USD')).toMatchObject({ free: '100.00000', held: '0.00000' })
    await ledger.submitBatch([half, half])
    expect(free(ledger, 11, 'USD')).toBe('0.00000')
  })

  it('frees what was held for a command that the book refuses', async () => {
    await ledger.deposit({ account: 21, asset: 'USD', amount: '100', key: 'c1' })
    const report = await ledger.submit(order(21, 'buy', '100', '1', { timeInForce: 'FOK' }))
    expect(report.code).toBe('FOK_NOT_FILLABLE')
    expect(ledger.balance(21, 'USD')).toMatchObject({ free: '100.00000', held: '0.00000' })
  })

  it('lets 64 callers that spend the same balance at once have no more than there is', async () => {
    await ledger.deposit({ account: 31, asset: 'USD', amount: '1000', key: 'd1' })
    const outcomes = await Promise.allSettled(
      Array.from({ length: 64 }, async (_, i) => {
        await Promise.resolve()
        if (i % 3 === 0) return ledger.withdraw({ account: 31, asset: 'USD', amount: '30', key: `w${i}` })
        if (i % 3 === 1)
          return ledger.transfer({ from: 31, to: 32, asset: 'USD', amount: '30', key: `t${i}` })
        return ledger.submit(order(31, 'buy', '30', '1'))
      }),
    )
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(33)
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') expect(outcome.reason.code).toBe('TIDEMARK_INSUFFICIENT_FUNDS')
    expect(free(ledger, 31, 'USD')).toBe('10.00000')
  })

  it('has every balance and hold again after opening, and executes no key twice', async () => {
    const dir = temporaryDirectory()
    const first = await EnginePool.open({ dir, instruments: [market], shards: 2 })
    onTestFinished(() => first.close())
    const before = await Ledger.open({ pool: first, assets })
    const deposit = { account: 1, asset: 'USD', amount: '1000', key: 'wire 1' }
    const receipt = await before.deposit(deposit)
    await before.deposit({ account: 2, asset: 'BTC', amount: 3, key: 'coins' })
    await before.submit(order(1, 'buy', '100', '2', { orderId: 1 }))
    await before.submit(order(2, 'sell', '99', '0.5', { orderId: 2 }))
    await before.withdraw({ account: 2, asset: 'BTC', amount: '1', key: 'out' })
    await before.adjust({
      account: 1,
      asset: 'USD',
      amount: '-0.00001',
      key: 'fix',
      reason: 'a cent too much',
    })
    const pictures = (ledger: Ledger) =>
      [1, 2].map((account) => [ledger.balances(account).balances, ledger.holds(account).orders])
    const expected = pictures(before)
    await first.close()

    const { pool, ledger } = await openLedger({ dir, shards: 1 })
    expect(pictures(ledger)).toEqual(expected)
    expect(await ledger.deposit(deposit)).toEqual({ lsn: receipt.lsn, key: 'wire 1', repeated: true })
    await expect(ledger.deposit({ ...deposit, amount: '1000.1' })).rejects.toEqual(
      refusal('TIDEMARK_KEY_REUSED'),
    )
    expect(pictures(ledger)).toEqual(expected)
    const twice = { account: 3, asset: 'USD', amount: 1, key: 'twice' }
    const receipts = await Promise.all([ledger.deposit(twice), ledger.deposit(twice)])
    expect(receipts.map(({ repeated }) => repeated)).toEqual([false, true])
    expect(free(ledger, 3, 'USD')).toBe('1.00000')
    await expect(Ledger.open({ pool, assets })).rejects.toEqual(refusal('TIDEMARK_LEDGER_OPEN'))
    ledger.close()
    await expect(ledger.submit(order(1, 'buy', '1', '1'))).rejects.toEqual(refusal('TIDEMARK_LEDGER_CLOSED'))
    await expect(pool.submit(order(1, 'buy', '1', '1'))).rejects.toEqual(refusal('TIDEMARK_LEDGER_NOT_OPEN'))
    await expect(Ledger.open({ pool, assets: [{ id: 'USD', scale: 4 }] })).rejects.toEqual(
      refusal('TIDEMARK_ASSET_DIFFERS', { logged: 5, wanted: 4 }),
    )
    const again = await Ledger.open({ pool, assets: [{ id: 'EUR', scale: 2 }] })
    expect(again.assets()).toEqual([...assets, { id: 'EUR', scale: 2 }])
    expect(pictures(again)).toEqual(expected)
  })

  it('says what orders pay by LSNs only, and refuses what is none: nothing was in force then', async () => {
    const wrong = refusal('TIDEMARK_BAD_ARGUMENT')
    for (const lsn of [-1, 0.5, Number.NaN, '8', null]) {
      expect(() => ledger.rates(1, { lsn: lsn as never }), String(lsn)).toThrow(wrong)
      const trade = { symbol: 'BTC-USD' } as TradeEvent
      for (const which of ['makerLsn', 'takerLsn'])
        expect(
          () => ledger.tradeFees(trade, { makerLsn: 8, takerLsn: 8, [which]: lsn }),
          String(lsn),
        ).toThrow(wrong)
    }
  })

  it('begins a log that was removed with its snapshot, and needs it to take orders', async () => {
    const folder = temporaryDirectory()
    const small = { segmentBytes: 16 * 1024, ringBytes: 64 * 1024, checkpointBytes: 0, keepLogBytes: 0 }
    const first = await EnginePool.open({ dir: folder, instruments: [market], shards: 1, ...small })
    onTestFinished(() => first.close())
    const before = await Ledger.open({ pool: first, assets, venueAccount: 9 })
    await before.setFees({
      symbol: 'BTC-USD',
      maker: '-0.0001',
      taker: '0.002',
      caps: { USD: 2 },
      key: 'fees',
    })
    await before.deposit({ account: 1, asset: 'USD', amount: '100000', key: 'a' })
    await before.deposit({ account: 2, asset: 'BTC', amount: '1000', key: 'b' })
    let orderId = 1
    const trade = async () => {
      const orders = Array.from({ length: 100 }, () => [
        order(1, 'buy', '10', '0.01', { orderId: orderId++ }),
        order(2, 'sell', '10', '0.009', { orderId: orderId++ }),
      ])
      await before.submitBatch(orders.flat())
    }
    for (let i = 0; i < 3; i++) {
      await trade()
      await first.checkpoint()
    }
    const pair = (id: number, price: string) => ({ ...order(2, 'sell', price, '1'), orderId: id })
    const { type, symbol, account, ...leg } = pair(50_001, '20') as Record<string, unknown> & { type: 'new' }
    const orders = [leg, { ...leg, orderId: 50_002, orderType: 'stop', price: undefined, stopPrice: '5' }]
    await before.submit({ type: 'list', symbol, account, listType: 'oco', orders } as never)
    await first.checkpoint()
    await trade()
    const fees = { account: 1, maker: 0, taker: 0, key: 'none' }
    await before.setFees(fees)
    await trade()
    const pictures = (of: Ledger) => [
      ...[1, 2, 9].map((owner) => [of.balances(owner).balances, of.holds(owner).orders]),
      of.totals().assets,
    ]
    const expected = JSON.parse(JSON.stringify(pictures(before)))
    expect(expected[2][0]).toMatchObject([{ asset: 'USD' }])
    const copy = temporaryDirectory()
    await first.backup(copy)
    await first.close()

    // A pool whose ledger is not open takes checkpoints too, and leaves the log that the ledger has yet to count.
    const alone = await EnginePool.open({ dir: folder, ...small })
    onTestFinished(() => alone.close())
    const cancel = { type: 'cancel', symbol: 'BTC-USD', orderId: 60_000 } as const
    for (let i = 0; i < 3; i++) {
      await alone.submitBatch(Array.from({ length: 500 }, () => cancel))
      await alone.checkpoint()
    }
    await alone.close()

    for (const dir of [folder, copy]) {
      const again = await EnginePool.open({ dir, shards: 2, ...small })
      onTestFinished(() => again.close())
      expect(again.recovery.firstLsn, 'log was removed').toBeGreaterThan(0)
      const bare = order(1, 'buy', '1', '0.001')
      await expect(again.submit(bare)).rejects.toEqual(refusal('TIDEMARK_LEDGER_NOT_OPEN'))
      await expect(again.submitBatch([bare])).rejects.toEqual(refusal('TIDEMARK_LEDGER_NOT_OPEN'))
      const opened = await Ledger.open({ pool: again, assets: [] })
      expect(opened.venueAccount).toBe(9)
      expect(pictures(opened)).toEqual(expected)
      expect((await opened.setFees(fees)).repeated).toBe(true)
      expect((await opened.deposit({ account: 1, asset: 'USD', amount: '100000', key: 'a' })).repeated).toBe(
        true,
      )
      await opened.submit({ type: 'cancel', symbol: 'BTC-USD', orderId: 50_001 })
      await opened.submit({ type: 'cancel', symbol: 'BTC-USD', orderId: 50_002 })
      expect(opened.holds(2).orders).toEqual([])
      await again.close()
      if (dir === copy) continue
      for (const name of readdirSync(dir).filter((file) => file.startsWith('ledger-')))
        truncateSync(path.join(dir, name), 100)
      const damaged = await EnginePool.open({ dir, ...small })
      onTestFinished(() => damaged.close())
      await expect(Ledger.open({ pool: damaged, assets: [] })).rejects.toEqual(
        refusal('TIDEMARK_LEDGER_DAMAGED'),
      )
      await expect(damaged.submit(bare)).rejects.toEqual(refusal('TIDEMARK_LEDGER_NOT_OPEN'))
    }
  })

  it('begins only when no order is live', async () => {
    const pool = await openPool({ instruments: [market] })
    await pool.submit(order(1, 'buy', '1', '1', { orderId: 1 }))
    await expect(Ledger.open({ pool, assets })).rejects.toEqual(
      refusal('TIDEMARK_ORDERS_OPEN', { orders: 1 }),
    )
    await pool.submit({ type: 'cancel', symbol: 'BTC-USD', orderId: 1 })
    const ledger = await Ledger.open({ pool, assets })
    expect(ledger.balances(1).balances).toEqual([])
    expect(ledger.startLsn).toBeGreaterThan(0)
  })

  it('refuses instruments that come out in no whole units, with the scale that would do', async () => {
    const pool = await openPool({ instruments: [market] })
    const coarse = [assets[1]!, { id: 'USD', scale: 4 }]
    await expect(Ledger.open({ pool, assets: coarse })).rejects.toEqual(
      refusal('TIDEMARK_SCALE_TOO_SMALL', { symbol: 'BTC-USD', asset: 'USD', scale: 4, neededScale: 5 }),
    )
    const ledger = await Ledger.open({ pool, assets })
    const finer = { symbol: 'B', tickSize: '0.01', lotSize: '0.0005', baseAsset: 'BTC', quoteAsset: 'USD' }
    await expect(pool.addInstrument(finer)).rejects.toEqual(
      refusal('TIDEMARK_SCALE_TOO_SMALL', { symbol: 'B', asset: 'BTC', scale: 3, neededScale: 4 }),
    )
    expect(pool.instrument('B')).toBeUndefined()
    await pool.addInstrument({ symbol: 'C', tickSize: '1', lotSize: '1' })
    const inC = { ...order(1, 'buy', '1', '1'), symbol: 'C' }
    await expect(ledger.submit(inC)).rejects.toEqual(refusal('TIDEMARK_NO_ASSETS', { symbol: 'C' }))
    await ledger.deposit({ account: 1, asset: 'USD', amount: 1, key: 'a' })
    await pool.changeInstrument('C', { baseAsset: 'BTC', quoteAsset: 'USD' })
    await ledger.submit(inC)
    await expect(pool.changeInstrument('C', { quoteAsset: 'BTC' })).rejects.toEqual(
      refusal('TIDEMARK_ASSETS_FIXED', { symbol: 'C', fields: ['quoteAsset'] }),
    )
  })

  it('refuses malformed commands before anything is written', async () => {
    const { lsn } = ledger
    const good = { account: 41, asset: 'USD', amount: '1', key: 'k' }
    for (const [bad, code] of [
      [{ ...good, amount: '1.000001' }, 'TIDEMARK_BAD_AMOUNT'],
      [{ ...good, amount: '-1' }, 'TIDEMARK_BAD_AMOUNT'],
      [{ ...good, amount: '0' }, 'TIDEMARK_BAD_AMOUNT'],
      [{ ...good, amount: '1e3' }, 'TIDEMARK_BAD_AMOUNT'],
      [{ ...good, amount: '92233720368547.75808' }, 'TIDEMARK_AMOUNT_TOO_LARGE'],
      [{ ...good, asset: 'EUR' }, 'TIDEMARK_UNKNOWN_ASSET'],
      [{ ...good, account: -1 }, 'TIDEMARK_FIELD_RANGE'],
      [{ ...good, key: '' }, 'TIDEMARK_BAD_ARGUMENT'],
      [{ ...good, amuont: 1 }, 'TIDEMARK_BAD_ARGUMENT'],
    ] as const)
      await expect(ledger.deposit(bad as typeof good), JSON.stringify(bad)).rejects.toEqual(refusal(code))
    await expect(ledger.transfer({ from: 1, to: 1, asset: 'USD', amount: 1, key: 'k' })).rejects.toEqual(
      refusal('TIDEMARK_BAD_ARGUMENT'),
    )
    expect(ledger.lsn).toBe(lsn)
    await ledger.deposit({ ...good, asset: 'BIG', amount: '9.223372036854775807' })
    await expect(
      ledger.deposit({ ...good, asset: 'BIG', key: 'l', amount: '0.000000000000000001' }),
    ).rejects.toEqual(refusal('TIDEMARK_AMOUNT_TOO_LARGE', { asset: 'BIG' }))
    expect(ledger.balance(41, 'BIG').total).toBe('9.223372036854775807')
  })
})
