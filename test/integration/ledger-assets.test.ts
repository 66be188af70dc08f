import { describe, expect, it } from 'vitest'
import { Ledger } from '#tidemark/ledger/index.js'
import { openPool } from '../support/pools.js'
import { temporaryDirectory } from '../support/temporary.js'

const market = { symbol: 'BTC-USD', tickSize: '0.01', lotSize: '0.001', baseAsset: 'BTC', quoteAsset: 'USD' }
const assets = [
  { id: 'USD', scale: 5 },
  { id: 'BTC', scale: 3 },
]

async function open(dir: string) {
  const pool = await openPool({ dir, instruments: [market] })
  return { pool, ledger: await Ledger.open({ pool, assets }) }
}

describe('assets that are added', () => {
  it('are known to the next opening, each once, and are refused where they would not come out in whole units', async () => {
    const dir = temporaryDirectory()
    const { pool, ledger } = await open(dir)
    const eur = { id: 'EUR', scale: 4 }
    await Promise.all([
      ledger.addAssets([eur]),
      ledger.addAssets([eur, { id: 'USD', scale: 5 }]),
      ledger.addAssets([]),
    ])
    await pool.addInstrument({ ...market, symbol: 'GBP-EUR', baseAsset: 'GBP', quoteAsset: 'EUR' })
    const refused: [unknown, string][] = [
      [[{ id: 'EUR', scale: 5 }], 'TIDEMARK_ASSET_DIFFERS'],
      [[{ id: 'GBP', scale: 2 }], 'TIDEMARK_SCALE_TOO_SMALL'],
      [[{ id: 'GBP' }], 'TIDEMARK_BAD_ARGUMENT'],
      [{ id: 'GBP', scale: 3 }, 'TIDEMARK_BAD_ARGUMENT'],
    ]
    for (const [wanted, code] of refused)
      await expect(ledger.addAssets(wanted as never), JSON.stringify(wanted)).rejects.toMatchObject({ code })
    // Neither does an instrument come that would not, while its asset is on its way.
    const adding = ledger.addAssets([{ id: 'CHF', scale: 0 }])
    await Promise.resolve()
    await expect(
      pool.addInstrument({ ...market, symbol: 'CHF-USD', baseAsset: 'CHF' }),
    ).rejects.toMatchObject({ code: 'TIDEMARK_SCALE_TOO_SMALL' })
    await adding
    await pool.close()
    const again = await open(dir)
    expect(again.ledger.assets()).toEqual([...assets, eur, { id: 'CHF', scale: 0 }])
    again.ledger.close()
    await expect(again.ledger.addAssets([])).rejects.toMatchObject({ code: 'TIDEMARK_LEDGER_CLOSED' })
  })
})

describe('a limit of what orders are worth, or of a position', () => {
  it('is in the asset that the instrument is traded in: that stays, and none is set while it is about to change', async () => {
    const dir = temporaryDirectory()
    const { pool, ledger } = await open(dir)
    await ledger.addAssets([{ id: 'EUR', scale: 7 }])
    const { symbol } = market
    const change = pool.changeInstrument(symbol, { quoteAsset: 'EUR' })
    const kinds = [{ orderNotional: '5' }, { position: '5' }]
    for (const limits of kinds)
      await expect(ledger.setLimits({ symbol, ...limits, key: 'a' })).rejects.toMatchObject({
        code: 'TIDEMARK_ASSETS_CHANGING',
      })
    await ledger.setLimits({ symbol, orderQuantity: '9', key: 'b' })
    await change
    await ledger.deposit({ account: 1, asset: 'EUR', amount: 9, key: 'c' })
    const buy = { type: 'new', symbol, account: 1, side: 'buy', orderType: 'limit', quantity: 1 } as const
    await ledger.submit({ ...buy, price: 4 })
    expect(ledger.balance(1, 'EUR').held).toBe('4.0000000')
    for (const [i, limits] of kinds.entries()) {
      await pool.addInstrument({ ...market, symbol: `OTHER${i}` })
      await ledger.setLimits({ symbol: `OTHER${i}`, ...limits, key: `d${i}` })
    }
    await pool.close()
    const again = await open(dir)
    for (const i of kinds.keys())
      await expect(again.pool.changeInstrument(`OTHER${i}`, { quoteAsset: 'EUR' })).rejects.toMatchObject({
        code: 'TIDEMARK_ASSETS_FIXED',
      })
  })
})
