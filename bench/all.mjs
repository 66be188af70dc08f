// The headline: benches in their short form, one after the other, in less than five minutes, and one page with all of them. A bench for
// which no time is left is named, with the command that runs it.
//
//   npm run bench -- [--quick] [--rounds N] [--dir FOLDER] [--only throughput,latency] [--minutes 4.5]
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import * as path from 'node:path'
import { parseArgs } from 'node:util'
import { goalTables, page } from './lib/html.mjs'
import { figure, textTable } from './lib/report.mjs'

/** What a reader wants to know first comes first: time may run out. */
const benches = [
  'throughput',
  'peers',
  'latency',
  'book',
  'log',
  'recovery',
  'startup',
  'rotation',
  'memory',
  'scaling',
]
const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    dir: { type: 'string' },
    only: { type: 'string', default: benches.join() },
    minutes: { type: 'string', default: '4.5' },
  },
})
const limitMs = Number(flags.minutes) * 60_000
if (!(limitMs > 0)) throw new Error(`--minutes is ${flags.minutes}; use a number above 0.`)
/** Of all benches: one that is ended leaves its files. */
const parent = path.resolve(flags.dir ?? (process.env.TIDEMARK_DIR || tmpdir()))
mkdirSync(parent, { recursive: true })
const folder = mkdtempSync(path.join(parent, 'tidemark-bench-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
const passed = [
  flags.quick ? '--quick' : '--short',
  ...(flags.rounds ? ['--rounds', flags.rounds] : []),
  '--dir',
  folder,
]
const resultsFolder = path.join(import.meta.dirname, 'results')
const startMs = performance.now()
const results = []
/** Benches that were not begun, or were ended, because the time was over. */
const leftOut = []
let failures = 0
for (const name of flags.only.split(',')) {
  const timeout = Math.floor(limitMs - (performance.now() - startMs))
  if (timeout <= 0) {
    leftOut.push(name)
    continue
  }
  const bench = path.join(import.meta.dirname, `${name}.mjs`)
  const { status, error } = spawnSync(process.execPath, [bench, ...passed], { stdio: 'inherit', timeout })
  if (error?.code === 'ETIMEDOUT') leftOut.push(name)
  else if (status === 0)
    results.push(JSON.parse(readFileSync(path.join(resultsFolder, `${name}.json`), 'utf8')))
  else {
    failures++
    process.stderr.write(`${name} failed (exit code ${status}).\n`)
  }
}
// Ratios first: they say the same on another machine.
const goals = results
  .flatMap(({ name, goals }) => goals.map((goal) => ({ name, ...goal })))
  .sort((a, b) => Number(a.absolute) - Number(b.absolute))
const rows = goals.map(({ name, what, value, wanted, met, unit }) => [
  name,
  what,
  `${figure(value)}${unit}`,
  wanted,
  met ? 'yes' : 'no',
])
for (const name of leftOut)
  process.stdout.write(`NOT RUN, for want of time: ${name}; "node bench/${name}.mjs" runs it.\n`)
process.stdout.write(`\n# All goals\n${textTable(['bench', 'what', 'measured', 'wanted', 'met'], rows)}\n`)
const { machine, settings } = results[0] ?? { machine: {}, settings: {} }
const about = [...Object.entries(machine).map((pair) => pair.join(' ')), `${settings.rounds} rounds`]
process.stdout.write(`\n${about.join(', ')}\n`)
for (const { name, notMeasured } of results)
  for (const [what, reason] of Object.entries(notMeasured))
    process.stdout.write(`NOT MEASURED in ${name}: ${what}: ${reason}\n`)
const summary = {
  startedAt: results[0]?.startedAt,
  elapsedMs: performance.now() - startMs,
  leftOut,
  goals,
  benches: results,
}
writeFileSync(path.join(resultsFolder, 'all.json'), `${JSON.stringify(summary, null, 1)}\n`)
writeFileSync(
  path.join(resultsFolder, 'all.html'),
  page('tidemark, measured', results, goalTables(goals, leftOut)),
)
process.stdout.write(
  `\n${(summary.elapsedMs / 1000).toFixed(0)} s in all; bench/results/all.json and all.html\n`,
)
process.exitCode = failures > 0 ? 1 : 0
