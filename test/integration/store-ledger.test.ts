import * as path from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { EnginePool } from '#tidemark/index.js'
import { Ledger } from '#tidemark/ledger/index.js'
import { Store } from '#tidemark/store/index.js'
import { openTarget } from '#tidemark/store/targets/open-target.js'
import { firstOtherLine, plain, storedMovements, watchMovements } from '../support/ledger-rows.js'
import { makeVersion4 } from '../support/older-store.js'
import { eventsOf } from '../support/pools.js'
import { instruments, StoreFlow } from '../support/store-flow.mjs'
import { storeTargets } from '../support/store-targets.js'
import { temporaryDirectory } from '../support/temporary.js'

const targets = await storeTargets()
const venueAccount = 99
const assets = ['EUR', 'AAA', 'BBB'].map((id, i) => ({ id, scale: [3, 6, 0][i]! }))
const accounts = [1, 2, 3, 4, venueAccount]
/** Beyond what a double has exactly. */
const funds = { EUR: '9000000000000000.007', AAA: '2000000000.000001', BBB: '1000000000000000003' }

/** An open pool of instruments with assets, its ledger, and four accounts that can pay for what they like. */
async function openFunded(dir: string) {
  const pool = await EnginePool.open({
    dir,
    instruments: instruments.map((instrument) => ({
      ...instrument,
      baseAsset: instrument.symbol,
      quoteAsset: 'EUR',
    })),
    shards: 2,
  })
  onTestFinished(() => pool.close())
  // Before there is a ledger trades move nothing.
  for (const side of ['buy', 'sell'] as const)
    await pool.submit({
      type: 'new',
      symbol: 'AAA',
      account: 1,
      side,
      orderType: 'limit',
      price: 5,
      quantity: 1,
    })
  const ledger = await Ledger.open({ pool, assets: assets.slice(0, 2), venueAccount })
  const moved = watchMovements(ledger)
  await ledger.addAssets(assets.slice(2))
  for (const account of [1, 2, 3, 4])
    for (const [asset, amount] of Object.entries(funds))
      await ledger.deposit({
        account,
        asset,
        amount: asset === 'EUR' && account > 1 ? '100000000' : account > 1 ? 1_000_000 : amount,
        key: `${account} ${asset}`,
      })
  return { pool, ledger, moved }
}

/** Orders of every kind, while fees change and money moves. */
async function trade(pool: EnginePool, ledger: Ledger, flow: StoreFlow, rounds: number): Promise<number> {
  const report = (promise: Promise<unknown>) => promise.catch(() => undefined)
  for (let round = 0; round < rounds; round++) {
    const key = `round ${flow.int(1e9)}`
    const account = 1 + flow.int(4)
    const kind = flow.int(6)
    const maker = kind === 0 ? '-0.0005' : '0.001'
    const caps = flow.int(2) === 0 ? { EUR: '2.5', BBB: 1 } : {}
    const symbol = flow.int(2) === 0 ? 'AAA' : undefined
    if (kind < 3)
      await ledger.setFees({
        maker,
        taker: `0.00${1 + flow.int(9)}`,
        auction: '0.0001',
        caps,
        symbol,
        account: kind === 1 ? account : undefined,
        key,
      })
    else if (kind === 3)
      await ledger.transfer({ from: account, to: 1 + (account % 4), asset: 'EUR', amount: '0.007', key })
    else if (kind === 4)
      await ledger.adjust({ account, asset: 'AAA', amount: '-0.000001', reason: 'found', key })
    else await ledger.withdraw({ account, asset: 'BBB', amount: 3, key })
    await Promise.all(Array.from({ length: 40 }, () => report(pool.submit(flow.next()))))
  }
  const { lsn } = await ledger.setLimits({ account: 2, liveOrders: 1000, key: `limits ${flow.int(1e9)}` })
  return lsn
}

const crossing = { type: 'new', symbol: 'AAA', orderType: 'limit', price: 50, quantity: 1 } as const

/** Leaves an order alone in the book, and then changes what its account pays: it trades later, by the fees of before. */
async function restAndChangeFees(pool: EnginePool, ledger: Ledger, part: number): Promise<number> {
  await pool.submit({ type: 'phase', symbol: 'AAA', phase: 'continuous' })
  for (const account of [1, 2, 3, 4]) await pool.submit({ type: 'cancel-all', symbol: 'AAA', account })
  await pool.submit({ ...crossing, orderId: 2000 + part, account: 1, side: 'buy' })
  const { lsn } = await ledger.setFees({
    ...{ symbol: 'AAA', account: 1, key: `part ${part}` },
    ...{ maker: `0.0${part + 1}`, taker: '0.02' },
  })
  return lsn
}

describe.each(targets)('the ledger of a pool, stored in $name', ({ driver, fresh }) => {
  it('has every entry, every change of a balance, and the fees of every trade, across openings of the store', async () => {
    const base = temporaryDirectory()
    const dir = path.join(base, 'log')
    const to = await fresh(base)
    const { pool, ledger, moved } = await openFunded(dir)
    const flow = new StoreFlow(3)
    // Another opening goes on with what the tables hold: fees, and orders that were open.
    let lastLsn = 0
    for (let part = 0; part < 3; part++) {
      const store = await Store.open({ dir, to, driver, transactionRows: 1000 })
      await store.caughtUp(await trade(pool, ledger, flow, 6))
      const stored = await storedMovements(store)
      expect(
        firstOtherLine(
          stored,
          moved.map(({ line }) => line),
        ),
        `part ${part}`,
      ).toBeUndefined()
      // The sums of the changes are the balances.
      const { rows } = await store.query('SELECT account, asset, total FROM balances ORDER BY account, asset')
      const balances = accounts.flatMap((account) =>
        ledger
          .balances(account)
          .balances.map(({ asset, total }) => ({ account, asset, total: plain(total) })),
      )
      const byName = (a: { account: number; asset: string }, b: { account: number; asset: string }) =>
        a.account - b.account || (a.asset < b.asset ? -1 : 1)
      expect(rows).toEqual(balances.sort(byName))
      await store.caughtUp(await restAndChangeFees(pool, ledger, part))
      await store.close()
      lastLsn = (
        await pool.submit({ ...crossing, orderId: 3000 + part, account: 2, side: 'sell', timeInForce: 'IOC' })
      ).lsn
    }
    const store = await Store.open({ dir, to, driver, transactionRows: 1000 })
    await store.caughtUp(lastLsn)
    // What each trade cost is what the ledger says.
    const accepted = new Map<string, number>()
    const costs: object[] = []
    for (const event of await eventsOf(pool)) {
      if (event.event === 'accepted') accepted.set(`${event.symbol} ${event.orderId}`, event.lsn)
      if (event.event !== 'trade') continue
      const { maker, taker } = ledger.tradeFees(event, {
        makerLsn: accepted.get(`${event.symbol} ${event.makerOrderId}`)!,
        takerLsn: accepted.get(`${event.symbol} ${event.takerOrderId}`)!,
      })
      costs.push({
        symbol: event.symbol,
        trade_id: event.tradeId,
        maker_fee: maker ? plain(maker.amount) : null,
        maker_fee_asset: maker?.asset ?? null,
        taker_fee: taker ? plain(taker.amount) : null,
        taker_fee_asset: taker?.asset ?? null,
      })
    }
    const trades = await store.query(
      'SELECT symbol, trade_id, maker_fee, maker_fee_asset, taker_fee, taker_fee_asset FROM trades ORDER BY lsn, event_index',
    )
    expect(trades.rows).toEqual(costs)
    const kinds = new Set(moved.map(({ line }) => line.split(' ')[2]))
    expect([...kinds].sort()).toEqual(['adjust', 'deposit', 'fee', 'rebate', 'trade', 'transfer', 'withdraw'])
    const entries = await store.query(
      'SELECT entry, key, account, to_account, asset, amount, symbol FROM ledger_entries ORDER BY lsn',
    )
    const none = { key: null, account: null, to_account: null, asset: null, amount: null, symbol: null }
    expect(entries.rows.slice(0, 3)).toEqual([
      { ...none, entry: 'open' },
      { ...none, entry: 'assets' },
      { ...none, entry: 'deposit', key: '1 EUR', account: 1, asset: 'EUR', amount: funds.EUR },
    ])
    const found = entries.rows.map(({ entry }) => entry)
    for (const entry of ['withdraw', 'transfer', 'adjust', 'fees', 'limits']) expect(found).toContain(entry)
    const details = await store.query(
      "SELECT details FROM ledger_entries WHERE entry = 'adjust' ORDER BY lsn LIMIT 1",
    )
    expect(JSON.parse(String(details.rows[0]!['details']))).toMatchObject({
      op: 'adjust',
      units: '-1',
      reason: 'found',
    })
    await store.close()
  })

  it('is empty in a store of before it had one, whatever comes then, and whole in one that stores the log anew', async () => {
    const base = temporaryDirectory()
    const dir = path.join(base, 'log')
    const to = await fresh(base)
    const { pool, ledger } = await openFunded(dir)
    const cross = async (key: string) => {
      await ledger.setFees({ maker: '0.01', taker: '0.02', key })
      await pool.submit({ ...crossing, account: 1, side: 'buy' })
      return (await pool.submit({ ...crossing, account: 2, side: 'sell' })).lsn
    }
    const store = async (address: string, lsn: number) => {
      const opened = await Store.open({ dir, to: address, driver })
      await opened.caughtUp(lsn)
      return opened
    }
    const older = await store(to, await cross('before'))
    await older.close()
    const target = await openTarget(to, { readOnly: false, driver })
    await makeVersion4(target)
    await target.close()

    const lsn = await cross('after')
    const migrated = await store(to, lsn)
    const anew = await store(await fresh(base), lsn)
    const fees =
      'SELECT trade_id, maker_fee, maker_fee_asset, taker_fee, taker_fee_asset FROM trades ORDER BY lsn'
    const nothing = { maker_fee: null, maker_fee_asset: null, taker_fee: null, taker_fee_asset: null }
    expect((await migrated.query(fees)).rows).toEqual([1, 2, 3].map((id) => ({ trade_id: id, ...nothing })))
    const paid = { maker_fee: '0.01', maker_fee_asset: 'AAA', taker_fee: '1', taker_fee_asset: 'EUR' }
    expect((await anew.query(fees)).rows).toEqual([
      { trade_id: 1, ...nothing },
      ...[2, 3].map((id) => ({ trade_id: id, ...paid })),
    ])
    for (const table of ['ledger_assets', 'ledger_entries', 'balance_changes', 'balances']) {
      expect((await migrated.query(`SELECT * FROM ${table}`)).rows, table).toEqual([])
      expect((await anew.query(`SELECT * FROM ${table}`)).rows.length, table).toBeGreaterThan(2)
    }
    await migrated.close()
    await anew.close()
  })
})
