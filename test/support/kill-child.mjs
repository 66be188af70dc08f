import { writeSync } from 'node:fs'
import { EnginePool } from '#tidemark/pool/index.js'

// Submits a random flow without end and writes one line for each acknowledgement, until it is killed.
const { DIR, SEED, SHARDS, IN_FLIGHT } = process.env
let state = Number(SEED)
const random = (below) => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0
  return Math.floor((state / 0x1_0000_0000) * below)
}
const symbols = ['AAA', 'BBB', 'CCC']
const pool = await EnginePool.open({
  dir: DIR,
  shards: Number(SHARDS),
  ringBytes: 1 << 20,
  segmentBytes: 256 * 1024,
  instruments: symbols.map((symbol) => ({ symbol, tickSize: '1', lotSize: '1' })),
})

/** Writes a whole line into the pipe now, however slowly the other end reads. */
function say(line) {
  const bytes = Buffer.from(`${line}\n`)
  for (let done = 0; done < bytes.length; ) {
    try {
      done += writeSync(1, bytes, done)
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error
    }
  }
}
const sent = { AAA: 0, BBB: 0, CCC: 0 }
let base = Number(process.env.FIRST_ORDER)

function command() {
  const symbol = symbols[random(3)]
  const tag = sent[symbol]++
  const kind = random(10)
  if (kind < 2) return { type: 'cancel', symbol, orderId: 1 + random(base), tag }
  if (kind < 3)
    return {
      type: 'replace',
      symbol,
      orderId: 1 + random(base),
      price: 90 + random(20),
      quantity: 1 + random(50),
      tag,
    }
  const market = kind === 9
  return {
    type: 'new',
    symbol,
    orderId: base++,
    account: 1 + random(9),
    side: random(2) ? 'buy' : 'sell',
    orderType: market ? 'market' : 'limit',
    ...(market ? {} : { price: 90 + random(20) }),
    quantity: 1 + random(50),
    timeInForce: market || kind === 8 ? 'IOC' : 'GTC',
    tag,
  }
}

async function caller() {
  for (;;) {
    const next = command()
    const report = await pool.submit(next)
    const trades = report.trades.map((trade) => [
      trade.tradeId,
      trade.makerOrderId,
      trade.takerOrderId,
      trade.price,
      trade.quantity,
    ])
    say(
      JSON.stringify({ symbol: next.symbol, tag: next.tag, lsn: report.lsn, status: report.status, trades }),
    )
  }
}
say('ready')
await Promise.all(Array.from({ length: Number(IN_FLIGHT) }, caller))
