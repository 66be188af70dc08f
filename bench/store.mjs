// The store beside the bare way into each database, how late it is, and what it costs the pool that it follows.
//
//   npm run bench:store -- [--quick] [--rounds N] [--dir FOLDER] [--commands 200000] [--rate 20000] [--seconds S] [--target duckdb|postgres]
import { fork } from 'node:child_process'
import { once } from 'node:events'
import * as path from 'node:path'
import { runArrivals } from '../dist/src/cli/bench/arrivals.js'
import { drive } from '../dist/src/cli/bench/drive.js'
import { CommandTape } from '../dist/src/cli/bench/tape.js'
import { duration, rate } from '../dist/src/cli/number-format.js'
import { EnginePool } from '../dist/src/index.js'
import { FolderTailer, NodeDisk } from '../dist/src/log/index.js'
import { foldOf } from '../dist/src/store/fold/folds.js'
import { Store } from '../dist/src/store/index.js'
import { LogSync } from '../dist/src/store/log-sync.js'
import { prepareSchema } from '../dist/src/store/prepare-schema.js'
import { duckdbDialect } from '../dist/src/store/schema/dialect.js'
import { openTarget } from '../dist/src/store/targets/open-target.js'
import { duckdb, postgresDriver, startPostgres } from '../test/support/postgres-server.mjs'
import { Report } from './lib/report.mjs'
import { interleaved, ratioOf, spreadOf } from './lib/rounds.mjs'
import { inFolder, readSettings, whole } from './lib/settings.mjs'
import { InMemoryTarget } from './lib/store-rows.mjs'

const settings = readSettings({ commands: '', rate: '20000', seconds: '', target: '' })
const { pick, flags, rounds } = settings
const commands = whole('commands', flags.commands || String(pick(20_000, 100_000, 200_000)))
const ratePerSecond = whole('rate', flags.rate)
const seconds = Number(flags.seconds || pick(1, 4, 8))
const perBatch = 100
const tape = new CommandTape({ commands: Math.max(commands, ratePerSecond * seconds), symbols: 8 })

const server = await startPostgres()
const targets = {}
if (duckdb) targets.duckdb = { driver: duckdb, fresh: async (dir, name) => path.join(dir, `${name}.duckdb`) }
if (typeof server !== 'string') {
  let databases = 0
  targets.postgres = { driver: postgresDriver, fresh: () => server.database(`bench_${databases++}`) }
}
for (const name of Object.keys(targets)) if (flags.target && name !== flags.target) delete targets[name]
const report = new Report('store', 'The store beside the bare way into a database', settings)
for (const name of flags.target ? [flags.target] : ['duckdb', 'postgres'])
  if (!targets[name])
    console.log(
      `${name}: not measured, ${name === 'postgres' ? server : 'not installed (npm ci --prefix test/peers)'}`,
    )

await inFolder(settings.dir, async (dir) => {
  const log = path.join(dir, 'log')
  await writeLog(log)
  const transactions = await rowsOf(log)
  const rows = transactions.flat().reduce((sum, { count }) => sum + count, 0)
  for (const [name, target] of Object.entries(targets))
    await compare(name, target, dir, log, transactions, rows)
})
for (const [name, target] of Object.entries(targets)) await follow(name, target)
if (typeof server !== 'string') await server.stop()
report.finish()

async function writeLog(dir) {
  const pool = await EnginePool.open({ dir, instruments: tape.instruments, checkpointBytes: 0 })
  await drive(pool, tape, {
    from: 0,
    to: commands,
    timeMs: 60_000,
    handover: 'batch',
    perBatch,
    window: 10_000,
  })
  await pool.close()
}

/** The rows of each transaction that the store makes of a log, in memory. */
async function rowsOf(dir) {
  const target = new InMemoryTarget(duckdbDialect)
  const parts = {
    target,
    tailer: new FolderTailer(new NodeDisk(), dir, 0),
    fold: foldOf('pool'),
    progress: undefined,
  }
  const sync = new LogSync(parts, 0, { follow: false, transactionRows: 50_000, transactionDelayMs: 100 })
  await sync.run()
  return target.transactions
}

async function compare(name, { driver, fresh }, dir, log, transactions, rows) {
  const results = await interleaved(rounds, {
    store: async () => {
      const to = await fresh(dir, `store-${Math.random()}`)
      const startMs = performance.now()
      const store = await Store.open({ dir: log, to, driver, follow: false })
      await store.ended
      const elapsedMs = performance.now() - startMs
      await store.close()
      return { elapsedMs }
    },
    bare: async () => {
      const to = await fresh(dir, `bare-${Math.random()}`)
      const startMs = performance.now()
      const target = await openTarget(to, { readOnly: false, driver })
      await prepareSchema(target)
      for (const transaction of transactions)
        await target.transaction(async () => {
          for (const part of transaction) await target.append(part)
        })
      const elapsedMs = performance.now() - startMs
      await target.close()
      return { elapsedMs }
    },
  })
  const perSecond = ({ elapsedMs }) => (rows / elapsedMs) * 1000
  report.table(
    `${name}: ${rows} rows of ${commands} commands, rows a second`,
    ['', 'median', 'best'],
    Object.entries(results).map(([what, of]) => {
      const { median, max } = spreadOf(of, perSecond)
      return [what, rate(median), rate(max)]
    }),
    {
      note: 'bare: the same rows from memory into the same tables and in the same transactions, by appender or COPY and nothing else.',
      data: results,
    },
  )
  report.goal(
    `${name}: the store over the bare way`,
    ratioOf(results.store, results.bare, perSecond).median,
    { atLeast: 0.7 },
  )
}

/** A pool with arrivals at a fixed rate and at full speed, with a store that follows in a process of its own and without. */
async function follow(name, { fresh }) {
  const run = (stored) => () =>
    inFolder(settings.dir, async (base) => {
      const dir = path.join(base, 'log')
      const pool = await EnginePool.open({
        dir,
        instruments: tape.instruments,
        checkpointBytes: 0,
        maxInFlight: 1_048_576,
      })
      const child = stored ? await followedBy(name, dir, await fresh(base, 'follow')) : undefined
      const batch = pool.batch()
      const arrivals = ratePerSecond * seconds
      const result = await runArrivals({ ratePerSecond, arrivals, window: 1_048_576 }, (from, to) => {
        tape.play(batch, from, to)
        const acknowledged = pool.submitBatch(batch)
        batch.clear()
        return acknowledged
      })
      const late = child && (await child.caughtUp(pool.durableLsn))
      await pool.close()
      return { ...result, late }
    })
  const full = (stored) => () =>
    inFolder(settings.dir, async (base) => {
      const dir = path.join(base, 'log')
      const pool = await EnginePool.open({ dir, instruments: tape.instruments, checkpointBytes: 0 })
      const child = stored ? await followedBy(name, dir, await fresh(base, 'follow')) : undefined
      const { elapsedMs } = await drive(pool, tape, {
        from: 0,
        to: tape.length,
        timeMs: 60_000,
        handover: 'batch',
        perBatch,
        window: 10_000,
      })
      await child?.caughtUp(pool.durableLsn)
      await pool.close()
      return { perSecond: (tape.length / elapsedMs) * 1000 }
    })
  const arrived = await interleaved(rounds, { 'with a store': run(true), without: run(false) })
  const on = arrived['with a store']
  report.table(
    `${name}: ${ratePerSecond} commands a second for ${seconds} s`,
    ['', 'acknowledged p50', 'p99', 'stored p50', 'stored p99', 'rate'],
    Object.entries(arrived).map(([what, of]) => [
      what,
      ...['p50Ms', 'p99Ms'].map((quantile) =>
        duration(spreadOf(of, ({ latency }) => latency[quantile]).median),
      ),
      ...['p50Ms', 'p99Ms'].map((quantile) =>
        of[0].late ? duration(spreadOf(of, ({ late }) => late.latency[quantile]).median) : '',
      ),
      of.every(({ kept }) => kept) ? 'kept' : 'NOT kept',
    ]),
    {
      note: 'Stored: from when the oldest record of a transaction was logged to when it could be queried.',
      data: arrived,
    },
  )
  report.goal(`${name}: lag p99, ms`, spreadOf(on, ({ late }) => late.latency.p99Ms).median, {
    atMost: 1000,
    unit: ' ms',
    absolute: true,
  })
  const fast = await interleaved(rounds, { 'with a store': full(true), without: full(false) })
  report.table(
    `${name}: commands a second, as fast as they are acknowledged`,
    ['', 'median', 'best'],
    Object.entries(fast).map(([what, of]) => {
      const { median, max } = spreadOf(of, ({ perSecond }) => perSecond)
      return [what, rate(median), rate(max)]
    }),
    { note: `Both share ${report.machine.processors ?? 'the'} processors of the machine.`, data: fast },
  )
}

async function followedBy(name, dir, to) {
  const child = fork(path.join(import.meta.dirname, 'lib/store-child.mjs'), {
    env: { ...process.env, DIR: dir, TO: to, TARGET: name },
  })
  await once(child, 'message')
  return {
    caughtUp: async (lsn) => {
      const answer = once(child, 'message')
      child.send(lsn)
      const [stats] = await answer
      await once(child, 'exit')
      return stats
    },
  }
}
