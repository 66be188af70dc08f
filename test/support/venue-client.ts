import { createHmac } from 'node:crypto'
import { createRequire } from 'node:module'
import * as path from 'node:path'
import { root } from './run-script.js'

const peers = createRequire(path.join(root, 'test/peers/package.json'))

export interface Answer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: what an answer holds is what its test is about.
  readonly body: any
  readonly headers: Headers
}

export interface SigningKey {
  readonly apiKey: string
  readonly secret: string
}

type Values = Record<string, string | number | boolean>

/** Requests of the dialect, as a client makes them. */
export class RestClient {
  readonly #url: string

  constructor(url: string) {
    this.#url = url
  }

  /** A request that is not signed. */
  async get(route: string, values: Values = {}, headers: Record<string, string> = {}): Promise<Answer> {
    return this.send('GET', route, form(values), '', headers)
  }

  /** A signed request, with its parameters in the query or, with `inBody`, in the body. */
  async signed(
    verb: string,
    route: string,
    key: SigningKey,
    values: Values = {},
    inBody = false,
  ): Promise<Answer> {
    const text = form({ ...values, timestamp: values['timestamp'] ?? Date.now() })
    const signature = createHmac('sha256', key.secret).update(text).digest('hex')
    const whole = `${text}&signature=${signature}`
    const headers = { 'x-mbx-apikey': key.apiKey }
    return inBody ? this.send(verb, route, '', whole, headers) : this.send(verb, route, whole, '', headers)
  }

  async send(
    verb: string,
    route: string,
    query: string,
    body: string,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const response = await fetch(`${this.#url}/api/v3${route}${query === '' ? '' : `?${query}`}`, {
      method: verb,
      headers: { ...headers, ...(body !== '' && { 'content-type': 'application/x-www-form-urlencoded' }) },
      ...(body !== '' && { body }),
    })
    const text = await response.text()
    return {
      status: response.status,
      body: text === '' ? undefined : JSON.parse(text),
      headers: response.headers,
    }
  }
}

export function form(values: Values): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`)
    .join('&')
}

interface Socket {
  readonly readyState: number
  on(event: string, listener: (...args: never[]) => void): void
  send(text: string): void
  close(): void
  terminate(): void
  readonly _socket: { pause(): void }
}

// biome-ignore lint/suspicious/noExplicitAny: as above.
type Message = any

/** A connection over a WebSocket that keeps what it gets. */
export class SocketClient {
  readonly messages: Message[] = []
  readonly socket: Socket
  closed: { code: number; reason: string } | undefined
  #waiting: (() => void)[] = []
  #id = 0

  static async open(url: string, route: string, options: object = {}): Promise<SocketClient> {
    const { WebSocket } = peers('ws') as { WebSocket: new (url: string, options: object) => Socket }
    const socket = new WebSocket(url.replace('http', 'ws') + route, options)
    const client = new SocketClient(socket)
    await new Promise<void>((resolve, reject) => {
      socket.on('open', () => resolve())
      socket.on('error', ((error: Error) => reject(error)) as never)
    })
    return client
  }

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on('message', ((data: Buffer) => {
      this.messages.push(JSON.parse(String(data)))
      this.#notify()
    }) as never)
    socket.on('close', ((code: number, reason: Buffer) => {
      this.closed = { code, reason: String(reason) }
      this.#notify()
    }) as never)
    socket.on('error', () => {})
  }

  /** The first message, from `from` on, for which `test` holds; rejects when the connection closes before. */
  async message(test: (message: Message) => boolean, from = 0): Promise<Message> {
    for (let at = from; ; ) {
      for (; at < this.messages.length; at++) if (test(this.messages[at])) return this.messages[at]
      if (this.closed) throw new Error(`closed: ${this.closed.code} ${this.closed.reason}`)
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  async whenClosed(): Promise<{ code: number; reason: string }> {
    while (!this.closed) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    return this.closed
  }

  /** A request of the WebSocket API and its answer; signed with a key, if one is given. */
  async request(method: string, params: Values = {}, key?: SigningKey): Promise<Message> {
    const id = ++this.#id
    const sent = key ? signedParams(params, key) : params
    this.socket.send(JSON.stringify({ id, method, params: sent }))
    return this.message((message) => message.id === id)
  }

  /** A request of the streams' door and its answer. */
  async control(method: string, params?: unknown): Promise<Message> {
    const id = ++this.#id
    this.socket.send(JSON.stringify({ id, method, ...(params !== undefined && { params }) }))
    return this.message((message) => message.id === id)
  }

  close(): void {
    this.socket.close()
  }

  #notify(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}

function signedParams(params: Values, key: SigningKey): Values {
  const all: Values = { ...params, apiKey: key.apiKey, timestamp: params['timestamp'] ?? Date.now() }
  const payload = Object.keys(all)
    .sort()
    .map((name) => `${name}=${all[name]}`)
    .join('&')
  return { ...all, signature: createHmac('sha256', key.secret).update(payload).digest('hex') }
}
