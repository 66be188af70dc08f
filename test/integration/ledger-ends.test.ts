import { describe, expect, it, onTestFinished } from 'vitest'
import { Ledger } from '#tidemark/ledger/index.js'
import { EnginePool, ledgerDoor } from '#tidemark/pool/index.js'
import { temporaryDirectory } from '../support/temporary.js'

const market = { symbol: 'BTC-USD', tickSize: '0.01', lotSize: '0.001', baseAsset: 'BTC', quoteAsset: 'USD' }
const assets = [
  { id: 'USD', scale: 5 },
  { id: 'BTC', scale: 3 },
]

async function open(dir = temporaryDirectory()): Promise<EnginePool> {
  const pool = await EnginePool.open({ dir, shards: 1, instruments: [market] })
  onTestFinished(() => pool.close().catch(() => {}))
  return pool
}

const usd = (account: number, amount: number, key: string) => ({ account, asset: 'USD', amount, key })

describe('a ledger whose pool ends', () => {
  it('settles what is on its way when the pool is closed', async () => {
    const pool = await open()
    const ledger = await Ledger.open({ pool, assets })
    const receipts = Array.from({ length: 50 }, (_, i) => ledger.deposit(usd(1, 1, `a ${i}`)))
    const added = ledger.addAssets([{ id: 'EUR', scale: 2 }])
    await Promise.resolve()
    await pool.close()
    expect(await Promise.all(receipts)).toHaveLength(50)
    await added
    await expect(ledger.deposit(usd(1, 1, 'b'))).rejects.toMatchObject({ code: 'TIDEMARK_POOL_CLOSED' })
    const again = await open(pool.dir)
    const { lsn: _, ...balance } = (await Ledger.open({ pool: again, assets: [] })).balance(1, 'USD')
    expect(balance.total).toBe('50.00000')
  })

  it('is not opened when the pool is closed, or closed meanwhile', async () => {
    const pool = await open()
    const ledger = await Ledger.open({ pool, assets })
    const receipt = ledger.deposit(usd(1, 1, 'a'))
    ledger.close()
    const opening = Ledger.open({ pool, assets })
    const closed = pool.close()
    await expect(opening).rejects.toMatchObject({ code: 'TIDEMARK_POOL_CLOSED' })
    await Promise.all([receipt, closed])
    await expect(Ledger.open({ pool, assets })).rejects.toMatchObject({ code: 'TIDEMARK_POOL_CLOSED' })
  })

  it('is not opened when the pool is poisoned while commands are on their way', async () => {
    const pool = await open()
    pool.on('error', () => {})
    const sent = Array.from({ length: 100 }, () =>
      pool.submit({ type: 'cancel', symbol: 'BTC-USD', orderId: 1 }),
    )
    const outcomes = Promise.allSettled(sent)
    const opening = Ledger.open({ pool, assets })
    pool[ledgerDoor].log.poison(new Error('a test'))
    await expect(opening).rejects.toMatchObject({ code: 'TIDEMARK_LOG_POISONED' })
    await outcomes
  })

  it('says what it has counted, and of the rest that it counts no more', async () => {
    const pool = await open()
    const ledger = await Ledger.open({ pool, assets })
    const { lsn } = await ledger.deposit(usd(1, 1, 'a'))
    await ledger.counted(lsn)
    for (const wrong of [pool.durableLsn + 8, Number.NaN])
      await expect(ledger.counted(wrong)).rejects.toMatchObject({ code: 'TIDEMARK_BAD_ARGUMENT' })
    ledger.close()
    const cancelled = await pool.submit({ type: 'cancel', symbol: 'BTC-USD', orderId: 1 })
    await ledger.counted(lsn)
    await expect(ledger.counted(cancelled.lsn)).rejects.toMatchObject({ code: 'TIDEMARK_LEDGER_CLOSED' })
  })

  it('waits for no record of a pool that delivers none any more', async () => {
    const pool = await open()
    pool.on('error', () => {})
    const ledger = await Ledger.open({ pool, assets })
    const { log, publisher } = pool[ledgerDoor]
    publisher.observer = {
      observe() {
        throw new Error('a test')
      },
    }
    const sent = pool.submit({ type: 'cancel', symbol: 'BTC-USD', orderId: 1 })
    await expect(sent).rejects.toMatchObject({ code: 'TIDEMARK_LOG_POISONED' })
    expect(log.durableLsn).toBeGreaterThan(ledger.lsn)
    await expect(ledger.counted(log.durableLsn)).rejects.toMatchObject({ code: 'TIDEMARK_LOG_POISONED' })
  })
})
