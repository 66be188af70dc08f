import type { DecodedCommand, DecodedEvent, DecodedNew } from '#tidemark/matching/index.js'

interface Owner {
  readonly account: number
  readonly sells: boolean
}

/** What a record of limits says of an account's orders in an instrument; of every account without one. */
export interface NaiveOrderLimits {
  readonly distance?: number
}

/** The limits of orders, and what of the events they depend on, written to be read. */
export class NaiveLimits {
  /** By instrument. */
  lastPrices: ReadonlyMap<number, number> = new Map()
  /** `instrument/account`, and `instrument/*`. */
  readonly #limits = new Map<string, NaiveOrderLimits>()
  /** `account/asset`: how far below zero it may go now, and may have gone before. */
  readonly credits = new Map<string, { readonly units: bigint; readonly most: bigint }>()
  /** `instrument/order`. */
  readonly #owners = new Map<string, Owner>()

  set(instrument: number, account: number | undefined, limits: NaiveOrderLimits): void {
    this.#limits.set(`${instrument}/${account ?? '*'}`, limits)
  }

  setCredit(account: number, asset: string, units: bigint): void {
    const most = this.credit(account, asset).most
    this.credits.set(`${account}/${asset}`, { units, most: units > most ? units : most })
  }

  credit(account: number, asset: string): { readonly units: bigint; readonly most: bigint } {
    return this.credits.get(`${account}/${asset}`) ?? { units: 0n, most: 0n }
  }

  of(instrument: number, account: number): NaiveOrderLimits {
    return this.#limits.get(`${instrument}/${account}`) ?? this.#limits.get(`${instrument}/*`) ?? {}
  }

  record(command: DecodedCommand, events: readonly DecodedEvent[]): void {
    const instrument = command.instrumentId
    for (const event of events) {
      if (event.event === 'accepted') {
        const orders = command.type === 'list' ? command.orders : [command as DecodedNew]
        const { orderId, side } = orders.find((order) => order.orderId === event.orderId) ?? orders[0]!
        const owner = { account: event.account, sells: side === 'sell' }
        this.#owners.set(`${instrument}/${orderId}`, owner)
      }
      if (event.event === 'trade') this.lastPrices = new Map(this.lastPrices).set(instrument, event.price)
    }
  }

  /** Whether a command has a limit price that is too far beyond what was traded last. */
  isFar(command: DecodedCommand, lastPrices: ReadonlyMap<number, number>): boolean {
    const last = lastPrices.get(command.instrumentId)
    if (command.type === 'list')
      return command.orders.some((order) =>
        this.#isFarOrder(command.instrumentId, order, command.account, last),
      )
    if (command.type === 'new') return this.#isFarOrder(command.instrumentId, command, command.account, last)
    if (command.type !== 'replace') return false
    const owner = this.#owners.get(`${command.instrumentId}/${command.orderId}`)
    if (owner === undefined || (command.account ?? owner.account) !== owner.account) return false
    return this.#isBeyond(command.instrumentId, owner, command.price, last)
  }

  #isFarOrder(instrument: number, order: DecodedNew, account: number, last: number | undefined): boolean {
    const owner = { account, sells: order.side === 'sell' }
    if (order.stopPrice === undefined) return this.#isBeyond(instrument, owner, order.price, last)
    const takesProfit = order.orderType.startsWith('take-profit')
    const waitsAbove = takesProfit === owner.sells
    const best = waitsAbove ? Math.max : Math.min
    return this.#isBeyond(instrument, owner, order.price, best(order.stopPrice, last ?? order.stopPrice))
  }

  #isBeyond(instrument: number, { account, sells }: Owner, price: number, from: number | undefined): boolean {
    const { distance } = this.of(instrument, account)
    if (distance === undefined || from === undefined || price === 0) return false
    const beyond = sells ? BigInt(from) - BigInt(price) : BigInt(price) - BigInt(from)
    return beyond * 10_000n > BigInt(from) * BigInt(distance)
  }
}
