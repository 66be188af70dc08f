import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DurableFactorEngine, FactorPool } from '#tidemark/factors/index.js'
import { JobController } from '#tidemark/jobs/index.js'
import { DurableLog, type ReplicationAck } from '#tidemark/log/index.js'
import { EnginePool } from '#tidemark/pool/index.js'
import { listSnapshots } from '#tidemark/pool/snapshot/snapshot-file.js'
import { type ReplicatedLog, takeOver } from '#tidemark/replication/index.js'
import { MemoryCluster } from '#tidemark/replication/memory/index.js'
import { GatedNetwork } from '../support/gated-network.js'
import { bitcoin, limit } from '../support/pools.js'
import { compareWithFolder } from '../support/replicated-bytes.js'
import { settledWithin } from '../support/settled.js'
import { temporaryDirectory } from '../support/temporary.js'

let network: GatedNetwork
let cluster: MemoryCluster
let replicated: ReplicatedLog

beforeEach(() => {
  network = new GatedNetwork()
  cluster = new MemoryCluster({ network, patienceMs: 200 })
  replicated = cluster.connect('a')
})

afterEach(() => cluster.close())

function replication(ack: ReplicationAck = 'replicated') {
  return { log: cluster.engine(), pool: 'a', ack, leaseMs: 500, closeMs: 500 }
}

async function openPool(dir: string, options = {}): Promise<EnginePool> {
  return EnginePool.open({ dir, instruments: [bitcoin], replication: replication(), ...options })
}

describe('a pool whose acknowledgements wait for the replicated log', () => {
  it('has every acknowledged command there, with its questions and its events after it', async () => {
    const dir = temporaryDirectory()
    const pool = await openPool(dir)
    const reports = await Promise.all(
      Array.from({ length: 200 }, (_, i) => pool.submit(limit(i + 1, 'buy', '100.00', '0.1'))),
    )
    const last = Math.max(...reports.map(({ lsn }) => lsn))
    expect((await replicated.window()).endLsn).toBeGreaterThanOrEqual(last)
    network.set('silent')
    let settled = 0
    const count = () => {
      settled++
    }
    const pending = [
      pool.submit(limit(1000, 'buy', '99.00', '1')).then(count),
      pool.depth('BTC-USD').then(count),
    ]
    const live: number[] = []
    const reading = (async () => {
      for await (const { lsn } of pool.subscribe({ from: pool.durableLsn })) live.push(lsn)
    })()
    await sleep(600)
    expect([settled, live, pool.durableLsn]).toEqual([0, [], last])
    network.set('up')
    await Promise.all(pending)
    const { bids } = await pool.depth('BTC-USD')
    expect(bids.map(({ orders }) => orders)).toEqual([200, 1])
    await pool.close()
    await reading
    expect(live.length).toBeGreaterThan(0)
    expect((await compareWithFolder(replicated, dir)).bytes).toBeGreaterThan(last)
    expect(pool.stats().replication).toMatchObject({ role: 'primary', epoch: 1, lagBytes: 0 })
  })

  it('takes no snapshot above what is replicated, and refuses with backpressure when too much is in flight', async () => {
    const dir = temporaryDirectory()
    const pool = await openPool(dir, { maxInFlight: 10, checkpointBytes: 0 })
    await pool.submit(limit(1, 'buy', '100.00', '0.1'))
    const before = pool.durableLsn
    network.set('silent')
    const pending = Array.from({ length: 10 }, (_, i) => pool.submit(limit(i + 2, 'buy', '100.00', '0.1')))
    await expect(pool.submit(limit(50, 'buy', '100.00', '0.1'))).rejects.toMatchObject({
      code: 'TIDEMARK_BACKPRESSURE',
    })
    let taken = false
    const checkpoint = pool.checkpoint().then((report) => {
      taken = true
      return report
    })
    await sleep(700)
    expect([taken, (await listSnapshots(dir)).length, pool.durableLsn]).toEqual([false, 0, before])
    network.set('up')
    await Promise.all(pending)
    const { lsn } = await checkpoint
    expect(lsn).toBeGreaterThan(before)
    expect((await replicated.window()).endLsn).toBeGreaterThanOrEqual(lsn)
    await pool.close()
  })

  it('ends with TIDEMARK_FENCED when another one takes over, and is closed', async () => {
    const dir = temporaryDirectory()
    const pool = await openPool(dir)
    const events: string[] = []
    pool.on('fenced', ({ code }) => events.push(code))
    pool.on('error', ({ code }) => events.push(code))
    await pool.submit(limit(1, 'buy', '100.00', '0.1'))
    await takeOver(replicated, 'another', undefined, () => {})
    const [outcome] = await settledWithin([pool.submit(limit(2, 'buy', '100.00', '0.1'))], 20_000)
    expect(outcome).toMatchObject({
      status: 'rejected',
      reason: { code: 'TIDEMARK_LOG_POISONED', cause: { code: 'TIDEMARK_FENCED' } },
    })
    await pool.close()
    expect(events.sort()).toEqual(['TIDEMARK_FENCED', 'TIDEMARK_LOG_POISONED'])
  })

  it('is closed in a bounded time while the replicated log is silent, and rejects what is in flight', async () => {
    const dir = temporaryDirectory()
    const pool = await openPool(dir)
    network.set('down')
    const pending = pool.submit(limit(1, 'buy', '100.00', '0.1'))
    const [outcome] = await Promise.all([settledWithin([pending], 30_000), pool.close()])
    expect(outcome[0]).toMatchObject({
      status: 'rejected',
      reason: { code: 'TIDEMARK_LOG_POISONED', cause: { code: 'TIDEMARK_REPLICATION_UNAVAILABLE' } },
    })
    network.set('up')
    const again = await openPool(dir)
    expect((await replicated.window()).endLsn).toBeGreaterThanOrEqual(again.recovery.endLsn)
    await again.close()
  })
})

describe('what else has a log', () => {
  it('replicates it: a job queue', async () => {
    const dir = temporaryDirectory()
    const done: string[] = []
    const jobs = await JobController.open({ dir, log: { replication: replication() } })
    jobs.start(async ({ id }) => {
      done.push(id)
    })
    await jobs.enqueue({ id: 'one', payload: 1 })
    await jobs.drained()
    expect(jobs.metrics().log.replication).toMatchObject({ role: 'primary', epoch: 1 })
    const stalled = new Promise((resolve) => jobs.once('replicationStalled', resolve))
    network.set('silent')
    const enqueued = jobs.enqueue({ id: 'two', payload: 2 })
    await stalled
    network.set('up')
    await enqueued
    await jobs.close()
    expect(done).toContain('one')
    expect((await compareWithFolder(replicated, dir)).bytes).toBeGreaterThan(0)
  })

  it('replicates it: a factor engine and a pool of them', async () => {
    const dir = temporaryDirectory()
    const engine = await DurableFactorEngine.open({ dir, log: { replication: replication() } })
    expect(engine.log.stats().replication).toMatchObject({ role: 'primary', epoch: 1 })
    await engine.close()
    const pool = await FactorPool.open({ dir, workers: 1, log: { replication: replication('local') } })
    expect(pool.stats().log.replication).toMatchObject({ epoch: 2, ack: 'local' })
    await pool.close()
    expect((await compareWithFolder(replicated, dir)).headers).toBe(2)
  })

  it('is closed in a bounded time while the replicated log is silent: a job queue', async () => {
    const jobs = await JobController.open({ dir: temporaryDirectory(), log: { replication: replication() } })
    await jobs.enqueue({ id: 'one', payload: 1 })
    network.set('down')
    const enqueued = jobs.enqueue({ id: 'two', payload: 2 })
    const [[outcome], [closed]] = await Promise.all([
      settledWithin([enqueued], 30_000),
      settledWithin([jobs.close()], 30_000),
    ])
    expect(outcome).toMatchObject({
      status: 'rejected',
      reason: {
        code: 'TIDEMARK_JOB_SYNC_FAILED',
        cause: { code: 'TIDEMARK_LOG_POISONED', cause: { code: 'TIDEMARK_REPLICATION_UNAVAILABLE' } },
      },
    })
    // The jobs are in the log; only the snapshot of a clean close is missing.
    expect(closed).toMatchObject({ status: 'fulfilled' })
    network.set('up')
  })

  it('is closed in a bounded time while the replicated log is silent: a factor engine', async () => {
    const dir = temporaryDirectory()
    const engine = await DurableFactorEngine.open({ dir, log: { replication: replication() } })
    engine.register('ACME', 'ma2', 'mean(last, 2)')
    network.set('down')
    engine.processTick({ instrument: 'ACME', timestamp: 1, last: 100 })
    const [closed] = await settledWithin([engine.close()], 30_000)
    expect(closed).toMatchObject({
      status: 'rejected',
      reason: { code: 'TIDEMARK_LOG_POISONED', cause: { code: 'TIDEMARK_REPLICATION_UNAVAILABLE' } },
    })
    network.set('up')
  })

  it('refuses options that it does not know, before anything is made', async () => {
    const bad = { ...replication(), polo: 1 }
    const refused = { code: 'TIDEMARK_BAD_SETTING', details: { setting: 'polo' } }
    const dir = `${temporaryDirectory()}/none`
    await expect(EnginePool.open({ dir, replication: bad })).rejects.toMatchObject(refused)
    await expect(DurableLog.open({ dir, replication: bad })).rejects.toMatchObject(refused)
    await expect(JobController.open({ dir, log: { replication: bad } })).rejects.toMatchObject(refused)
    await expect(DurableFactorEngine.open({ dir, log: { replication: bad } })).rejects.toMatchObject(refused)
    await expect(FactorPool.open({ dir, log: { replication: bad } })).rejects.toMatchObject(refused)
  })
})
