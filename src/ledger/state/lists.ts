/** What the orders of a list hold together: they depend on each other, so it is less than what they would hold one by one. */
export interface ListHold {
  readonly number: number
  readonly instrument: number
  readonly baseCell: number
  readonly quoteCell: number
  baseHeld: bigint
  quoteHeld: bigint
  /** What of it counts in the position of its account, in lots. */
  buying: bigint
  selling: bigint
  /** Its orders in the list's own order; 0 for one that is over. */
  readonly legs: number[]
  /** Whether the orders after the first wait until that one is filled. */
  waits: boolean
}

/** A list as a snapshot has it: its orders by their ids, 0 for one that is over. */
export interface StoredList {
  readonly number: number
  readonly instrument: number
  readonly baseCell: number
  readonly quoteCell: number
  readonly baseHeld: string
  readonly quoteHeld: string
  readonly orderIds: readonly number[]
  readonly waits: boolean
}

export class Lists {
  readonly #byNumber = new Map<number, ListHold>()
  #next = 1

  get size(): number {
    return this.#byNumber.size
  }

  of(number: number): ListHold {
    return this.#byNumber.get(number)!
  }

  add(instrument: number, baseCell: number, quoteCell: number, waits: boolean): ListHold {
    const number = this.#next++
    const none = { baseHeld: 0n, quoteHeld: 0n, buying: 0n, selling: 0n }
    const list = { number, instrument, baseCell, quoteCell, ...none, legs: [], waits }
    this.#byNumber.set(number, list)
    return list
  }

  remove(list: ListHold): void {
    this.#byNumber.delete(list.number)
  }

  stored(orderIdOf: (order: number) => number): StoredList[] {
    return [...this.#byNumber.values()].map(({ legs, baseHeld, quoteHeld, buying, selling, ...list }) => ({
      ...list,
      baseHeld: String(baseHeld),
      quoteHeld: String(quoteHeld),
      orderIds: legs.map((order) => (order === 0 ? 0 : orderIdOf(order))),
    }))
  }

  restore(lists: readonly StoredList[], orderOf: (instrument: number, orderId: number) => number): void {
    for (const { orderIds, baseHeld, quoteHeld, ...list } of lists) {
      const legs = orderIds.map((id) => (id === 0 ? 0 : orderOf(list.instrument, id)))
      const held = { baseHeld: BigInt(baseHeld), quoteHeld: BigInt(quoteHeld), buying: 0n, selling: 0n }
      this.#byNumber.set(list.number, { ...list, ...held, legs })
      this.#next = Math.max(this.#next, list.number + 1)
    }
  }

  all(): IterableIterator<ListHold> {
    return this.#byNumber.values()
  }
}
