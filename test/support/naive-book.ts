/**
 * A second matching engine, written to be obviously right and nothing else: arrays, filter and sort, no index, no
 * running totals. It takes decoded commands and returns decoded events. Tests hold the fast engine against it; it
 * shares no code with it beyond the types of commands and events.
 */

import type { BookState } from '#tidemark/matching/book/book-state.js'
import type { OrderState } from '#tidemark/matching/book/order-state.js'
import type {
  DecodedCommand,
  DecodedList,
  DecodedNew,
  DecodedPhase,
} from '#tidemark/matching/codec/command-reader.js'
import type { DecodedEvent } from '#tidemark/matching/codec/event-reader.js'
import type { InstrumentChange, InstrumentDetails } from '#tidemark/matching/codec/instrument-details.js'
import type { InstrumentDefinition } from '#tidemark/matching/codec/instrument-record.js'
import type {
  CancelReason,
  OrderType,
  Phase,
  RejectCode,
  SelfTradePrevention,
  Side,
} from '#tidemark/matching/codec/names.js'
import { naiveCallPrice } from './naive-auction.js'
import { isOnTick, isWithin, nearTicks, staticBand, tradingBand } from './naive-bands.js'
import { chosenByCancelAll } from './naive-cancel-all.js'
import { type NaiveList, pairOf, pendingOf, withIds } from './naive-lists.js'
import { pegPriceOf } from './naive-pegs.js'
import { sharesOf } from './naive-pro-rata.js'
import { lotsForAmount, stepsOfUnits } from './naive-quote.js'
import { areOwn } from './naive-self-trade.js'
import { type NaiveTrail, passes, trailedStop, trailOf } from './naive-trailing.js'

export interface NaiveOrder {
  readonly command: DecodedNew
  /** Of a pegged order: a smaller one is re-priced earlier. */
  turn?: number
  price: number
  open: number
  shown: number
  filled: number
  /** `waiting` before its stop price is reached, `elected` until it has acted, then `resting`. */
  status: 'waiting' | 'elected' | 'resting' | 'pending'
  readonly list?: NaiveList<NaiveOrder>
  /** Smaller is earlier: place among the orders at the same price. */
  place: number
  /** The last price that a waiting order waits for. */
  stopPrice: number
  readonly trail: NaiveTrail | undefined
}

interface NamedOrder {
  readonly orderId: number
  readonly account?: number
  readonly clientOrderId?: string
}

const LARGEST = 2 ** 53 - 1

export class NaiveBook {
  readonly #definition: InstrumentDefinition
  /** Live orders in the order in which they were accepted. */
  #orders: NaiveOrder[] = []
  #elected: NaiveOrder[] = []
  #events: DecodedEvent[] = []
  #phase: Phase = 'continuous'
  #isClosing = false
  #takesOrders = false
  #busted: number[] = []
  #details: InstrumentDetails = {}
  #lastPrice = 0
  #trades = 0
  #highestOrderId = 0
  #places = 0
  #blocked: number[] = []
  #lists: NaiveList<NaiveOrder>[] = []
  /** Lists to which something has happened. */
  #due: NaiveList<NaiveOrder>[] = []
  #turns = 0

  constructor(definition: InstrumentDefinition) {
    const { phase = 'continuous', ...rest } = definition
    this.#definition = rest
    this.#phase = phase
    this.#details = definition.details ?? {}
  }

  apply(command: DecodedCommand): DecodedEvent[] {
    this.#events = []
    this.#execute(command)
    do this.#runConsequences()
    while (this.#repricePegs())
    return this.#events
  }

  #execute(sent: DecodedCommand): void {
    let command = sent
    if ('orderIdOmitted' in command && command.type === 'new') {
      const orderId = this.#highestOrderId + 1
      if (orderId > LARGEST) {
        this.#rejectNew({ ...command, orderId: 0 }, 'ORDER_IDS_EXHAUSTED')
        return
      }
      command = { ...command, orderId }
      this.#highestOrderId = orderId
    }
    if (
      'orderIdOmitted' in command &&
      (command.type === 'cancel' || command.type === 'replace' || command.type === 'reduce')
    ) {
      const { account, clientOrderId } = command
      const named = this.#orders.find(
        ({ command: own }) => own.account === account && own.clientOrderId === clientOrderId,
      )
      command = { ...command, orderId: named?.command.orderId ?? 0 }
    }
    const { type } = command
    const isTaken = this.#phase === 'continuous' || this.#isCall()
    if (!isTaken && (type === 'new' || type === 'replace' || type === 'reduce')) {
      const code = this.#phase === 'closed' ? 'INSTRUMENT_CLOSED' : 'INSTRUMENT_HALTED'
      if (type === 'new') this.#rejectNew(command, code)
      else this.#rejectAmendment(command, code)
    } else if (type === 'new') this.#new(command)
    else if (type === 'cancel' || type === 'replace' || type === 'reduce') {
      const order = this.#orders.find((o) => o.command.orderId === command.orderId)
      if (order === undefined) this.#rejectAmendment(command, 'UNKNOWN_ORDER')
      else if (command.account !== undefined && command.account !== order.command.account) {
        this.#rejectAmendment(command, 'NOT_OWNER')
      } else if (type === 'cancel') this.#cancel(order, 'requested')
      else if (type === 'reduce') this.#reduce(order, command.quantity)
      else this.#replace(order, command.price === 0 ? order.price : command.price, command.quantity)
    } else if (type === 'cancel-all') {
      for (const order of chosenByCancelAll(command, this.#orders, this.#inBookOrder()))
        this.#cancel(order, 'cancel-all')
    } else if (type === 'block' || type === 'unblock') this.#block(command.account, type === 'block')
    else if (type === 'expire') this.#expire(command.time, command.endOfDay)
    else if (type === 'instrument-change') this.#change(command)
    else if (type === 'phase') this.#changePhase(command)
    else if (type === 'bust') this.#bust(command.tradeId)
    else if (type === 'list') this.#list(command)
    else if (type === 'cancel-list') this.#cancelList(command.listId, command.account)
    else if (type === 'instrument') this.#rejectInstrument('DUPLICATE_INSTRUMENT')
  }

  #isCall(): boolean {
    return this.#phase === 'pre-open' || this.#phase === 'auction' || this.#takesOrders
  }

  #bust(tradeId: number): void {
    if (tradeId > this.#trades) this.#rejectInstrument('UNKNOWN_TRADE')
    else if (this.#busted.includes(tradeId)) this.#rejectInstrument('TRADE_ALREADY_BUSTED')
    else {
      this.#busted.push(tradeId)
      this.#events.push({ event: 'trade-busted', tradeId })
    }
  }

  #changePhase(command: DecodedPhase): void {
    const { phase } = command
    const closing = command.closing ?? false
    const takesOrders = command.takesOrders ?? false
    const before = this.#phase
    const wasClosing = this.#isClosing
    this.#phase = phase
    this.#isClosing = closing
    this.#takesOrders = takesOrders
    this.#events.push({
      event: 'phase-changed',
      phase,
      ...(closing && { closing: true }),
      ...(takesOrders && { takesOrders: true }),
    })
    const opens = phase === 'continuous' && before !== 'continuous'
    const closes = phase === 'closed'
    if (opens || (closes && (before === 'pre-open' || before === 'auction'))) this.#uncross()
    const inBook = () => [...this.#resting('buy'), ...this.#resting('sell')]
    const limitsOf = (side: Side) => this.#resting(side).filter(({ price }) => price !== 0)
    const [bid, ask] = [limitsOf('buy')[0], limitsOf('sell')[0]]
    if (opens && bid && ask && bid.price >= ask.price) {
      this.#interrupt()
      return
    }
    const isFor = (name: 'at-open' | 'at-close') => (order: NaiveOrder) => order.command.timeInForce === name
    if (opens || closes) {
      for (const order of inBook().filter(({ price }) => price === 0)) {
        const { timeInForce } = order.command
        this.#cancel(order, timeInForce === 'at-open' || timeInForce === 'at-close' ? timeInForce : 'market')
      }
      for (const order of inBook().filter(isFor('at-open'))) this.#cancel(order, 'at-open')
    }
    if (closes || (wasClosing && !closing))
      for (const order of inBook().filter(isFor('at-close'))) this.#cancel(order, 'at-close')
    const aside = [...this.#waiting('rise'), ...this.#waiting('fall')].filter(isFor('at-close'))
    if (closes) for (const order of aside) this.#cancel(order, 'at-close')
    if (!wasClosing && closing) for (const order of aside) this.#enterClosing(order)
  }

  #interrupt(): void {
    this.#phase = 'auction'
    this.#isClosing = false
    this.#takesOrders = false
    this.#events.push({ event: 'volatility-interruption' })
  }

  /** Whether the bands refuse an order that crosses: it would come to a price outside them before it is filled. */
  #isRefusedByBand(side: Side, limit: number | undefined, quantity: number): boolean {
    if ((this.#details.bandAction ?? 1) !== 1) return false
    const band = tradingBand(this.#details, this.#lastPrice)
    let needed = BigInt(quantity)
    for (const maker of this.#crossable(side, limit)) {
      if (needed <= 0n) return false
      if (!isWithin(band, maker.price)) return true
      needed -= BigInt(maker.open)
    }
    return false
  }

  /** Finds the price, then lets the orders that take part trade, pair by pair. */
  #uncross(): void {
    const resting = [...this.#resting('buy'), ...this.#resting('sell')]
    const orders = resting.map(({ command: { side }, price, open }) => ({ side, price, open }))
    const band = staticBand(this.#details)
    const found = naiveCallPrice(orders, {
      reference: this.#details.referencePrice ?? this.#lastPrice,
      allows: (price) => isWithin(band, price) && isOnTick(this.#details, price),
      alsoTry: [Number(band.low), Number(band.high)],
      near: (price) => nearTicks(this.#details, price),
    })
    if (found === undefined) return
    const { price } = found
    const buyers = this.#resting('buy').filter((o) => o.price === 0 || o.price >= price)
    const sellers = this.#resting('sell').filter((o) => o.price === 0 || o.price <= price)
    while (buyers.length > 0 && sellers.length > 0) {
      const [buyer, seller] = [buyers[0]!, sellers[0]!]
      const quantity = Math.min(buyer.open, seller.open)
      for (const order of [buyer, seller]) {
        order.open -= quantity
        order.filled += quantity
        order.shown -= quantity
      }
      this.#trades += 1
      this.#lastPrice = price
      this.#events.push({
        event: 'trade',
        tradeId: this.#trades,
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
        if (order.open > 0) this.#noteTraded(order)
        if (order.open === 0) {
          queue.shift()
          this.#drop(order)
        } else if (order.shown <= 0) {
          order.shown = Math.min(order.command.displayQuantity!, order.open)
          order.place = this.#places++
          // It continues to trade with all that it has; its new place counts after the call.
        }
      }
    }
  }

  #enterClosing(order: NaiveOrder): void {
    const { price, open: quantity, filled } = order
    this.#events.push({ event: 'triggered', ...idOf(order), price, quantity, filled })
    this.#join(order)
  }

  /** Lets an order that was triggered into the book of a call. */
  #join(order: NaiveOrder): void {
    const { side, timeInForce, displayQuantity } = order.command
    order.status = 'elected'
    if (timeInForce === 'FOK' || (timeInForce === 'IOC' && order.price !== 0)) this.#cancel(order, 'phase')
    else if (this.#levelTotal(side, order.price) + order.open > LARGEST) this.#cancel(order, 'level-total')
    else {
      order.status = 'resting'
      order.shown = Math.min(order.open, displayQuantity ?? order.open)
      order.place = this.#places++
    }
  }

  #block(account: number, isBlocked: boolean): void {
    this.#blocked = this.#blocked.filter((other) => other !== account)
    if (isBlocked) this.#blocked.push(account)
    this.#events.push({ event: isBlocked ? 'account-blocked' : 'account-unblocked', account })
    for (const order of this.#orders.filter(({ command }) => this.#blocked.includes(command.account)))
      this.#cancel(order, 'account-blocked')
  }

  #change({ set, removed }: InstrumentChange): void {
    const details = { ...this.#details, ...set }
    for (const name of removed) if (set[name] === undefined) delete details[name]
    const { minPrice = 0, maxPrice = LARGEST, minQuantity = 0, maxQuantity = LARGEST } = details
    if (minPrice > maxPrice || minQuantity > maxQuantity) {
      this.#rejectInstrument('LIMITS_CONFLICT')
      return
    }
    this.#details = details
    this.#events.push({ event: 'instrument-changed', details })
  }

  /** Why an order would be outside the limits; its price is 0 when it has none. */
  #outside(price: number, quantity: number, stopPrice: number): RejectCode | undefined {
    const {
      minPrice = 0,
      maxPrice = LARGEST,
      minQuantity = 0,
      maxQuantity = LARGEST,
      minNotional = 0,
    } = this.#details
    if (price !== 0 && price < minPrice) return 'PRICE_TOO_LOW'
    if (price !== 0 && price > maxPrice) return 'PRICE_TOO_HIGH'
    if (price !== 0 && !isOnTick(this.#details, price)) return 'PRICE_OFF_TICK'
    if (quantity < minQuantity) return 'QUANTITY_TOO_SMALL'
    if (quantity > maxQuantity) return 'QUANTITY_TOO_LARGE'
    if (price !== 0 && BigInt(price) * BigInt(quantity) < BigInt(minNotional)) return 'NOTIONAL_TOO_SMALL'
    if (stopPrice !== 0 && stopPrice < minPrice) return 'PRICE_TOO_LOW'
    if (stopPrice !== 0 && stopPrice > maxPrice) return 'PRICE_TOO_HIGH'
    return stopPrice !== 0 && !isOnTick(this.#details, stopPrice) ? 'PRICE_OFF_TICK' : undefined
  }

  #new(command: DecodedNew): void {
    const { orderId, side, orderType, timeInForce, price, quantity, postOnly } = command
    if (this.#blocked.includes(command.account)) {
      this.#rejectNew(command, 'ACCOUNT_BLOCKED')
      return
    }
    if (this.#orders.some((o) => o.command.orderId === orderId)) {
      this.#rejectNew(command, 'DUPLICATE_ORDER_ID')
      return
    }
    const { account, clientOrderId } = command
    const isTaken = ({ command: own }: NaiveOrder) =>
      own.account === account && own.clientOrderId === clientOrderId
    if (clientOrderId !== undefined && this.#orders.some(isTaken)) {
      this.#rejectNew(command, 'DUPLICATE_CLIENT_ORDER_ID')
      return
    }
    const { quoteQuantity, peg } = command
    const outside = this.#outside(price, quantity, command.stopPrice ?? command.activationPrice ?? 0)
    if (outside && quoteQuantity === undefined && peg === undefined) {
      this.#rejectNew(command, outside)
      return
    }
    const { maxAccountOrders = LARGEST } = this.#details
    const isGone =
      orderType === 'limit'
        ? timeInForce === 'IOC' || timeInForce === 'FOK'
        : orderType === 'market' && !timeInForce.startsWith('at') && this.#phase === 'continuous'
    const own = this.#orders.filter(({ command: { account: other } }) => other === account)
    if (!isGone && own.length >= maxAccountOrders) {
      this.#rejectNew(command, 'TOO_MANY_ORDERS')
      return
    }
    const order = newOrder(command)
    const isImmediate =
      timeInForce === 'FOK' ||
      (timeInForce === 'IOC' && (orderType === 'limit' || command.minQuantity !== undefined))
    if (this.#isCall() && (quoteQuantity ?? peg) !== undefined) {
      this.#rejectNew(command, 'NOT_IN_THIS_PHASE')
      return
    }
    const isOpening = this.#isCall() && !this.#isClosing
    if (timeInForce === 'at-open' ? !isOpening : this.#isCall() && !waits(orderType) && isImmediate) {
      this.#rejectNew(command, 'NOT_IN_THIS_PHASE')
      return
    }
    if (timeInForce === 'at-close') {
      const total = sum(this.#waiting(directionOf(order)).filter((o) => placeOf(o) === placeOf(order)))
      if (total + quantity > LARGEST) {
        this.#rejectNew(command, 'LEVEL_TOTAL_TOO_LARGE')
        return
      }
      this.#accept(command)
      order.status = 'waiting'
      order.place = this.#places++
      this.#orders.push(order)
      if (this.#isClosing) this.#enterClosing(order)
      return
    }
    if (waits(orderType)) {
      const total = sum(this.#waiting(directionOf(order)).filter((o) => placeOf(o) === placeOf(order)))
      if (total + quantity > LARGEST) {
        this.#rejectNew(command, 'LEVEL_TOTAL_TOO_LARGE')
        return
      }
      this.#accept(command)
      order.status = 'waiting'
      order.place = this.#places++
      this.#orders.push(order)
      return
    }
    if (this.#isCall()) {
      if (this.#levelTotal(side, price) + quantity > LARGEST) {
        this.#rejectNew(command, 'LEVEL_TOTAL_TOO_LARGE')
        return
      }
      this.#accept(command)
      this.#orders.push(order)
      this.#join(order)
      return
    }
    if (peg !== undefined) {
      this.#newPegged(order)
      return
    }
    if (quoteQuantity !== undefined) {
      this.#newForAmount(order, quoteQuantity)
      return
    }
    const crosses = this.#crossable(side, orderType === 'market' ? undefined : price).length > 0
    if (postOnly && crosses) {
      this.#rejectNew(command, 'POST_ONLY_WOULD_TRADE')
      return
    }
    if (timeInForce === 'FOK' && !this.#fillable(order)) {
      this.#rejectNew(command, 'FOK_NOT_FILLABLE')
      return
    }
    if (command.minQuantity !== undefined && !this.#fillable(order, command.minQuantity)) {
      this.#rejectNew(command, 'MIN_QUANTITY_NOT_FILLABLE')
      return
    }
    const limit = orderType === 'market' ? undefined : price
    if (crosses && this.#isRefusedByBand(side, limit, quantity)) {
      this.#rejectNew(command, 'PRICE_OUTSIDE_BAND')
      return
    }
    const rests = orderType === 'limit' && timeInForce !== 'IOC' && timeInForce !== 'FOK'
    if (rests && !crosses && this.#levelTotal(side, price) + quantity > LARGEST) {
      this.#rejectNew(command, 'LEVEL_TOTAL_TOO_LARGE')
      return
    }
    this.#accept(command)
    this.#orders.push(order)
    this.#act(order)
  }

  #newPegged(order: NaiveOrder): void {
    const { command, open: quantity } = order
    const { side } = command
    const price = pegPriceOf(command, this.#reference('buy'), this.#reference('sell'), this.#details)
    const code = price === undefined ? 'NO_PEG_REFERENCE' : this.#outside(price, quantity, 0)
    if (code !== undefined) {
      this.#rejectNew(command, code)
      return
    }
    const crosses = this.#crossable(side, price).length > 0
    if (crosses && this.#isRefusedByBand(side, price, quantity)) {
      this.#rejectNew(command, 'PRICE_OUTSIDE_BAND')
      return
    }
    if (!crosses && this.#levelTotal(side, price!) + quantity > LARGEST) {
      this.#rejectNew(command, 'LEVEL_TOTAL_TOO_LARGE')
      return
    }
    this.#accept(command)
    this.#orders.push(order)
    this.#movePeg(order, price!)
  }

  #movePeg(order: NaiveOrder, price: number): void {
    order.price = price
    order.turn = this.#turns++
    order.status = 'elected'
    const { open: quantity, filled } = order
    this.#events.push({ event: 'replaced', ...idOf(order), price, quantity, filled, reason: 'pegged' })
    this.#act(order)
  }

  /** The best price of a side at which an order stands that is not pegged. */
  #reference(side: Side): number | undefined {
    return this.#resting(side).find(({ command }) => command.peg === undefined)?.price
  }

  #pegs(): NaiveOrder[] {
    return this.#orders.filter(({ command }) => command.peg !== undefined).sort((a, b) => a.turn! - b.turn!)
  }

  /** Prices the pegs anew, each from the references of now; returns whether any has moved or gone. */
  #repricePegs(): boolean {
    if (this.#phase !== 'continuous') return false
    const [bid, ask] = [this.#reference('buy'), this.#reference('sell')]
    let hasMoved = false
    for (const order of this.#pegs()) {
      if (!this.#orders.includes(order) || this.#phase !== 'continuous') continue
      const { side } = order.command
      const price = pegPriceOf(order.command, bid, ask, this.#details)
      if (price === order.price) continue
      hasMoved = true
      if (price === undefined) this.#cancel(order, 'no-reference')
      else if (this.#crossable(side, price).length > 0 && this.#isRefusedByBand(side, price, order.open))
        this.#cancel(order, 'band')
      else if (
        this.#crossable(side, price).length === 0 &&
        this.#levelTotal(side, price) + order.open > LARGEST
      )
        this.#cancel(order, 'level-total')
      else this.#movePeg(order, price)
    }
    return hasMoved
  }

  /** A market order for an amount of the quote asset: as many lots as it pays for. */
  #newForAmount(order: NaiveOrder, units: number): void {
    const { command } = order
    const amount = stepsOfUnits(units, this.#definition)
    const mode = this.#prevention(order)
    const makers = this.#crossable(command.side, undefined).map(({ price, open, command: own }) => ({
      price,
      open,
      isOwn: areOwn(own, command),
    }))
    const own = mode === 'none' || mode === 'decrement' ? 'trade' : mode === 'cancel-oldest' ? 'go' : 'end'
    const band = tradingBand(this.#details, this.#lastPrice)
    const isAllowed = (price: number) => isWithin(band, price)
    const { lots, isBanded } = lotsForAmount(makers, amount, own, isAllowed)
    const { minNotional = 0 } = this.#details
    const code =
      (amount < minNotional ? 'NOTIONAL_TOO_SMALL' : lots > 0 ? this.#outside(0, lots, 0) : undefined) ??
      (isBanded && (this.#details.bandAction ?? 1) === 1 ? 'PRICE_OUTSIDE_BAND' : undefined)
    if (code !== undefined) {
      this.#rejectNew(command, code)
      return
    }
    order.open = lots
    this.#accept(command)
    this.#orders.push(order)
    if (lots > 0) {
      this.#act(order)
      return
    }
    const { price, filled } = order
    this.#events.push({
      event: 'cancelled',
      ...idOf(order),
      price,
      remaining: 0,
      filled,
      reason: 'market',
    })
    this.#drop(order)
  }

  #accept({ orderId, account }: DecodedNew): void {
    this.#events.push({ event: 'accepted', account })
    this.#highestOrderId = Math.max(this.#highestOrderId, orderId)
  }

  #replace(order: NaiveOrder, price: number, quantity: number): void {
    const { side, displayQuantity, postOnly } = order.command
    const outside = this.#outside(price, quantity, 0)
    if (outside) {
      this.#rejectOrder(order, outside)
      return
    }
    const isWaiting = order.status === 'waiting' || order.status === 'pending'
    if ((order.price === 0 || order.command.peg !== undefined) && price !== order.price) {
      this.#rejectOrder(order, 'PRICE_NOT_APPLICABLE')
      return
    }
    if (displayQuantity !== undefined && quantity > displayQuantity * 1000) {
      this.#rejectOrder(order, 'DISPLAY_QUANTITY_TOO_SMALL')
      return
    }
    const keepsPlace =
      this.#definition.replacePriority === 'keep-on-reduce' && price === order.price && quantity <= order.open
    const crosses =
      !isWaiting && !keepsPlace && this.#phase === 'continuous' && this.#crossable(side, price).length > 0
    if (crosses && postOnly) {
      this.#rejectOrder(order, 'POST_ONLY_WOULD_TRADE')
      return
    }
    if (crosses && this.#isRefusedByBand(side, price, quantity)) {
      this.#rejectOrder(order, 'PRICE_OUTSIDE_BAND')
      return
    }
    const peers = isWaiting
      ? this.#waiting(directionOf(order)).filter((o) => placeOf(o) === placeOf(order))
      : this.#resting(side).filter((o) => o.price === price)
    if (!crosses && sum(peers.filter((o) => o !== order)) + quantity > LARGEST) {
      this.#rejectOrder(order, 'LEVEL_TOTAL_TOO_LARGE')
      return
    }
    this.#events.push({
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
      if (!keepsPlace) order.place = this.#places++
    } else if (keepsPlace) order.shown = Math.min(order.shown, quantity)
    else {
      order.status = 'elected'
      if (this.#isCall()) {
        order.status = 'resting'
        order.shown = Math.min(order.open, displayQuantity ?? order.open)
        order.place = this.#places++
      } else this.#act(order)
    }
  }

  #reduce(order: NaiveOrder, quantity: number): void {
    if (quantity >= order.open) {
      this.#cancel(order, 'reduced')
      return
    }
    order.open -= quantity
    order.shown = Math.min(order.shown, order.open)
    this.#events.push({
      event: 'replaced',
      ...idOf(order),
      price: order.price,
      quantity: order.open,
      filled: order.filled,
      reason: 'reduced',
    })
  }

  #expire(time: number, endOfDay: boolean): void {
    for (const order of this.#inBookOrder()) {
      const { timeInForce, expireTime = 0 } = order.command
      if (timeInForce === 'GTD' && expireTime <= time) this.#cancel(order, 'expired')
      if (endOfDay && ['DAY', 'at-open', 'at-close'].includes(timeInForce)) this.#cancel(order, 'end-of-day')
    }
  }

  #inBookOrder(): NaiveOrder[] {
    return [
      ...this.#resting('buy'),
      ...this.#resting('sell'),
      ...this.#waiting('fall'),
      ...this.#waiting('rise'),
    ]
  }

  /** Trades an order that is in no queue and does with the rest what its type asks for. */
  #act(order: NaiveOrder): void {
    const { command, filled } = order
    const isMarket = withoutLimit(command.orderType)
    const stopped = this.#trade(order, isMarket ? undefined : order.price)
    if (order.open > 0 && stopped === 'band' && this.#details.bandAction === 3) this.#interrupt()
    const isImmediate = command.timeInForce === 'IOC' || command.timeInForce === 'FOK'
    if (order.open === 0) this.#drop(order)
    else if (stopped === 'self-trade') this.#cancel(order, 'self-trade')
    else if (stopped === 'band' && (isMarket || isImmediate || this.#details.bandAction !== 3)) {
      this.#cancel(order, 'band')
    } else if (isMarket) this.#cancel(order, 'market')
    else if (command.timeInForce === 'IOC' || command.timeInForce === 'FOK') this.#cancel(order, 'ioc')
    else {
      order.status = 'resting'
      order.shown = Math.min(order.open, command.displayQuantity ?? order.open)
      order.place = this.#places++
      if (order.filled > filled) this.#noteTraded(order)
    }
  }

  /** Returns what ended it, if that was not its own quantity or limit. */
  #trade(taker: NaiveOrder, limit: number | undefined): 'self-trade' | 'band' | undefined {
    const band = tradingBand(this.#details, this.#lastPrice)
    const mode = this.#prevention(taker)
    while (taker.open > 0) {
      const crossable = this.#crossable(taker.command.side, limit)
      const [best] = crossable
      if (best === undefined) return undefined
      if (!isWithin(band, best.price)) return 'band'
      const there = this.#isProRata() ? crossable.filter(({ price }) => price === best.price) : []
      const maker = there.find((order) => areOwn(order.command, taker.command)) ?? best
      if (mode !== 'none' && areOwn(maker.command, taker.command)) {
        if (mode === 'cancel-oldest' || mode === 'cancel-both') this.#cancel(maker, 'self-trade')
        if (mode === 'cancel-newest' || mode === 'cancel-both') return 'self-trade'
        if (mode === 'decrement') {
          const lost = Math.min(maker.open, taker.open)
          this.#decrement(maker, lost)
          this.#decrement(taker, lost)
        }
        continue
      }
      if (this.#isProRata()) {
        const hasTop = this.#definition.allocation === 'pro-rata-top'
        const shares = sharesOf(
          there.map(({ shown }) => shown),
          taker.open,
          hasTop,
        )
        for (const [i, order] of there.entries()) if (shares[i]! > 0) this.#fill(taker, order, shares[i]!)
      } else this.#fill(taker, maker, Math.min(taker.open, maker.shown))
    }
    return undefined
  }

  #isProRata(): boolean {
    return (this.#definition.allocation ?? 'price-time') !== 'price-time'
  }

  #fill(taker: NaiveOrder, maker: NaiveOrder, quantity: number): void {
    for (const order of [taker, maker]) {
      order.open -= quantity
      order.filled += quantity
    }
    maker.shown -= quantity
    this.#trades += 1
    this.#lastPrice = maker.price
    this.#events.push({
      event: 'trade',
      tradeId: this.#trades,
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
    if (maker.open > 0) this.#noteTraded(maker)
    if (maker.open === 0) this.#drop(maker)
    else if (maker.shown === 0) {
      maker.shown = Math.min(maker.command.displayQuantity ?? maker.open, maker.open)
      maker.place = this.#places++
    }
  }

  #decrement(order: NaiveOrder, lost: number): void {
    const { price, filled } = order
    order.open -= lost
    order.shown = Math.min(order.shown, order.open)
    if (order.open > 0) {
      this.#events.push({
        event: 'replaced',
        ...idOf(order),
        price,
        quantity: order.open,
        filled,
        reason: 'self-trade',
      })
    } else {
      this.#events.push({
        event: 'cancelled',
        ...idOf(order),
        price,
        remaining: lost,
        filled,
        reason: 'self-trade',
      })
      if (order.list) order.list.cancelled = true
      this.#drop(order)
    }
  }

  /** Rehearses the fill: walks the queue as matching would, on copies, and looks whether it gets to the end. */
  #fillable(taker: NaiveOrder, atLeast = taker.open): boolean {
    const { command } = taker
    const mode = this.#prevention(taker)
    const isMarket = withoutLimit(command.orderType)
    const band = tradingBand(this.#details, this.#lastPrice)
    let needed = atLeast
    const queue = this.#crossable(command.side, isMarket ? undefined : taker.price).map((o) => ({
      command: o.command,
      price: o.price,
      open: o.open,
      shown: o.shown,
      display: o.command.displayQuantity ?? o.open,
    }))
    while (needed > 0) {
      const maker = queue.shift()
      if (maker === undefined || !isWithin(band, maker.price)) return false
      if (this.#isProRata() && (mode === 'cancel-newest' || mode === 'cancel-both' || mode === 'decrement')) {
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

  /** Lists first, then stops, one after the other, until nothing follows any more. */
  #runConsequences(): void {
    for (;;) {
      this.#settleLists()
      if (this.#phase === 'continuous') this.#elect()
      if (this.#due.length > 0) continue
      const order = this.#elected.shift()
      if (order === undefined) return
      const { price, open: quantity, filled } = order
      this.#events.push({ event: 'triggered', ...idOf(order), price, quantity, filled })
      this.#enter(order)
    }
  }

  /** Lets an order that is in no queue into the book: it trades, or joins a call. */
  #enter(order: NaiveOrder): void {
    if (this.#phase !== 'continuous') {
      if (this.#isCall()) this.#join(order)
      else this.#cancel(order, 'phase')
    } else {
      const { side, orderType, timeInForce, postOnly } = order.command
      const isMarket = withoutLimit(orderType)
      const crosses = this.#crossable(side, isMarket ? undefined : order.price).length > 0
      const rests = !isMarket && timeInForce !== 'IOC' && timeInForce !== 'FOK'
      if (postOnly && crosses) this.#cancel(order, 'post-only')
      else if (timeInForce === 'FOK' && !this.#fillable(order)) this.#cancel(order, 'fok')
      else if (crosses && this.#isRefusedByBand(side, isMarket ? undefined : order.price, order.open)) {
        this.#cancel(order, 'band')
      } else if (rests && !crosses && this.#levelTotal(side, order.price) + order.open > LARGEST) {
        this.#cancel(order, 'level-total')
      } else this.#act(order)
    }
  }

  #list(sent: DecodedList): void {
    const { list: command, failed } = withIds(sent, this.#highestOrderId)
    for (const { orderIdOmitted, orderId } of command.orders)
      if (orderIdOmitted) this.#highestOrderId = Math.max(this.#highestOrderId, orderId)
    const { account, listType: type, listId: id, orders } = command
    const refuse = (code: RejectCode, order?: DecodedNew) => {
      if (order) this.#rejectNew(order, code)
      else this.#events.push({ event: 'rejected', orderId: 0, code, account })
    }
    if (failed !== undefined) {
      refuse('ORDER_IDS_EXHAUSTED', orders[failed])
      return
    }
    if (this.#phase !== 'continuous' && !this.#isCall()) {
      refuse(this.#phase === 'closed' ? 'INSTRUMENT_CLOSED' : 'INSTRUMENT_HALTED')
      return
    }
    if (this.#lists.some((other) => other.id === id)) {
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
      const code = this.#legRefusal(leg, pendingOf(type).includes(place), legs.slice(0, place))
      if (code !== undefined) {
        refuse(code, leg.command)
        return
      }
    }
    this.#lists.push(list)
    for (const leg of legs) {
      const { orderId } = leg.command
      this.#events.push({ event: 'accepted', account, orderId, listId: id })
      this.#highestOrderId = Math.max(this.#highestOrderId, orderId)
      this.#orders.push(leg)
      list.orders.push(leg)
    }
    for (const place of pendingOf(type)) {
      const leg = legs[place]!
      leg.status = 'pending'
      leg.place = this.#places++
    }
    this.#enterLegs(
      list,
      legs.filter((leg) => leg.status !== 'pending'),
    )
  }

  /** Why a leg is not taken, with those before it as good as taken. */
  #legRefusal(leg: NaiveOrder, isPending: boolean, before: readonly NaiveOrder[]): RejectCode | undefined {
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
    if (this.#blocked.includes(account)) return 'ACCOUNT_BLOCKED'
    const taken = [...this.#orders, ...before]
    if (taken.some(({ command }) => command.orderId === orderId)) return 'DUPLICATE_ORDER_ID'
    const isNamesake = ({ command }: NaiveOrder) =>
      command.account === account && command.clientOrderId === clientOrderId
    if (clientOrderId !== undefined && taken.some(isNamesake)) return 'DUPLICATE_CLIENT_ORDER_ID'
    const outside = this.#outside(price, quantity, more.stopPrice ?? more.activationPrice ?? 0)
    if (outside) return outside
    const immediate = timeInForce === 'FOK' || timeInForce === 'IOC'
    const { maxAccountOrders = LARGEST } = this.#details
    const goes = (o: NaiveOrder) => {
      const { orderType: type, timeInForce: time } = o.command
      return type === 'limit'
        ? time === 'IOC' || time === 'FOK'
        : type === 'market' && this.#phase === 'continuous'
    }
    // Only the working order, which is the first, may go at once.
    const own = [
      ...this.#orders.filter((o) => o.command.account === account),
      ...before.filter((o, i) => i > 0 || !goes(o)),
    ]
    if ((isPending || !goes(leg)) && own.length >= maxAccountOrders) return 'TOO_MANY_ORDERS'
    let wall: number
    if (isPending) {
      const beyond = this.#waiting(side === 'buy' ? 'rise' : 'fall').filter(
        (o) => placeOf(o) === (side === 'buy' ? LARGEST + 1 : 0),
      )
      const pending = before.slice(1).filter((o) => o.command.side === side)
      wall = sum(beyond) + sum(pending)
    } else if (waits(orderType)) {
      const isBeside = (o: NaiveOrder) => placeOf(o) === leg.stopPrice
      wall = sum(this.#waiting(directionOf(leg)).filter(isBeside))
      wall += sum(
        before.filter(
          (o) =>
            waits(o.command.orderType) &&
            directionOf(o) === directionOf(leg) &&
            o.stopPrice === leg.stopPrice,
        ),
      )
    } else if (this.#phase !== 'continuous') {
      const isLimited = orderType === 'limit' || minQuantity !== undefined
      if (timeInForce === 'FOK' || (timeInForce === 'IOC' && isLimited)) return 'NOT_IN_THIS_PHASE'
      wall = this.#levelTotal(side, price)
    } else {
      const crosses = this.#crossable(side, withoutLimit(orderType) ? undefined : price).length > 0
      if (crosses && postOnly) return 'POST_ONLY_WOULD_TRADE'
      if (timeInForce === 'FOK' && !this.#fillable(leg)) return 'FOK_NOT_FILLABLE'
      if (minQuantity !== undefined && !this.#fillable(leg, minQuantity)) return 'MIN_QUANTITY_NOT_FILLABLE'
      const limit = withoutLimit(orderType) ? undefined : price
      if (crosses && this.#isRefusedByBand(side, limit, quantity)) return 'PRICE_OUTSIDE_BAND'
      wall = crosses || immediate || orderType === 'market' ? 0 : this.#levelTotal(side, price)
    }
    return BigInt(wall) + BigInt(quantity) > BigInt(LARGEST) ? 'LEVEL_TOTAL_TOO_LARGE' : undefined
  }

  /** Legs that are in no queue: those that wait for a price first, then the one that does not. */
  #enterLegs(list: NaiveList<NaiveOrder>, legs: readonly NaiveOrder[]): void {
    for (const leg of legs.filter((o) => waits(o.command.orderType))) {
      leg.status = 'elected'
      const there = this.#waiting(directionOf(leg)).filter((o) => placeOf(o) === leg.stopPrice)
      if (sum(there) + leg.open > LARGEST) this.#cancel(leg, 'level-total')
      else {
        leg.status = 'waiting'
        leg.place = this.#places++
      }
    }
    for (const leg of legs.filter((o) => !waits(o.command.orderType))) {
      leg.status = 'elected'
      if (list.cancelled) this.#cancel(leg, 'list')
      else this.#enter(leg)
    }
  }

  #cancelList(listId: number, account: number | undefined): void {
    const list = this.#lists.find(({ id }) => id === listId)
    const stated = account === undefined ? {} : { account }
    if (list === undefined)
      this.#events.push({ event: 'rejected', orderId: 0, code: 'UNKNOWN_LIST', ...stated })
    else if (account !== undefined && account !== list.account)
      this.#events.push({ event: 'rejected', orderId: 0, code: 'NOT_OWNER', ...stated })
    else {
      for (const order of list.orders) if (order) this.#cancel(order, 'requested')
      this.#due = this.#due.filter((other) => other !== list)
    }
  }

  /** A leg has traded and is still there. */
  #noteTraded(order: NaiveOrder): void {
    const { list } = order
    if (!list || !pairOf(list.type).includes(list.orders.indexOf(order))) return
    list.pairTraded = true
    this.#noteDue(list)
  }

  #noteDue(list: NaiveList<NaiveOrder>): void {
    if (!this.#due.includes(list)) this.#due.push(list)
  }

  #settleLists(): void {
    for (let list = this.#due.shift(); list !== undefined; list = this.#due.shift()) {
      const { cancelled, pairTraded, workingFilled, orders, type } = list
      list.workingFilled = false
      if (cancelled) this.#cancelByList(list, orders)
      else if (pairTraded) {
        // Of two that cancel each other, one that has traded a part stays.
        list.pairTraded = false
        this.#cancelByList(
          list,
          orders.filter((o) => o !== undefined && o.filled === 0),
        )
      } else if (workingFilled) {
        const legs = pendingOf(type).flatMap((place) => orders[place] ?? [])
        for (const leg of legs) {
          const { price, open: quantity, filled } = leg
          leg.status = 'elected'
          const waiting = waits(leg.command.orderType)
          this.#events.push({ event: 'entered', ...idOf(leg), price, quantity, filled, waiting })
        }
        this.#enterLegs(list, legs)
      }
    }
  }

  #cancelByList(list: NaiveList<NaiveOrder>, orders: readonly (NaiveOrder | undefined)[]): void {
    for (const order of [...orders]) if (order) this.#cancel(order, 'list')
    list.pairTraded = false
  }

  #elect(): void {
    const last = this.#lastPrice
    if (last === 0) return
    for (const side of ['buy', 'sell'] as const) {
      for (const order of this.#tracking(side)) {
        if (passes(last, order.trail!, side)) this.#trailFrom(order, last)
      }
    }
    for (const direction of ['rise', 'fall'] as const) {
      const isReached = ({ stopPrice }: NaiveOrder) =>
        direction === 'rise' ? stopPrice <= last : stopPrice >= last
      const isThere = (o: NaiveOrder) => o.status === 'waiting' && this.#orders.includes(o)
      for (const order of this.#waiting(direction).filter((o) => o.status === 'waiting' && isReached(o))) {
        // One that was reached before may have cancelled it.
        if (!isThere(order)) continue
        if (order.trail !== undefined && order.trail.reference === undefined) this.#trailFrom(order, last)
        else if (order.list?.cancelled) this.#cancel(order, 'list')
        else {
          const { list } = order
          const isPair = list && pairOf(list.type).includes(list.orders.indexOf(order))
          if (isPair)
            this.#cancelByList(
              list,
              list.orders.filter((o) => o !== order),
            )
          order.status = 'elected'
          this.#elected.push(order)
        }
      }
    }
  }

  /** Trails from a reference: the order goes to the back at the stop price that follows from it, if that is another. */
  #trailFrom(order: NaiveOrder, reference: number): void {
    const { command, trail } = order
    const stopPrice = trailedStop(trail!, reference, command.side)
    const begins = trail!.reference === undefined
    if (begins || stopPrice !== order.stopPrice) {
      const there = this.#waiting(command.side === 'buy' ? 'rise' : 'fall').filter(
        (o) => placeOf(o) === stopPrice,
      )
      if (sum(there) + order.open > LARGEST) {
        this.#cancel(order, 'level-total')
        return
      }
      order.stopPrice = stopPrice
      order.place = this.#places++
    }
    trail!.reference = reference
    if (begins) trail!.beginning = this.#places++
  }

  /** The orders of a side that track the last price, in the order in which they began. */
  #tracking(side: Side): NaiveOrder[] {
    return this.#orders
      .filter((o) => o.status === 'waiting' && o.command.side === side && o.trail?.reference !== undefined)
      .sort((a, b) => a.trail!.beginning! - b.trail!.beginning!)
  }

  #cancel(order: NaiveOrder, reason: CancelReason): void {
    this.#events.push({
      event: 'cancelled',
      ...idOf(order),
      price: order.price,
      remaining: order.open,
      filled: order.filled,
      reason,
    })
    if (order.list && reason !== 'list') order.list.cancelled = true
    this.#drop(order, reason === 'list')
  }

  #drop(order: NaiveOrder, isByList = false): void {
    this.#orders = this.#orders.filter((o) => o !== order)
    const { list } = order
    if (!list) return
    const place = list.orders.indexOf(order)
    list.orders[place] = undefined
    if (list.orders.every((other) => other === undefined)) {
      this.#lists = this.#lists.filter((other) => other !== list)
      return
    }
    if (isByList) return
    if (!list.cancelled) {
      if (pairOf(list.type).includes(place)) list.pairTraded = true
      else list.workingFilled = true
    }
    this.#noteDue(list)
  }

  #rejectNew({ orderId, account, side, price, clientOrderId }: DecodedNew, code: RejectCode): void {
    const client = clientOrderId === undefined ? {} : { clientOrderId }
    this.#events.push({ event: 'rejected', orderId, code, account, side, price, filled: 0, ...client })
  }

  #rejectInstrument(code: RejectCode): void {
    this.#events.push({ event: 'rejected', orderId: 0, code })
  }

  #rejectOrder(order: NaiveOrder, code: RejectCode): void {
    const { price, filled } = order
    this.#events.push({ event: 'rejected', ...idOf(order), code, price, filled })
  }

  /** Of an amendment: with the order's fields, if it names one and may know of it. */
  #rejectAmendment({ orderId, account, clientOrderId }: NamedOrder, code: RejectCode): void {
    const order = this.#orders.find((o) => o.command.orderId === orderId)
    if (order !== undefined && (account === undefined || account === order.command.account))
      this.#rejectOrder(order, code)
    else {
      const client = clientOrderId === undefined ? {} : { clientOrderId }
      this.#events.push({
        event: 'rejected',
        orderId,
        code,
        ...(account !== undefined && { account }),
        ...client,
      })
    }
  }

  #prevention(order: NaiveOrder): SelfTradePrevention {
    return order.command.selfTradePrevention ?? this.#definition.selfTradePrevention
  }

  /** Resting orders of a side, best price first, then by place. */
  #resting(side: Side): NaiveOrder[] {
    const better = side === 'buy' ? -1 : 1
    // A buyer without a limit, in a call, is before all others; a seller's 0 is the lowest price as it is.
    const price = (o: NaiveOrder) => (o.price === 0 && side === 'buy' ? Number.POSITIVE_INFINITY : o.price)
    return this.#orders
      .filter((o) => o.status === 'resting' && o.command.side === side)
      .sort((a, b) => (price(a) === price(b) ? a.place - b.place : better * (price(a) - price(b))))
  }

  /** Orders that wait for the last price to rise or to fall, the next to be triggered first; pending ones where no price is. */
  #waiting(direction: 'rise' | 'fall'): NaiveOrder[] {
    const sooner = direction === 'rise' ? 1 : -1
    return this.#orders
      .filter((o) => (o.status === 'waiting' || o.status === 'pending') && directionOf(o) === direction)
      .sort((a, b) => sooner * (placeOf(a) - placeOf(b)) || a.place - b.place)
  }

  /** What an order of this side could trade with, in matching order. */
  #crossable(side: Side, limit: number | undefined): NaiveOrder[] {
    if (side === 'buy') return this.#resting('sell').filter((o) => limit === undefined || o.price <= limit)
    return this.#resting('buy').filter((o) => limit === undefined || o.price >= limit)
  }

  #levelTotal(side: Side, price: number): number {
    return sum(this.#resting(side).filter((o) => o.price === price))
  }

  #describe(): InstrumentDefinition {
    const { details: _, ...fixed } = this.#definition
    return Object.keys(this.#details).length === 0 ? fixed : { ...fixed, details: this.#details }
  }

  /** The same picture as `MatchingEngine.bookState` gives. */
  state(): BookState {
    const accounts = [...new Set(this.#orders.map((o) => o.command.account))].sort((a, b) => a - b)
    return {
      definition: this.#describe(),
      phase: this.#phase,
      phaseOptions: (this.#isClosing ? 1 : 0) | (this.#takesOrders ? 2 : 0),
      lastPrice: this.#lastPrice,
      trades: this.#trades,
      highestOrderId: this.#highestOrderId,
      busted: [...this.#busted].sort((a, b) => a - b),
      bids: this.#resting('buy').map(stateOf),
      asks: this.#resting('sell').map(stateOf),
      waitingForFall: this.#waiting('fall').map(stateOf),
      waitingForRise: this.#waiting('rise').map(stateOf),
      lists: this.#lists
        .map(({ id, type, orders }) => ({
          listId: id,
          listType: type,
          orderIds: orders.map((order) => order?.command.orderId ?? 0),
        }))
        .sort((a, b) => a.listId - b.listId),
      tracking: [...this.#tracking('buy'), ...this.#tracking('sell')].map((o) => o.command.orderId),
      ...(this.#pegs().length > 0 && { pegs: this.#pegs().map(({ command }) => command.orderId) }),
      ...(this.#blocked.length > 0 && { blockedAccounts: this.#blocked.toSorted((a, b) => a - b) }),
      accounts: accounts.map((account) => ({
        account,
        orderIds: this.#orders.filter((o) => o.command.account === account).map((o) => o.command.orderId),
      })),
    }
  }
}

/** A last price that every other one is at or beyond: where a trail without an activation price waits for the first. */
function reachedByAny({ side, orderType }: DecodedNew): number {
  const isStop = orderType === 'stop' || orderType === 'stop-limit'
  return isStop === (side === 'buy') ? 1 : LARGEST
}

/** What the state of an order says of its stop price and its trail. */
function waitingState({ command, status, stopPrice, trail }: NaiveOrder) {
  if (!waits(command.orderType)) return {}
  if (trail === undefined || (status !== 'waiting' && status !== 'pending')) return { stopPrice }
  const { ticks, basisPoints, reference } = trail
  const terms = ticks === undefined ? { trailingBasisPoints: basisPoints! } : { trailingOffset: ticks }
  if (reference === undefined)
    return { ...terms, ...(stopPrice !== reachedByAny(command) && { activationPrice: stopPrice }) }
  const isBeyond = stopPrice === 0 || stopPrice > LARGEST
  return { ...terms, trailingReference: reference, ...(!isBeyond && { stopPrice }) }
}

/** Whether an order of a type waits for its stop price. */
function waits(type: OrderType): boolean {
  return type !== 'limit' && type !== 'market'
}

function withoutLimit(type: OrderType): boolean {
  return type === 'market' || type === 'stop' || type === 'take-profit'
}

/** What a waiting order waits for; those for the closing call stand after all stops of their side. */
function directionOf({ command: { side, orderType }, trail, status }: NaiveOrder): 'rise' | 'fall' {
  if (status === 'pending') return side === 'buy' ? 'rise' : 'fall'
  if (trail?.reference !== undefined) return side === 'buy' ? 'rise' : 'fall'
  if (orderType === 'take-profit' || orderType === 'take-profit-limit')
    return side === 'buy' ? 'fall' : 'rise'
  return side === 'buy' ? 'rise' : 'fall'
}

function idOf({ command: { orderId, account, side, clientOrderId } }: NaiveOrder) {
  return { orderId, account, side, ...(clientOrderId !== undefined && { clientOrderId }) }
}

/** The price at which a waiting order stands; of a pending one none that could be. */
function placeOf({ status, stopPrice, command: { side } }: NaiveOrder): number {
  if (status !== 'pending') return stopPrice
  return side === 'buy' ? LARGEST + 1 : 0
}

function newOrder(command: DecodedNew): NaiveOrder {
  const { price, quantity } = command
  const [stopPrice, trail] = [firstStopPrice(command), trailOf(command)]
  return {
    command,
    price,
    open: quantity,
    shown: quantity,
    filled: 0,
    status: 'elected',
    place: 0,
    stopPrice,
    trail,
  }
}

/** Where an order waits when it comes in; one for the closing call where no trade reaches it. */
function firstStopPrice(command: DecodedNew): number {
  if (!waits(command.orderType)) return command.side === 'buy' ? LARGEST + 1 : 0
  return command.stopPrice ?? command.activationPrice ?? reachedByAny(command)
}

function sum(orders: NaiveOrder[]): number {
  return orders.reduce((total, order) => total + order.open, 0)
}

function stateOf(order: NaiveOrder): OrderState {
  const { command } = order
  const { orderId, account, side, orderType, timeInForce, postOnly } = command
  return {
    orderId,
    account,
    side,
    orderType,
    timeInForce,
    status: order.status === 'waiting' || order.status === 'pending' ? order.status : 'resting',
    ...(order.list && { listId: order.list.id }),
    price: order.price,
    quantity: order.open,
    filled: order.filled,
    shown: order.shown,
    postOnly,
    ...(command.clientOrderId !== undefined && { clientOrderId: command.clientOrderId }),
    ...(command.displayQuantity !== undefined && { displayQuantity: command.displayQuantity }),
    ...waitingState(order),
    ...(command.expireTime !== undefined && { expireTime: command.expireTime }),
    ...(command.selfTradePrevention !== undefined && { selfTradePrevention: command.selfTradePrevention }),
    ...(command.selfTradeGroup !== undefined && { selfTradeGroup: command.selfTradeGroup }),
    ...(command.peg !== undefined && { peg: command.peg, pegOffset: command.pegOffset ?? 0 }),
    ...(command.peg !== undefined && command.price !== 0 && { limitPrice: command.price }),
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
