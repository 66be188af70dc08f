// What rotations and checkpoints do to acknowledgements: the same arrivals at a fixed rate, with a log of small segments
// and checkpoints on the way, and with one segment that holds everything and none.
//
//   npm run bench:rotation -- [--quick] [--rounds N] [--dir FOLDER] [--rate 200000] [--seconds S]
import { runArrivals } from '../dist/src/cli/bench/arrivals.js'
import { drive } from '../dist/src/cli/bench/drive.js'
import { CommandTape } from '../dist/src/cli/bench/tape.js'
import { duration } from '../dist/src/cli/number-format.js'
import { EnginePool } from '../dist/src/index.js'
import { collectGarbage } from './lib/collected.mjs'
import { Report } from './lib/report.mjs'
import { interleaved, ratioOf, spreadOf } from './lib/rounds.mjs'
import { filled, inFolder, readSettings, whole } from './lib/settings.mjs'

const settings = readSettings({ rate: '200000', seconds: '' })
const { pick, flags } = settings
const ratePerSecond = whole('rate', flags.rate)
const seconds = Number(flags.seconds || pick(0.5, 4, 8))
const arrivals = Math.round(ratePerSecond * seconds)
const warmCommands = pick(20_000, 150_000, 200_000)
const checkpoints = 5
const rotations = 12
/** A little less than what a command of the flow takes in the log, so that there are as many rotations as stated. */
const commandBytes = 100
const smallSegmentBytes = Math.ceil((arrivals * commandBytes) / rotations / 4096) * 4096
const largeSegmentBytes = Math.ceil(((arrivals + warmCommands) * 160) / 4096) * 4096
const maxInFlight = 1_048_576
const quantiles = ['p50Ms', 'p99Ms', 'p999Ms', 'maxMs']

const tape = new CommandTape({ commands: warmCommands + arrivals, symbols: 8 })

async function run({ segmentBytes, checkpointsWanted }) {
  return inFolder(settings.dir, async (dir) => {
    const { instruments } = tape
    const pool = await EnginePool.open({
      dir,
      instruments,
      maxInFlight,
      segmentBytes,
      checkpointBytes: 0,
      keepSnapshots: 1,
      keepLogBytes: 0,
    })
    await drive(pool, tape, {
      from: 0,
      to: warmCommands,
      timeMs: 60_000,
      handover: 'batch',
      perBatch: 100,
      window: 10_000,
    })
    await pool.checkpoint()
    await filled(dir)
    const before = pool.stats().log
    const checkpointsMs = []
    const timer =
      checkpointsWanted > 0 &&
      setInterval(
        () => pool.checkpoint().then(({ elapsedMs }) => checkpointsMs.push(elapsedMs)),
        (seconds * 1000) / (checkpointsWanted + 0.5),
      )
    const batch = pool.batch()
    const how = { ratePerSecond, window: maxInFlight, beforeClock: collectGarbage }
    const result = await runArrivals({ ...how, arrivals }, (from, to) => {
      tape.play(batch, warmCommands + from, warmCommands + to)
      const acknowledged = pool.submitBatch(batch)
      batch.clear()
      return acknowledged
    })
    if (timer) clearInterval(timer)
    const after = pool.stats().log
    const pauseMs = Math.max(...pool.stats().shards.map((shard) => shard.longestAnswerMs))
    await pool.close()
    return {
      ...result,
      rotations: after.rotations - before.rotations,
      unprepared: after.unpreparedRotations - before.unpreparedRotations,
      checkpoints: checkpointsMs.length,
      checkpointMs: Math.max(0, ...checkpointsMs),
      pauseMs,
    }
  })
}

const report = new Report('rotation', 'Latency with rotations and checkpoints, and without', settings)
const results = await interleaved(settings.rounds, {
  'rotations and checkpoints': () => run({ segmentBytes: smallSegmentBytes, checkpointsWanted: checkpoints }),
  'one segment, no checkpoint': () => run({ segmentBytes: largeSegmentBytes, checkpointsWanted: 0 }),
})
const medians = (rounds, of) => spreadOf(rounds, of).median
report.table(
  `${ratePerSecond} arrivals a second for ${seconds} s, CommandBatch of what is due`,
  [
    '',
    'p50',
    'p99',
    'p99.9',
    'max',
    'rotations',
    'unprepared',
    'checkpoints',
    'longest checkpoint',
    'longest pause',
    'rate',
  ],
  Object.entries(results).map(([name, rounds]) => [
    name,
    ...quantiles.map((quantile) => duration(medians(rounds, ({ latency }) => latency[quantile]))),
    medians(rounds, (result) => result.rotations),
    medians(rounds, (result) => result.unprepared),
    medians(rounds, (result) => result.checkpoints),
    duration(medians(rounds, (result) => result.checkpointMs)),
    duration(medians(rounds, (result) => result.pauseMs)),
    rounds.every(({ kept }) => kept) ? 'kept' : 'NOT kept',
  ]),
  {
    note: 'Medians of the rounds. A shard pauses for the copy of one book at a time; the longest of all is shown.',
    data: results,
  },
)
const [on, off] = Object.values(results)
report.goal(
  'p99.9 with rotations and checkpoints over without',
  ratioOf(on, off, ({ latency }) => latency.p999Ms).median,
  { atMost: 2 },
)
report.finish()
