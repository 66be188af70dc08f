import { callUser } from '../../base/emitter.js'
import type { AdminEntry } from '../admin/entry.js'
import type { ServerLogger } from './logger.js'

/** A request as the log shows it. Its parameters are left out: keys, signatures and listen keys are among them. */
interface LoggedRequest {
  /** The method of the WebSocket API, or the route. */
  readonly method: string
  readonly address: string
  /** Whose key it was made with; -1 for a request without one, and for one that was refused before that was known. */
  readonly account: number
  readonly elapsedMs: number
}

/** What a server says of itself, a line for each thing that happens. No line has a key, a secret, a signature or a listen key. */
export class ServerLog {
  readonly #logger: ServerLogger | undefined

  constructor(logger: ServerLogger | undefined) {
    this.#logger = logger
  }

  /** Whether anybody reads it: otherwise nothing is measured for it. */
  get isOpen(): boolean {
    return this.#logger !== undefined
  }

  done(request: LoggedRequest): void {
    const logger = this.#logger
    if (logger) callUser(() => logger.isLevelEnabled('debug') && logger.debug(shown(request), 'request'))
  }

  refused(request: LoggedRequest, { code, status }: { code: number; status: number }): void {
    this.#say('info', 'refused', { ...shown(request), code, status })
  }

  /** A connection over a WebSocket begins. */
  opened(door: string, address: string): void {
    this.#say('info', 'connected', { door, address })
  }

  /** It is over; `cut` says why the server ended it, if it did. */
  closed(door: string, address: string, cut: string | undefined): void {
    if (cut === undefined) this.#say('info', 'disconnected', { door, address })
    else this.#say('warn', 'cut', { door, address, why: cut })
  }

  /** An administrator did something, or tried to. */
  administered({ event: _, timeMs: __, ...entry }: AdminEntry): void {
    this.#say('info', 'administered', entry)
  }

  /** The server, or what belongs to it, begins or ends. */
  state(what: 'listening' | 'ready' | 'closing' | 'closed', fields: object = {}): void {
    this.#say('info', what, fields)
  }

  failed(error: unknown): void {
    const { name = 'Error', code, message = String(error), stack } = (error ?? {}) as NodeJS.ErrnoException
    this.#say('error', 'failed', { error: { name, code, message, stack } })
  }

  #say(level: 'debug' | 'info' | 'warn' | 'error', message: string, fields: object): void {
    const logger = this.#logger
    if (logger) callUser(() => logger[level](fields, message))
  }
}

function shown({ account, elapsedMs, ...request }: LoggedRequest): object {
  return {
    ...request,
    ...(account >= 0 && { account }),
    elapsedMs: Math.round(elapsedMs * 1000) / 1000,
  }
}
