import * as path from 'node:path'
import { Worker } from 'node:worker_threads'
import { drive } from '../../../dist/src/cli/bench/drive.js'
import { CommandTape } from '../../../dist/src/cli/bench/tape.js'
import { loadPlainjob, openPlainjob } from '../plainjob.mjs'

/** Durable records a second from a thread with a producer of its own, and from the event loop in batches. */
export async function records({ dir, build, load, payloadBytes, count }) {
  const { DurableLog } = await load('dist/src/log/index.js')
  const log = await DurableLog.open({ dir })
  const workerData = { kind: 'log', payloadBytes, build, ...log.producerHandle() }
  const worker = new Worker(new URL('../bare-record-writer.mjs', import.meta.url), { workerData })
  const answer = () =>
    new Promise((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
    })
  await answer()
  const write = async (number) => {
    const written = answer()
    worker.postMessage({ records: number })
    await log.waitDurable(await written)
  }
  const timed = async (run) => {
    await run(Math.round(count / 5))
    const startMs = performance.now()
    await run(count)
    return ((performance.now() - startMs) * 1e6) / count
  }
  const byThread = await timed(write)
  await worker.terminate()
  const batch = new Array(1000).fill(new Uint8Array(payloadBytes))
  const lagBytes = 8 * 1024 * 1024
  const byBatches = await timed(async (number) => {
    let lsn = 0
    for (let written = 0; written < number; written += batch.length) {
      if (lsn - log.durableLsn > lagBytes) await log.waitDurable(lsn - lagBytes / 2)
      lsn = log.appendBatch(batch)
    }
    await log.waitDurable(lsn)
  })
  await log.close()
  return { 'a thread of its own: ns': byThread, 'appendBatch of 1,000: ns': byBatches }
}

const payloadOf = (n) => ({ n, to: 'someone@example.org', text: 'x'.repeat(100) })
const payloads = (from, count) => Array.from({ length: count }, (_, i) => payloadOf(from + i))

/** A caller that awaits each job, and one that awaits batches. */
async function enqueueing({ single, batched, batch }, one, many) {
  const timed = async (count, step, run) => {
    for (let n = 0; n < Math.max(step, count / 5); n += step) await run(n)
    const startMs = performance.now()
    for (let n = 0; n < count; n += step) await run(n)
    return ((performance.now() - startMs) * 1e6) / count
  }
  return {
    'awaiting each: ns': await timed(single, 1, (n) => one(payloadOf(n))),
    [`batches of ${batch}: ns`]: await timed(batched, batch, (n) => many(payloads(n, batch))),
  }
}

export async function jobs({ dir, load, ...counts }) {
  const { JobController } = await load('dist/src/jobs/index.js')
  const queue = await JobController.open({ dir })
  const many = (all) => queue.enqueueMany(all.map((payload) => ({ payload })))
  const times = await enqueueing(counts, (payload) => queue.enqueue({ payload }), many)
  await queue.close()
  return times
}

export async function plainjob({ dir, ...counts }) {
  const queue = openPlainjob(dir, await loadPlainjob())
  const many = (all) => queue.addMany('job', all)
  const times = await enqueueing(counts, (payload) => queue.add('job', payload), many)
  queue.close()
  return times
}

/** Opening by replay, and from the snapshot of a checkpoint. */
export async function opening({ dir, load, commands }) {
  const { EnginePool } = await load('dist/src/index.js')
  const tape = new CommandTape({ commands, symbols: 8 })
  const options = { dir, checkpointBytes: 0 }
  const pool = await EnginePool.open({ ...options, instruments: tape.instruments })
  const part = { handover: 'batch', perBatch: 1000, window: 65_536, timeMs: Number.POSITIVE_INFINITY }
  await drive(pool, tape, { ...part, from: 0, to: commands })
  await pool.close()
  const openMs = async () => {
    const startMs = performance.now()
    const opened = await EnginePool.open(options)
    return [performance.now() - startMs, opened]
  }
  const [replayMs, replayed] = await openMs()
  await replayed.checkpoint()
  await replayed.close()
  const [snapshotMs, opened] = await openMs()
  await opened.close()
  return { 'no snapshot ms': replayMs, 'snapshot ms': snapshotMs }
}

/** The book alone, each workload of bench/book.mjs, the best of three passes. */
export async function book({ build, load, commands }) {
  const { TidemarkBook } = await load('bench/lib/book-engines.mjs')
  const { generatedWorkloads, normalWorkload } = await load('bench/lib/book-workloads.mjs')
  const normal = normalWorkload()
  if (normal) normal.length = Math.min(normal.length, commands)
  const results = {}
  for (const messages of [...(normal ? [normal] : []), ...generatedWorkloads(Math.round(commands / 2))]) {
    let best = Number.POSITIVE_INFINITY
    for (let pass = 0; pass < 3; pass++) {
      const engine = new TidemarkBook(messages)
      engine.apply(0, messages.setUp)
      const startMs = performance.now()
      engine.apply(messages.setUp, messages.length)
      best = Math.min(best, ((performance.now() - startMs) * 1e6) / (messages.length - messages.setUp))
    }
    results[`${messages.name} ns`] = best
  }
  if (Object.keys(results).length === 0) throw new Error(`no workloads in ${path.resolve(build)}`)
  return results
}
