/** The self-trade groups of a shard's live orders, of those that have one. */
export class SelfTradeGroups {
  readonly #groups = new Map<number, number>()

  /** 0 for an order without one. */
  of(order: number): number {
    return this.#groups.get(order) ?? 0
  }

  set(order: number, group: number): void {
    this.#groups.set(order, group)
  }

  remove(order: number): void {
    this.#groups.delete(order)
  }

  get size(): number {
    return this.#groups.size
  }
}
