/**
 * A second matching engine, written to be obviously right and nothing else: arrays, filter and sort, no index, no
 * running totals. It takes decoded commands and returns decoded events. Tests hold the fast engine against it; it
 * shares no code with it beyond the types of commands and events.
 */

import type { BookState } from '#tidemark/matching/book/book-state.js'
import type { DecodedCommand } from '#tidemark/matching/codec/command-reader.js'
import type { DecodedEvent } from '#tidemark/matching/codec/event-reader.js'
import type { InstrumentChange } from '#tidemark/matching/codec/instrument-details.js'
import { NaiveNewOrders } from './naive-book/new-orders.js'
import { directionOf, idOf, LARGEST, type NaiveOrder, placeOf, sum } from './naive-book/orders.js'
import { chosenByCancelAll } from './naive-cancel-all.js'

export class NaiveBook extends NaiveNewOrders {
  apply(command: DecodedCommand): DecodedEvent[] {
    this.events = []
    this.execute(command)
    do this.runConsequences()
    while (this.repricePegs())
    return this.events
  }

  protected execute(sent: DecodedCommand): void {
    let command = sent
    if ('orderIdOmitted' in command && command.type === 'new') {
      const orderId = this.highestOrderId + 1
      if (orderId > LARGEST) {
        this.rejectNew({ ...command, orderId: 0 }, 'ORDER_IDS_EXHAUSTED')
        return
      }
      command = { ...command, orderId }
      this.highestOrderId = orderId
    }
    if (
      'orderIdOmitted' in command &&
      (command.type === 'cancel' || command.type === 'replace' || command.type === 'reduce')
    ) {
      const { account, clientOrderId } = command
      const named = this.orders.find(
        ({ command: own }) => own.account === account && own.clientOrderId === clientOrderId,
      )
      command = { ...command, orderId: named?.command.orderId ?? 0 }
    }
    const { type } = command
    const isTaken = this.phase === 'continuous' || this.isCall()
    if (!isTaken && (type === 'new' || type === 'replace' || type === 'reduce')) {
      const code = this.phase === 'closed' ? 'INSTRUMENT_CLOSED' : 'INSTRUMENT_HALTED'
      if (type === 'new') this.rejectNew(command, code)
      else this.rejectAmendment(command, code)
    } else if (type === 'new') this.new(command)
    else if (type === 'cancel' || type === 'replace' || type === 'reduce') {
      const order = this.orders.find((o) => o.command.orderId === command.orderId)
      if (order === undefined) this.rejectAmendment(command, 'UNKNOWN_ORDER')
      else if (command.account !== undefined && command.account !== order.command.account) {
        this.rejectAmendment(command, 'NOT_OWNER')
      } else if (type === 'cancel') this.cancel(order, 'requested')
      else if (type === 'reduce') this.reduce(order, command.quantity)
      else this.replace(order, command.price === 0 ? order.price : command.price, command.quantity)
    } else if (type === 'cancel-all') {
      for (const order of chosenByCancelAll(command, this.orders, this.inBookOrder()))
        this.cancel(order, 'cancel-all')
    } else if (type === 'block' || type === 'unblock') this.block(command.account, type === 'block')
    else if (type === 'expire') this.expire(command.time, command.endOfDay)
    else if (type === 'instrument-change') this.change(command)
    else if (type === 'phase') this.changePhase(command)
    else if (type === 'bust') this.bust(command.tradeId)
    else if (type === 'list') this.list(command)
    else if (type === 'cancel-list') this.cancelList(command.listId, command.account)
    else if (type === 'instrument') this.rejectInstrument('DUPLICATE_INSTRUMENT')
  }

  protected bust(tradeId: number): void {
    if (tradeId > this.trades) this.rejectInstrument('UNKNOWN_TRADE')
    else if (this.busted.includes(tradeId)) this.rejectInstrument('TRADE_ALREADY_BUSTED')
    else {
      this.busted.push(tradeId)
      this.events.push({ event: 'trade-busted', tradeId })
    }
  }

  protected block(account: number, isBlocked: boolean): void {
    this.blocked = this.blocked.filter((other) => other !== account)
    if (isBlocked) this.blocked.push(account)
    this.events.push({ event: isBlocked ? 'account-blocked' : 'account-unblocked', account })
    for (const order of this.orders.filter(({ command }) => this.blocked.includes(command.account)))
      this.cancel(order, 'account-blocked')
  }

  protected change({ set, removed }: InstrumentChange): void {
    const details = { ...this.details, ...set }
    for (const name of removed) if (set[name] === undefined) delete details[name]
    const { minPrice = 0, maxPrice = LARGEST, minQuantity = 0, maxQuantity = LARGEST } = details
    if (minPrice > maxPrice || minQuantity > maxQuantity) {
      this.rejectInstrument('LIMITS_CONFLICT')
      return
    }
    this.details = details
    this.events.push({ event: 'instrument-changed', details })
  }

  protected replace(order: NaiveOrder, price: number, quantity: number): void {
    const { side, displayQuantity, postOnly } = order.command
    const outside = this.outside(price, quantity, 0)
    if (outside) {
      this.rejectOrder(order, outside)
      return
    }
    const isWaiting = order.status === 'waiting' || order.status === 'pending'
    if ((order.price === 0 || order.command.peg !== undefined) && price !== order.price) {
      this.rejectOrder(order, 'PRICE_NOT_APPLICABLE')
      return
    }
    if (displayQuantity !== undefined && quantity > displayQuantity * 1000) {
      this.rejectOrder(order, 'DISPLAY_QUANTITY_TOO_SMALL')
      return
    }
    const keepsPlace =
      this.definition.replacePriority === 'keep-on-reduce' && price === order.price && quantity <= order.open
    const crosses =
      !isWaiting && !keepsPlace && this.phase === 'continuous' && this.crossable(side, price).length > 0
    if (crosses && postOnly) {
      this.rejectOrder(order, 'POST_ONLY_WOULD_TRADE')
      return
    }
    if (crosses && this.isRefusedByBand(side, price, quantity)) {
      this.rejectOrder(order, 'PRICE_OUTSIDE_BAND')
      return
    }
    const peers = isWaiting
      ? this.waiting(directionOf(order)).filter((o) => placeOf(o) === placeOf(order))
      : this.resting(side).filter((o) => o.price === price)
    if (!crosses && sum(peers.filter((o) => o !== order)) + quantity > LARGEST) {
      this.rejectOrder(order, 'LEVEL_TOTAL_TOO_LARGE')
      return
    }
    this.events.push({
      event: 'replaced',
      ...idOf(order),
      price,
      quantity,
      filled: order.filled,
      reason: 'requested',
    })
    order.price = price
    order.open = quantity
    if (isWaiting) {
      order.shown = quantity
      if (!keepsPlace) order.place = this.places++
    } else if (keepsPlace) order.shown = Math.min(order.shown, quantity)
    else {
      order.status = 'elected'
      if (this.isCall()) {
        order.status = 'resting'
        order.shown = Math.min(order.open, displayQuantity ?? order.open)
        order.place = this.places++
      } else this.act(order)
    }
  }

  protected reduce(order: NaiveOrder, quantity: number): void {
    if (quantity >= order.open) {
      this.cancel(order, 'reduced')
      return
    }
    order.open -= quantity
    order.shown = Math.min(order.shown, order.open)
    this.events.push({
      event: 'replaced',
      ...idOf(order),
      price: order.price,
      quantity: order.open,
      filled: order.filled,
      reason: 'reduced',
    })
  }

  protected expire(time: number, endOfDay: boolean): void {
    for (const order of this.inBookOrder()) {
      const { timeInForce, expireTime = 0 } = order.command
      if (timeInForce === 'GTD' && expireTime <= time) this.cancel(order, 'expired')
      if (endOfDay && ['DAY', 'at-open', 'at-close'].includes(timeInForce)) this.cancel(order, 'end-of-day')
    }
  }
}

/** The naive book of every instrument. */
export class NaiveEngine {
  readonly #books = new Map<number, NaiveBook>()

  /** Executes a decoded command and returns what it caused, in order. */
  apply(command: DecodedCommand): DecodedEvent[] {
    const book = this.#books.get(command.instrumentId)
    if (book !== undefined) return book.apply(command)
    if (command.type === 'noop') return []
    if (command.type !== 'instrument') {
      const account = 'account' in command ? command.account : undefined
      return [
        {
          event: 'rejected',
          orderId: 'orderId' in command ? command.orderId : 0,
          code: 'UNKNOWN_INSTRUMENT',
          ...(account !== undefined && { account }),
          ...(command.type === 'new' && { side: command.side, price: command.price, filled: 0 }),
          ...('clientOrderId' in command && { clientOrderId: command.clientOrderId }),
        },
      ]
    }
    const { type: _, tagLow: __, tagHigh: ___, ...definition } = command
    const { instrumentId } = definition
    this.#books.set(instrumentId, new NaiveBook(definition))
    return [{ event: 'instrument-created' }]
  }

  /** The state of one book, or undefined when there is no such instrument. */
  bookState(instrumentId: number): BookState | undefined {
    return this.#books.get(instrumentId)?.state()
  }

  /** The ids of the instruments in which the account has live orders, ascending. */
  instrumentsOf(account: number): number[] {
    return [...this.#books]
      .filter(([, book]) => book.state().accounts.some((entry) => entry.account === account))
      .map(([instrumentId]) => instrumentId)
      .sort((a, b) => a - b)
  }
}
