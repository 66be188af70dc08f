import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { KeyStore } from './access/keys.js'
import { RateLimits } from './access/limits.js'
import { AdminKeys } from './admin/admin-keys.js'
import { AdminServer, isLoopback } from './admin/admin-server.js'
import { Countdowns, countdownOperation } from './doors/countdown.js'
import { Desk } from './doors/desk.js'
import { Health } from './doors/health.js'
import { listenKeyOperations } from './doors/listen-keys.js'
import { makeRegistry } from './doors/metrics.js'
import { Page } from './doors/page.js'
import { addRestRoutes, bodyMax } from './doors/rest.js'
import { Sockets } from './doors/sockets.js'
import { StreamHub } from './doors/stream-hub.js'
import { UserStreams } from './doors/user-streams.js'
import { ServerError } from './errors.js'
import { FaultInjector } from './faults/injector.js'
import type { Misbehaviour } from './faults/settings.js'
import { operations } from './operations/index.js'
import { resolveServerOptions, type ServerSettings, type VenueServerOptions } from './options.js'
import { loadPackages, type ServerPackages, type WebReply, type WebServer } from './packages.js'
import { Venue } from './venue/venue.js'

/** How long a closing server waits for requests that it has taken. */
const drainMs = 10_000
const keepAliveMs = 65_000

/**
 * A pool, served: REST below `/api/v3`, streams below `/ws` and `/stream`, the WebSocket API at `/ws-api/v3`, `/metrics`, `/healthz` and
 * `/readyz`. It speaks the Binance spot dialect; docs/server.md has every route and what is different.
 */
export class VenueServer {
  readonly #settings: ServerSettings
  readonly #venue: Venue
  readonly #desk: Desk
  readonly #web: WebServer
  readonly #sockets: Sockets
  readonly #page: Page
  readonly #countdowns: Countdowns
  readonly #health: Health
  #admin: AdminServer | undefined
  readonly #faults: FaultInjector
  #closing: Promise<void> | undefined

  /**
   * Opens a server. It listens when this resolves, and answers when it has read the log: `/readyz` says so.
   *
   * @throws ServerError `TIDEMARK_SERVER_PACKAGE_MISSING`, `TIDEMARK_SERVER_KEY_FILE`, `TIDEMARK_SERVER_OPEN` for an address beyond
   *   loopback while there is no key, `TIDEMARK_SERVER_LISTEN`; LogError `TIDEMARK_BAD_SETTING`, `TIDEMARK_BAD_LSN` when the beginning
   *   of the log was deleted by retention.
   */
  static async open(options: VenueServerOptions): Promise<VenueServer> {
    const settings = resolveServerOptions(options)
    const packages = loadPackages(options.modules)
    const keys = new KeyStore(settings.keys)
    keys.onFailure = settings.onFailure
    if (keys.size === 0 && !isLoopback(settings.host)) {
      throw new ServerError(
        'TIDEMARK_SERVER_OPEN',
        `There is no key in ${settings.keys}, and ${settings.host} can be reached from elsewhere. Make a key first: tidemark serve key create.`,
        { host: settings.host },
      )
    }
    const server = new VenueServer(settings, packages, keys)
    try {
      await listen(server.#web, settings)
      if (settings.admin) await server.#openAdmin(settings.admin, packages)
      settings.log.state('listening', { url: server.url, adminUrl: server.adminUrl })
    } catch (error) {
      await server.close()
      throw error
    }
    return server
  }

  private constructor(settings: ServerSettings, packages: ServerPackages, keys: KeyStore) {
    this.#settings = settings
    const { pool, ledger, balances, closedOrders, accountTrades, userEvents, onFailure } = settings
    const history = { closedOrders, accountTrades }
    const venue = new Venue(pool, { ledger, balances, history, requestEvents: userEvents, onFailure })
    this.#venue = venue
    venue.ready.then(
      () => settings.log.state('ready', { lsn: venue.takenLsn }),
      () => {}, // It is reported as what ends the reading of the log.
    )
    this.#faults = new FaultInjector(settings.misbehaviour)
    this.#desk = new Desk(venue, keys, new RateLimits(settings), this.#faults, settings.log, onFailure)
    const hub = new StreamHub(venue)
    const users = new UserStreams(venue, userEvents)
    venue.onMarket = (update) => hub.onUpdate(update)
    venue.onOrder = (update) => users.onOrder(update)
    venue.onList = (update) => users.onList(update)
    this.#countdowns = new Countdowns(pool, onFailure)
    const all = [...operations, ...listenKeyOperations(users), countdownOperation(this.#countdowns)]
    this.#web = makeWeb(packages, settings)
    addRestRoutes(this.#web, this.#desk, all)
    this.#sockets = new Sockets(this.#web.server, {
      packages,
      desk: this.#desk,
      hub,
      users,
      methods: new Map(all.flatMap((one) => (one.method === undefined ? [] : [[one.method, one]]))),
      limits: settings,
      connectionsMax: settings.connectionsMax,
      closeMs: settings.headersMs,
      onLost: (account) => this.#countdowns.cancelAll(account),
    })
    const connections = () => ({ ...this.#sockets.counts, pages: this.#page.size })
    this.#page = new Page(this.#web, { desk: this.#desk, packages, cut: this.#sockets.cut, connections })
    this.#web.server.maxConnections = settings.connectionsMax
    const registry = makeRegistry(packages, {
      desk: this.#desk,
      cut: this.#sockets.cut,
      connections,
      faults: this.#faults.counts,
      subscriptions: () => ({ streams: hub.size, users: users.size }),
    })
    this.#health = new Health(this.#desk, onFailure)
    this.#health.addRoutes(this.#web)
    this.#web.route({
      method: 'GET',
      url: '/metrics',
      handler: async (_, reply) =>
        reply.header('content-type', registry.contentType).send(await registry.metrics()),
    })
  }

  /** Where it listens, such as `http://127.0.0.1:8080`. */
  get url(): string {
    return urlOf(this.#web.server.address() as AddressInfo, this.#settings)
  }

  /** Where it is administered; `undefined` where it is not. */
  get adminUrl(): string | undefined {
    return this.#admin && urlOf(this.#admin.address, this.#settings)
  }

  /**
   * Makes things go wrong on purpose as this says from now on, in place of what was said before and from the beginning of its seed; without it,
   * nothing does any more.
   *
   * @throws ServerError `TIDEMARK_SERVER_FAULTS`.
   */
  misbehave(misbehaviour?: Misbehaviour): void {
    this.#faults.set(misbehaviour)
  }

  /** Resolves when it answers: all that was durable when it was opened is read. @throws what `/readyz` says. */
  async ready(): Promise<void> {
    await this.#venue.ready
  }

  /**
   * Takes nothing more, answers what it has taken, says to its clients that it goes, and closes their connections. The pool stays
   * open.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #close(): Promise<void> {
    this.#desk.isClosing = true
    this.#settings.log.state('closing')
    this.#faults.end()
    await this.#admin?.close()
    // What was delayed on purpose is refused now, and that is sent.
    await new Promise(setImmediate)
    const end = performance.now() + drainMs
    while (this.#desk.inFlight > 0 && performance.now() < end)
      await new Promise((done) => setTimeout(done, 5))
    this.#countdowns.close()
    this.#health.close()
    this.#sockets.close()
    this.#page.close()
    // Clients that do not close their side are not waited for.
    const hurry = setTimeout(() => this.#sockets.terminate(), 1000)
    this.#web.server.closeIdleConnections()
    await this.#web.close()
    clearTimeout(hurry)
    this.#sockets.terminate()
    await this.#venue.close()
    this.#settings.log.state('closed')
  }

  async #openAdmin(admin: NonNullable<ServerSettings['admin']>, packages: ServerPackages): Promise<void> {
    const web = makeWeb(packages, this.#settings)
    const keys = new AdminKeys(admin.keys)
    const { onAdmin: log, onFailure } = this.#settings
    keys.onFailure = onFailure
    const { host } = admin
    const server = new AdminServer({
      web,
      venue: this.#venue,
      faults: this.#faults,
      keys,
      host,
      log,
      onFailure,
    })
    await listen(web, admin)
    this.#admin = server
  }
}

/** @throws ServerError `TIDEMARK_SERVER_LISTEN`. */
async function listen(web: WebServer, { host, port }: { host: string; port: number }): Promise<void> {
  try {
    await web.listen({ port, host })
  } catch (cause) {
    throw new ServerError(
      'TIDEMARK_SERVER_LISTEN',
      `Could not listen on ${host}:${port}: ${(cause as Error).message}`,
      { host, port },
      { cause },
    )
  }
}

function urlOf({ address, port, family }: AddressInfo, { tls }: ServerSettings): string {
  return `${tls ? 'https' : 'http'}://${family === 'IPv6' ? `[${address}]` : address}:${port}`
}

function makeWeb(
  packages: ServerPackages,
  { tls, headersMs, requestMs, onFailure }: ServerSettings,
): WebServer {
  // How often it looks for requests that take too long: they end that much later at most.
  const settings = { connectionsCheckingInterval: Math.min(1000, headersMs) }
  const web = packages.fastify({
    logger: false,
    bodyLimit: bodyMax,
    requestTimeout: requestMs,
    keepAliveTimeout: keepAliveMs,
    forceCloseConnections: true,
    clientErrorHandler: refuseUnread,
    ...(tls
      ? {
          https: {
            ...settings,
            handshakeTimeout: headersMs,
            ...tls,
          },
        }
      : { http: settings }),
  })
  web.server.headersTimeout = headersMs
  web.setErrorHandler((error, _, reply) => {
    const { statusCode = 500 } = error as { statusCode?: number }
    if (statusCode >= 500) onFailure(error)
    return sendError(
      reply,
      statusCode < 500 ? statusCode : 500,
      -1000,
      statusCode === 413 ? 'The request is too large.' : 'The request could not be read.',
    )
  })
  web.setNotFoundHandler((_, reply) =>
    sendError(reply, 404, -1020, 'This operation is not supported: there is no such route.'),
  )
  return web
}

/** Answers what is no request of HTTP, or comes too slowly or with headers that are too large, and ends its connection. */
function refuseUnread(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code !== 'ECONNRESET' && socket.writable) {
    const [status, code, msg] = unread[error.code ?? ''] ?? [
      '400 Bad Request',
      -1000,
      'The request could not be read.',
    ]
    const body = JSON.stringify({ code, msg })
    socket.write(
      `HTTP/1.1 ${status}\r\nContent-Type: application/json;charset=UTF-8\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
    )
  }
  socket.destroy()
}

const unread: Readonly<Record<string, readonly [status: string, code: number, msg: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', -1007, 'The request took too long to arrive.'],
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', -1000, 'The headers are too large.'],
}

function sendError(reply: WebReply, status: number, code: number, msg: string): WebReply {
  return reply
    .code(status)
    .header('content-type', 'application/json;charset=UTF-8')
    .send(JSON.stringify({ code, msg }))
}
