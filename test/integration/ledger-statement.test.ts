import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { Ledger, type Movement } from '#tidemark/ledger/index.js'
import { NodeDisk } from '#tidemark/log/disk/node-disk.js'
import { listSegmentNames } from '#tidemark/log/format/segment.js'
import { EnginePool } from '#tidemark/pool/index.js'
import { temporaryDirectory } from '../support/temporary.js'

const market = { symbol: 'BTC-USD', tickSize: '0.01', lotSize: '0.001', baseAsset: 'BTC', quoteAsset: 'USD' }
const assets = [
  { id: 'USD', scale: 5 },
  { id: 'BTC', scale: 3 },
]
const small = { instruments: [market], segmentBytes: 65_536, maxBatchBytes: 16_384, ringBytes: 65_536 }

async function open(dir: string, options = {}): Promise<{ pool: EnginePool; ledger: Ledger }> {
  const pool = await EnginePool.open({ dir, ...small, ...options })
  onTestFinished(() => pool.close())
  return { pool, ledger: await Ledger.open({ pool, assets, venueAccount: 9 }) }
}

function order(account: number, side: 'buy' | 'sell', price: string, quantity: string, orderId: number) {
  return {
    type: 'new',
    symbol: 'BTC-USD',
    account,
    side,
    orderType: 'limit',
    price,
    quantity,
    orderId,
  } as const
}

async function allOf(statement: AsyncIterable<Movement>): Promise<Movement[]> {
  const found: Movement[] = []
  for await (const movement of statement) found.push(movement)
  return found
}

const short = ({ kind, asset, amount, balance }: Movement) => `${kind} ${amount} ${asset}: ${balance}`

/** Two accounts trade 1.5 at 90, with a fee of 1 % for the taker; then 7 gives some to 8. */
async function trade(ledger: Ledger): Promise<number> {
  await ledger.setFees({ maker: '-0.001', taker: '0.01', key: 'fees' })
  await ledger.deposit({ account: 7, asset: 'USD', amount: '1000', key: 'a' })
  await ledger.deposit({ account: 8, asset: 'BTC', amount: '2', key: 'b' })
  await ledger.submit(order(8, 'sell', '90', '1.5', 1))
  const { lsn } = await ledger.submit(order(7, 'buy', '100', '1.5', 2))
  await ledger.transfer({ from: 7, to: 8, asset: 'USD', amount: '65', key: 'c' })
  await ledger.adjust({ account: 8, asset: 'USD', amount: '-1', key: 'd', reason: 'a test' })
  await ledger.withdraw({ account: 8, asset: 'USD', amount: '9', key: 'e' })
  return lsn
}

describe('a statement', () => {
  let dir: string
  let lines: Record<number, string[]>

  beforeAll(() => {
    lines = {
      7: [
        'deposit 1000.00000 USD: 1000.00000',
        'trade -135.00000 USD: 865.00000',
        'trade 1.500 BTC: 1.500',
        'fee -0.015 BTC: 1.485',
        'transfer -65.00000 USD: 800.00000',
      ],
      8: [
        'deposit 2.000 BTC: 2.000',
        'trade -1.500 BTC: 0.500',
        'trade 135.00000 USD: 135.00000',
        'rebate 0.001 BTC: 0.501',
        'transfer 65.00000 USD: 200.00000',
        'adjust -1.00000 USD: 199.00000',
        'withdraw -9.00000 USD: 190.00000',
      ],
      9: ['fee 0.014 BTC: 0.014'],
    }
  })

  it('has every change of every balance of an account, in order, with what made it', async () => {
    dir = temporaryDirectory()
    const { ledger } = await open(dir)
    const heard: Movement[] = []
    const stop = ledger.onMovement((movement) => heard.push(movement))
    const tradeLsn = await trade(ledger)
    stop()
    await ledger.deposit({ account: 6, asset: 'USD', amount: '1', key: 'f' })
    for (const account of [7, 8, 9]) {
      const statement = await allOf(ledger.statement(account))
      expect(statement.map(short)).toEqual(lines[account])
      expect(statement).toEqual(heard.filter((movement) => movement.account === account))
      for (const { asset, balance } of statement.filter(
        ({ asset }, i) => !statement.slice(i + 1).some((later) => later.asset === asset),
      ))
        expect(ledger.balance(account, asset).total).toBe(balance)
    }
    expect(heard).toHaveLength(5 + 7 + 1)
    const [deposit, sold] = await allOf(ledger.statement(7))
    expect(deposit).toMatchObject({ account: 7, key: 'a', symbol: undefined, orderId: undefined })
    expect(sold).toMatchObject({ lsn: tradeLsn, symbol: 'BTC-USD', orderId: 2, tradeId: 1, key: undefined })
    expect(sold!.timeUs).toBeGreaterThan(deposit!.timeUs)
    const ofTrade = await allOf(ledger.statement(8, { from: tradeLsn - 1, to: tradeLsn }))
    expect(ofTrade.map(short)).toEqual(lines[8]!.slice(1, 4))
    expect(await allOf(ledger.statement(8, { from: tradeLsn, to: tradeLsn }))).toEqual([])
    expect(await allOf(ledger.statement(77))).toEqual([])
  })

  it('begins at a snapshot when the log before it is gone, and says so when it is to begin earlier', async () => {
    const { pool, ledger } = await open(temporaryDirectory(), { keepLogBytes: 0, keepSnapshots: 1 })
    await trade(ledger)
    const before = ledger.lsn
    const cancel = { type: 'cancel', symbol: 'BTC-USD', orderId: 60_000 } as const
    for (let firstLsn = 0, i = 0; firstLsn <= before; i++) {
      expect(i).toBeLessThan(100)
      await pool.submitBatch(Array.from({ length: 500 }, () => cancel))
      ;({ firstLsn } = await pool.checkpoint())
    }
    await ledger.deposit({ account: 7, asset: 'BTC', amount: '1', key: 'later' })
    await expect(allOf(ledger.statement(7, { from: 0 }))).rejects.toMatchObject({
      code: 'TIDEMARK_STATEMENT_GONE',
      details: { fromLsn: 0, firstLsn: expect.any(Number) },
    })
    await expect(allOf(ledger.statement(7, { from: before }))).rejects.toMatchObject({
      code: 'TIDEMARK_STATEMENT_GONE',
    })
    expect((await allOf(ledger.statement(7))).map(short)).toEqual(['deposit 1.000 BTC: 2.485'])
  })

  it('that ends early needs nothing of the log after that', async () => {
    const { pool, ledger } = await open(temporaryDirectory())
    await trade(ledger)
    const to = ledger.lsn
    const segments = () => listSegmentNames(new NodeDisk(), pool.dir)
    const cancel = { type: 'cancel', symbol: 'BTC-USD', orderId: 60_000 } as const
    for (let i = 0; segments().length < 3; i++) {
      expect(i).toBeLessThan(100)
      await pool.submitBatch(Array.from({ length: 500 }, () => cancel))
    }
    const file = join(pool.dir, segments()[1]!)
    const bytes = readFileSync(file)
    bytes.fill(0xff, 8192, 12_288)
    writeFileSync(file, bytes)
    await expect(allOf(ledger.statement(7))).rejects.toMatchObject({ code: 'TIDEMARK_LOG_CORRUPT' })
    expect((await allOf(ledger.statement(7, { to }))).map(short)).toEqual(lines[7])
    expect((await allOf(ledger.statement(7, { to: to - 8 }))).map(short)).toEqual(lines[7])
  })

  it('refuses what is no part of the log, and a listener that is no function', async () => {
    const { ledger } = await open(temporaryDirectory())
    for (const options of [
      { from: -1 },
      { from: 1.5 },
      { from: 8, to: 0 },
      { to: ledger.lsn + 8 },
      { form: 1 },
    ])
      await expect(
        allOf(ledger.statement(7, options as object)),
        JSON.stringify(options),
      ).rejects.toMatchObject({
        code: expect.stringMatching(/^TIDEMARK_BAD_/),
      })
    expect(() => ledger.onMovement('x' as never)).toThrow(
      expect.objectContaining({ code: 'TIDEMARK_BAD_ARGUMENT' }),
    )
    ledger.close()
    await expect(allOf(ledger.statement(7))).rejects.toMatchObject({ code: 'TIDEMARK_LEDGER_CLOSED' })
    expect(() => ledger.onMovement(() => {})).toThrow(
      expect.objectContaining({ code: 'TIDEMARK_LEDGER_CLOSED' }),
    )
  })
})
