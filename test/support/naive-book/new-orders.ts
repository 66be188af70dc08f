import type { DecodedNew } from '#tidemark/matching/codec/command-reader.js'
import { isWithin, tradingBand } from '../naive-bands.js'
import { pegPriceOf } from '../naive-pegs.js'
import { lotsForAmount, stepsOfUnits } from '../naive-quote.js'
import { areOwn } from '../naive-self-trade.js'
import { directionOf, idOf, LARGEST, type NaiveOrder, newOrder, placeOf, sum, waits } from './orders.js'
import { NaivePhases } from './phases.js'

/** Which new orders are taken, and what they become. */
export abstract class NaiveNewOrders extends NaivePhases {
  protected new(command: DecodedNew): void {
    const { orderId, side, orderType, timeInForce, price, quantity, postOnly } = command
    if (this.blocked.includes(command.account)) {
      this.rejectNew(command, 'ACCOUNT_BLOCKED')
      return
    }
    if (this.orders.some((o) => o.command.orderId === orderId)) {
      this.rejectNew(command, 'DUPLICATE_ORDER_ID')
      return
    }
    const { account, clientOrderId } = command
    const isTaken = ({ command: own }: NaiveOrder) =>
      own.account === account && own.clientOrderId === clientOrderId
    if (clientOrderId !== undefined && this.orders.some(isTaken)) {
      this.rejectNew(command, 'DUPLICATE_CLIENT_ORDER_ID')
      return
    }
    const { quoteQuantity, peg } = command
    const outside = this.outside(price, quantity, command.stopPrice ?? command.activationPrice ?? 0)
    if (outside && quoteQuantity === undefined && peg === undefined) {
      this.rejectNew(command, outside)
      return
    }
    const { maxAccountOrders = LARGEST } = this.details
    const isGone =
      orderType === 'limit'
        ? timeInForce === 'IOC' || timeInForce === 'FOK'
        : orderType === 'market' && !timeInForce.startsWith('at') && this.phase === 'continuous'
    const own = this.orders.filter(({ command: { account: other } }) => other === account)
    if (!isGone && own.length >= maxAccountOrders) {
      this.rejectNew(command, 'TOO_MANY_ORDERS')
      return
    }
    const order = newOrder(command)
    const isImmediate =
      timeInForce === 'FOK' ||
      (timeInForce === 'IOC' && (orderType === 'limit' || command.minQuantity !== undefined))
    if (this.isCall() && (quoteQuantity ?? peg) !== undefined) {
      this.rejectNew(command, 'NOT_IN_THIS_PHASE')
      return
    }
    const isOpening = this.isCall() && !this.isClosing
    if (timeInForce === 'at-open' ? !isOpening : this.isCall() && !waits(orderType) && isImmediate) {
      this.rejectNew(command, 'NOT_IN_THIS_PHASE')
      return
    }
    if (timeInForce === 'at-close') {
      const total = sum(this.waiting(directionOf(order)).filter((o) => placeOf(o) === placeOf(order)))
      if (total + quantity > LARGEST) {
        this.rejectNew(command, 'LEVEL_TOTAL_TOO_LARGE')
        return
      }
      this.accept(command)
      order.status = 'waiting'
      order.place = this.places++
      this.orders.push(order)
      if (this.isClosing) this.enterClosing(order)
      return
    }
    if (waits(orderType)) {
      const total = sum(this.waiting(directionOf(order)).filter((o) => placeOf(o) === placeOf(order)))
      if (total + quantity > LARGEST) {
        this.rejectNew(command, 'LEVEL_TOTAL_TOO_LARGE')
        return
      }
      this.accept(command)
      order.status = 'waiting'
      order.place = this.places++
      this.orders.push(order)
      return
    }
    if (this.isCall()) {
      if (this.levelTotal(side, price) + quantity > LARGEST) {
        this.rejectNew(command, 'LEVEL_TOTAL_TOO_LARGE')
        return
      }
      this.accept(command)
      this.orders.push(order)
      this.join(order)
      return
    }
    if (peg !== undefined) {
      this.newPegged(order)
      return
    }
    if (quoteQuantity !== undefined) {
      this.newForAmount(order, quoteQuantity)
      return
    }
    const crosses = this.crossable(side, orderType === 'market' ? undefined : price).length > 0
    if (postOnly && crosses) {
      this.rejectNew(command, 'POST_ONLY_WOULD_TRADE')
      return
    }
    if (timeInForce === 'FOK' && !this.fillable(order)) {
      this.rejectNew(command, 'FOK_NOT_FILLABLE')
      return
    }
    if (command.minQuantity !== undefined && !this.fillable(order, command.minQuantity)) {
      this.rejectNew(command, 'MIN_QUANTITY_NOT_FILLABLE')
      return
    }
    const limit = orderType === 'market' ? undefined : price
    if (crosses && this.isRefusedByBand(side, limit, quantity)) {
      this.rejectNew(command, 'PRICE_OUTSIDE_BAND')
      return
    }
    const rests = orderType === 'limit' && timeInForce !== 'IOC' && timeInForce !== 'FOK'
    if (rests && !crosses && this.levelTotal(side, price) + quantity > LARGEST) {
      this.rejectNew(command, 'LEVEL_TOTAL_TOO_LARGE')
      return
    }
    this.accept(command)
    this.orders.push(order)
    this.act(order)
  }

  protected newPegged(order: NaiveOrder): void {
    const { command, open: quantity } = order
    const { side } = command
    const price = pegPriceOf(command, this.reference('buy'), this.reference('sell'), this.details)
    const code = price === undefined ? 'NO_PEG_REFERENCE' : this.outside(price, quantity, 0)
    if (code !== undefined) {
      this.rejectNew(command, code)
      return
    }
    const crosses = this.crossable(side, price).length > 0
    if (crosses && this.isRefusedByBand(side, price, quantity)) {
      this.rejectNew(command, 'PRICE_OUTSIDE_BAND')
      return
    }
    if (!crosses && this.levelTotal(side, price!) + quantity > LARGEST) {
      this.rejectNew(command, 'LEVEL_TOTAL_TOO_LARGE')
      return
    }
    this.accept(command)
    this.orders.push(order)
    this.movePeg(order, price!)
  }

  /** A market order for an amount of the quote asset: as many lots as it pays for. */
  protected newForAmount(order: NaiveOrder, units: number): void {
    const { command } = order
    const amount = stepsOfUnits(units, this.definition)
    const mode = this.prevention(order)
    const makers = this.crossable(command.side, undefined).map(({ price, open, command: own }) => ({
      price,
      open,
      isOwn: areOwn(own, command),
    }))
    const own = mode === 'none' || mode === 'decrement' ? 'trade' : mode === 'cancel-oldest' ? 'go' : 'end'
    const band = tradingBand(this.details, this.lastPrice)
    const isAllowed = (price: number) => isWithin(band, price)
    const { lots, isBanded } = lotsForAmount(makers, amount, own, isAllowed)
    const { minNotional = 0 } = this.details
    const code =
      (amount < minNotional ? 'NOTIONAL_TOO_SMALL' : lots > 0 ? this.outside(0, lots, 0) : undefined) ??
      (isBanded && (this.details.bandAction ?? 1) === 1 ? 'PRICE_OUTSIDE_BAND' : undefined)
    if (code !== undefined) {
      this.rejectNew(command, code)
      return
    }
    order.open = lots
    this.accept(command)
    this.orders.push(order)
    if (lots > 0) {
      this.act(order)
      return
    }
    const { price, filled } = order
    this.events.push({
      event: 'cancelled',
      ...idOf(order),
      price,
      remaining: 0,
      filled,
      reason: 'market',
    })
    this.drop(order)
  }
}
