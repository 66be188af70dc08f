import { ApiError, errors } from './api-error.js'

/** Parameters that every signed request may have. */
const signedNames: ReadonlySet<string> = new Set(['timestamp', 'recvWindow', 'signature', 'apiKey'])

const whole = /^[0-9]{1,16}$/
const decimal = /^[0-9]{1,32}(\.[0-9]{1,32})?$/
/** Times above this are microseconds: as milliseconds it would be the year 5138. */
const microsecondsFrom = 1e14

/** The parameters of one request. Values are texts, whether they came in a query, a body or a frame. */
export class Params {
  readonly #values: ReadonlyMap<string, string>
  /** What the client calls them, where that is something else. */
  readonly #sent: Readonly<Record<string, string>>

  constructor(values: ReadonlyMap<string, string>, sent: Readonly<Record<string, string>> = {}) {
    this.#values = values
    this.#sent = sent
  }

  /**
   * The parameters of one order of a list, by the names that a single order has for them: `sent` says for each what the request calls
   * it, and `fixed` has those that the request does not state.
   */
  leg(sent: Readonly<Record<string, string>>, fixed: Readonly<Record<string, string>> = {}): Params {
    const values = new Map(Object.entries(fixed))
    for (const [name, own] of Object.entries(sent)) {
      const value = this.#values.get(own)
      if (value !== undefined) values.set(name, value)
    }
    return new Params(values, sent)
  }

  /** What the client calls a parameter. */
  sent(name: string): string {
    return this.#sent[name] ?? name
  }

  /** @throws ApiError -1104 for a parameter that the operation does not have. */
  check(known: ReadonlySet<string>): void {
    let read = 0
    for (const name of this.#values.keys()) if (known.has(name) || signedNames.has(name)) read++
    if (read < this.#values.size) throw errors.tooManyParameters(read, this.#values.size)
  }

  has(name: string): boolean {
    return this.#values.has(name)
  }

  /** @throws ApiError -1105 when it is empty. */
  text(name: string): string | undefined {
    const value = this.#values.get(name)
    if (value === '') throw new ApiError(-1105, `Parameter '${this.sent(name)}' was empty.`)
    return value
  }

  /** @throws ApiError -1102 when it is not there. */
  required(name: string): string {
    const value = this.#values.get(name)
    if (value === undefined || value === '') throw errors.missing(this.sent(name))
    return value
  }

  whole(name: string): number | undefined {
    const value = this.text(name)
    if (value === undefined) return undefined
    if (!whole.test(value) || !Number.isSafeInteger(Number(value)))
      throw errors.malformed(this.sent(name), '^[0-9]{1,16}$')
    return Number(value)
  }

  /** A count from 1 to `max`. */
  limit(name: string, standard: number, max: number): number {
    const value = this.whole(name) ?? standard
    if (value < 1) throw new ApiError(-1130, `Data sent for parameter '${name}' is not valid.`)
    return Math.min(value, max)
  }

  /** Milliseconds since 1970-01-01T00:00:00Z, which may be sent as microseconds. */
  timeMs(name: string): number | undefined {
    const value = this.whole(name)
    return value !== undefined && value >= microsecondsFrom ? Math.floor(value / 1000) : value
  }

  decimal(name: string): string | undefined {
    const value = this.text(name)
    if (value !== undefined && !decimal.test(value))
      throw errors.malformed(this.sent(name), '^([0-9]{1,20})(\\.[0-9]{1,20})?$')
    return value
  }

  flag(name: string): boolean | undefined {
    const value = this.text(name)
    if (value === undefined) return undefined
    if (value !== 'true' && value !== 'false') throw errors.badValue(this.sent(name))
    return value === 'true'
  }

  /** A JSON array of texts such as `["BTCUSDT"]`. */
  list(name: string, max: number): string[] | undefined {
    const value = this.text(name)
    if (value === undefined) return undefined
    let list: unknown
    try {
      list = JSON.parse(value)
    } catch {
      throw new ApiError(-1135, `JSON sent for parameter '${name}' is not valid`)
    }
    if (
      !Array.isArray(list) ||
      list.length === 0 ||
      list.length > max ||
      !list.every((one) => typeof one === 'string')
    )
      throw errors.badValue(name)
    if (new Set(list).size < list.length)
      throw new ApiError(-1151, 'Symbol is present multiple times in the list.')
    return list as string[]
  }
}

/** Names and values of a query or of a form. @throws ApiError -1101 for a name that stands there twice, -1100 for bad escapes. */
export function readForm(text: string, into: Map<string, string>, first: boolean): void {
  if (text === '') return
  const own = new Set<string>()
  for (const part of text.split('&')) {
    if (part === '') continue
    const at = part.indexOf('=')
    const name = decode(at < 0 ? part : part.slice(0, at))
    const value = at < 0 ? '' : decode(part.slice(at + 1))
    if (own.has(name)) throw errors.duplicate()
    own.add(name)
    // What stands in the query counts, should the body have it too.
    if (first || !into.has(name)) into.set(name, value)
  }
  if (into.size > 64) throw new ApiError(-1101, 'Too many parameters sent for this endpoint.')
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', '%20'))
  } catch {
    throw new ApiError(-1100, 'Illegal characters found in a parameter.')
  }
}
