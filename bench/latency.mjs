// Acknowledgement latency under arrivals at a fixed rate, from the moment at which a command should have arrived, beside
// a bare group commit of the same bytes under the same arrivals, and beside a raw write + fdatasync of what one flush
// wrote. And a single caller that awaits each command, beside raw write + fdatasync and three thread wake-ups.
//
//   npm run bench:latency -- [--quick] [--rounds N] [--dir FOLDER] [--rates 50000,100000] [--seconds S]
//
// TIDEMARK_SHARDS, TIDEMARK_PRESET, TIDEMARK_BATCH_SIZE and TIDEMARK_BATCH_DELAY_MS are the pool's own.
import * as path from 'node:path'
import { runArrivals } from '../dist/src/cli/bench/arrivals.js'
import { rawDisk, ZeroedFile } from '../dist/src/cli/bench/disk.js'
import { drive } from '../dist/src/cli/bench/drive.js'
import { CommandTape } from '../dist/src/cli/bench/tape.js'
import { LatencyRecorder } from '../dist/src/cli/latency.js'
import { bytes, count, duration } from '../dist/src/cli/number-format.js'
import { EnginePool } from '../dist/src/index.js'
import { BareCommitter } from './lib/bare-committer.mjs'
import { collectGarbage } from './lib/collected.mjs'
import { relayLatency } from './lib/relay.mjs'
import { Report } from './lib/report.mjs'
import { interleaved, ratioOf, spread, spreadOf } from './lib/rounds.mjs'
import { filled, inFolder, readSettings } from './lib/settings.mjs'

const settings = readSettings({ rates: '', seconds: '' })
const { pick, flags } = settings
const rates = flags.rates
  ? flags.rates.split(',').map(Number)
  : pick([20_000, 50_000], [50_000, 200_000], [50_000, 100_000, 200_000, 500_000, 1_000_000])
const seconds = Number(flags.seconds || pick(0.2, 1.5, 3))
/** Arrivals at the same rate before the clock starts. */
const warmSeconds = pick(0.1, 0.5, 1)
const singleTimes = pick(100, 1000, 4000)
const maxInFlight = 1_048_576
const warmCommands = pick(20_000, 100_000, 200_000)
const bareFileBytes = 128 * 1024 * 1024
const quantiles = ['p50Ms', 'p99Ms', 'p999Ms', 'maxMs']

const most = Math.round(Math.max(...rates) * (seconds + warmSeconds))
const tape = new CommandTape({ commands: warmCommands + Math.max(most, singleTimes), symbols: 8 })
/** Promises of their own are measured up to this rate. */
const submitRateMax = 200_000
/** For the warm-up and the single caller; those of arrivals are made in their runs, and make no other's heap large. */
const objects = tape.objects(0, warmCommands + singleTimes)

async function withPool(use) {
  return inFolder(settings.dir, async (dir) => {
    const pool = await EnginePool.open({ dir, instruments: tape.instruments, maxInFlight })
    const warm = { from: 0, timeMs: 5000, objects }
    await drive(pool, tape, {
      ...warm,
      to: warmCommands / 2,
      handover: 'batch',
      perBatch: 100,
      window: 10_000,
    })
    const submitted = { ...warm, from: warmCommands / 2, to: warmCommands }
    await drive(pool, tape, { ...submitted, handover: 'submit', perBatch: 1, window: 10_000 })
    await filled(dir)
    try {
      return await use(pool)
    } finally {
      await pool.close()
    }
  })
}

/** Bytes of log a command and a flush, as the last run of the pool had them: what is put beside it writes as many. */
const seen = { commandBytes: 112, flushBytes: 4096 }

function poolArrivals(ratePerSecond, handover) {
  return withPool(async (pool) => {
    const batch = pool.batch()
    const batchMax = handover === 'submit' ? 1 : maxInFlight
    const all = Math.round(ratePerSecond * warmSeconds) + Math.round(ratePerSecond * seconds)
    const arriving = handover === 'submit' ? tape.objects(warmCommands, warmCommands + all) : []
    const how = { ratePerSecond, window: maxInFlight, batchMax, beforeClock: collectGarbage }
    const arrive = (arrivals, first) =>
      runArrivals({ ...how, arrivals }, (from, to) => {
        if (handover === 'submit') return pool.submit(arriving[first - warmCommands + from])
        tape.play(batch, first + from, first + to)
        const acknowledged = pool.submitBatch(batch)
        batch.clear()
        return acknowledged
      })
    const warm = await arrive(Math.round(ratePerSecond * warmSeconds), warmCommands)
    const before = pool.stats().log
    const result = await arrive(Math.round(ratePerSecond * seconds), warmCommands + warm.arrivals)
    const after = pool.stats().log
    seen.commandBytes = Math.round((after.bytes - before.bytes) / result.arrivals / 8) * 8
    seen.flushBytes = Math.max(
      64,
      Math.round((after.bytes - before.bytes) / (after.flushes - before.flushes)),
    )
    return { ...result, ...seen }
  })
}

function bareArrivals(ratePerSecond) {
  return inFolder(settings.dir, async (dir) => {
    const file = path.join(dir, 'bare.tmp')
    new ZeroedFile(file, bareFileBytes).close()
    const bare = await BareCommitter.start(file, bareFileBytes, 64 * 1024 * 1024)
    const record = new Uint8Array(seen.commandBytes).fill(0x5a)
    const handOver = (from, to) => bare.append(record, to - from)
    const window = Math.floor((32 * 1024 * 1024) / record.length)
    const how = { ratePerSecond, window, beforeClock: collectGarbage }
    await runArrivals({ ...how, arrivals: Math.round(ratePerSecond * warmSeconds) }, handOver)
    const result = await runArrivals({ ...how, arrivals: Math.round(ratePerSecond * seconds) }, handOver)
    await bare.close()
    return result
  })
}

function raw() {
  return inFolder(settings.dir, (dir) => rawDisk(dir, seen.flushBytes, Math.min(1000, seconds * 500)))
}

const report = new Report('latency', 'Latency: from the intended arrival until on disk', settings)
const lines = { batch: [], bare: [], raw: [] }
for (const ratePerSecond of rates) if (!(await openLoop(ratePerSecond))) break
report.table(
  'Medians over the rate',
  ['arrivals/s', 'pool p50', 'pool p99', 'bare p50', 'bare p99', 'raw p50', 'raw p99'],
  lines.batch.map((line, at) => [
    count(line.ratePerSecond),
    ...[line, lines.bare[at], lines.raw[at]].flatMap(({ p50Ms, p99Ms }) => [
      duration(p50Ms),
      duration(p99Ms),
    ]),
  ]),
  {
    charts: [
      {
        kind: 'lines',
        title: 'Latency over the rate of arrivals, medians of the rounds',
        x: 'arrivals a second',
        y: 'microseconds',
        series: Object.entries({
          pool: lines.batch,
          'bare group commit': lines.bare,
          'raw write + sync': lines.raw,
        }).flatMap(([name, line]) =>
          ['p50Ms', 'p99Ms'].map((quantile) => ({
            name: `${name} ${quantile.slice(0, 3)}`,
            points: line.map((point) => [point.ratePerSecond, point[quantile] * 1000]),
          })),
        ),
      },
    ],
  },
)
await singleCaller()
report.finish()

async function openLoop(ratePerSecond) {
  const contenders = {
    'pool, submitBatch of what is due': () => poolArrivals(ratePerSecond, 'batch'),
    'bare group commit, same bytes': () => bareArrivals(ratePerSecond),
    'raw write + fdatasync of one flush': raw,
  }
  if (ratePerSecond <= submitRateMax) {
    contenders['pool, submit each'] = () => poolArrivals(ratePerSecond, 'submit')
  }
  const results = await interleaved(settings.rounds, contenders)
  const rows = Object.entries(results).map(([name, rounds]) => {
    const kept = rounds.every((result) => result.kept !== false)
    const medians = quantiles.map((quantile) => spreadOf(rounds, ({ latency }) => latency[quantile]).median)
    const p50 = spreadOf(rounds, ({ latency }) => latency.p50Ms)
    return [
      name,
      ...medians.map(duration),
      `${duration(p50.min)} to ${duration(p50.max)}`,
      'kept' in rounds[0] ? (kept ? 'kept' : 'NOT kept') : '',
    ]
  })
  report.table(
    `${count(ratePerSecond)} arrivals a second`,
    ['', 'p50', 'p99', 'p99.9', 'max', 'p50 of the rounds', 'rate'],
    rows,
    {
      note: `${seen.commandBytes} bytes a command; a flush of the pool wrote ${bytes(seen.flushBytes)}.`,
      data: results,
    },
  )
  const [batch, bare, rawResults] = Object.values(results)
  const medianLine = (rounds) =>
    Object.fromEntries(quantiles.map((q) => [q, spreadOf(rounds, ({ latency }) => latency[q]).median]))
  lines.batch.push({ ratePerSecond, ...medianLine(batch) })
  lines.bare.push({ ratePerSecond, ...medianLine(bare) })
  lines.raw.push({ ratePerSecond, ...medianLine(rawResults) })
  if (ratePerSecond === 200_000) {
    for (const [quantile, bareMost, rawMost] of [
      ['p50Ms', 1.5, 3],
      ['p99Ms', 2, 5],
    ]) {
      const of = ({ latency }) => latency[quantile]
      const name = quantile.slice(0, 3)
      report.goal(`200,000/s: ${name} over the bare group commit`, ratioOf(batch, bare, of).median, {
        atMost: bareMost,
      })
      report.goal(`200,000/s: ${name} over raw write + fdatasync`, ratioOf(batch, rawResults, of).median, {
        atMost: rawMost,
      })
    }
  }
  return batch.every(({ kept }) => kept)
}

async function singleCaller() {
  const single = () =>
    withPool(async (pool) => {
      const latency = new LatencyRecorder()
      for (let i = 0; i < singleTimes; i++) {
        const startMs = performance.now()
        await pool.submit(objects[warmCommands + i])
        latency.record(performance.now() - startMs)
      }
      return latency.summary()
    })
  const rawMs = pick(50, 500, 1000)
  const results = await interleaved(settings.rounds, {
    'pool, await submit': single,
    'raw write + fdatasync, 128 bytes': () =>
      inFolder(settings.dir, (dir) => rawDisk(dir, 128, rawMs).latency),
    'three thread wake-ups': () => relayLatency(singleTimes),
  })
  const rows = Object.entries(results).map(([name, rounds]) => [
    name,
    ...quantiles.map((quantile) => duration(spreadOf(rounds, (latency) => latency[quantile]).median)),
  ])
  report.table('One caller that awaits each command', ['', 'p50', 'p99', 'p99.9', 'max'], rows, {
    data: results,
  })
  const [pool, rawRounds, relay] = Object.values(results)
  const ratios = pool.map(({ p50Ms }, round) => p50Ms / (rawRounds[round].p50Ms + relay[round].p50Ms))
  report.goal('one awaiting caller: p50 over raw write + fdatasync + three wake-ups', spread(ratios).median, {
    atMost: 1.5,
  })
}
