import type { DecodedPhase } from '#tidemark/matching/codec/command-reader.js'
import type { Side } from '#tidemark/matching/codec/names.js'
import { naiveCallPrice } from '../naive-auction.js'
import { isOnTick, isWithin, nearTicks, staticBand } from '../naive-bands.js'
import { NaiveConsequences } from './consequences.js'
import { idOf, type NaiveOrder } from './orders.js'

/** Phases, and the trading of all at one price. */
export abstract class NaivePhases extends NaiveConsequences {
  protected changePhase(command: DecodedPhase): void {
    const { phase } = command
    const closing = command.closing ?? false
    const takesOrders = command.takesOrders ?? false
    const before = this.phase
    const wasClosing = this.isClosing
    this.phase = phase
    this.isClosing = closing
    this.takesOrders = takesOrders
    this.events.push({
      event: 'phase-changed',
      phase,
      ...(closing && { closing: true }),
      ...(takesOrders && { takesOrders: true }),
    })
    const opens = phase === 'continuous' && before !== 'continuous'
    const closes = phase === 'closed'
    if (opens || (closes && (before === 'pre-open' || before === 'auction'))) this.uncross()
    const inBook = () => [...this.resting('buy'), ...this.resting('sell')]
    const isFor = (name: 'at-open' | 'at-close') => (order: NaiveOrder) => order.command.timeInForce === name
    if (opens && this.limitsMeet()) {
      if (wasClosing) for (const order of inBook().filter(isFor('at-close'))) this.cancel(order, 'at-close')
      if (this.limitsMeet()) {
        this.interrupt()
        return
      }
    }
    if (opens || closes) {
      for (const order of inBook().filter(({ price }) => price === 0)) {
        const { timeInForce } = order.command
        this.cancel(order, timeInForce === 'at-open' || timeInForce === 'at-close' ? timeInForce : 'market')
      }
      for (const order of inBook().filter(isFor('at-open'))) this.cancel(order, 'at-open')
    }
    if (closes || (wasClosing && !closing))
      for (const order of inBook().filter(isFor('at-close'))) this.cancel(order, 'at-close')
    const aside = [...this.waiting('rise'), ...this.waiting('fall')].filter(isFor('at-close'))
    if (closes) for (const order of aside) this.cancel(order, 'at-close')
    if (!wasClosing && closing) for (const order of aside) this.enterClosing(order)
  }

  protected limitsMeet(): boolean {
    const limitsOf = (side: Side) => this.resting(side).filter(({ price }) => price !== 0)
    const [bid, ask] = [limitsOf('buy')[0], limitsOf('sell')[0]]
    return bid !== undefined && ask !== undefined && bid.price >= ask.price
  }

  /** Finds the price, then lets the orders that take part trade, pair by pair. */
  protected uncross(): void {
    const resting = [...this.resting('buy'), ...this.resting('sell')]
    const orders = resting.map(({ command: { side }, price, open }) => ({ side, price, open }))
    const band = staticBand(this.details)
    const found = naiveCallPrice(orders, {
      reference: this.details.referencePrice ?? this.lastPrice,
      allows: (price) => isWithin(band, price) && isOnTick(this.details, price),
      alsoTry: [Number(band.low), Number(band.high)],
      near: (price) => nearTicks(this.details, price),
    })
    if (found === undefined) return
    const { price } = found
    const buyers = this.resting('buy').filter((o) => o.price === 0 || o.price >= price)
    const sellers = this.resting('sell').filter((o) => o.price === 0 || o.price <= price)
    while (buyers.length > 0 && sellers.length > 0) {
      const [buyer, seller] = [buyers[0]!, sellers[0]!]
      const quantity = Math.min(buyer.open, seller.open)
      for (const order of [buyer, seller]) {
        order.open -= quantity
        order.filled += quantity
        order.shown -= quantity
      }
      this.trades += 1
      this.lastPrice = price
      this.events.push({
        event: 'trade',
        tradeId: this.trades,
        makerOrderId: buyer.command.orderId,
        takerOrderId: seller.command.orderId,
        price,
        quantity,
        makerAccount: buyer.command.account,
        takerAccount: seller.command.account,
        makerRemaining: buyer.open,
        takerRemaining: seller.open,
        takerSide: 'sell',
        uncross: true,
      })
      for (const [order, queue] of [
        [buyer, buyers],
        [seller, sellers],
      ] as const) {
        if (order.open > 0) this.noteTraded(order)
        if (order.open === 0) {
          queue.shift()
          this.drop(order)
        } else if (order.shown <= 0) {
          order.shown = Math.min(order.command.displayQuantity!, order.open)
          order.place = this.places++
          // It continues to trade with all that it has; its new place counts after the call.
        }
      }
    }
  }

  protected enterClosing(order: NaiveOrder): void {
    const { price, open: quantity, filled } = order
    this.events.push({ event: 'triggered', ...idOf(order), price, quantity, filled })
    this.join(order)
  }
}
