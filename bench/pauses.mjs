// What stands still, and for how long: checkpoints of large books, openings from them, readers that catch up, removal of
// log, snapshots of many jobs, refusals and questions in a flood. Each case runs in a process of its own; with --before,
// a built checkout of another commit takes part in turn.
//
//   npm run bench:pauses -- [--quick] [--rounds N] [--dir FOLDER] [--before CHECKOUT] [--only checkpoint,jobs] [--orders 3000000]
import { execFile } from 'node:child_process'
import * as path from 'node:path'
import { promisify } from 'node:util'
import { bytes, count, duration } from '../dist/src/cli/number-format.js'
import { figure, Report } from './lib/report.mjs'
import { interleaved, spreadOf } from './lib/rounds.mjs'
import { readSettings, whole } from './lib/settings.mjs'

const settings = readSettings({ before: '', only: '', orders: '' })
const { pick, flags } = settings
const orders = flags.orders ? whole('orders', flags.orders) : pick(20_000, 1_000_000, 3_000_000)
const sizes = {
  checkpoint: orders,
  requests: pick(10_000, 300_000, 1_000_000),
  tailer: pick(300, 2000, 3000),
  catchUp: pick(20_000, 500_000, 1_000_000),
  removal: pick(3, 16, 32),
  jobs: pick(5000, 100_000, 300_000),
  refusals: pick(2000, 50_000, 50_000),
  questions: pick(500, 20_000, 20_000),
}
const wanted = flags.only ? flags.only.split(',') : Object.keys(sizes)
const unknown = wanted.filter((name) => !(name in sizes))
if (unknown.length > 0)
  throw new Error(`--only knows ${Object.keys(sizes).join(', ')}; not ${unknown.join(', ')}`)
const here = path.resolve(import.meta.dirname, '..')
const builds = flags.before ? { before: path.resolve(flags.before), now: here } : { now: here }
const child = path.join(import.meta.dirname, 'lib/pause-cases.mjs')
const run = promisify(execFile)

async function measure(name, build) {
  const { stdout } = await run(process.execPath, [child, name, build, settings.dir, String(sizes[name])], {
    maxBuffer: 1 << 20,
  })
  return JSON.parse(stdout)
}

const report = new Report('pauses', 'What stands still, and for how long', settings)

/** Runs a case on each build in turn, and shows the medians of what `columns` name. */
async function compare(name, title, columns) {
  const results = await interleaved(
    settings.rounds,
    Object.fromEntries(Object.entries(builds).map(([which, build]) => [which, () => measure(name, build)])),
  )
  report.table(
    title,
    ['build', ...Object.keys(columns)],
    Object.entries(results).map(([which, rounds]) => [
      which,
      ...Object.values(columns).map(([of, format]) => format(spreadOf(rounds, of).median)),
    ]),
    { note: 'Medians of the rounds.', data: results },
  )
  return (of) => spreadOf(results.now, of).median
}

const around = {
  'ack p50, quiet': [({ quiet }) => quiet.other.p50Ms, duration],
  'ack max, quiet': [({ quiet }) => Math.max(quiet.same.maxMs, quiet.other.maxMs), duration],
  'same symbol, ack max': [({ beside }) => beside.same.maxMs, duration],
  'other symbol, ack max': [({ beside }) => beside.other.maxMs, duration],
  'loop held, quiet': [({ quiet }) => quiet.loopMs, duration],
  'loop held': [({ beside }) => beside.loopMs, duration],
  'shard paused': [({ pauseMs }) => pauseMs, duration],
  checkpoint: [({ checkpointMs }) => checkpointMs, duration],
  snapshot: [({ snapshotBytes }) => snapshotBytes, bytes],
  'memory grew by': [({ memoryGrowth }) => memoryGrowth * 100, (part) => `${figure(part)} %`],
}

const benches = {
  async checkpoint() {
    const now = await compare(
      'checkpoint',
      `A checkpoint with ${count(orders)} resting orders, 2,000 orders a second beside it`,
      {
        ...around,
        'opened from it': [({ openMs }) => openMs, duration],
        'opened by replay': [({ replayMs }) => replayMs, duration],
      },
    )
    report.goal(
      'longest pause of a shard for a checkpoint',
      now(({ pauseMs }) => pauseMs),
      { atMost: 10, unit: ' ms' },
    )
    report.goal(
      'event loop held beside a checkpoint',
      now(({ beside }) => beside.loopMs),
      { atMost: 10, unit: ' ms' },
    )
    report.goal('memory beside a checkpoint', 1 + now(({ memoryGrowth }) => memoryGrowth), { atMost: 1.1 })
    report.goal(
      'opening from a fresh snapshot',
      now(({ openMs }) => openMs),
      { atMost: 1000, unit: ' ms' },
    )
  },
  async requests() {
    const now = await compare('requests', `A checkpoint with ${count(sizes.requests)} request ids`, around)
    report.goal(
      'longest pause of a shard, request ids',
      now(({ pauseMs }) => pauseMs),
      { atMost: 10, unit: ' ms' },
    )
  },
  async tailer() {
    const now = await compare('tailer', 'A reader of the log beside two producers that never stop', {
      'loop held without it': [({ without }) => without.loopMs, duration],
      'loop held': [({ loopMs }) => loopMs, duration],
      'processor time of a hold': [({ loopProcessorMs }) => loopProcessorMs, duration],
      read: [(result) => result.bytes, bytes],
    })
    // The threads of the producers and of the log take the cores of a small machine, with or without readers.
    report.goal(
      'event loop held by the tailer, in processor time',
      now(({ loopProcessorMs }) => loopProcessorMs),
      { atMost: 10, unit: ' ms' },
    )
  },
  async catchUp() {
    const now = await compare(
      'catchUp',
      `A subscriber reads ${count(sizes.catchUp)} commands, 10,000 orders a second beside it`,
      {
        'ack p50, quiet': [({ quiet }) => quiet.p50Ms, duration],
        'ack p99, quiet': [({ quiet }) => quiet.p99Ms, duration],
        'ack p50': [({ beside }) => beside.p50Ms, duration],
        'ack p99': [({ beside }) => beside.p99Ms, duration],
        'loop held': [({ beside }) => beside.loopMs, duration],
        'caught up in': [({ catchUpMs }) => catchUpMs, duration],
      },
    )
    report.goal(
      'event loop held by a subscriber that catches up',
      now(({ beside }) => beside.loopMs),
      { atMost: 10, unit: ' ms' },
    )
  },
  async removal() {
    const now = await compare('removal', `removeBefore over ${sizes.removal} segments of 16 MiB`, {
      'loop held': [({ loopMs }) => loopMs, duration],
      segments: [({ segments }) => segments, String],
    })
    report.goal(
      'event loop held by removal',
      now(({ loopMs }) => loopMs),
      { atMost: 10, unit: ' ms' },
    )
  },
  async jobs() {
    const now = await compare('jobs', `A snapshot of ${count(sizes.jobs)} live jobs`, {
      'loop held': [({ loopMs }) => loopMs, duration],
      snapshot: [({ checkpointMs }) => checkpointMs, duration],
      'opened from it': [({ openMs }) => openMs, duration],
    })
    report.goal(
      'event loop held by a snapshot of jobs',
      now(({ loopMs }) => loopMs),
      { atMost: 10, unit: ' ms' },
    )
  },
  async refusals() {
    const now = await compare('refusals', 'A refused command beside an accepted one', {
      'accepted, us': [({ acceptUs }) => acceptUs, figure],
      'refused, us': [({ refuseUs }) => refuseUs, figure],
      ratio: [({ acceptUs, refuseUs }) => refuseUs / acceptUs, figure],
    })
    report.goal(
      'cost of a refusal over an acceptance',
      now(({ acceptUs, refuseUs }) => refuseUs / acceptUs),
      { atMost: 1 },
    )
  },
  async questions() {
    await compare(
      'questions',
      `${count(sizes.questions)} questions of 1,000 levels at once, 10,000 orders a second beside them`,
      {
        'ack p50, quiet': [({ quiet }) => quiet.p50Ms, duration],
        'ack p50': [({ beside }) => beside.p50Ms, duration],
        'ack p99': [({ beside }) => beside.p99Ms, duration],
        'ack max': [({ beside }) => beside.maxMs, duration],
        answered: [({ answered }) => answered, count],
        refused: [({ refused }) => refused, count],
      },
    )
  },
}
for (const name of wanted) await benches[name]()
report.finish()
