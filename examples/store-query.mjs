// Questions to a log, in SQL: node examples/store-query.mjs [folder]. Needs `npm install @duckdb/node-api`.
import { EnginePool } from 'tidemark'
import { Store } from 'tidemark/store'

const dir = process.argv[2] ?? './store-data'
const pool = await EnginePool.open({
  dir: `${dir}/pool`,
  instruments: [{ symbol: 'GOLD', tickSize: '0.01', lotSize: '1' }],
})
const store = await Store.open({ dir: `${dir}/pool`, to: `${dir}/gold.duckdb` })

let lsn = 0
for (let i = 0; i < 300; i++) {
  const report = await pool.submit({
    type: 'new',
    symbol: 'GOLD',
    account: 1 + (i % 5),
    side: Math.random() < 0.5 ? 'buy' : 'sell',
    orderType: 'limit',
    price: (1950 + (Math.random() - 0.5) * 2).toFixed(2),
    quantity: 1 + Math.floor(Math.random() * 10),
  })
  lsn = report.lsn
}
await store.caughtUp(lsn) // what was acknowledged can be queried

const questions = {
  'the busiest accounts':
    'SELECT taker_account, count(*) AS trades FROM trades GROUP BY taker_account ORDER BY trades DESC, taker_account LIMIT 3',
  'candles of a second': "SELECT * FROM candles(INTERVAL '1 second') LIMIT 3",
  'what is open':
    'SELECT side, count(*) AS orders FROM orders WHERE remaining > 0 GROUP BY side ORDER BY side',
}
for (const [question, sql] of Object.entries(questions)) {
  console.log(question)
  console.table((await store.query(sql)).rows)
}
await store.close()
await pool.close()
