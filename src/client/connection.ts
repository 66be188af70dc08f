import { ClientError, closedError, Interrupted, VenueRefusal } from './errors.js'
import type { ClientSettings } from './options.js'
import type { Signer, Values } from './signing.js'
import type { ClientSocket } from './socket.js'

const reconnectFirstMs = 50

/**
 * Requests that wait for their answers right after a connection was opened; each answer makes it one more. Were all that was not answered
 * sent again at once, a connection that one of them ends would never bring an answer to the others.
 */
const windowFirst = 4

/** What comes over a connection: an answer, or an event of a subscription. */
export interface Message {
  readonly id?: unknown
  readonly status?: number
  readonly result?: unknown
  readonly error?: { readonly code: number; readonly msg: string; readonly data?: unknown }
  readonly subscriptionId?: number
  readonly lsn?: number
  readonly after?: number
  readonly event?: Readonly<Record<string, unknown>>
}

interface Pending {
  readonly method: string
  readonly timer: NodeJS.Timeout
  readonly resolve: (result: unknown) => void
  readonly reject: (error: Error) => void
}

/** A connection to the WebSocket API with a session: opened again, and logged on again, whenever it is lost. */
export class Connection {
  readonly #settings: ClientSettings
  readonly #signer: Signer
  readonly #pending = new Map<number, Pending>()
  readonly #waiting: { resolve: () => void; reject: (error: Error) => void }[] = []
  #socket: ClientSocket | undefined
  #isReady = false
  #failure: Error | undefined
  /** Requests that are sent when others are answered. */
  #queue: {
    method: string
    params: Values
    resolve: (result: unknown) => void
    reject: (error: Error) => void
  }[] = []
  #window = windowFirst
  #lastId = 0
  #pauseMs = reconnectFirstMs
  #reconnect: NodeJS.Timeout | undefined
  #heardMs = performance.now()
  readonly #heart: NodeJS.Timeout
  /** Called when a session is open, when a connection that was ready is lost, and for each event that comes. */
  onReady: () => void = () => {}
  onLost: () => void = () => {}
  onEvent: (message: Message) => void = () => {}
  /** Called when it is closed, or its key is not taken any more. */
  onClosed: (error: Error) => void = () => {}

  constructor(settings: ClientSettings, signer: Signer) {
    this.#settings = settings
    this.#signer = signer
    this.#heart = setInterval(() => this.#beat(), settings.pingMs)
    this.#heart.unref()
    this.#connect()
  }

  get isReady(): boolean {
    return this.#isReady
  }

  /** Resolves when a session is open. @throws ClientError `TIDEMARK_CLIENT_CLOSED`; VenueRefusal of a key that is not taken. */
  ready(): Promise<void> {
    if (this.#failure) return Promise.reject(this.#failure)
    if (this.#isReady) return Promise.resolve()
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
  }

  /** Sends a request once. @throws VenueRefusal; Interrupted when no answer came. */
  send(method: string, params: Values): Promise<unknown> {
    if (!this.#isReady) return Promise.reject(new Interrupted('There is no connection.'))
    if (this.#pending.size < this.#window) return this.#request(method, params)
    return new Promise((resolve, reject) => this.#queue.push({ method, params, resolve, reject }))
  }

  close(error: Error = closedError()): void {
    if (this.#failure) return
    this.#failure = error
    clearInterval(this.#heart)
    clearTimeout(this.#reconnect)
    const wasReady = this.#isReady
    this.#isReady = false
    for (const { reject } of this.#waiting.splice(0)) reject(error)
    this.#interrupt(error)
    this.#socket?.close()
    if (wasReady) this.onLost()
    this.onClosed(error)
  }

  #connect(): void {
    const { url, WebSocket } = this.#settings
    const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/ws-api/v3?returnRateLimits=false`)
    this.#socket = socket
    socket.onopen = () => void this.#logOn(socket)
    socket.onmessage = ({ data }: { data: unknown }) => {
      this.#heardMs = performance.now()
      this.#take(socket, String(data))
    }
    // What breaks a connection also closes it.
    socket.onerror = () => {}
    socket.onclose = () => this.#lost(socket)
  }

  async #logOn(socket: ClientSocket): Promise<void> {
    if (this.#failure) return
    try {
      await this.#request('session.logon', this.#signer.signed({}))
    } catch (error) {
      if (error instanceof VenueRefusal && !mayPass(error)) this.close(error)
      else this.#drop(socket)
      return
    }
    if (this.#failure || this.#socket !== socket) return
    this.#isReady = true
    this.#pauseMs = reconnectFirstMs
    this.#window = windowFirst
    this.onReady()
    // In the order in which they were asked for.
    for (const { resolve } of this.#waiting.splice(0)) resolve()
  }

  #request(method: string, params: Values): Promise<unknown> {
    const id = ++this.#lastId
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#unanswered(id), this.#settings.answerMs)
      this.#pending.set(id, { method, timer, resolve, reject })
      try {
        this.#socket!.send(JSON.stringify({ id, method, params }))
      } catch (cause) {
        this.#settle(id)?.reject(new Interrupted('It could not be sent.', { cause }))
      }
    })
  }

  #unanswered(id: number): void {
    const socket = this.#socket
    this.#settle(id)?.reject(new Interrupted('No answer came in time.'))
    this.#sendQueued()
    // An answer may be lost alone; a connection over which nothing comes is given up.
    if (performance.now() - this.#heardMs >= this.#settings.answerMs && socket) this.#drop(socket)
  }

  #settle(id: number): Pending | undefined {
    const pending = this.#pending.get(id)
    if (!pending) return undefined
    clearTimeout(pending.timer)
    this.#pending.delete(id)
    return pending
  }

  #take(socket: ClientSocket, text: string): void {
    const message = readMessage(text)
    if (!message) {
      this.#drop(socket)
      return
    }
    if (typeof message.id !== 'number') {
      if (message.subscriptionId !== undefined) this.onEvent(message)
      return
    }
    const pending = this.#settle(message.id)
    if (!pending) return
    const { status = 200, result, error } = message
    if (error) pending.reject(new VenueRefusal(pending.method, status, error.code, error.msg, error.data))
    else pending.resolve(result)
    this.#window++
    this.#sendQueued()
  }

  #beat(): void {
    if (!this.#isReady || performance.now() - this.#heardMs < this.#settings.pingMs) return
    this.#request('ping', {}).catch(() => {})
  }

  /** Ends a connection that is of no use any more, without waiting for its other end. */
  #drop(socket: ClientSocket): void {
    if (socket.terminate) socket.terminate()
    else socket.close()
    this.#lost(socket)
  }

  #lost(socket: ClientSocket): void {
    if (this.#socket !== socket || this.#failure) return
    this.#socket = undefined
    const wasReady = this.#isReady
    this.#isReady = false
    this.#interrupt(new Interrupted('The connection was lost.'))
    // Many clients of a venue that comes back do not all come at once.
    this.#reconnect = setTimeout(() => this.#connect(), this.#pauseMs * (0.5 + Math.random() / 2))
    this.#pauseMs = Math.min(this.#pauseMs * 2, this.#settings.reconnectMs)
    if (wasReady) this.onLost()
  }

  #sendQueued(): void {
    let sent = 0
    while (sent < this.#queue.length && this.#pending.size < this.#window) {
      const { method, params, resolve, reject } = this.#queue[sent++]!
      this.#request(method, params).then(resolve, reject)
    }
    if (sent > 0) this.#queue.splice(0, sent)
  }

  #interrupt(error: Error): void {
    for (const id of [...this.#pending.keys()]) this.#settle(id)?.reject(error)
    for (const { reject } of this.#queue.splice(0)) reject(error)
  }
}

/** A message of a venue; `undefined` for anything else. */
function readMessage(text: string): Message | undefined {
  try {
    const message: unknown = JSON.parse(text)
    return typeof message === 'object' && message !== null ? message : undefined
  } catch {
    return undefined
  }
}

/** Whether a refusal says that the same request may be taken later: there were too many of them, or the venue starts or stops. */
export function mayPass({ status }: VenueRefusal): boolean {
  return status === 429 || status === 503
}

/** How long to wait before a request is sent again that a venue had no room for, unless it says how long, in milliseconds. */
const againMs = 100

/** The time until which a request is sent again. */
export class Deadline {
  readonly #giveUpMs: number
  readonly #startMs = performance.now()

  constructor(giveUpMs: number) {
    this.#giveUpMs = giveUpMs
  }

  /** @throws ClientError `TIDEMARK_CLIENT_NO_ANSWER` when it is over. */
  check(method: string, cause: unknown, details: Record<string, unknown> = {}): void {
    if (this.#giveUpMs > 0 && this.#leftMs() === 0) throw this.#noAnswer(method, cause, details)
  }

  #noAnswer(method: string, cause: unknown, details: Record<string, unknown>): ClientError {
    return new ClientError(
      'TIDEMARK_CLIENT_NO_ANSWER',
      `No answer to ${method} came in ${this.#giveUpMs} ms; whether it was executed is not known.`,
      { method, ...details },
      { cause },
    )
  }

  /** Waits as long as a refusal says, or a moment. @throws as `check`. */
  async pause(method: string, refusal: VenueRefusal, details: Record<string, unknown> = {}): Promise<void> {
    const { serverTime, retryAfter } = (refusal.details['data'] ?? {}) as Record<string, number | undefined>
    const asked = serverTime !== undefined && retryAfter !== undefined ? retryAfter - serverTime : againMs
    const pauseMs = this.#giveUpMs === 0 ? asked : Math.min(asked, this.#leftMs())
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, pauseMs)))
    this.check(method, refusal, details)
  }

  #leftMs(): number {
    return Math.max(0, this.#startMs + this.#giveUpMs - performance.now())
  }

  /** Resolves when `ready` does. @throws what it rejects with; ClientError `TIDEMARK_CLIENT_NO_ANSWER` when the time is over before. */
  async wait(ready: Promise<void>, method: string, details: Record<string, unknown> = {}): Promise<void> {
    if (this.#giveUpMs === 0) return ready
    let timer: NodeJS.Timeout | undefined
    const over = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, this.#leftMs())
    })
    let isReady = false
    await Promise.race([ready.then(() => (isReady = true)), over])
    clearTimeout(timer)
    // A timer may end a fraction of a millisecond before the clock says so.
    if (!isReady) throw this.#noAnswer(method, undefined, details)
  }
}
