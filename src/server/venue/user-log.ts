import type { OrderUpdate } from './history.js'

/** What happened to an order, as it was then. */
export interface UserEntry extends OrderUpdate {
  /** LSN of the record that it is from. */
  readonly lsn: number
  /** Its number among the updates of all orders of the log, from 1: the same after a restart. */
  readonly executionId: number
  /** The number of the update of the same account before it; 0 for the first, and when that is not known any more. */
  readonly after: number
}

/** The last updates of orders, of all accounts together: a client that lost its connection gets from here what happened meanwhile. */
export class UserLog {
  readonly #max: number
  /** Whether a client hears of an account right now: then the number of its last update is kept in any case. */
  readonly #isHeard: (account: number) => boolean
  #entries: UserEntry[] = []
  /** Position of the first entry of the array that counts, and how many before it are gone. */
  #from = 0
  #gone = 0
  #forgottenLsn = 0
  #lastExecutionId = 0
  readonly #lastOf = new Map<number, number>()

  constructor(max: number, isHeard: (account: number) => boolean) {
    this.#max = max
    this.#isHeard = isHeard
  }

  /** Everything after this LSN is kept; what is at it or before may be gone. */
  get forgottenLsn(): number {
    return this.#forgottenLsn
  }

  /** The position of the oldest entry, and the one after the newest. */
  get first(): number {
    return this.#gone
  }

  get end(): number {
    return this.#gone + this.#entries.length - this.#from
  }

  /** The number of an account's last update; 0 when it is not known. */
  lastOf(account: number): number {
    return this.#lastOf.get(account) ?? 0
  }

  /** Numbers an update that no client is shown: it is in no account's sequence, and the next one has the number after it. */
  skip(): void {
    this.#lastExecutionId++
  }

  add(update: OrderUpdate): UserEntry {
    const { account } = update.order
    const entry: UserEntry = {
      ...update,
      order: { ...update.order },
      lsn: update.event.lsn,
      executionId: ++this.#lastExecutionId,
      after: this.lastOf(account),
    }
    this.#lastOf.set(account, entry.executionId)
    this.#entries.push(entry)
    if (this.#entries.length - this.#from > this.#max) this.#forget()
    return entry
  }

  /** @throws RangeError for a position that is not kept. */
  at(position: number): UserEntry {
    const entry = position < this.#gone ? undefined : this.#entries[this.#from + position - this.#gone]
    if (!entry) throw new RangeError(`There is no entry at ${position}.`)
    return entry
  }

  /** The position of the first entry after an LSN. */
  positionAfter(lsn: number): number {
    let low = this.first
    let high = this.end
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      if (this.at(middle).lsn <= lsn) low = middle + 1
      else high = middle
    }
    return low
  }

  #forget(): void {
    const entry = this.#entries[this.#from]!
    this.#entries[this.#from++] = undefined as unknown as UserEntry
    this.#gone++
    this.#forgottenLsn = entry.lsn
    const { account } = entry.order
    if (this.#lastOf.get(account) === entry.executionId && !this.#isHeard(account))
      this.#lastOf.delete(account)
    if (this.#from > 1024 && this.#from * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#from)
      this.#from = 0
    }
  }
}
