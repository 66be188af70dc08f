// One case of bench/pauses.mjs in a process of its own, on the build that is named; prints one line of JSON.
//
//   node bench/lib/pause-cases.mjs CASE BUILD FOLDER SIZE
import { existsSync, mkdtempSync, openSync, readdirSync, readSync, rmSync, statSync } from 'node:fs'
import * as path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'

const [name, build, parent, size] = process.argv.slice(2)
const built = (file) => import(pathToFileURL(path.join(build, 'dist/src', file)).href)
const count = Number(size)
const dir = mkdtempSync(path.join(parent, 'tidemark-pauses-'))
const { EnginePool } = await built('index.js')

const schedstat = '/proc/thread-self/schedstat'

/** Milliseconds of processor time that this thread has had; NaN where the system doesn't say. */
const processorMs = existsSync(schedstat) ? threadProcessorMs(openSync(schedstat, 'r')) : () => Number.NaN

function threadProcessorMs(file) {
  const text = Buffer.alloc(128)
  return () => Number.parseInt(text.toString('latin1', 0, readSync(file, text, 0, text.length, 0)), 10) / 1e6
}

/**
 * The longest time for which the event loop was held, looked at from a timer of 1 ms; and the most processor time that
 * its thread used in such a time, which leaves out that other threads had its core.
 */
class LoopWatch {
  #last = performance.now()
  #lastProcessorMs = processorMs()
  #longestMs = 0
  #busiestMs = 0
  #timer = setInterval(() => this.#tick(), 1)

  #tick() {
    const nowMs = performance.now()
    const nowProcessorMs = processorMs()
    this.#longestMs = Math.max(this.#longestMs, nowMs - this.#last)
    this.#busiestMs = Math.max(this.#busiestMs, nowProcessorMs - this.#lastProcessorMs)
    this.#last = nowMs
    this.#lastProcessorMs = nowProcessorMs
  }

  /** The longest since the last call. */
  take() {
    return this.takeBoth().loopMs
  }

  /** The same, with the processor time. */
  takeBoth() {
    this.#tick()
    const both = { loopMs: this.#longestMs, loopProcessorMs: this.#busiestMs }
    this.#longestMs = 0
    this.#busiestMs = 0
    return both
  }

  stop() {
    clearInterval(this.#timer)
  }
}

/** The largest resident memory of this process, looked at every 5 ms. */
class MemoryWatch {
  #peak = process.memoryUsage.rss()
  #timer = setInterval(() => this.#tick(), 5)

  #tick() {
    this.#peak = Math.max(this.#peak, process.memoryUsage.rss())
  }

  stop() {
    clearInterval(this.#timer)
    this.#tick()
    return this.#peak
  }
}

/** Orders that come in at a fixed rate and never rest; latency is measured from the time at which each was due. */
class Trickle {
  #latencies = []
  #refused = 0
  #stopped = false

  constructor(pool, symbol, perMs, nextId) {
    const startMs = performance.now()
    let sent = 0
    const send = () => {
      if (this.#stopped) return
      for (const due = (performance.now() - startMs) * perMs; sent < due; sent++) {
        const dueMs = startMs + sent / perMs
        pool
          .submit({
            type: 'new',
            symbol,
            orderId: nextId(),
            account: 9,
            side: 'buy',
            orderType: 'limit',
            price: '1.00',
            quantity: '0.001',
            timeInForce: 'IOC',
          })
          .then(
            () => this.#latencies.push(performance.now() - dueMs),
            () => this.#refused++,
          )
      }
      setTimeout(send, 1)
    }
    send()
  }

  take() {
    const sorted = Float64Array.from(this.#latencies).sort()
    this.#latencies = []
    const at = (part) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
    return { p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1), count: sorted.length, refused: this.#refused }
  }

  stop() {
    this.#stopped = true
  }
}

const instruments = ['A', 'B'].map((symbol) => ({ symbol, tickSize: '0.01', lotSize: '0.001' }))

function ids(from) {
  let id = from
  return () => id++
}

async function timedMs(use) {
  const startMs = performance.now()
  const result = await use()
  return [performance.now() - startMs, result]
}

/** Rests so many orders in the first symbol, over 10,000 prices and 5,000 accounts. */
async function restOrders(pool, orders) {
  const batch = pool.batch()
  const { id } = pool.instrument('A')
  const pending = []
  for (let i = 0; i < orders; ) {
    batch.clear()
    for (let k = 0; k < 5000 && i < orders; k++, i++) {
      const sell = i & 1
      const away = (i * 7919) % 10_000
      batch.addNew(id, i + 1, i % 5000, sell, 0, 0, sell ? 20_001 + away : 20_000 - away, 1000 + (i % 100))
    }
    pending.push(pool.submitBatch(batch))
    if (pending.length > 4) await pending.shift()
  }
  await Promise.all(pending)
}

async function aroundCheckpoint(pool) {
  const nextId = ids(1e9)
  const loop = new LoopWatch()
  const same = new Trickle(pool, 'A', 1, nextId)
  const other = new Trickle(pool, 'B', 1, nextId)
  await sleep(1000)
  same.take()
  other.take()
  loop.take()
  await sleep(2000)
  const quiet = { same: same.take(), other: other.take(), loopMs: loop.take() }
  const rssBefore = process.memoryUsage.rss()
  const memory = new MemoryWatch()
  const [checkpointMs, report] = await timedMs(() => pool.checkpoint())
  const peak = memory.stop()
  await sleep(200)
  const beside = { same: same.take(), other: other.take(), loopMs: loop.take() }
  same.stop()
  other.stop()
  loop.stop()
  await sleep(100)
  const pauseMs = Math.max(...pool.stats().shards.map((shard) => shard.longestAnswerMs))
  return {
    quiet,
    beside,
    checkpointMs,
    snapshotBytes: report.bytes,
    pauseMs,
    memoryGrowth: peak / rssBefore - 1,
  }
}

const cases = {
  /** A checkpoint of a book with so many resting orders while orders come in, then opening from it and without it. */
  async checkpoint() {
    const options = { dir, shards: 2, checkpointBytes: 0 }
    const pool = await EnginePool.open({ ...options, instruments })
    await restOrders(pool, count)
    const result = await aroundCheckpoint(pool)
    await pool.checkpoint()
    const { symbols } = await pool.digest()
    await pool.close()
    const [openMs, fresh] = await timedMs(() => EnginePool.open(options))
    const same = JSON.stringify((await fresh.digest()).symbols) === JSON.stringify(symbols)
    await fresh.close()
    for (const file of readdirSync(dir)) if (file.endsWith('.snap')) rmSync(path.join(dir, file))
    const [replayMs, replayed] = await timedMs(() => EnginePool.open(options))
    await replayed.close()
    if (!same) throw new Error('the books differ after opening from the snapshot')
    return { ...result, openMs, replayMs }
  },

  /** The same with so many request ids, one an account, and no resting order. */
  async requests() {
    const pool = await EnginePool.open({ dir, shards: 2, checkpointBytes: 0, instruments })
    for (let i = 0; i < count; ) {
      const commands = []
      for (let k = 0; k < 5000 && i < count; k++, i++) {
        commands.push({ type: 'cancel', symbol: 'A', orderId: 1, account: i + 1, requestId: 1 })
      }
      await pool.submitBatch(commands)
    }
    const result = await aroundCheckpoint(pool)
    await pool.close()
    return result
  },

  /** A reader of the bare log beside two producers that never stop: the event loop must not be held by its backlog. */
  async tailer() {
    const { DurableLog } = await built('log/index.js')
    const log = await DurableLog.open({ dir, durability: 'unsafeNone' })
    const stop = new SharedArrayBuffer(4)
    const producers = [0, 1].map(
      () =>
        new Worker(new URL('./pause-producer.mjs', import.meta.url), {
          workerData: { log: path.join(build, 'dist/src/log/index.js'), handle: log.producerHandle(), stop },
        }),
    )
    const loop = new LoopWatch()
    await sleep(count)
    const without = loop.takeBoth()
    const reader = log.reader({ from: log.durableLsn })
    let bytes = 0
    const reading = (async () => {
      for (;;) {
        const chunk = await reader.nextChunk()
        if (!chunk) return
        bytes += chunk.endLsn - chunk.startLsn
      }
    })()
    await sleep(count)
    const held = loop.takeBoth()
    loop.stop()
    Atomics.store(new Int32Array(stop), 0, 1)
    await Promise.all(producers.map((worker) => new Promise((resolve) => worker.on('exit', resolve))))
    reader.stop()
    await reading
    await log.close()
    return { ...held, without, bytes }
  },

  /** What a subscriber that reads a backlog from the files does to the acknowledgements of orders. */
  async catchUp() {
    const pool = await EnginePool.open({ dir, shards: 2, instruments, segmentBytes: 8 * 1024 * 1024 })
    const batch = pool.batch()
    for (let i = 0; i < count; ) {
      batch.clear()
      for (let k = 0; k < 5000 && i < count; k++, i++) batch.addNew(0, i + 1, 1, 0, 0, 1, 100, 1)
      await pool.submitBatch(batch)
    }
    const loop = new LoopWatch()
    const trickle = new Trickle(pool, 'B', 10, ids(1e9))
    await sleep(1000)
    trickle.take()
    loop.take()
    await sleep(2000)
    const quiet = { ...trickle.take(), loopMs: loop.take() }
    let events = 0
    const [catchUpMs] = await timedMs(async () => {
      for await (const _ of pool.subscribe({ from: 0, to: pool.durableLsn })) events++
    })
    const beside = { ...trickle.take(), loopMs: loop.take() }
    trickle.stop()
    loop.stop()
    await sleep(100)
    await pool.close()
    return { quiet, beside, catchUpMs, events }
  },

  /** Removal of so many segments. */
  async removal() {
    const { DurableLog } = await built('log/index.js')
    const segmentBytes = 16 * 1024 * 1024
    const log = await DurableLog.open({ dir, segmentBytes })
    const payload = Buffer.alloc(200_000)
    let lsn = 0
    while (log.tailLsn < segmentBytes * (count + 1)) {
      for (let i = 0; i < 20; i++) lsn = log.append(payload)
      await log.waitDurable(lsn)
    }
    const segments = readdirSync(dir).filter((file) => /^\d{20}\.wal$/.test(file)).length
    const loop = new LoopWatch()
    await sleep(20)
    loop.take()
    await log.removeBefore(lsn)
    const loopMs = loop.take()
    loop.stop()
    await log.close()
    return { loopMs, segments }
  },

  /** A snapshot of so many live jobs. */
  async jobs() {
    const { JobController } = await built('jobs/index.js')
    const queue = await JobController.open({ dir, snapshotEveryEvents: 100_000_000 })
    for (let n = 0; n < count; ) {
      const jobs = []
      for (let k = 0; k < 10_000 && n < count; k++, n++) jobs.push({ id: `job-${n}`, payload: { n } })
      await queue.enqueueMany(jobs)
    }
    const loop = new LoopWatch()
    await sleep(50)
    loop.take()
    const [checkpointMs] = await timedMs(() => queue.checkpoint())
    await sleep(20)
    const loopMs = loop.take()
    loop.stop()
    await queue.close()
    const [openMs, again] = await timedMs(() => JobController.open({ dir }))
    await again.close()
    return { loopMs, checkpointMs, openMs }
  },

  /** What a refused command costs its caller beside an accepted one. */
  async refusals() {
    const pool = await EnginePool.open({ dir, instruments, maxInFlight: count })
    const nextId = ids(1)
    const command = () => ({
      type: 'new',
      symbol: 'A',
      orderId: nextId(),
      account: 1,
      side: 'buy',
      orderType: 'limit',
      price: '1.00',
      quantity: '1',
      timeInForce: 'IOC',
    })
    const rounds = []
    for (let round = 0; round < 6; round++) {
      let accepted = 0
      let refused = 0
      const promises = []
      const send = (commands) => {
        const startMs = performance.now()
        for (let i = 0; i < commands; i++) {
          promises.push(
            pool.submit(command()).then(
              () => accepted++,
              () => refused++,
            ),
          )
        }
        return ((performance.now() - startMs) * 1000) / commands
      }
      const acceptUs = send(count)
      const [settleMs, refuseUs] = await timedMs(async () => {
        const us = send(count)
        await Promise.all(promises)
        return us
      })
      if (accepted + refused !== 2 * count) throw new Error('commands were lost')
      if (round > 0 && refused > count / 2) rounds.push({ acceptUs, refuseUs, settleMs })
    }
    await pool.close()
    const mean = (of) => rounds.reduce((sum, round) => sum + of(round), 0) / rounds.length
    return { acceptUs: mean((round) => round.acceptUs), refuseUs: mean((round) => round.refuseUs) }
  },

  /** What so many questions at once do to the acknowledgements of orders. */
  async questions() {
    const pool = await EnginePool.open({ dir, shards: 2, instruments, checkpointBytes: 0 })
    await restOrders(pool, 50_000)
    const trickle = new Trickle(pool, 'B', 10, ids(1e9))
    await sleep(1000)
    trickle.take()
    await sleep(1000)
    const quiet = trickle.take()
    let answered = 0
    let refused = 0
    const asked = Array.from({ length: count }, (_, i) =>
      pool.depth(i & 1 ? 'A' : 'B', 1000).then(
        () => answered++,
        () => refused++,
      ),
    )
    await Promise.all(asked)
    const beside = trickle.take()
    trickle.stop()
    await sleep(100)
    await pool.close()
    return { quiet, beside, answered, refused }
  },
}

try {
  const result = await cases[name]()
  const files = readdirSync(dir).map((file) => statSync(path.join(dir, file)).size)
  process.stdout.write(`${JSON.stringify({ ...result, folderBytes: files.reduce((a, b) => a + b, 0) })}\n`)
} finally {
  rmSync(dir, { recursive: true, force: true })
}
