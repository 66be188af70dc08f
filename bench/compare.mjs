// This build beside a built checkout of another commit, in turn, each run in a process of its own; and that checkout beside
// itself, because the same build differs from itself by what a machine's noise is worth.
//
//   npm run bench:compare -- --before CHECKOUT [--rounds 9] [--only batch,submit] [--dir FOLDER] [--quick]
import { execFile } from 'node:child_process'
import * as path from 'node:path'
import { promisify } from 'node:util'
import { figure, Report } from './lib/report.mjs'
import { interleaved, spread } from './lib/rounds.mjs'
import { readSettings } from './lib/settings.mjs'

const settings = readSettings({ before: '', only: '' })
const { pick, flags } = settings
if (!flags.before)
  throw new Error('--before names a checkout of another commit, built there with npm run build')
const commands = {
  batch: pick(20_000, 500_000, 1_000_000),
  submit: pick(10_000, 200_000, 400_000),
  objects: pick(10_000, 200_000, 400_000),
  group10: pick(2000, 50_000, 100_000),
  arrivals: pick(20_000, 800_000, 800_000),
  opening: pick(20_000, 300_000, 1_000_000),
  book: pick(20_000, 300_000, 600_000),
}
const wanted = flags.only ? flags.only.split(',') : Object.keys(commands)
const unknown = wanted.filter((name) => !(name in commands))
if (unknown.length > 0)
  throw new Error(`--only knows ${Object.keys(commands).join(', ')}; not ${unknown.join(', ')}`)
const before = path.resolve(flags.before)
const builds = { before, now: path.resolve(import.meta.dirname, '..'), 'before, again': before }
const child = path.join(import.meta.dirname, 'lib/compare-cases.mjs')
const run = promisify(execFile)

async function measure(name, build) {
  const { stdout } = await run(process.execPath, [child, name, build, settings.dir, String(commands[name])])
  return JSON.parse(stdout)
}

const report = new Report('compare', 'This build beside another commit, and that beside itself', settings)
for (const name of wanted) {
  const results = await interleaved(
    settings.rounds,
    Object.fromEntries(Object.entries(builds).map(([which, build]) => [which, () => measure(name, build)])),
  )
  const rows = Object.keys(results.now[0]).map((what) => {
    const of = (which) => spread(results[which].map((result) => result[what]))
    const [old, now, again] = Object.keys(builds).map(of)
    const speed = (to) => figure(old.median / to.median)
    const bestSpeed = (to) => figure(old.min / to.min)
    return [
      what,
      ...[old, now, again].flatMap(({ median, min }) => [figure(median), figure(min)]),
      speed(now),
      bestSpeed(now),
      speed(again),
      bestSpeed(again),
    ]
  })
  report.table(
    `${name}, ${commands[name].toLocaleString('en-US')} commands`,
    [
      'what',
      'before, median',
      'best',
      'now, median',
      'best',
      'before again, median',
      'best',
      'speed of now, medians',
      'bests',
      'of the control, medians',
      'bests',
    ],
    rows,
    { note: 'Speed: what it was before over what it is now; 1 is the same, more is faster.', data: results },
  )
}
report.finish()
