import { writeSync } from 'node:fs'
import { EnginePool } from '#tidemark/pool/index.js'

// Submits without end, consumes its own events by a cursor, and says what it was given and what it is about to
// acknowledge, until it is killed.
const { DIR, SEED, FIRST_ORDER, KEEP_LOG_BYTES } = process.env
let state = Number(SEED)
const random = (below) => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0
  return Math.floor((state / 0x1_0000_0000) * below)
}

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

const pool = await EnginePool.open({
  dir: DIR,
  shards: 2,
  ringBytes: 64 * 1024,
  segmentBytes: 64 * 1024,
  maxBatchBytes: 8192,
  keepSnapshots: 1,
  keepLogBytes: Number(KEEP_LOG_BYTES),
  checkpointBytes: 200_000,
  instruments: ['AAA', 'BBB'].map((symbol) => ({ symbol, tickSize: '1', lotSize: '1' })),
})
const subscription = pool.subscribe({ cursor: 'risk', bufferBytes: 64 * 1024 })
let orderId = Number(FIRST_ORDER)

async function submit() {
  for (;;) {
    const batch = Array.from({ length: 1 + random(40) }, () => ({
      type: 'new',
      symbol: random(2) ? 'AAA' : 'BBB',
      orderId: orderId++,
      account: 1 + random(9),
      side: random(2) ? 'buy' : 'sell',
      orderType: 'limit',
      price: 95 + random(10),
      quantity: 1 + random(9),
    }))
    const { lsn } = await pool.submitBatch(batch)
    // Not further ahead than the consumer can follow: what it has not seen must not be invalidated.
    while (lsn - subscription.deliveredLsn > 500_000) await new Promise((resolve) => setTimeout(resolve, 1))
  }
}

async function consume() {
  let lines = []
  for await (const { lsn, index, event } of subscription) {
    lines.push(`d ${lsn} ${index} ${event}`)
    if (random(100) > 0) continue
    say(lines.join('\n'))
    lines = []
    const lsnToAcknowledge = subscription.deliveredLsn
    if (random(3) === 0) continue
    say(`a ${lsnToAcknowledge}`)
    subscription.acknowledge(lsnToAcknowledge)
    if (random(4) > 0) continue
    await subscription.flush()
    say(`f ${lsnToAcknowledge}`)
  }
}

say('ready')
await Promise.all([submit(), consume()])
