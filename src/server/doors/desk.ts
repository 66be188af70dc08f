import { type KeyStore, plainAddress } from '../access/keys.js'
import type { RateLimits } from '../access/limits.js'
import { checkSignature, checkTime, requireKey } from '../access/signature.js'
import { ApiError, errors } from '../dialect/api-error.js'
import type { Params } from '../dialect/params.js'
import type { FaultInjector } from '../faults/injector.js'
import type { RequestFate } from '../faults/plan.js'
import type { ServerLog } from '../logging/server-log.js'
import type { Operation } from '../operations/operation.js'
import type { Venue } from '../venue/venue.js'

/** Who asks: an address, the key that it sent, and what it signed; or whom a session was opened for. */
export interface Caller {
  readonly address: string
  readonly apiKey: string | undefined
  readonly payload: string
  /** The key of an open session: what it asks is not signed again. */
  readonly session: Session | undefined
}

/** What a connection of the WebSocket API was opened for. */
export interface Session {
  readonly apiKey: string
  readonly sinceMs: number
}

/** Where every request comes in, through whichever door: who asks, may they, and how often. */
export class Desk {
  readonly venue: Venue
  readonly keys: KeyStore
  readonly limits: RateLimits
  /** Refusals by code, and requests by outcome. */
  readonly refusals = new Map<number, number>()
  requests = 0

  readonly faults: FaultInjector
  readonly log: ServerLog
  readonly #onFailure: (error: unknown) => void

  /** `onFailure` is called with what went wrong inside: a client hears of it no more than that something did. */
  constructor(
    venue: Venue,
    keys: KeyStore,
    limits: RateLimits,
    faults: FaultInjector,
    log: ServerLog,
    onFailure: (error: unknown) => void,
  ) {
    this.log = log
    this.#onFailure = onFailure
    this.faults = faults
    this.venue = venue
    this.keys = keys
    this.limits = limits
  }

  /** What goes wrong on purpose with the next request of a key, if anything is to. */
  fateOf(apiKey: string | undefined): RequestFate | undefined {
    if (!this.faults.settings) return undefined
    const isKey = apiKey !== undefined && apiKey.length <= 128
    return this.faults.request(isKey ? this.keys.find(apiKey)?.account : undefined)
  }

  /** @throws ApiError, and nothing else. */
  async execute(operation: Operation, params: Params, caller: Caller): Promise<unknown> {
    this.requests++
    this.#inFlight++
    const began = this.log.isOpen ? performance.now() : 0
    let account = -1
    try {
      if (this.isClosing || this.venue.failure) throw errors.closing()
      if (!this.venue.isReady) throw errors.busy()
      const nowMs = this.venue.nowMs()
      const weight = typeof operation.weight === 'number' ? operation.weight : operation.weight(params)
      this.limits.request(caller.address, weight, nowMs)
      const who = this.#identify(operation, params, caller, nowMs)
      account = who.account
      params.check(operation.params)
      if (operation.orders !== undefined) this.limits.order(account, operation.orders, nowMs)
      const { venue, limits } = this
      const answer = await operation.run({ params, venue, limits, nowMs, ...who })
      if (this.log.isOpen) this.log.done(logged(operation, caller, account, began))
      return answer
    } catch (error) {
      const refusal = this.refusalOf(error)
      this.refusals.set(refusal.code, (this.refusals.get(refusal.code) ?? 0) + 1)
      if (this.log.isOpen) this.log.refused(logged(operation, caller, account, began), refusal)
      throw refusal
    } finally {
      this.#inFlight--
    }
  }

  /** Requests that wait for their answers. */
  get inFlight(): number {
    return this.#inFlight
  }

  #inFlight = 0
  /** Nothing more is taken, and what was taken is answered. */
  isClosing = false

  /** Whose key a request was made with. @throws ApiError. */
  #identify(
    { security }: Operation,
    params: Params,
    caller: Caller,
    nowMs: number,
  ): { account: number; mayTrade: boolean } {
    if (security === 'none') return { account: -1, mayTrade: false }
    const { apiKey, address, payload, session } = caller
    const own = apiKey === undefined && session !== undefined
    const key = requireKey(this.keys, own ? session.apiKey : apiKey, address, security)
    if (security !== 'key' && !own) {
      checkSignature(this.keys, key, payload, params.text('signature'))
      checkTime(params, nowMs)
    } else if (own && params.has('timestamp')) checkTime(params, nowMs)
    return { account: key.account, mayTrade: key.permission === 'trade' }
  }

  /** What a client gets for an error. One that the dialect has no code for is reported. */
  refusalOf(error: unknown): ApiError {
    if (error instanceof ApiError) return error
    this.#onFailure(error)
    return errors.unknown()
  }
}

function logged({ method, rest }: Operation, { address }: Caller, account: number, began: number) {
  const elapsedMs = performance.now() - began
  return { method: method ?? rest?.join(' ') ?? '', address: plainAddress(address), account, elapsedMs }
}
