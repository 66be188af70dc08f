// A strategy beside recorded orders: node examples/backtest.mjs [folder] [LOBSTER message file]
//
// The orders of a day go through the book as they did, and an account of ours trades with them. data/ has 400 messages that are made
// up, in the form of https://lobsterdata.com, which has whole days of real ones.
import { createReadStream, rmSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { EnginePool } from 'tidemark'

const dir = process.argv[2] ?? './backtest-data'
const file = process.argv[3] ?? new URL('./data/messages.csv', import.meta.url)
const symbol = 'STOCK'
const others = 1
const takers = 2
const ours = 3
const submission = '1'
const partCancelled = '2'
const deletion = '3'
const execution = '4'

rmSync(dir, { recursive: true, force: true })
const pool = await EnginePool.open({
  dir,
  durability: 'unsafeNone', // a backtest is run again when the power fails
  instruments: [{ symbol, tickSize: '0.0001', lotSize: '1' }],
})

const last = [0].slice(1) // the prices of the last 10 executions, in dollars
let position = 0
let cash = 0
let trades = 0
let rows = 0

for await (const line of createInterface({ input: createReadStream(file) })) {
  const [, kind, id, size = '', price, direction] = line.split(',')
  const orderId = Number(id)
  const side = direction === '1' ? 'buy' : 'sell'
  const dollars = (Number(price) / 10_000).toFixed(4)
  rows++
  if (kind === submission) {
    await pool.submit({
      type: 'new',
      symbol,
      orderId,
      account: others,
      side,
      orderType: 'limit',
      price: dollars,
      quantity: size,
    })
  } else if (kind === partCancelled) {
    await pool.submit({ type: 'reduce', symbol, orderId, quantity: size })
  } else if (kind === deletion) {
    await pool.submit({ type: 'cancel', symbol, orderId })
  } else if (kind === execution) {
    // The message names the order that rested: who took it came from the other side.
    const taker = side === 'buy' ? 'sell' : 'buy'
    await pool.submit({
      type: 'new',
      symbol,
      account: takers,
      side: taker,
      orderType: 'limit',
      timeInForce: 'IOC',
      price: dollars,
      quantity: size,
    })
    last.push(Number(dollars))
    if (last.length > 10) last.shift()
    await trade(Number(dollars), last.reduce((sum, one) => sum + one, 0) / last.length)
  }
}

/** Buys a few when the price is below the mean of the last executions, and sells above it; never more than 100 either way. */
async function trade(price = 0, mean = 0) {
  const side = price < mean ? 'buy' : 'sell'
  if (last.length < 10 || price === mean || (side === 'buy' ? position >= 100 : position <= -100)) return
  const report = await pool.submit({
    type: 'new',
    symbol,
    account: ours,
    side,
    orderType: 'market',
    quantity: 10,
  })
  for (const fill of report.trades) {
    const signed = Number(fill.quantity) * (side === 'buy' ? 1 : -1)
    position += signed
    cash -= signed * Number(fill.price)
    trades++
  }
}

const worth = cash + position * (last.at(-1) ?? 0)
console.log(`${rows} messages, ${pool.stats().trades} trades, ${trades} of them ours`)
console.log(`position ${position}, profit ${worth.toFixed(2)} dollars at the last price`)
await pool.close()
