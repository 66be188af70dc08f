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

async function open(dir: string): Promise<{ pool: EnginePool; ledger: Ledger }> {
  const instruments = [market, { ...market, symbol: 'X' }]
  const pool = await EnginePool.open({ dir, shards: 1, instruments })
  onTestFinished(() => pool.close())
  return { pool, ledger: await Ledger.open({ pool, assets }) }
}

async function fund(ledger: Ledger, ...accounts: number[]): Promise<void> {
  for (const account of accounts) {
    await ledger.deposit({ account, asset: 'USD', amount: '1000000', key: `usd ${account}` })
    await ledger.deposit({ account, asset: 'BTC', amount: '1000', key: `btc ${account}` })
  }
}

const buy = (account: number, quantity: string, more = {}) =>
  ({ type: 'new', symbol, account, side: 'buy', orderType: 'limit', price: '10', quantity, ...more }) as const
const sell = (account: number, quantity: string, more = {}) =>
  ({ ...buy(account, quantity), side: 'sell', ...more }) as const
const tooMuch = (details = {}) =>
  expect.objectContaining({ code: 'TIDEMARK_POSITION_LIMIT', details: expect.objectContaining(details) })
const position = (ledger: Ledger, account: number) =>
  ledger.positions(account).positions.map(({ symbol: _, ...rest }) => Object.values(rest).map(Number))

describe('the position limit of an account', () => {
  it('holds when all that is open on a side trades, with many callers at once, and in both directions', async () => {
    const { ledger } = await open(temporaryDirectory())
    await fund(ledger, 1, 2)
    await ledger.setLimits({ symbol: 'X', account: 1, position: '50', key: 'x' })
    await ledger.setLimits({ symbol, account: 1, position: '10', key: 'one' })
    const sent = await Promise.allSettled(
      Array.from({ length: 64 }, (_, i) => ledger.submit(buy(1, '1', { orderId: i + 1 }))),
    )
    expect(sent.filter(({ status }) => status === 'fulfilled')).toHaveLength(10)
    await expect(ledger.submit(buy(1, '0.001'))).rejects.toEqual(
      tooMuch({ account: 1, symbol, limit: '10.000', position: '0.000' }),
    )
    // Other accounts have no limit, and other instruments their own.
    await ledger.submit({ ...buy(1, '50'), symbol: 'X' })
    await expect(ledger.submit({ ...buy(1, '0.001'), symbol: 'X' })).rejects.toEqual(tooMuch({ symbol: 'X' }))
    await ledger.submit({ type: 'cancel-all', account: 1, symbol: 'X' })
    await ledger.submit(sell(2, '10'))
    expect(ledger.positions(1)).toMatchObject({
      account: 1,
      positions: [{ symbol, position: '10.000', buying: '0.000', selling: '0.000' }],
    })
    // From 10 bought to 10 sold.
    await expect(ledger.submit(sell(1, '20.001', { price: '20' }))).rejects.toEqual(
      tooMuch({ position: '10.000' }),
    )
    await ledger.submit(sell(1, '20', { price: '20', orderId: 100 }))
    await expect(ledger.submit(sell(1, '0.001', { price: '20' }))).rejects.toEqual(tooMuch())
    await expect(ledger.submit(buy(1, '0.001'))).rejects.toEqual(tooMuch())
    await ledger.submit(buy(2, '15', { price: '20' }))
    expect(position(ledger, 1)).toEqual([[-5, 0, 5]])
    expect(position(ledger, 2)).toEqual([[5, 0, 0]])
    // What is reduced or cancelled is free again. What a replace asks for counts beside its order until it is durable.
    await ledger.submit({ type: 'reduce', symbol, orderId: 100, quantity: '2' })
    await expect(ledger.submit(sell(1, '2.001', { price: '20' }))).rejects.toEqual(tooMuch())
    const replace = { type: 'replace', symbol, orderId: 100, price: '21' } as const
    await expect(ledger.submit({ ...replace, quantity: '2.001' })).rejects.toEqual(tooMuch())
    await ledger.submit({ ...replace, quantity: '2' })
    expect(position(ledger, 1)).toEqual([[-5, 0, 2]])
    await ledger.submit({ type: 'cancel', symbol, orderId: 100 })
    await ledger.submit(sell(1, '5', { price: '20', timeInForce: 'FOK' }))
    expect(position(ledger, 1)).toEqual([[-5, 0, 0]])

    // A smaller limit leaves what is there, and lets it go back.
    await ledger.setLimits({ symbol, account: 1, position: '0', key: 'less' })
    await expect(ledger.submit(sell(1, '0.001'))).rejects.toEqual(
      tooMuch({ limit: '0.000', position: '-5.000' }),
    )
    await expect(ledger.submit(buy(1, '5.001', { price: '5' }))).rejects.toEqual(tooMuch())
    await ledger.submit(buy(1, '5', { price: '5' }))
    await ledger.setLimits({ symbol, account: 1, key: 'none' })
    await ledger.submit(buy(1, '100', { price: '5' }))
  })

  it('counts a list once, an order for an amount at one tick, and nothing of a batch that is refused', async () => {
    const { ledger, pool } = await open(temporaryDirectory())
    await fund(ledger, 1, 2)
    await ledger.setLimits({ symbol, position: '10', key: 'everybody' })
    const list = (listType: string, quantity: string, sides = ['sell', 'sell']) =>
      ({
        type: 'list',
        listType,
        symbol,
        account: 1,
        orders: [
          { side: sides[0], orderType: 'limit', price: sides[0] === 'buy' ? '5' : '20', quantity },
          { side: sides[1], orderType: 'stop-limit', stopPrice: '4', price: '4', quantity },
        ],
      }) as never
    await expect(ledger.submitBatch([list('oco', '10'), sell(1, '0.001')])).rejects.toEqual(tooMuch())
    expect(position(ledger, 1)).toEqual([])
    await expect(ledger.submit(list('oco', '10.001'))).rejects.toEqual(tooMuch())
    await ledger.submit(list('oco', '10'))
    expect(position(ledger, 1)).toEqual([[0, 0, 10]])
    await pool.submit({ type: 'cancel-all', account: 1 })
    await ledger.submit(list('oto', '6', ['buy', 'sell']))
    expect(position(ledger, 1)).toEqual([[0, 6, 6]])
    await expect(ledger.submit(list('oto', '4.001', ['sell', 'sell']))).rejects.toEqual(tooMuch())
    await expect(ledger.submit(list('oto', '2.001', ['sell', 'sell']))).rejects.toEqual(tooMuch())
    await ledger.submit(list('oto', '2', ['sell', 'sell']))
    expect(position(ledger, 1)).toEqual([[0, 6, 10]])

    const forAmount = { type: 'new', symbol, account: 2, side: 'buy', orderType: 'market' } as const
    await expect(ledger.submit({ ...forAmount, quoteQuantity: '0.10001' } as never)).rejects.toEqual(
      tooMuch(),
    )
    await ledger.submit({ ...forAmount, quoteQuantity: '0.1' } as never)
    expect(position(ledger, 2)).toEqual([[0.005, 0, 0]])
  })

  it('counts from the first record on that limits positions, also what was open then, and is there after an opening', async () => {
    const dir = temporaryDirectory()
    const { ledger, pool } = await open(dir)
    await fund(ledger, 1, 2)
    await ledger.submit(buy(1, '3'))
    await ledger.submit(sell(2, '3'))
    await ledger.submit(buy(1, '4', { orderId: 4 }))
    await ledger.setLimits({ symbol, account: 2, position: '6', key: 'other' })
    await ledger.setLimits({ symbol, account: 1, position: '5', key: 'one' })
    expect(position(ledger, 1)).toEqual([[0, 4, 0]])
    await expect(ledger.submit(buy(1, '1.001'))).rejects.toEqual(tooMuch())
    await ledger.submit(sell(2, '1'))
    await pool.checkpoint()
    await ledger.submit(sell(2, '1'))
    await pool.close()
    const again = await open(dir)
    expect(position(again.ledger, 1)).toEqual([[2, 2, 0]])
    expect(position(again.ledger, 2)).toEqual([[-2, 0, 0]])
    await expect(again.ledger.submit(buy(1, '1.001'))).rejects.toEqual(tooMuch({ position: '2.000' }))
    await again.ledger.submit(buy(1, '1'))
    await again.ledger.submit(sell(2, '3'))
    expect(position(again.ledger, 1)).toEqual([[5, 0, 0]])
  })
})
