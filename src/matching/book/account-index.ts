import { broken } from '../../base/assert.js'
import { type OrderStore, orderFields } from './order-store.js'
import { recordMask } from './record-masks.js'

const NEXT = orderFields.accountNext
const PREVIOUS = orderFields.accountPrevious
const BOOK_OF_ORDER = orderFields.book
const ACCOUNT_OF_ORDER = orderFields.account

const HEAD = 0
const TAIL = 1
const BOOK = 2
const ACCOUNT = 3
const NEXT_OF_ACCOUNT = 4

const RECORD = recordMask
const INITIAL_NODES = 256

/**
 * The live orders of each (book, account) in the order in which they were accepted: a list through the orders
 * themselves. A list's ends point back to its node by a negative link, `~node`, so that an order can leave its list
 * without a look-up. A node that lost its last order stays until the table next fills up, because most accounts come
 * back. Node 0 is never given out.
 */
export class AccountIndex {
  readonly #orders: OrderStore
  #nodes = new Int32Array(INITIAL_NODES * 8)
  #capacity = INITIAL_NODES
  #used = 1
  #table = new Int32Array(INITIAL_NODES * 2)
  /** By account, unsigned: accounts come here as words too. */
  readonly #firstNodeOf = new Map<number, number>()
  #lastNode = 0
  /**
   * The last order that a walk through a list has looked at; 0 before its first, and when no list is walked. Whatever takes
   * that order out of its list makes the one before it the last that was looked at.
   */
  walkedTo = 0

  constructor(orders: OrderStore) {
    this.#orders = orders
  }

  /** Appends a new order to the list of its account. */
  add(order: number, book: number, account: number): void {
    const node = this.#obtain(book, account)
    const nodes = this.#nodes
    const { i32 } = this.#orders
    const tail = nodes[node * 8 + TAIL]!
    i32[(order << 4) + NEXT] = ~node
    if (tail === 0) {
      i32[(order << 4) + PREVIOUS] = ~node
      nodes[node * 8 + HEAD] = order
    } else {
      if (tail >= this.#orders.copyFrom) this.#orders.keep(tail)
      i32[(order << 4) + PREVIOUS] = tail
      i32[(tail << 4) + NEXT] = order
    }
    nodes[node * 8 + TAIL] = order
  }

  /** Takes an order out of the list of its account. */
  remove(listed: number): void {
    const base = (listed & RECORD) << 4
    const { i32 } = this.#orders
    const next = i32[base | NEXT]!
    const previous = i32[base | PREVIOUS]!
    if (previous >= this.#orders.copyFrom) this.#orders.keep(previous)
    if (listed === this.walkedTo) this.walkedTo = previous < 0 ? 0 : previous
    if (previous < 0) this.#nodes[(~previous << 3) | HEAD] = next < 0 ? 0 : next
    else i32[((previous & RECORD) << 4) | NEXT] = next
    if (next < 0) this.#nodes[(~next << 3) | TAIL] = previous < 0 ? 0 : previous
    else i32[((next & RECORD) << 4) | PREVIOUS] = previous
  }

  /** The oldest live order of the account in this book, or 0. */
  first(book: number, account: number): number {
    const node = this.#find(book, account)
    return node === 0 ? 0 : this.#nodes[node * 8 + HEAD]!
  }

  /** The books in which the account has a live order, in no particular order. */
  booksOf(account: number): number[] {
    const books: number[] = []
    const nodes = this.#nodes
    for (
      let node = this.#firstNodeOf.get(account) ?? 0;
      node !== 0;
      node = nodes[node * 8 + NEXT_OF_ACCOUNT]!
    ) {
      if (nodes[node * 8 + HEAD] !== 0) books.push(nodes[node * 8 + BOOK]!)
    }
    return books
  }

  /** Checks every list; returns the number of orders in all of them. */
  verify(): number {
    const orders = this.#orders
    const nodes = this.#nodes
    let count = 0
    for (let node = 1; node < this.#used; node++) {
      const book = nodes[node * 8 + BOOK]!
      const account = nodes[node * 8 + ACCOUNT]! >>> 0
      let previous = ~node
      for (let order = nodes[node * 8 + HEAD]!; order > 0; order = orders.accountNext(order)) {
        const belongs = orders.book(order) === book && orders.account(order) === account
        if (!belongs || orders.accountPrevious(order) !== previous) {
          broken('an order is in the list of its own account', { order: orders.id(order), account })
        }
        previous = order
        count++
      }
      if (nodes[node * 8 + TAIL] !== Math.max(previous, 0) || this.#find(book, account) !== node) {
        broken("the list of an account's orders ends where the account says", { account, book })
      }
    }
    return count
  }

  #slot(book: number, account: number): number {
    let hash = Math.imul(account ^ Math.imul(book, 0x85ebca6b), 0x9e3779b1)
    hash = Math.imul(hash ^ (hash >>> 15), 0x7feb352d)
    return (hash ^ (hash >>> 16)) & (this.#table.length - 1)
  }

  #find(book: number, account: number): number {
    const table = this.#table
    const nodes = this.#nodes
    const mask = table.length - 1
    for (let at = this.#slot(book, account); ; at = (at + 1) & mask) {
      const node = table[at]!
      if (node === 0) return 0
      if (nodes[node * 8 + ACCOUNT] === (account | 0) && nodes[node * 8 + BOOK] === book) return node
    }
  }

  #obtain(book: number, account: number): number {
    const last = this.#lastNode
    const recent = this.#nodes
    if (recent[last * 8 + ACCOUNT] === (account | 0) && recent[last * 8 + BOOK] === book && last !== 0)
      return last
    let node = this.#find(book, account)
    if (node === 0) {
      if (this.#used === this.#capacity) this.#makeRoom()
      node = this.#place(book, account, 0, 0)
    }
    this.#lastNode = node
    return node
  }

  #place(book: number, account: number, head: number, tail: number): number {
    const node = this.#used++
    const nodes = this.#nodes
    nodes[node * 8 + HEAD] = head
    nodes[node * 8 + TAIL] = tail
    nodes[node * 8 + BOOK] = book
    nodes[node * 8 + ACCOUNT] = account
    nodes[node * 8 + NEXT_OF_ACCOUNT] = this.#firstNodeOf.get(account >>> 0) ?? 0
    this.#firstNodeOf.set(account >>> 0, node)
    const table = this.#table
    const mask = table.length - 1
    let at = this.#slot(book, account)
    while (table[at] !== 0) at = (at + 1) & mask
    table[at] = node
    return node
  }

  /** Makes room for so many more lists. */
  reserve(lists: number): void {
    let capacity = this.#capacity
    while (capacity < this.#used + lists) capacity *= 2
    if (capacity > this.#capacity) this.#rebuild(capacity)
  }

  /** Makes an order of a snapshot the first of its account's list, for which `reserve` has made room. */
  restoreFirst(order: number): void {
    const { i32 } = this.#orders
    const base = order << 4
    const node = this.#obtain(i32[base + BOOK_OF_ORDER]!, i32[base + ACCOUNT_OF_ORDER]! >>> 0)
    this.#nodes[node * 8 + HEAD] = order
    i32[base + PREVIOUS] = ~node
  }

  /** Makes an order of a snapshot the last of its account's list, for which `reserve` has made room. */
  restoreLast(order: number): void {
    const { i32 } = this.#orders
    const base = order << 4
    const node = this.#obtain(i32[base + BOOK_OF_ORDER]!, i32[base + ACCOUNT_OF_ORDER]! >>> 0)
    this.#nodes[node * 8 + TAIL] = order
    i32[base + NEXT] = ~node
  }

  /** Drops the empty nodes, and doubles the table unless that frees at least half of it. */
  #makeRoom(): void {
    let live = 0
    for (let node = 1; node < this.#used; node++) if (this.#nodes[node * 8 + HEAD] !== 0) live++
    this.#rebuild(live * 2 > this.#capacity ? this.#capacity * 2 : this.#capacity)
  }

  #rebuild(capacity: number): void {
    const old = this.#nodes
    const used = this.#used
    this.#capacity = capacity
    this.#nodes = new Int32Array(this.#capacity * 8)
    this.#table = new Int32Array(this.#capacity * 2)
    this.#used = 1
    this.#lastNode = 0
    this.#firstNodeOf.clear()
    const orders = this.#orders
    for (let node = 1; node < used; node++) {
      const head = old[node * 8 + HEAD]!
      if (head === 0) continue
      const tail = old[node * 8 + TAIL]!
      const moved = this.#place(old[node * 8 + BOOK]!, old[node * 8 + ACCOUNT]! >>> 0, head, tail)
      orders.setAccountPrevious(head, ~moved)
      orders.setAccountNext(tail, ~moved)
    }
  }
}
