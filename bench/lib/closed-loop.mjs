import * as path from 'node:path'
import { ZeroedFile } from '../../dist/src/cli/bench/disk.js'
import { Quantiles } from './quantiles.mjs'

/** Keeps so many commands under way: the next is handed over when one is acknowledged, a promise each. */
export async function closedLoop(pool, objects, { from, to, inFlight }) {
  const latency = new Quantiles()
  let next = from
  const slot = async () => {
    while (next < to) {
      const startMs = performance.now()
      await pool.submit(objects[next++])
      latency.record(performance.now() - startMs)
    }
  }
  const before = pool.stats().log
  const startMs = performance.now()
  await Promise.all(Array.from({ length: inFlight }, slot))
  const elapsedMs = performance.now() - startMs
  const after = pool.stats().log
  const flushBytes = Math.round((after.bytes - before.bytes) / (after.flushes - before.flushes))
  return { latency, elapsedMs, flushBytes }
}

/** Raw write + fdatasync of so many bytes into a file of zeros, one after the other. */
export function rawWrites(dir, bytes, forMs) {
  const file = new ZeroedFile(path.join(dir, 'raw.tmp'), Math.max(16 * 1024 * 1024, bytes * 4))
  const buffer = new Uint8Array(bytes).fill(0x5a)
  const latency = new Quantiles()
  const startMs = performance.now()
  for (let nowMs = startMs; nowMs - startMs < forMs; ) {
    file.writeDurably(buffer)
    const endMs = performance.now()
    latency.record(endMs - nowMs)
    nowMs = endMs
  }
  file.close()
  return latency
}
