/** The trades of a shard's books that were busted: their ids, by book. */
export class Busts {
  readonly #ids: (Set<number> | undefined)[] = []

  has(book: number, tradeId: number): boolean {
    return this.#ids[book]?.has(tradeId) ?? false
  }

  add(book: number, tradeId: number): void {
    const ids = this.#ids[book]
    if (ids === undefined) this.#ids[book] = new Set([tradeId])
    else ids.add(tradeId)
  }

  /** Those of a book, ascending. */
  list(book: number): number[] {
    return [...(this.#ids[book] ?? [])].sort((a, b) => a - b)
  }
}
