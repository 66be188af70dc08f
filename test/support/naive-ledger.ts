import type {
  DecodedCommand,
  DecodedEvent,
  DecodedNew,
  MatchingEngine,
  OrderState,
} from '#tidemark/matching/index.js'

/** What ticks and lots of an instrument are in units of its assets. */
export interface NaiveUnits {
  readonly base: string
  readonly quote: string
  readonly lot: bigint
  readonly step: bigint
}

/** Rates in hundred-millionths; caps by asset. */
export interface NaiveRates {
  readonly maker: bigint
  readonly taker: bigint
  readonly auction: bigint
  readonly caps: ReadonlyMap<string, bigint>
}

const freeRates: NaiveRates = { maker: 0n, taker: 0n, auction: 0n, caps: new Map() }
const whole = 100_000_000n

/**
 * A ledger of maps and BigInts that is written to be read: balances from the events as they come, and holds from the books as they are,
 * all of them anew each time.
 */
export class NaiveLedger {
  /** `account/asset`. */
  readonly balances = new Map<string, bigint>()
  readonly supply = new Map<string, bigint>()
  /** The rates of an order when it was accepted. */
  readonly #ratesOf = new Map<string, NaiveRates>()
  readonly #units: ReadonlyMap<number, NaiveUnits>
  readonly #venue: number
  /** By instrument: orders that were accepted and may be live, and what they hold as of its last record. */
  readonly #orders = new Map<number, Set<number>>()
  readonly #holds = new Map<number, Map<string, bigint>>()
  /** Those of an order that is accepted now. */
  rates: (instrument: number, account: number) => NaiveRates = () => freeRates

  constructor(units: ReadonlyMap<number, NaiveUnits>, venue: number) {
    this.#units = units
    this.#venue = venue
  }

  add(account: number, asset: string, amount: bigint): void {
    const key = `${account}/${asset}`
    this.balances.set(key, (this.balances.get(key) ?? 0n) + amount)
  }

  deposit(account: number, asset: string, amount: bigint): void {
    this.add(account, asset, amount)
    this.supply.set(asset, (this.supply.get(asset) ?? 0n) + amount)
  }

  record(command: DecodedCommand, events: readonly DecodedEvent[]): void {
    const instrument = command.instrumentId
    for (const event of events) {
      if (event.event === 'accepted') {
        const orderId = event.orderId ?? (command as { orderId: number }).orderId
        this.#ratesOf.set(`${instrument}/${orderId}`, this.rates(instrument, event.account))
        if (!this.#orders.has(instrument)) this.#orders.set(instrument, new Set())
        this.#orders.get(instrument)!.add(orderId)
      }
      if (event.event === 'trade') this.#trade(instrument, event)
    }
  }

  #trade(instrument: number, trade: Extract<DecodedEvent, { event: 'trade' }>): void {
    const { base, quote, lot, step } = this.#units.get(instrument)!
    const lots = lot * BigInt(trade.quantity)
    const paid = step * BigInt(trade.price) * BigInt(trade.quantity)
    const maker = { account: trade.makerAccount, order: trade.makerOrderId, role: 'maker' as const }
    const taker = { account: trade.takerAccount, order: trade.takerOrderId, role: 'taker' as const }
    const [buyer, seller] = trade.takerSide === 'sell' ? [maker, taker] : [taker, maker]
    const rateOf = ({ order, role }: typeof maker | typeof taker) => {
      const rates = this.#ratesOf.get(`${instrument}/${order}`)!
      return { rate: trade.uncross ? rates.auction : rates[role], caps: rates.caps }
    }
    const fee = (received: bigint, { rate, caps }: ReturnType<typeof rateOf>, asset: string) => {
      if (rate <= 0n) return 0n
      const rest = received * rate
      const up = rest / whole + (rest % whole === 0n ? 0n : 1n)
      const cap = caps.get(asset)
      return cap !== undefined && cap < up ? cap : up
    }
    const rebate = (amount: bigint, { rate }: ReturnType<typeof rateOf>, most: bigint) => {
      const back = rate < 0n ? (amount * -rate) / whole : 0n
      return back > most ? most : back
    }
    const ofBuyer = rateOf(buyer)
    const ofSeller = rateOf(seller)
    const buyerFee = fee(lots, ofBuyer, base)
    const sellerFee = fee(paid, ofSeller, quote)
    const buyerRebate = rebate(paid, ofBuyer, sellerFee)
    const sellerRebate = rebate(lots, ofSeller, buyerFee)
    this.add(buyer.account, quote, buyerRebate - paid)
    this.add(buyer.account, base, lots - buyerFee)
    this.add(seller.account, base, sellerRebate - lots)
    this.add(seller.account, quote, paid - sellerFee)
    this.add(this.#venue, base, buyerFee - sellerRebate)
    this.add(this.#venue, quote, sellerFee - buyerRebate)
  }

  /** What a new order may take of its account, and of what; `undefined` where that is not for its limit to say. */
  needOf(order: DecodedNew): { readonly asset: string; readonly need: bigint } | undefined {
    const { base, quote, lot, step } = this.#units.get(order.instrumentId)!
    const lots = BigInt(order.quantity)
    if (order.quoteQuantity !== undefined) return undefined
    if (order.side === 'sell') return { asset: base, need: lot * lots }
    return order.price === 0 ? undefined : { asset: quote, need: step * BigInt(order.price) * lots }
  }

  /** What all open orders hold, by `account/asset`, after a record of one instrument. */
  holds(engine: MatchingEngine, instrument: number): Map<string, bigint> {
    this.#holds.set(instrument, this.#holdsOf(engine, instrument))
    const all = new Map<string, bigint>()
    for (const holds of this.#holds.values())
      for (const [key, amount] of holds) all.set(key, (all.get(key) ?? 0n) + amount)
    return all
  }

  #holdsOf(engine: MatchingEngine, instrument: number): Map<string, bigint> {
    const held = new Map<string, bigint>()
    const ids = this.#orders.get(instrument)
    if (ids === undefined) return held
    const units = this.#units.get(instrument)!
    const hold = (account: number, asset: string, amount: bigint) => {
      const key = `${account}/${asset}`
      held.set(key, (held.get(key) ?? 0n) + amount)
    }
    const needOf = (order: OrderState) =>
      order.side === 'sell'
        ? units.lot * BigInt(order.quantity)
        : units.step * BigInt(limitOf(order)) * BigInt(order.quantity)
    const lists = new Map<number, OrderState[]>()
    for (const id of ids) {
      const order = engine.order(instrument, id)
      if (order === undefined) ids.delete(id)
      else if (order.listId !== undefined)
        lists.set(order.listId, [...(lists.get(order.listId) ?? []), order])
      else hold(order.account, order.side === 'sell' ? units.base : units.quote, needOf(order))
    }
    for (const live of lists.values()) {
      const most = (side: 'buy' | 'sell', isPending: boolean) =>
        live
          .filter((order) => order.side === side && (order.status === 'pending') === isPending)
          .map(needOf)
          .reduce((largest, need) => (need > largest ? need : largest), 0n)
      const working = live.some(({ status }) => status === 'pending')
        ? live.find(({ status }) => status !== 'pending')
        : undefined
      for (const side of ['buy', 'sell'] as const) {
        // Of an order in a self-trade group, other accounts may take without a trade.
        const credited =
          working !== undefined && working.side !== side && working.selfTradeGroup === undefined
        const brings = credited ? this.#brings(instrument, working) : 0n
        const beyond = most(side, true) - brings
        const need = most(side, false) + (beyond > 0n ? beyond : 0n)
        hold(live[0]!.account, side === 'sell' ? units.base : units.quote, need)
      }
    }
    return held
  }

  /** What a working order brings at least: every lot by itself, less the highest fee. */
  #brings(instrument: number, order: OrderState): bigint {
    const { lot, step } = this.#units.get(instrument)!
    const { maker, taker, auction } = this.#ratesOf.get(`${instrument}/${order.orderId}`)!
    const highest = [maker, taker, auction, 0n].reduce((most, rate) => (rate > most ? rate : most))
    const ofLot = order.side === 'buy' ? lot : step * BigInt(limitOf(order))
    return ((ofLot * (whole - highest)) / whole) * BigInt(order.quantity)
  }
}

/** The price of a peg moves; what it may pay does not. */
function limitOf(order: OrderState): number {
  return order.peg === undefined ? order.price : (order.limitPrice ?? 0)
}
