import { EnginePool } from '../../dist/src/index.js'
import { etcd } from '../../dist/src/replication/etcd/index.js'

// The primary of the failover demo: submits orders that rest, in batches, and prints the ids of those that are acknowledged.
const { DIR, ENDPOINTS, LEASE_MS } = process.env
const ordersABatch = 20
const batchesInFlight = 5

const pool = await EnginePool.open({
  dir: DIR,
  instruments: [{ symbol: 'BTC-USD', tickSize: '0.01', lotSize: '0.00001' }],
  replication: { log: etcd({ endpoints: ENDPOINTS }), pool: 'demo', leaseMs: Number(LEASE_MS) },
})
process.stdout.write('ready\n')

let orderId = 0
async function caller() {
  for (;;) {
    const ids = Array.from({ length: ordersABatch }, () => ++orderId)
    await pool.submitBatch(
      ids.map((id) => ({
        type: 'new',
        symbol: 'BTC-USD',
        orderId: id,
        account: 1 + (id % 100),
        side: id % 2 ? 'buy' : 'sell',
        orderType: 'limit',
        price: id % 2 ? `${90 + (id % 9)}.00` : `${110 + (id % 9)}.00`,
        quantity: '1',
      })),
    )
    process.stdout.write(`${ids.join(' ')}\n`)
  }
}
await Promise.all(Array.from({ length: batchesInFlight }, caller))
