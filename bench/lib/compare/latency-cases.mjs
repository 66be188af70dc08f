import * as path from 'node:path'
import { PerformanceObserver } from 'node:perf_hooks'
import { runArrivals } from '../../../dist/src/cli/bench/arrivals.js'
import { ZeroedFile } from '../../../dist/src/cli/bench/disk.js'
import { drive } from '../../../dist/src/cli/bench/drive.js'
import { CommandTape } from '../../../dist/src/cli/bench/tape.js'
import { BareCommitter } from '../bare-committer.mjs'
import { closedLoop, rawWrites } from '../closed-loop.mjs'
import { collectGarbage } from '../collected.mjs'
import { filled } from '../settings.mjs'

const symbols = 8
const maxInFlight = 1_048_576
const bareRingBytes = 64 * 1024 * 1024
const bareFileBytes = 128 * 1024 * 1024

/** A pool whose code is compiled and whose next segment is there. */
async function warmPool({ dir, load }, tape, warm, options = {}) {
  const { EnginePool } = await load('dist/src/index.js')
  const { instruments } = tape
  const pool = await EnginePool.open({ dir, instruments, maxInFlight, checkpointBytes: 0, ...options })
  const part = { handover: 'batch', perBatch: 100, window: 10_000, timeMs: Number.POSITIVE_INFINITY }
  await drive(pool, tape, { ...part, from: 0, to: warm })
  await filled(dir)
  return pool
}

/** Arrivals at a fixed rate, handed over as a `CommandBatch` of what is due. */
function arrive(pool, tape, ratePerSecond, first, count) {
  const batch = pool.batch()
  const handOver = (from, to) => {
    tape.play(batch, first + from, first + to)
    const acknowledged = pool.submitBatch(batch)
    batch.clear()
    return acknowledged
  }
  return watched({ ratePerSecond, arrivals: count, window: maxInFlight }, handOver)
}

/** Arrivals whose caller's garbage is collected before the clock starts; says also how long its longest collection took then. */
async function watched(how, handOver) {
  let longestCollectionMs = 0
  let sinceMs = 0
  const observer = new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries())
      if (startTime >= sinceMs) longestCollectionMs = Math.max(longestCollectionMs, duration)
  })
  observer.observe({ entryTypes: ['gc'] })
  const beforeClock = () => {
    collectGarbage()
    sinceMs = performance.now()
  }
  const result = await runArrivals({ ...how, beforeClock }, handOver)
  // What was collected in this turn is reported in the next.
  await new Promise(setImmediate)
  observer.disconnect()
  return { ...result, longestCollectionMs }
}

const shown = ({ latency, longestTurnMs, longestCollectionMs }) => ({
  'p50 ms': latency.p50Ms,
  'p99 ms': latency.p99Ms,
  'p99.9 ms': latency.p999Ms,
  'longest ms': latency.maxMs,
  'longest turn of the caller ms': longestTurnMs,
  'longest collection of the caller ms': longestCollectionMs,
})

export async function arrivals({ ratePerSecond, seconds, warm, ...where }) {
  const count = Math.round(ratePerSecond * seconds)
  const warmArrivals = Math.round(count / 3)
  const tape = new CommandTape({ commands: warm + warmArrivals + count, symbols })
  const pool = await warmPool(where, tape, warm)
  await arrive(pool, tape, ratePerSecond, warm, warmArrivals)
  const before = pool.stats().log
  const result = await arrive(pool, tape, ratePerSecond, warm + warmArrivals, count)
  const { bytes, rotations, tailerDetached, flushLatency } = pool.stats().log
  await pool.close()
  return {
    ...shown(result),
    'flushes p99.9 ms': flushLatency?.p999Ms ?? 0,
    rotations: rotations - before.rotations,
    'reader went over to the files': (tailerDetached ?? 0) - (before.tailerDetached ?? 0),
    'log bytes': (bytes - before.bytes) / result.arrivals,
  }
}

/** The same arrivals for a bare group commit, with so many bytes a command. */
export async function bareArrivals({ dir, ratePerSecond, seconds, commandBytes }) {
  const file = path.join(dir, 'bare.tmp')
  new ZeroedFile(file, bareFileBytes).close()
  const bare = await BareCommitter.start(file, bareFileBytes, bareRingBytes)
  const record = new Uint8Array(commandBytes)
  const append = (from, to) => bare.append(record, to - from)
  const count = Math.round(ratePerSecond * seconds)
  const window = Math.floor(bareRingBytes / commandBytes / 2)
  await runArrivals({ ratePerSecond, arrivals: Math.round(count / 3), window }, append)
  const result = await watched({ ratePerSecond, arrivals: count, window }, append)
  await bare.close()
  return shown(result)
}

/**
 * Callers that each keep so many commands under way; then raw write + fdatasync, one after the other, of as many bytes as one
 * flush had.
 */
export async function closed({ commands, callers, inFlight, warm, ...where }) {
  const tape = new CommandTape({ commands: warm + commands, symbols })
  const objects = tape.objects(0, warm + commands)
  const half = Math.round(warm / 2)
  const pool = await warmPool(where, tape, half)
  const loop = (from, to) => closedLoop(pool, objects, { from, to, inFlight: callers * inFlight })
  await loop(half, warm)
  const { latency, elapsedMs, flushBytes } = await loop(warm, warm + commands)
  await pool.close()
  return {
    'wall ns': (elapsedMs * 1e6) / commands,
    ...latency.summary(),
    ...rawWrites(where.dir, flushBytes, elapsedMs).summary('raw write + fdatasync '),
    'bytes a flush': flushBytes,
  }
}

/** Arrivals beside so many rotations and checkpoints, which are spread over the time. */
export async function rotations({ ratePerSecond, seconds, warm, wanted, checkpoints, ...where }) {
  const count = Math.round(ratePerSecond * seconds)
  const tape = new CommandTape({ commands: warm + count, symbols })
  const commandBytes = await bytesACommand(where, tape, warm)
  const logBytes = wanted === 0 ? (warm + count) * commandBytes * 2 : (count * commandBytes) / wanted
  const segmentBytes = Math.ceil(logBytes / 4096) * 4096
  const pool = await warmPool(where, tape, warm, { segmentBytes, keepSnapshots: 1, keepLogBytes: 0 })
  await pool.checkpoint()
  await filled(where.dir)
  const before = pool.stats().log.rotations
  let begun = 0
  let taken = 0
  const everyMs = (seconds * 1000) / (checkpoints + 0.5)
  const timer = setInterval(() => {
    if (begun++ < checkpoints) pool.checkpoint().then(() => taken++)
  }, everyMs)
  const result = await arrive(pool, tape, ratePerSecond, warm, count)
  clearInterval(timer)
  const made = pool.stats().log.rotations - before
  await pool.close()
  return { ...shown(result), rotations: made, checkpoints: taken }
}

/** What a command of the flow takes in the log of this build. */
async function bytesACommand({ dir, load }, tape, commands) {
  const { EnginePool } = await load('dist/src/index.js')
  const pool = await EnginePool.open({ dir: path.join(dir, 'measured'), instruments: tape.instruments })
  const part = { handover: 'batch', perBatch: 100, window: 10_000, timeMs: Number.POSITIVE_INFINITY }
  const { logBytes } = await drive(pool, tape, { ...part, from: 0, to: commands })
  await pool.close()
  return logBytes / commands
}
