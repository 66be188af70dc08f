// This build beside a built checkout of another commit, in turn, each run in a process of its own; that checkout beside itself,
// because the same build differs from itself by what a machine's noise is worth; and beside what the aims name.
//
//   npm run bench:compare -- --before CHECKOUT [--rounds 9] [--only batch,submit] [--dir FOLDER] [--short] [--quick]
import { execFile } from 'node:child_process'
import * as path from 'node:path'
import { promisify } from 'node:util'
import { plan } from './lib/compare/plan.mjs'
import { figure, Report } from './lib/report.mjs'
import { interleaved, spread } from './lib/rounds.mjs'
import { readSettings } from './lib/settings.mjs'

const control = 'before, again'
const settings = readSettings({ before: '', only: '' }, { rounds: 9 })
const { pick, flags } = settings
if (!flags.before)
  throw new Error('--before names a checkout of another commit, built there with npm run build')
const cases = plan(pick)
const wanted = flags.only ? flags.only.split(',') : Object.keys(cases)
const unknown = wanted.filter((name) => !(name in cases))
if (unknown.length > 0)
  throw new Error(`--only knows ${Object.keys(cases).join(', ')}; not ${unknown.join(', ')}`)
const before = path.resolve(flags.before)
const now = path.resolve(import.meta.dirname, '..')
const builds = { before, now, [control]: before }
const child = path.join(import.meta.dirname, 'lib/compare/child.mjs')
const run = promisify(execFile)
/** Bytes a command as this build logged them last: what is put beside it writes as many. */
let commandBytes = 112

async function measure({ child: name, with: parameters }, build) {
  const given = JSON.stringify({ commandBytes, ...parameters })
  const { stdout } = await run(process.execPath, [child, name, build, settings.dir, given])
  const figures = JSON.parse(stdout)
  if (build === now && figures['log bytes']) commandBytes = Math.round(figures['log bytes'] / 8) * 8
  return figures
}

const report = new Report('compare', 'This build beside another commit, and that beside itself', settings)
for (const name of wanted) await measureCase(cases[name])
report.finish()

async function measureCase(one) {
  const contenders = {}
  for (const [which, build] of Object.entries(builds)) contenders[which] = () => measure(one, build)
  for (const [which, other] of Object.entries(one.beside ?? {}))
    contenders[which] = report.measuredIfThere(which, () => measure(other, now))
  const results = await interleaved(settings.rounds, contenders)
  for (const which of report.missing) delete results[which]
  table(one, results)
  besideTable(one, results)
  for (const aim of one.aims ?? []) for (const single of spelledOut(aim, results)) goal(single, results)
}

function table(one, results) {
  const rows = Object.keys(results.now[0]).map((what) => {
    const of = (which) => spread(results[which].map((result) => result[what]))
    const [old, current, again] = Object.keys(builds).map(of)
    return [
      what,
      ...[old, current, again].flatMap(({ median, min }) => [figure(median), figure(min)]),
      figure(current.median / old.median),
      figure(current.min / old.min),
      figure(again.median / old.median),
      figure(again.min / old.min),
    ]
  })
  report.table(
    one.title,
    [
      'what',
      'before, median',
      'best',
      'now, median',
      'best',
      'before again, median',
      'best',
      'now over before, medians',
      'bests',
      'control, medians',
      'bests',
    ],
    rows,
    {
      note: `${JSON.stringify(one.with)}. Over before: less than 1 is faster, or smaller; the control is that build over itself.`,
      data: results,
    },
  )
}

/** What was measured beside the builds, each figure as a median and a best. */
function besideTable(one, results) {
  const names = Object.keys(one.beside ?? {}).filter((name) => name in results)
  if (names.length === 0) return
  const figures = Object.keys(results[names[0]][0])
  const cell = (name, what) => {
    const { median, min } = spread(results[name].map((result) => result[what]))
    return `${figure(median)} (${figure(min)})`
  }
  report.table(
    `Beside it: ${one.title}`,
    ['median (best)', ...figures],
    ['now', ...names].map((name) => [name, ...figures.map((what) => cell(name, what))]),
  )
}

/** One aim for each figure where an aim is for all of them. */
function spelledOut(aim, results) {
  if (aim.of !== '*') return [aim]
  return Object.keys(results.now[0]).map((of) => ({ ...aim, of, what: `${aim.what}: ${of}` }))
}

function goal(aim, results) {
  const { what, of, over, overOf, overBest, speed, perSecond, best, atMost, atLeast } = aim
  const others = overBest?.filter((name) => name in results)
  if (others?.length === 0 || (over && !(over in results))) return
  const values = results.now.map((result, round) => {
    const value = result[of]
    if (perSecond) return 1e9 / value
    if (overOf) return value / result[overOf]
    if (!over && !others) return value
    const other = Math.min(...(others ?? [over]).map((name) => results[name][round][of]))
    return speed ? other / value : value / other
  })
  const measured = spread(values)
  const value = best ? (perSecond ? measured.max : measured.min) : measured.median
  report.goal(what, value, { atMost, atLeast })
}
