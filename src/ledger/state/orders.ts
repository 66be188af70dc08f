import { NumberIndex } from '../../matching/index.js'
import { grown64, grownFloats, grownInts, lengthFor } from './grow.js'

const initialOrders = 1024

export const ORDER_SELL = 1
/** Its price is a limit that no event changes: the price in events is where its peg stands. */
export const ORDER_PEGGED = 2
/** It is for an amount, which its hold is; it ends with its own record. */
export const ORDER_FOR_AMOUNT = 4
/** It has a self-trade group, in which orders of other accounts may take from it. */
export const ORDER_GROUPED = 8

/** What a snapshot has of the orders, live ones only. */
export interface OrderArrays {
  readonly orderInstrument: Int32Array
  readonly orderId: Float64Array
  readonly orderPrice: Float64Array
  readonly orderOpen: Float64Array
  readonly orderCell: Int32Array
  readonly orderHold: BigInt64Array
  readonly orderFlags: Int32Array
  readonly orderRates: Int32Array
  readonly orderList: Int32Array
}

/** The live orders as the ledger needs them, by number; number 0 is never given out. */
export class Orders {
  readonly #index = new NumberIndex(0x6f72_6465)
  instrument: Int32Array = new Int32Array(initialOrders)
  orderId: Float64Array = new Float64Array(initialOrders)
  /** Its limit in ticks: what a buyer pays at most for a lot; 0 when it has none. */
  price: Float64Array = new Float64Array(initialOrders)
  /** Open lots. */
  open: Float64Array = new Float64Array(initialOrders)
  /** The cell of which it holds … */
  cell: Int32Array = new Int32Array(initialOrders)
  /** … so much; 0 for an order of a list, which holds for all of its orders. */
  hold: BigInt64Array = new BigInt64Array(initialOrders)
  flags: Int32Array = new Int32Array(initialOrders)
  /** Which fee rates it pays. */
  rates: Int32Array = new Int32Array(initialOrders)
  /** The list that it belongs to; 0 when to none. */
  list: Int32Array = new Int32Array(initialOrders)
  /** Replaces of it that are on their way. */
  replaces: Int32Array = new Int32Array(initialOrders)
  /** The highest price that one of them may leave it with. Counts while there are some. */
  priceMax: Float64Array = new Float64Array(initialOrders)
  #used = 1
  #free = 0
  #size = 0

  get size(): number {
    return this.#size
  }

  /** One more than the highest number; those whose instrument is -1 are free. */
  get end(): number {
    return this.#used
  }

  /** The number of an order; 0 for an unknown one. */
  find(instrument: number, orderId: number): number {
    return this.#index.find(instrument, orderId)
  }

  add(instrument: number, orderId: number): number {
    let order = this.#free
    if (order !== 0) this.#free = this.cell[order]!
    else {
      if (this.#used === this.open.length) this.#grow(this.#used * 2)
      order = this.#used++
    }
    this.instrument[order] = instrument
    this.orderId[order] = orderId
    this.hold[order] = 0n
    this.list[order] = 0
    this.replaces[order] = 0
    this.#index.insert(instrument, orderId, order)
    this.#size++
    return order
  }

  remove(order: number): void {
    this.#index.remove(this.instrument[order]!, this.orderId[order]!)
    this.instrument[order] = -1
    this.cell[order] = this.#free
    this.#free = order
    this.#size--
  }

  image(): OrderArrays {
    const live = new Int32Array(this.#size)
    let count = 0
    for (let order = 1; order < this.#used; order++) if (this.instrument[order]! >= 0) live[count++] = order
    return {
      orderInstrument: live.map((order) => this.instrument[order]!),
      orderId: Float64Array.from(live, (order) => this.orderId[order]!),
      orderPrice: Float64Array.from(live, (order) => this.price[order]!),
      orderOpen: Float64Array.from(live, (order) => this.open[order]!),
      orderCell: live.map((order) => this.cell[order]!),
      orderHold: picked(this.hold, live),
      orderFlags: live.map((order) => this.flags[order]!),
      orderRates: live.map((order) => this.rates[order]!),
      orderList: live.map((order) => this.list[order]!),
    }
  }

  /** Takes over the orders of an image, in their order, where there are none yet. */
  restore(image: OrderArrays): void {
    const { orderInstrument, orderId } = image
    const count = orderId.length
    this.#grow(lengthFor(count + 1, this.open.length))
    this.instrument.set(orderInstrument, 1)
    this.orderId.set(orderId, 1)
    this.price.set(image.orderPrice, 1)
    this.open.set(image.orderOpen, 1)
    this.cell.set(image.orderCell, 1)
    this.hold.set(image.orderHold, 1)
    this.flags.set(image.orderFlags, 1)
    this.rates.set(image.orderRates, 1)
    this.list.set(image.orderList, 1)
    this.#index.reserve(count)
    for (let i = 0; i < count; i++) this.#index.insert(orderInstrument[i]!, orderId[i]!, i + 1)
    this.#used = count + 1
    this.#size = count
  }

  #grow(length: number): void {
    this.instrument = grownInts(this.instrument, length)
    this.orderId = grownFloats(this.orderId, length)
    this.price = grownFloats(this.price, length)
    this.open = grownFloats(this.open, length)
    this.cell = grownInts(this.cell, length)
    this.hold = grown64(this.hold, length)
    this.flags = grownInts(this.flags, length)
    this.rates = grownInts(this.rates, length)
    this.list = grownInts(this.list, length)
    this.replaces = grownInts(this.replaces, length)
    this.priceMax = grownFloats(this.priceMax, length)
  }
}

function picked(array: BigInt64Array, places: Int32Array): BigInt64Array {
  const found = new BigInt64Array(places.length)
  for (let i = 0; i < places.length; i++) found[i] = array[places[i]!]!
  return found
}
