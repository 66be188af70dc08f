import { once } from 'node:events'
import { rmSync } from 'node:fs'
import * as path from 'node:path'
import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { NodeDisk } from '#tidemark/log/disk/node-disk.js'
import { threadsOf } from '#tidemark/log/durable-log.js'
import { DurableLog } from '#tidemark/log/index.js'
import { recoverLog } from '#tidemark/log/recover/recovery.js'
import { EnginePool } from '#tidemark/pool/index.js'
import { type Acknowledgement, checkAcknowledged } from '../support/acknowledged.js'
import { faultCases, faultCount } from '../support/fault-tier.js'
import { readRecords } from '../support/inline-log.js'
import { recordOf } from '../support/numbered-records.mjs'
import { Random } from '../support/random.js'
import { acknowledgement, instruments, RandomFlow } from '../support/random-flow.mjs'
import { root } from '../support/run-script.js'
import { settledWithin } from '../support/settled.js'
import { temporaryDirectory } from '../support/temporary.js'

const count = faultCount('threads', { short: 15, full: 1_000 })
const casesAtOnce = 2
const points = ['claimed', 'written', 'published', 'counted'] as const
const maxBatchBytes = 4096
/** One case in so many closes the log without a word about the thread, which then waits a second for it. */
const silentEvery = 25
/** One case in so many ends a thread of a whole pool. */
const poolEvery = 12

/** Stops a thread at a point of a publication, while others write, and holds the log against what was acknowledged. */
async function stopProducer(dir: string, seed: number): Promise<string> {
  const random = new Random(seed)
  const point = points[random.int(points.length)]!
  const stop = { point, after: random.int(40), exits: random.int(2) === 0 }
  const silent = new Random(-seed).int(silentEvery) === 0
  const log = await DurableLog.open({ dir, ringBytes: 65_536, segmentBytes: 65_536, maxBatchBytes })
  const stopped = new SharedArrayBuffer(4)
  const start = (options: object) =>
    new Worker(`${root}/test/faults/stopping-producer.mjs`, {
      execArgv: [],
      workerData: { handle: log.producerHandle(), seed, stopped, ...options },
    })
  const dying = start({ stop })
  const died = once(dying, 'exit')
  // Continues beside it until the ring is full of what stands after the hole, and then waits for space.
  const bystander = random.int(2) === 0 ? start({}) : undefined
  const bystanderSays = bystander && Promise.all([once(bystander, 'message'), once(bystander, 'exit')])

  const mine: { i: number; lsn: number; done: Promise<void> }[] = []
  const append = () => {
    try {
      const i = mine.length
      const lsn = log.append(recordOf(0, i, seed).subarray(0, maxBatchBytes - 40))
      const done = log.waitDurable(lsn)
      done.catch(() => {})
      mine.push({ i, lsn, done })
      return done
    } catch (error) {
      expect(error).toMatchObject({ code: 'TIDEMARK_RING_FULL' })
      return undefined
    }
  }
  const word = new Int32Array(stopped)
  const halted = Atomics.waitAsync(word, 0, 0)
  const isHalted = halted.async ? halted.value : Promise.resolve()
  while (Atomics.load(word, 0) === 0) {
    await Promise.race([append(), isHalted])
    await new Promise((resolve) => setImmediate(resolve))
  }
  for (let more = random.int(20); more > 0; more--) append()
  if (!stop.exits) await dying.terminate()
  await settledWithin([died])
  if (!silent) log.poison(new Error('the producer died'))
  const closing = silent ? log.close() : undefined
  const outcomes = await settledWithin(mine.map(({ done }) => done))
  if (bystanderSays) {
    await settledWithin([bystanderSays])
    const [[code]] = await bystanderSays
    expect(code).toMatch(/^TIDEMARK_LOG_(POISONED|CLOSED)$/)
  }
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') expect(outcome.reason.code).toMatch(/^TIDEMARK_LOG_(POISONED|CLOSED)$/)
  }
  if (!silent)
    expect(() => log.append(Buffer.alloc(8))).toThrowError(
      expect.objectContaining({ code: 'TIDEMARK_LOG_POISONED' }),
    )
  const durableLsn = log.durableLsn
  await settledWithin([closing ?? log.close()])

  const acknowledged = mine.filter((_, n) => outcomes[n]!.status === 'fulfilled')
  checkRecords(dir, seed, durableLsn, acknowledged)
  return point
}

/** Recovers the log and checks its end, each producer's records one after the other, and those acknowledged. */
function checkRecords(
  dir: string,
  seed: number,
  durableLsn: number,
  acknowledged: readonly { i: number; lsn: number }[],
): void {
  const disk = new NodeDisk()
  const { report } = recoverLog({
    disk,
    directory: dir,
    kind: 'log',
    contentVersion: 1,
    maxBatchBytes,
    initialSegmentBytes: 65_536,
  })
  expect(report.endLsn).toBeGreaterThanOrEqual(durableLsn)
  const next = new Map<number, number>()
  const mine = new Map<number, number>()
  for (const { lsn, payload } of readRecords(disk, report.firstLsn, report.endLsn, dir)) {
    const record = Buffer.from(payload)
    const producer = record.readUInt32LE(0)
    const i = record.readUInt32LE(4)
    // The cheap comparison first: vitest's own costs more than all the rest.
    if (i !== (next.get(producer) ?? 0))
      expect.fail(`LSN ${lsn}: record ${i} of producer ${producer} after ${next.get(producer)}`)
    next.set(producer, i + 1)
    const sent = recordOf(producer, i, seed)
    const whole = producer === 0 ? sent.subarray(0, maxBatchBytes - 40) : sent
    if (!record.equals(whole))
      expect.fail(`LSN ${lsn}: record ${i} of producer ${producer} is not what was sent`)
    if (producer === 0) mine.set(lsn, i)
  }
  for (const { lsn, i } of acknowledged) expect(mine.get(lsn), `acknowledged LSN ${lsn}`).toBe(i)
}

/** Ends a thread of a running pool after some acknowledgements, and reopens it. */
async function endPoolThread(dir: string, seed: number): Promise<string> {
  const random = new Random(seed)
  const pool = await EnginePool.open({
    dir,
    shards: 2,
    ringBytes: 65_536,
    segmentBytes: 65_536,
    checkpointBytes: 50_000,
    instruments,
  })
  const thread = [0, 2, 3][random.int(3)]!
  const flow = new RandomFlow(seed, 1)
  const acknowledged: Acknowledgement[] = []
  let left = random.int(400)
  let died = () => {}
  const death = new Promise<void>((resolve) => (died = resolve))
  const caller = async () => {
    for (;;) {
      const command = flow.next()
      const report = await pool.submit(command)
      acknowledged.push(acknowledgement(command, report))
      if (left-- === 0) void pool[threadsOf][thread]!.terminate().then(died)
    }
  }
  const callers = Array.from({ length: 1 + random.int(64) }, caller)
  await death
  const outcomes = await settledWithin(callers)
  for (const outcome of outcomes) expect(outcome).toMatchObject({ reason: { code: 'TIDEMARK_LOG_POISONED' } })
  await settledWithin([pool.close()])
  await checkAcknowledged(dir, acknowledged, `seed ${seed}`)
  return thread === 0 ? 'flusher' : 'shard'
}

describe('a thread that dies', () => {
  it(`between claim, write and publish, or at any moment of a pool, loses nothing acknowledged (${count} cases)`, async () => {
    const folder = temporaryDirectory()
    const numbers = faultCases(count)
    const died = new Map<string, number>()
    const worker = async () => {
      for (const number of numbers) {
        const seed = number + 1
        // Drawn, not counted: a shard takes every n-th case.
        const run = new Random(seed * 7919).int(poolEvery) === 0 ? endPoolThread : stopProducer
        const dir = path.join(folder, String(seed))
        const what = await run(dir, seed).catch((error) => {
          throw new Error(`seed ${seed}: ${error.message}`, { cause: error })
        })
        rmSync(dir, { recursive: true })
        died.set(what, (died.get(what) ?? 0) + 1)
      }
    }
    await Promise.all(Array.from({ length: casesAtOnce }, worker))
    if (count >= 100) expect([...died.keys()].sort()).toEqual([...points, 'flusher', 'shard'].sort())
  }, 36_000_000)
})
