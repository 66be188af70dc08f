import { describe, expect, it, onTestFinished } from 'vitest'
import { Ledger } from '#tidemark/ledger/index.js'
import { EnginePool } from '#tidemark/pool/index.js'
import { temporaryDirectory } from '../support/temporary.js'

const symbol = 'BTC-USD'
const market = { symbol, tickSize: '0.01', lotSize: '0.001', baseAsset: 'BTC', quoteAsset: 'USD' }
const assets = [
  { id: 'USD', scale: 5 },
  { id: 'BTC', scale: 3 },
]
const mostUnits = '92233720368547.75807'

async function open(dir: string): Promise<{ pool: EnginePool; ledger: Ledger }> {
  const pool = await EnginePool.open({ dir, shards: 1, instruments: [market] })
  onTestFinished(() => pool.close())
  return { pool, ledger: await Ledger.open({ pool, assets }) }
}

const buy = (account: number, price: string, quantity: string, more = {}) =>
  ({ type: 'new', symbol, account, side: 'buy', orderType: 'limit', price, quantity, ...more }) as const
const sell = (account: number, price: string, quantity: string, more = {}) =>
  ({ ...buy(account, price, quantity), side: 'sell', ...more }) as const
const poor = (details = {}) =>
  expect.objectContaining({
    code: 'TIDEMARK_INSUFFICIENT_FUNDS',
    details: expect.objectContaining(details),
  })

function expectSums(ledger: Ledger): void {
  for (const { total, deposited } of ledger.totals().assets) expect(total).toBe(deposited)
}

describe('a credit line', () => {
  it('lets orders take what is not there, to the unit, and nothing else', async () => {
    const dir = temporaryDirectory()
    const { ledger, pool } = await open(dir)
    await ledger.deposit({ account: 1, asset: 'USD', amount: '100', key: 'a' })
    await ledger.deposit({ account: 2, asset: 'BTC', amount: '10', key: 'b' })
    await ledger.setLimits({ account: 1, asset: 'USD', credit: '50', key: 'usd' })
    await ledger.setLimits({ account: 3, asset: 'BTC', credit: '2', key: 'btc' })
    expect(ledger.balance(1, 'USD')).toMatchObject({
      total: '100.00000',
      free: '100.00000',
      credit: '50.00000',
    })
    expect(ledger.balance(2, 'USD')).not.toHaveProperty('credit')

    // 64 callers at once, of whom 15 can be paid.
    const sent = await Promise.allSettled(
      Array.from({ length: 64 }, (_, i) => ledger.submit(buy(1, '10', '1', { orderId: i + 1 }))),
    )
    expect(sent.filter(({ status }) => status === 'fulfilled')).toHaveLength(15)
    await expect(ledger.submit(buy(1, '0.01', '0.001'))).rejects.toEqual(
      poor({ needed: '0.00001', free: '-50.00000', credit: '50.00000', missing: '0.00001' }),
    )
    // It is a line of one account in one asset.
    await expect(ledger.submit(sell(1, '10', '0.001'))).rejects.toEqual(poor())
    await expect(ledger.submit(buy(2, '0.01', '0.001'))).rejects.toEqual(poor())
    await ledger.submit(sell(3, '20', '2', { orderId: 100 }))
    await expect(ledger.submit(sell(3, '20', '0.001'))).rejects.toEqual(
      poor({ asset: 'BTC', credit: '2.000' }),
    )

    await ledger.submit({ type: 'cancel-all', account: 1 })
    await ledger.submit(buy(1, '20', '2', { orderId: 200 }))
    await ledger.submit(sell(2, '10', '10', { orderId: 201 }))
    await ledger.submit(buy(1, '10', '11', { orderId: 202 }))
    expect(ledger.balance(1, 'USD')).toMatchObject({
      total: '-40.00000',
      free: '-50.00000',
      held: '10.00000',
    })
    expect(ledger.balance(3, 'BTC')).toMatchObject({ total: '-2.000', free: '-2.000' })
    expectSums(ledger)
    const money = { account: 1, asset: 'USD', amount: '0.00001' }
    await expect(ledger.withdraw({ ...money, key: 'w' })).rejects.toEqual(poor({ free: '-50.00000' }))
    const { account: from, ...rest } = money
    await expect(ledger.transfer({ ...rest, from, to: 2, key: 't' })).rejects.toEqual(poor())
    await expect(ledger.adjust({ ...money, amount: '-0.00001', key: 'j' })).rejects.toEqual(poor())
    await ledger.deposit({ ...money, amount: '60', key: 'd' })
    await expect(ledger.withdraw({ ...money, amount: '10.00001', key: 'w' })).rejects.toEqual(poor())
    await ledger.withdraw({ ...money, amount: '10', key: 'w' })

    // What is open and owed stays when the line ends. It is there after an opening, out of the snapshot and out of the log.
    await ledger.setLimits({ account: 3, asset: 'BTC', key: 'no btc' })
    await pool.checkpoint()
    await ledger.setLimits({ account: 1, asset: 'USD', credit: '5', key: 'less' })
    const balances = () => [1, 2, 3].map((account) => again.ledger.balances(account).balances)
    const before = [1, 2, 3].map((account) => ledger.balances(account).balances)
    await pool.close()
    const again = await open(dir)
    expect(balances()).toEqual(before)
    expect(before[2]).toEqual([
      expect.anything(),
      { asset: 'BTC', total: '-2.000', free: '-2.000', held: '0.000' },
    ])
    await again.ledger.submit(buy(1, '0.50', '10', { orderId: 300 }))
    await expect(again.ledger.submit(buy(1, '0.01', '0.001'))).rejects.toEqual(poor({ credit: '5.00000' }))
    await expect(again.ledger.submit(sell(3, '10', '0.001'))).rejects.toEqual(poor({ missing: '2.001' }))
    expectSums(again.ledger)
  })

  it('counts for replaces and lists, and comes back whole from a batch that is refused', async () => {
    const { ledger } = await open(temporaryDirectory())
    await ledger.setLimits({ account: 1, asset: 'USD', credit: '100', key: 'usd' })
    await ledger.setLimits({ account: 1, asset: 'BTC', credit: '1', key: 'btc' })
    await ledger.submit(buy(1, '10', '3', { orderId: 1 }))
    const replace = { type: 'replace', symbol, orderId: 1, price: '10' } as const
    await expect(ledger.submit({ ...replace, quantity: '7.001' })).rejects.toEqual(poor())
    await ledger.submit({ ...replace, quantity: '7' })
    const list = (price: string, quantity: string) =>
      ({
        type: 'list',
        listType: 'oto',
        symbol,
        account: 1,
        orders: [
          // It brings 20, which the other one may spend.
          { side: 'sell', orderType: 'limit', price: '20', quantity: '1' },
          { side: 'buy', orderType: 'limit', price, quantity },
        ],
      }) as never
    await expect(ledger.submitBatch([list('10', '5'), buy(1, '0.01', '0.001')])).rejects.toEqual(poor())
    expect(ledger.balance(1, 'BTC').held).toBe('0.000')
    await expect(ledger.submit(list('10', '5.001'))).rejects.toEqual(poor())
    expect(ledger.balance(1, 'BTC').held).toBe('0.000')
    await ledger.submit(list('10', '5'))
    expect(ledger.balance(1, 'BTC')).toMatchObject({ held: '1.000', free: '-1.000' })
    expect(ledger.balance(1, 'USD')).toMatchObject({ held: '100.00000', free: '-100.00000' })
  })

  it('never lets there be more of an asset than fits into 64 bits, also when it was larger before', async () => {
    const { ledger } = await open(temporaryDirectory())
    const tooLarge = expect.objectContaining({ code: 'TIDEMARK_AMOUNT_TOO_LARGE' })
    await ledger.deposit({ account: 1, asset: 'USD', amount: '1', key: 'a' })
    const line = { account: 2, asset: 'USD' }
    await expect(ledger.setLimits({ ...line, credit: mostUnits, key: 'b' })).rejects.toEqual(tooLarge)
    const first = ledger.setLimits({ ...line, credit: '92233720368545.75807', key: 'c' })
    await expect(ledger.setLimits({ account: 3, asset: 'USD', credit: '1.00001', key: 'd' })).rejects.toEqual(
      tooLarge,
    )
    await first
    await expect(ledger.deposit({ account: 1, asset: 'USD', amount: '1.00001', key: 'e' })).rejects.toEqual(
      tooLarge,
    )
    await ledger.setLimits({ ...line, key: 'f' })
    await expect(ledger.setLimits({ account: 3, asset: 'USD', credit: '1.00001', key: 'g' })).rejects.toEqual(
      tooLarge,
    )
    await ledger.setLimits({ account: 3, asset: 'USD', credit: '1', key: 'h' })
    await ledger.setLimits({ ...line, credit: '92233720368545.75807', key: 'i' })
  })
})
