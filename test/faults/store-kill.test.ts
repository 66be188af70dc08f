import { spawn } from 'node:child_process'
import { once } from 'node:events'
import * as path from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { EnginePool, type PoolEvent } from '#tidemark/index.js'
import { Ledger } from '#tidemark/ledger/index.js'
import { Store } from '#tidemark/store/index.js'
import { faultCases, faultCount } from '../support/fault-tier.js'
import { firstOtherLine, storedMovements, watchMovements } from '../support/ledger-rows.js'
import { firstDifference, naiveTables, storedTables } from '../support/naive-store.js'
import { Random } from '../support/random.js'
import { root } from '../support/run-script.js'
import { instruments, StoreFlow } from '../support/store-flow.mjs'
import { storeTargets } from '../support/store-targets.js'
import { temporaryDirectory } from '../support/temporary.js'

const kills = faultCount('store-kill', { short: 2, full: 200 })
const killsPerFolder = 5
const targets = await storeTargets()
const ledgerAssets = ['EUR', 'AAA', 'BBB'].map((id) => ({ id, scale: 3 }))

/**
 * Runs a process that stores the log, and kills it a random time after it has said that more than `moreThan` is stored and
 * `isFar` says true; returns the last LSN it named.
 */
async function storeAndKill(
  name: string,
  dir: string,
  to: string,
  random: Random,
  moreThan: number,
  isFar: () => boolean,
): Promise<number> {
  const child = spawn(process.execPath, [`${root}/test/support/store-child.mjs`], {
    cwd: root,
    env: { ...process.env, DIR: dir, TO: to, TARGET: name },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  const closed = once(child, 'close')
  const said = () => Number(output.slice(0, output.lastIndexOf('\n')).split('\n').at(-1))
  const storedMore = new Promise<void>((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk
      if (output.includes('\n') && said() > moreThan) resolve()
    })
  })
  await Promise.race([storedMore, closed])
  while (!isFar() && child.exitCode === null) await setTimeout(5)
  await setTimeout(random.int(300))
  child.kill('SIGKILL')
  await closed
  return said()
}

describe.each(targets)('a store in $name that is killed at any moment', ({ name, driver, fresh }) => {
  it(`holds each record once, whole, and in order, while log is deleted after it (${kills} kills)`, async () => {
    let deletions = 0
    let folders = 0
    for (const folder of faultCases(Math.ceil(kills / killsPerFolder))) {
      folders++
      const base = temporaryDirectory()
      const dir = path.join(base, 'log')
      const to = await fresh(base)
      const pool = await EnginePool.open({
        dir,
        instruments: instruments.map((one) => ({ ...one, baseAsset: one.symbol, quoteAsset: 'EUR' })),
        shards: 2,
        ringBytes: 64 * 1024,
        segmentBytes: 64 * 1024,
        maxBatchBytes: 16 * 1024,
        checkpointBytes: 0,
        keepSnapshots: 1,
        keepLogBytes: 0,
      })
      // Every second pool has accounts that can pay for what they like, and fees.
      const ledger = folder % 2 === 0 ? await Ledger.open({ pool, assets: ledgerAssets }) : undefined
      const moved = ledger ? watchMovements(ledger) : []
      if (ledger) await fund(ledger)
      const movedUpTo = (lsn: number) => moved.filter((one) => one.lsn <= lsn).map(({ line }) => line)
      // What the log holds no more is known from when it was logged.
      const seen: PoolEvent[] = []
      const watching = (async () => {
        for await (const event of pool.subscribe()) seen.push(event)
      })()
      const eventsUpTo = async (lsn: number) => {
        // Of an order that was never there; its rejection comes after all that was stored.
        const { lsn: endLsn } = await pool.submit({ type: 'cancel', symbol: 'AAA', orderId: 1_000_000 })
        while ((seen.at(-1)?.lsn ?? 0) < endLsn) await setTimeout(5)
        return seen.filter((event) => event.lsn <= lsn)
      }
      const random = new Random(folder + 1)
      const flow = new StoreFlow(folder + 1)
      let ended = false
      const trading = (async () => {
        for (let round = 0; !ended; round++) {
          // From when a store has a cursor on: one that begins later than the log would have nothing to begin with.
          const followed = round % 8 === 0 && (await pool.readers()).length > 0
          if (followed && (await pool.checkpoint()).firstLsn > 0) deletions++
          await ledger?.setFees({ maker: `-0.000${flow.int(9)}`, taker: '0.001', key: `fees ${round}` })
          const batch = Array.from({ length: 1 + flow.int(60) }, () => flow.next())
          await Promise.all(batch.map((command) => pool.submit(command).catch(() => undefined)))
          await setTimeout(flow.int(8))
        }
      })()
      const runs = Math.min(killsPerFolder, kills - folder * killsPerFolder)
      let storedLsn = 0
      for (let run = 0; run < runs; run++) {
        // Every second one gets as far as a transaction, and lives until log was deleted, however slow the machine is; the others may not.
        const isLong = run % 2 === 0
        const before = deletions
        const isFar = () => !isLong || deletions > before
        const said = await storeAndKill(name, dir, to, random, isLong ? storedLsn : -1, isFar)
        expect(said).toBeGreaterThanOrEqual(storedLsn)
        storedLsn = said
        if (!isLong) continue
        // What it said was stored is there, and nothing by half.
        const store = await openWhenFree({ to, driver })
        const stored = await storedTables(store)
        const changes = await storedMovements(store)
        const { rows } = await store.query('SELECT lsn FROM tidemark_progress')
        const lsn = Number(rows[0]?.['lsn'] ?? 0)
        await store.close()
        expect(lsn).toBeGreaterThanOrEqual(said)
        const logged = await eventsUpTo(lsn)
        expect(firstDifference(stored, naiveTables(logged)), `folder ${folder}, kill ${run}`).toBeUndefined()
        expect(firstOtherLine(changes, movedUpTo(lsn)), `folder ${folder}, kill ${run}`).toBeUndefined()
      }
      ended = true
      await trading
      const store = await openWhenFree({ dir, to, driver, follow: false })
      await pool.close()
      await watching
      const logged = naiveTables(seen)
      await store.ended
      await store.close()
      // The pool's last records were perhaps not known to be synced when that one looked; now it is closed.
      const last = await openWhenFree({ dir, to, driver, follow: false })
      await last.ended
      expect(firstDifference(await storedTables(last), logged), `folder ${folder}`).toBeUndefined()
      expect(
        firstOtherLine(await storedMovements(last), movedUpTo(Infinity)),
        `folder ${folder}`,
      ).toBeUndefined()
      if (ledger) expect(moved.some(({ line }) => line.includes('fee'))).toBe(true)
      await last.close()
    }
    if (folders > 0) expect(deletions).toBeGreaterThan(0)
  })
})

/** Gives the accounts of the flow money for whatever they like. */
async function fund(ledger: Ledger): Promise<void> {
  for (const account of [1, 2, 3, 4])
    for (const { id: asset } of ledgerAssets)
      await ledger.deposit({ account, asset, amount: 1_000_000_000, key: `${account} ${asset}` })
}

/** PostgreSQL notices a little later than the kill that the process which held its lock is gone. */
async function openWhenFree(options: Parameters<typeof Store.open>[0]): Promise<Store> {
  for (let triesLeft = 100; ; triesLeft--) {
    try {
      return await Store.open(options)
    } catch (error) {
      if ((error as { code?: string }).code !== 'TIDEMARK_STORE_IN_USE' || triesLeft === 0) throw error
      await setTimeout(50)
    }
  }
}
