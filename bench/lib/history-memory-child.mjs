// Archives or stores a log, and samples its own memory after a full collection.
import { archiveLog } from '../../dist/src/archive/index.js'
import { Store } from '../../dist/src/store/index.js'
import { duckdb } from '../../test/support/postgres-server.mjs'

const { WHAT, LOG, TO } = process.env
const samplesMax = 12
let lastMs = performance.now()
let everyMs = 500

function sample(rows, trades) {
  gc()
  const { heapUsed, external, rss } = process.memoryUsage()
  process.stdout.write(`${JSON.stringify({ rows, trades, heapUsed, external, rss })}\n`)
}

/** Seldom enough that the collections are not what is measured. */
let samples = 0
function sampleNowAndThen(rows, trades) {
  if (performance.now() - lastMs < everyMs) return
  sample(rows, trades)
  lastMs = performance.now()
  if (++samples % samplesMax === 0) everyMs *= 2
}

if (WHAT === 'archive') {
  const { readManifest } = await import('../../dist/src/archive/manifest.js')
  const { NodeDisk } = await import('../../dist/src/log/index.js')
  const archived = () => {
    const rows = { all: 0, trades: 0 }
    for (const { files } of readManifest(new NodeDisk(), TO).parts)
      for (const { table, rows: n } of files) {
        rows.all += n
        if (table === 'trades') rows.trades += n
      }
    return rows
  }
  await archiveLog({
    log: LOG,
    archive: TO,
    kind: 'pool',
    onProgress: () => {
      const { all, trades } = archived()
      sampleNowAndThen(all, trades)
    },
  })
  const { all, trades } = archived()
  sample(all, trades)
} else {
  const store = await Store.open({ dir: LOG, to: `${TO}.duckdb`, driver: duckdb, follow: false })
  const timer = setInterval(() => sampleNowAndThen(store.stats().rows, 0), 100)
  await store.ended
  clearInterval(timer)
  const { rows } = await store.query('SELECT COUNT(*) AS n FROM trade_rows')
  sample(store.stats().rows, Number(rows[0].n))
  await store.close()
}
