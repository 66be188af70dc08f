// Reads the report lines of the workload of argument 1 back out of the log in folder 2, and prints their SHA-256.

import { BenchmarkSource } from '#tidemark/cli/inputs/benchmark-source.js'
import { InputFile } from '#tidemark/cli/inputs/input-file.js'
import { BenchmarkMessages, BenchmarkReports } from '#tidemark/cli/run/benchmark-reports.js'
import { EnginePool } from '#tidemark/pool/index.js'

/** Takes the messages' numbers and types from the input, and submits nothing. */
async function readMessages(input) {
  const source = new BenchmarkSource(await InputFile.open(input))
  const messages = new BenchmarkMessages()
  const noBatch = { length: 0, addNew() {}, addCancel() {}, addReplace() {} }
  source.onMessage = (sequence, type) => messages.add(sequence, type)
  source.begin({ instrument: () => ({ id: 0 }) })
  while (await source.fill(noBatch, 1)) {}
  return messages
}

const [input, dir] = process.argv.slice(2)
const reports = new BenchmarkReports(await readMessages(input))
const pool = await EnginePool.open({ dir, shards: 1 })
for await (const event of pool.subscribe({ to: pool.durableLsn })) reports.event(event)
reports.end()
await pool.close()
process.stdout.write(`${reports.sha256}\n`)
