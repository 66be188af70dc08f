/** A live order, as its events say it. Price and stop price in ticks, quantities in lots. */
export class BookOrder {
  readonly orderId: number
  readonly account: number
  /** 1 when it sells. */
  readonly sell: number
  /** What an iceberg shows at a time; 0 for others. */
  readonly display: number
  /** 0 for an order without a limit. */
  price: number
  open: number
  /** What of the open quantity is visible; 0 while it waits or trades. */
  shown = 0
  /** Whether it waits for a price or for the closing call before it acts. */
  readonly conditional: boolean
  level: PriceLevel | undefined
  previous: BookOrder | undefined
  next: BookOrder | undefined

  constructor(
    orderId: number,
    account: number,
    sell: number,
    price: number,
    open: number,
    display: number,
    conditional: boolean,
  ) {
    this.orderId = orderId
    this.account = account
    this.sell = sell
    this.price = price
    this.open = open
    this.display = display
    this.conditional = conditional
  }
}

/** The orders at one price, in their order of priority, with what of them is visible. */
export class PriceLevel {
  readonly price: number
  quantity = 0
  orders = 0
  first: BookOrder | undefined
  last: BookOrder | undefined
  /** Whether the record that is being read concerns it, and what it held before. */
  touched = false
  quantityBefore = 0
  ordersBefore = 0

  constructor(price: number) {
    this.price = price
  }

  append(order: BookOrder): void {
    order.level = this
    order.previous = this.last
    order.next = undefined
    if (this.last) this.last.next = order
    else this.first = order
    this.last = order
    this.orders++
    this.quantity += order.shown
  }

  remove(order: BookOrder): void {
    if (order.previous) order.previous.next = order.next
    else this.first = order.next
    if (order.next) order.next.previous = order.previous
    else this.last = order.previous
    order.level = undefined
    order.previous = undefined
    order.next = undefined
    this.orders--
    this.quantity -= order.shown
  }
}

/**
 * The price levels of one side. They stand in an array from the worst to the best, because most of what comes and goes does so
 * near the best price: only what is better than a new level moves.
 */
export class PriceSide {
  readonly #sign: number
  readonly #byPrice = new Map<number, PriceLevel>()
  readonly #levels: PriceLevel[] = []

  /** `sell`: 1 for the side where the lowest price is the best. */
  constructor(sell: number) {
    this.#sign = sell === 1 ? -1 : 1
  }

  get size(): number {
    return this.#levels.length
  }

  get best(): PriceLevel | undefined {
    return this.#levels.at(-1)
  }

  /** 0 is the best. */
  at(index: number): PriceLevel | undefined {
    return this.#levels[this.#levels.length - 1 - index]
  }

  obtain(price: number): PriceLevel {
    const known = this.#byPrice.get(price)
    if (known) return known
    const level = new PriceLevel(price)
    this.#byPrice.set(price, level)
    const at = this.#placeOf(price)
    if (at === this.#levels.length) this.#levels.push(level)
    else this.#levels.splice(at, 0, level)
    return level
  }

  remove(level: PriceLevel): void {
    this.#byPrice.delete(level.price)
    const at = this.#placeOf(level.price)
    if (at === this.#levels.length - 1) this.#levels.pop()
    else this.#levels.splice(at, 1)
  }

  #placeOf(price: number): number {
    const key = price * this.#sign
    let low = 0
    let high = this.#levels.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#levels[middle]!.price * this.#sign < key) low = middle + 1
      else high = middle
    }
    return low
  }
}
