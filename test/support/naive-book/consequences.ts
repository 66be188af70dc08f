import type { Side } from '#tidemark/matching/codec/names.js'
import { pairOf } from '../naive-lists.js'
import { pegPriceOf } from '../naive-pegs.js'
import { passes, trailedStop } from '../naive-trailing.js'
import { NaiveLists } from './lists.js'
import { idOf, LARGEST, type NaiveOrder, placeOf, sum } from './orders.js'

/** What follows from what a command has done: stops that are triggered, trails and pegs that move. */
export abstract class NaiveConsequences extends NaiveLists {
  /** Lists first, then stops, one after the other, until nothing follows any more. */
  protected runConsequences(): void {
    for (;;) {
      this.settleLists()
      if (this.phase === 'continuous') this.elect()
      if (this.due.length > 0) continue
      const order = this.elected.shift()
      if (order === undefined) return
      const { price, open: quantity, filled } = order
      this.events.push({ event: 'triggered', ...idOf(order), price, quantity, filled })
      this.enter(order)
    }
  }

  protected elect(): void {
    const last = this.lastPrice
    if (last === 0) return
    for (const side of ['buy', 'sell'] as const) {
      for (const order of this.tracking(side)) {
        if (passes(last, order.trail!, side)) this.trailFrom(order, last)
      }
    }
    for (const direction of ['rise', 'fall'] as const) {
      const isReached = ({ stopPrice }: NaiveOrder) =>
        direction === 'rise' ? stopPrice <= last : stopPrice >= last
      const isThere = (o: NaiveOrder) => o.status === 'waiting' && this.orders.includes(o)
      for (const order of this.waiting(direction).filter((o) => o.status === 'waiting' && isReached(o))) {
        // One that was reached before may have cancelled it.
        if (!isThere(order)) continue
        if (order.trail !== undefined && order.trail.reference === undefined) this.trailFrom(order, last)
        else if (order.list?.cancelled) this.cancel(order, 'list')
        else {
          const { list } = order
          const isPair = list && pairOf(list.type).includes(list.orders.indexOf(order))
          if (isPair)
            this.cancelByList(
              list,
              list.orders.filter((o) => o !== order),
            )
          order.status = 'elected'
          this.elected.push(order)
        }
      }
    }
  }

  /** Trails from a reference: the order goes to the back at the stop price that follows from it, if that is another. */
  protected trailFrom(order: NaiveOrder, reference: number): void {
    const { command, trail } = order
    const stopPrice = trailedStop(trail!, reference, command.side)
    const begins = trail!.reference === undefined
    if (begins || stopPrice !== order.stopPrice) {
      const there = this.waiting(command.side === 'buy' ? 'rise' : 'fall').filter(
        (o) => placeOf(o) === stopPrice,
      )
      if (sum(there) + order.open > LARGEST) {
        this.cancel(order, 'level-total')
        return
      }
      order.stopPrice = stopPrice
      order.place = this.places++
    }
    trail!.reference = reference
    if (begins) trail!.beginning = this.places++
  }

  /** Prices the pegs anew, each from the references of now; returns whether any has moved or gone. */
  protected repricePegs(): boolean {
    if (this.phase !== 'continuous') return false
    const [bid, ask] = [this.reference('buy'), this.reference('sell')]
    let hasMoved = false
    for (const order of this.pegs()) {
      if (!this.orders.includes(order) || this.phase !== 'continuous') continue
      const { side } = order.command
      const price = pegPriceOf(order.command, bid, ask, this.details)
      if (price === order.price) continue
      hasMoved = true
      if (price === undefined) this.cancel(order, 'no-reference')
      else if (this.crossable(side, price).length > 0 && this.isRefusedByBand(side, price, order.open))
        this.cancel(order, 'band')
      else if (
        this.crossable(side, price).length === 0 &&
        this.levelTotal(side, price) + order.open > LARGEST
      )
        this.cancel(order, 'level-total')
      else this.movePeg(order, price)
    }
    return hasMoved
  }

  protected movePeg(order: NaiveOrder, price: number): void {
    order.price = price
    order.turn = this.turns++
    order.status = 'elected'
    const { open: quantity, filled } = order
    this.events.push({ event: 'replaced', ...idOf(order), price, quantity, filled, reason: 'pegged' })
    this.act(order)
  }

  /** The best price of a side at which an order stands that is not pegged. */
  protected reference(side: Side): number | undefined {
    return this.resting(side).find(({ command }) => command.peg === undefined)?.price
  }
}
