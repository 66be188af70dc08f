import { orderTypeCodes, timeInForceCodes } from '../../matching/index.js'
import {
  type CommandSink,
  type CommandSource,
  RefusalLog,
  type SourceInstrument,
  type SourceTarget,
} from '../inputs/command-source.js'
import { conditionalOrder, type FlowPlace, orderList } from './conditional-orders.js'
import type { FlowSettings } from './flow-settings.js'
import { LiveOrders } from './live-orders.js'
import { Random } from './random.js'

const { limit, market } = orderTypeCodes
const { GTC, IOC } = timeInForceCodes
const AT_OPEN = timeInForceCodes['at-open']
const AT_CLOSE = timeInForceCodes['at-close']

/** A day of a symbol that begins in continuous trading. */
const day = [
  { phase: 'auction' },
  { phase: 'continuous' },
  { phase: 'auction', closing: true },
  { phase: 'closed' },
  { phase: 'pre-open' },
  { phase: 'continuous' },
] as const
/** Of new orders in a flow with phases, one in so many is for the open, and one for the close. */
const forCallEvery = 16

const names = ['BTC-USD', 'ETH-USD', 'SOL-USD', 'XRP-USD', 'ADA-USD', 'DOGE-USD', 'LTC-USD', 'DOT-USD']
const tickDecimals = 2
const lotDecimals = 3
/** Where a symbol's middle begins, in ticks of 0.01. */
const firstMiddles = [6_400_000, 340_000, 15_000, 21_000, 9_000, 12_500, 8_200, 33_000]
/** A taker's limit goes this far beyond the middle at most, ticks. */
const reachTicks = 4
/** Orders picked, at most, to find one that is probably still open. */
const picksMax = 4

interface Market {
  readonly name: string
  instrumentId: number
  middle: number
  readonly lowest: number
  readonly live: LiveOrders
  /** Where in its day it is. */
  time: number
}

export function flowInstruments(symbols: number): SourceInstrument[] {
  return Array.from({ length: symbols }, (_, at) => ({
    symbol: names[at] ?? `SYM${at + 1}`,
    tickSize: decimal(1, tickDecimals),
    lotSize: decimal(1, lotDecimals),
  }))
}

/** Whole steps of a decimal place as text. */
function decimal(steps: number, decimals: number): string {
  return (steps / 10 ** decimals).toFixed(decimals)
}

/**
 * A seeded order flow: each symbol has a middle that wanders, limit orders arrive around it and mostly near it, are
 * cancelled and replaced, and takers (IOC and market) trade against what rests. The first symbols are the busiest.
 * All of it is whole numbers, written straight into the batch.
 */
export class FlowSource implements CommandSource {
  readonly format = 'generated'
  readonly instruments: readonly SourceInstrument[]
  readonly refusals = new RefusalLog()
  readonly #settings: FlowSettings
  readonly #limitsTakers: boolean
  readonly #random: Random
  readonly #markets: Market[]
  /** Sums of the mix's weights, scaled to 1: below the first an add, below the second a cancel, … */
  readonly #untilAdd: number
  readonly #untilCancel: number
  readonly #untilReplace: number
  readonly #untilIoc: number
  readonly #untilMarket: number
  readonly #untilAmount: number
  readonly #untilMinimum: number
  readonly #untilPeg: number
  readonly #untilStops: number
  readonly #untilLists: number
  #nextOrderId: number
  #index = 0

  /**
   * `firstOrderId`: ids are given from here on, so that a flow can go into a folder that has open orders. `limitsTakers`: orders that would
   * take at any price get a limit, so that it is known what they may spend.
   */
  constructor(settings: FlowSettings, firstOrderId = 1, limitsTakers = false) {
    this.#limitsTakers = limitsTakers
    this.#settings = settings
    this.#random = new Random(settings.seed)
    this.#nextOrderId = firstOrderId
    this.instruments = flowInstruments(settings.symbols)
    this.#markets = this.instruments.map(({ symbol: name }, at) => {
      const middle = firstMiddles[at] ?? 10_000 + at * 37
      return { name, instrumentId: at, middle, lowest: 2, live: new LiveOrders(), time: 0 }
    })
    const { add, cancel, replace, ioc, market: marketPart, amount, minimum, peg } = settings.mix
    const { stops, lists, phases } = settings.mix
    const taking = add + cancel + replace + ioc + marketPart
    const total = taking + amount + minimum + peg + stops + lists + phases
    this.#untilAdd = add / total
    this.#untilCancel = (add + cancel) / total
    this.#untilReplace = (add + cancel + replace) / total
    this.#untilIoc = (add + cancel + replace + ioc) / total
    // A flow without the last parts never gets there, however the sums are rounded.
    this.#untilMarket = taking === total ? 1 : taking / total
    this.#untilAmount = (taking + amount) / total
    this.#untilMinimum = (taking + amount + minimum) / total
    this.#untilPeg = (taking + amount + minimum + peg) / total
    this.#untilStops = (total - lists - phases) / total
    this.#untilLists = phases === 0 ? 1 : (total - phases) / total
  }

  get progress(): number {
    return this.#index / this.#settings.commands
  }

  begin(target: SourceTarget): void {
    this.instruments.forEach(({ symbol }, at) => {
      this.#markets[at]!.instrumentId = target.instrument(symbol)!.id
    })
  }

  fill(batch: CommandSink, goal: number): boolean {
    const { commands } = this.#settings
    while (batch.length < goal && this.#index < commands) {
      this.#addNext(batch)
      this.#index++
    }
    return this.#index < commands
  }

  close(): void {}

  #addNext(batch: CommandSink): void {
    const { drift, restingOrders } = this.#settings
    const random = this.#random
    const symbol = this.#markets[this.#pickSymbol()]!
    const move = random.fraction()
    if (move < drift) this.#moveMiddle(symbol, move < drift / 2 ? 1 : -1)

    let choice = random.fraction()
    // Past its size, a book takes cancels in place of some of the new orders, and below half of it the other way round.
    const { size } = symbol.live
    if (size > restingOrders && choice < this.#untilAdd && random.fraction() < 0.5) choice = this.#untilAdd
    else if (size < restingOrders / 2 && choice >= this.#untilAdd && choice < this.#untilReplace) choice = 0

    if (choice < this.#untilAdd) this.#addOrder(batch, symbol)
    else if (choice < this.#untilCancel) this.#addCancel(batch, symbol)
    else if (choice < this.#untilReplace) this.#addReplace(batch, symbol)
    else if (choice < this.#untilMarket) this.#addTaker(batch, symbol, choice < this.#untilIoc)
    else if (choice < this.#untilAmount) this.#addForAmount(batch, symbol)
    else if (choice < this.#untilMinimum) this.#addWithMinimum(batch, symbol)
    else if (choice < this.#untilPeg) this.#addPegged(batch, symbol)
    else if (choice < this.#untilStops) this.#addConditional(batch, symbol)
    else if (choice < this.#untilLists) this.#addList(batch, symbol)
    else this.#addPhase(batch, symbol)
  }

  /** The square of a fraction is small more often than not: the first symbols get most of the flow. */
  #pickSymbol(): number {
    const fraction = this.#random.fraction()
    return Math.floor(fraction * fraction * this.#markets.length)
  }

  #moveMiddle(symbol: Market, ticks: number): void {
    symbol.middle = Math.max(symbol.lowest, symbol.middle + ticks)
  }

  /** A price on the order's own side of the middle, near it more often than far. */
  #passivePrice(symbol: Market, sell: number): number {
    const fraction = this.#random.fraction()
    const distance = 1 + Math.floor(fraction * fraction * fraction * this.#settings.depthTicks)
    return sell ? symbol.middle + distance : Math.max(1, symbol.middle - distance)
  }

  /** Lots: many small orders, some large ones. */
  #quantity(): number {
    const fraction = this.#random.fraction()
    return 10 * (1 + Math.floor(fraction * fraction * fraction * 200))
  }

  #addOrder(batch: CommandSink, symbol: Market): void {
    const sell = this.#random.word() & 1
    const price = this.#passivePrice(symbol, sell)
    const id = this.#nextOrderId++
    const account = 1 + this.#random.below(this.#settings.accounts)
    const timeInForce = this.#timeInForce()
    const quantity = this.#quantity()
    batch.addNew(symbol.instrumentId, id, account, sell, limit, timeInForce, price, quantity, this.#index)
    if (timeInForce === GTC) symbol.live.add(id, price, sell, account)
  }

  /** Of a new order: GTC, but for some in a flow with phases. */
  #timeInForce(): number {
    if (this.#settings.mix.phases === 0) return GTC
    const choice = this.#random.below(forCallEvery)
    return choice === 0 ? AT_OPEN : choice === 1 ? AT_CLOSE : GTC
  }

  #addPhase(batch: CommandSink, symbol: Market): void {
    const next = day[symbol.time++ % day.length]!
    batch.add({ type: 'phase', symbol: symbol.name, ...next, tag: this.#index })
  }

  #addConditional(batch: CommandSink, symbol: Market): void {
    batch.add(conditionalOrder(this.#random, this.#nextOrderId++, this.#place(symbol)))
  }

  #addList(batch: CommandSink, symbol: Market): void {
    batch.add(orderList(this.#random, this.#nextOrderId, this.#place(symbol)))
    this.#nextOrderId += 3
  }

  #place({ name, middle }: Market): FlowPlace {
    const account = 1 + this.#random.below(this.#settings.accounts)
    return { symbol: name, account, middle, quantity: this.#quantity(), tag: this.#index }
  }

  #addTaker(batch: CommandSink, symbol: Market, ioc: boolean): void {
    const sell = this.#random.word() & 1
    const reach = this.#random.below(reachTicks + 1)
    const price = Math.max(1, sell ? symbol.middle - reach : symbol.middle + reach)
    const account = 1 + this.#random.below(this.#settings.accounts)
    const id = this.#nextOrderId++
    const quantity = this.#quantity()
    const limited = ioc || this.#limitsTakers
    if (limited)
      batch.addNew(symbol.instrumentId, id, account, sell, limit, IOC, price, quantity, this.#index)
    else batch.addNew(symbol.instrumentId, id, account, sell, market, IOC, 0, quantity, this.#index)
  }

  #addForAmount(batch: CommandSink, symbol: Market): void {
    const quoteQuantity = decimal(symbol.middle * this.#quantity(), tickDecimals + lotDecimals)
    batch.add({ ...this.#order(symbol), orderType: 'market', quoteQuantity })
  }

  #addWithMinimum(batch: CommandSink, symbol: Market): void {
    const order = this.#order(symbol)
    const reach = this.#random.below(reachTicks + 1)
    const ticks = Math.max(1, order.side === 'sell' ? symbol.middle - reach : symbol.middle + reach)
    const lots = this.#quantity()
    batch.add({
      ...order,
      orderType: 'limit',
      timeInForce: 'IOC',
      price: decimal(ticks, tickDecimals),
      quantity: decimal(lots, lotDecimals),
      minQuantity: decimal(lots / 2, lotDecimals),
    })
  }

  #addPegged(batch: CommandSink, symbol: Market): void {
    const peg = this.#random.word() & 1 ? 'primary' : 'mid'
    const quantity = decimal(this.#quantity(), lotDecimals)
    batch.add({ ...this.#order(symbol), orderType: 'limit', peg, quantity })
  }

  /** What orders have in common that go as objects. None of them is amended later. */
  #order({ name: symbol }: Market) {
    return {
      type: 'new',
      symbol,
      orderId: this.#nextOrderId++,
      account: 1 + this.#random.below(this.#settings.accounts),
      side: this.#random.word() & 1 ? 'sell' : 'buy',
      tag: this.#index,
    } as const
  }

  #addCancel(batch: CommandSink, symbol: Market): void {
    const at = this.#pickLive(symbol)
    if (at < 0) {
      this.#addOrder(batch, symbol)
      return
    }
    const { live } = symbol
    batch.addCancel(symbol.instrumentId, live.id(at), this.#index, live.account(at))
    live.remove(at)
  }

  #addReplace(batch: CommandSink, symbol: Market): void {
    const at = this.#pickLive(symbol)
    if (at < 0) {
      this.#addOrder(batch, symbol)
      return
    }
    const { live } = symbol
    const price = this.#passivePrice(symbol, live.sell(at))
    const quantity = this.#quantity()
    batch.addReplace(symbol.instrumentId, live.id(at), price, quantity, this.#index, live.account(at))
    live.setPrice(at, price)
  }

  /**
   * One of the open orders, -1 when there is none. An order on the far side of the middle has traded for certain, and
   * of two the one that is further from the middle is the likelier to be there still.
   */
  #pickLive(symbol: Market): number {
    const { live } = symbol
    let best = -1
    let bestDistance = 0
    for (let picks = 0; picks < picksMax && live.size > 0; picks++) {
      const at = this.#random.below(live.size)
      const away = live.sell(at) ? live.price(at) - symbol.middle : symbol.middle - live.price(at)
      if (away <= 0) {
        live.remove(at)
        if (best === live.size) best = at
        continue
      }
      if (best >= 0) return away > bestDistance ? at : best
      best = at
      bestDistance = away
    }
    return best
  }
}
