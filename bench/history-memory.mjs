// Memory while a long log becomes an archive and a store: the heap after a collection, and what the process takes in all, at
// even distances. Flat means that history may be of any length.
//
//   npm run bench:history-memory -- [--quick] [--dir FOLDER] [--commands 10000000] [--what archive|store]
import { spawn } from 'node:child_process'
import * as path from 'node:path'
import { createInterface } from 'node:readline'
import { drive } from '../dist/src/cli/bench/drive.js'
import { CommandTape } from '../dist/src/cli/bench/tape.js'
import { bytes, count, duration } from '../dist/src/cli/number-format.js'
import { EnginePool } from '../dist/src/index.js'
import { Report } from './lib/report.mjs'
import { progress } from './lib/rounds.mjs'
import { inFolder, readSettings, whole } from './lib/settings.mjs'

const settings = readSettings({ commands: '', what: '' })
const { pick, flags } = settings
const commands = whole('commands', flags.commands || String(pick(200_000, 1_000_000, 10_000_000)))
const pieceCommands = Math.min(commands, 500_000)

/** The same flow again and again; an order whose id is still open is rejected, and all of it is in the log. A longer tape would take more memory than what is measured. */
async function writeLog(dir) {
  const tape = new CommandTape({ commands: pieceCommands, symbols: 8 })
  const pool = await EnginePool.open({ dir, instruments: tape.instruments, checkpointBytes: 0 })
  for (let written = 0; written < commands; written += pieceCommands) {
    await drive(pool, tape, {
      from: 0,
      to: pieceCommands,
      timeMs: 600_000,
      handover: 'batch',
      perBatch: 1000,
      window: 50_000,
    })
    progress(`${count(written + pieceCommands)} of ${count(commands)} commands are logged`)
  }
  await pool.close()
}

async function run(what, folder) {
  const child = spawn(
    process.execPath,
    ['--expose-gc', path.join(import.meta.dirname, 'lib/history-memory-child.mjs')],
    {
      env: { ...process.env, WHAT: what, LOG: path.join(folder, 'log'), TO: path.join(folder, what) },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const samples = []
  for await (const line of createInterface({ input: child.stdout })) samples.push(JSON.parse(line))
  return samples
}

const report = new Report('history-memory', 'Memory while a log is archived and stored', settings)
await inFolder(settings.dir, async (folder) => {
  await writeLog(path.join(folder, 'log'))
  for (const what of flags.what ? [flags.what] : ['archive', 'store']) {
    const startMs = performance.now()
    const samples = await run(what, folder)
    const end = samples.at(-1)
    report.table(
      `${what}: ${count(end.rows)} rows, ${count(end.trades)} trades, in ${duration(performance.now() - startMs)}`,
      ['rows', 'heap', 'array buffers and external', 'resident'],
      samples.map((sample) => [
        count(sample.rows),
        bytes(sample.heapUsed),
        bytes(sample.external),
        bytes(sample.rss),
      ]),
      {
        note: 'The heap after a full collection. DuckDB keeps its own memory, up to its limit.',
        data: samples,
      },
    )
  }
})
report.finish()
