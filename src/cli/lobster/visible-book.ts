import type { Quote, Touch } from './lobster-rows.js'

interface VisibleOrder {
  readonly sell: number
  readonly price: number
  size: number
}

interface VisibleLevel {
  size: number
  readonly orders: Set<number>
}

/** Open orders by id and by price, kept up to date from outside: from events, or from a file's own messages. */
export class VisibleBook {
  readonly #orders = new Map<number, VisibleOrder>()
  readonly #bids = new SideLevels(0)
  readonly #asks = new SideLevels(1)

  get orders(): number {
    return this.#orders.size
  }

  has(orderId: number): boolean {
    return this.#orders.has(orderId)
  }

  add(orderId: number, sell: number, price: number, size: number): void {
    this.#orders.set(orderId, { sell, price, size })
    this.#side(sell).add(price, orderId, size)
  }

  /** Takes size from an order, which goes when nothing is left. An unknown order is left alone. */
  reduce(orderId: number, size: number): void {
    const order = this.#orders.get(orderId)
    if (!order) return
    const taken = Math.min(size, order.size)
    order.size -= taken
    this.#side(order.sell).take(order.price, taken)
    if (order.size === 0) this.remove(orderId)
  }

  remove(orderId: number): void {
    const order = this.#orders.get(orderId)
    if (!order) return
    this.#orders.delete(orderId)
    this.#side(order.sell).remove(order.price, orderId, order.size)
  }

  /** An order's open size, 0 for one that isn't there. */
  size(orderId: number): number {
    return this.#orders.get(orderId)?.size ?? 0
  }

  quote(): Quote {
    return { bid: this.#bids.best(), ask: this.#asks.best() }
  }

  /** Everything open at a price of a side. */
  sizeAt(sell: number, price: number): number {
    return this.#side(sell).sizeAt(price)
  }

  /** The orders at the best price of a side. */
  bestOrders(sell: number): number[] {
    return this.#side(sell).bestOrders()
  }

  #side(sell: number): SideLevels {
    return sell ? this.#asks : this.#bids
  }
}

/** The price levels of one side; the prices are kept in order, the best one last. */
class SideLevels {
  readonly #sign: number
  readonly #levels = new Map<number, VisibleLevel>()
  readonly #prices: number[] = []

  constructor(sell: number) {
    this.#sign = sell ? -1 : 1
  }

  best(): Touch {
    const price = this.#prices.at(-1)
    return price === undefined ? { price: 0, size: 0 } : { price, size: this.#levels.get(price)!.size }
  }

  bestOrders(): number[] {
    const price = this.#prices.at(-1)
    return price === undefined ? [] : [...this.#levels.get(price)!.orders]
  }

  sizeAt(price: number): number {
    return this.#levels.get(price)?.size ?? 0
  }

  add(price: number, orderId: number, size: number): void {
    let level = this.#levels.get(price)
    if (!level) {
      level = { size: 0, orders: new Set() }
      this.#levels.set(price, level)
      this.#prices.splice(this.#place(price), 0, price)
    }
    level.size += size
    level.orders.add(orderId)
  }

  take(price: number, size: number): void {
    this.#levels.get(price)!.size -= size
  }

  remove(price: number, orderId: number, size: number): void {
    const level = this.#levels.get(price)!
    level.size -= size
    level.orders.delete(orderId)
    if (level.orders.size > 0) return
    this.#levels.delete(price)
    this.#prices.splice(this.#place(price), 1)
  }

  /** Where a price stands, or belongs, in the order of prices. */
  #place(price: number): number {
    let low = 0
    let high = this.#prices.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#prices[middle]! * this.#sign < price * this.#sign) low = middle + 1
      else high = middle
    }
    return low
  }
}
