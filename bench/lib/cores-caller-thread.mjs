import { availableParallelism } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import { drive } from '../../dist/src/cli/bench/drive.js'
import { CommandTape } from '../../dist/src/cli/bench/tape.js'
import { EnginePool } from '../../dist/src/index.js'
import { closedLoop, rawWrites } from './closed-loop.mjs'
import { filled, inFolder } from './settings.mjs'

const symbols = 64
const { dir: parent, processors, shards, spinUs, commands, looped, inFlight, rawMs } = workerData
if (availableParallelism() !== processors)
  throw new Error(`the process may use ${availableParallelism()} processors, not ${processors}`)
const warm = Math.round(commands / 4)
const warmLoop = Math.round(looped / 4)
const tape = new CommandTape({ commands: warm + commands + warmLoop + looped, symbols })
const objects = tape.objects(0, tape.length)
const result = await inFolder(parent, async (dir) => {
  const pool = await EnginePool.open({
    dir,
    instruments: tape.instruments,
    shards,
    spinUs,
    checkpointBytes: 0,
  })
  const part = { handover: 'batch', perBatch: 1000, window: 65_536, timeMs: Number.POSITIVE_INFINITY }
  await drive(pool, tape, { ...part, from: 0, to: warm })
  await filled(dir)
  const { elapsedMs } = await drive(pool, tape, { ...part, from: warm, to: warm + commands })
  await filled(dir)
  const first = warm + commands
  const loop = (from, to) => closedLoop(pool, objects, { from: first + from, to: first + to, inFlight })
  await loop(0, warmLoop)
  const { latency, flushBytes, elapsedMs: loopedMs } = await loop(warmLoop, warmLoop + looped)
  await pool.close()
  return {
    perSecond: (commands / elapsedMs) * 1000,
    loopedPerSecond: (looped / loopedMs) * 1000,
    latency: latency.summary(),
    raw: rawWrites(dir, flushBytes, rawMs).summary(),
  }
})
parentPort.postMessage(result)
