import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { NodeDisk, writtenParts } from '#tidemark/log/index.js'
import { EnginePool, type ExecutionReport } from '#tidemark/pool/index.js'
import { MemoryCluster } from '#tidemark/replication/memory/index.js'
import { Standby } from '#tidemark/standby/index.js'
import { faultCases, faultCount } from '../support/fault-tier.js'
import { bitcoin } from '../support/pools.js'
import { Random } from '../support/random.js'
import { segmentContents } from '../support/shipped-log.js'
import { smallLog } from '../support/standbys.js'
import { temporaryDirectory } from '../support/temporary.js'

/** The machines of one case: what is open is closed when it is over. */
class Machines {
  readonly cluster = new MemoryCluster()
  readonly #open: { close(): Promise<void> }[] = []

  get options() {
    return { replication: { log: this.cluster.engine(), pool: 'btc', closeMs: 0 }, ...smallLog }
  }

  async primary(dir = temporaryDirectory()): Promise<EnginePool> {
    return this.own(await EnginePool.open({ dir, instruments: [bitcoin], ...this.options }))
  }

  async standby(dir = temporaryDirectory()): Promise<Standby> {
    return this.own(await Standby.open({ dir, ...this.options }))
  }

  own<T extends { close(): Promise<void> }>(machine: T): T {
    this.#open.push(machine)
    return machine
  }

  async end(): Promise<void> {
    await Promise.allSettled(this.#open.map((machine) => machine.close()))
    await this.cluster.close()
  }
}

/** A resting order with a price of its own, so that nothing trades; the book gives it its id. */
function order(account: number, requestId: number) {
  const price = (10 * (1 + account) + requestId / 100).toFixed(2)
  return {
    type: 'new',
    symbol: 'BTC-USD',
    side: 'buy',
    orderType: 'limit',
    account,
    requestId,
    price,
    quantity: '1',
  } as const
}

/** Waits until a standby has what the pool has now, and returns how far that is. */
async function follows(standby: Standby, pool: EnginePool): Promise<number> {
  // An idle log writes a sync marker, which comes a little later.
  let lsn = 0
  const ahead = () => {
    lsn = pool.durableLsn
    return standby.lsn - lsn
  }
  await expect.poll(ahead, { timeout: 20_000 }).toBeGreaterThanOrEqual(0)
  return lsn
}

/** Waits until a standby has what its primary has; the bytes are the same then, and so are the books. */
async function sameBooks(standby: Standby, pool: EnginePool): Promise<void> {
  const lsn = await follows(standby, pool)
  expect(segmentContents(standby.dir, lsn)).toEqual(segmentContents(pool.dir, lsn))
  const { symbols } = await pool.digest()
  await expect.poll(async () => (await standby.digest()).symbols, { timeout: 20_000 }).toEqual(symbols)
}

async function rests(pool: EnginePool): Promise<number> {
  return (await pool.digest()).restingOrders
}

const races = faultCount('promotion-race', { short: 1, full: 100 })

describe('two standbys that are promoted at the same moment', () => {
  it(`are one primary and one standby, which follows it (${races} races)`, async () => {
    const winners = [0, 0]
    for (const seed of faultCases(races)) {
      const random = new Random(seed)
      const machines = new Machines()
      try {
        const primary = await machines.primary()
        const standbys = [await machines.standby(), await machines.standby()]
        for (let i = 1; i <= 1 + random.int(60); i++) await primary.submit(order(1, i))
        // As far as each has come: the tail is read from there.
        if (random.int(2)) await follows(standbys[0]!, primary)
        const acknowledged = await rests(primary)
        const fenced: string[] = []
        for (const standby of standbys) standby.on('fenced', (error) => fenced.push(error.code))
        const outcomes = await Promise.allSettled(standbys.map((standby) => standby.promote()))
        const won = outcomes.findIndex(({ status }) => status === 'fulfilled')
        expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
        const lost = outcomes[1 - won] as PromiseRejectedResult
        expect(lost.reason).toMatchObject({ code: 'TIDEMARK_FENCED' })
        expect(fenced).toEqual(['TIDEMARK_FENCED'])
        winners[won]!++
        const pool = machines.own((outcomes[won] as PromiseFulfilledResult<EnginePool>).value)
        expect(await rests(pool)).toBe(acknowledged)
        await expect(primary.submit(order(2, 1))).rejects.toMatchObject({ code: 'TIDEMARK_LOG_POISONED' })
        await pool.submit(order(3, 1))
        await sameBooks(standbys[1 - won]!, pool)
        expect(await rests(pool)).toBe(acknowledged + 1)
      } finally {
        await machines.end()
      }
    }
    expect(winners[0]! + winners[1]!).toBe([...faultCases(races, 0)].length)
  }, 36_000_000)
})

const deaths = faultCount('promotion-death', { short: 1, full: 50 })

describe('a promoted standby that dies before it appends anything, over and over', () => {
  it(`leaves a lineage that the next one continues, with every command (${deaths} chains)`, async () => {
    let died = 0
    for (const seed of faultCases(deaths)) {
      const random = new Random(1000 + seed)
      const machines = new Machines()
      try {
        let pool = await machines.primary()
        let acknowledged = 0
        for (let life = 0; life < 3 + random.int(3); life++) {
          const orders = life === 0 ? 20 : random.int(2) * random.int(20)
          for (let i = 1; i <= orders; i++) await pool.submit(order(life, i))
          acknowledged += orders
          if (orders === 0) died++
          // The folder of the one before is a standby again, or a new one takes over.
          const { dir } = pool
          await pool.close()
          const standby = await machines.standby(random.int(2) ? dir : temporaryDirectory())
          pool = machines.own(await standby.promote())
          expect(await rests(pool), `seed ${seed}, life ${life}`).toBe(acknowledged)
        }
        await pool.submit(order(99, 1))
        const last = await machines.standby()
        await sameBooks(last, pool)
        const log = machines.cluster.connect('btc')
        const firstLsns = (await log.lineage()).map(({ firstLsn }) => firstLsn)
        await log.close()
        expect(firstLsns).toEqual(firstLsns.toSorted((a, b) => a - b))
      } finally {
        await machines.end()
      }
    }
    expect(died).toBeGreaterThan(0)
  }, 36_000_000)
})

const retries = faultCount('failover-retry', { short: 1, full: 200 })

describe('a request that is sent again to the promoted standby', () => {
  it(`is executed once, wherever the first try got to (${retries} failovers)`, async () => {
    const seen = { acknowledged: 0, repeated: 0, executed: 0 }
    for (const seed of faultCases(retries)) {
      const random = new Random(2000 + seed)
      const machines = new Machines()
      try {
        const primary = await machines.primary()
        const standby = await machines.standby()
        const accounts = 4
        const requests = 30
        let pool = primary
        let promoted: Promise<EnginePool> | undefined
        let left = 10 + random.int(60)
        const send = async (account: number, requestId: number): Promise<ExecutionReport> => {
          for (;;) {
            try {
              return await pool.submit(order(account, requestId))
            } catch (error) {
              expect(error).toMatchObject({ code: 'TIDEMARK_LOG_POISONED' })
              pool = machines.own(await promoted!)
            }
          }
        }
        const callers = Array.from({ length: accounts }, async (_, account) => {
          for (let requestId = 1; requestId <= requests; requestId++) {
            if (--left === 0) promoted = standby.promote()
            const first = pool
            const report = await send(account, requestId)
            expect(report.status).toBe('resting')
            if (first === pool) seen.acknowledged++
            else if (report.repeated) seen.repeated++
            else seen.executed++
          }
        })
        await Promise.all(callers)
        pool = machines.own(await promoted!)
        expect(await rests(pool), `seed ${seed}`).toBe(accounts * requests)
        for (let account = 0; account < accounts; account++) {
          expect((await pool.lastRequestId(account, 'BTC-USD')).requestId).toBe(requests)
        }
      } finally {
        await machines.end()
      }
    }
    expect(seen.acknowledged).toBeGreaterThan(0)
    expect(seen.repeated + seen.executed).toBeGreaterThan(0)
  }, 36_000_000)
})

const rejoins = faultCount('rejoin', { short: 1, full: 100 })

describe('a deposed primary', () => {
  it(`is a standby again: its log is cut where the next epoch began, and what came after is kept aside (${rejoins} rejoins)`, async () => {
    const seen = { tails: 0, none: 0 }
    for (const seed of faultCases(rejoins)) {
      const random = new Random(3000 + seed)
      const machines = new Machines()
      try {
        const dir = temporaryDirectory()
        // What it acknowledges alone is what it loses.
        const primary = machines.own(
          await EnginePool.open({
            dir,
            instruments: [bitcoin],
            ...machines.options,
            checkpointBytes: 4000,
            replication: { ...machines.options.replication, ack: 'local' },
          }),
        )
        const standby = await machines.standby()
        for (let i = 1; i <= 50; i++) await primary.submit(order(1, i))
        const tail = random.int(2) * (1 + random.int(200))
        const promoting = standby.promote()
        const late = Array.from({ length: tail }, (_, i) => primary.submit(order(2, 1 + i)).catch(() => {}))
        await Promise.all(late)
        const pool = machines.own(await promoting)
        await pool.submit(order(3, 1))
        const forkLsn = pool.recovery.endLsn
        await primary.close()
        const localLsn = writtenParts(new NodeDisk(), dir).endLsn

        const rejoined = await machines.standby(dir)
        await sameBooks(rejoined, pool)
        const aside = readdirSync(dir).filter((name) => name.startsWith('deposed-'))
        if (localLsn > forkLsn) {
          seen.tails++
          expect(aside).toEqual([`deposed-${forkLsn}-2`])
        } else {
          seen.none++
          expect(aside).toEqual([])
        }
        // Whole again: it can be promoted in its turn.
        const { symbols } = await pool.digest()
        const back = machines.own(await rejoined.promote())
        expect((await back.digest()).symbols).toEqual(symbols)
        expect((await back.submit(order(4, 1))).status).toBe('resting')
      } finally {
        await machines.end()
      }
    }
    expect(seen.tails + seen.none).toBeGreaterThan(0)
  }, 36_000_000)
})
