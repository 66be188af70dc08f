// A primary, and a standby that takes over with every acknowledged order: node examples/replicated-pair.mjs [folder]
//
// Both run in this process, on a replicated log in memory, so that it runs anywhere. In earnest each has a machine of its own, and in place of
// `cluster.engine()` stands `etcd({ endpoints })` of tidemark/replication/etcd; see docs/replication.md.
import { rmSync } from 'node:fs'
import { EnginePool } from 'tidemark'
import { Standby } from 'tidemark/replication'
import { MemoryCluster } from 'tidemark/replication/memory'

const dir = process.argv[2] ?? './pair-data'
rmSync(dir, { recursive: true, force: true }) // what is in memory is gone when the process ends, so both begin anew

const cluster = new MemoryCluster()
const replication = { log: cluster.engine(), pool: 'gold' } // acknowledged when it is here and in the replicated log
const primary = await EnginePool.open({
  dir: `${dir}/primary`,
  instruments: [{ symbol: 'GOLD', tickSize: '0.01', lotSize: '1' }],
  replication,
})
const standby = await Standby.open({ dir: `${dir}/standby`, replication })

const reports = await Promise.all(
  Array.from({ length: 500 }, (_, i) =>
    primary.submit({
      type: 'new',
      symbol: 'GOLD',
      account: 1 + (i % 7),
      requestId: 1 + i,
      side: i % 2 === 0 ? 'buy' : 'sell',
      orderType: 'limit',
      price: (1950 + (i % 5) - (i % 3)).toFixed(2),
      quantity: 1 + (i % 4),
    }),
  ),
)
const before = await primary.digest()
console.log(`${reports.length} orders acknowledged by the primary, up to LSN ${primary.durableLsn}`)
await primary.close() // its machine is gone

const pool = await standby.promote() // takes the epoch, reads the tail, and takes commands
const after = await pool.digest()
console.log(`the books of the new primary are the same: ${before.symbols['GOLD'] === after.symbols['GOLD']}`)

// A caller that got no answer sends again what it sent, with the same requestId: it is executed once.
const again = await pool.submit({
  type: 'new',
  symbol: 'GOLD',
  account: 1 + (499 % 7),
  requestId: 500,
  side: 'sell',
  orderType: 'limit',
  price: (1950 + (499 % 5) - (499 % 3)).toFixed(2),
  quantity: 1 + (499 % 4),
})
console.log(`sent again and executed once: ${again.repeated}`)
await pool.close()
await cluster.close()
