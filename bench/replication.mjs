// What replication costs, on three nodes of etcd on this machine: appends to the replicated log, and a pool whose acknowledgements
// wait for it, beside bare puts of the same bytes, one that ships after its acknowledgements beside one that ships nothing, and a lone command.
//
//   npm run bench:replication -- [--quick] [--rounds N] [--dir FOLDER] [--commands 800000]
import * as path from 'node:path'
import { drive } from '../dist/src/cli/bench/drive.js'
import { CommandTape } from '../dist/src/cli/bench/tape.js'
import { EnginePool } from '../dist/src/index.js'
import { EtcdKv } from '../dist/src/replication/etcd/etcd-kv.js'
import { etcd } from '../dist/src/replication/etcd/index.js'
import { resolveEtcdOptions } from '../dist/src/replication/etcd/options.js'
import { connectReplicatedLog, promote } from '../dist/src/replication/index.js'
import { etcdMissing, startEtcd } from '../test/support/etcd-cluster.mjs'
import { interleaved, ratioOf, spreadOf } from './lib/rounds.mjs'
import { inFolder, readSettings, whole } from './lib/settings.mjs'

const settings = readSettings({ commands: '' }, { rounds: 3 })
const commands = whole('commands', settings.flags.commands || String(settings.pick(50_000, 400_000, 800_000)))
/** Played before, so that no contender is measured while its code is compiled. */
const warmUp = settings.pick(20_000, 200_000, 200_000)
const loneCommands = settings.pick(50, 200, 300)
const entryBytes = 256 * 1024
const inFlight = 8
const warmUpEntries = settings.pick(16, 64, 64)
const windowBytes = 32 * 1024 * 1024
const quotaBytes = 8 * 1024 ** 3

const missing = etcdMissing()
if (missing) {
  process.stdout.write(`Not measured: ${missing}.\n`)
  process.exit()
}

const tape = new CommandTape({ commands: warmUp + commands, symbols: 8 })
const cluster = await startEtcd({ args: ['--quota-backend-bytes', String(quotaBytes)] })
let pools = 0

/** A pool that plays the tape in batches of 1,000, and then lone commands. */
async function pool(ack) {
  return inFolder(settings.dir, async (folder) => {
    const replication = ack && {
      log: etcd({ endpoints: cluster.endpoints }),
      pool: `bench${pools++}`,
      ack,
      entryBytes,
      inFlight,
      windowBytes,
      closeMs: 60_000,
    }
    const engine = await EnginePool.open({
      dir: path.join(folder, 'log'),
      instruments: tape.instruments,
      checkpointBytes: 0,
      maxInFlight: 1_048_576,
      replication,
    })
    const play = (from, to) =>
      drive(engine, tape, { from, to, timeMs: 60_000, handover: 'batch', perBatch: 1000, window: 100_000 })
    await play(0, warmUp)
    await shipped(engine, 0)
    const { elapsedMs, logBytes } = await play(warmUp, warmUp + commands)
    const shippedMs = await shipped(engine, elapsedMs)
    const symbol = tape.instruments[0].symbol
    const startMs = performance.now()
    for (let i = 0; i < loneCommands; i++) await engine.submit({ type: 'cancel', symbol, orderId: 1 })
    const loneMs = (performance.now() - startMs) / loneCommands
    await engine.close()
    await emptyCluster()
    return { bytes: logBytes, ms: elapsedMs, shippedMs, loneMs }
  })
}

/** Gives every contender the same nodes: what the ones before it put is gone, and the nodes' memory with it. */
async function emptyCluster() {
  const kv = new EtcdKv(resolveEtcdOptions({ endpoints: cluster.endpoints }))
  const everything = { kind: 'delete', from: '/', to: '0' }
  const { revision } = await kv.transact({ compare: [], success: [everything], failure: [] })
  // Refused when nothing was put since the last time.
  await kv.compact(revision).catch(() => {})
  await kv.close()
}

/** How long it took until everything was replicated. */
async function shipped(engine, elapsedMs) {
  const startMs = performance.now()
  while ((engine.stats().replication?.lagBytes ?? 0) > 0)
    await new Promise((resolve) => setTimeout(resolve, 5))
  return elapsedMs + performance.now() - startMs
}

/** Puts of as many bytes, as large and as many at once as the pool's entries, and lone ones as large as a command. */
async function bare(bytes) {
  const kv = new EtcdKv(resolveEtcdOptions({ endpoints: cluster.endpoints }))
  const prefix = `/bare/${pools++}/`
  const result = await written(bytes, (startLsn, value) =>
    kv.transact({
      compare: [],
      success: [{ kind: 'put', key: `${prefix}${startLsn}`, value }],
      failure: [],
    }),
  )
  await kv.close()
  await emptyCluster()
  return result
}

/** The same as appends to a replicated log, with nothing before it. */
async function appended(bytes) {
  const log = await connectReplicatedLog(etcd({ endpoints: cluster.endpoints }), `bench${pools++}`)
  const steps = { owner: 'bench', fromLsn: 0, segmentEpoch: 1n, keep() {}, sync() {}, again() {} }
  const { epoch } = await promote(log, steps)
  const result = await written(bytes, (startLsn, value) => log.append(epoch, { startLsn, bytes: value }))
  await log.close()
  await emptyCluster()
  return result
}

async function written(bytes, write) {
  const value = Buffer.alloc(entryBytes, 7)
  let next = 0
  const writer = async (until) => {
    while (next < until) await write(next++ * entryBytes, value)
  }
  const writeAll = (until) => Promise.all(Array.from({ length: inFlight }, () => writer(until)))
  await writeAll(warmUpEntries)
  const startMs = performance.now()
  await writeAll(warmUpEntries + Math.ceil(bytes / entryBytes))
  const ms = performance.now() - startMs
  const lone = value.subarray(0, 104)
  const loneStartMs = performance.now()
  for (let i = 0; i < loneCommands; i++) await write(next * entryBytes + i * lone.length, lone)
  const loneMs = (performance.now() - loneStartMs) / loneCommands
  return { bytes: Math.ceil(bytes / entryBytes) * entryBytes, ms, shippedMs: ms, loneMs }
}

const rate = ({ bytes, ms }) => bytes / 1e6 / (ms / 1000)
const lone = ({ loneMs }) => loneMs
let tapeBytes = 0
const results = await interleaved(settings.rounds, {
  none: async () => {
    const result = await pool(undefined)
    tapeBytes = result.bytes
    return result
  },
  local: () => pool('local'),
  replicated: () => pool('replicated'),
  appends: () => appended(tapeBytes || commands * 110),
  bare: () => bare(tapeBytes || commands * 110),
})
await cluster.stop()

const text = ({ median, min, max }, digits) =>
  `${median.toFixed(digits)} (${min.toFixed(digits)} to ${max.toFixed(digits)})`
const names = {
  none: 'pool, this disk only',
  local: 'pool, ack: local',
  replicated: 'pool, ack: replicated',
  appends: 'appends, nothing else',
  bare: 'bare puts',
}
process.stdout.write(
  `${commands} commands in batches of 1,000; ${settings.rounds} rounds; entries of ${entryBytes} bytes, ${inFlight} at once\n`,
)
for (const [name, title] of Object.entries(names)) {
  const rates = text(spreadOf(results[name], rate), 1)
  const lones = text(spreadOf(results[name], lone), 3)
  process.stdout.write(`${title.padEnd(24)} ${rates.padEnd(24)} MB/s   lone ${lones} ms\n`)
}
const shippedRate = ({ bytes, shippedMs }) => bytes / 1e6 / (shippedMs / 1000)
process.stdout.write(`ack: local, until shipped ${text(spreadOf(results.local, shippedRate), 1)} MB/s\n`)
process.stdout.write(
  `replicated / bare puts, bytes a second: ${text(ratioOf(results.replicated, results.bare, rate), 2)}\n`,
)
process.stdout.write(
  `appends / bare puts, bytes a second: ${text(ratioOf(results.appends, results.bare, rate), 2)}\n`,
)
process.stdout.write(
  `local / this disk only, bytes a second: ${text(ratioOf(results.local, results.none, rate), 2)}\n`,
)
const both = results.none.map((result, round) => ({ loneMs: result.loneMs + results.bare[round].loneMs }))
process.stdout.write(
  `lone replicated / (this disk + one put): ${text(ratioOf(results.replicated, both, lone), 2)}\n`,
)
