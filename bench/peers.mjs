// Durable batches of 100-byte records: tidemark, which matches orders and logs what came of them, beside stores that keep
// the records only. Every batch is synced before it counts. A store that can queue the next batch while one syncs does.
//
//   npm run bench:peers -- [--quick] [--rounds N] [--dir FOLDER] [--only NAME] [--batches 1,10]
//
// `--only` with a part of a name runs that store alone, to watch its system calls: docs/performance.md says how.
import { CommandTape } from '../dist/src/cli/bench/tape.js'
import { duration, rate } from '../dist/src/cli/number-format.js'
import { EnginePool } from '../dist/src/index.js'
import { DurableLog } from '../dist/src/log/index.js'
import { Report } from './lib/report.mjs'
import { interleaved, ratioOf, spread, spreadOf } from './lib/rounds.mjs'
import { filled, inFolder, readSettings } from './lib/settings.mjs'
import { writeBatches } from './lib/store-batches.mjs'
import { stores } from './lib/stores.mjs'

const settings = readSettings({ only: '', batches: '1,10,100,1000,10000' })
const { pick, flags } = settings
const batchSizes = flags.batches.split(',').map(Number)
const timeMs = pick(40, 150, 500)
const warmMs = pick(20, 800, 1500)
const warmSizes = [100, 1000]

const tape = new CommandTape({ commands: pick(400_000, 1_500_000, 5_000_000), symbols: 1 })
const named = Object.entries(stores(tape, { EnginePool, DurableLog })).filter(([name]) =>
  name.includes(flags.only),
)

const report = new Report('peers', 'Beside other stores: durable batches of 100-byte records', settings)
let batchesWritten = 0
/** One store in a new folder, warmed up until its code is compiled and its files are there, over all sizes of batches. */
const measure = (open) =>
  inFolder(settings.dir, async (dir) => {
    const store = await open(dir)
    const write = async (size, forMs) => {
      const result = await writeBatches(store, size, forMs)
      batchesWritten += result.batches
      return result
    }
    for (const size of warmSizes) await write(size, warmMs / warmSizes.length)
    await filled(dir)
    const bySize = {}
    for (const size of batchSizes) bySize[size] = await write(size, timeMs)
    await store.close()
    return bySize
  })
const contenders = Object.fromEntries(
  named.map(([name, open]) => [
    name,
    name.startsWith('tidemark') ? () => measure(open) : report.measuredIfThere(name, () => measure(open)),
  ]),
)
const rounds = await interleaved(settings.rounds, contenders)
for (const name of report.missing) delete rounds[name]
const all = named.filter(([name]) => name in rounds)
const measured = Object.fromEntries(
  batchSizes.map((size) => [
    size,
    Object.fromEntries(
      Object.entries(rounds).map(([name, results]) => [name, results.map((result) => result[size])]),
    ),
  ]),
)
const perSecond = (result) => result.perSecond
const cells = (name, cell) => batchSizes.map((size) => cell(measured[size][name]))
report.table(
  'Records a second, by records a batch',
  ['', ...batchSizes.map(String)],
  all.map(([name]) => [name, ...cells(name, (rounds) => rate(spreadOf(rounds, perSecond).median))]),
  {
    note: 'Medians. tidemark’s records are commands, matched, of 100 bytes or more with what they caused; everything else stores 100 bytes each.',
    data: measured,
    charts: [
      {
        kind: 'lines',
        title: 'Records a second over records a batch, medians and spread',
        x: 'records a batch',
        y: 'records a second',
        series: all.map(([name]) => ({
          name,
          points: batchSizes.map((size) => {
            const { median, min, max } = spreadOf(measured[size][name], perSecond)
            return [size, median, min, max]
          }),
        })),
      },
    ],
  },
)
report.table(
  'Smallest and largest round',
  ['', ...batchSizes.map(String)],
  all.map(([name]) => [
    name,
    ...cells(name, (rounds) => {
      const { min, max } = spreadOf(rounds, perSecond)
      return `${rate(min)} to ${rate(max)}`
    }),
  ]),
)
report.table(
  'Until a batch is durable, p50',
  ['', ...batchSizes.map(String)],
  all.map(([name]) => [
    name,
    ...cells(name, (rounds) => duration(spreadOf(rounds, (one) => one.p50Ms).median)),
  ]),
  { note: 'Where the next batch is queued while one syncs, its time in the queue counts.' },
)
if (flags.only === '') goals()
else process.stdout.write(`\n${batchesWritten} batches were made durable.\n`)
report.finish()

function goals() {
  const own = 'tidemark pool, matched'
  const raw = 'raw write + fdatasync, zeroed file'
  const peers = all.map(([name]) => name).filter((name) => !name.startsWith('tidemark') && name !== raw)
  const databases = peers.filter((name) => !name.startsWith('append'))
  /** Round by round, so that what drifts cancels out. */
  const overBest = (size, names) =>
    spread(
      measured[size][own].map(
        (result, round) =>
          result.perSecond / Math.max(...names.map((name) => measured[size][name][round].perSecond)),
      ),
    ).median
  for (const [size, atLeast] of [
    [10, 1],
    [100, 1],
    [1000, 3],
    [10_000, 2],
  ]) {
    if (!measured[size]) continue
    const [who, names] = size > 100 ? ['database', databases] : ['peer', peers]
    report.goal(`batches of ${size}: over the best ${who}`, overBest(size, names), { atLeast })
    if (size > 100) continue
    const ratio = ratioOf(measured[size][own], measured[size][raw], perSecond).median
    report.goal(`batches of ${size}: over raw write + fdatasync, zeroed file`, ratio, { atLeast: 0.85 })
  }
}
