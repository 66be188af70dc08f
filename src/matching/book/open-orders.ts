import { assert } from '../../base/assert.js'
import { FLAG_CLIENT_ID } from './order-store.js'
import { packedOrderNumbers, packOrder } from './packed-order.js'
import type { ShardBooks } from './shard-books.js'

/** Orders of one account to look for. */
export interface OpenOrdersQuery {
  /** Whose orders are asked for. */
  readonly account: number
  /** The instrument to begin with … */
  readonly instrumentId: number
  /** … in which only orders with an id above this one count. */
  readonly afterOrderId: number
  /** Whether the instruments after it are looked through too, by ascending id. */
  readonly isEverywhere: boolean
  /** The most orders of a page. */
  readonly limit: number
}

/** A page of open orders, by ascending instrument id and order id. */
export interface OpenOrdersPage {
  /** `packedOrderNumbers` for each. */
  readonly orders: Float64Array
  /** By the place of an order on the page: the client's own names, of those that have one. */
  readonly clientOrderIds: ReadonlyMap<number, string>
  /** The page has all that there is up to here, and more may come after it; `undefined`: it has all. */
  readonly coveredTo: { readonly instrumentId: number; readonly orderId: number } | undefined
}

/** Orders that one step looks at. */
const openOrdersStep = 2048

/**
 * Finds a page of an account's open orders, a step at a time, while commands are executed between the steps. An account's
 * orders are listed in the order in which they were accepted, so the lowest ids are only known when its whole list in a book was
 * looked at. All that a page has is found out or looked at again in its last step: the page is as of that moment.
 *
 * Only the list of the page's first book is walked over several steps. What was looked at stays looked at: a list changes at its
 * end, where new orders come, or loses an order, and the index of accounts moves the place of the walk when it loses the one that the
 * walk has come to. A later book that is not walked to its end in the last step is left to the next page.
 */
export class OpenOrders {
  readonly #shard: ShardBooks
  readonly #query: OpenOrdersQuery
  /** The book whose list is being walked; -1: none. */
  #walked = -1
  /** Ids in that book that may belong to the page. There is room for twice as many as it may have, so that they are seldom sorted. */
  readonly #ids: Float64Array
  #idCount = 0
  /** Ids from this one on do not belong to the page. */
  #below = Number.POSITIVE_INFINITY
  readonly #page: { book: number; orderId: number }[] = []

  constructor(shard: ShardBooks, query: OpenOrdersQuery) {
    this.#shard = shard
    this.#query = query
    this.#ids = new Float64Array(query.limit * 2)
  }

  /** Looks at the next orders. Returns the page when it is complete. */
  step(orders = openOrdersStep): OpenOrdersPage | undefined {
    const books = this.#books()
    let left = orders
    for (const [i, book] of books.entries()) {
      if (book !== this.#walked) this.#beginWalk(book)
      left = this.#walk(left)
      if (left < 0) return i === 0 ? undefined : this.#pageTo(this.#allOf(books[i - 1]!))
      const isCut = this.#takeIds()
      if (isCut) return this.#pageTo({ ...this.#allOf(book), orderId: this.#page.at(-1)!.orderId })
      if (this.#page.length === this.#query.limit && i + 1 < books.length)
        return this.#pageTo(this.#allOf(book))
    }
    return this.#pageTo(undefined)
  }

  /** Gives up: nothing of the walk remains in the books. */
  stop(): void {
    if (this.#walked >= 0) this.#shard.accounts.walkedTo = 0
    this.#walked = -1
  }

  /** The books to be looked at in which the account has orders now, by ascending instrument id. */
  #books(): number[] {
    const { account, instrumentId, isEverywhere } = this.#query
    return this.#shard.accounts
      .booksOf(account)
      .map((book) => ({ book, id: this.#instrumentId(book) }))
      .filter(({ id }) => (isEverywhere ? id >= instrumentId : id === instrumentId))
      .sort((a, b) => a.id - b.id)
      .map(({ book }) => book)
  }

  #beginWalk(book: number): void {
    const { accounts } = this.#shard
    this.stop()
    assert(accounts.walkedTo === 0, 'one list is walked at a time', () => ({ walkedTo: accounts.walkedTo }))
    this.#walked = book
    this.#idCount = 0
    this.#below = Number.POSITIVE_INFINITY
  }

  /** Looks at orders of the list; returns how many more may be looked at, or -1 when its end was not reached. */
  #walk(most: number): number {
    const { accounts, orders } = this.#shard
    const { account, instrumentId, afterOrderId } = this.#query
    const after = this.#instrumentId(this.#walked) === instrumentId ? afterOrderId : 0
    let left = most
    let looked = accounts.walkedTo
    let order = looked === 0 ? accounts.first(this.#walked, account) : orders.accountNext(looked)
    while (order > 0 && left > 0) {
      left--
      const id = orders.id(order)
      if (id > after && id < this.#below) this.#add(id)
      looked = order
      order = orders.accountNext(order)
    }
    accounts.walkedTo = looked
    return order > 0 ? -1 : left
  }

  #add(id: number): void {
    if (this.#idCount === this.#ids.length) this.#sortIds()
    if (id < this.#below) this.#ids[this.#idCount++] = id
  }

  /** Drops the ids for which there is no room on the page. */
  #sortIds(): void {
    const room = this.#query.limit - this.#page.length
    this.#ids.subarray(0, this.#idCount).sort()
    if (this.#idCount <= room) return
    this.#below = this.#ids[room]!
    this.#idCount = room
  }

  /** Takes the ids of the book that was walked onto the page; returns whether there were more than there is room for. */
  #takeIds(): boolean {
    const book = this.#walked
    this.#sortIds()
    for (let i = 0; i < this.#idCount; i++) {
      const orderId = this.#ids[i]!
      // An order that went away, and came again under its id, was looked at twice.
      if (i === 0 || orderId !== this.#ids[i - 1]) this.#page.push({ book, orderId })
    }
    return this.#below !== Number.POSITIVE_INFINITY
  }

  #instrumentId(book: number): number {
    return this.#shard.books.instrumentId(book)
  }

  #allOf(book: number): { instrumentId: number; orderId: number } {
    return { instrumentId: this.#instrumentId(book), orderId: Number.MAX_SAFE_INTEGER }
  }

  /** Reads the orders of the page. Those that went away since they were looked at are not on it any more. */
  #pageTo(coveredTo: OpenOrdersPage['coveredTo']): OpenOrdersPage {
    this.stop()
    const { index, orders } = this.#shard
    const packed = new Float64Array(this.#page.length * packedOrderNumbers)
    const clientOrderIds = new Map<number, string>()
    let at = 0
    for (const { book, orderId } of this.#page) {
      const order = index.find(book, orderId | 0, (orderId / 4294967296) | 0)
      if (order === 0 || orders.account(order) !== this.#query.account) continue
      packOrder(this.#shard, order, packed, at)
      if ((orders.flags(order) & FLAG_CLIENT_ID) !== 0)
        clientOrderIds.set(at / packedOrderNumbers, this.#shard.clients.idOf(order))
      at += packedOrderNumbers
    }
    return { orders: at === packed.length ? packed : packed.slice(0, at), clientOrderIds, coveredTo }
  }
}
