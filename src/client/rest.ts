import { ClientError, VenueRefusal } from './errors.js'
import type { ClientSettings } from './options.js'
import type { Signer, Values } from './signing.js'

/** Requests over REST, each sent once. */
export class Rest {
  readonly #settings: ClientSettings
  readonly #signer: Signer

  constructor(settings: ClientSettings, signer: Signer) {
    this.#settings = settings
    this.#signer = signer
  }

  async send(verb: string, route: string, params: Values, signed: boolean): Promise<unknown> {
    const { url, answerMs } = this.#settings
    let query = formOf(signed ? this.#signer.timed(params) : params)
    if (signed) query += `&signature=${encodeURIComponent(this.#signer.sign(query))}`
    let status: number
    let body: unknown
    try {
      const response = await fetch(`${url}/api/v3${route}${query === '' ? '' : `?${query}`}`, {
        method: verb,
        headers: { 'x-mbx-apikey': this.#signer.apiKey },
        signal: AbortSignal.timeout(answerMs),
      })
      status = response.status
      body = await response.json()
    } catch (cause) {
      throw new ClientError(
        'TIDEMARK_CLIENT_NO_ANSWER',
        `No answer to ${verb} ${route} came; whether it was executed is not known.`,
        { verb, route },
        { cause },
      )
    }
    if (status < 400) return body
    const { code = -1000, msg = '', data } = (body ?? {}) as { code?: number; msg?: string; data?: unknown }
    throw new VenueRefusal(`${verb} ${route}`, status, code, msg, data)
  }
}

function formOf(values: Values): string {
  return Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => {
      const text = Array.isArray(value) ? JSON.stringify(value) : String(value)
      return `${name}=${encodeURIComponent(text)}`
    })
    .join('&')
}
