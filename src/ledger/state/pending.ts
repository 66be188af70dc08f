import { broken } from '../../base/assert.js'
import type { LedgerState } from './ledger-state.js'

const initialEntries = 1024

/** The command has another entry after this one. */
const MORE = 1
/** It replaces the order whose number the entry has. */
const REPLACES = 2
/** It changes what an instrument is traded in. */
const CHANGES_ASSETS = 4
/** It makes an order of a list. */
const OF_LIST = 8
/** It counts in the position of its account. */
const OPENS = 16

/**
 * What is held for the commands that a shard was given and has not logged durably, in their order: each has one entry, or
 * several in a row of which all but the last say that more follow. The shard logs its commands in that order, so nothing in a record
 * has to say which entry is its own.
 */
export class PendingHolds {
  readonly #state: LedgerState
  #cell = new Int32Array(initialEntries)
  #amount = new BigInt64Array(initialEntries)
  #flags = new Int32Array(initialEntries)
  #instrument = new Int32Array(initialEntries)
  /** The id of the order that the command makes, 0 where it states none, or replaces. */
  #orderId = new Float64Array(initialEntries)
  /** The number of the order that it replaces: by then its place may be another order's. */
  #order = new Int32Array(initialEntries)
  /** How many orders of the account count as live since it was admitted. */
  #live = new Int32Array(initialEntries)
  #account = new Float64Array(initialEntries)
  /** Lots that it may buy, or sell: below zero. */
  #opens = new BigInt64Array(initialEntries)
  /** By the low bits of an order id: the newest entry that makes an order of such an id … */
  #newest = new Float64Array(initialEntries).fill(-1)
  /** … and by entry the one before it. */
  #before = new Float64Array(initialEntries)
  #head = 0
  #tail = 0
  /** Commands with several entries: lists. */
  #lists = 0
  /** By instrument: changes of its assets. */
  readonly #assetChanges = new Map<number, number>()

  constructor(state: LedgerState) {
    this.#state = state
  }

  /** Lists on their way. */
  get lists(): number {
    return this.#lists
  }

  /** Where the next entry goes: `takeBack` takes back what was added since. */
  get tail(): number {
    return this.#tail
  }

  /** A command that holds nothing, and of which nothing has to be known until it is durable. */
  addNothing(): void {
    this.#add(0, 0n, 0, 0, 0, 0)
  }

  /** A new order; its id is 0 when it states none. */
  addOrder(cell: number, amount: bigint, instrument: number, orderId: number): void {
    this.#note(orderId, this.#add(cell, amount, 0, instrument, orderId, 0))
  }

  /** An entry of a list: one of its holds, one of its orders, or both. `more` when it is not the last one. */
  addOfList(cell: number, amount: bigint, instrument: number, orderId: number, more: boolean): void {
    this.#note(orderId, this.#add(cell, amount, OF_LIST | (more ? MORE : 0), instrument, orderId, 0))
    if (!more) this.#lists++
  }

  addReplace(cell: number, amount: bigint, instrument: number, orderId: number, order: number): void {
    this.#add(cell, amount, REPLACES, instrument, orderId, order)
    this.#state.orders.replaces[order]!++
  }

  addAssetChange(instrument: number): void {
    this.#add(0, 0n, CHANGES_ASSETS, instrument, 0, 0)
    this.#assetChanges.set(instrument, (this.#assetChanges.get(instrument) ?? 0) + 1)
  }

  /** The command that was added last makes so many orders of an account, which count as live from now on. */
  countLive(account: number, orders: number): void {
    const { live } = this.#state.limits
    if (live === undefined) return
    const at = this.#place(this.#tail - 1)
    this.#live[at] = orders
    this.#account[at] = account
    live.add(account, orders)
  }

  /** The entry that was added last may add so many lots to the position of an account, or take them from it. */
  countOpens(account: number, sell: boolean, lots: bigint): void {
    const at = this.#place(this.#tail - 1)
    this.#flags[at]! |= OPENS
    this.#opens[at] = sell ? -lots : lots
    this.#account[at] = account
    this.#state.positions.open(this.#instrument[at]!, account, sell, lots)
  }

  /** Whether the assets of the instrument are about to change. */
  changesAssets(instrument: number): boolean {
    return this.#assetChanges.size > 0 && this.#assetChanges.has(instrument)
  }

  /** Whether a new order that states this id is on its way: what names the id may mean that order. */
  makes(instrument: number, orderId: number): boolean {
    for (let entry = this.#newest[this.#place(orderId)]!; entry >= this.#head; ) {
      const at = this.#place(entry)
      if (this.#orderId[at] === orderId && this.#instrument[at] === instrument) return true
      entry = this.#before[at]!
    }
    return false
  }

  /** The first command is durable: frees what was held for it, and takes it out. */
  take(): void {
    for (;;) {
      if (this.#head === this.#tail) broken('a durable command has its hold', { head: this.#head })
      const at = this.#place(this.#head++)
      this.#free(at)
      if ((this.#flags[at]! & MORE) === 0) return
    }
  }

  /** Frees what was added since `tail` and is not handed over after all. */
  takeBack(tail: number): void {
    while (this.#tail > tail) {
      const at = this.#place(--this.#tail)
      this.#free(at)
      if (this.#isNoted(at)) this.#newest[this.#place(this.#orderId[at]!)] = this.#before[at]!
    }
  }

  #add(
    cell: number,
    amount: bigint,
    flags: number,
    instrument: number,
    orderId: number,
    order: number,
  ): number {
    if (this.#tail - this.#head === this.#cell.length) this.#grow()
    const entry = this.#tail++
    const at = this.#place(entry)
    this.#cell[at] = cell
    this.#amount[at] = amount
    this.#flags[at] = flags
    this.#instrument[at] = instrument
    this.#orderId[at] = orderId
    this.#order[at] = order
    this.#live[at] = 0
    return entry
  }

  #free(at: number): void {
    const { cells, orders } = this.#state
    const cell = this.#cell[at]!
    const flags = this.#flags[at]!
    if (cell !== 0) cells.held[cell]! -= this.#amount[at]!
    if (this.#live[at] !== 0) this.#state.limits.live!.add(this.#account[at]!, -this.#live[at]!)
    if (flags === 0) return
    const instrument = this.#instrument[at]!
    if ((flags & OPENS) !== 0) {
      const lots = this.#opens[at]!
      const sell = lots < 0n
      this.#state.positions.open(instrument, this.#account[at]!, sell, sell ? lots : -lots)
    }
    if ((flags & REPLACES) !== 0) {
      const order = this.#order[at]!
      if (orders.instrument[order] === instrument && orders.orderId[order] === this.#orderId[at])
        orders.replaces[order]!--
    } else if ((flags & CHANGES_ASSETS) !== 0) {
      const others = this.#assetChanges.get(instrument)! - 1
      if (others === 0) this.#assetChanges.delete(instrument)
      else this.#assetChanges.set(instrument, others)
    } else if ((flags & (OF_LIST | MORE)) === OF_LIST) this.#lists--
  }

  #isNoted(at: number): boolean {
    return this.#orderId[at] !== 0 && (this.#flags[at]! & REPLACES) === 0
  }

  #note(orderId: number, entry: number): void {
    if (orderId === 0) return
    const slot = this.#place(orderId)
    this.#before[this.#place(entry)] = this.#newest[slot]!
    this.#newest[slot] = entry
  }

  /** Numbers of entries, and order ids, outgrow 32 bits, and their low bits are right all the same. */
  #place(entry: number): number {
    return entry & (this.#cell.length - 1)
  }

  #grow(): void {
    const before = this.#cell.length - 1
    const old = [
      this.#cell,
      this.#amount,
      this.#flags,
      this.#instrument,
      this.#orderId,
      this.#order,
      this.#live,
      this.#account,
      this.#opens,
    ] as const
    const length = (before + 1) * 2
    this.#cell = new Int32Array(length)
    this.#amount = new BigInt64Array(length)
    this.#flags = new Int32Array(length)
    this.#instrument = new Int32Array(length)
    this.#orderId = new Float64Array(length)
    this.#order = new Int32Array(length)
    this.#live = new Int32Array(length)
    this.#account = new Float64Array(length)
    this.#opens = new BigInt64Array(length)
    this.#newest = new Float64Array(length).fill(-1)
    this.#before = new Float64Array(length)
    const mask = length - 1
    for (let i = this.#head; i < this.#tail; i++) {
      const at = i & mask
      this.#cell[at] = old[0][i & before]!
      this.#amount[at] = old[1][i & before]!
      this.#flags[at] = old[2][i & before]!
      this.#instrument[at] = old[3][i & before]!
      this.#orderId[at] = old[4][i & before]!
      this.#order[at] = old[5][i & before]!
      this.#live[at] = old[6][i & before]!
      this.#account[at] = old[7][i & before]!
      this.#opens[at] = old[8][i & before]!
      if (this.#isNoted(at)) this.#note(this.#orderId[at]!, i)
    }
  }
}
