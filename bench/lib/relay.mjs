import { Worker } from 'node:worker_threads'
import { LatencyRecorder } from '../../dist/src/cli/latency.js'
import { word } from './bare-memory.mjs'

/**
 * Three thread wake-ups and nothing else: the caller wakes one thread, that one a second, and the second the caller's
 * event loop, as a command goes to the shard, to the flusher and back. Returns how long the round took.
 */
export async function relayLatency(times) {
  const memory = new SharedArrayBuffer(512)
  const control = new Int32Array(memory)
  const file = new URL('./relay-thread.mjs', import.meta.url)
  const workers = [
    [word.tail, word.middle],
    [word.middle, word.durable],
  ].map(([from, to]) => new Worker(file, { workerData: { memory, from, to } }))
  await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('message', resolve))))
  const latency = new LatencyRecorder()
  for (let round = 1; round <= times; round++) {
    const startMs = performance.now()
    const wait = Atomics.waitAsync(control, word.durable, round - 1)
    Atomics.store(control, word.tail, round)
    Atomics.notify(control, word.tail)
    if (wait.async) await wait.value
    latency.record(performance.now() - startMs)
  }
  Atomics.store(control, word.tail, -1)
  Atomics.notify(control, word.tail)
  await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('exit', resolve))))
  return latency.summary()
}
