import { createHmac, createPrivateKey, type KeyObject, sign } from 'node:crypto'
import { badOption, type ClientSettings } from './options.js'

/** The parameters of a request, by name. */
export type Values = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>

/** Signs what a client asks for. */
export class Signer {
  readonly apiKey: string
  readonly #secret: string | undefined
  readonly #privateKey: KeyObject | undefined

  /** @throws ClientError `TIDEMARK_CLIENT_OPTION` for a private key that is no Ed25519 key in PEM. */
  constructor({ apiKey, secret, privateKey }: ClientSettings) {
    this.apiKey = apiKey
    this.#secret = secret
    this.#privateKey = privateKey === undefined ? undefined : readPrivateKey(privateKey)
  }

  /** A text's signature, in hexadecimal digits or, of Ed25519, in base64. */
  sign(text: string): string {
    if (this.#secret !== undefined) return createHmac('sha256', this.#secret).update(text).digest('hex')
    return sign(undefined, Buffer.from(text), this.#privateKey!).toString('base64')
  }

  /** Parameters of a request over the WebSocket API, signed. */
  signed(params: Values): Values {
    const all: Record<string, unknown> = { ...params, apiKey: this.apiKey, timestamp: Date.now() }
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
