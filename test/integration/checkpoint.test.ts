import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import * as path from 'node:path'
import { crc32 } from 'node:zlib'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type Command, EnginePool } from '#tidemark/index.js'
import { TaskThreads } from '#tidemark/log/task-threads.js'
import { Snapshots } from '#tidemark/pool/checkpoint/snapshots.js'
import { withoutThreads } from '../support/no-threads.js'
import { eventsOf, limit, openPool } from '../support/pools.js'
import { Random } from '../support/random.js'
import { temporaryDirectory } from '../support/temporary.js'

const snapshots = (dir: string) => readdirSync(dir).filter((name) => name.startsWith('snapshot'))
const segments = (dir: string) => readdirSync(dir).filter((name) => name.endsWith('.wal'))

/** Random commands for both symbols, with stops and icebergs among them. */
function flow(random: Random, count: number, firstId: number): Command[] {
  return Array.from({ length: count }, (_, i) => {
    const symbol = random.int(2) ? 'BTC-USD' : 'ETH-USD'
    const kind = random.int(10)
    if (kind === 0) return { type: 'cancel', symbol, orderId: 1 + random.int(firstId + i) }
    const side = random.int(2) ? 'buy' : 'sell'
    const order = {
      ...limit(firstId + i, side, String(90 + random.int(20)), String(1 + random.int(9))),
      symbol,
    }
    if (kind === 1) return { ...order, displayQuantity: '1' }
    if (kind === 2) return { ...order, orderType: 'stop-limit', stopPrice: String(80 + random.int(40)) }
    return order
  })
}

describe('a checkpoint', () => {
  it('is what the next opening starts from: the same books, then the log after it, whatever the number of shards', async () => {
    const dir = temporaryDirectory()
    const random = new Random(5)
    const pool = await openPool({ dir, shards: 2, checkpointBytes: 0 })
    await pool.submitBatch(flow(random, 2000, 1))
    const report = await pool.checkpoint()
    expect(report).toMatchObject({ books: 2, firstLsn: 0 })
    expect(report.lsn).toBeLessThanOrEqual(pool.durableLsn)
    await pool.submitBatch(flow(random, 500, 3000))
    const { symbols } = await pool.digest()
    await pool.close()
    expect(snapshots(dir)).toEqual([path.basename(report.path)])

    // Without the snapshot's part of the log only the snapshot can have given these books.
    for (const shards of [1, 2, 3]) {
      const again = await EnginePool.open({ dir, shards, checkpointBytes: 0 })
      expect((await again.digest()).symbols).toEqual(symbols)
      const order = await again.submit(limit(2_500, 'buy', '50', '1'))
      expect(order.status).toBe('resting')
      await again.submit({ type: 'cancel', symbol: 'BTC-USD', orderId: 2_500 })
      await again.close()
    }
  })

  it('may be taken while commands come in, over and over, and every one of them is there afterwards', async () => {
    const dir = temporaryDirectory()
    const random = new Random(6)
    const pool = await openPool({ dir, shards: 2, keepSnapshots: 1 })
    const taken: number[] = []
    let running = true
    const checkpoints = (async () => {
      while (running) taken.push((await pool.checkpoint()).lsn)
    })()
    for (let i = 0; i < 30; i++) {
      await pool.submitBatch(flow(random, 300, 1 + i * 300))
      if (i === 10) await pool.addInstrument({ symbol: 'LATE', tickSize: '1', lotSize: '1' })
      if (i > 10) await pool.submit({ ...limit(i, 'buy', '5', '1'), symbol: 'LATE' })
    }
    running = false
    await checkpoints
    expect(taken.length).toBeGreaterThan(1)
    expect(taken).toEqual(taken.toSorted((a, b) => a - b))
    for (const { longestAnswerMs } of pool.stats().shards) expect(longestAnswerMs).toBeGreaterThan(0)
    const { symbols } = await pool.digest()
    await pool.close()
    expect(snapshots(dir)).toHaveLength(1)
    const again = await openPool({ dir, instruments: [] })
    expect((await again.digest()).symbols).toEqual(symbols)
    expect(again.instruments().map(({ symbol }) => symbol)).toEqual(['BTC-USD', 'ETH-USD', 'LATE'])
  })

  it('is taken in steps between commands, and is the books of one moment though its orders change meanwhile', async () => {
    const dir = temporaryDirectory()
    const random = new Random(8)
    const pool = await openPool({ dir, shards: 2, checkpointBytes: 0, keepSnapshots: 10 })
    for (const { id } of pool.instruments()) {
      const batch = pool.batch()
      for (let i = 0; i < 15_000; i++) {
        const distance = i % 2000
        batch.addNew(id, i + 1, i % 700, i & 1, 0, 0, i & 1 ? 10_001 + distance : 10_000 - distance, 100_000)
      }
      await pool.submitBatch(batch)
    }
    let running = true
    let id = 100_000
    const checkpoints = (async () => {
      const reports = []
      for (let i = 0; i < 2; i++) reports.push(await pool.checkpoint())
      running = false
      return reports
    })()
    while (running) {
      const symbol = random.int(2) ? 'BTC-USD' : 'ETH-USD'
      const cancel = () => ({ type: 'cancel', symbol, orderId: 1 + random.int(15_000) }) as const
      await pool.submitBatch([...flow(random, 100, id), ...Array.from({ length: 200 }, cancel)])
      id += 100
    }
    const reports = await checkpoints
    // Every shard took its part at one LSN of its own.
    for (const { bytes, books } of reports) {
      expect(books).toBe(2)
      expect(bytes).toBeGreaterThan(500_000)
    }
    const { symbols } = await pool.digest()
    await pool.close()
    for (const [i, { path: snapshot }] of reports.toReversed().entries()) {
      const shards = 2 + (i % 2)
      const again = await EnginePool.open({ dir, shards, checkpointBytes: 0 })
      expect((await again.digest()).symbols, `${snapshot}, ${shards} shards`).toEqual(symbols)
      await again.close()
      rmSync(snapshot)
    }
    // Now without a snapshot, from the log alone.
    const again = await EnginePool.open({ dir, checkpointBytes: 0 })
    expect((await again.digest()).symbols).toEqual(symbols)
    await again.close()
  })

  it('that is damaged where one shard reads it is passed over by all of them', async () => {
    const dir = temporaryDirectory()
    const pool = await openPool({ dir, shards: 2, checkpointBytes: 0 })
    await pool.submitBatch(flow(new Random(9), 1000, 1))
    const { path: file } = await pool.checkpoint()
    const { symbols } = await pool.digest()
    await pool.close()
    const whole = readFileSync(file)
    const damages = [70, whole.byteLength - 200].map((at) => {
      const damaged = Buffer.from(whole)
      damaged[at]! ^= 1
      return damaged
    })
    for (const content of damages) {
      writeFileSync(file, content)
      const again = await EnginePool.open({ dir, shards: 2, checkpointBytes: 0 })
      expect((await again.digest()).symbols).toEqual(symbols)
      await again.close()
    }
  })

  it('deletes old log when asked to, and only what no kept snapshot needs', async () => {
    const dir = temporaryDirectory()
    const random = new Random(7)
    const options = {
      dir,
      segmentBytes: 32_768,
      maxBatchBytes: 4096,
      ringBytes: 65_536,
      keepSnapshots: 2,
      keepLogBytes: 0,
      checkpointBytes: 0,
    }
    const pool = await openPool(options)
    const reports = []
    for (let i = 0; i < 4; i++) {
      await pool.submitBatch(flow(random, 1000, 1 + i * 1000))
      reports.push(await pool.checkpoint())
    }
    const { firstLsn } = reports.at(-1)!
    expect(firstLsn).toBeGreaterThan(reports[1]!.replayFromLsn - 40_000)
    expect(firstLsn).toBeLessThanOrEqual(reports[2]!.replayFromLsn)
    expect(snapshots(dir)).toEqual(reports.slice(2).map((report) => path.basename(report.path)))
    expect(Number(segments(dir)[0]!.slice(0, 20))).toBe(firstLsn)
    expect(() => pool.subscribe({ from: 0 })).toThrowError(
      expect.objectContaining({ code: 'TIDEMARK_BAD_LSN' }),
    )
    expect((await eventsOf(pool, firstLsn)).length).toBeGreaterThan(0)
    const { symbols } = await pool.digest()
    await pool.close()

    // With the newest one damaged, the one before it is used.
    const newest = reports[3]!.path
    const content = readFileSync(newest)
    content[content.byteLength >> 1]! ^= 0x10
    writeFileSync(newest, content)
    const again = await EnginePool.open({ ...options, instruments: [] })
    expect((await again.digest()).symbols).toEqual(symbols)
    await again.close()
    const older = readFileSync(reports[2]!.path)
    older[70]! ^= 1
    writeFileSync(reports[2]!.path, older)
    await expect(EnginePool.open(options)).rejects.toMatchObject({ code: 'TIDEMARK_LOG_CORRUPT' })
  })

  it('is taken beside a snapshot of another format, which goes when it is older than those that are kept', async () => {
    const dir = temporaryDirectory()
    const pool = await openPool({ dir, checkpointBytes: 0, keepSnapshots: 1 })
    const header = Buffer.alloc(64)
    header.write('TIDESNAP', 0, 'latin1')
    header.writeUInt32LE(1, 8)
    header.writeUInt32LE(crc32(header.subarray(0, 56)), 56)
    const foreign = path.join(dir, `snapshot-${'8'.padStart(20, '0')}.snap`)
    writeFileSync(foreign, header)
    for (let i = 0; i < 3; i++) {
      await pool.submitBatch(flow(new Random(i), 100, 1 + i * 100))
      const report = await pool.checkpoint()
      expect(snapshots(dir)).toEqual([path.basename(report.path)])
    }
    expect(pool.stats().checkpoints).toMatchObject({ taken: 3, failed: 0 })
  })

  it('whose thread ends fails with a code, leaves nothing, and does not keep the next one from being taken', async () => {
    const dir = temporaryDirectory()
    const pool = await openPool({ dir, shards: 2, checkpointBytes: 0 })
    const batch = pool.batch()
    for (let i = 0; i < 30_000; i++) batch.addNew(0, i + 1, i % 700, 0, 0, 0, 10_000 - (i % 2000), 100_000)
    await pool.submitBatch(batch)
    const { begin } = Snapshots.prototype
    const { run } = TaskThreads.prototype
    onTestFinished(() => {
      Snapshots.prototype.begin = begin
      TaskThreads.prototype.run = run
    })
    let threads: TaskThreads<unknown, unknown> | undefined
    let unfinished = 0
    TaskThreads.prototype.run = function (task, transferList) {
      threads = this
      return run.call(this, task, transferList)
    }
    Snapshots.prototype.begin = function () {
      const pending = begin.call(this)
      return {
        ...pending,
        async publish(placed) {
          unfinished = snapshots(dir).length
          for (const worker of threads!.workers) await worker.terminate()
          return pending.publish(placed)
        },
      }
    }
    await expect(pool.checkpoint()).rejects.toMatchObject({ code: 'TIDEMARK_THREAD_DIED' })
    expect(unfinished).toBe(1)
    expect(snapshots(dir)).toEqual([])
    Snapshots.prototype.begin = begin
    expect(await pool.submit(limit(99_999, 'buy', '50', '1'))).toMatchObject({ status: 'resting' })
    const report = await pool.checkpoint()
    expect(snapshots(dir)).toEqual([path.basename(report.path)])
    const { symbols } = await pool.digest()
    await pool.close()
    const again = await openPool({ dir, checkpointBytes: 0 })
    expect((await again.digest()).symbols).toEqual(symbols)
  })

  it('and an opening, that the system refuses a thread, fail with a code, and the next ones succeed', async () => {
    const dir = temporaryDirectory()
    const died = { code: 'TIDEMARK_THREAD_DIED' }
    for (const snapshotsBefore of [0, 1]) {
      expect(readdirSync(dir).filter((name) => name.endsWith('.snap'))).toHaveLength(snapshotsBefore)
      await expect(withoutThreads(() => EnginePool.open({ dir }))).rejects.toMatchObject(died)
      const pool = await openPool({ dir, checkpointBytes: 0 })
      await pool.submit(limit(1 + snapshotsBefore, 'buy', '50', '1'))
      await expect(withoutThreads(() => pool.checkpoint())).rejects.toMatchObject(died)
      await pool.checkpoint()
      await pool.close()
    }
  })

  it('that fails after its snapshot is in place counts from there', async () => {
    const dir = temporaryDirectory()
    const pool = await openPool({ dir, checkpointBytes: 0 })
    await pool.submitBatch(flow(new Random(4), 200, 1))
    const { begin } = Snapshots.prototype
    onTestFinished(() => {
      Snapshots.prototype.begin = begin
    })
    Snapshots.prototype.begin = function () {
      const pending = begin.call(this)
      return {
        ...pending,
        async publish(placed) {
          await pending.publish(placed)
          throw new Error('something after that')
        },
      }
    }
    await expect(pool.checkpoint()).rejects.toThrowError('something after that')
    const { failed, lastLsn } = pool.stats().checkpoints
    expect(failed).toBe(1)
    expect(snapshots(dir)).toEqual([`snapshot-${String(lastLsn).padStart(20, '0')}.snap`])
  })

  it('is taken by itself when the log has grown', async () => {
    const dir = temporaryDirectory()
    const pool = await openPool({ dir, checkpointBytes: 100_000 })
    for (let i = 0; i < 5; i++) await pool.submitBatch(flow(new Random(i), 600, 1 + i * 600))
    await pool.close()
    expect(snapshots(dir).length).toBeGreaterThan(0)
    expect(snapshots(dir).length).toBeLessThanOrEqual(2)
    const again = await openPool({ dir, checkpointBytes: 0 })
    expect(again.instruments()).toHaveLength(2)
  })

  it('above the end of the log is refused: a part of the log is missing', async () => {
    const dir = temporaryDirectory()
    const pool = await openPool({ dir })
    await pool.submitBatch(flow(new Random(1), 100, 1))
    const { path: file, lsn } = await pool.checkpoint()
    await pool.close()
    for (const name of segments(dir)) {
      const content = readFileSync(path.join(dir, name))
      writeFileSync(path.join(dir, name), content.subarray(0, 4096))
    }
    await expect(EnginePool.open({ dir })).rejects.toMatchObject({
      code: 'TIDEMARK_LOG_CORRUPT',
      details: { file, lsn },
    })
  })
})
