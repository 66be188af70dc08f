import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type ClientSocket, VenueClient, type VenueClientOptions } from '#tidemark/client/index.js'

interface Sent {
  readonly id: number
  readonly method: string
  readonly params: Readonly<Record<string, unknown>>
}

/** A connection that is open at once, and whose other end takes each key and answers nothing else. */
class FakeSocket implements ClientSocket {
  static opened: FakeSocket[] = []
  readonly readyState = 1
  readonly sent: Sent[] = []
  onopen: ClientSocket['onopen'] = null
  onclose: ClientSocket['onclose'] = null
  onerror: ClientSocket['onerror'] = null
  onmessage: ClientSocket['onmessage'] = null

  constructor() {
    FakeSocket.opened.push(this)
    queueMicrotask(() => this.onopen?.(undefined as never))
  }

  send(text: string): void {
    const sent = JSON.parse(text) as Sent
    this.sent.push(sent)
    if (sent.method === 'session.logon')
      queueMicrotask(() => this.receive(JSON.stringify({ id: sent.id, status: 200, result: {} })))
  }

  receive(data: string): void {
    this.onmessage?.({ data } as never)
  }

  close(): void {
    this.onclose?.(undefined as never)
  }
}

async function connect(options: Partial<VenueClientOptions> = {}): Promise<VenueClient> {
  FakeSocket.opened = []
  const url = 'http://127.0.0.1:1'
  const client = await VenueClient.connect({
    url,
    apiKey: 'key',
    secret: 'secret',
    WebSocket: FakeSocket,
    ...options,
  })
  onTestFinished(() => client.close())
  return client
}

describe('a connection of a client', () => {
  it('is given up for another when what comes over it is no message', async () => {
    const client = await connect({ reconnectMs: 1 })
    for (const [i, text] of ['{', '', 'null', '5', '"text"'].entries()) {
      const again = new Promise<void>((resolve) => client.once('connected', resolve))
      FakeSocket.opened[i]!.receive(text)
      expect(client.isConnected, text).toBe(false)
      await again
    }
    expect(FakeSocket.opened).toHaveLength(6)
  })

  it('is signed for as long as an answer is waited for: a venue that stalls does not refuse the key', async () => {
    for (const [answerMs, recvWindow] of [
      [1000, 5000],
      [20_000, 20_000],
      [100_000, 60_000],
    ] as const) {
      await connect({ answerMs })
      expect(FakeSocket.opened[0]!.sent[0]).toMatchObject({ method: 'session.logon', params: { recvWindow } })
    }
  })

  it('is refused over REST whatever stands in the answer, and signed there for as long as is asked for', async () => {
    const asked: (string | null)[] = []
    const server = createServer(({ url }, response) => {
      asked.push(new URL(url!, 'http://venue').searchParams.get('recvWindow'))
      response.writeHead(503).end('null')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const client = await connect({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
    for (const params of [{}, { recvWindow: 100 }])
      await expect(client.rest('GET', '/account', params, { signed: true })).rejects.toMatchObject({
        code: 'TIDEMARK_CLIENT_REFUSED',
        status: 503,
        venueCode: -1000,
      })
    expect(asked).toEqual(['10000', '100'])
  })

  it('is not tried to an address that is none', async () => {
    for (const url of ['http://a b', 'http://[::1', 'http://host:port'])
      await expect(connect({ url }), url).rejects.toMatchObject({ code: 'TIDEMARK_CLIENT_OPTION' })
  })
})
