import type { IncomingMessage, Server } from 'node:http'
import { createRequire } from 'node:module'
import * as path from 'node:path'
import type { Duplex } from 'node:stream'
import { ServerError } from './errors.js'

/** What a server needs, and the versions that it is tested with. */
const packages = ['fastify', 'ws', 'prom-client', 'uplot'] as const
const installCommand = 'npm install fastify@5 ws@8 prom-client@15 uplot@1'

/** What is used of fastify. */
export interface WebRequest {
  readonly raw: IncomingMessage
  readonly url: string
  readonly method: string
  readonly body: unknown
}

export interface WebReply {
  code(status: number): WebReply
  header(name: string, value: string): WebReply
  send(payload: string | Buffer): WebReply
  hijack(): WebReply
  readonly raw: import('node:http').ServerResponse
}

export interface WebServer {
  readonly server: Server
  route(route: {
    method: string | string[]
    url: string
    handler: (request: WebRequest, reply: WebReply) => unknown
  }): void
  setErrorHandler(handler: (error: Error, request: WebRequest, reply: WebReply) => unknown): void
  setNotFoundHandler(handler: (request: WebRequest, reply: WebReply) => unknown): void
  removeAllContentTypeParsers(): void
  addContentTypeParser(
    type: string,
    options: { parseAs: 'string' },
    parser: (request: WebRequest, body: string, done: (error: Error | null, body: string) => void) => void,
  ): void
  listen(options: { port: number; host: string }): Promise<string>
  close(): Promise<void>
}

/** What is used of ws. */
export interface WebSocket {
  readonly readyState: number
  readonly bufferedAmount: number
  on(event: 'message', listener: (data: Buffer, isBinary: boolean) => void): void
  on(event: 'close' | 'ping' | 'pong', listener: () => void): void
  on(event: 'error', listener: (error: Error) => void): void
  send(data: string): void
  ping(): void
  close(code?: number, reason?: string): void
  terminate(): void
}

interface WebSocketServer {
  handleUpgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    done: (socket: WebSocket) => void,
  ): void
  close(): void
}

/** The client's end of a connection. */
export interface ClientSocket {
  on(event: 'open' | 'close', listener: () => void): void
  on(event: 'message', listener: (data: Buffer) => void): void
  on(event: 'error', listener: (error: Error) => void): void
  send(data: string): void
  close(): void
}

/** What is used of prom-client. */
export interface Metric {
  inc(labels: Record<string, string> | number, by?: number): void
  set(labels: Record<string, string> | number, value?: number): void
  reset(): void
}

interface MetricOptions {
  name: string
  help: string
  labelNames?: string[]
  registers: MetricRegistry[]
  collect?: (this: Metric) => void | Promise<void>
}

/** A metric of ours: it says its values when it is asked. */
export interface ForeignMetric {
  readonly name: string
  get(): Promise<object>
}

export interface MetricRegistry {
  readonly contentType: string
  metrics(): Promise<string>
  registerMetric(metric: ForeignMetric): void
}

export interface ServerPackages {
  readonly fastify: (options: object) => WebServer
  readonly WebSocketServer: new (options: object) => WebSocketServer
  readonly WebSocket: new (url: string, options: object) => ClientSocket
  readonly prometheus: {
    readonly Registry: new () => MetricRegistry
    readonly Gauge: new (options: MetricOptions) => Metric
    readonly Counter: new (options: MetricOptions) => Metric
    collectDefaultMetrics(options: { register: MetricRegistry; prefix: string }): void
  }
  /** The folder of uPlot's files. */
  readonly plotFolder: string
}

/** The modules, for programs in which tidemark can't find them by itself, bundled ones for instance. */
export interface ServerModules {
  /** What `import('fastify')`, `import('ws')` and `import('prom-client')` give. */
  readonly fastify: unknown
  /** The package `ws`. */
  readonly ws: unknown
  /** The package `prom-client`. */
  readonly prometheus: unknown
  /** The folder `dist` of uplot. */
  readonly uplotFolder: string
}

/**
 * Loads the optional packages: from where tidemark is installed or, for a command line that stands elsewhere, from the folder that it
 * was called in.
 *
 * @throws ServerError `TIDEMARK_SERVER_PACKAGE_MISSING` that names those that are missing and says how to install them.
 */
export function loadPackages(modules?: ServerModules): ServerPackages {
  const found = modules ?? findModules()
  const fastify = found.fastify as { default?: unknown }
  return {
    fastify: (fastify.default ?? fastify) as ServerPackages['fastify'],
    WebSocketServer: (found.ws as ServerPackages).WebSocketServer,
    WebSocket: (found.ws as ServerPackages).WebSocket,
    prometheus: found.prometheus as ServerPackages['prometheus'],
    plotFolder: found.uplotFolder,
  }
}

/** What only some servers need, and how it is installed. */
const furtherPackages = { pino: 'npm install pino@10' } as const

/** Loads a package that only some servers need. @throws ServerError `TIDEMARK_SERVER_PACKAGE_MISSING`. */
export function loadPackage(name: keyof typeof furtherPackages): unknown {
  const file = resolve(name)
  if (file !== undefined) return createRequire(import.meta.url)(file)
  throw new ServerError(
    'TIDEMARK_SERVER_PACKAGE_MISSING',
    `The log of a server needs a package that is not installed: ${name}. "${furtherPackages[name]}" installs it.`,
    { packages: [name] },
  )
}

function findModules(): ServerModules {
  const found = new Map<string, string>()
  for (const name of packages) {
    const file = resolve(name)
    if (file !== undefined) found.set(name, file)
  }
  const missing = packages.filter((name) => !found.has(name))
  if (missing.length > 0) {
    throw new ServerError(
      'TIDEMARK_SERVER_PACKAGE_MISSING',
      `A server needs packages that are not installed: ${missing.join(', ')}. "${installCommand}" installs them.`,
      { packages: missing },
    )
  }
  const load = (name: string) => createRequire(import.meta.url)(found.get(name)!)
  return {
    fastify: load('fastify'),
    ws: load('ws'),
    prometheus: load('prom-client'),
    uplotFolder: path.dirname(found.get('uplot')!),
  }
}

function resolve(name: string): string | undefined {
  for (const place of [import.meta.url, path.join(process.cwd(), 'package.json')]) {
    try {
      return createRequire(place).resolve(name)
    } catch {}
  }
  return undefined
}
