// Throughput and latency over processors: 1, 2, 4 … up to what the machine has, by taskset, times 1, 2, 4 … shards, the caller
// in a thread of its own. Beside it the ideal: so many times what one processor does, and a raw write + fdatasync.
//
//   npm run bench:cores -- [--quick] [--short] [--rounds 9] [--dir FOLDER] [--shards 1,2] [--spin 0,50]
//
// --spin lists values of spinUs, which are compared; without it each pool decides by its processors, or by TIDEMARK_SPIN_US.
import { execFile, execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import * as path from 'node:path'
import { promisify } from 'node:util'
import { duration, rate } from '../dist/src/cli/number-format.js'
import { figure, Report, range, textBars } from './lib/report.mjs'
import { interleaved, spreadOf } from './lib/rounds.mjs'
import { readSettings } from './lib/settings.mjs'

const settings = readSettings({ shards: '', spin: '' }, { rounds: 9 })
const { pick, flags } = settings
const parameters = {
  dir: settings.dir,
  commands: pick(20_000, 400_000, 1_000_000),
  looped: pick(5000, 100_000, 200_000),
  inFlight: 136,
  rawMs: pick(50, 300, 1000),
}
const spins = flags.spin === '' ? [undefined] : flags.spin.split(',').map(Number)
const allowed = allowedProcessors()
const counts = [...doubling(allowed.length)]
const shardCounts = flags.shards === '' ? counts : flags.shards.split(',').map(Number)
const child = path.join(import.meta.dirname, 'lib/cores-child.mjs')
const run = promisify(execFile)

/** 1, 2, 4 … up to a number, and that number. */
function* doubling(most) {
  for (let count = 1; count < most; count *= 2) yield count
  yield most
}

/** The numbers of the processors that this process may use. */
function allowedProcessors() {
  try {
    execFileSync('taskset', ['--version'])
  } catch {
    throw new Error('bench:cores needs taskset (util-linux), which gives a process its processors')
  }
  const [, list] = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))
  const numbers = list.split(',').flatMap((part) => {
    const [first, last = first] = part.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, i) => first + i)
  })
  return numbers.slice(0, availableParallelism())
}

async function measure({ processors, shards, spinUs }) {
  const given = JSON.stringify({ ...parameters, processors, shards, spinUs })
  const list = allowed.slice(0, processors).join()
  const { stdout } = await run('taskset', ['-c', list, process.execPath, child, given])
  return JSON.parse(stdout)
}

const report = new Report('cores', 'Throughput and latency over processors', settings)
const points = counts.flatMap((processors) =>
  shardCounts.flatMap((shards) => spins.map((spinUs) => ({ processors, shards, spinUs }))),
)
const nameOf = ({ processors, shards, spinUs }) =>
  `${processors} ${processors === 1 ? 'processor' : 'processors'}, ${lineOf({ shards, spinUs })}`
const lineOf = ({ shards, spinUs }) =>
  `${shards} ${shards === 1 ? 'shard' : 'shards'}${spinUs === undefined ? '' : `, spinUs ${spinUs}`}`
const results = await interleaved(
  settings.rounds,
  Object.fromEntries(points.map((point) => [nameOf(point), () => measure(point)])),
)
const measured = points.map((point) => {
  const rounds = results[nameOf(point)]
  const of = (number) => spreadOf(rounds, number)
  return {
    ...point,
    perSecond: of((one) => one.perSecond),
    loopedPerSecond: of((one) => one.loopedPerSecond),
    p50Ms: of((one) => one.latency['p50 ms']),
    p99Ms: of((one) => one.latency['p99 ms']),
    rawMs: of((one) => one.raw['p50 ms']),
  }
})
const lines = shardCounts.flatMap((shards) => spins.map((spinUs) => ({ shards, spinUs })))
/** The best of one processor: what more of them are held against. */
const alone = Math.max(
  ...measured.filter(({ processors }) => processors === 1).map(({ perSecond }) => perSecond.median),
)
throughput()
latency()
report.finish()

function pointsOf({ shards, spinUs }, value) {
  return measured
    .filter((one) => one.shards === shards && one.spinUs === spinUs)
    .map((one) => {
      const { median, min, max } = value(one)
      return [one.processors, median, min, max]
    })
}

function throughput() {
  report.table(
    `Commands a second, CommandBatch in batches of 1,000, 64 symbols`,
    ['', 'median (smallest to largest)', 'best', 'ideal', 'of the ideal'],
    measured.map((one) => {
      const { processors, perSecond } = one
      const ideal = alone * processors
      return [
        nameOf(one),
        range(perSecond, rate),
        rate(perSecond.max),
        rate(ideal),
        figure(perSecond.median / ideal),
      ]
    }),
    {
      note: 'Ideal: so many times the best median of one processor.',
      data: results,
      charts: [
        {
          kind: 'lines',
          title: 'Commands a second over processors, medians and spread, with the ideal line',
          x: 'processors',
          y: 'commands a second',
          counted: true,
          series: [
            ...lines.map((line) => ({ name: lineOf(line), points: pointsOf(line, (one) => one.perSecond) })),
            { name: 'ideal', points: counts.map((processors) => [processors, alone * processors]) },
          ],
        },
      ],
    },
  )
  report.drawing(
    textBars(
      measured.map((one) => ({
        name: nameOf(one),
        value: one.perSecond.median,
        mark: alone * one.processors,
        shown: rate(one.perSecond.median),
      })),
      'the ideal',
    ),
  )
}

function latency() {
  const best = ({ median, min }) => `${duration(median)} (${duration(min)})`
  report.table(
    `${parameters.inFlight} commands under way, a promise each: acknowledgement`,
    ['median (best)', 'p50', 'p99', 'raw write + fdatasync', 'p50 over raw', 'commands/s'],
    measured.map((one) => [
      nameOf(one),
      best(one.p50Ms),
      best(one.p99Ms),
      best(one.rawMs),
      figure(one.p50Ms.median / one.rawMs.median),
      rate(one.loopedPerSecond.median),
    ]),
    {
      note: 'The raw write is of as many bytes as one flush had, one after the other: no number of processors makes the disk faster.',
      charts: [
        {
          kind: 'lines',
          title: 'Acknowledgement over processors, medians, with the raw write as the ideal',
          x: 'processors',
          y: 'microseconds',
          counted: true,
          series: [
            ...lines.flatMap((line) =>
              [
                ['p50', (one) => one.p50Ms],
                ['p99', (one) => one.p99Ms],
              ].map(([quantile, value]) => ({
                name: `${lineOf(line)}: ${quantile}`,
                points: pointsOf(line, value).map(([x, y]) => [x, y * 1000]),
              })),
            ),
            {
              name: 'ideal: raw write + fdatasync',
              points: pointsOf(lines[0], (one) => one.rawMs).map(([x, y]) => [x, y * 1000]),
            },
          ],
        },
      ],
    },
  )
  const bars = (of) =>
    measured.map((one) => ({
      name: nameOf(one),
      value: of(one).median,
      mark: one.rawMs.median,
      shown: duration(of(one).median),
    }))
  report.drawing(
    `p50\n${textBars(
      bars((one) => one.p50Ms),
      'raw write + fdatasync',
    )}`,
  )
  report.drawing(
    `p99\n${textBars(
      bars((one) => one.p99Ms),
      'raw write + fdatasync',
    )}`,
  )
}
