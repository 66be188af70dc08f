// Feeds a pool and says what memory it takes; runs with --expose-gc and --trace-gc.
import { getHeapSpaceStatistics } from 'node:v8'
import { flowDefaults } from '../../dist/src/cli/flow/flow-settings.js'
import { FlowSource, flowInstruments } from '../../dist/src/cli/flow/flow-source.js'
import { EnginePool } from '../../dist/src/index.js'

const [, , dir, ordersText, symbolsText, shardsText] = process.argv
const commands = Number(ordersText)
const symbols = Number(symbolsText)
const samples = 20
const perBatch = 1000
const window = 32_768

const source = new FlowSource({ ...flowDefaults, commands, symbols })
const pool = await EnginePool.open({
  dir,
  shards: Number(shardsText),
  instruments: flowInstruments(symbols),
  // What is not needed for opening is deleted, so that the log of any number of orders fits the disk.
  keepLogBytes: 0,
})
source.begin({ instrument: (symbol) => pool.instrument(symbol) })
const batch = pool.batch()
const startMs = performance.now()
let taken = 0
let pausedMs = 0
const acknowledged = []
await sample()
for (let more = true; more; ) {
  const goal = Math.ceil(((taken + 1) / commands) * samples) * (commands / samples)
  while (more && taken < goal) {
    more = source.fill(batch, perBatch)
    taken += batch.length
    if (batch.length > 0) acknowledged.push(pool.submitBatch(batch))
    batch.clear()
    if (acknowledged.length * perBatch >= window) await acknowledged.shift()
  }
  await Promise.all(acknowledged.splice(0))
  await sample()
}
await pool.close()

async function sample() {
  const fromMs = performance.now()
  const { restingOrders } = await pool.digest()
  globalThis.gc()
  const { rss, heapUsed, external } = process.memoryUsage()
  const oldGeneration = getHeapSpaceStatistics().find(
    ({ space_name }) => space_name === 'old_space',
  ).space_used_size
  const elapsedMs = fromMs - startMs - pausedMs
  const line = { orders: taken, elapsedMs, rss, heapUsed, oldGeneration, external, resting: restingOrders }
  process.stdout.write(`${JSON.stringify(line)}\n`)
  pausedMs += performance.now() - fromMs
}
