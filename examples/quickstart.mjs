import { EnginePool } from 'tidemark'

const pool = await EnginePool.open({
  dir: './quickstart-data',
  instruments: [{ symbol: 'BTC-USD', tickSize: '0.01', lotSize: '0.00001' }],
})
const order = { type: 'new', symbol: 'BTC-USD', orderType: 'limit', price: '64000.00', quantity: '0.5' }
await pool.submit({ ...order, orderId: 1, account: 7, side: 'buy' })
const report = await pool.submit({ ...order, orderId: 2, account: 8, side: 'sell', quantity: '0.2' })
console.log(report.status, report.trades[0].price, report.lsn) // on disk, all of it
await pool.close()
