import { describe, expect, it, onTestFinished } from 'vitest'
import { Ledger } from '#tidemark/ledger/index.js'
import { EnginePool } from '#tidemark/pool/index.js'
import { ManualClock } from '../support/manual-clock.js'
import { temporaryDirectory } from '../support/temporary.js'

const symbol = 'BTC-USD'
const market = { symbol, tickSize: '0.01', lotSize: '0.001', baseAsset: 'BTC', quoteAsset: 'USD' }
const assets = [
  { id: 'USD', scale: 5 },
  { id: 'BTC', scale: 3 },
]

async function open(dir: string, clock = new ManualClock()): Promise<{ pool: EnginePool; ledger: Ledger }> {
  const pool = await EnginePool.open({
    dir,
    clock,
    shards: 2,
    instruments: [market, { ...market, symbol: 'X' }],
  })
  onTestFinished(() => pool.close())
  return { pool, ledger: await Ledger.open({ pool, assets }) }
}

async function fund(ledger: Ledger, ...accounts: number[]): Promise<void> {
  for (const account of accounts) {
    await ledger.deposit({ account, asset: 'USD', amount: '1000000', key: `usd ${account}` })
    await ledger.deposit({ account, asset: 'BTC', amount: '1000', key: `btc ${account}` })
  }
}

const buy = (account: number, price = '10', quantity = '1', more = {}) =>
  ({ type: 'new', symbol, account, side: 'buy', orderType: 'limit', price, quantity, ...more }) as const
const sell = (account: number, price: string, quantity: string, more = {}) =>
  ({ ...buy(account, price, quantity), side: 'sell', ...more }) as const
const refused = (code: string, details = {}) =>
  expect.objectContaining({ code, details: expect.objectContaining(details) })

describe('the limits of an account', () => {
  it('let it have so many live orders, those on their way and those of lists counted', async () => {
    const dir = temporaryDirectory()
    const { ledger, pool } = await open(dir)
    await fund(ledger, 1, 2, 3)
    await ledger.submit(buy(1, '10', '1', { orderId: 1 }))
    await ledger.setLimits({ liveOrders: 3, key: 'all' })
    await ledger.setLimits({ account: 3, liveOrders: 0, key: 'none' })
    const full = refused('TIDEMARK_LIVE_ORDERS_LIMIT', { account: 1, limit: 3 })
    // One is open from before, and two are on their way.
    const sent = [ledger.submit(buy(1, '10', '1', { orderId: 2 })), ledger.submit({ ...buy(1), symbol: 'X' })]
    await expect(ledger.submit(buy(1))).rejects.toEqual(full)
    await Promise.all(sent)
    await expect(ledger.submit(buy(1))).rejects.toEqual(full)
    await expect(ledger.submit(buy(3))).rejects.toEqual(refused('TIDEMARK_LIVE_ORDERS_LIMIT', { limit: 0 }))
    // What is replaced is no more; what trades, is cancelled or refused by the book is gone.
    await ledger.submit({ type: 'replace', symbol, orderId: 2, price: '11', quantity: '1' })
    await ledger.submit(sell(2, '11', '1'))
    const rejected = await ledger.submit(buy(1, '10', '1', { orderId: 1 }))
    expect(rejected.status).toBe('rejected')
    await ledger.submit({ type: 'cancel', symbol, orderId: 1 })
    const list = {
      type: 'list',
      listType: 'oco',
      symbol,
      account: 1,
      listId: 50,
      orders: [
        sell(1, '20', '1', { orderId: 21 }),
        { ...sell(1, '4', '1', { orderId: 22 }), orderType: 'stop-limit', stopPrice: '5' },
      ].map(({ type, symbol, account, ...leg }) => leg),
    } as never
    // Nothing of a batch that goes over it is counted.
    await expect(ledger.submitBatch([buy(1), buy(1), buy(1)])).rejects.toEqual(full)
    await ledger.submit(list)
    await expect(ledger.submit(buy(1))).rejects.toEqual(full)
    await pool.checkpoint()
    await pool.close()

    const again = await open(dir)
    await expect(again.ledger.submit(buy(1))).rejects.toEqual(full)
    await again.ledger.submit({ type: 'cancel', symbol, orderId: 21 })
    await again.ledger.submitBatch([buy(1), buy(1)])
    await expect(again.ledger.submit(buy(1))).rejects.toEqual(full)
    await again.ledger.setLimits({ account: 1, key: 'no limit' })
    await again.ledger.submit(buy(1))
  })

  it('let it send so many commands a second, and always cancel', async () => {
    const clock = new ManualClock()
    const { ledger } = await open(temporaryDirectory(), clock)
    await fund(ledger, 1, 2)
    await ledger.setLimits({ account: 1, commandsPerSecond: 4, key: 'a' })
    const tooMany = refused('TIDEMARK_COMMAND_RATE_LIMIT', { account: 1, limit: 4 })
    await ledger.submit(buy(1, '10', '1', { orderId: 1 }))
    await ledger.submitBatch([buy(1), buy(2), buy(1)])
    // Refused as a whole, it counts for nothing; so does what the account can't pay.
    await expect(ledger.submitBatch([buy(1), buy(1)])).rejects.toEqual(tooMany)
    await expect(ledger.submit(buy(1, '10000', '900'))).rejects.toEqual(
      refused('TIDEMARK_INSUFFICIENT_FUNDS'),
    )
    await ledger.submit({ type: 'replace', symbol, orderId: 1, price: '9', quantity: '1' })
    await expect(ledger.submit(buy(1))).rejects.toEqual(tooMany)
    await expect(
      ledger.submit({ type: 'replace', symbol, orderId: 1, price: '8', quantity: '1' }),
    ).rejects.toEqual(tooMany)
    await ledger.submit({ type: 'cancel', symbol, orderId: 1 })
    await ledger.submit(buy(2))
    // One of another account's order, which the book refuses, is one of the account's that sends it.
    await ledger.setLimits({ account: 3, commandsPerSecond: 1, key: 'b' })
    await ledger.submit(buy(2, '10', '1', { orderId: 2 }))
    const foreign = { type: 'replace', symbol, account: 3, orderId: 2, price: '9', quantity: '1' } as const
    expect((await ledger.submit(foreign)).status).toBe('rejected')
    await expect(ledger.submit(foreign)).rejects.toEqual(
      refused('TIDEMARK_COMMAND_RATE_LIMIT', { account: 3, limit: 1 }),
    )
    clock.advance(249)
    await expect(ledger.submit(buy(1))).rejects.toEqual(tooMany)
    clock.advance(1)
    await ledger.submit(buy(1))
    await expect(ledger.submit(buy(1))).rejects.toEqual(tooMany)
    clock.advance(60_000)
    await ledger.submitBatch([buy(1), buy(1), buy(1), buy(1)])
    await expect(ledger.submit(buy(1))).rejects.toEqual(tooMany)
  })

  it('let one order be so large, and worth so much', async () => {
    const { ledger } = await open(temporaryDirectory())
    await fund(ledger, 1, 2)
    await ledger.setLimits({ symbol, orderQuantity: '5', key: 'everybody' })
    await ledger.setLimits({ symbol, account: 1, orderQuantity: '2', orderNotional: '30', key: 'one' })
    const large = refused('TIDEMARK_ORDER_QUANTITY_LIMIT', { account: 1, symbol, limit: '2.000' })
    const dear = refused('TIDEMARK_ORDER_NOTIONAL_LIMIT', { account: 1, asset: 'USD', limit: '30.00000' })
    await ledger.submit(buy(1, '15', '2', { orderId: 1 }))
    await expect(ledger.submit(buy(1, '1', '2.001'))).rejects.toEqual(large)
    await expect(ledger.submit(sell(1, '15.01', '2'))).rejects.toEqual(dear)
    await expect(
      ledger.submit({ type: 'replace', symbol, orderId: 1, price: '15.01', quantity: '2' }),
    ).rejects.toEqual(dear)
    const forAmount = { type: 'new', symbol, account: 1, side: 'buy', orderType: 'market' } as const
    await ledger.submit({ ...forAmount, quoteQuantity: '30' } as never)
    await expect(ledger.submit({ ...forAmount, quoteQuantity: '30.01' } as never)).rejects.toEqual(dear)
    await ledger.submit(buy(2, '100', '5'))
    await expect(ledger.submit(buy(2, '1', '5.001'))).rejects.toEqual(
      refused('TIDEMARK_ORDER_QUANTITY_LIMIT', { account: 2, limit: '5.000' }),
    )
    await ledger.submit({ ...buy(1, '100', '100'), symbol: 'X' })
  })

  it('let a limit price be so far beyond the last trade, and one that waits so far beyond where it acts', async () => {
    const dir = temporaryDirectory()
    const { ledger, pool } = await open(dir)
    await fund(ledger, 1, 2)
    await ledger.setLimits({ symbol, account: 1, priceDistanceBasisPoints: 500, key: 'one' })
    const far = (limit: string, reference: string) =>
      refused('TIDEMARK_PRICE_DISTANCE_LIMIT', {
        account: 1,
        symbol,
        limit,
        reference,
        distanceBasisPoints: 500,
      })
    // Nothing was traded yet: there is nothing to be far from.
    await ledger.submit(sell(2, '99.99', '1'))
    await ledger.submit(buy(1, '150', '1', { timeInForce: 'IOC' }))
    // 5 percent of 99.99 are 499.95 ticks. What is on the side of the order itself may be anywhere.
    await expect(ledger.submit(buy(1, '104.99', '1'))).rejects.toEqual(far('104.98', '99.99'))
    await ledger.submit(buy(1, '104.98', '1', { orderId: 10 }))
    await ledger.submit(buy(1, '0.01', '1'))
    await expect(ledger.submit(sell(1, '94.99', '1'))).rejects.toEqual(far('95.00', '99.99'))
    await ledger.submit(sell(1, '1000', '1'))
    // Other accounts and instruments have no such limit.
    await ledger.submit(buy(2, '104.99', '0.001', { orderId: 20 }))
    await ledger.submit({ ...buy(1, '1000', '1'), symbol: 'X' })
    // A replace is held to it by the price that it states.
    const replace = { type: 'replace', symbol, orderId: 10, quantity: '2' } as const
    await expect(ledger.submit({ ...replace, price: '104.99' })).rejects.toEqual(far('104.98', '99.99'))
    await ledger.submit({ ...replace, price: '104.97' })

    // A stop that waits counts from its stop price, one that acts at once from the last price.
    const stop = { orderType: 'stop-limit', timeInForce: 'GTC' }
    const takeProfit = { orderType: 'take-profit-limit', timeInForce: 'GTC' }
    await ledger.submit(buy(1, '210', '1', { ...stop, stopPrice: '200' }))
    await expect(ledger.submit(buy(1, '210.01', '1', { ...stop, stopPrice: '200' }))).rejects.toEqual(
      far('210.00', '200.00'),
    )
    await expect(ledger.submit(buy(1, '104.99', '1', { ...stop, stopPrice: '50' }))).rejects.toEqual(
      far('104.98', '99.99'),
    )
    await ledger.submit(buy(1, '52.50', '1', { ...takeProfit, stopPrice: '50' }))
    await expect(ledger.submit(buy(1, '52.51', '1', { ...takeProfit, stopPrice: '50' }))).rejects.toEqual(
      far('52.50', '50.00'),
    )
    await expect(ledger.submit(buy(1, '105', '1', { ...takeProfit, stopPrice: '200' }))).rejects.toEqual(
      far('104.98', '99.99'),
    )
    const trail = { orderType: 'stop-limit', trailingOffset: '1' }
    await expect(ledger.submit(buy(1, '104.99', '1', { ...trail, activationPrice: '200' }))).rejects.toEqual(
      far('104.98', '99.99'),
    )
    // So is each order of a list, alone.
    const leg = { side: 'sell', quantity: '1' } as const
    const list = (price: string) =>
      ledger.submit({
        type: 'list',
        listType: 'oco',
        symbol,
        account: 1,
        orders: [
          { ...leg, orderType: 'limit', price: '300' },
          { ...leg, orderType: 'stop-limit', stopPrice: '80', price },
        ],
      })
    await expect(list('75.99')).rejects.toEqual(far('76.00', '80.00'))
    await list('76')

    // Of a batch nothing is handed over. The last price is that of what is durable, also after an opening.
    await ledger.submit(sell(2, '104.99', '0.001'))
    await pool.checkpoint()
    await pool.close()
    const again = (await open(dir)).ledger
    await expect(again.submitBatch([buy(1), buy(1, '110.24', '1')])).rejects.toEqual(far('110.23', '104.99'))
    await again.submit(buy(1, '110.23', '1'))
    await again.setLimits({ symbol, account: 1, priceDistanceBasisPoints: 0, key: 'none' })
    await expect(again.submit(buy(1, '105', '1'))).rejects.toEqual(
      refused('TIDEMARK_PRICE_DISTANCE_LIMIT', { limit: '104.99' }),
    )
    await again.submit(buy(1, '104.99', '1'))
    await again.setLimits({ symbol, account: 1, key: 'no limit' })
    await again.submit(buy(1, '1000', '1'))
  })

  it('are refused where they are none, and executed once', async () => {
    const { ledger } = await open(temporaryDirectory())
    const wrong: [object, string][] = [
      [{ liveOrders: 1.5 }, 'TIDEMARK_BAD_ARGUMENT'],
      [{ liveOrders: -1 }, 'TIDEMARK_BAD_ARGUMENT'],
      [{ liveOrders: 2 ** 31 }, 'TIDEMARK_BAD_ARGUMENT'],
      [{ commandsPerSecond: 1_000_001 }, 'TIDEMARK_BAD_ARGUMENT'],
      [{ symbol, liveOrders: 1 }, 'TIDEMARK_BAD_ARGUMENT'],
      [{ orderQuantity: '1' }, 'TIDEMARK_BAD_ARGUMENT'],
      [{ priceDistanceBasisPoints: 1 }, 'TIDEMARK_BAD_ARGUMENT'],
      [{ symbol, priceDistanceBasisPoints: 1_000_001 }, 'TIDEMARK_BAD_ARGUMENT'],
      [{ symbol, priceDistanceBasisPoints: '5' }, 'TIDEMARK_BAD_ARGUMENT'],
      [{ symbol, orderQuantity: '0.0001' }, 'TIDEMARK_OFF_GRID'],
      [{ symbol, orderNotional: '0' }, 'TIDEMARK_BAD_AMOUNT'],
      [{ symbol: 'Y', orderNotional: '1' }, 'TIDEMARK_UNKNOWN_SYMBOL'],
      [{ liveOrder: 1 }, 'TIDEMARK_BAD_ARGUMENT'],
      [{ credit: '1' }, 'TIDEMARK_BAD_ARGUMENT'],
      [{ position: '1' }, 'TIDEMARK_BAD_ARGUMENT'],
      [{ symbol, position: '-1' }, 'TIDEMARK_BAD_ARGUMENT'],
      [{ symbol, position: '0.0001' }, 'TIDEMARK_BAD_AMOUNT'],
      [{ account: 1, credit: '1' }, 'TIDEMARK_BAD_ARGUMENT'],
      [{ asset: 'USD', credit: '1' }, 'TIDEMARK_BAD_ARGUMENT'],
      [{ account: 1, asset: 'USD', symbol, credit: '1' }, 'TIDEMARK_BAD_ARGUMENT'],
      [{ account: 1, asset: 'USD', liveOrders: 1 }, 'TIDEMARK_BAD_ARGUMENT'],
      [{ account: 1, asset: 'USD', credit: '-1' }, 'TIDEMARK_BAD_ARGUMENT'],
      [{ account: 1, asset: 'USD', credit: '0.000001' }, 'TIDEMARK_BAD_AMOUNT'],
      [{ account: 1, asset: 'EUR', credit: '1' }, 'TIDEMARK_UNKNOWN_ASSET'],
    ]
    for (const [fields, code] of wrong)
      await expect(
        ledger.setLimits({ ...fields, key: 'x' } as never),
        JSON.stringify(fields),
      ).rejects.toEqual(refused(code))
    const limits = { liveOrders: 2 ** 31 - 1, commandsPerSecond: 1_000_000, key: 'y' }
    expect(await ledger.setLimits(limits)).toMatchObject({ repeated: false })
    expect(await ledger.setLimits(limits)).toMatchObject({ repeated: true })
  })
})
