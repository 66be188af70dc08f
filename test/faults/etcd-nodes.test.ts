import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { connectReplicatedLog, etcd, promote, type ReplicatedLog } from '#tidemark/replication/index.js'
import { etcdForTests } from '../support/etcd.js'
import type { EtcdCluster, EtcdNode } from '../support/etcd-cluster.mjs'
import { faultCases, faultCount } from '../support/fault-tier.js'
import { FlowReader, FlowWriter } from '../support/replicated-flow.js'
import { takeLog } from '../support/replicated-logs.js'

const cluster = await etcdForTests()
const logs: ReplicatedLog[] = []
let pools = 0

describe.runIf(cluster)('a replicated log on three nodes of etcd', () => {
  afterEach(() => Promise.all(logs.splice(0).map((log) => log.close())))

  it('loses nothing and goes on when the leader is killed or paused for 5 s', async () => {
    const count = faultCount('etcd-leader', { short: 1, full: 20 })
    let disturbed = 0
    for (const number of faultCases(count)) {
      const { writer, reader } = await begin()
      await writer.more(20_000)
      const leader = await cluster!.leader()
      if (number % 2 === 0) {
        await leader.kill()
        await writer.more(20_000)
        leader.restart()
      } else {
        leader.pause()
        await sleep(5000)
        leader.resume()
      }
      disturbed++
      await writer.more(20_000)
      await allIsThere(writer, reader)
      await cluster!.ready()
    }
    expect(disturbed).toBeGreaterThan(0)
  })

  it('acknowledges nothing while two nodes, or all, are down, and goes on by itself', async () => {
    const count = faultCount('etcd-majority', { short: 1, full: 10 })
    let disturbed = 0
    for (const number of faultCases(count)) {
      const { writer, reader } = await begin()
      await writer.more(20_000)
      const down = cluster!.nodes.slice(0, number % 2 === 0 ? 2 : 3)
      await Promise.all(down.map((node: EtcdNode) => node.kill()))
      // What was on its way to the last node may have been answered just before.
      await sleep(200)
      const { endLsn } = writer
      await sleep(1500)
      expect(writer.endLsn).toBe(endLsn)
      for (const node of down) node.restart()
      await writer.more(20_000)
      disturbed++
      await allIsThere(writer, reader)
      await cluster!.ready()
    }
    expect(disturbed).toBeGreaterThan(0)
  })

  it('lets exactly one of two be promoted at the same moment', async () => {
    const count = faultCount('etcd-two-promotions', { short: 2, full: 100 })
    let decided = 0
    for (const _number of faultCases(count)) {
      const [first, second, third] = await connect(3)
      const { epoch } = await takeLog(first!, 'primary')
      const attempts = [second!, third!].map((log, i) =>
        promote(log, {
          owner: randomUUID(),
          fromLsn: 0,
          segmentEpoch: BigInt(i),
          after: epoch,
          keep() {},
          sync() {},
          again: () => sleep(20),
        }),
      )
      const outcomes = await Promise.allSettled(attempts)
      const won = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
      expect(won.map((promotion) => promotion.epoch)).toEqual([await first!.epoch()])
      expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({
        reason: { code: 'TIDEMARK_FENCED' },
      })
      expect((await first!.lineage()).map(({ n }) => n)).toEqual([1, 2])
      decided++
    }
    expect(decided).toBeGreaterThan(0)
  })
})

async function connect(count: number): Promise<ReplicatedLog[]> {
  const engine = etcd({ endpoints: (cluster as EtcdCluster).endpoints, callTimeoutMs: 1000 })
  const pool = `pool-${++pools}`
  const connected = await Promise.all(Array.from({ length: count }, () => connectReplicatedLog(engine, pool)))
  logs.push(...connected)
  return connected
}

async function begin(): Promise<{ writer: FlowWriter; reader: FlowReader }> {
  const [primary, standby] = await connect(2)
  const writer = await FlowWriter.begin(primary!)
  return { writer, reader: new FlowReader(standby!) }
}

/** All that was acknowledged is in the log and was followed, once and in order. */
async function allIsThere(writer: FlowWriter, reader: FlowReader): Promise<void> {
  await writer.stop()
  await reader.reached(writer.endLsn)
  await reader.stop()
  expect(writer.acknowledged.size).toBeGreaterThan(40)
  expect(new Map([...reader.entries].filter(([lsn]) => writer.acknowledged.has(lsn)))).toEqual(
    new Map([...writer.acknowledged].sort(([a], [b]) => a - b)),
  )
}
