/** A pegged order beside its record. */
export class PeggedOrder {
  /** Its record; 0 when the order is gone. */
  order: number
  /** A code of `pegCodes`. */
  readonly kind: number
  /** Ticks, added to the reference. */
  readonly offset: number
  /** Ticks; 0 without one. */
  readonly limit: number
  /** The level in whose queue it is; 0 while it is in none. */
  level = 0
  /** Of two pegs of a book the one with the lower number is re-priced first. */
  turn = 0
  previous: PeggedOrder | undefined
  next: PeggedOrder | undefined

  constructor(order: number, kind: number, offset: number, limit: number) {
    this.order = order
    this.kind = kind
    this.offset = offset
    this.limit = limit
  }
}

/** The pegged orders of a book, in the order in which they are re-priced. */
export class BookPegs {
  first: PeggedOrder | undefined
  last: PeggedOrder | undefined
  turns = 0
  /** The references when the pegs were last priced, 0 where there was none; -1 before that. They only save looking at each peg. */
  bid = -1
  ask = -1

  /** Lets each peg be looked at the next time. */
  forgetReferences(): void {
    this.bid = -1
  }

  append(peg: PeggedOrder, turn = ++this.turns): void {
    peg.turn = turn
    peg.previous = this.last
    peg.next = undefined
    if (this.last === undefined) this.first = peg
    else this.last.next = peg
    this.last = peg
  }

  take(peg: PeggedOrder): void {
    if (peg.previous === undefined) this.first = peg.next
    else peg.previous.next = peg.next
    if (peg.next === undefined) this.last = peg.previous
    else peg.next.previous = peg.previous
  }
}

/** The pegged orders of a shard. Nothing is made for a book before its first. */
export class PeggedOrders {
  readonly #pegs = new Map<number, PeggedOrder>()
  readonly #books: (BookPegs | undefined)[] = []
  /** By level: how many of its orders are pegged. */
  #onLevel = new Int32Array(0)

  get size(): number {
    return this.#pegs.size
  }

  /** The peg of an order that has one. */
  of(order: number): PeggedOrder {
    return this.#pegs.get(order)!
  }

  inBook(book: number): BookPegs | undefined {
    return this.#books[book]
  }

  /** Adds the peg of an order that is in no queue yet; returns those of its book. */
  add(book: number, peg: PeggedOrder): BookPegs {
    let pegs = this.#books[book]
    if (pegs === undefined) {
      pegs = new BookPegs()
      this.#books[book] = pegs
    }
    pegs.append(peg)
    this.#pegs.set(peg.order, peg)
    return pegs
  }

  /** Adds the peg of an order of a snapshot; `sortRestored` follows when all are there. */
  restore(book: number, peg: PeggedOrder, turn: number, level: number): void {
    this.add(book, peg)
    peg.turn = turn
    this.queued(peg.order, level)
  }

  /** Puts pegs that were restored in the order of their turns. */
  sortRestored(): void {
    for (const pegs of this.#books) {
      if (pegs === undefined) continue
      const sorted: PeggedOrder[] = []
      for (let peg = pegs.first; peg !== undefined; peg = peg.next) sorted.push(peg)
      sorted.sort((a, b) => a.turn - b.turn)
      pegs.first = pegs.last = undefined
      for (const peg of sorted) pegs.append(peg, peg.turn)
      pegs.turns = pegs.last === undefined ? 0 : (pegs.last as PeggedOrder).turn
    }
  }

  /** Forgets the peg of an order that goes away. */
  remove(book: number, order: number): void {
    const peg = this.of(order)
    this.unqueued(order)
    this.#books[book]!.take(peg)
    this.#pegs.delete(order)
    peg.order = 0
  }

  /** Notes that a pegged order is in the queue of a level. */
  queued(order: number, level: number): void {
    if (level >= this.#onLevel.length) {
      const onLevel = new Int32Array(Math.max(level + 1, this.#onLevel.length * 2, 1024))
      onLevel.set(this.#onLevel)
      this.#onLevel = onLevel
    }
    this.#onLevel[level]! += 1
    this.of(order).level = level
  }

  /** Notes that a pegged order leaves the queue that it is in, if it is in one. */
  unqueued(order: number): void {
    const peg = this.of(order)
    if (peg.level === 0) return
    this.#onLevel[peg.level]! -= 1
    peg.level = 0
  }

  /** How many orders of a level are pegged. */
  onLevel(level: number): number {
    return level < this.#onLevel.length ? this.#onLevel[level]! : 0
  }
}
