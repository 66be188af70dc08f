import { cpSync } from 'node:fs'
import * as path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { DurableLog, type LogError, type ReplicationOptions, threadsOf } from '#tidemark/log/index.js'
import { type ReplicatedLog, takeOver } from '#tidemark/replication/index.js'
import { MemoryCluster } from '#tidemark/replication/memory/index.js'
import { GatedNetwork } from '../support/gated-network.js'
import { compareWithFolder } from '../support/replicated-bytes.js'
import { settledWithin } from '../support/settled.js'
import { temporaryDirectory } from '../support/temporary.js'

const payload = Buffer.alloc(1000, 3)
const pool = 'a'

class Bench {
  readonly network = new GatedNetwork()
  readonly cluster = new MemoryCluster({ network: this.network, patienceMs: 200 })
  readonly log: ReplicatedLog = this.cluster.connect(pool)
  readonly dir = temporaryDirectory()
  readonly opened: DurableLog[] = []
  readonly events: [string, unknown][] = []

  async open(
    options: Partial<ReplicationOptions> & { dir?: string; ringBytes?: number; segmentBytes?: number } = {},
  ) {
    const { dir = this.dir, ringBytes, segmentBytes, ...replication } = options
    const log = await DurableLog.open({
      dir,
      ringBytes,
      segmentBytes,
      replication: { log: this.cluster.engine(), pool, leaseMs: 500, ...replication },
    })
    this.opened.push(log)
    for (const name of [
      'error',
      'fenced',
      'replicationStalled',
      'replicationResumed',
      'replicationIncomplete',
    ] as const)
      log.on(name, (report: unknown) => this.events.push([name, report]))
    return log
  }

  /** What ended a log. A machine that is busy may stall one for a moment, which ends nothing. */
  get ends(): string[] {
    return this.events.map(([name]) => name).filter((name) => name === 'error' || name === 'fenced')
  }

  /** Appends when the ring has room, and waits for it to be acknowledged. */
  async append(log: DurableLog): Promise<number> {
    for (;;) {
      try {
        const lsn = log.append(payload)
        await log.waitDurable(lsn)
        return lsn
      } catch (error) {
        if ((error as LogError).code !== 'TIDEMARK_RING_FULL') throw error
        await sleep(1)
      }
    }
  }

  named(name: string): unknown[] {
    return this.events.filter(([event]) => event === name).map(([, report]) => report)
  }

  async until(condition: () => boolean | Promise<boolean>): Promise<void> {
    for (let i = 0; !(await condition()); i++) {
      if (i > 2000) throw new Error('it did not come to pass')
      await sleep(10)
    }
  }
}

/** Resolves when the holder that the log has now is gone. */
async function holderGone(log: ReplicatedLog): Promise<void> {
  for await (const change of log.follow(0)) if (change.kind === 'holder' && !change.holder) return
}

let bench: Bench

async function begin(): Promise<Bench> {
  bench = new Bench()
  return bench
}

afterEach(async () => {
  bench.network.set('up')
  for (const log of bench.opened) await log.close()
  await bench.cluster.close()
})

describe('a log whose acknowledgements wait for the replicated log', () => {
  it('acknowledges what is there, byte for byte, over several openings', async () => {
    const { log: replicated } = await begin()
    for (let life = 1; life <= 2; life++) {
      const log = await bench.open()
      for (let i = 0; i < 50; i++) {
        const lsn = log.append(payload)
        await log.waitDurable(lsn)
        // Without another call to the log: this is what holds when the promise resolves.
        expect((await replicated.window()).endLsn).toBeGreaterThanOrEqual(lsn)
      }
      const { replication } = log.stats()
      expect(replication).toMatchObject({
        role: 'primary',
        epoch: life,
        ack: 'replicated',
        stalled: false,
        standbys: [],
      })
      expect(replication!.replicatedLsn).toBe(log.durableLsn)
      await log.close()
      const { endLsn, headers, bytes } = await compareWithFolder(replicated, bench.dir)
      expect(endLsn).toBe(log.syncedLsn)
      expect([headers, bytes]).toEqual([life, endLsn])
    }
    const lineage = await replicated.lineage()
    expect(lineage.map(({ n }) => n)).toEqual([1, 2])
    expect(lineage[0]!.firstLsn).toBe(0)
    expect(bench.ends).toEqual([])
  })

  it('acknowledges nothing while the replicated log is silent, takes no more than the ring, says so once, and goes on', async () => {
    await begin()
    const log = await bench.open({ ringBytes: 64 * 1024 })
    const before = log.append(payload)
    await log.waitDurable(before)
    bench.network.set('silent')
    let lsn = before
    let refusal: unknown
    for (let i = 0; i < 1000 && refusal === undefined; i++) {
      try {
        lsn = log.append(payload)
      } catch (error) {
        refusal = error
      }
      if (i % 20 === 0) await sleep(5)
    }
    expect(refusal).toMatchObject({ code: 'TIDEMARK_RING_FULL' })
    expect(log.tailLsn - before).toBeLessThanOrEqual(64 * 1024)
    let resolved = false
    const waiting = log.waitDurable(lsn).then(() => {
      resolved = true
    })
    await bench.until(() => bench.named('replicationStalled').length > 0)
    await sleep(500)
    expect([resolved, log.durableLsn]).toEqual([false, before])
    expect(log.syncedLsn).toBe(lsn)
    expect(log.stats().replication).toMatchObject({
      stalled: true,
      replicatedLsn: before,
      lagBytes: lsn - before,
    })
    expect(log.stats().replication!.lagMs).toBeGreaterThan(0)
    bench.network.set('up')
    await waiting
    await bench.until(() => bench.named('replicationResumed').length > 0)
    expect(bench.events.slice(0, 2).map(([name]) => name)).toEqual([
      'replicationStalled',
      'replicationResumed',
    ])
    const [stall] = bench.named('replicationStalled') as [{ error: LogError }]
    expect(stall.error.code).toBe('TIDEMARK_REPLICATION_UNAVAILABLE')
    await bench.append(log)
  })

  it('ends when another primary takes over, with what it acknowledged before the fork, also when it is idle', async () => {
    const { log: replicated } = await begin()
    const log = await bench.open()
    const acknowledged = log.append(payload)
    await log.waitDurable(acknowledged)
    await takeOver(replicated, 'another', undefined, () => {})
    const { endLsn: fork } = await replicated.window()
    const pending = log.waitDurable(log.append(payload))
    const [outcome] = await settledWithin([pending], 20_000)
    expect(outcome).toMatchObject({
      status: 'rejected',
      reason: { code: 'TIDEMARK_LOG_POISONED', cause: { code: 'TIDEMARK_FENCED' } },
    })
    expect(log.durableLsn).toBeLessThanOrEqual(fork)
    expect(acknowledged).toBeLessThanOrEqual(fork)
    expect(bench.ends).toEqual(['error', 'fenced'])
    expect(() => log.append(payload)).toThrowError(expect.objectContaining({ code: 'TIDEMARK_LOG_POISONED' }))
    await log.close()
    // Another one that nothing is appended to.
    const idle = await bench.open()
    bench.events.length = 0
    await takeOver(replicated, 'a third', undefined, () => {})
    await bench.until(() => bench.named('fenced').length > 0)
    expect(idle.poisoned).toMatchObject({ cause: { code: 'TIDEMARK_FENCED' } })
  })

  it('is closed while the replicated log is silent: what is pending is rejected after closeMs, and the next opening ships it', async () => {
    const { log: replicated } = await begin()
    const log = await bench.open({ closeMs: 300 })
    bench.network.set('silent')
    const lsn = log.append(payload)
    const pending = log.waitDurable(lsn)
    const [outcome] = await Promise.all([settledWithin([pending], 20_000), log.close()])
    expect(outcome[0]).toMatchObject({
      status: 'rejected',
      reason: { code: 'TIDEMARK_LOG_POISONED', cause: { code: 'TIDEMARK_REPLICATION_UNAVAILABLE' } },
    })
    const [rest] = bench.named('replicationIncomplete') as [{ leftBytes: number; replicatedLsn: number }]
    expect(rest.leftBytes).toBeGreaterThanOrEqual(lsn)
    expect(rest.replicatedLsn).toBe(0)
    bench.network.set('up')
    const again = await bench.open()
    expect(again.recovery.endLsn).toBeGreaterThanOrEqual(lsn)
    // What it held is there when it is open.
    expect((await replicated.window()).endLsn).toBeGreaterThanOrEqual(again.recovery.endLsn)
    await again.close()
    expect((await compareWithFolder(replicated, bench.dir)).headers).toBe(2)
  })

  it('waits while its rights are taken away, and goes on when it has them again', async () => {
    await begin()
    const replicated = bench.cluster.connect(pool, 'spared')
    const log = await bench.open()
    await bench.append(log)
    await bench.until(async () => (await replicated.holder())?.n === 1)
    const gone = holderGone(replicated)
    bench.network.set('denied')
    const pending = log.waitDurable(log.append(payload))
    await bench.until(() => bench.named('replicationStalled').length > 0)
    await gone
    bench.network.set('up')
    await pending
    await bench.until(async () => (await replicated.holder())?.n === 1)
    await replicated.close()
    expect(bench.ends).toEqual([])
  })

  it('ends when the thread of the replicator dies', async () => {
    await begin()
    const log = await bench.open()
    await log[threadsOf].at(-1)!.terminate()
    await bench.until(() => log.poisoned !== undefined)
    expect(log.poisoned).toMatchObject({ cause: { code: 'TIDEMARK_THREAD_DIED' } })
  })

  it('rotates with every segment header in its entry', async () => {
    const { log: replicated } = await begin()
    const log = await bench.open({ segmentBytes: 256 * 1024, ringBytes: 1 << 20 })
    let lsn = 0
    for (let i = 0; i < 1500; i++) {
      lsn = log.append(payload)
      if (i % 50 === 0) await log.waitDurable(lsn)
    }
    await log.waitDurable(lsn)
    expect(log.stats().rotations).toBeGreaterThan(4)
    await log.close()
    const { headers, bytes } = await compareWithFolder(replicated, bench.dir)
    expect(headers).toBe(log.stats().rotations + 1)
    expect(bytes).toBe(log.syncedLsn)
  })
})

describe('a log that is replicated after its acknowledgements', () => {
  it('acknowledges while the replicated log is silent, keeps what is not there, and ships it when it is back', async () => {
    const { log: replicated } = await begin()
    const log = await bench.open({ ack: 'local', ringBytes: 64 * 1024, segmentBytes: 64 * 1024 })
    bench.network.set('silent')
    let lsn = 0
    // Many rings and segments.
    for (let i = 0; i < 600; i++) {
      lsn = log.append(payload)
      if (i % 20 === 0) await log.waitDurable(lsn)
    }
    await log.waitDurable(lsn)
    await bench.until(() => bench.named('replicationStalled').length > 0)
    expect(log.stats().replication).toMatchObject({
      ack: 'local',
      stalled: true,
      replicatedLsn: 0,
      lagBytes: log.syncedLsn,
    })
    expect(await log.removeBefore(lsn)).toBe(0)
    bench.network.set('up')
    await bench.until(() => log.stats().replication!.lagBytes === 0)
    expect(await log.removeBefore(lsn)).toBeGreaterThan(0)
    expect(bench.events.slice(0, 2).map(([name]) => name)).toEqual([
      'replicationStalled',
      'replicationResumed',
    ])
    await log.close()
    expect((await compareWithFolder(replicated, bench.dir)).endLsn).toBe(log.syncedLsn)
  })

  it('says when it is closed what is left, and the next opening ships it', async () => {
    const { log: replicated } = await begin()
    const log = await bench.open({ ack: 'local', closeMs: 200 })
    bench.network.set('down')
    const lsn = log.append(payload)
    await log.waitDurable(lsn)
    await log.close()
    const [rest] = bench.named('replicationIncomplete') as [{ leftBytes: number; error: LogError }]
    expect(rest.leftBytes).toBeGreaterThanOrEqual(lsn)
    expect(rest.error.code).toBe('TIDEMARK_REPLICATION_UNAVAILABLE')
    expect(bench.named('error')).toEqual([])
    bench.network.set('up')
    const again = await bench.open({ ack: 'local' })
    await bench.until(() => again.stats().replication!.lagBytes === 0)
    await again.close()
    expect((await compareWithFolder(replicated, bench.dir)).endLsn).toBe(again.syncedLsn)
  })
})

describe('the opening of a replicated log', () => {
  it('refuses a folder that the log has gone on without, and one that ends before it, and changes nothing there', async () => {
    const { log: replicated } = await begin()
    const log = await bench.open()
    await log.waitDurable(log.append(payload))
    const older = path.join(temporaryDirectory(), 'older')
    await log.close()
    cpSync(bench.dir, older, { recursive: true })
    const next = await bench.open()
    await next.waitDurable(next.append(payload))
    await next.close()
    const before = await replicated.epoch()
    for (const dir of [temporaryDirectory(), older]) {
      await expect(bench.open({ dir })).rejects.toMatchObject({ code: 'TIDEMARK_PRIMARY_BEHIND' })
    }
    // Neither was to end the time of the primary.
    expect(await replicated.epoch()).toEqual(before)
    const shorter = path.join(temporaryDirectory(), 'shorter')
    cpSync(bench.dir, shorter, { recursive: true })
    const last = await bench.open()
    await last.waitDurable(last.append(payload))
    await last.close()
    await expect(bench.open({ dir: shorter })).rejects.toMatchObject({ code: 'TIDEMARK_PRIMARY_BEHIND' })
  })

  it('refuses while another primary is alive, and takes the place of one that is gone', async () => {
    await begin()
    const log = await bench.open()
    await log.waitDurable(log.append(payload))
    const copy = path.join(temporaryDirectory(), 'copy')
    cpSync(bench.dir, copy, { recursive: true })
    await expect(bench.open({ dir: copy })).rejects.toMatchObject({ code: 'TIDEMARK_REPLICATION_HELD' })
    await log.waitDurable(log.append(payload))
    expect(bench.ends).toEqual([])
  })

  it('refuses without an answer, in both ways of acknowledging, and leaves the folder free', async () => {
    await begin()
    bench.network.set('down')
    for (const ack of ['local', 'replicated'] as const) {
      await expect(bench.open({ ack })).rejects.toMatchObject({ code: 'TIDEMARK_REPLICATION_UNAVAILABLE' })
    }
    bench.network.set('up')
    await bench.open()
  })

  it('fails when the replicated log has no room for what it must have first, and leaves the folder free', async () => {
    await begin()
    const isFull = new SharedArrayBuffer(8)
    const module = new URL('../support/full-engine.mjs', import.meta.url).href
    const log = { name: 'full', module, options: { engine: bench.cluster.engine(), isFull } }
    const before = await DurableLog.open({ dir: bench.dir })
    before.append(payload)
    await before.close()
    new Int32Array(isFull)[0] = 1
    await expect(bench.open({ log, closeMs: 100 })).rejects.toMatchObject({
      code: 'TIDEMARK_REPLICATION_FULL',
      message: expect.stringContaining('could not be opened'),
    })
    new Int32Array(isFull)[0] = 0
    await bench.append(await bench.open({ log }))
  })

  it('refuses an engine that no thread could get, and leaves the folder free', async () => {
    await begin()
    const options = { strange: () => {} }
    const log = { ...bench.cluster.engine(), options }
    await expect(bench.open({ log })).rejects.toMatchObject({ code: 'TIDEMARK_BAD_SETTING' })
    await bench.open()
  })

  it('trims the window to windowBytes while the log grows', async () => {
    const { log: replicated } = await begin()
    const windowBytes = 1024 * 1024
    const log = await bench.open({ windowBytes, entryBytes: 256 * 1024 })
    const large = Buffer.alloc(100_000)
    let lsn = 0
    for (let i = 0; i < 40; i++) await log.waitDurable((lsn = log.append(large)))
    await bench.until(async () => (await replicated.window()).beginLsn > lsn - 2 * windowBytes)
    const { beginLsn, endLsn } = await replicated.window()
    expect(endLsn).toBeGreaterThanOrEqual(lsn)
    expect(endLsn - beginLsn).toBeGreaterThanOrEqual(windowBytes)
    await bench.until(() => log.stats().replication!.windowFirstLsn >= beginLsn)
    await log.close()
    expect((await compareWithFolder(replicated, bench.dir)).bytes).toBe(log.syncedLsn - beginLsn)
  })
})
