import { type PriceLevels, SIDE_ASKS, SIDE_BIDS } from '../book/price-levels.js'
import { isMarketQueue } from '../book/queue-price.js'
import type { ShardBooks } from '../book/shard-books.js'
import type { TickTable } from '../codec/tick-table.js'
import { ExactTotal } from './exact-total.js'

/** What an uncross would give. */
export interface Indicative {
  /** Ticks; `undefined` when nothing would trade. */
  readonly price: number | undefined
  /** Lots that would trade. */
  readonly quantity: bigint
  /** Lots that would trade at the price and find no other side … */
  readonly surplus: bigint
  /** … of this side; `undefined` when there are none. */
  readonly surplusSide: 'buy' | 'sell' | undefined
}

/** Neighbouring prices at which demand is the same, and supply is. */
class Stretch {
  lowest = 0
  highest = -1
  readonly demand = new ExactTotal()
  readonly supply = new ExactTotal()

  get isEmpty(): boolean {
    return this.highest < this.lowest
  }

  clear(): void {
    this.highest = -1
    this.lowest = 0
  }
}

/**
 * Finds the one price of an uncross. Of the prices from the lowest to the highest limit in the book it is the one at which
 *
 * 1. most is executed;
 * 2. least is left over, of all that would trade at the price;
 * 3. if buyers are left over at all of these, the highest; if sellers are, the lowest;
 * 4. that is nearest to the reference, which is the price of the last trade where the instrument states none; of two the higher.
 *
 * The order of these criteria is that of the price determination in auctions of Xetra's market model. Demand falls with the price
 * and supply rises. So what is executed rises up to where they meet, and falls after that; what is left over grows to both sides. Only
 * two stretches of prices come into question: the last with more demand than supply, and the first without. Levels that have no part in
 * either are not looked at. Prices outside the static band, and off the tick table, do not count.
 */
class CallPrice {
  /** 0 when nothing trades. */
  price = 0
  readonly demand = new ExactTotal()
  readonly supply = new ExactTotal()

  readonly #below = new Stretch()
  readonly #above = new Stretch()
  #levels!: PriceLevels
  /** Of the limits at the prices at hand: the lowest bid and the highest ask that take part, and the next that do not; 0: none. */
  #bid = 0
  #nextBid = 0
  #ask = 0
  #nextAsk = 0
  /** The prices at hand. */
  #lowest = 0
  #highest = 0
  /** Those of them at which trades may be made. */
  #lowestBound = 0
  #highestBound = 0
  #bandLow = 0
  #bandHigh = 0
  #table: TickTable | undefined

  find(shard: ShardBooks, book: number): void {
    const { levels, books } = shard
    this.#levels = levels
    this.price = 0
    this.demand.clear()
    this.supply.clear()
    this.#below.clear()
    this.#above.clear()
    let bid = levels.best(book * 4 + SIDE_BIDS)
    let ask = levels.best(book * 4 + SIDE_ASKS)
    if (bid !== 0 && isMarketQueue(levels.price(bid))) {
      this.demand.add(this.#total(bid))
      bid = levels.worse(bid)
    }
    if (ask !== 0 && isMarketQueue(levels.price(ask))) {
      this.supply.add(this.#total(ask))
      ask = levels.worse(ask)
    }
    const reference = books.referencePrice(book) || books.lastPrice(book)
    this.#bandLow = books.staticLow(book)
    this.#bandHigh = books.staticHigh(book)
    this.#table = books.tickTable(book)
    if ((bid | ask) === 0) {
      if (reference === 0) return
      this.#lowest = reference
      this.#highest = reference
      this.#bind()
      this.#note()
    } else {
      this.#begin(bid, ask)
      while ((this.#hasSupply() || !this.#mayTrade()) && this.#down());
      while (!this.#note() && this.#up());
    }
    this.#choose(reference)
  }

  /** Begins at the highest bid, or without one at the lowest ask. */
  #begin(bid: number, ask: number): void {
    const levels = this.#levels
    this.#bid = bid
    this.#nextBid = 0
    this.#ask = 0
    this.#nextAsk = ask
    if (bid === 0) this.#takeAsk()
    else {
      this.demand.add(this.#total(bid))
      this.#nextBid = levels.worse(bid)
      const price = levels.price(bid)
      while (this.#nextAsk !== 0 && levels.price(this.#nextAsk) <= price) this.#takeAsk()
    }
    this.#setPrices()
  }

  #takeAsk(): void {
    this.#ask = this.#nextAsk
    this.#nextAsk = this.#levels.worse(this.#ask)
    this.supply.add(this.#total(this.#ask))
  }

  /** Sets the stretch around the levels at hand: up to the nearest change, or to the last limit in the book. */
  #setPrices(): void {
    const levels = this.#levels
    const bid = this.#bid === 0 ? 0 : levels.price(this.#bid)
    const nextBid = this.#nextBid === 0 ? 0 : levels.price(this.#nextBid)
    const ask = this.#ask === 0 ? 0 : levels.price(this.#ask)
    const nextAsk = this.#nextAsk === 0 ? 0 : levels.price(this.#nextAsk)
    if (ask === 0 && nextBid === 0) this.#lowest = bid
    else this.#lowest = nextBid === 0 ? ask : Math.max(ask, nextBid + 1)
    if (bid === 0 && nextAsk === 0) this.#highest = ask
    else this.#highest = Math.min(bid === 0 ? nextAsk - 1 : bid, nextAsk === 0 ? bid : nextAsk - 1)
    this.#bind()
  }

  /** Binds the prices at hand to the static band and to the tick table. */
  #bind(): void {
    const lowest = Math.max(this.#lowest, this.#bandLow)
    const highest = Math.min(this.#highest, this.#bandHigh)
    this.#lowestBound = this.#table === undefined ? lowest : this.#table.atOrAbove(lowest)
    this.#highestBound = this.#table === undefined ? highest : this.#table.atOrBelow(highest)
  }

  /** Goes to the stretch below; returns false when there is no lower limit in the book. */
  #down(): boolean {
    const levels = this.#levels
    const betterAsk = this.#ask === 0 ? 0 : this.#limit(levels.better(this.#ask))
    if (this.#nextBid === 0 && betterAsk === 0) return false
    const lowest = this.#lowest
    if (this.#ask !== 0 && levels.price(this.#ask) === lowest) {
      this.supply.subtract(this.#total(this.#ask))
      this.#nextAsk = this.#ask
      this.#ask = betterAsk
    }
    if (this.#nextBid !== 0 && levels.price(this.#nextBid) === lowest - 1) {
      this.#bid = this.#nextBid
      this.#nextBid = levels.worse(this.#bid)
      this.demand.add(this.#total(this.#bid))
    }
    this.#setPrices()
    return true
  }

  /** Goes to the stretch above; returns false when there is no higher limit in the book. */
  #up(): boolean {
    const levels = this.#levels
    const betterBid = this.#bid === 0 ? 0 : this.#limit(levels.better(this.#bid))
    if (this.#nextAsk === 0 && betterBid === 0) return false
    const highest = this.#highest
    if (this.#bid !== 0 && levels.price(this.#bid) === highest) {
      this.demand.subtract(this.#total(this.#bid))
      this.#nextBid = this.#bid
      this.#bid = betterBid
    }
    if (this.#nextAsk !== 0 && levels.price(this.#nextAsk) === highest + 1) this.#takeAsk()
    this.#setPrices()
    return true
  }

  #hasSupply(): boolean {
    return this.supply.compare(this.demand) >= 0
  }

  /** Whether trades may be made at one of the prices at hand. */
  #mayTrade(): boolean {
    return this.#lowestBound <= this.#highestBound
  }

  /** Notes the stretch at hand if trades may be made there. Returns whether nothing above it comes into question. */
  #note(): boolean {
    const stretch = this.#hasSupply() ? this.#above : this.#below
    if (!this.#mayTrade()) return false
    stretch.lowest = this.#lowestBound
    stretch.highest = this.#highestBound
    stretch.demand.set(this.demand)
    stretch.supply.set(this.supply)
    return stretch === this.#above
  }

  #choose(reference: number): void {
    const below = this.#below
    const above = this.#above
    if (below.isEmpty && above.isEmpty) return
    // What is executed is the lesser of both: supply below, demand above.
    let order = below.isEmpty ? -1 : above.isEmpty ? 1 : below.supply.compare(above.demand)
    if (order === 0) {
      belowSurplus.setDifference(below.demand, below.supply)
      aboveSurplus.setDifference(above.supply, above.demand)
      order = aboveSurplus.compare(belowSurplus)
    }
    const chosen = order > 0 ? below : above
    const executed = order > 0 ? below.supply : above.demand
    if (executed.isZero) return
    const isBalanced = above.supply.compare(above.demand) === 0
    if (order > 0) this.price = below.highest
    else if (order === 0) this.price = this.#nearest(reference, below.lowest, above.highest)
    else this.price = isBalanced ? this.#nearest(reference, above.lowest, above.highest) : above.lowest
    const actual = order === 0 && this.price <= below.highest ? below : chosen
    this.demand.set(actual.demand)
    this.supply.set(actual.supply)
  }

  /** The price between two that is nearest to a reference, of two the higher; without a reference, to the middle. */
  #nearest(reference: number, lowest: number, highest: number): number {
    const wanted = reference === 0 ? lowest + Math.floor((highest - lowest) / 2) : reference
    const bound = Math.min(Math.max(wanted, lowest), highest)
    if (this.#table === undefined) return bound
    const below = this.#table.atOrBelow(bound)
    const above = this.#table.atOrAbove(bound)
    return bound - below < above - bound ? below : above
  }

  #total(level: number): number {
    return this.#levels.shown(level) + this.#levels.hidden(level)
  }

  /** The level, unless it is that of market orders. */
  #limit(level: number): number {
    return level === 0 || isMarketQueue(this.#levels.price(level)) ? 0 : level
  }
}

// Used again for every uncross: nothing of it outlives a call.
const found = new CallPrice()
const belowSurplus = new ExactTotal()
const aboveSurplus = new ExactTotal()
const surplus = new ExactTotal()

/** The price in ticks of an uncross of a book as it is now; 0 when nothing would trade. */
export function callPriceOf(shard: ShardBooks, book: number): number {
  found.find(shard, book)
  return found.price
}

export function indicativeOf(shard: ShardBooks, book: number): Indicative {
  found.find(shard, book)
  if (found.price === 0) return { price: undefined, quantity: 0n, surplus: 0n, surplusSide: undefined }
  const { price, demand, supply } = found
  const pressure = demand.compare(supply)
  if (pressure > 0) surplus.setDifference(demand, supply)
  else surplus.setDifference(supply, demand)
  return {
    price,
    quantity: (pressure > 0 ? supply : demand).toBigInt(),
    surplus: surplus.toBigInt(),
    surplusSide: pressure === 0 ? undefined : pressure > 0 ? 'buy' : 'sell',
  }
}
