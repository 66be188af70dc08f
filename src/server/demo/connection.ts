import { createHmac } from 'node:crypto'
import type { ClientSocket, ServerPackages } from '../packages.js'

export interface TraderKey {
  readonly apiKey: string
  readonly secret: string
}

type Values = Record<string, string | number>

interface Pending {
  readonly resolve: (result: unknown) => void
  readonly reject: (error: Error) => void
}

/** A trader's connection to the WebSocket API, with a session: it does what any client could. */
export class TraderConnection {
  readonly #socket: ClientSocket
  readonly #pending = new Map<number, Pending>()
  #lastId = 0
  #isClosed = false

  static async open(packages: ServerPackages, url: string, key: TraderKey): Promise<TraderConnection> {
    const socket = new packages.WebSocket(`${url.replace(/^http/, 'ws')}/ws-api/v3?returnRateLimits=false`, {
      // The certificate of a demo need not be known to anyone.
      rejectUnauthorized: false,
    })
    const connection = new TraderConnection(socket)
    await new Promise<void>((resolve, reject) => {
      socket.on('open', () => resolve())
      socket.on('error', (error) => reject(error))
    })
    const timestamp = Date.now()
    const payload = `apiKey=${key.apiKey}&timestamp=${timestamp}`
    const signature = createHmac('sha256', key.secret).update(payload).digest('hex')
    await connection.request('session.logon', { apiKey: key.apiKey, timestamp, signature })
    return connection
  }

  private constructor(socket: ClientSocket) {
    this.#socket = socket
    socket.on('message', (data) => this.#take(String(data)))
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#isClosed = true
      for (const { reject } of this.#pending.values()) reject(new Error('The connection was closed.'))
      this.#pending.clear()
    })
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Resolves with the result of a request; rejects with what refused it. */
  request(method: string, params: Values = {}): Promise<unknown> {
    if (this.#isClosed) return Promise.reject(new Error('The connection was closed.'))
    const id = ++this.#lastId
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject })
      this.#socket.send(JSON.stringify({ id, method, params }))
    })
  }

  close(): void {
    this.#socket.close()
  }

  #take(text: string): void {
    const { id, result, error } = JSON.parse(text) as {
      id?: number
      result?: unknown
      error?: { msg: string }
    }
    const pending = id === undefined ? undefined : this.#pending.get(id)
    if (!pending) return
    this.#pending.delete(id!)
    if (error) pending.reject(new Error(error.msg))
    else pending.resolve(result)
  }
}
