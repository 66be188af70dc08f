import * as fs from 'node:fs'
import { createSecureContext } from 'node:tls'
import { callUser } from '../base/emitter.js'
import { Ledger } from '../ledger/index.js'
import { badSetting, checkOptions, optionNames } from '../log/index.js'
import type { EnginePool } from '../pool/index.js'
import type { AdminEntry } from './admin/entry.js'
import { type Misbehaviour, resolveMisbehaviour } from './faults/settings.js'
import type { ServerLogger } from './logging/logger.js'
import { ServerLog } from './logging/server-log.js'
import type { ServerModules } from './packages.js'
import { type Balances, balancesOf } from './venue/balances.js'

/** Where the venue is administered. */
export interface AdminOptions {
  /** 0: any that is free. */
  readonly port: number
  /** Default 127.0.0.1. An address beyond loopback is refused while there is no admin key. */
  readonly host?: string | undefined
  /** The file of the admin keys, of mode 600; made by `tidemark serve admin-key create`. */
  readonly keys: string
}

/** What a server is opened with. */
export interface VenueServerOptions {
  /** The pool that is served; it stays open when the server is closed. */
  readonly pool: EnginePool
  /** The file of the API keys, of mode 600; made by `tidemark serve key create`. */
  readonly keys: string
  /** Default 127.0.0.1. An address beyond loopback is refused while there is no key. */
  readonly host?: string | undefined
  /** Default 0: any that is free. */
  readonly port?: number | undefined
  /** PEM files, for TLS. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string } | undefined
  /** Weight of an address's requests in a minute; 0: no limit. Default 60,000. */
  readonly weightPerMinute?: number | undefined
  /** New orders of an account in 10 seconds; 0: no limit. Default 10,000. */
  readonly ordersPer10Seconds?: number | undefined
  /** Connections at once. Default 10,000. */
  readonly connectionsMax?: number | undefined
  /**
   * How long the headers of a request may take to arrive, and a client of a WebSocket to answer the end of its connection, in
   * milliseconds, 100 to 600,000. Default 10,000.
   */
  readonly headersMs?: number | undefined
  /** How long all of a request may take to arrive, in milliseconds, 100 to 600,000. Default 30,000. */
  readonly requestMs?: number | undefined
  /** Bytes that may wait for one client over a WebSocket; one that lags further is cut. Default 4 MiB. */
  readonly queueBytes?: number | undefined
  /** Messages of one client over a WebSocket in a second; one that sends more is cut. Default 10,000. */
  readonly messagesPerSecond?: number | undefined
  /** Orders that are over, and trades, that are kept for queries, of all accounts together. Defaults 100,000 and 200,000. */
  readonly closedOrders?: number | undefined
  /** Trades of accounts that are kept, two for each trade. */
  readonly accountTrades?: number | undefined
  /**
   * Events of orders that are kept for clients that lost a connection, of all accounts together, and as many of orders that were sent with
   * a request id. Default 100,000.
   */
  readonly userEvents?: number | undefined
  /** What goes wrong on purpose, for those who test what trades here. Default: nothing. */
  readonly misbehaviour?: Misbehaviour | undefined
  /** The modules of the optional packages, for programs in which tidemark can't find them by itself. */
  readonly modules?: ServerModules | undefined
  /** Default: it is not administered from outside its process. */
  readonly admin?: AdminOptions | undefined
  /** Called with each action of an administrator, also one that was refused. It is called when the outcome is known. */
  readonly onAdmin?: ((entry: AdminEntry) => void) | undefined
  /**
   * Where requests, refusals, connections, what administrators do and what fails inside is logged: what `openLogger` gives, or another one of pino's
   * kind. Nothing that it gets has a key, a secret, a signature or a listen key. It stays open when the server is closed. Default: nowhere.
   */
  readonly logger?: ServerLogger | undefined
  /**
   * Called with what fails inside the server: a client hears no more than that something did, and of what happens without one, such as the
   * cancels at the end of a countdown, no client hears at all. Default: it is a warning of the process where there is no `logger`.
   */
  readonly onFailure?: ((error: unknown) => void) | undefined
  /**
   * The pool's open ledger: its balances are shown, and an administrator pays in and out. Whether the server is given it or not, orders pass
   * the ledger. Not with `balances`.
   */
  readonly ledger?: Ledger | undefined
  /** Where balances come from that tidemark does not keep. Default: those of `ledger`; without one there are none to show. */
  readonly balances?: Balances | undefined
}

type Stated = Omit<
  VenueServerOptions,
  'tls' | 'ledger' | 'balances' | 'modules' | 'admin' | 'onAdmin' | 'onFailure' | 'misbehaviour' | 'logger'
>

export interface ServerSettings
  extends Readonly<{ [Name in keyof Stated]-?: Exclude<Stated[Name], undefined> }> {
  readonly tls: { readonly cert: Buffer; readonly key: Buffer } | undefined
  readonly ledger: Ledger | undefined
  readonly balances: Balances | undefined
  readonly admin: { readonly port: number; readonly host: string; readonly keys: string } | undefined
  readonly log: ServerLog
  readonly onAdmin: (entry: AdminEntry) => void
  readonly onFailure: (error: unknown) => void
  readonly misbehaviour: Misbehaviour | undefined
}

const adminList = optionNames<AdminOptions>({ port: true, host: true, keys: true })
const tlsList = optionNames<NonNullable<VenueServerOptions['tls']>>({ certFile: true, keyFile: true })
const optionList = optionNames<VenueServerOptions>({
  pool: true,
  keys: true,
  host: true,
  port: true,
  tls: true,
  weightPerMinute: true,
  ordersPer10Seconds: true,
  connectionsMax: true,
  headersMs: true,
  requestMs: true,
  queueBytes: true,
  messagesPerSecond: true,
  closedOrders: true,
  accountTrades: true,
  userEvents: true,
  misbehaviour: true,
  modules: true,
  ledger: true,
  balances: true,
  admin: true,
  onAdmin: true,
  onFailure: true,
  logger: true,
})

/** @throws LogError `TIDEMARK_BAD_SETTING`. */
export function resolveServerOptions(options: VenueServerOptions): ServerSettings {
  checkOptions('VenueServer.open', options, optionList)
  const { pool, keys, host = '127.0.0.1', port = 0, ledger } = options
  const { misbehaviour } = options
  if (misbehaviour !== undefined) resolveMisbehaviour(misbehaviour)
  if (typeof pool !== 'object' || pool === null) throw badSetting('pool', pool, 'an EnginePool')
  if (ledger !== undefined && !(ledger instanceof Ledger))
    throw badSetting('ledger', ledger, 'an open Ledger')
  if (ledger !== undefined && options.balances !== undefined)
    throw badSetting('balances', options.balances, 'left out beside a ledger, whose balances are shown')
  if (typeof keys !== 'string' || keys === '') throw badSetting('keys', keys, 'a path')
  if (typeof host !== 'string' || host === '') throw badSetting('host', host, 'an address')
  const { onAdmin = () => {}, logger, onFailure = logger === undefined ? warn : () => {} } = options
  if (logger !== undefined && !isLogger(logger)) throw badSetting('logger', logger, "a logger of pino's kind")
  const log = new ServerLog(logger)
  if (typeof onAdmin !== 'function') throw badSetting('onAdmin', onAdmin, 'a function')
  if (typeof onFailure !== 'function') throw badSetting('onFailure', onFailure, 'a function')
  return {
    pool,
    keys,
    host,
    port: whole('port', port, 0, 65_535),
    tls: options.tls === undefined ? undefined : readTls(options.tls),
    weightPerMinute: whole('weightPerMinute', options.weightPerMinute ?? 60_000, 0, 1e9),
    ordersPer10Seconds: whole('ordersPer10Seconds', options.ordersPer10Seconds ?? 10_000, 0, 1e9),
    connectionsMax: whole('connectionsMax', options.connectionsMax ?? 10_000, 1, 1_000_000),
    headersMs: whole('headersMs', options.headersMs ?? 10_000, 100, 600_000),
    requestMs: whole('requestMs', options.requestMs ?? 30_000, 100, 600_000),
    queueBytes: whole('queueBytes', options.queueBytes ?? 4 << 20, 65_536, 1 << 30),
    messagesPerSecond: whole('messagesPerSecond', options.messagesPerSecond ?? 10_000, 1, 1e9),
    closedOrders: whole('closedOrders', options.closedOrders ?? 100_000, 1, 100_000_000),
    accountTrades: whole('accountTrades', options.accountTrades ?? 200_000, 1, 100_000_000),
    userEvents: whole('userEvents', options.userEvents ?? 100_000, 1, 100_000_000),
    ledger,
    balances: ledger === undefined ? options.balances : balancesOf(ledger),
    admin: options.admin === undefined ? undefined : resolveAdmin(options.admin),
    log,
    onAdmin: (entry) => {
      log.administered(entry)
      callUser(() => onAdmin(entry))
    },
    onFailure: (error) => {
      log.failed(error)
      callUser(() => onFailure(error))
    },
    misbehaviour,
  }
}

function isLogger(value: unknown): boolean {
  return ['isLevelEnabled', 'debug', 'info', 'warn', 'error'].every(
    (name) => typeof (value as Record<string, unknown> | null)?.[name] === 'function',
  )
}

function warn(error: unknown): void {
  const { name = 'Error', message = String(error), stack } = (error ?? {}) as Partial<Error>
  process.emitWarning(message, { type: name, ...(stack !== undefined && { detail: stack }) })
}

function readTls(tls: NonNullable<VenueServerOptions['tls']>): NonNullable<ServerSettings['tls']> {
  checkOptions('VenueServer.open', tls, tlsList)
  const read = (setting: string, file: unknown) => {
    try {
      return fs.readFileSync(file as string)
    } catch {
      throw badSetting(setting, file, 'a file that can be read')
    }
  }
  const cert = read('tls.certFile', tls.certFile)
  const key = read('tls.keyFile', tls.keyFile)
  try {
    createSecureContext({ cert, key })
  } catch {
    throw badSetting('tls', `${tls.certFile}, ${tls.keyFile}`, 'a certificate and its private key, in PEM')
  }
  return { cert, key }
}

function resolveAdmin(admin: AdminOptions): ServerSettings['admin'] {
  checkOptions('VenueServer.open', admin, adminList)
  const { port, host = '127.0.0.1', keys } = admin
  if (typeof keys !== 'string' || keys === '') throw badSetting('admin.keys', keys, 'a path')
  if (typeof host !== 'string' || host === '') throw badSetting('admin.host', host, 'an address')
  return { port: whole('admin.port', port, 0, 65_535), host, keys }
}

function whole(setting: string, value: number, min: number, max: number): number {
  if (!(Number.isInteger(value) && value >= min && value <= max))
    throw badSetting(setting, value, `a whole number from ${min} to ${max}`)
  return value
}
