import { LatencyRecorder } from '../../dist/src/cli/latency.js'

/** So many groups at least, however long they take. */
const groupsMin = 5

/** Writes groups of one size for a while, at most `store.ahead` of them under way. */
export async function writeGroups(store, count, forMs) {
  const latency = new LatencyRecorder()
  const startMs = performance.now()
  let groups = 0
  const one = async () => {
    const beforeMs = performance.now()
    await store.write(count)
    latency.record(performance.now() - beforeMs)
    groups++
  }
  const more = () =>
    (performance.now() - startMs < forMs || groups < groupsMin) &&
    (store.left === undefined || store.left >= count)
  const caller = async () => {
    while (more()) await one()
  }
  await Promise.all(Array.from({ length: store.ahead }, caller))
  const elapsedMs = performance.now() - startMs
  return { perSecond: ((groups * count) / elapsedMs) * 1000, p50Ms: latency.summary().p50Ms, groups }
}
