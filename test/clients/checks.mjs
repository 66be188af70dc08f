// What every client is put through. Each script below drives one client, unchanged but for its base addresses, and prints a JSON line
// for each of its checks; test/integration/server-clients.test.ts starts the venue and reads them.
//
//   node test/clients/ccxt.mjs URL KEY SECRET KEY SECRET
import { createHmac } from 'node:crypto'

const [, , url, apiKey, secret, otherKey, otherSecret] = process.argv
export const http = url
export const ws = url.replace('http', 'ws')
export const keys = { apiKey, secret }
export const others = { apiKey: otherKey, secret: otherSecret }
export const symbol = 'BTCUSDT'

const checkMs = 15_000

/** Prints whether `run` gave what `expected` says of it; a refusal is expected by the part of its message. */
export async function check(name, run, expected = () => true) {
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${checkMs} ms`)), checkMs)
  })
  let ok = false
  let shown
  let value
  try {
    value = await Promise.race([run(), late])
    ok = typeof expected === 'function' && Boolean(expected(value))
    shown = value
  } catch (error) {
    shown = error?.message ?? error?.body?.msg ?? String(error)
    ok = typeof expected === 'string' && String(shown).includes(expected)
  }
  clearTimeout(timer)
  print({ name, ok, ...(!ok && { shown: text(shown).slice(0, 500) }) })
  return value
}

function text(value) {
  try {
    return typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value))
  } catch {
    return String(value)
  }
}

function print(result) {
  process.stdout.write(`CHECK ${JSON.stringify(result)}\n`)
}

/** Counts what comes, by name. */
export class Seen {
  counts = {}

  note(name) {
    this.counts[name] = (this.counts[name] ?? 0) + 1
  }

  /** Checks that each of these comes within a while; trades are made meanwhile. */
  async expect(names) {
    const end = Date.now() + checkMs
    while (names.some((name) => !this.counts[name]) && Date.now() < end) {
      await trade()
      await sleep(200)
    }
    for (const name of names)
      await check(
        `stream ${name}`,
        async () => this.counts[name] ?? 0,
        (count) => count > 0,
      )
  }
}

export function sleep(ms) {
  return new Promise((done) => setTimeout(done, ms))
}

let trades = 0

/** Makes a trade between the two accounts, and a resting order that is gone again. */
export async function trade() {
  const price = String(61_000 + (trades++ % 20))
  for (const [key, side] of [
    [keys, 'BUY'],
    [others, 'SELL'],
  ])
    await send(key, { symbol, side, type: 'LIMIT', timeInForce: 'GTC', quantity: '0.001', price })
}

async function send(key, values) {
  const query = new URLSearchParams({ ...values, timestamp: String(Date.now()) }).toString()
  const signature = createHmac('sha256', key.secret).update(query).digest('hex')
  const answer = await fetch(`${http}/api/v3/order?${query}&signature=${signature}`, {
    method: 'POST',
    headers: { 'x-mbx-apikey': key.apiKey },
  })
  if (answer.status !== 200) throw new Error(await answer.text())
}

/** Says that every check was made, and ends: clients hold connections and timers. */
export function done() {
  print({ name: 'done', ok: true })
  process.exit(0)
}
