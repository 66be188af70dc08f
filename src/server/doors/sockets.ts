import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { plainAddress } from '../access/keys.js'
import type { Operation } from '../operations/operation.js'
import type { ServerPackages } from '../packages.js'
import { ApiConnection } from './api-door.js'
import { Client, type ClientLimits, type CutCounts } from './client.js'
import type { Desk } from './desk.js'
import { StreamConnection, streamsMax } from './stream-door.js'
import type { StreamHub } from './stream-hub.js'
import type { UserReceiver, UserStreams } from './user-streams.js'

/** Bytes of one message of a client. */
const messageMax = 65_536
const beatMs = 20_000
const tickMs = 100
/** The dialect's weight of a connection. */
const connectWeight = 2
const goingAway = 1001

interface SocketParts {
  readonly packages: ServerPackages
  readonly desk: Desk
  readonly hub: StreamHub
  readonly users: UserStreams
  readonly methods: ReadonlyMap<string, Operation>
  readonly limits: ClientLimits
  readonly connectionsMax: number
  /** How long a client may take to answer the end of its connection, before it is cut. */
  readonly closeMs: number
  /** Called when a connection ended that had asked for its account's orders to be cancelled then. */
  readonly onLost: (account: number) => void
}

/** The connections over WebSockets: those below `/ws` and `/stream`, and those of the WebSocket API. */
export class Sockets {
  readonly cut: CutCounts = { slow: 0, silent: 0, flooding: 0 }
  readonly #parts: SocketParts
  readonly #sockets: InstanceType<ServerPackages['WebSocketServer']>
  readonly #streams = new Set<Client>()
  readonly #combined = new WeakMap<Client, StreamConnection>()
  readonly #api = new Set<Client>()
  readonly #timers: NodeJS.Timeout[]
  #opened = 0

  constructor(server: Server, parts: SocketParts) {
    this.#parts = parts
    this.#sockets = new parts.packages.WebSocketServer({
      noServer: true,
      maxPayload: messageMax,
      perMessageDeflate: false,
      clientTracking: false,
      closeTimeout: parts.closeMs,
    })
    server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head))
    this.#timers = [
      setInterval(() => parts.hub.tick(), tickMs),
      setInterval(() => {
        for (const client of [...this.#streams, ...this.#api]) client.beat()
        parts.users.beat()
      }, beatMs),
    ]
    for (const timer of this.#timers) timer.unref()
  }

  get counts(): { streams: number; api: number } {
    return { streams: this.#streams.size, api: this.#api.size }
  }

  /** Says to every client that the server goes, and closes its connection. */
  close(): void {
    for (const timer of this.#timers) clearInterval(timer)
    const event = { e: 'serverShutdown', E: this.#parts.desk.venue.nowMs() }
    for (const client of this.#streams) {
      const isCombined = this.#combined.get(client)?.combined === true
      client.send(JSON.stringify(isCombined ? { stream: '!serverShutdown', data: event } : event))
      client.close(goingAway, 'The server is shutting down.')
    }
    for (const client of this.#api) {
      client.send(JSON.stringify({ event }))
      client.close(goingAway, 'The server is shutting down.')
    }
    this.#sockets.close()
  }

  /** Ends the connections that are still there. */
  terminate(): void {
    for (const client of [...this.#streams, ...this.#api]) client.terminate()
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // What breaks before the handshake is over concerns no other.
    socket.on('error', () => {})
    const address = request.socket.remoteAddress ?? ''
    const [path = '', query = ''] = (request.url ?? '').split('?', 2)
    const door = doorOf(path)
    const settings = new URLSearchParams(query)
    const names = door === undefined ? [] : namesOf(door, path, settings)
    const refusal = this.#refusalOf(door, names, address)
    if (door === undefined || refusal !== undefined) {
      socket.end(`HTTP/1.1 ${refusal}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
      return
    }
    this.#sockets.handleUpgrade(request, socket, head, (ws) => {
      const name = String(++this.#opened)
      const client = new Client(ws, address, this.#parts.limits, this.cut, this.#parts.desk.faults, name)
      const { log } = this.#parts.desk
      const from = plainAddress(address)
      log.opened(door, from)
      client.onClose(() => log.closed(door, from, client.cut))
      if (door === 'api') this.#openApi(client, settings.get('returnRateLimits') !== 'false')
      else this.#openStreams(client, door === 'stream', names)
    })
  }

  /** The status with which a connection is refused, if it is. */
  #refusalOf(door: Door | undefined, names: readonly string[], address: string): string | undefined {
    const { desk, connectionsMax } = this.#parts
    if (door === undefined) return '404 Not Found'
    if (desk.isClosing || !desk.venue.isReady || desk.venue.failure) return '503 Service Unavailable'
    if (this.#streams.size + this.#api.size >= connectionsMax) return '503 Service Unavailable'
    if (names.length > streamsMax) return '400 Bad Request'
    try {
      desk.limits.request(address, connectWeight, desk.venue.nowMs())
    } catch {
      return '429 Too Many Requests'
    }
    return undefined
  }

  #openApi(client: Client, showLimits: boolean): void {
    const { desk, methods, users, onLost } = this.#parts
    this.#api.add(client)
    client.onClose(() => this.#api.delete(client))
    new ApiConnection(client, desk, methods, users, showLimits, onLost)
  }

  #openStreams(client: Client, combined: boolean, names: readonly string[]): void {
    const { hub, users } = this.#parts
    this.#streams.add(client)
    client.onClose(() => this.#streams.delete(client))
    const market = names.filter((name) => users.accountOf(name) === undefined)
    const connection = new StreamConnection(client, hub, combined, market)
    this.#combined.set(client, connection)
    for (const name of names) {
      const account = users.accountOf(name)
      if (account === undefined) continue
      const receiver: UserReceiver = {
        event: (event) =>
          connection.send(JSON.stringify(connection.combined ? { stream: name, data: event } : event)),
      }
      users.add(account, receiver)
      client.onClose(() => users.remove(account, receiver))
    }
  }
}

type Door = 'ws' | 'stream' | 'api'

function doorOf(path: string): Door | undefined {
  if (path === '/ws' || path.startsWith('/ws/')) return 'ws'
  // Clients put numbers of their own after it, one for each connection.
  if (path === '/stream' || path.startsWith('/stream/')) return 'stream'
  if (path === '/ws-api/v3' || path === '/ws-api/v3/') return 'api'
  return undefined
}

/** The streams that an address names: below `/ws`, or in the query of `/stream`. */
function namesOf(door: Door, path: string, settings: URLSearchParams): string[] {
  if (door === 'api') return []
  const text = door === 'ws' ? path.slice(4) : (settings.get('streams') ?? '')
  return text.split('/').filter((name) => name !== '')
}
