import { drive } from '../../../dist/src/cli/bench/drive.js'
import { CommandTape } from '../../../dist/src/cli/bench/tape.js'
import { filled } from '../settings.mjs'
import { writeBatches } from '../store-batches.mjs'
import { stores } from '../stores.mjs'
import { threadTimes, timesACommand } from './thread-times.mjs'

const symbols = 8
/** What the code is warmed up with before batches of the sizes that are measured. */
const warmSizes = [100, 1000]

/** Wall time, processor time of each thread, and bytes of log, for one command, after a warm-up. */
export async function throughput({ dir, load, commands, handover, perBatch, window }) {
  const { EnginePool } = await load('dist/src/index.js')
  const warm = Math.round(commands / 4)
  const tape = new CommandTape({ commands: warm + commands, symbols })
  const objects = handover === 'batch' ? undefined : tape.objects(0, warm + commands)
  const pool = await EnginePool.open({ dir, instruments: tape.instruments, checkpointBytes: 0 })
  const part = { handover, perBatch, window, objects, timeMs: Number.POSITIVE_INFINITY }
  await drive(pool, tape, { ...part, from: 0, to: warm })
  const before = threadTimes()
  const { elapsedMs, logBytes } = await drive(pool, tape, { ...part, from: warm, to: warm + commands })
  const after = threadTimes()
  await pool.close()
  return {
    'wall ns': (elapsedMs * 1e6) / commands,
    ...timesACommand(before, after, commands),
    'log bytes': logBytes / commands,
  }
}

/** Wall time of a record in durable batches of each size: the pool of a build, or another store. */
export async function batches({ dir, load, store, sizes, commands, warmMs, forMs }) {
  const { EnginePool } = await load('dist/src/index.js')
  const { DurableLog } = await load('dist/src/log/index.js')
  const tape = new CommandTape({ commands, symbols: 1 })
  const opened = await stores(tape, { EnginePool, DurableLog })[store](dir)
  for (const size of warmSizes) await writeBatches(opened, size, warmMs / warmSizes.length)
  await filled(dir)
  const times = {}
  for (const size of sizes) {
    const { perSecond } = await writeBatches(opened, size, forMs)
    times[`batches of ${size}: ns`] = 1e9 / perSecond
  }
  await opened.close()
  return times
}
