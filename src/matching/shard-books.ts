import { AccountIndex } from './account-index.js'
import { BookTable } from './book-table.js'
import { GroupBuffer } from './group-buffer.js'
import { timeInForceCodes } from './names.js'
import { OrderIndex } from './order-index.js'
import { OrderStore, TRAIT_TIME_IN_FORCE_SHIFT, TRAIT_WAITING } from './order-store.js'
import { PriceLevels } from './price-levels.js'

const DAY = timeInForceCodes.DAY

/** Whether an `expire` command could ever kill an order with these traits. */
export function canExpire(traits: number): boolean {
  return ((traits >> TRAIT_TIME_IN_FORCE_SHIFT) & 7) >= DAY
}

/** The state of all books of one shard, and the moves that every rule is made of. */
export class ShardBooks {
  readonly orders = new OrderStore()
  readonly index: OrderIndex
  readonly levels: PriceLevels
  readonly accounts = new AccountIndex(this.orders)
  readonly books = new BookTable()
  /** Where the events of the command at hand go. */
  group = new GroupBuffer()
  /** Set by crossing: the aggressor met its own account's order and its remainder is to be cancelled. */
  aggressorStopped = false
  /** Set by crossing: how much of the aggressor went to decrement prevention instead of trades, in lots. */
  aggressorDecremented = 0
  /** The queue of triggered stops that have not acted yet, linked through `next`; empty between commands. */
  firstElected = 0
  lastElected = 0

  constructor(hashSeed: number) {
    this.levels = new PriceLevels(hashSeed)
    this.index = new OrderIndex(this.orders, hashSeed)
  }

  /** Makes a record for an order and lists it under its id and its account. It is in no queue yet. */
  admit(book: number, id: number, account: number, price: number, traits: number): number {
    const order = this.orders.allocate()
    this.orders.describe(order, id, book, account, price, traits)
    this.index.insert(book, id, order)
    this.accounts.add(order, book, account)
    this.books.addOrders(book, 1)
    if (canExpire(traits)) this.books.addExpiring(book, 1)
    return order
  }

  /** Undoes `admit`. The order must be in no queue. */
  dismiss(order: number): void {
    const orders = this.orders
    const book = orders.book(order)
    this.index.remove(book, orders.id(order), order)
    this.accounts.remove(order)
    this.books.addOrders(book, -1)
    const traits = orders.traits(order)
    if (canExpire(traits)) this.books.addExpiring(book, -1)
    if ((traits & TRAIT_WAITING) !== 0) this.books.addStops(book, -1)
    orders.release(order)
  }

  /** Puts an order at the back of the queue at a price of a ladder. */
  enqueue(order: number, ladder: number, price: number, open: number, shown: number): void {
    const { orders, levels } = this
    const level = levels.find(ladder, price) || levels.insert(ladder, price)
    const tail = levels.tail(level)
    orders.setQuantities(order, open, shown)
    orders.setLevel(order, level)
    orders.setNext(order, 0)
    orders.setPrevious(order, tail)
    if (tail === 0) levels.setHead(level, order)
    else orders.setNext(tail, order)
    levels.setTail(level, order)
    levels.addCount(level, 1)
    levels.addShown(level, shown)
    if (open !== shown) levels.addHidden(level, open - shown)
  }

  /** Takes an order out of its queue, and the level out of its ladder if that was the last. */
  dequeue(order: number): void {
    const { orders, levels } = this
    const level = orders.level(order)
    const shown = orders.shown(order)
    const open = orders.open(order)
    const next = orders.next(order)
    const previous = orders.previous(order)
    if (next === 0 && previous === 0) {
      levels.remove(level)
      return
    }
    if (previous === 0) levels.setHead(level, next)
    else orders.setNext(previous, next)
    if (next === 0) levels.setTail(level, previous)
    else orders.setPrevious(next, previous)
    levels.addCount(level, -1)
    levels.addShown(level, -shown)
    if (open !== shown) levels.addHidden(level, shown - open)
  }

  /** Moves an order to the back of its own queue. */
  moveToBack(order: number): void {
    const { orders, levels } = this
    const next = orders.next(order)
    if (next === 0) return
    const level = orders.level(order)
    const previous = orders.previous(order)
    const tail = levels.tail(level)
    if (previous === 0) levels.setHead(level, next)
    else orders.setNext(previous, next)
    orders.setPrevious(next, previous)
    orders.setNext(order, 0)
    orders.setPrevious(order, tail)
    orders.setNext(tail, order)
    levels.setTail(level, order)
  }

  /** Changes the quantities of a queued order where it stands. */
  resize(order: number, open: number, shown: number): void {
    const { orders, levels } = this
    const level = orders.level(order)
    const oldShown = orders.shown(order)
    const oldHidden = orders.open(order) - oldShown
    const hidden = open - shown
    orders.setQuantities(order, open, shown)
    if (shown !== oldShown) levels.addShown(level, shown - oldShown)
    if (hidden !== oldHidden) levels.addHidden(level, hidden - oldHidden)
  }

  /** Books what an aggressor lost in crossing as filled, but for what self-trade prevention took. */
  noteAggressorFill(order: number, lost: number): void {
    const filled = lost - this.aggressorDecremented
    if (filled !== 0) this.orders.addFilled(order, filled)
  }

  /** Takes a queued order out of its queue and out of everything. */
  discard(order: number): void {
    this.dequeue(order)
    this.dismiss(order)
  }

  /** Reports a queued order as cancelled, and discards it. */
  cancel(order: number, reason: number): void {
    const { orders } = this
    this.group.cancelled(
      orders.id(order),
      orders.traits(order) & 1,
      orders.price(order),
      orders.open(order),
      reason,
    )
    this.discard(order)
  }
}
