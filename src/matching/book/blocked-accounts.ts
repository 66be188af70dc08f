/** The accounts that are blocked, for each book of a shard: it takes no orders of them. */
export class BlockedAccounts {
  readonly #books: (Set<number> | undefined)[] = []

  has(book: number, account: number): boolean {
    return this.#books[book]?.has(account) === true
  }

  add(book: number, account: number): void {
    let accounts = this.#books[book]
    if (accounts === undefined) {
      accounts = new Set()
      this.#books[book] = accounts
    }
    accounts.add(account)
  }

  remove(book: number, account: number): void {
    this.#books[book]?.delete(account)
  }

  /** How many there are in a book. */
  count(book: number): number {
    return this.#books[book]?.size ?? 0
  }

  /** Those of a book, ascending. */
  of(book: number): number[] {
    return [...(this.#books[book] ?? [])].sort((a, b) => a - b)
  }

  /** In how many books each account is blocked, of those that are blocked in any. */
  booksByAccount(): Map<number, number> {
    const books = new Map<number, number>()
    for (const accounts of this.#books)
      for (const account of accounts ?? []) books.set(account, (books.get(account) ?? 0) + 1)
    return books
  }
}
