import type { Side } from '#tidemark/matching/codec/names.js'
import { isWithin, tradingBand } from '../naive-bands.js'
import { sharesOf } from '../naive-pro-rata.js'
import { areOwn } from '../naive-self-trade.js'
import { idOf, LARGEST, type NaiveOrder, withoutLimit } from './orders.js'
import { NaiveState } from './state.js'

/** How orders trade, or join a call. */
export abstract class NaiveTrading extends NaiveState {
  /** Trades an order that is in no queue and does with the rest what its type asks for. */
  protected act(order: NaiveOrder): void {
    const { command, filled } = order
    const isMarket = withoutLimit(command.orderType)
    const stopped = this.trade(order, isMarket ? undefined : order.price)
    if (order.open > 0 && stopped === 'band' && this.details.bandAction === 3) this.interrupt()
    const isImmediate = command.timeInForce === 'IOC' || command.timeInForce === 'FOK'
    if (order.open === 0) this.drop(order)
    else if (stopped === 'self-trade') this.cancel(order, 'self-trade')
    else if (stopped === 'band' && (isMarket || isImmediate || this.details.bandAction !== 3)) {
      this.cancel(order, 'band')
    } else if (isMarket) this.cancel(order, 'market')
    else if (command.timeInForce === 'IOC' || command.timeInForce === 'FOK') this.cancel(order, 'ioc')
    else {
      order.status = 'resting'
      order.shown = Math.min(order.open, command.displayQuantity ?? order.open)
      order.place = this.places++
      if (order.filled > filled) this.noteTraded(order)
    }
  }

  /** Returns what ended it, if that was not its own quantity or limit. */
  protected trade(taker: NaiveOrder, limit: number | undefined): 'self-trade' | 'band' | undefined {
    const band = tradingBand(this.details, this.lastPrice)
    const mode = this.prevention(taker)
    while (taker.open > 0) {
      const crossable = this.crossable(taker.command.side, limit)
      const [best] = crossable
      if (best === undefined) return undefined
      if (!isWithin(band, best.price)) return 'band'
      const there = this.isProRata() ? crossable.filter(({ price }) => price === best.price) : []
      const maker = there.find((order) => areOwn(order.command, taker.command)) ?? best
      if (mode !== 'none' && areOwn(maker.command, taker.command)) {
        if (mode === 'cancel-oldest' || mode === 'cancel-both') this.cancel(maker, 'self-trade')
        if (mode === 'cancel-newest' || mode === 'cancel-both') return 'self-trade'
        if (mode === 'decrement') {
          const lost = Math.min(maker.open, taker.open)
          this.decrement(maker, lost)
          this.decrement(taker, lost)
        }
        continue
      }
      if (this.isProRata()) {
        const hasTop = this.definition.allocation === 'pro-rata-top'
        const shares = sharesOf(
          there.map(({ shown }) => shown),
          taker.open,
          hasTop,
        )
        for (const [i, order] of there.entries()) if (shares[i]! > 0) this.fill(taker, order, shares[i]!)
      } else this.fill(taker, maker, Math.min(taker.open, maker.shown))
    }
    return undefined
  }

  protected isProRata(): boolean {
    return (this.definition.allocation ?? 'price-time') !== 'price-time'
  }

  protected fill(taker: NaiveOrder, maker: NaiveOrder, quantity: number): void {
    for (const order of [taker, maker]) {
      order.open -= quantity
      order.filled += quantity
    }
    maker.shown -= quantity
    this.trades += 1
    this.lastPrice = maker.price
    this.events.push({
      event: 'trade',
      tradeId: this.trades,
      makerOrderId: maker.command.orderId,
      takerOrderId: taker.command.orderId,
      price: maker.price,
      quantity,
      makerAccount: maker.command.account,
      takerAccount: taker.command.account,
      makerRemaining: maker.open,
      takerRemaining: taker.open,
      takerSide: taker.command.side,
    })
    if (maker.open > 0) this.noteTraded(maker)
    if (maker.open === 0) this.drop(maker)
    else if (maker.shown === 0) {
      maker.shown = Math.min(maker.command.displayQuantity ?? maker.open, maker.open)
      maker.place = this.places++
    }
  }

  protected decrement(order: NaiveOrder, lost: number): void {
    const { price, filled } = order
    order.open -= lost
    order.shown = Math.min(order.shown, order.open)
    if (order.open > 0) {
      this.events.push({
        event: 'replaced',
        ...idOf(order),
        price,
        quantity: order.open,
        filled,
        reason: 'self-trade',
      })
    } else {
      this.events.push({
        event: 'cancelled',
        ...idOf(order),
        price,
        remaining: lost,
        filled,
        reason: 'self-trade',
      })
      if (order.list) order.list.cancelled = true
      this.drop(order)
    }
  }

  /** Rehearses the fill: walks the queue as matching would, on copies, and looks whether it gets to the end. */
  protected fillable(taker: NaiveOrder, atLeast = taker.open): boolean {
    const { command } = taker
    const mode = this.prevention(taker)
    const isMarket = withoutLimit(command.orderType)
    const band = tradingBand(this.details, this.lastPrice)
    let needed = atLeast
    const queue = this.crossable(command.side, isMarket ? undefined : taker.price).map((o) => ({
      command: o.command,
      price: o.price,
      open: o.open,
      shown: o.shown,
      display: o.command.displayQuantity ?? o.open,
    }))
    while (needed > 0) {
      const maker = queue.shift()
      if (maker === undefined || !isWithin(band, maker.price)) return false
      if (this.isProRata() && (mode === 'cancel-newest' || mode === 'cancel-both' || mode === 'decrement')) {
        const meetsOwn = ({ price, command: own }: typeof maker) =>
          price === maker.price && areOwn(own, command)
        if ([maker, ...queue].some(meetsOwn)) return false
      }
      if (mode !== 'none' && areOwn(maker.command, command)) {
        if (mode === 'cancel-oldest') continue
        return false
      }
      const quantity = Math.min(needed, maker.shown)
      needed -= quantity
      maker.open -= quantity
      maker.shown = Math.min(maker.display, maker.open)
      if (maker.open > 0) {
        const after = queue.findIndex((o) => o.price !== maker.price)
        queue.splice(after < 0 ? queue.length : after, 0, maker)
      }
    }
    return true
  }

  /** Whether the bands refuse an order that crosses: it would come to a price outside them before it is filled. */
  protected isRefusedByBand(side: Side, limit: number | undefined, quantity: number): boolean {
    if ((this.details.bandAction ?? 1) !== 1) return false
    const band = tradingBand(this.details, this.lastPrice)
    let needed = BigInt(quantity)
    for (const maker of this.crossable(side, limit)) {
      if (needed <= 0n) return false
      if (!isWithin(band, maker.price)) return true
      needed -= BigInt(maker.open)
    }
    return false
  }

  /** Lets an order that was triggered into the book of a call. */
  protected join(order: NaiveOrder): void {
    const { side, timeInForce, displayQuantity } = order.command
    order.status = 'elected'
    if (timeInForce === 'FOK' || (timeInForce === 'IOC' && order.price !== 0)) this.cancel(order, 'phase')
    else if (this.levelTotal(side, order.price) + order.open > LARGEST) this.cancel(order, 'level-total')
    else {
      order.status = 'resting'
      order.shown = Math.min(order.open, displayQuantity ?? order.open)
      order.place = this.places++
    }
  }

  /** Lets an order that is in no queue into the book: it trades, or joins a call. */
  protected enter(order: NaiveOrder): void {
    if (this.phase !== 'continuous') {
      if (this.isCall()) this.join(order)
      else this.cancel(order, 'phase')
    } else {
      const { side, orderType, timeInForce, postOnly } = order.command
      const isMarket = withoutLimit(orderType)
      const crosses = this.crossable(side, isMarket ? undefined : order.price).length > 0
      const rests = !isMarket && timeInForce !== 'IOC' && timeInForce !== 'FOK'
      if (postOnly && crosses) this.cancel(order, 'post-only')
      else if (timeInForce === 'FOK' && !this.fillable(order)) this.cancel(order, 'fok')
      else if (crosses && this.isRefusedByBand(side, isMarket ? undefined : order.price, order.open)) {
        this.cancel(order, 'band')
      } else if (rests && !crosses && this.levelTotal(side, order.price) + order.open > LARGEST) {
        this.cancel(order, 'level-total')
      } else this.act(order)
    }
  }
}
