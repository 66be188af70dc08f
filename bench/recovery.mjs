// How long opening a pool takes after so many commands, without a snapshot and with snapshots of different ages, in
// parts: the threads, checking the log, and bringing the books up (snapshot and replay).
//
//   npm run bench:recovery -- [--quick] [--rounds N] [--dir FOLDER] [--lengths 100000,1000000]
import { drive } from '../dist/src/cli/bench/drive.js'
import { CommandTape } from '../dist/src/cli/bench/tape.js'
import { bytes, count, duration, rate } from '../dist/src/cli/number-format.js'
import { EnginePool } from '../dist/src/index.js'
import { DurableLog } from '../dist/src/log/index.js'
import { rulesVersion } from '../dist/src/matching/index.js'
import { Report } from './lib/report.mjs'
import { interleaved, progress, spreadOf } from './lib/rounds.mjs'
import { inFolder, readSettings } from './lib/settings.mjs'

const settings = readSettings({ lengths: '' })
const { pick, flags } = settings
const lengths = flags.lengths
  ? flags.lengths.split(',').map(Number)
  : pick([5000, 20_000], [100_000, 1_000_000], [100_000, 1_000_000, 4_000_000])
/** The part of the commands that came after the last snapshot; undefined: there is none. */
const ages = pick([undefined, 0.1], [undefined, 0.1], [undefined, 1, 0.5, 0.1, 0])
const options = { checkpointBytes: 0, shards: 1 }

async function elapsed(use) {
  const startMs = performance.now()
  const opened = await use()
  const elapsedMs = performance.now() - startMs
  await opened.close()
  return elapsedMs
}

/** Opens what is in a folder as often as there are rounds, as a pool and as a log, beside empty ones. */
async function openings(dir) {
  const contentVersion = rulesVersion
  const results = await interleaved(settings.rounds, {
    pool: () => elapsed(() => EnginePool.open({ dir, ...options })),
    log: () => elapsed(() => DurableLog.open({ dir, kind: 'pool', contentVersion })),
    emptyPool: () =>
      inFolder(settings.dir, (empty) => elapsed(() => EnginePool.open({ dir: empty, ...options }))),
    emptyLog: () =>
      inFolder(settings.dir, (empty) => elapsed(() => DurableLog.open({ dir: empty, contentVersion }))),
  })
  return Object.fromEntries(
    Object.entries(results).map(([name, rounds]) => [name, spreadOf(rounds, (ms) => ms)]),
  )
}

const report = new Report('recovery', 'Recovery: how long opening takes', settings)
const measured = []
for (const commands of lengths) {
  const tape = new CommandTape({ commands, symbols: 8 })
  for (const age of ages) {
    await inFolder(settings.dir, async (dir) => {
      progress(`${count(commands)} commands, snapshot ${age ?? 'none'}`)
      const pool = await EnginePool.open({ dir, instruments: tape.instruments, ...options })
      const part = { handover: 'batch', perBatch: 1000, window: 65_536, timeMs: Number.POSITIVE_INFINITY }
      const before = age === undefined ? commands : Math.round(commands * (1 - age))
      await drive(pool, tape, { ...part, from: 0, to: before })
      if (age !== undefined) await pool.checkpoint()
      await drive(pool, tape, { ...part, from: before, to: commands })
      const { restingOrders } = await pool.digest()
      const { tailLsn } = pool.stats().log
      await pool.close()
      measured.push({ commands, age, logBytes: tailLsn, restingOrders, ...(await openings(dir)) })
    })
  }
}
report.table(
  'Opening a pool with one shard, medians',
  [
    'commands',
    'log',
    'after the snapshot',
    'resting',
    'in all',
    'spread',
    'threads',
    'checking the log',
    'books',
    'commands/s',
  ],
  measured.map(({ commands, age, logBytes, restingOrders, pool, log, emptyPool, emptyLog }) => {
    const logMs = Math.max(0, log.median - emptyLog.median)
    const booksMs = Math.max(0, pool.median - emptyPool.median - logMs)
    return [
      count(commands),
      bytes(logBytes),
      age === undefined ? 'no snapshot' : `${age * 100}%`,
      count(restingOrders),
      duration(pool.median),
      `${duration(pool.min)} to ${duration(pool.max)}`,
      duration(emptyPool.median),
      duration(logMs),
      duration(booksMs),
      age === undefined ? rate((commands / pool.median) * 1000) : '',
    ]
  }),
  {
    note: 'Threads: opening an empty pool. Checking the log: opening it as a log, above an empty one. Books: the rest, which is the snapshot and the replay.',
    data: measured,
    charts: [
      {
        kind: 'lines',
        title: 'Opening over the commands in the log',
        x: 'commands in the log',
        y: 'milliseconds',
        series: ages.map((age) => ({
          name: age === undefined ? 'no snapshot' : `${age * 100}% after it`,
          points: measured
            .filter((one) => one.age === age)
            .map(({ commands, pool }) => [commands, pool.median, pool.min, pool.max]),
        })),
      },
    ],
  },
)
report.finish()
