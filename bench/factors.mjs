/**
 * What factors cost: nanoseconds an update for each operator, ticks a second through an engine, durable values a second
 * with latencies, recovery, memory, and the error that is left after ten million ticks. One JSON object with all
 * figures is printed last. `--quick` runs a hundredth of it.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import * as path from 'node:path'
import { createHistogram } from 'node:perf_hooks'
import {
  AverageTrueRange,
  BollingerBands,
  Delay,
  Difference,
  DoubleExponentialAverage,
  DurableFactorEngine,
  ExponentialAverage,
  FactorConsumer,
  FactorEngine,
  FactorPersister,
  factorContentVersion,
  factorsLogKind,
  Macd,
  RelativeStrength,
  Return,
  RollingCorrelation,
  RollingCount,
  RollingCovariance,
  RollingDeviation,
  RollingKurtosis,
  RollingMax,
  RollingMean,
  RollingMin,
  RollingSkewness,
  RollingSum,
  RollingVariance,
  Vwap,
  ZScore,
} from '../dist/src/factors/index.js'
import { DurableLog } from '../dist/src/log/index.js'

const quick = process.argv.includes('--quick')
const scale = quick ? 0.01 : 1
const figures = { node: process.version, quick }

function say(label, text) {
  process.stdout.write(`${label.padEnd(46)} ${text}\n`)
}

function whole(value) {
  return Math.round(value).toLocaleString('en-US')
}

const prices = Float64Array.from(
  { length: 4096 },
  (_, i) => 100 + Math.sin(i / 40) + ((i * 7919) % 101) / 101,
)

/** The ten usual factors: 16 values, because MACD has three and the bands have five. */
const usual = {
  ma5: 'mean(last, 5)',
  ma20: 'mean(last, 20)',
  ema12: 'ema(last, 12)',
  ema26: 'ema(last, 26)',
  std20: 'std(last, 20)',
  rsi14: 'rsi(last, 14)',
  macd: 'macd(last, 12, 26, 9)',
  bands: 'bollinger(last, 20, 2)',
  high20: 'max(last, 20)',
  vwap: 'vwap()',
}

const operators = [
  ['sum(20)', new RollingSum(20)],
  ['count(20)', new RollingCount(20)],
  ['mean(20)', new RollingMean(20)],
  ['mean(10000)', new RollingMean(10_000)],
  ['min(20)', new RollingMin(20)],
  ['max(20)', new RollingMax(20)],
  ['variance(20)', new RollingVariance(20)],
  ['std(20)', new RollingDeviation(20)],
  ['skewness(20)', new RollingSkewness(20)],
  ['kurtosis(20)', new RollingKurtosis(20)],
  ['covariance(20)', new RollingCovariance(20)],
  ['correlation(20)', new RollingCorrelation(20)],
  ['zscore(20)', new ZScore(20)],
  ['delay(5)', new Delay(5)],
  ['diff(5)', new Difference(5)],
  ['return(5)', new Return(5)],
  ['ema(12)', new ExponentialAverage(12)],
  ['dema(12)', new DoubleExponentialAverage(12)],
  ['rsi(14)', new RelativeStrength(14)],
  ['macd(12, 26, 9)', new Macd()],
  ['bollinger(20, 2)', new BollingerBands(20)],
  ['atr(14)', new AverageTrueRange(14)],
  ['vwap()', new Vwap()],
  ['vwap(20)', new Vwap(20)],
]

function benchOperators() {
  const updates = 5_000_000 * scale
  const nanoseconds = {}
  for (const [name, operator] of operators) {
    const cells = operator.cells
    const run = (count) => {
      for (let i = 0; i < count; i++) {
        const price = prices[i & 4095]
        cells[operator.input0] = price
        if (operator.input1 < operator.at) cells[operator.input1] = price - 0.5
        if (operator.input2 < operator.at) cells[operator.input2] = price
        operator.step()
      }
    }
    run(updates / 10)
    const start = performance.now()
    run(updates)
    nanoseconds[name] = ((performance.now() - start) * 1e6) / updates
    say(`operator ${name}`, `${nanoseconds[name].toFixed(1)} ns an update`)
  }
  figures['operatorNs'] = nanoseconds
}

function tickAt(i, instrument) {
  return { instrument, timestamp: i, last: prices[i & 4095], volume: 1 + (i & 63) }
}

function benchEngine() {
  const engine = new FactorEngine()
  engine.registerAll('X', usual)
  const ticks = 2_000_000 * scale
  const run = (count) => {
    for (let i = 0; i < count; i++) engine.processTick(tickAt(i, 'X'))
  }
  run(ticks / 10)
  const start = performance.now()
  run(ticks)
  const perSecond = (ticks / (performance.now() - start)) * 1000
  say('engine, ten factors', `${whole(perSecond)} ticks/s`)
  figures['engineTicksPerSecond'] = perSecond
}

function benchDrift() {
  const ticks = 10_000_000 * scale
  const period = 50
  const window = new Float64Array(period)
  const mean = new RollingMean(period)
  const deviation = new RollingDeviation(period)
  for (let i = 0; i < ticks; i++) {
    const x = prices[i & 4095] + (i % 100_003 === 0 ? 1e12 : 0)
    window[i % period] = x
    mean.update(x)
    deviation.update(x)
  }
  const exact = window.reduce((sum, x) => sum + x, 0) / period
  const spread = Math.sqrt(window.reduce((sum, x) => sum + (x - exact) ** 2, 0) / period)
  const errors = {
    mean: Math.abs(mean.value - exact) / exact,
    std: Math.abs(deviation.value - spread) / spread,
  }
  say(
    `relative error after ${whole(ticks)} ticks`,
    `mean ${errors.mean.toExponential(1)}, std ${errors.std.toExponential(1)}`,
  )
  figures['driftRelative'] = errors
}

function folder() {
  return mkdtempSync(path.join(tmpdir(), 'tidemark-bench-factors-'))
}

/** Ticks with ten factors; at most `window` of them not durable; the latency of one in 50. */
async function benchDurable(batchSize, groupCommit, window, ticks) {
  const dir = folder()
  const engine = await DurableFactorEngine.open({
    dir,
    batchSize,
    groupCommit,
    maxDelayMs: 10,
    snapshotEveryTicks: 0,
  })
  for (let i = 0; i < 10; i++) engine.registerAll(`I${i}`, usual)
  const names = Array.from({ length: 10 }, (_, i) => `I${i}`)
  const values = engine.instruments[0].factors.length
  const latency = createHistogram({ figures: 3 })
  const feed = async (from, to) => {
    let before = Promise.resolve()
    for (let at = from; at < to; ) {
      const end = Math.min(to, at + window / 2)
      let last = before
      for (; at < end; at++) {
        const tick = tickAt(at, names[at % 10])
        if (at % 50 === 0 || at === end - 1) {
          const start = performance.now()
          last = engine
            .persistTick(tick)
            .then(() => latency.record(Math.max(1, Math.round((performance.now() - start) * 1e6))))
        } else {
          engine.processTick(tick)
        }
      }
      await before
      before = last
    }
    await engine.flush()
  }
  await feed(0, ticks / 10)
  latency.reset()
  const start = performance.now()
  await feed(ticks / 10, ticks + ticks / 10)
  const seconds = (performance.now() - start) / 1000
  const result = {
    durableValuesPerSecond: (ticks * values) / seconds,
    ticksPerSecond: ticks / seconds,
    p50Ms: latency.percentile(50) / 1e6,
    p99Ms: latency.percentile(99) / 1e6,
  }
  await engine.close()
  rmSync(dir, { recursive: true })
  const label = `durable, batch ${batchSize}, ${groupCommit ? 'group commit' : 'no group commit'}`
  say(
    label,
    `${whole(result.durableValuesPerSecond)} values/s, p50 ${result.p50Ms.toFixed(2)} ms, p99 ${result.p99Ms.toFixed(2)} ms`,
  )
  figures[label] = result
}

async function benchRecovery() {
  const records = 1_000_000 * scale
  const vectors = folder()
  const log = await DurableLog.open({
    dir: vectors,
    kind: factorsLogKind,
    contentVersion: factorContentVersion,
  })
  const persister = new FactorPersister(log, { preset: 'highThroughput', capacity: 2_000_000 })
  const series = persister.series('X', ['a', 'b', 'c', 'd'])
  const row = new Float64Array(4)
  for (let i = 0; i < records; i++) persister.sendVector(series, row.fill(i), i)
  await persister.shutdown()
  await log.close()
  await timed(`recovery of ${whole(records)} vectors of four`, vectors)
  const ticks = folder()
  const engine = await DurableFactorEngine.open({
    dir: ticks,
    preset: 'highThroughput',
    snapshotEveryTicks: 0,
  })
  engine.registerAll('X', usual)
  for (let i = 0; i < records; i++) {
    if (engine.full) await engine.ready()
    engine.processTick(tickAt(i, 'X'))
  }
  await engine.flush()
  engine.log.poison(new Error('a crash, so that no snapshot is left'))
  await engine.close().catch(() => {})
  await timed(`recovery of ${whole(records)} ticks, ten factors recomputed`, ticks)
}

async function timed(label, dir) {
  const start = performance.now()
  const consumer = await FactorConsumer.open({ dir })
  const milliseconds = performance.now() - start
  await consumer.close()
  rmSync(dir, { recursive: true })
  say(label, `${milliseconds.toFixed(0)} ms (${whole(consumer.replayedEntries)} entries)`)
  figures[label] = milliseconds
}

async function benchMemory() {
  const dir = folder()
  const log = await DurableLog.open({ dir, kind: factorsLogKind, contentVersion: factorContentVersion })
  const persister = new FactorPersister(log, { batchSize: 2000, capacity: 10_000, maxDelayMs: 10_000 })
  const series = persister.series(
    'X',
    Array.from({ length: 10 }, (_, i) => `f${i}`),
  )
  const row = new Float64Array(10)
  await persister.flush()
  const before = persister.channel.bytes
  for (let i = 0; i < 100; i++) persister.sendVector(series, row, i)
  const batch = persister.channel.bytes - before
  for (let i = 100; i < 1000; i++) persister.sendVector(series, row, i)
  const queued = persister.channel.bytes - before
  say('memory, batch of 100 vectors of ten', `${whole(batch)} bytes`)
  say(
    'memory, 1,000 queued vectors of ten',
    `${whole(queued)} bytes, in a channel of ${whole(persister.stats().channelBytes)}`,
  )
  figures['memoryBytes'] = { batchOf100: batch, queued1000: queued, channel: persister.stats().channelBytes }
  await persister.shutdown()
  await log.close()
  rmSync(dir, { recursive: true })
}
benchOperators()
benchEngine()
benchDrift()
await benchDurable(10, false, 20, 100_000 * scale)
await benchDurable(100, true, 400, 1_000_000 * scale)
await benchDurable(1000, true, 16_000, 3_000_000 * scale)
await benchRecovery()
await benchMemory()
process.stdout.write(`${JSON.stringify(figures)}\n`)
