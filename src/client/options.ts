import { didYouMean, unknownFieldOf } from '../base/known-fields.js'
import { shown } from '../base/shown.js'
import { ClientError } from './errors.js'
import { findWebSocket, type WebSocketClass } from './socket.js'

/** What a client is made with. */
export interface VenueClientOptions {
  /** Where the venue is, such as `http://127.0.0.1:8080`. */
  readonly url: string
  /** The key. */
  readonly apiKey: string
  /** Of an HMAC key; or … */
  readonly secret?: string | undefined
  /** … of an Ed25519 key, its private half in PEM. */
  readonly privateKey?: string | undefined
  /** How long an answer is waited for before the request is sent again, in milliseconds. Default 10,000. */
  readonly answerMs?: number | undefined
  /**
   * How long a request is sent again at all, in milliseconds; then it rejects with `TIDEMARK_CLIENT_NO_ANSWER`. 0: for ever. Default
   * 60,000.
   */
  readonly giveUpMs?: number | undefined
  /** The longest pause between two tries to connect, in milliseconds. The first is 50; each is twice the one before. Default 5,000. */
  readonly reconnectMs?: number | undefined
  /** How often the connection is tried when nothing comes, in milliseconds. Default 15,000. */
  readonly pingMs?: number | undefined
  /** The class of connections. Default: that of the package `ws` where it is installed, else the global one of Node.js 22 and later. */
  readonly WebSocket?: WebSocketClass | undefined
}

export interface ClientSettings {
  /** Without a slash at its end. */
  readonly url: string
  readonly apiKey: string
  readonly secret: string | undefined
  readonly privateKey: string | undefined
  readonly answerMs: number
  readonly giveUpMs: number
  readonly reconnectMs: number
  readonly pingMs: number
  readonly WebSocket: WebSocketClass
}

const known: ReadonlySet<string> = new Set<keyof VenueClientOptions>([
  'url',
  'apiKey',
  'secret',
  'privateKey',
  'answerMs',
  'giveUpMs',
  'reconnectMs',
  'pingMs',
  'WebSocket',
])

/** @throws ClientError `TIDEMARK_CLIENT_OPTION`, `TIDEMARK_CLIENT_PACKAGE_MISSING`. */
export function resolveClientOptions(options: VenueClientOptions): ClientSettings {
  if (typeof options !== 'object' || options === null) throw badOption('options', options, 'an object')
  const unknown = unknownFieldOf(options, known)
  if (unknown !== undefined)
    throw new ClientError(
      'TIDEMARK_CLIENT_OPTION',
      `A client has no option ${unknown}.${didYouMean(unknown, known)}`,
      { option: unknown },
    )
  const { url, apiKey, secret, privateKey } = options
  if (typeof url !== 'string' || !/^https?:\/\/[^/?#]+\/?$/.test(url) || !URL.canParse(url))
    throw badOption('url', url, 'an address such as http://127.0.0.1:8080')
  if (typeof apiKey !== 'string' || apiKey === '') throw badOption('apiKey', undefined, 'a key')
  // What signs is never shown, not even where it is wrong.
  if ((secret === undefined) === (privateKey === undefined))
    throw badOption('secret', undefined, 'stated, unless privateKey is')
  for (const [name, value] of Object.entries({ secret, privateKey }))
    if (value !== undefined && (typeof value !== 'string' || value === ''))
      throw badOption(name, undefined, 'a text')
  return {
    url: url.replace(/\/$/, ''),
    apiKey,
    secret,
    privateKey,
    answerMs: milliseconds('answerMs', options.answerMs ?? 10_000, 1),
    giveUpMs: milliseconds('giveUpMs', options.giveUpMs ?? 60_000, 0),
    reconnectMs: milliseconds('reconnectMs', options.reconnectMs ?? 5000, 1),
    pingMs: milliseconds('pingMs', options.pingMs ?? 15_000, 1),
    WebSocket: options.WebSocket ?? findWebSocket(),
  }
}

function milliseconds(name: string, value: number, min: number): number {
  if (!(Number.isInteger(value) && value >= min && value < 2 ** 31))
    throw badOption(name, value, `a whole number of milliseconds from ${min} on`)
  return value
}

export function badOption(option: string, value: unknown, allowed: string): ClientError {
  const given = value === undefined ? '' : ` is ${shown(value)}; it`
  return new ClientError('TIDEMARK_CLIENT_OPTION', `${option}${given} must be ${allowed}.`, { option })
}
