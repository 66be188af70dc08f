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
const store = await Store.open({ dir: DIR, to: TO, driver, transactionRows: 1000, transactionDelayMs: 5 })
let said = -1
setInterval(() => {
  const { storedLsn } = store.stats()
  if (storedLsn === said) return
  said = storedLsn
  process.stdout.write(`${storedLsn}\n`)
}, 1)
await store.ended
