import type { BookState } from '#tidemark/matching/book/book-state.js'
import type { DecodedNew } from '#tidemark/matching/codec/command-reader.js'
import type { DecodedEvent } from '#tidemark/matching/codec/event-reader.js'
import type { InstrumentDetails } from '#tidemark/matching/codec/instrument-details.js'
import type { InstrumentDefinition } from '#tidemark/matching/codec/instrument-record.js'
import type {
  CancelReason,
  Phase,
  RejectCode,
  SelfTradePrevention,
  Side,
} from '#tidemark/matching/codec/names.js'
import { isOnTick } from '../naive-bands.js'
import { type NaiveList, pairOf } from '../naive-lists.js'
import {
  directionOf,
  idOf,
  LARGEST,
  type NaiveOrder,
  type NamedOrder,
  placeOf,
  stateOf,
  sum,
} from './orders.js'

/** The orders of a book and all else that it knows, as arrays; how they are sorted, and how they end. */
export abstract class NaiveState {
  protected readonly definition: InstrumentDefinition
  /** Live orders in the order in which they were accepted. */
  protected orders: NaiveOrder[] = []
  protected elected: NaiveOrder[] = []
  protected events: DecodedEvent[] = []
  protected phase: Phase = 'continuous'
  protected isClosing = false
  protected takesOrders = false
  protected busted: number[] = []
  protected details: InstrumentDetails = {}
  protected lastPrice = 0
  protected trades = 0
  protected highestOrderId = 0
  protected places = 0
  protected blocked: number[] = []
  protected lists: NaiveList<NaiveOrder>[] = []
  /** Lists to which something has happened. */
  protected due: NaiveList<NaiveOrder>[] = []
  protected turns = 0

  constructor(definition: InstrumentDefinition) {
    const { phase = 'continuous', ...rest } = definition
    this.definition = rest
    this.phase = phase
    this.details = definition.details ?? {}
  }

  protected isCall(): boolean {
    return this.phase === 'pre-open' || this.phase === 'auction' || this.takesOrders
  }

  protected interrupt(): void {
    this.phase = 'auction'
    this.isClosing = false
    this.takesOrders = false
    this.events.push({ event: 'volatility-interruption' })
  }

  protected accept({ orderId, account }: DecodedNew): void {
    this.events.push({ event: 'accepted', account })
    this.highestOrderId = Math.max(this.highestOrderId, orderId)
  }

  protected cancel(order: NaiveOrder, reason: CancelReason): void {
    this.events.push({
      event: 'cancelled',
      ...idOf(order),
      price: order.price,
      remaining: order.open,
      filled: order.filled,
      reason,
    })
    if (order.list && reason !== 'list') order.list.cancelled = true
    this.drop(order, reason === 'list')
  }

  protected drop(order: NaiveOrder, isByList = false): void {
    this.orders = this.orders.filter((o) => o !== order)
    const { list } = order
    if (!list) return
    const place = list.orders.indexOf(order)
    list.orders[place] = undefined
    if (list.orders.every((other) => other === undefined)) {
      this.lists = this.lists.filter((other) => other !== list)
      return
    }
    if (isByList) return
    if (!list.cancelled) {
      if (pairOf(list.type).includes(place)) list.pairTraded = true
      else list.workingFilled = true
    }
    this.noteDue(list)
  }

  /** A leg has traded and is still there. */
  protected noteTraded(order: NaiveOrder): void {
    const { list } = order
    if (!list || !pairOf(list.type).includes(list.orders.indexOf(order))) return
    list.pairTraded = true
    this.noteDue(list)
  }

  protected noteDue(list: NaiveList<NaiveOrder>): void {
    if (!this.due.includes(list)) this.due.push(list)
  }

  /** Why an order would be outside the limits; its price is 0 when it has none. */
  protected outside(price: number, quantity: number, stopPrice: number): RejectCode | undefined {
    const {
      minPrice = 0,
      maxPrice = LARGEST,
      minQuantity = 0,
      maxQuantity = LARGEST,
      minNotional = 0,
    } = this.details
    if (price !== 0 && price < minPrice) return 'PRICE_TOO_LOW'
    if (price !== 0 && price > maxPrice) return 'PRICE_TOO_HIGH'
    if (price !== 0 && !isOnTick(this.details, price)) return 'PRICE_OFF_TICK'
    if (quantity < minQuantity) return 'QUANTITY_TOO_SMALL'
    if (quantity > maxQuantity) return 'QUANTITY_TOO_LARGE'
    if (price !== 0 && BigInt(price) * BigInt(quantity) < BigInt(minNotional)) return 'NOTIONAL_TOO_SMALL'
    if (stopPrice !== 0 && stopPrice < minPrice) return 'PRICE_TOO_LOW'
    if (stopPrice !== 0 && stopPrice > maxPrice) return 'PRICE_TOO_HIGH'
    return stopPrice !== 0 && !isOnTick(this.details, stopPrice) ? 'PRICE_OFF_TICK' : undefined
  }

  protected rejectNew({ orderId, account, side, price, clientOrderId }: DecodedNew, code: RejectCode): void {
    const client = clientOrderId === undefined ? {} : { clientOrderId }
    this.events.push({ event: 'rejected', orderId, code, account, side, price, filled: 0, ...client })
  }

  protected rejectInstrument(code: RejectCode): void {
    this.events.push({ event: 'rejected', orderId: 0, code })
  }

  protected rejectOrder(order: NaiveOrder, code: RejectCode): void {
    const { price, filled } = order
    this.events.push({ event: 'rejected', ...idOf(order), code, price, filled })
  }

  /** Of an amendment: with the order's fields, if it names one and may know of it. */
  protected rejectAmendment({ orderId, account, clientOrderId }: NamedOrder, code: RejectCode): void {
    const order = this.orders.find((o) => o.command.orderId === orderId)
    if (order !== undefined && (account === undefined || account === order.command.account))
      this.rejectOrder(order, code)
    else {
      const client = clientOrderId === undefined ? {} : { clientOrderId }
      this.events.push({
        event: 'rejected',
        orderId,
        code,
        ...(account !== undefined && { account }),
        ...client,
      })
    }
  }

  protected prevention(order: NaiveOrder): SelfTradePrevention {
    return order.command.selfTradePrevention ?? this.definition.selfTradePrevention
  }

  /** Resting orders of a side, best price first, then by place. */
  protected resting(side: Side): NaiveOrder[] {
    const better = side === 'buy' ? -1 : 1
    // A buyer without a limit, in a call, is before all others; a seller's 0 is the lowest price as it is.
    const price = (o: NaiveOrder) => (o.price === 0 && side === 'buy' ? Number.POSITIVE_INFINITY : o.price)
    return this.orders
      .filter((o) => o.status === 'resting' && o.command.side === side)
      .sort((a, b) => (price(a) === price(b) ? a.place - b.place : better * (price(a) - price(b))))
  }

  /** Orders that wait for the last price to rise or to fall, the next to be triggered first; pending ones where no price is. */
  protected waiting(direction: 'rise' | 'fall'): NaiveOrder[] {
    const sooner = direction === 'rise' ? 1 : -1
    return this.orders
      .filter((o) => (o.status === 'waiting' || o.status === 'pending') && directionOf(o) === direction)
      .sort((a, b) => sooner * (placeOf(a) - placeOf(b)) || a.place - b.place)
  }

  /** What an order of this side could trade with, in matching order. */
  protected crossable(side: Side, limit: number | undefined): NaiveOrder[] {
    if (side === 'buy') return this.resting('sell').filter((o) => limit === undefined || o.price <= limit)
    return this.resting('buy').filter((o) => limit === undefined || o.price >= limit)
  }

  protected inBookOrder(): NaiveOrder[] {
    return [...this.resting('buy'), ...this.resting('sell'), ...this.waiting('fall'), ...this.waiting('rise')]
  }

  /** The orders of a side that track the last price, in the order in which they began. */
  protected tracking(side: Side): NaiveOrder[] {
    return this.orders
      .filter((o) => o.status === 'waiting' && o.command.side === side && o.trail?.reference !== undefined)
      .sort((a, b) => a.trail!.beginning! - b.trail!.beginning!)
  }

  protected pegs(): NaiveOrder[] {
    return this.orders.filter(({ command }) => command.peg !== undefined).sort((a, b) => a.turn! - b.turn!)
  }

  protected levelTotal(side: Side, price: number): number {
    return sum(this.resting(side).filter((o) => o.price === price))
  }

  protected describe(): InstrumentDefinition {
    const { details: _, ...fixed } = this.definition
    return Object.keys(this.details).length === 0 ? fixed : { ...fixed, details: this.details }
  }

  /** The same picture as `MatchingEngine.bookState` gives. */
  state(): BookState {
    const accounts = [...new Set(this.orders.map((o) => o.command.account))].sort((a, b) => a - b)
    return {
      definition: this.describe(),
      phase: this.phase,
      phaseOptions: (this.isClosing ? 1 : 0) | (this.takesOrders ? 2 : 0),
      lastPrice: this.lastPrice,
      trades: this.trades,
      highestOrderId: this.highestOrderId,
      busted: [...this.busted].sort((a, b) => a - b),
      bids: this.resting('buy').map(stateOf),
      asks: this.resting('sell').map(stateOf),
      waitingForFall: this.waiting('fall').map(stateOf),
      waitingForRise: this.waiting('rise').map(stateOf),
      lists: this.lists
        .map(({ id, type, orders }) => ({
          listId: id,
          listType: type,
          orderIds: orders.map((order) => order?.command.orderId ?? 0),
        }))
        .sort((a, b) => a.listId - b.listId),
      tracking: [...this.tracking('buy'), ...this.tracking('sell')].map((o) => o.command.orderId),
      ...(this.pegs().length > 0 && { pegs: this.pegs().map(({ command }) => command.orderId) }),
      ...(this.blocked.length > 0 && { blockedAccounts: this.blocked.toSorted((a, b) => a - b) }),
      accounts: accounts.map((account) => ({
        account,
        orderIds: this.orders.filter((o) => o.command.account === account).map((o) => o.command.orderId),
      })),
    }
  }
}
