import { LatencyRecorder } from '../../dist/src/cli/latency.js'

/** So many batches at least, however long they take. */
const batchesMin = 5

/** Writes batches of one size for a while, at most `store.ahead` of them under way. */
export async function writeBatches(store, count, forMs) {
  const latency = new LatencyRecorder()
  const startMs = performance.now()
  let batches = 0
  const one = async () => {
    const beforeMs = performance.now()
    await store.write(count)
    latency.record(performance.now() - beforeMs)
    batches++
  }
  const more = () =>
    (performance.now() - startMs < forMs || batches < batchesMin) &&
    (store.left === undefined || store.left >= count)
  const caller = async () => {
    while (more()) await one()
  }
  await Promise.all(Array.from({ length: store.ahead }, caller))
  const elapsedMs = performance.now() - startMs
  return { perSecond: ((batches * count) / elapsedMs) * 1000, p50Ms: latency.summary().p50Ms, batches }
}
