import { createHmac, createPrivateKey, type KeyObject, sign } from 'node:crypto'
import { badOption, type ClientSettings } from './options.js'

/** The parameters of a request, by name. */
export type Values = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>

/** How long a venue takes a signed request, milliseconds: what a venue has unless it is stated, and the most that it allows. */
const windowMsMin = 5000
const windowMsMax = 60_000

/** Signs what a client asks for. */
export class Signer {
  readonly apiKey: string
  readonly #secret: string | undefined
  readonly #privateKey: KeyObject | undefined
  readonly #recvWindow: number

  /** @throws ClientError `TIDEMARK_CLIENT_OPTION` for a private key that is no Ed25519 key in PEM. */
  constructor({ apiKey, secret, privateKey, answerMs }: ClientSettings) {
    this.apiKey = apiKey
    // As long as an answer is waited for: a venue that stalls for a while must not refuse the key for good.
    this.#recvWindow = Math.min(windowMsMax, Math.max(windowMsMin, answerMs))
    this.#secret = secret
    this.#privateKey = privateKey === undefined ? undefined : readPrivateKey(privateKey)
  }

  /** A text's signature, in hexadecimal digits or, of Ed25519, in base64. */
  sign(text: string): string {
    if (this.#secret !== undefined) return createHmac('sha256', this.#secret).update(text).digest('hex')
    return sign(undefined, Buffer.from(text), this.#privateKey!).toString('base64')
  }

  /** Parameters with those that say when they were signed, and for how long unless they do. */
  timed(params: Values): Values {
    return { recvWindow: this.#recvWindow, ...params, timestamp: Date.now() }
  }

  /** Parameters of a request over the WebSocket API, signed. */
  signed(params: Values): Values {
    const all: Record<string, unknown> = { ...this.timed(params), apiKey: this.apiKey }
    const payload = Object.keys(all)
      .sort()
      .map((name) => `${name}=${all[name]}`)
      .join('&')
    return { ...(all as Values), signature: this.sign(payload) }
  }
}

function readPrivateKey(pem: string): KeyObject {
  try {
    const key = createPrivateKey(pem)
    if (key.asymmetricKeyType === 'ed25519') return key
  } catch {}
  throw badOption('privateKey', undefined, 'an Ed25519 private key in PEM')
}
