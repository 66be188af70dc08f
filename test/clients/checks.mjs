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
    shown = error?.message ?? error?.body?.msg ?? error?.msg ?? text(error)
    ok = typeof expected === 'string' && String(shown).includes(expected)
  }
  clearTimeout(timer)
  print({ name, ok, ...(!ok && { shown: text(shown).slice(0, 500) }) })
  return value
}

/**
 * Calls methods one after the other: each as its name, what calls it, and what it has to give, or a part of the message that it is refused
 * with.
 */
export async function checkAll(prefix, methods) {
  for (const [name, run, expected] of methods) await check(`${prefix}${name}`, run, expected)
}

/** A pair of orders around the price, of which one cancels the other; as the dialect wants it today, and before. */
export const pair = {
  symbol,
  side: 'SELL',
  quantity: 0.1,
  aboveType: 'LIMIT_MAKER',
  abovePrice: 70000,
  belowType: 'STOP_LOSS',
  belowStopPrice: 50000,
}
export const oldPair = { symbol, side: 'SELL', quantity: 0.1, price: 70000, stopPrice: 50000 }
const working = {
  symbol,
  workingType: 'LIMIT',
  workingSide: 'BUY',
  workingPrice: 40000,
  workingQuantity: 0.1,
  workingTimeInForce: 'GTC',
}
export const triggering = { ...working, pendingType: 'MARKET', pendingSide: 'SELL', pendingQuantity: 0.1 }
export const triggeringPair = {
  ...working,
  pendingSide: 'SELL',
  pendingQuantity: 0.1,
  pendingAboveType: 'LIMIT_MAKER',
  pendingAbovePrice: 70000,
  pendingBelowType: 'STOP_LOSS',
  pendingBelowStopPrice: 50000,
}

/** What a list of so many orders is answered with. */
export function ofOrders(count) {
  return ({ orders, orderReports }) => orders.length === count && orderReports.length === count
}

export function isDone({ listOrderStatus }) {
  return listOrderStatus === 'ALL_DONE'
}

export function isList(value) {
  return Array.isArray(value)
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
