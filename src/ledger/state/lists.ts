/** What the orders of a list hold together: they depend on each other, so it is less than what they would hold one by one. */
export interface ListHold {
  readonly number: number
  readonly instrument: number
  readonly baseCell: number
  readonly quoteCell: number
  baseHeld: bigint
  quoteHeld: bigint
  /** Its orders in the list's own order; 0 for one that is over. */
  readonly legs: number[]
  /** Whether the orders after the first wait until that one is filled. */
  waits: boolean
}

export class Lists {
  readonly #byNumber = new Map<number, ListHold>()
  #next = 1

  of(number: number): ListHold {
    return this.#byNumber.get(number)!
  }

  add(instrument: number, baseCell: number, quoteCell: number, waits: boolean): ListHold {
    const number = this.#next++
    const list = { number, instrument, baseCell, quoteCell, baseHeld: 0n, quoteHeld: 0n, legs: [], waits }
    this.#byNumber.set(number, list)
    return list
  }

  remove(list: ListHold): void {
    this.#byNumber.delete(list.number)
  }

  all(): IterableIterator<ListHold> {
    return this.#byNumber.values()
  }
}
