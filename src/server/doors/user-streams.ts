import { randomBytes } from 'node:crypto'
import type { Movement } from '../../ledger/index.js'
import { balanceUpdateJson, executionReportJson, listStatusJson, positionJson } from '../dialect/user-json.js'
import type { ListUpdate, OrderUpdate } from '../venue/history.js'
import { type UserEntry, UserLog } from '../venue/user-log.js'
import type { Venue } from '../venue/venue.js'

/** A receiver of what happens to an account. */
export interface UserReceiver {
  /** `place` is where an event of an order stands; the others have none. */
  event(event: object, place?: UserPlace): void
  /** Called now and then: up to `place` everything was given. Receivers without it don't want to know. */
  position?(place: UserPlace): void
}

/** An LSN, and the number of the account's update before. */
export interface UserPlace {
  readonly lsn: number
  readonly after: number
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
  readonly log: UserLog
  #endMovements: (() => void) | undefined

  constructor(venue: Venue, eventsMax: number) {
    this.#venue = venue
    this.log = new UserLog(eventsMax, (account) => this.#receivers.has(account))
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
    this.#listen()
  }

  remove(account: number, receiver: UserReceiver): void {
    const receivers = this.#receivers.get(account)
    receivers?.delete(receiver)
    if (receivers?.size === 0) this.#receivers.delete(account)
    this.#listen()
  }

  onOrder(update: OrderUpdate): void {
    // One of a symbol that clients do not see is not sent, so the next one of the account must not come after it.
    if (!this.#venue.find(update.order.symbol)) {
      this.log.skip()
      return
    }
    const entry = this.log.add(update)
    const receivers = this.#receivers.get(update.order.account)
    if (receivers) this.send(entry, receivers)
  }

  /** Gives an update of an order, and the balances as they are now, where the venue has some. */
  send(entry: UserEntry, receivers: Iterable<UserReceiver>): void {
    const { account, symbol: name } = entry.order
    const nowMs = this.#venue.nowMs()
    // Also one that clients do not see any more: the next event says that it comes after this one.
    const symbol = this.#venue.pool.instrument(name)!
    const report = executionReportJson(entry, symbol, entry.executionId, nowMs)
    const position = this.#position(account, [symbol.baseAsset, symbol.quoteAsset], nowMs)
    for (const receiver of receivers) {
      receiver.event(report, entry)
      if (position) receiver.event(position)
    }
  }

  /** What an account has of some assets now, where the venue says. */
  #position(account: number, assets: readonly (string | undefined)[], nowMs: number): object | undefined {
    try {
      const balances = this.#venue.balances?.of(account).filter(({ asset }) => assets.includes(asset))
      return balances && positionJson(balances, nowMs)
    } catch (error) {
      // They may be the program's own, and what fails there must not end the reading of the log.
      this.#venue.report(error)
      return undefined
    }
  }

  /** Gives what changed a balance without an order: that of a trade goes with its report. */
  #onMovement(movement: Movement): void {
    const { account, asset, orderId } = movement
    const receivers = this.#receivers.get(account)
    if (orderId !== undefined || !receivers) return
    const nowMs = this.#venue.nowMs()
    const update = balanceUpdateJson(movement, nowMs)
    const position = this.#position(account, [asset], nowMs)
    for (const receiver of receivers) {
      receiver.event(update)
      if (position) receiver.event(position)
    }
  }

  /** Listens to movements while an account has a receiver: each trade makes some. */
  #listen(): void {
    const isHeard = this.#receivers.size > 0
    if (!isHeard) {
      this.#endMovements?.()
      this.#endMovements = undefined
    } else if (!this.#endMovements) {
      try {
        this.#endMovements = this.#venue.ledger?.onMovement((movement) => this.#onMovement(movement))
      } catch (error) {
        // Nothing moves in a closed one.
        if ((error as { code?: string }).code !== 'TIDEMARK_LEDGER_CLOSED') throw error
      }
    }
  }

  /** Says to those who want to know up to where they have everything. */
  beat(): void {
    for (const [account, receivers] of this.#receivers) {
      const place = { lsn: this.#venue.takenLsn, after: this.log.lastOf(account) }
      for (const receiver of receivers) receiver.position?.(place)
    }
  }

  onList(update: ListUpdate): void {
    const receivers = this.#receivers.get(update.list.account)
    if (!receivers || !this.#venue.find(update.list.symbol)) return
    const event = listStatusJson(update, this.#venue.nowMs())
    for (const receiver of receivers) receiver.event(event)
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
