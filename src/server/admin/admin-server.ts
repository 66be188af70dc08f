import type { AddressInfo } from 'node:net'
import { TidemarkError } from '../../base/errors.js'
import { plainAddress } from '../access/keys.js'
import { ServerError } from '../errors.js'
import type { FaultInjector } from '../faults/injector.js'
import type { WebReply, WebRequest, WebServer } from '../packages.js'
import type { Venue } from '../venue/venue.js'
import { type AdminAction, adminActions, adminQuestions, unknownField } from './actions.js'
import type { AdminKeys } from './admin-keys.js'
import type { ActionFields, AdminEntry } from './entry.js'

interface AdminParts {
  readonly web: WebServer
  readonly venue: Venue
  readonly faults: FaultInjector
  readonly keys: AdminKeys
  readonly host: string
  readonly log: (entry: AdminEntry) => void
  /** Called with what went wrong inside. */
  readonly onFailure: (error: unknown) => void
}

/** A request that is not let in, or not read. */
class AdminRefusal extends Error {
  readonly status: number
  readonly code: string

  constructor(status: number, code: string, message: string) {
    super(message)
    this.status = status
    this.code = code
  }
}

const prefix = '/admin/v1/'

/**
 * Where a venue is administered, on a port of its own. Who has an admin key says so in each request; without any key it listens on
 * loopback only, and every user of this machine may use it.
 */
export class AdminServer {
  readonly #web: WebServer
  readonly #venue: Venue
  readonly #faults: FaultInjector
  readonly #keys: AdminKeys
  readonly #log: (entry: AdminEntry) => void
  readonly #onFailure: (error: unknown) => void

  /** @throws ServerError `TIDEMARK_SERVER_OPEN` for an address beyond loopback while there is no admin key. */
  constructor({ web, venue, faults, keys, host, log, onFailure }: AdminParts) {
    if (keys.size === 0 && !isLoopback(host)) {
      throw new ServerError(
        'TIDEMARK_SERVER_OPEN',
        `There is no admin key in ${keys.file}, and ${host} can be reached from elsewhere. Make one first: tidemark serve admin-key create.`,
        { host },
      )
    }
    this.#web = web
    this.#venue = venue
    this.#keys = keys
    this.#log = log
    this.#faults = faults
    this.#onFailure = onFailure
    web.removeAllContentTypeParsers()
    web.addContentTypeParser('*', { parseAs: 'string' }, (_, body, done) => done(null, body))
    for (const { name, run } of adminQuestions) {
      web.route({
        method: 'GET',
        url: prefix + name,
        handler: (request, reply) => this.#answer(request, reply, name, async () => run(venue)),
      })
    }
    for (const action of adminActions) {
      web.route({
        method: 'POST',
        url: prefix + action.name,
        handler: (request, reply) => this.#act(request, reply, action),
      })
    }
  }

  /** Where it listens. */
  get address(): AddressInfo {
    return this.#web.server.address() as AddressInfo
  }

  async close(): Promise<void> {
    this.#web.server.closeIdleConnections()
    await this.#web.close()
  }

  /** Does something, and logs who did it, with what came of it. */
  async #act(request: WebRequest, reply: WebReply, action: AdminAction): Promise<WebReply> {
    const began = performance.now()
    let who: string | undefined
    let fields: ActionFields | undefined
    let lsn: unknown
    const answer = await this.#answer(
      request,
      reply,
      action.name,
      async (caller) => {
        who = caller
        fields = readFields(request, action)
        const result = await action.run({ venue: this.#venue, faults: this.#faults }, fields)
        if ('status' in result && result.status === 'rejected')
          throw new AdminRefusal(409, String((result as { code?: string }).code), 'The book refused it.')
        lsn = (result as { lsn?: number }).lsn
        return result
      },
      (code, outcome) => {
        const entry: AdminEntry = {
          event: 'admin',
          timeMs: this.#venue.nowMs(),
          ...(who !== undefined && { who }),
          address: plainAddress(request.raw.socket.remoteAddress ?? ''),
          action: action.name,
          ...(fields && { fields }),
          outcome,
          ...(code !== undefined && { code }),
          ...(typeof lsn === 'number' && { lsn }),
          elapsedMs: Math.round((performance.now() - began) * 1000) / 1000,
        }
        this.#log(entry)
      },
    )
    return answer
  }

  async #answer(
    request: WebRequest,
    reply: WebReply,
    name: string,
    run: (who: string) => Promise<object>,
    ended: (code: string | undefined, outcome: AdminEntry['outcome']) => void = () => {},
  ): Promise<WebReply> {
    reply.header('content-type', 'application/json').header('cache-control', 'no-store')
    try {
      const result = await run(this.#identify(request))
      ended(undefined, 'done')
      return reply.send(JSON.stringify(result))
    } catch (error) {
      const { status, code, message } = refusalOf(error, name)
      if (code === failedCode) this.#onFailure(error)
      ended(code, status < 500 ? 'refused' : 'failed')
      return reply.code(status).send(JSON.stringify({ code, message }))
    }
  }

  /** Who asks. @throws AdminRefusal. */
  #identify({ raw }: WebRequest): string {
    if (this.#keys.size > 0) {
      const [, key] = /^Bearer ([A-Za-z0-9]{1,128})$/.exec(raw.headers.authorization ?? '') ?? []
      const name = key === undefined ? undefined : this.#keys.nameOf(key)
      if (name === undefined)
        throw new AdminRefusal(401, 'UNAUTHORIZED', 'It takes an admin key: Authorization: Bearer KEY.')
      return name
    }
    // The last key may have been revoked since this began to listen.
    if (!isLoopback(this.address.address))
      throw new AdminRefusal(401, 'UNAUTHORIZED', 'There is no admin key any more.')
    // A page in a browser of this machine must not act for who looks at it, also when it has a name of its own for this address.
    const [host = ''] = (raw.headers.host ?? '').split(/:\d+$/)
    if (raw.headers.origin !== undefined || !isLoopback(host.replace(/^\[(.*)\]$/, '$1')))
      throw new AdminRefusal(403, 'FORBIDDEN', 'Pages of a browser need an admin key.')
    return 'local'
  }
}

/** @throws AdminRefusal for what is no object of JSON, PoolError for a field that the action does not have. */
function readFields({ body }: WebRequest, action: AdminAction): ActionFields {
  const text = typeof body === 'string' && body !== '' ? body : '{}'
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {}
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new AdminRefusal(400, 'BAD_REQUEST', 'The body must be an object of JSON.')
  for (const name of Object.keys(value))
    if (action.fields && !action.fields.has(name)) throw unknownField(action.name, name)
  return value as ActionFields
}

const notFound: ReadonlySet<string> = new Set(['TIDEMARK_UNKNOWN_SYMBOL', 'TIDEMARK_UNKNOWN_ASSET'])
/** What is well said, and can't be done as things are. */
const conflicting: ReadonlySet<string> = new Set([
  'TIDEMARK_INSUFFICIENT_FUNDS',
  'TIDEMARK_KEY_REUSED',
  'TIDEMARK_ASSET_DIFFERS',
  'TIDEMARK_ASSETS_FIXED',
])
const unavailable: ReadonlySet<string> = new Set([
  'TIDEMARK_BACKPRESSURE',
  'TIDEMARK_DISK_FULL',
  'TIDEMARK_TOO_MANY_FILES',
  'TIDEMARK_POOL_CLOSED',
  'TIDEMARK_LEDGER_CLOSED',
  'TIDEMARK_LEDGER_NOT_OPEN',
  'TIDEMARK_LOG_POISONED',
  'TIDEMARK_FENCED',
  'TIDEMARK_LOG_IO',
])

/** The code of what went wrong inside. */
const failedCode = 'FAILED'

function refusalOf(error: unknown, action: string): { status: number; code: string; message: string } {
  if (error instanceof AdminRefusal) return error
  if (error instanceof TidemarkError) {
    const { code, message } = error
    return {
      status: notFound.has(code) ? 404 : conflicting.has(code) ? 409 : unavailable.has(code) ? 503 : 400,
      code,
      message,
    }
  }
  return { status: 500, code: failedCode, message: `${action} failed inside the server.` }
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host)
}
