// One case of bench/compare.mjs in a process of its own, on the build that is named; prints one line of JSON: nanoseconds or
// milliseconds, less is better.
//
//   node bench/lib/compare-cases.mjs CASE BUILD FOLDER COMMANDS
import { mkdtempSync, rmSync } from 'node:fs'
import * as path from 'node:path'
import { pathToFileURL } from 'node:url'

const [name, build, parent, size] = process.argv.slice(2)
const commands = Number(size)
// The tape and its player are this build's for both, because another commit may keep its own elsewhere.
const file = (inside) => import(pathToFileURL(path.join(build, inside)).href)
const dir = mkdtempSync(path.join(parent, 'tidemark-compare-'))

/** Wall and processor time of all threads for one command, after a warm-up. */
async function throughput(handover, group, window) {
  const { EnginePool } = await file('dist/src/index.js')
  const { drive } = await import('../../dist/src/cli/bench/drive.js')
  const { CommandTape } = await import('../../dist/src/cli/bench/tape.js')
  const warm = Math.round(commands / 4)
  const tape = new CommandTape({ commands: warm + commands, symbols: 8 })
  const objects = handover === 'batch' ? undefined : tape.objects(0, warm + commands)
  const pool = await EnginePool.open({ dir, instruments: tape.instruments, checkpointBytes: 0 })
  const part = { handover, group, window, objects, timeMs: Number.POSITIVE_INFINITY }
  await drive(pool, tape, { ...part, from: 0, to: warm })
  const before = process.cpuUsage()
  const { elapsedMs } = await drive(pool, tape, { ...part, from: warm, to: warm + commands })
  const { user, system } = process.cpuUsage(before)
  await pool.close()
  return { 'wall ns': (elapsedMs * 1e6) / commands, 'processor ns': ((user + system) * 1000) / commands }
}

async function arrivals(ratePerSecond) {
  const { EnginePool } = await file('dist/src/index.js')
  const { runArrivals } = await import('../../dist/src/cli/bench/arrivals.js')
  const { CommandTape } = await import('../../dist/src/cli/bench/tape.js')
  const count = Math.min(commands, ratePerSecond * 4)
  const warm = Math.round(count / 3)
  const tape = new CommandTape({ commands: warm + count, symbols: 8 })
  const maxInFlight = 1_048_576
  const pool = await EnginePool.open({ dir, instruments: tape.instruments, checkpointBytes: 0, maxInFlight })
  const batch = pool.batch()
  const part = (first) => (from, to) => {
    tape.play(batch, first + from, first + to)
    const acknowledged = pool.submitBatch(batch)
    batch.clear()
    return acknowledged
  }
  await runArrivals({ ratePerSecond, arrivals: warm, window: maxInFlight }, part(0))
  const { latency } = await runArrivals({ ratePerSecond, arrivals: count, window: maxInFlight }, part(warm))
  await pool.close()
  return { 'p50 ms': latency.p50Ms, 'p99 ms': latency.p99Ms, 'p99.9 ms': latency.p999Ms }
}

const cases = {
  batch: () => throughput('batch', 1000, 65_536),
  submit: () => throughput('submit', 1, 10_000),
  objects: () => throughput('objects', 1000, 65_536),
  group10: () => throughput('batch', 10, 10),
  arrivals: () => arrivals(200_000),

  /** Opening by replay, and from the snapshot of a close. */
  async opening() {
    const { EnginePool } = await file('dist/src/index.js')
    const { drive } = await import('../../dist/src/cli/bench/drive.js')
    const { CommandTape } = await import('../../dist/src/cli/bench/tape.js')
    const tape = new CommandTape({ commands, symbols: 8 })
    const options = { dir, checkpointBytes: 0 }
    const pool = await EnginePool.open({ ...options, instruments: tape.instruments })
    const part = { handover: 'batch', group: 1000, window: 65_536, timeMs: Number.POSITIVE_INFINITY }
    await drive(pool, tape, { ...part, from: 0, to: commands })
    await pool.close()
    const openMs = async () => {
      const startMs = performance.now()
      const opened = await EnginePool.open(options)
      const elapsedMs = performance.now() - startMs
      return [elapsedMs, opened]
    }
    const [replayMs, replayed] = await openMs()
    await replayed.checkpoint()
    await replayed.close()
    const [snapshotMs, opened] = await openMs()
    await opened.close()
    return { 'replay ms': replayMs, 'snapshot ms': snapshotMs }
  },

  /** The book alone, each workload of bench/book.mjs, the best of three passes. */
  async book() {
    const { TidemarkBook } = await file('bench/lib/book-engines.mjs')
    const { generatedWorkloads, normalWorkload } = await file('bench/lib/book-workloads.mjs')
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
    return results
  },
}

try {
  process.stdout.write(`${JSON.stringify(await cases[name]())}\n`)
} finally {
  rmSync(dir, { recursive: true, force: true })
}
