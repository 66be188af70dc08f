// Feeds a durable factor engine as fast as it takes ticks, says how many are on disk, and runs until it is killed.
import { writeSync } from 'node:fs'
import { DurableFactorEngine } from '#tidemark/factors/index.js'
import { everyFactor, instruments, tickAt } from '../unit/factors/support/ticks.mjs'

const engine = await DurableFactorEngine.open({
  dir: process.argv[2],
  batchSize: 20,
  maxDelayMs: 2,
  snapshotEveryTicks: 400,
  log: { ringBytes: 1 << 18, segmentBytes: 1 << 18 },
})
if (engine.instruments.length === 0) {
  for (const instrument of instruments) engine.registerAll(instrument, everyFactor)
}
for (let i = engine.recovery.ticks; ; i++) {
  if (engine.full) await engine.ready()
  if (i % 37 === 0) {
    await engine.persistTick(tickAt(i))
    writeSync(1, `${i + 1}\n`)
  } else {
    engine.processTick(tickAt(i))
  }
}
