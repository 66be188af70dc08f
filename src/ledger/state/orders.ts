import { NumberIndex } from '../../matching/index.js'
import { grown64, grownFloats, grownInts } from './grow.js'

const initialOrders = 1024

export const ORDER_SELL = 1
/** Its price is a limit that no event changes: the price in events is where its peg stands. */
export const ORDER_PEGGED = 2
/** It is for an amount, which its hold is; it ends with its own record. */
export const ORDER_FOR_AMOUNT = 4

/** The live orders as the ledger needs them, by number; number 0 is never given out. */
export class Orders {
  readonly #index = new NumberIndex(0x6f72_6465)
  instrument = new Int32Array(initialOrders)
  orderId = new Float64Array(initialOrders)
  /** Its limit in ticks: what a buyer pays at most for a lot; 0 when it has none. */
  price = new Float64Array(initialOrders)
  /** Open lots. */
  open = new Float64Array(initialOrders)
  /** The cell of which it holds … */
  cell = new Int32Array(initialOrders)
  /** … so much; 0 for an order of a list, which holds for all of its orders. */
  hold = new BigInt64Array(initialOrders)
  flags = new Int32Array(initialOrders)
  /** Which fee rates it pays. */
  rates = new Int32Array(initialOrders)
  /** The list that it belongs to; 0 when to none. */
  list = new Int32Array(initialOrders)
  /** Replaces of it that are on their way. */
  replaces = new Int32Array(initialOrders)
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

  /** 0 when there is none. */
  find(instrument: number, orderId: number): number {
    return this.#index.find(instrument, orderId)
  }

  add(instrument: number, orderId: number): number {
    let order = this.#free
    if (order !== 0) this.#free = this.cell[order]!
    else {
      if (this.#used === this.open.length) this.#grow()
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

  #grow(): void {
    this.instrument = grownInts(this.instrument)
    this.orderId = grownFloats(this.orderId)
    this.price = grownFloats(this.price)
    this.open = grownFloats(this.open)
    this.cell = grownInts(this.cell)
    this.hold = grown64(this.hold)
    this.flags = grownInts(this.flags)
    this.rates = grownInts(this.rates)
    this.list = grownInts(this.list)
    this.replaces = grownInts(this.replaces)
  }
}
