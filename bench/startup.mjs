// From the start of a process until its first order is acknowledged, in parts.
//
//   node bench/startup.mjs [--quick] [--rounds N] [--dir FOLDER]
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { duration } from '../dist/src/cli/number-format.js'
import { Report, range } from './lib/report.mjs'
import { interleaved, spreadOf } from './lib/rounds.mjs'
import { inFolder, readSettings } from './lib/settings.mjs'

const settings = readSettings()
const child = new URL('./lib/startup-child.mjs', import.meta.url).pathname
const parts = {
  'node itself': 'nodeMs',
  'loading tidemark': 'loadMs',
  'opening the pool': 'openMs',
  'first order': 'orderMs',
}

/** Runs the process; what it takes before its own clock starts is in the whole only. */
async function start(dir, shards) {
  const startMs = performance.now()
  const { stdout } = await promisify(execFile)(process.execPath, [child, dir, String(shards)])
  const { endedAtMs, ...times } = JSON.parse(stdout)
  return { ...times, wholeMs: endedAtMs - performance.timeOrigin - startMs }
}

const report = new Report('startup', 'Startup: until the first acknowledgement', settings)
const results = await interleaved(settings.rounds, {
  'new folder, 1 shard': () => inFolder(settings.dir, (dir) => start(dir, 1)),
  'new folder, 4 shards': () => inFolder(settings.dir, (dir) => start(dir, 4)),
  'folder that is there, 1 shard': () =>
    inFolder(settings.dir, async (dir) => {
      await start(dir, 1)
      return start(dir, 1)
    }),
})
report.table(
  'From the start of the process',
  ['', 'in all', ...Object.keys(parts)],
  Object.entries(results).map(([name, rounds]) => [
    name,
    range(
      spreadOf(rounds, ({ wholeMs }) => wholeMs),
      duration,
    ),
    ...Object.values(parts).map((part) => duration(spreadOf(rounds, (times) => times[part]).median)),
  ]),
  { note: 'Medians (smallest to largest).', data: results },
)
report.finish()
