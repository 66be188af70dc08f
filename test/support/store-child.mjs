import { createRequire } from 'node:module'
import * as path from 'node:path'
import { Store } from '#tidemark/store/index.js'

// Follows a log into a store without end, and says how far it is, until it is killed.
const { DIR, TO, TARGET } = process.env
const require = createRequire(path.resolve(import.meta.dirname, '../peers/package.json'))
const driver =
  TARGET === 'duckdb'
    ? require('@duckdb/node-api')
    : { pg: require('pg'), copyFrom: require('pg-copy-streams').from }

/** A machine that has much else to do may take longer to answer than a store waits. */
async function open(triesLeft) {
  try {
    return await Store.open({ dir: DIR, to: TO, driver, transactionRows: 1000, transactionDelayMs: 5 })
  } catch (error) {
    if (error.code !== 'TIDEMARK_STORE_UNREACHABLE' || triesLeft === 0) throw error
    return open(triesLeft - 1)
  }
}
const store = await open(5)
let said = -1
setInterval(() => {
  const { storedLsn } = store.stats()
  if (storedLsn === said) return
  said = storedLsn
  process.stdout.write(`${storedLsn}\n`)
}, 1)
await store.ended
