// What the archive takes: rows a second of the archiver, bytes a trade, and how long one symbol of a hundredth of the time
// takes to be found, beside DuckDB on the same files where it is installed (npm ci --prefix test/peers).
//
//   npm run bench:archive -- [--quick] [--dir FOLDER] [--commands 2000000]
import { createRequire } from 'node:module'
import * as path from 'node:path'
import { Archive, archiveLog } from '../dist/src/archive/index.js'
import { drive } from '../dist/src/cli/bench/drive.js'
import { CommandTape } from '../dist/src/cli/bench/tape.js'
import { bytes, count, duration } from '../dist/src/cli/number-format.js'
import { EnginePool } from '../dist/src/index.js'
import { inFolder, readSettings, whole } from './lib/settings.mjs'

const settings = readSettings({ commands: '' })
const commands = whole(
  'commands',
  settings.flags.commands || String(settings.pick(100_000, 500_000, 2_000_000)),
)
const queries = 9
const usOf = ({ user, system }) => user + system

/** DuckDB on the same files, or nothing where it is not installed. */
async function duckdb() {
  try {
    const { DuckDBInstance } = createRequire(new URL('../test/peers/package.json', import.meta.url))(
      '@duckdb/node-api',
    )
    const instance = await DuckDBInstance.create(':memory:')
    const connection = await instance.connect()
    return (sql) => connection.runAndReadAll(sql)
  } catch (error) {
    process.stdout.write(`DuckDB was not measured: ${error.message.split('\n', 1)[0]}\n`)
    return undefined
  }
}

function median(values) {
  return values.toSorted((a, b) => a - b)[values.length >> 1]
}

await inFolder(settings.dir, async (folder) => {
  const [log, dir] = [path.join(folder, 'log'), path.join(folder, 'archive')]
  const tape = new CommandTape({ commands, symbols: 8 })
  const pool = await EnginePool.open({
    dir: log,
    instruments: tape.instruments,
    checkpointBytes: 0,
    maxInFlight: 1_048_576,
    segmentBytes: 16 * 1024 * 1024,
  })
  await drive(pool, tape, {
    from: 0,
    to: commands,
    timeMs: 600_000,
    handover: 'batch',
    perBatch: 1000,
    window: 100_000,
  })
  await pool.close()

  const startMs = performance.now()
  const before = process.cpuUsage()
  let heapBytes = 0
  const report = await archiveLog({
    log,
    archive: dir,
    kind: 'pool',
    onProgress: () => {
      heapBytes = Math.max(heapBytes, process.memoryUsage().rss)
    },
  })
  const ms = performance.now() - startMs
  const cpuUs = usOf(process.cpuUsage(before))
  const rows = Object.values(report.rows).reduce((sum, n) => sum + n, 0)
  const archive = await Archive.open({ dir })
  const { readManifest } = await import('../dist/src/archive/manifest.js')
  const { NodeDisk } = await import('../dist/src/log/index.js')
  const manifest = readManifest(new NodeDisk(), dir)
  const files = manifest.parts.flatMap((part) => part.files)
  const ofTable = (table) => files.filter((file) => file.table === table)
  const bytesOf = (table) => ofTable(table).reduce((sum, file) => sum + file.bytes, 0)
  process.stdout.write(
    `${count(report.records)} records, ${bytes(report.endLsn)} of log, are ${count(rows)} rows in ${bytes(report.bytes)}, ${count(report.parts)} parts\n` +
      `archiver: ${count((rows / ms) * 1000)} rows/s, ${count((rows / cpuUs) * 1e6)} a second of its processor time; largest RSS ${bytes(heapBytes)}\n`,
  )
  for (const table of ['trades', 'order_events', 'commands'])
    process.stdout.write(
      `${table}: ${(bytesOf(table) / report.rows[table]).toFixed(1)} bytes a row, ${count(report.rows[table])} rows\n`,
    )

  const trades = ofTable('trades')
  const firstUs = Math.min(...trades.map(({ firstTimeUs }) => firstTimeUs))
  const lastUs = Math.max(...trades.map(({ lastTimeUs }) => lastTimeUs))
  const { symbol } = tape.instruments[3]
  const sql = await duckdb()
  const list = archive.files('trades').map((file) => `'${file}'`)
  const ownMs = []
  const duckMs = []
  let found = 0
  for (let i = 0; i < queries; i++) {
    const from = Math.floor(firstUs + ((lastUs - firstUs) * (i + 1)) / (queries + 2))
    const to = Math.floor(from + (lastUs - firstUs) / 100)
    let n = 0
    const ownStartMs = performance.now()
    for await (const _ of archive.trades({ symbol, from, to })) n++
    ownMs.push(performance.now() - ownStartMs)
    found += n
    if (!sql) continue
    const duckStartMs = performance.now()
    const result = await sql(
      `SELECT * FROM read_parquet([${list}]) WHERE symbol = '${symbol}' AND epoch_us(time) >= ${from} AND epoch_us(time) < ${to} ORDER BY lsn, event_index`,
    )
    const rowsRead = result.getRowObjects().length
    duckMs.push(performance.now() - duckStartMs)
    if (rowsRead !== n) throw new Error(`DuckDB found ${rowsRead} trades, the archive ${n}`)
  }
  process.stdout.write(
    `one symbol of a hundredth of the time, of ${count(report.rows.trades)} trades: ${count(found / queries)} rows, first ${duration(ownMs[0])}, median ${duration(median(ownMs))}` +
      `${sql ? `; DuckDB first ${duration(duckMs[0])}, median ${duration(median(duckMs))}` : ''}\n`,
  )
})
process.exit(0)
