import * as net from 'node:net'
import { describe, expect, it } from 'vitest'
import { faultCases, faultCount } from '../support/fault-tier.js'
import { openVenue, serverModules } from '../support/served-venue.js'
import { RestClient, type SigningKey, SocketClient } from '../support/venue-client.js'

/** Small and the same for a seed (mulberry32). */
class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed | 0
  }

  below(bound: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * bound)
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!
  }

  text(length: number): string {
    let text = ''
    for (let i = 0; i < length; i++)
      text += String.fromCharCode(this.below(this.below(2) === 0 ? 128 : 0x800))
    return text
  }
}

const names = [
  'symbol',
  'side',
  'type',
  'timeInForce',
  'quantity',
  'price',
  'stopPrice',
  'icebergQty',
  'trailingDelta',
  'newClientOrderId',
  'orderId',
  'origClientOrderId',
  'limit',
  'fromId',
  'startTime',
  'endTime',
  'interval',
  'symbols',
  'timestamp',
  'recvWindow',
  'signature',
  'apiKey',
  'cancelReplaceMode',
  'cancelOrderId',
  'newQty',
  'windowSize',
  'listenKey',
  'countdownTime',
  '__proto__',
  'constructor',
]
const values = [
  'BTCUSDT',
  'btcusdt',
  'BUY',
  'SELL',
  'LIMIT',
  'MARKET',
  'STOP_LOSS',
  'GTC',
  'IOC',
  'FOK',
  '1',
  '0',
  '-1',
  '0.5',
  '60000',
  '1e3',
  '1e400',
  'NaN',
  'Infinity',
  'null',
  'true',
  '',
  ' ',
  '99999999999999999999',
  '0.00000000000000000000000001',
  '[]',
  '["BTCUSDT"]',
  '{"a":1}',
  '1m',
  '1d',
  'STOP_ON_FAILURE',
  '%',
  '\u0000',
  '９',
  '9007199254740993',
  '__proto__',
]
const routes = [
  ['GET', '/ping'],
  ['GET', '/time'],
  ['GET', '/exchangeInfo'],
  ['GET', '/depth'],
  ['GET', '/trades'],
  ['GET', '/historicalTrades'],
  ['GET', '/aggTrades'],
  ['GET', '/klines'],
  ['GET', '/avgPrice'],
  ['GET', '/ticker'],
  ['GET', '/ticker/24hr'],
  ['GET', '/ticker/price'],
  ['GET', '/ticker/bookTicker'],
  ['GET', '/ticker/tradingDay'],
  ['POST', '/order'],
  ['POST', '/order/test'],
  ['GET', '/order'],
  ['DELETE', '/order'],
  ['POST', '/order/cancelReplace'],
  ['PUT', '/order/amend/keepPriority'],
  ['GET', '/openOrders'],
  ['DELETE', '/openOrders'],
  ['GET', '/allOrders'],
  ['GET', '/myTrades'],
  ['GET', '/account'],
  ['POST', '/countdownCancelAll'],
  ['POST', '/userDataStream'],
  ['PUT', '/userDataStream'],
] as const
const methods = [
  'ping',
  'time',
  'depth',
  'klines',
  'ticker',
  'order.place',
  'order.cancel',
  'order.status',
  'order.cancelReplace',
  'openOrders.cancelAll',
  'session.logon',
  'session.status',
  'session.cancelOnDisconnect',
  'userDataStream.subscribe',
  'userDataStream.unsubscribe',
  'allOrders',
  'myTrades',
  'SUBSCRIBE',
  'UNSUBSCRIBE',
  'SET_PROPERTY',
  'constructor',
  '__proto__',
  'toString',
]

function parameters(random: Random): Record<string, string> {
  const chosen: Record<string, string> = {}
  // Mostly what a request needs, so that odd ones get past the first checks.
  if (random.below(4) > 0) Object.assign(chosen, { symbol: 'BTCUSDT' })
  if (random.below(2) > 0)
    Object.assign(chosen, {
      side: 'BUY',
      type: 'LIMIT',
      timeInForce: 'GTC',
      quantity: '0.001',
      price: '50000',
    })
  for (let i = random.below(4); i > 0; i--) {
    const name = random.pick(names)
    if (name !== 'timestamp' && name !== 'signature' && name !== 'apiKey')
      Object.defineProperty(chosen, name, {
        value: random.below(5) === 0 ? random.text(random.below(80)) : random.pick(values),
        enumerable: true,
        configurable: true,
        writable: true,
      })
  }
  return chosen
}

/** Sends bytes that are no request, or nearly one, and waits until the server closes or a moment has passed. */
function sendBytes(url: string, bytes: Buffer): Promise<void> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve) => {
    const socket = net.connect(Number(port), hostname, () => socket.write(bytes))
    const end = setTimeout(() => socket.destroy(), 50)
    socket.on('error', () => {})
    socket.on('data', () => {})
    socket.on('close', () => {
      clearTimeout(end)
      resolve()
    })
  })
}

/** Requests over REST, and messages over each kind of connection, of one case. */
const requestsOfCase = 100

describe.skipIf(typeof serverModules === 'string')('a server that gets what no client should send', () => {
  it('answers each request with a code, has no failure of its own, and serves the others', async () => {
    const { server, alice, reader } = await openVenue({
      weightPerMinute: 0,
      ordersPer10Seconds: 0,
      messagesPerSecond: 1e9,
      queueBytes: 1 << 28,
    })
    const rest = new RestClient(server.url)
    const codes = new Map<number, number>()
    let answered = 0
    let cases = 0

    async function ask(random: Random): Promise<void> {
      const [verb, route] = random.pick(routes)
      const key: SigningKey = random.pick([alice, alice, alice, reader, { ...alice, secret: 'x' }])
      const inBody = random.below(3) === 0 && verb !== 'GET'
      const { status, body } = await rest.signed(verb, route, key, parameters(random), inBody)
      const code: number = status === 200 ? 0 : body.code
      codes.set(code, (codes.get(code) ?? 0) + 1)
      expect(status, `${verb} ${route}: ${JSON.stringify(body)}`).toBeLessThan(500)
      answered++
    }

    async function send(random: Random): Promise<void> {
      const api = await SocketClient.open(server.url, '/ws-api/v3')
      const streams = await SocketClient.open(server.url, '/stream')
      for (let i = 0; i < requestsOfCase; i++) {
        const text = messageOf(random, i)
        for (const client of [api, streams]) client.socket.send(text)
      }
      expect(await api.request('ping')).toMatchObject({ status: 200 })
      expect((await streams.control('LIST_SUBSCRIPTIONS')).id).toBeGreaterThan(0)
      const failed = api.messages.filter(({ status, error }) => status >= 500 || error?.code === -1000)
      expect(failed.slice(0, 3)).toEqual([])
      expect(api.messages.length).toBeGreaterThan(requestsOfCase)
      api.close()
      streams.close()
    }

    for (const seed of faultCases(faultCount('server-fuzz', { short: 12, full: 2000 }), 3 * requestsOfCase)) {
      const random = new Random(seed)
      for (let i = 0; i < requestsOfCase; i += 20)
        await Promise.all(Array.from({ length: 20 }, () => ask(random)))
      await send(random)
      for (let i = 0; i < 5; i++) await sendBytes(server.url, bytesOf(random))
      expect((await rest.get('/ping')).status).toBe(200)
      cases++
    }
    expect(answered).toBe(cases * requestsOfCase)
    if (cases > 5) expect(codes.size).toBeGreaterThan(12)
    expect(codes.has(-1000)).toBe(false)
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200)
  })
})

/** A message that is a request, nearly one, or none. */
function messageOf(random: Random, id: number): string {
  const message = JSON.stringify({
    id: random.below(3) === 0 ? random.pick(values) : id + 1_000_000,
    method: random.pick(methods),
    params: random.below(3) === 0 ? [random.pick(values)] : parameters(random),
  })
  if (random.below(6) === 0) return random.text(200)
  return random.below(4) === 0 ? message.slice(0, random.below(message.length)) : message
}

function bytesOf(random: Random): Buffer {
  const route = random.pick(['ping', 'depth?symbol=BTCUSDT', 'order'])
  const request = `GET /api/v3/${route} HTTP/1.1\r\nHost: x\r\n${random.text(random.below(300))}\r\n\r\n`
  const bytes = Buffer.from(random.below(3) === 0 ? random.text(1 + random.below(2000)) : request, 'utf8')
  for (let flips = random.below(4); flips > 0; flips--) bytes[random.below(bytes.length)] = random.below(256)
  return bytes
}
