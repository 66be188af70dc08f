// Follows a log into a store in a process of its own until it is asked to end, and reports what it did.
import { Store } from '../../dist/src/store/index.js'
import { duckdb, postgresDriver } from '../../test/support/postgres-server.mjs'

const { DIR, TO, TARGET } = process.env
const driver = TARGET === 'duckdb' ? duckdb : postgresDriver
const store = await Store.open({ dir: DIR, to: TO, driver })
process.send('ready')
process.on('message', async (lsn) => {
  await store.caughtUp(lsn)
  const stats = store.stats()
  await store.close()
  process.send({ ...stats, cpu: process.cpuUsage() })
  process.disconnect()
})
