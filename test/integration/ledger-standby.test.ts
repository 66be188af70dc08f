import { copyFileSync, readdirSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Ledger } from '#tidemark/ledger/index.js'
import { firstLsnOf, NodeDisk } from '#tidemark/log/index.js'
import { EnginePool, listLedgerFiles } from '#tidemark/pool/index.js'
import type { Standby } from '#tidemark/standby/index.js'
import { ledgerAssets, ledgerMarkets } from '../support/ledger-flow.mjs'
import { farCluster, follows, memoryCluster, openStandby, smallLog } from '../support/standbys.js'
import { temporaryDirectory } from '../support/temporary.js'

const removing = { checkpointBytes: 24 * 1024, keepLogBytes: 0, keepSnapshots: 1 }
const buy = {
  type: 'new',
  symbol: 'AAA-USD',
  account: 1,
  side: 'buy',
  orderType: 'limit',
  price: 1,
  quantity: 1,
} as const

async function openPrimary(options: Partial<Parameters<typeof EnginePool.open>[0]>): Promise<EnginePool> {
  const dir = temporaryDirectory()
  const pool = await EnginePool.open({ dir, shards: 1, instruments: ledgerMarkets, ...smallLog, ...options })
  onTestFinished(() => pool.close().catch(() => {}))
  return pool
}

/** Promotes a standby, and opens the ledger, without which nothing is taken. */
async function promote(standby: Standby): Promise<Ledger> {
  const pool = await standby.promote()
  onTestFinished(() => pool.close())
  await expect(pool.submit(buy)).rejects.toMatchObject({ code: 'TIDEMARK_LEDGER_NOT_OPEN' })
  return Ledger.open({ pool, assets: ledgerAssets })
}

const usd = (account: number, amount: number, key: string) => ({ account, asset: 'USD', amount, key })

/** A primary that goes on alone when its cluster is far, and a standby that has its ledger's first deposit. */
async function openAhead() {
  const { cluster, far } = farCluster()
  const replication = { ...far.options.replication, ack: 'local', closeMs: 0 } as const
  const primary = await openPrimary({ replication })
  const standby = await openStandby(cluster, { shards: 1 })
  const before = await Ledger.open({ pool: primary, assets: ledgerAssets })
  await follows(standby, (await before.deposit(usd(1, 100, 'a'))).lsn)
  return { cluster, far, primary, standby, before }
}

describe('the ledger of a standby', () => {
  it('is that of its primary, though it has removed the log with which that began; keys are known', async () => {
    const { cluster } = memoryCluster()
    const replication = { log: cluster.engine(), pool: 'btc' }
    const primary = await openPrimary({ replication })
    const standby = await openStandby(cluster, { shards: 1, ...removing })
    const before = await Ledger.open({ pool: primary, assets: ledgerAssets })
    const { startLsn } = before
    await before.deposit(usd(1, 100, 'a'))
    await primary.addInstrument({ ...ledgerMarkets[0]!, symbol: 'LATE' })
    await before.submit({ ...buy, symbol: 'LATE', orderId: 7, quantity: 20 })
    const receipts: object[] = []
    for (let i = 0; firstLsnOf(new NodeDisk(), standby.dir)! <= startLsn; i++) {
      expect(i).toBeLessThan(200)
      receipts.push(await before.deposit(usd(2, 1, `b ${i}`)))
      await Promise.all(
        Array.from({ length: 100 }, () => primary.submit({ type: 'cancel', symbol: 'AAA-USD', orderId: 1 })),
      )
      await follows(standby, primary.durableLsn)
    }
    const ledger = await promote(standby)
    expect(ledger.balance(1, 'USD')).toMatchObject({ total: '100.00', held: '20.00' })
    expect(ledger.totals().assets).toEqual(before.totals().assets)
    expect(await ledger.deposit(usd(2, 1, 'b 0'))).toEqual({ ...receipts[0], repeated: true })
  })

  it('leaves aside what its folder counted beyond the log of the next primary, and follows that one’s', async () => {
    const { cluster, far, primary, standby, before } = await openAhead()
    await primary.checkpoint()
    await follows(standby, primary.durableLsn)
    far.down()
    await before.deposit(usd(1, 1000, 'lost'))
    await primary.checkpoint()
    const [newest, older] = listLedgerFiles(new NodeDisk(), primary.dir).map(({ path }) => basename(path))
    await promote(standby)
    far.up()
    await primary.close()

    const rejoined = await openStandby(cluster, { shards: 1, dir: primary.dir })
    const aside = readdirSync(primary.dir).find((name) => name.startsWith('deposed-'))!
    expect(readdirSync(join(primary.dir, aside))).toContain(newest)
    expect(readdirSync(primary.dir)).toContain(older)
    const ledger = await promote(rejoined)
    expect(ledger.balance(1, 'USD').total).toBe('100.00')
    expect(await ledger.deposit(usd(1, 1000, 'lost'))).toMatchObject({ repeated: false })
  })

  it('is seeded again when its folder counted nothing but what the next primary has not, and keeps nothing of before', async () => {
    const { cluster, far, primary, standby, before } = await openAhead()
    far.down()
    for (const key of ['lost', 'lost too']) {
      await before.deposit(usd(1, 1000, key))
      await primary.checkpoint()
    }
    const lost = listLedgerFiles(new NodeDisk(), primary.dir)
    const promoted = await promote(standby)
    far.up()
    await primary.close()

    const again = { shards: 1, dir: primary.dir }
    await expect(openStandby(cluster, again)).rejects.toMatchObject({ code: 'TIDEMARK_STANDBY_BEHIND' })
    for (const { path } of lost) writeFileSync(path, 'left over')
    const seeded = await openStandby(cluster, { ...again, seed: { dir: standby.dir } })
    await promoted.deposit(usd(2, 1, 'b'))
    await expect.poll(() => seeded.lsn).toBeGreaterThanOrEqual(promoted.lsn)
    const files = listLedgerFiles(new NodeDisk(), primary.dir).map(({ path }) => path)
    for (const { path } of lost) expect(files).not.toContain(path)
    const ledger = await promote(seeded)
    expect(ledger.totals().assets).toEqual(promoted.totals().assets)
  })

  it('is refused where its snapshot is of a moment that the log does not reach', async () => {
    const pool = await openPrimary({})
    const ledger = await Ledger.open({ pool, assets: ledgerAssets })
    await ledger.deposit(usd(1, 100, 'a'))
    ledger.close()
    const other = await openPrimary({})
    const cancel = { type: 'cancel', symbol: 'AAA-USD', orderId: 1 } as const
    await other.submitBatch(Array.from({ length: 200 }, () => cancel))
    const longer = await Ledger.open({ pool: other, assets: ledgerAssets })
    await longer.deposit(usd(1, 1000, 'a'))
    longer.close()
    for (const file of listLedgerFiles(new NodeDisk(), other.dir))
      copyFileSync(file.path, join(pool.dir, basename(file.path)))
    await expect(Ledger.open({ pool, assets: ledgerAssets })).rejects.toMatchObject({
      code: 'TIDEMARK_LEDGER_DAMAGED',
      details: { lsn: expect.any(Number), endLsn: pool.durableLsn },
    })
  })
})
