import * as path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { EnginePool } from '#tidemark/pool/index.js'
import { etcd } from '#tidemark/replication/etcd/index.js'
import { connectReplicatedLog, type ReplicatedLog, takeOver } from '#tidemark/replication/index.js'
import { type Acknowledgement, checkAcknowledged } from '../support/acknowledged.js'
import { etcdForTests } from '../support/etcd.js'
import { faultCases, faultCount } from '../support/fault-tier.js'
import { PartitionedNetwork, partitionsMissing } from '../support/partition.js'
import { bitcoin, limit } from '../support/pools.js'
import { PrimaryProcess } from '../support/primary-process.js'
import { Random } from '../support/random.js'
import { compareWithFolder, writeFolder } from '../support/replicated-bytes.js'
import { temporaryDirectory } from '../support/temporary.js'

const kills = faultCount('replication-kill', { short: 1, full: 300 })
const killsAFolder = 2
const fences = faultCount('replication-fence', { short: 1, full: 50 })
const leaders = faultCount('replication-leader', { short: 1, full: 20 })
const quorums = faultCount('replication-quorum', { short: 1, full: 10 })

const partitions = faultCount('replication-partition', { short: 1, full: 60 })

const cluster = await etcdForTests()
const noPartitions = partitionsMissing()
if (noPartitions) process.stderr.write(`SKIPPED: partitions are not tested: ${noPartitions}.\n`)
let pools = 0

async function connect(pool: string): Promise<ReplicatedLog> {
  const log = await connectReplicatedLog(etcd({ endpoints: cluster!.endpoints }), pool)
  onTestFinished(() => log.close())
  return log
}

/** Checks that the replicated log alone holds every acknowledged command, in the bytes that the folder has. */
async function checkReplicated(
  log: ReplicatedLog,
  dir: string,
  acknowledged: readonly Acknowledgement[],
  label: string,
): Promise<void> {
  const { bytes, endLsn } = await compareWithFolder(log, dir)
  expect(bytes, label).toBe(endLsn)
  const copy = path.join(temporaryDirectory(), 'copy')
  await writeFolder(log, copy)
  await checkAcknowledged(copy, acknowledged, label)
}

describe.skipIf(!cluster)('a primary whose acknowledgements wait for etcd', () => {
  it(`killed at any moment has every acknowledged command in the replicated log, byte for byte (${kills} kills)`, async () => {
    let acknowledgedInAll = 0
    for (const folder of faultCases(Math.ceil(kills / killsAFolder))) {
      const random = new Random(folder)
      const dir = temporaryDirectory()
      const pool = `kill${++pools}`
      const log = await connect(pool)
      const acknowledged: Acknowledgement[] = []
      for (let life = 1; life <= killsAFolder; life++) {
        const inFlight = [1, 20, 200][random.int(3)]!
        const primary = new PrimaryProcess({
          dir,
          pool,
          endpoints: cluster!.endpoints,
          seed: folder * killsAFolder + life,
          inFlight,
          firstOrder: life * 100_000,
        })
        await primary.acknowledges(20 + random.int(inFlight === 1 ? 60 : 900))
        await sleep(random.int(10))
        primary.kill('SIGKILL')
        await primary.ended
        expect(primary.causes).toEqual([])
        acknowledged.push(...primary.acknowledged)
        await checkReplicated(log, dir, acknowledged, `folder ${folder}, life ${life}`)
      }
      acknowledgedInAll += acknowledged.length
    }
    expect(acknowledgedInAll).toBeGreaterThanOrEqual(kills * 20)
  })

  it(`stopped, fenced and continued acknowledges nothing after the fork, and ends with TIDEMARK_FENCED (${fences} times)`, async () => {
    let acknowledgedInAll = 0
    for (const seed of faultCases(fences)) {
      const random = new Random(seed)
      const dir = temporaryDirectory()
      const pool = `fence${++pools}`
      const log = await connect(pool)
      const primary = new PrimaryProcess({
        dir,
        pool,
        endpoints: cluster!.endpoints,
        seed,
        inFlight: 100,
        firstOrder: 1,
      })
      await primary.acknowledges(1 + random.int(400))
      primary.kill('SIGSTOP')
      const epoch = await takeOver(log, `test ${seed}`, undefined, () => sleep(50))
      const { endLsn: fork } = await log.window()
      await log.cut(epoch, fork)
      const before = primary.acknowledged.length
      primary.kill('SIGCONT')
      await primary.until(() => primary.causes.length > 0)
      await primary.ended
      expect(primary.causes).toEqual(['TIDEMARK_FENCED'])
      const late = primary.acknowledged.slice(before)
      expect(late.filter(({ lsn }) => lsn > fork)).toEqual([])
      expect((await log.window()).endLsn).toBe(fork)
      await checkReplicated(log, dir, primary.acknowledged, `seed ${seed}`)
      acknowledgedInAll += primary.acknowledged.length
    }
    expect(acknowledgedInAll).toBeGreaterThan(fences)
  })

  it(`outlives the death and the pause of etcd's leader, and loses nothing (${leaders} times)`, async () => {
    for (const seed of faultCases(leaders)) {
      const dir = temporaryDirectory()
      const pool = `leader${++pools}`
      const log = await connect(pool)
      const primary = new PrimaryProcess({
        dir,
        pool,
        endpoints: cluster!.endpoints,
        seed,
        inFlight: 50,
        firstOrder: 1,
        // The leases of a cluster that elects a leader last longer.
        leaseMs: 10_000,
      })
      await primary.acknowledges(200)
      for (const how of ['kill', 'pause'] as const) {
        const leader = await cluster!.leader()
        const before = primary.acknowledged.length
        if (how === 'kill') await leader.kill()
        else leader.pause()
        await primary.acknowledges(before + 500)
        if (how === 'kill') leader.restart()
        else leader.resume()
        await cluster!.ready()
        await primary.acknowledges(before + 1000)
      }
      expect(primary.causes).toEqual([])
      await primary.close()
      await checkReplicated(log, dir, primary.acknowledged, `seed ${seed}`)
    }
  })

  it(`acknowledges nothing without a quorum, refuses more than maxInFlight, and resumes by itself (${quorums} times)`, async () => {
    for (const seed of faultCases(quorums)) {
      const name = `quorum${++pools}`
      const log = await connect(name)
      const dir = temporaryDirectory()
      const pool = await EnginePool.open({
        dir,
        instruments: [bitcoin],
        maxInFlight: 20,
        replication: {
          log: etcd({ endpoints: cluster!.endpoints, patienceMs: 500 }),
          pool: name,
          leaseMs: 10_000,
        },
      })
      const events: string[] = []
      for (const event of ['replicationStalled', 'replicationResumed', 'error'] as const)
        pool.on(event, () => events.push(event))
      await pool.submit(limit(1, 'buy', '100.00', '1'))
      const down = cluster!.nodes.slice(seed % 2, (seed % 2) + 2)
      await Promise.all(down.map((node) => node.kill()))
      const before = pool.durableLsn
      // A busy machine may have stalled it before.
      events.length = 0
      let settled = 0
      const pending = Array.from({ length: 20 }, (_, i) =>
        pool.submit(limit(i + 2, 'buy', '100.00', '1')).then(() => {
          settled++
        }),
      )
      await expect(pool.submit(limit(99, 'buy', '1.00', '1'))).rejects.toMatchObject({
        code: 'TIDEMARK_BACKPRESSURE',
      })
      while (!pool.stats().replication!.stalled) await sleep(50)
      await sleep(1000)
      expect([settled, pool.durableLsn, events.at(-1)]).toEqual([0, before, 'replicationStalled'])
      for (const node of down) node.restart()
      await cluster!.ready()
      await Promise.all(pending)
      await pool.close()
      expect(events).not.toContain('error')
      expect(events.at(-1)).toBe('replicationResumed')
      expect((await compareWithFolder(log, dir)).endLsn).toBeGreaterThanOrEqual(before)
    }
  })

  it.skipIf(noPartitions !== undefined)(
    `cut off from etcd, whole or one way, acknowledges nothing meanwhile, and there is one lineage (${partitions} times)`,
    async () => {
      for (const seed of faultCases(partitions)) {
        const how = (['in', 'whole', 'out'] as const)[seed % 3]!
        const isFenced = Math.floor(seed / 3) % 2 === 1
        const dir = temporaryDirectory()
        const pool = `cut${++pools}`
        const log = await connect(pool)
        const network = await PartitionedNetwork.open(cluster!.endpoints)
        try {
          const primary = new PrimaryProcess({
            dir,
            pool,
            endpoints: network.endpoints,
            seed,
            inFlight: 50,
            firstOrder: 1,
            leaseMs: 60_000,
            prefix: network.prefix,
          })
          await primary.acknowledges(200)
          const said = primary.news.length
          network.cut(how)
          await primary.until(() => primary.news.slice(said).some(({ stalled }) => stalled !== undefined))
          // What had been answered when it was cut is delivered by then.
          await sleep(500)
          const before = primary.acknowledged.length
          await sleep(1000)
          expect(primary.acknowledged.length, `${how}, seed ${seed}`).toBe(before)
          let fork = Number.POSITIVE_INFINITY
          if (isFenced) {
            const epoch = await takeOver(log, `test ${seed}`, undefined, () => sleep(50))
            fork = (await log.window()).endLsn
            await log.cut(epoch, fork)
          }
          network.heal()
          if (isFenced) await primary.until(() => primary.causes.length > 0)
          else {
            await primary.acknowledges(before + 200)
            await primary.close()
          }
          await primary.ended
          expect(primary.causes).toEqual(isFenced ? ['TIDEMARK_FENCED'] : [])
          expect(primary.acknowledged.filter(({ lsn }) => lsn > fork)).toEqual([])
          expect(await log.lineage()).toHaveLength(1)
          await checkReplicated(log, dir, primary.acknowledged, `${how}, seed ${seed}`)
        } finally {
          await network.close()
        }
      }
    },
  )
})
