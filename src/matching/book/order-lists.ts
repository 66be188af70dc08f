import { listTypeCodes } from '../codec/names.js'

const { oco: OCO, otoco: OTOCO } = listTypeCodes

/** Orders of which one cancels, or brings in, others. */
export interface OrderList {
  readonly book: number
  readonly id: number
  readonly account: number
  /** One of `listTypeCodes`. */
  readonly type: number
  /** Its live orders by their places in the command; 0 for one that is gone. */
  readonly legs: number[]
  /** What happened to it in the command at hand, and has not had its consequences yet: a leg was cancelled; … */
  isCancelled: boolean
  /** … its working order was filled; … */
  isFilled: boolean
  /** … one of two that cancel each other has traded, this one if it is still there (0: it is gone). */
  hasTraded: boolean
  traded: number
  /** It stands in the queue of those that have consequences. */
  isDue: boolean
  /** Its legs go because of the list itself. */
  isSettling: boolean
}

/**
 * The order lists of a shard: by book and id, and from each live order of one to its list. What happens to an order is noted here while a
 * command is executed; the consequences for the others come when it has done all its trading.
 */
export class OrderLists {
  readonly #lists: (Map<number, OrderList> | undefined)[] = []
  readonly #ofOrder = new Map<number, OrderList>()
  /** Lists that have consequences, in the order in which those arose. */
  readonly due: OrderList[] = []

  find(book: number, id: number): OrderList | undefined {
    return this.#lists[book]?.get(id)
  }

  /** The list of an order that is in one. */
  of(order: number): OrderList {
    return this.#ofOrder.get(order)!
  }

  /** Live orders in lists. */
  get orders(): number {
    return this.#ofOrder.size
  }

  /** Those of a book, by ascending id. */
  inBook(book: number): OrderList[] {
    return [...(this.#lists[book]?.values() ?? [])].sort((a, b) => a.id - b.id)
  }

  add(book: number, id: number, account: number, type: number): OrderList {
    const list: OrderList = {
      book,
      id,
      account,
      type,
      legs: type === OTOCO ? [0, 0, 0] : [0, 0],
      isCancelled: false,
      isFilled: false,
      hasTraded: false,
      traded: 0,
      isDue: false,
      isSettling: false,
    }
    const lists = this.#lists[book] ?? new Map<number, OrderList>()
    lists.set(id, list)
    this.#lists[book] = lists
    return list
  }

  setLeg(list: OrderList, leg: number, order: number): void {
    list.legs[leg] = order
    this.#ofOrder.set(order, list)
  }

  /** Notes that a leg is being cancelled, for another reason than its list. */
  noteCancelled(order: number): void {
    const list = this.#ofOrder.get(order)!
    list.isCancelled = true
  }

  /** Notes that a leg has traded and is still there. */
  noteTraded(order: number): void {
    const list = this.#ofOrder.get(order)!
    if (!isOfPair(list, list.legs.indexOf(order))) return
    list.hasTraded = true
    list.traded = order
    this.#addDue(list)
  }

  /** Notes that a leg is gone: filled, unless it was noted as cancelled before. */
  noteGone(order: number): void {
    const list = this.#ofOrder.get(order)!
    const leg = list.legs.indexOf(order)
    this.#ofOrder.delete(order)
    list.legs[leg] = 0
    if (list.legs.every((other) => other === 0)) {
      this.#lists[list.book]!.delete(list.id)
      return
    }
    if (list.isSettling) return
    if (!list.isCancelled) {
      if (isOfPair(list, leg)) {
        list.hasTraded = true
        list.traded = 0
      } else list.isFilled = true
    }
    this.#addDue(list)
  }

  #addDue(list: OrderList): void {
    if (list.isDue) return
    list.isDue = true
    this.due.push(list)
  }
}

/** Whether the leg is one of two that cancel each other. */
export function isOfPair({ type }: OrderList, leg: number): boolean {
  return type === OCO || (type === OTOCO && leg > 0)
}
