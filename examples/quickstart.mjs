import { EnginePool } from 'tidemark'

const pool = await EnginePool.open({
  dir: './quickstart-data',
  instruments: [{ symbol: 'BTC-USD', tickSize: '0.01', lotSize: '0.00001' }],
})
await pool.submit({
  type: 'new',
  symbol: 'BTC-USD',
  orderId: 1,
  account: 7,
  side: 'buy',
  orderType: 'limit',
  price: '64000.00',
  quantity: '0.5',
})
const report = await pool.submit({
  type: 'new',
  symbol: 'BTC-USD',
  orderId: 2,
  account: 8,
  side: 'sell',
  orderType: 'limit',
  price: '64000.00',
  quantity: '0.2',
})
console.log(report.status, report.trades[0]?.price, report.lsn) // on disk, all of it
await pool.close() // a pool that is open keeps the process alive
