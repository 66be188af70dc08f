// Runs the workload of argument 1 through a pool in folder 2, says when all is acknowledged, and never closes the pool.

import { BenchmarkSource } from '#tidemark/cli/inputs/benchmark-source.js'
import { InputFile } from '#tidemark/cli/inputs/input-file.js'
import { Feeder } from '#tidemark/cli/run/feeder.js'
import { EnginePool } from '#tidemark/pool/index.js'

const [input, dir] = process.argv.slice(2)
const source = new BenchmarkSource(await InputFile.open(input))
const pool = await EnginePool.open({ dir, shards: 1, instruments: source.instruments })
const feeder = new Feeder(pool, source, { handover: 500, window: 20_000, ratePerSecond: undefined })
await feeder.run()
process.stdout.write(`${feeder.counts.acknowledged} commands acknowledged\n`)
setInterval(() => {}, 1000)
