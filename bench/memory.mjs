// Memory of a process with a pool: at rest, and while it takes so many orders; and every garbage collection of all its
// threads, as V8's --trace-gc reports them.
//
//   npm run bench:memory -- [--quick] [--dir FOLDER] [--orders 100000000]
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { bytes, count, duration } from '../dist/src/cli/number-format.js'
import { figure, Report } from './lib/report.mjs'
import { progress } from './lib/rounds.mjs'
import { inFolder, readSettings, whole } from './lib/settings.mjs'

const settings = readSettings({ orders: '', symbols: '8', shards: '1' })
const { pick, flags } = settings
const orders = whole('orders', flags.orders || pick('100000', '2000000', '10000000'))

/** "[123:0x5a…:1] 45 ms: Scavenge 12.3 (15.6) -> 10.1 (16.6) MB, pooled: 0 MB, 1.23 / 0.00 ms  (average …" */
const collection =
  /^\[\d+:(0x[0-9a-f]+)(?::\d+)?\]\s+\d+ ms: (.+?) [\d.]+ \([\d.]+\) -> ([\d.]+) \([\d.]+\) MB,.*? ([\d.]+) \/ [\d.]+ ms/

/** Runs the process and gathers what it samples and collects. */
async function run(dir) {
  const child = spawn(
    process.execPath,
    [
      '--trace-gc',
      '--expose-gc',
      new URL('./lib/memory-child.mjs', import.meta.url).pathname,
      dir,
      String(orders),
      flags.symbols,
      flags.shards,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const samples = []
  const collections = []
  for await (const line of createInterface({ input: child.stdout })) {
    const [, thread, kind, afterMb, pauseMs] = collection.exec(line) ?? []
    if (thread) collections.push({ thread, kind, afterMb: Number(afterMb), pauseMs: Number(pauseMs) })
    else if (line.startsWith('{')) {
      samples.push(JSON.parse(line))
      progress(`${count(samples.at(-1).orders)} of ${count(orders)} orders`)
    }
  }
  progress('')
  if (samples.length === 0) throw new Error('The measured process ended without a sample.')
  return { samples, collections }
}

const report = new Report('memory', 'Memory: at rest and after many orders', settings)
const { samples, collections } = await inFolder(settings.dir, run)
const forced = (kind) => kind.includes('Mark-Compact')
report.table(
  'The process, threads included',
  ['orders', 'resident', 'heap used', 'old generation', 'array buffers and external', 'resting orders'],
  samples.map((sample) => [
    count(sample.orders),
    bytes(sample.rss),
    bytes(sample.heapUsed),
    bytes(sample.oldGeneration),
    bytes(sample.external),
    count(sample.resting),
  ]),
  {
    note: 'Heap figures are those of the caller’s thread, taken after a full collection; the process begins each sample with one.',
    data: samples,
    charts: [
      {
        kind: 'lines',
        title: 'Memory over orders taken',
        x: 'orders',
        y: 'MiB',
        series: ['rss', 'heapUsed', 'oldGeneration'].map((name) => ({
          name: { rss: 'resident', heapUsed: 'heap used', oldGeneration: 'old generation' }[name],
          points: samples.slice(1).map((sample) => [Math.max(1, sample.orders), sample[name] / 1048576]),
        })),
      },
    ],
  },
)
const kinds = [...new Set(collections.map(({ kind }) => kind))]
report.table(
  'Garbage collections of all threads',
  ['kind', 'times', 'threads', 'pause, mean', 'pause, longest', 'pauses in all'],
  kinds.map((kind) => {
    const all = collections.filter((one) => one.kind === kind)
    const pauses = all.map(({ pauseMs }) => pauseMs)
    const sum = pauses.reduce((total, pause) => total + pause, 0)
    return [
      kind,
      count(all.length),
      new Set(all.map(({ thread }) => thread)).size,
      duration(sum / all.length),
      duration(Math.max(...pauses)),
      duration(sum),
    ]
  }),
  {
    note: `Full collections are those of the ${samples.length} samples, and of V8’s own accord where there are more.`,
    data: collections.slice(0, 10_000),
  },
)
const settled = samples.find(({ orders: at }) => at >= orders * 0.2) ?? samples[0]
const growth = samples.at(-1).oldGeneration / settled.oldGeneration
report.goal('old generation at the end over that after a fifth of the orders', growth, { atMost: 1.1 })
process.stdout.write(
  `\n${figure((samples.at(-1).orders / samples.at(-1).elapsedMs) * 1000)} orders/s; ` +
    `${collections.filter(({ kind }) => forced(kind)).length} full collections\n`,
)
report.finish()
