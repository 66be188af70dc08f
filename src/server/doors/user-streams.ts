import { randomBytes } from 'node:crypto'
import { executionReportJson } from '../dialect/user-json.js'
import type { OrderUpdate } from '../venue/history.js'
import type { Venue } from '../venue/venue.js'

/** A receiver of what happens to an account. */
export interface UserReceiver {
  event(event: object): void
}

/** A listen key is valid for an hour after it was made or kept alive; an account has at most so many. */
const listenKeyMs = 3_600_000
const listenKeysMax = 100_000

interface ListenKey {
  readonly account: number
  validUntilMs: number
}

/** Who gets which account's events. */
export class UserStreams {
  readonly #venue: Venue
  readonly #receivers = new Map<number, Set<UserReceiver>>()
  readonly #listenKeys = new Map<string, ListenKey>()
  /** Updates of all orders since the beginning of the log, so that it is the same after a restart. */
  #updates = 0

  constructor(venue: Venue) {
    this.#venue = venue
  }

  get size(): number {
    let size = 0
    for (const receivers of this.#receivers.values()) size += receivers.size
    return size
  }

  add(account: number, receiver: UserReceiver): void {
    let receivers = this.#receivers.get(account)
    if (!receivers) this.#receivers.set(account, (receivers = new Set()))
    receivers.add(receiver)
  }

  remove(account: number, receiver: UserReceiver): void {
    const receivers = this.#receivers.get(account)
    receivers?.delete(receiver)
    if (receivers?.size === 0) this.#receivers.delete(account)
  }

  onOrder(update: OrderUpdate): void {
    this.#updates++
    const { account, symbol: name } = update.order
    const receivers = this.#receivers.get(account)
    if (!receivers) return
    const nowMs = this.#venue.nowMs()
    const symbol = this.#venue.find(name)
    if (!symbol) return
    const report = executionReportJson(update, symbol, this.#updates, nowMs)
    const balances = this.#venue.balances
      ?.of(account)
      .filter(({ asset }) => asset === symbol.baseAsset || asset === symbol.quoteAsset)
      .map(({ asset, free, locked }) => ({ a: asset, f: free, l: locked }))
    for (const receiver of receivers) {
      receiver.event(report)
      if (balances) receiver.event({ e: 'outboundAccountPosition', E: nowMs, u: nowMs, B: balances })
    }
  }

  /** The account's listen key, made if there is none. `undefined` when there are too many of all accounts. */
  start(account: number): string | undefined {
    const nowMs = this.#venue.nowMs()
    for (const [name, key] of this.#listenKeys) {
      if (key.validUntilMs < nowMs) this.#listenKeys.delete(name)
      else if (key.account === account) {
        key.validUntilMs = nowMs + listenKeyMs
        return name
      }
    }
    if (this.#listenKeys.size >= listenKeysMax) return undefined
    const name = randomBytes(45).toString('base64').replaceAll(/[+/]/g, 'x')
    this.#listenKeys.set(name, { account, validUntilMs: nowMs + listenKeyMs })
    return name
  }

  /** Returns false when the account has no such listen key. */
  keepAlive(account: number, name: string): boolean {
    const key = this.#listenKeys.get(name)
    if (key?.account !== account) return false
    key.validUntilMs = this.#venue.nowMs() + listenKeyMs
    return true
  }

  stop(account: number, name: string): boolean {
    return this.#listenKeys.get(name)?.account === account && this.#listenKeys.delete(name)
  }

  accountOf(name: string): number | undefined {
    const key = this.#listenKeys.get(name)
    return key && key.validUntilMs >= this.#venue.nowMs() ? key.account : undefined
  }
}
