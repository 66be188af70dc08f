import type { Client } from './client.js'
import type { StreamHub } from './stream-hub.js'
import type { StreamReceiver } from './streams.js'

/** Streams that one connection may get. */
export const streamsMax = 1024
const idPattern = /^[A-Za-z0-9-]{1,36}$/

/** A connection below `/ws` or `/stream`: it gets the streams that its address names, and those that it subscribes to. */
export class StreamConnection implements StreamReceiver {
  combined: boolean
  readonly #client: Client
  readonly #hub: StreamHub
  readonly #names = new Set<string>()

  constructor(client: Client, hub: StreamHub, combined: boolean, names: readonly string[]) {
    this.#client = client
    this.#hub = hub
    this.combined = combined
    client.onText((text) => this.#take(text))
    client.onClose(() => {
      for (const name of this.#names) hub.unsubscribe(name, this)
    })
    for (const name of names) this.#subscribe(name)
  }

  send(text: string): void {
    this.#client.publish(text)
  }

  #subscribe(name: string): boolean {
    if (!this.#hub.subscribe(name, this)) return false
    this.#names.add(name)
    return true
  }

  #take(text: string): void {
    let request: unknown
    try {
      request = JSON.parse(text)
    } catch {
      this.#refuse(3, 'Invalid JSON: expected value', undefined)
      return
    }
    if (typeof request !== 'object' || request === null || Array.isArray(request)) {
      this.#refuse(2, 'Invalid request: expected an object', undefined)
      return
    }
    const { method, params, id, ...others } = request as Record<string, unknown>
    if (!isId(id)) this.#refuse(2, 'Invalid request: request ID must be an unsigned integer', undefined)
    else if (Object.keys(others).length > 0) this.#refuse(2, 'Invalid request: too many parameters', id)
    else this.#execute(method, params, id)
  }

  #execute(method: unknown, params: unknown, id: unknown): void {
    switch (method) {
      case 'SUBSCRIBE':
      case 'UNSUBSCRIBE': {
        const names = namesOf(params)
        if (!names) this.#refuse(2, 'Invalid request: params must be a list of stream names', id)
        else if (method === 'SUBSCRIBE') this.#subscribeAll(names, id)
        else this.#unsubscribeAll(names, id)
        return
      }
      case 'LIST_SUBSCRIPTIONS':
        this.#answer([...this.#names], id)
        return
      case 'SET_PROPERTY':
      case 'GET_PROPERTY':
        this.#property(method, params, id)
        return
      default:
        this.#refuse(
          2,
          'Invalid request: unknown variant, expected one of `SUBSCRIBE`, `UNSUBSCRIBE`, `LIST_SUBSCRIPTIONS`, `SET_PROPERTY`, `GET_PROPERTY`',
          id,
        )
    }
  }

  #subscribeAll(names: readonly string[], id: unknown): void {
    if (new Set([...this.#names, ...names]).size > streamsMax) {
      this.#refuse(2, `Invalid request: at most ${streamsMax} streams`, id)
      return
    }
    const unknown = names.find((name) => !this.#hub.isStream(name))
    if (unknown !== undefined) {
      this.#refuse(2, 'Invalid request: unknown stream', id)
      return
    }
    for (const name of names) this.#subscribe(name)
    this.#answer(null, id)
  }

  #unsubscribeAll(names: readonly string[], id: unknown): void {
    for (const name of names) {
      this.#names.delete(name)
      this.#hub.unsubscribe(name, this)
    }
    this.#answer(null, id)
  }

  #property(method: 'SET_PROPERTY' | 'GET_PROPERTY', params: unknown, id: unknown): void {
    const [name, value] = Array.isArray(params) ? params : []
    if (typeof name !== 'string') this.#refuse(2, 'Invalid request: property name must be a string', id)
    else if (name !== 'combined') this.#refuse(0, 'Unknown property', id)
    else if (method === 'GET_PROPERTY') this.#answer(this.combined, id)
    else if (typeof value !== 'boolean') this.#refuse(1, 'Invalid value type: expected Boolean', id)
    else {
      this.combined = value
      this.#answer(null, id)
    }
  }

  #answer(result: unknown, id: unknown): void {
    this.#client.send(JSON.stringify({ result, id }))
  }

  #refuse(code: number, msg: string, id: unknown): void {
    this.#client.send(JSON.stringify({ error: { code, msg }, id: id ?? null }))
  }
}

function isId(id: unknown): boolean {
  return (
    id === null ||
    (Number.isSafeInteger(id) && (id as number) >= 0) ||
    (typeof id === 'string' && idPattern.test(id))
  )
}

function namesOf(params: unknown): string[] | undefined {
  if (!Array.isArray(params) || params.length === 0 || params.length > streamsMax) return undefined
  return params.every((name) => typeof name === 'string' && name.length <= 64)
    ? (params as string[])
    : undefined
}
