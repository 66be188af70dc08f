// Commands a second through a pool, everything on disk: submit (a promise each), submitBatch of a CommandBatch, and
// submitBatch of plain objects, over shards x batch size x delay.
//
//   npm run bench:throughput -- [--quick] [--rounds N] [--dir FOLDER] [--commands N]
//
// TIDEMARK_SHARDS, TIDEMARK_BATCH_SIZE, TIDEMARK_BATCH_DELAY_MS and TIDEMARK_DURABILITY are the pool's own; the first
// three may list several values, separated by commas, and set what is gone through.
import { drive } from '../dist/src/cli/bench/drive.js'
import { CommandTape } from '../dist/src/cli/bench/tape.js'
import { percent, rate } from '../dist/src/cli/number-format.js'
import { EnginePool } from '../dist/src/index.js'
import { figure, Report, range } from './lib/report.mjs'
import { interleaved, ratioOf, spreadOf } from './lib/rounds.mjs'
import { inFolder, listed, readSettings, shardCounts, whole } from './lib/settings.mjs'

const settings = readSettings({ commands: '' })
const { pick } = settings
const commands = whole('commands', settings.flags.commands || pick('60000', '1200000', '2000000'))
/** Played before the clock starts, in every round: each pool has new threads, and their code is cold. */
const warmCommands = Math.floor(commands / 5)
const timeMs = pick(200, 600, 1000)
const matrixMs = pick(60, 200, 400)
const matrixRounds = pick(1, 1, 3)
const inFlight = 10_000
const windowMax = 65_536

const tapes = {
  one: new CommandTape({ commands, symbols: 1 }),
  many: new CommandTape({ commands, symbols: 64 }),
}
const objects = {
  one: tapes.one.objects(0, pick(60_000, 500_000, 1_000_000)),
  many: tapes.many.objects(0, pick(60_000, 300_000, 500_000)),
}

/** One pool in a new folder: warmed up, then measured. */
function run({
  handover,
  perBatch,
  window,
  shards,
  batchSize,
  batchDelayMs,
  durability,
  symbols = 'one',
  forMs = timeMs,
}) {
  const tape = tapes[symbols]
  const last = handover === 'batch' ? tape.length : Math.min(tape.length, objects[symbols].length)
  const warm = Math.min(warmCommands, Math.floor(last / 5))
  return inFolder(settings.dir, async (dir) => {
    const { instruments } = tape
    const pool = await EnginePool.open({ dir, instruments, shards, batchSize, batchDelayMs, durability })
    const part = { handover, perBatch, window, objects: objects[symbols] }
    await drive(pool, tape, { ...part, from: 0, to: warm, timeMs: forMs })
    const done = pool.stats().commands - instruments.length
    const result = await drive(pool, tape, { ...part, from: done, to: last, timeMs: forMs })
    await pool.close()
    return {
      perSecond: (result.commands / result.elapsedMs) * 1000,
      tradesPerCommand: result.trades / result.commands,
      bytesPerCommand: result.logBytes / result.commands,
      commandsPerFlush: result.commands / Math.max(1, result.flushes),
      ackP50Ms: result.latency.p50Ms,
      commands: result.commands,
    }
  })
}

const report = new Report('throughput', 'Throughput: commands a second, all of them on disk', settings)
await headline()
await matrix()
report.finish()

async function headline() {
  const ways = {
    'submitBatch, CommandBatch': { handover: 'batch', perBatch: 1000, window: windowMax },
    'submitBatch, plain objects': { handover: 'objects', perBatch: 1000, window: windowMax },
    'submit, a promise each': { handover: 'submit', perBatch: 1, window: inFlight },
  }
  const contenders = {}
  for (const [name, way] of Object.entries(ways)) {
    contenders[name] = () => run({ ...way, shards: 1 })
    contenders[`${name}; unsafeNone`] = () => run({ ...way, shards: 1, durability: 'unsafeNone' })
  }
  contenders['submitBatch, CommandBatch; 64 symbols'] = () =>
    run({ ...ways['submitBatch, CommandBatch'], shards: 1, symbols: 'many' })
  contenders['submitBatch, CommandBatch; 64 symbols, 2 shards'] = () =>
    run({ ...ways['submitBatch, CommandBatch'], shards: 2, symbols: 'many' })
  const results = await interleaved(settings.rounds, contenders)
  const rows = Object.entries(results).map(([name, rounds]) => [
    name,
    range(
      spreadOf(rounds, (result) => result.perSecond),
      rate,
    ),
    figure(spreadOf(rounds, (result) => result.bytesPerCommand).median),
    percent(spreadOf(rounds, (result) => result.tradesPerCommand).median, 1),
    figure(spreadOf(rounds, (result) => result.commandsPerFlush).median),
  ])
  report.table(
    'One pool, one shard unless stated, batches of 1,000 or 10,000 promises under way',
    ['handed over by', 'commands/s', 'log bytes a command', 'trades a command', 'commands a flush'],
    rows,
    {
      note: 'Median (smallest to largest) of the rounds. Durability is group unless stated.',
      data: results,
      charts: [
        {
          kind: 'bars',
          title: 'Commands a second',
          unit: 'commands a second, median; the whisker is the spread of the rounds',
          bars: Object.entries(results).map(([name, rounds]) => ({
            name,
            ...spreadOf(rounds, (result) => result.perSecond),
          })),
        },
      ],
    },
  )
  const perSecond = (result) => result.perSecond
  const median = (name, number = perSecond) => spreadOf(results[name], number).median
  const [batch, plain, single] = Object.keys(ways)
  report.goal('CommandBatch, one shard, durable, commands/s', median(batch), {
    atLeast: 4_000_000,
    absolute: true,
  })
  report.goal(
    'its log bytes a command',
    median(batch, (result) => result.bytesPerCommand),
    { atMost: 130, absolute: true },
  )
  report.goal('plain objects, commands/s', median(plain), { atLeast: 1_500_000, absolute: true })
  report.goal('submit, 10,000 in flight, commands/s', median(single), { atLeast: 1_000_000, absolute: true })
  for (const name of [batch, plain, single]) {
    const ratio = ratioOf(results[name], results[`${name}; unsafeNone`], perSecond)
    report.goal(`${name}: durable over unsafeNone`, ratio.median, { atLeast: 0.85 })
  }
}

async function matrix() {
  const shards = listed('TIDEMARK_SHARDS', pick([1, 2], [1, 2], shardCounts()))
  const batchSizes = listed(
    'TIDEMARK_BATCH_SIZE',
    pick([1, 100], [1, 100, 10_000], [1, 10, 100, 1000, 10_000]),
  )
  const delays = listed('TIDEMARK_BATCH_DELAY_MS', pick([0, 10], [0], [0, 10]))
  const handovers = ['submit', 'batch', 'objects']
  const points = []
  for (const handover of handovers)
    for (const shardCount of shards)
      for (const batchDelayMs of delays)
        for (const batchSize of batchSizes)
          points.push({ handover, shards: shardCount, batchDelayMs, batchSize })
  const contenders = Object.fromEntries(
    points.map((point) => {
      const { handover, batchSize } = point
      const perBatch = Math.min(batchSize, inFlight)
      const window = handover === 'submit' ? Math.max(inFlight, batchSize) : windowMax
      const name = `${handover} ${point.shards} ${point.batchDelayMs} ${batchSize}`
      return [name, () => run({ ...point, perBatch, window, symbols: 'many', forMs: matrixMs })]
    }),
  )
  const results = await interleaved(matrixRounds, contenders)
  const measured = points.map((point, at) => ({
    ...point,
    ...spreadOf(Object.values(results)[at], (result) => result.perSecond),
    ackP50Ms: spreadOf(Object.values(results)[at], (result) => result.ackP50Ms).median,
  }))
  const lines = measured.flatMap((_, at) =>
    at % batchSizes.length === 0 ? [measured.slice(at, at + batchSizes.length)] : [],
  )
  const rows = lines.map((line) => [
    line[0].handover,
    line[0].shards,
    line[0].batchDelayMs,
    ...line.map(({ median }) => rate(median)),
  ])
  report.table(
    'Over shards, delay and batch size, 64 symbols: commands/s',
    ['handed over by', 'shards', 'delay ms', ...batchSizes.map((size) => `batch ${size}`)],
    rows,
    {
      note: 'The batch size is the pool’s setting and the number of commands handed over at once; submit keeps 10,000 under way.',
      data: measured,
      charts: [
        {
          kind: 'lines',
          title: `Commands a second over batch size, delay ${delays[0]} ms`,
          x: 'batch size',
          y: 'commands a second',
          series: handovers.flatMap((handover) =>
            shards.map((n) => ({
              name: `${handover}, ${n} ${n === 1 ? 'shard' : 'shards'}`,
              points: measured
                .filter((p) => p.handover === handover && p.shards === n && p.batchDelayMs === delays[0])
                .map(({ batchSize, median, min, max }) => [batchSize, median, min, max]),
            })),
          ),
        },
      ],
    },
  )
}
