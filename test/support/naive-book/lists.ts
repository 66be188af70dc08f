import type { DecodedList, DecodedNew } from '#tidemark/matching/codec/command-reader.js'
import type { RejectCode } from '#tidemark/matching/codec/names.js'
import { type NaiveList, pendingOf, withIds } from '../naive-lists.js'
import {
  directionOf,
  idOf,
  LARGEST,
  type NaiveOrder,
  newOrder,
  placeOf,
  sum,
  waits,
  withoutLimit,
} from './orders.js'
import { NaiveTrading } from './trading.js'

/** Lists of orders: which are taken, and what of one order follows for the others. */
export abstract class NaiveLists extends NaiveTrading {
  protected list(sent: DecodedList): void {
    const { list: command, failed } = withIds(sent, this.highestOrderId)
    for (const { orderIdOmitted, orderId } of command.orders)
      if (orderIdOmitted) this.highestOrderId = Math.max(this.highestOrderId, orderId)
    const { account, listType: type, listId: id, orders } = command
    const refuse = (code: RejectCode, order?: DecodedNew) => {
      if (order) this.rejectNew(order, code)
      else this.events.push({ event: 'rejected', orderId: 0, code, account })
    }
    if (failed !== undefined) {
      refuse('ORDER_IDS_EXHAUSTED', orders[failed])
      return
    }
    if (this.phase !== 'continuous' && !this.isCall()) {
      refuse(this.phase === 'closed' ? 'INSTRUMENT_CLOSED' : 'INSTRUMENT_HALTED')
      return
    }
    if (this.lists.some((other) => other.id === id)) {
      refuse('DUPLICATE_LIST_ID')
      return
    }
    const list: NaiveList<NaiveOrder> = {
      id,
      type,
      account,
      orders: [],
      cancelled: false,
      workingFilled: false,
      pairTraded: false,
    }
    const legs = orders.map((order): NaiveOrder => ({ ...newOrder(order), list }))
    for (const [place, leg] of legs.entries()) {
      const code = this.legRefusal(leg, pendingOf(type).includes(place), legs.slice(0, place))
      if (code !== undefined) {
        refuse(code, leg.command)
        return
      }
    }
    this.lists.push(list)
    for (const leg of legs) {
      const { orderId } = leg.command
      this.events.push({ event: 'accepted', account, orderId, listId: id })
      this.highestOrderId = Math.max(this.highestOrderId, orderId)
      this.orders.push(leg)
      list.orders.push(leg)
    }
    for (const place of pendingOf(type)) {
      const leg = legs[place]!
      leg.status = 'pending'
      leg.place = this.places++
    }
    this.enterLegs(
      list,
      legs.filter((leg) => leg.status !== 'pending'),
    )
  }

  /** Why a leg is not taken, with those before it as good as taken. */
  protected legRefusal(
    leg: NaiveOrder,
    isPending: boolean,
    before: readonly NaiveOrder[],
  ): RejectCode | undefined {
    const {
      orderId,
      account,
      clientOrderId,
      side,
      orderType,
      timeInForce,
      price,
      quantity,
      postOnly,
      minQuantity,
      ...more
    } = leg.command
    if (this.blocked.includes(account)) return 'ACCOUNT_BLOCKED'
    const taken = [...this.orders, ...before]
    if (taken.some(({ command }) => command.orderId === orderId)) return 'DUPLICATE_ORDER_ID'
    const isNamesake = ({ command }: NaiveOrder) =>
      command.account === account && command.clientOrderId === clientOrderId
    if (clientOrderId !== undefined && taken.some(isNamesake)) return 'DUPLICATE_CLIENT_ORDER_ID'
    const outside = this.outside(price, quantity, more.stopPrice ?? more.activationPrice ?? 0)
    if (outside) return outside
    const immediate = timeInForce === 'FOK' || timeInForce === 'IOC'
    const { maxAccountOrders = LARGEST } = this.details
    const goes = (o: NaiveOrder) => {
      const { orderType: type, timeInForce: time } = o.command
      return type === 'limit'
        ? time === 'IOC' || time === 'FOK'
        : type === 'market' && this.phase === 'continuous'
    }
    // Only the working order, which is the first, may go at once.
    const own = [
      ...this.orders.filter((o) => o.command.account === account),
      ...before.filter((o, i) => i > 0 || !goes(o)),
    ]
    if ((isPending || !goes(leg)) && own.length >= maxAccountOrders) return 'TOO_MANY_ORDERS'
    let wall: number
    if (isPending) {
      const beyond = this.waiting(side === 'buy' ? 'rise' : 'fall').filter(
        (o) => placeOf(o) === (side === 'buy' ? LARGEST + 1 : 0),
      )
      const pending = before.slice(1).filter((o) => o.command.side === side)
      wall = sum(beyond) + sum(pending)
    } else if (waits(orderType)) {
      const isBeside = (o: NaiveOrder) => placeOf(o) === leg.stopPrice
      wall = sum(this.waiting(directionOf(leg)).filter(isBeside))
      wall += sum(
        before.filter(
          (o) =>
            waits(o.command.orderType) &&
            directionOf(o) === directionOf(leg) &&
            o.stopPrice === leg.stopPrice,
        ),
      )
    } else if (this.phase !== 'continuous') {
      const isLimited = orderType === 'limit' || minQuantity !== undefined
      if (timeInForce === 'FOK' || (timeInForce === 'IOC' && isLimited)) return 'NOT_IN_THIS_PHASE'
      wall = this.levelTotal(side, price)
    } else {
      const crosses = this.crossable(side, withoutLimit(orderType) ? undefined : price).length > 0
      if (crosses && postOnly) return 'POST_ONLY_WOULD_TRADE'
      if (timeInForce === 'FOK' && !this.fillable(leg)) return 'FOK_NOT_FILLABLE'
      if (minQuantity !== undefined && !this.fillable(leg, minQuantity)) return 'MIN_QUANTITY_NOT_FILLABLE'
      const limit = withoutLimit(orderType) ? undefined : price
      if (crosses && this.isRefusedByBand(side, limit, quantity)) return 'PRICE_OUTSIDE_BAND'
      wall = crosses || immediate || orderType === 'market' ? 0 : this.levelTotal(side, price)
    }
    return BigInt(wall) + BigInt(quantity) > BigInt(LARGEST) ? 'LEVEL_TOTAL_TOO_LARGE' : undefined
  }

  /** Legs that are in no queue: those that wait for a price first, then the one that does not. */
  protected enterLegs(list: NaiveList<NaiveOrder>, legs: readonly NaiveOrder[]): void {
    for (const leg of legs.filter((o) => waits(o.command.orderType))) {
      leg.status = 'elected'
      const there = this.waiting(directionOf(leg)).filter((o) => placeOf(o) === leg.stopPrice)
      if (sum(there) + leg.open > LARGEST) this.cancel(leg, 'level-total')
      else {
        leg.status = 'waiting'
        leg.place = this.places++
      }
    }
    for (const leg of legs.filter((o) => !waits(o.command.orderType))) {
      leg.status = 'elected'
      if (list.cancelled) this.cancel(leg, 'list')
      else this.enter(leg)
    }
  }

  protected cancelList(listId: number, account: number | undefined): void {
    const list = this.lists.find(({ id }) => id === listId)
    const stated = account === undefined ? {} : { account }
    if (list === undefined)
      this.events.push({ event: 'rejected', orderId: 0, code: 'UNKNOWN_LIST', ...stated })
    else if (account !== undefined && account !== list.account)
      this.events.push({ event: 'rejected', orderId: 0, code: 'NOT_OWNER', ...stated })
    else {
      for (const order of list.orders) if (order) this.cancel(order, 'requested')
      this.due = this.due.filter((other) => other !== list)
    }
  }

  protected settleLists(): void {
    for (let list = this.due.shift(); list !== undefined; list = this.due.shift()) {
      const { cancelled, pairTraded, workingFilled, orders, type } = list
      list.workingFilled = false
      if (cancelled) this.cancelByList(list, orders)
      else if (pairTraded) {
        // Of two that cancel each other, one that has traded a part stays.
        list.pairTraded = false
        this.cancelByList(
          list,
          orders.filter((o) => o !== undefined && o.filled === 0),
        )
      } else if (workingFilled) {
        const legs = pendingOf(type).flatMap((place) => orders[place] ?? [])
        for (const leg of legs) {
          const { price, open: quantity, filled } = leg
          leg.status = 'elected'
          const waiting = waits(leg.command.orderType)
          this.events.push({ event: 'entered', ...idOf(leg), price, quantity, filled, waiting })
        }
        this.enterLegs(list, legs)
      }
    }
  }

  protected cancelByList(list: NaiveList<NaiveOrder>, orders: readonly (NaiveOrder | undefined)[]): void {
    for (const order of [...orders]) if (order) this.cancel(order, 'list')
    list.pairTraded = false
  }
}
