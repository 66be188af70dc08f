import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { faultCases, faultCount } from '../support/fault-tier.js'
import { frame, HostileSocket, upgradeOf } from '../support/hostile-socket.js'
import { openVenue, type ServedVenue, serverModules } from '../support/served-venue.js'
import { RestClient, SocketClient } from '../support/venue-client.js'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** What the process holds, server and clients together, after a collection. */
function bytesHeld(): number {
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

const generousBytes = 48 << 20

/** A client that behaves: it places and cancels while others do not, and follows what it subscribed to. */
class Witness {
  readonly #venue: ServedVenue
  readonly #api: SocketClient
  readonly #depth: SocketClient
  #isOver = false
  #orders = 0
  readonly #running: Promise<void>

  static async begin(venue: ServedVenue): Promise<Witness> {
    const api = await SocketClient.open(venue.server.url, '/ws-api/v3')
    await api.request('session.logon', {}, venue.alice)
    return new Witness(venue, api, await SocketClient.open(venue.server.url, '/ws/btcusdt@depth@100ms'))
  }

  private constructor(venue: ServedVenue, api: SocketClient, depth: SocketClient) {
    this.#venue = venue
    this.#api = api
    this.#depth = depth
    this.#running = this.#run()
    // A failure is that of `finish`; a test that failed before has said why.
    this.#running.catch(() => {})
  }

  /** Every order was answered, and every change of the depth came. */
  async finish(): Promise<void> {
    this.#isOver = true
    await this.#running
    const { body } = await new RestClient(this.#venue.server.url).get('/depth', { symbol: 'BTCUSDT' })
    await this.#depth.message((event) => event.u === body.lastUpdateId)
    expect(this.#orders).toBeGreaterThan(0)
    expect(body.lastUpdateId).toBe(2 * this.#orders)
    let previous = 0
    for (const { U, u } of this.#depth.messages) {
      if (previous > 0) expect(U - 1).toBe(previous)
      previous = u
    }
    this.#api.close()
    this.#depth.close()
  }

  async #run(): Promise<void> {
    const values = { symbol: 'BTCUSDT', side: 'BUY', type: 'LIMIT', timeInForce: 'GTC', quantity: '0.1' }
    while (!this.#isOver) {
      const placed = await this.#api.request('order.place', { ...values, price: '50000' })
      expect(placed).toMatchObject({ status: 200 })
      const { orderId } = placed.result
      expect(await this.#api.request('order.cancel', { symbol: 'BTCUSDT', orderId })).toMatchObject({
        status: 200,
      })
      this.#orders++
    }
  }
}

async function metric(venue: ServedVenue, name: string): Promise<number> {
  const text = await (await fetch(`${venue.server.url}/metrics`)).text()
  return Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`tidemark_${name} `))!
      .split(' ')[1],
  )
}

const request = (line: string, headers = '', body = '') =>
  `${line} HTTP/1.1\r\nHost: x\r\n${headers}\r\n${body}`
const form = 'Content-Type: application/x-www-form-urlencoded\r\n'

/** Requests that are too large or contradict themselves, with the status and the code that they get. */
const oversized: [what: string, bytes: string, status: number, code: number][] = [
  ['one header of 20 KB', request('GET /api/v3/ping', `a: ${'x'.repeat(20_000)}\r\n`), 431, -1000],
  ['5,000 headers', request('GET /api/v3/ping', 'x-header: 1\r\n'.repeat(5000)), 431, -1000],
  ['an address of 20 KB', request(`GET /api/v3/ping?a=${'x'.repeat(20_000)}`), 431, -1000],
  ['a query of 10 KB', request(`GET /api/v3/ping?a=${'x'.repeat(10_000)}`), 400, -1101],
  [
    '100 parameters',
    request(`GET /api/v3/ping?${Array.from({ length: 100 }, (_, i) => `a${i}=1`).join('&')}`),
    400,
    -1101,
  ],
  [
    'a body that says it has 1 GB',
    request('POST /api/v3/order', `${form}Content-Length: 1000000000\r\n`),
    413,
    -1000,
  ],
  [
    'a body in pieces without an end',
    request(
      'POST /api/v3/order',
      `${form}Transfer-Encoding: chunked\r\n`,
      `4000\r\n${'x'.repeat(0x4000)}\r\n4000\r\n${'x'.repeat(0x4000)}\r\n`,
    ),
    413,
    -1000,
  ],
  [
    'two lengths',
    request('POST /api/v3/order', 'Content-Length: 3\r\nContent-Length: 5\r\n', 'abc'),
    400,
    -1000,
  ],
  [
    'a length and pieces',
    request('POST /api/v3/order', 'Content-Length: 3\r\nTransfer-Encoding: chunked\r\n', 'abc'),
    400,
    -1000,
  ],
  ['a length below zero', request('POST /api/v3/order', 'Content-Length: -1\r\n'), 400, -1000],
  ['no HTTP', 'HELLO\r\n\r\n', 400, -1000],
  ['another protocol', '\u0016\u0003\u0001\u0002\u0000\u0001\u0000', 400, -1000],
  ['lists within lists', request(`GET /api/v3/ticker/price?symbols=${'['.repeat(8000)}`), 400, -1135],
  ['a key of 8 KB', request('GET /api/v3/account', `X-MBX-APIKEY: ${'k'.repeat(8000)}\r\n`), 401, -2014],
  ['a handshake for no door', upgradeOf('/api/v3/ping'), 404, 0],
  ['a handshake with 2,000 streams', upgradeOf(`/stream?streams=${'btcusdt@x/'.repeat(1025)}`), 400, 0],
]

/** Frames that no client may send, with the code that closes the connection. */
const badFrames: [what: string, bytes: Buffer, code: number][] = [
  ['no mask', frame(1, 'x', { isMasked: false }), 1002],
  ['reserved bits', frame(1, 'x', { reserved: 7 }), 1002],
  ['an opcode that there is not', frame(3, 'x'), 1002],
  ['a continuation of nothing', frame(0, 'x'), 1002],
  ['a ping in pieces', frame(9, 'x', { isLast: false }), 1002],
  ['a ping of 200 bytes', frame(9, Buffer.alloc(200)), 1002],
  ['a length of 2^62', frame(1, '', { length: 1n << 62n }), 1009],
  ['a length of 1 GB', frame(1, '', { length: 1n << 30n }), 1009],
  ['a text that is no UTF-8', frame(1, Buffer.from([0xff, 0xfe])), 1007],
  ['bytes instead of a text', frame(2, 'x'), 1003],
  ['a reason of one byte', frame(8, 'x'), 1002],
  ['a reason that there is not', frame(8, Buffer.from([0x03, 0xed])), 1002],
  [
    'pieces that are 80 KB together',
    Buffer.concat([
      frame(1, 'x', { isLast: false }),
      ...Array.from({ length: 20 }, () => frame(0, Buffer.alloc(4096, 'x'), { isLast: false })),
    ]),
    1009,
  ],
  [
    '20,000 pieces of nothing',
    Buffer.concat([
      frame(1, '', { isLast: false }),
      ...Array.from({ length: 20_000 }, () => frame(0, '', { isLast: false })),
    ]),
    1008,
  ],
  ['11,000 pings at once', Buffer.concat(Array.from({ length: 11_000 }, () => frame(9))), 1008],
  ['11,000 pongs at once', Buffer.concat(Array.from({ length: 11_000 }, () => frame(10))), 1008],
]

describe.skipIf(typeof serverModules === 'string')('a server that is abused', () => {
  it('refuses with a code what is too large, contradicts itself, or is no frame, and others notice nothing', async () => {
    const venue = await openVenue({ weightPerMinute: 0, ordersPer10Seconds: 0, headersMs: 3000 })
    const { url } = venue.server
    const witness = await Witness.begin(venue)
    for (const _ of faultCases(
      faultCount('server-refusals', { short: 1, full: 200 }),
      oversized.length + 2 * badFrames.length,
    )) {
      await Promise.all([
        ...oversized.map(async ([what, bytes, status, code]) => {
          const socket = await HostileSocket.open(url)
          socket.send(bytes)
          await socket.received((text) => text.includes('\r\n\r\n') && (code === 0 || text.includes('}')))
          const { answer } = socket
          socket.destroy()
          expect(answer, what).toEqual({ status, code: code === 0 ? undefined : code })
        }),
        ...['/ws/btcusdt@trade', '/ws-api/v3'].flatMap((door) =>
          badFrames.map(async ([what, bytes, code]) => {
            const socket = await HostileSocket.upgraded(url, door)
            socket.send(bytes)
            await socket.whenClosed()
            expect([code, 1006], `${what} at ${door}: ${socket.closeCode}`).toContain(socket.closeCode)
          }),
        ),
      ])
    }
    await witness.finish()
  })

  it('ends connections that say nothing or hardly anything, and others notice nothing', async () => {
    const venue = await openVenue({ headersMs: 500, requestMs: 1000 })
    const { url } = venue.server
    const each = faultCount('server-slow-senders', { short: 30, full: 2000 })
    for (const _ of faultCases(1, 4 * each)) {
      const witness = await Witness.begin(venue)
      const head = request('GET /api/v3/ping', `a: ${'x'.repeat(2000)}\r\n`)
      const whole = request('POST /api/v3/order', `${form}Content-Length: 5000\r\n`, 'x'.repeat(5000))
      const handshake = upgradeOf('/ws-api/v3')
      const dripped = [head, whole, handshake]
      const sockets = await Promise.all(Array.from({ length: 4 * each }, () => HostileSocket.open(url)))
      let sent = 0
      const drip = setInterval(() => {
        sockets.forEach((socket, i) => {
          const text = dripped[i % 4]
          // Every fourth says nothing at all.
          if (text !== undefined) socket.send(text.slice(sent, sent + 1))
        })
        sent++
      }, 50)
      await Promise.all(sockets.map((socket) => socket.whenClosed()))
      clearInterval(drip)
      const answers = sockets.map(({ answer }) => answer)
      expect(answers.filter(({ status, code }) => status === 408 && code === -1007)).toHaveLength(4 * each)
      await witness.finish()
    }
  })

  it('holds no more than it may for clients that send and do not read, and cuts them', async () => {
    const venue = await openVenue({
      weightPerMinute: 0,
      ordersPer10Seconds: 0,
      queueBytes: 65_536,
      messagesPerSecond: 1e9,
    })
    const { url } = venue.server
    const rounds = faultCount('server-deaf-clients', { short: 1, full: 200 })
    const witness = await Witness.begin(venue)
    const list = frame(1, JSON.stringify({ id: 1, method: 'LIST_SUBSCRIPTIONS' }))
    const info = frame(1, JSON.stringify({ id: 1, method: 'exchangeInfo' }))
    const names = Array.from({ length: 60 }, (_, i) => `btcusdt@kline_${['1s', '1m', '5m'][i % 3]}`)
    const kinds: [door: string, bytes: Buffer][] = [
      [`/stream?streams=${names.join('/')}`, Buffer.concat(Array.from({ length: 2000 }, () => list))],
      ['/ws-api/v3', Buffer.concat(Array.from({ length: 1000 }, () => info))],
      ['/ws/btcusdt@trade', Buffer.concat(Array.from({ length: 20_000 }, () => frame(9, Buffer.alloc(125))))],
    ]
    const before = bytesHeld()
    let cut = 0
    for (const _ of faultCases(rounds, kinds.length + 1)) {
      const deaf = await Promise.all(kinds.map(([door]) => HostileSocket.upgraded(url, door)))
      for (const socket of deaf) socket.socket.pause()
      const piping = await HostileSocket.open(url)
      piping.socket.pause()
      piping.send(request('GET /api/v3/exchangeInfo').repeat(5000))
      cut += 2
      // Written again and again until the server has had enough of it: how much waits on the way is the system's affair.
      await Promise.all(
        deaf.map(async (socket, i) => {
          while (!socket.isClosed) {
            const written = new Promise<void>((done) => socket.socket.write(kinds[i]![1], () => done()))
            await Promise.race([written, socket.whenClosed()])
            await setImmediate()
          }
        }),
      )
      expect(bytesHeld() - before).toBeLessThan(generousBytes)
      piping.destroy()
    }
    // Of the pings, ws itself lets few wait.
    expect(await metric(venue, 'cut_total{why="slow"}')).toBeGreaterThanOrEqual(cut)
    await witness.finish()
    expect(bytesHeld() - before).toBeLessThan(generousBytes)
  })

  it('takes as many connections as it may and no more, and lets go of all of them', async () => {
    const count = faultCount('server-connections', { short: 200, full: 8000 })
    const venue = await openVenue({ weightPerMinute: 0, connectionsMax: count + 50 })
    const { url } = venue.server
    for (const _ of faultCases(1, count + 100)) {
      const witness = await Witness.begin(venue)
      const before = bytesHeld()
      const tried = await Promise.allSettled(
        Array.from({ length: count + 100 }, (_unused, i) =>
          HostileSocket.upgraded(url, i % 2 === 0 ? '/ws/btcusdt@depth@100ms' : '/ws-api/v3'),
        ),
      )
      const open = tried.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
      expect(open.length).toBeGreaterThanOrEqual(count)
      expect(open.length).toBeLessThanOrEqual(count + 50)
      // Each of the streams gets what all get.
      await Promise.all(
        open
          .filter((_socket, i) => i % 2 === 0)
          .map((one) => one.received((text) => text.includes('depthUpdate'))),
      )
      expect(bytesHeld() - before).toBeLessThan(generousBytes + open.length * 65_536)
      for (const socket of open) socket.destroy()
      await expect.poll(() => metric(venue, 'connections{kind="streams"}'), { timeout: 60_000 }).toBe(1)
      await expect.poll(() => metric(venue, 'connections{kind="api"}'), { timeout: 60_000 }).toBe(1)
      await witness.finish()
    }
  })
})
