// The headline: every bench in its short form, one after the other, and one page with all of them.
//
//   npm run bench -- [--quick] [--rounds N] [--dir FOLDER] [--only throughput,latency]
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import * as path from 'node:path'
import { parseArgs } from 'node:util'
import { page } from './lib/html.mjs'
import { figure, textTable } from './lib/report.mjs'

const benches = [
  'throughput',
  'latency',
  'rotation',
  'log',
  'book',
  'peers',
  'recovery',
  'memory',
  'startup',
  'scaling',
]
const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    dir: { type: 'string' },
    only: { type: 'string', default: benches.join() },
  },
})
const passed = [
  flags.quick ? '--quick' : '--short',
  ...(flags.rounds ? ['--rounds', flags.rounds] : []),
  ...(flags.dir ? ['--dir', flags.dir] : []),
]
const resultsFolder = path.join(import.meta.dirname, 'results')
const startMs = performance.now()
const results = []
let failures = 0
for (const name of flags.only.split(',')) {
  const { status } = spawnSync(process.execPath, [path.join(import.meta.dirname, `${name}.mjs`), ...passed], {
    stdio: 'inherit',
  })
  if (status === 0) results.push(JSON.parse(readFileSync(path.join(resultsFolder, `${name}.json`), 'utf8')))
  else {
    failures++
    process.stderr.write(`${name} failed (exit code ${status}).\n`)
  }
}
const goals = results.flatMap(({ name, goals }) => goals.map((goal) => ({ name, ...goal })))
const rows = goals.map(({ name, what, value, wanted, met, unit }) => [
  name,
  what,
  `${figure(value)}${unit}`,
  wanted,
  met ? 'yes' : 'no',
])
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
  goals,
  benches: results,
}
writeFileSync(path.join(resultsFolder, 'all.json'), `${JSON.stringify(summary, null, 1)}\n`)
writeFileSync(path.join(resultsFolder, 'all.html'), page('tidemark, measured', results))
process.stdout.write(
  `\n${(summary.elapsedMs / 1000).toFixed(0)} s in all; bench/results/all.json and all.html\n`,
)
process.exitCode = failures > 0 ? 1 : 0
