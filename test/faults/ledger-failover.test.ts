import { describe, expect, it } from 'vitest'
import { Ledger, type LedgerReceipt } from '#tidemark/ledger/index.js'
import { EnginePool } from '#tidemark/pool/index.js'
import { MemoryCluster } from '#tidemark/replication/memory/index.js'
import { Standby } from '#tidemark/standby/index.js'
import { faultCases, faultCount } from '../support/fault-tier.js'
import { ledgerAssets, ledgerCommand, ledgerMarkets } from '../support/ledger-flow.mjs'
import { type Acknowledged, expectOwnLog } from '../support/ledger-log.js'
import { Random } from '../support/random.js'
import { follows, smallLog } from '../support/standbys.js'
import { temporaryDirectory } from '../support/temporary.js'

const failovers = faultCount('ledger-failover', { short: 2, full: 200 })
/** One after the other in a chain, so that what was promoted is deposed as well. */
const failoversAChain = 2

type Call = Pick<Acknowledged, 'call' | 'command'>

/** What became of the ledger's own commands of one life. */
interface Sent {
  readonly acknowledged: Acknowledged[]
  /** Those that were rejected with an unknown outcome. */
  readonly unknown: Call[]
}

/** Sends a random flow from many callers, until the pool takes nothing more; calls `afterwards` once, when so much is acknowledged. */
async function sendUntilDeposed(
  ledger: Ledger,
  random: Random,
  life: number,
  afterwards: () => void,
): Promise<Sent> {
  const sent: Sent = { acknowledged: [], unknown: [] }
  let number = life * 1_000_000
  let left = 20 + random.int(300)
  const below = (bound: number) => random.int(bound)
  const caller = async () => {
    for (;;) {
      const next = ledgerCommand(below, number++)
      const own = next.call === 'submit' ? undefined : (next as unknown as Call)
      try {
        const { lsn } = (await ledger[next.call](next.command as never)) as LedgerReceipt
        if (own) sent.acknowledged.push({ ...own, lsn })
        if (--left === 0) afterwards()
      } catch (error) {
        if ((error as Error).name === 'LedgerError') continue
        expect(error).toMatchObject({ code: 'TIDEMARK_LOG_POISONED' })
        if (own) sent.unknown.push(own)
        return
      }
    }
  }
  await Promise.all(Array.from({ length: [1, 20, 100][random.int(3)]! }, caller))
  return sent
}

/** Sends commands again whose outcome is unknown: each is executed now, or was before, and is not executed twice. */
async function sendAgain(ledger: Ledger, unknown: readonly Call[]): Promise<Acknowledged[]> {
  const found: Acknowledged[] = []
  for (const { call, command } of unknown) {
    const outcome = await ledger[call](command as never).catch((error: { code: string }) => error)
    if ('code' in outcome) expect(outcome.code).toBe('TIDEMARK_INSUFFICIENT_FUNDS')
    else found.push({ call, command, lsn: outcome.lsn })
  }
  return found
}

describe('a replicated pool with a ledger that fails over under load', () => {
  it(`has every balance of a naive fold of the log, and executes no key twice (${failovers} failovers)`, async () => {
    let [failedOver, acknowledgedInAll, unknownInAll] = [0, 0, 0]
    for (const chain of faultCases(Math.ceil(failovers / failoversAChain))) {
      const random = new Random(5000 + chain)
      const cluster = new MemoryCluster()
      const open: { close(): Promise<void> }[] = []
      const own = <T extends { close(): Promise<void> }>(machine: T): T => {
        open.push(machine)
        return machine
      }
      const replication = { log: cluster.engine(), pool: 'btc', closeMs: 0 }
      const options = { replication, ...smallLog, shards: 1 + random.int(2) }
      const short = { checkpointBytes: 24 * 1024, keepLogBytes: 0, keepSnapshots: 1 }
      const retained = chain % 2 === 0 ? short : {}
      try {
        let pool = own(
          await EnginePool.open({
            dir: temporaryDirectory(),
            instruments: ledgerMarkets,
            ...options,
            ...retained,
          }),
        )
        // It has all of the log, whatever the others remove.
        const witness = own(await Standby.open({ dir: temporaryDirectory(), ...options }))
        let ledger = await Ledger.open({ pool, assets: ledgerAssets })
        await ledger.setFees({ maker: '0.0003', taker: '0.001', key: 'fees' })
        const acknowledged: Acknowledged[] = []
        let dir = temporaryDirectory()
        for (let life = 1; life <= failoversAChain; life++) {
          const standby = own(await Standby.open({ dir, ...options, ...retained }))
          let promoted: Promise<EnginePool> | undefined
          const sent = await sendUntilDeposed(ledger, random, life, () => {
            promoted = standby.promote()
          })
          dir = pool.dir
          await pool.close()
          pool = own(await promoted!)
          const label = `chain ${chain}, life ${life}`
          const order = {
            type: 'new',
            symbol: 'AAA-USD',
            account: 1,
            side: 'buy',
            orderType: 'limit',
          } as const
          await expect(pool.submit({ ...order, price: 1, quantity: 1 })).rejects.toMatchObject({
            code: 'TIDEMARK_LEDGER_NOT_OPEN',
          })
          ledger = await Ledger.open({ pool, assets: [] })
          acknowledged.push(...sent.acknowledged)
          await follows(witness, ledger.lsn)
          await expectOwnLog(ledger, { dir: witness.dir, firstLsn: 0 }, acknowledged, label)
          acknowledged.push(...(await sendAgain(ledger, sent.unknown)))
          await follows(witness, ledger.lsn)
          await expectOwnLog(ledger, { dir: witness.dir, firstLsn: 0 }, acknowledged, `${label}, sent again`)
          failedOver++
          unknownInAll += sent.unknown.length
        }
        acknowledgedInAll += acknowledged.length
      } finally {
        await Promise.allSettled(open.map((machine) => machine.close()))
        await cluster.close()
      }
    }
    if (failedOver > 0) expect(acknowledgedInAll).toBeGreaterThan(failedOver)
    if (failedOver > 20) expect(unknownInAll).toBeGreaterThan(failedOver)
  }, 36_000_000)
})
