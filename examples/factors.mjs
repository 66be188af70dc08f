// Live factors of a matching pool's own trades. Both the pool and the factor engine are durable: kill this program at
// any time and start it again, and books and factors go on where they were.
//
//   node examples/factors.mjs [folder]
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import * as path from 'node:path'
import { EnginePool } from 'tidemark'
import { DurableFactorEngine } from 'tidemark/factors'

const folder = process.argv[2] ?? mkdtempSync(path.join(tmpdir(), 'tidemark-factors-'))
const symbols = ['ACME', 'GLOBEX']
const orders = 1000

const pool = await EnginePool.open({
  dir: path.join(folder, 'pool'),
  instruments: symbols.map((symbol) => ({ symbol, tickSize: '0.01', lotSize: '1' })),
})
const factors = await DurableFactorEngine.open({ dir: path.join(folder, 'factors') })
for (const symbol of symbols) {
  if (factors.instruments.some(({ name }) => name === symbol)) continue
  factors.registerAll(symbol, {
    ma5: 'mean(last, 5)',
    ma20: 'mean(last, 20)',
    rsi14: 'rsi(last, 14)',
    macd: 'macd(last, 12, 26, 9)',
    vwap: 'vwap()',
  })
}

// The pool emits all its durable events again, from the beginning of its log, in the same order each time: the factors
// have seen the first so many trades of a symbol, whatever moment the last run ended at.
const tradesSeen = new Map(symbols.map((symbol) => [symbol, 0]))
let readLsn = 0
const stop = new AbortController()
const feeding = (async () => {
  for await (const event of pool.subscribe({ signal: stop.signal })) {
    readLsn = event.lsn
    if (event.event !== 'trade') continue
    const seen = (tradesSeen.get(event.symbol) ?? 0) + 1
    tradesSeen.set(event.symbol, seen)
    const known = factors.instruments.find(({ name }) => name === event.symbol)
    if (known && seen <= known.ticks) continue
    if (factors.full) await factors.ready()
    factors.processTick({
      instrument: event.symbol,
      timestamp: event.lsn,
      last: Number(event.price),
      volume: Number(event.quantity),
    })
  }
})()

const unsubscribe = factors.onUpdate(({ instrument, factors: values }) => {
  if (values['macd.signal'] !== undefined && Math.random() < 0.01) {
    const shown = Object.entries(values).map(([name, value]) => `${name} ${value?.toFixed(3)}`)
    console.log(`${instrument?.padEnd(8)} ${shown.join('  ')}`)
  }
})
console.log(`${factors.recovery.ticks} trades seen before, in ${folder}`)

// A random order flow around a price that wanders.
let price = 100
const first = Date.now() * 1000
let lastLsn = 0
for (let i = 0; i < orders; i++) {
  price += (Math.random() - 0.5) * 0.1
  const report = await pool.submit({
    type: 'new',
    symbol: symbols[i % symbols.length],
    orderId: first + i,
    account: 1 + (i % 5),
    side: Math.random() < 0.5 ? 'buy' : 'sell',
    orderType: 'limit',
    price: (price + (Math.random() - 0.5) * 0.2).toFixed(2),
    quantity: String(1 + Math.floor(Math.random() * 100)),
  })
  lastLsn = report.lsn
}

while (readLsn < lastLsn) await new Promise((resolve) => setTimeout(resolve, 10))
await factors.flush()
unsubscribe()
stop.abort()
await feeding
for (const { name, ticks } of factors.instruments) console.log(name, `${ticks} trades`, factors.getAll(name))
await factors.close()
await pool.close()
