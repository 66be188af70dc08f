/**
 * The client order ids of a shard's live orders: for each book from an account and its id to the order, and for each order
 * back to its id. Nothing is made for a book before its first order with one.
 */
export class ClientOrderIds {
  readonly #orders: (Map<string, number> | undefined)[] = []
  readonly #ids = new Map<number, string>()

  /** The live order of an account with this id, or 0. */
  find(book: number, account: number, id: string): number {
    return this.#orders[book]?.get(keyOf(account, id)) ?? 0
  }

  /** The id of an order that has one. */
  idOf(order: number): string {
    return this.#ids.get(order) ?? ''
  }

  add(book: number, account: number, order: number, id: string): void {
    let orders = this.#orders[book]
    if (orders === undefined) {
      orders = new Map()
      this.#orders[book] = orders
    }
    orders.set(keyOf(account, id), order)
    this.#ids.set(order, id)
  }

  remove(book: number, account: number, order: number): void {
    this.#orders[book]?.delete(keyOf(account, this.idOf(order)))
    this.#ids.delete(order)
  }

  get size(): number {
    return this.#ids.size
  }
}

/** The account is the first two characters. */
function keyOf(account: number, id: string): string {
  return String.fromCharCode(account & 0xffff, account >>> 16) + id
}
