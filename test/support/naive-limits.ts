import type {
  DecodedCommand,
  DecodedEvent,
  DecodedNew,
  MatchingEngine,
  OrderState,
} from '#tidemark/matching/index.js'

interface Owner {
  readonly account: number
  readonly sells: boolean
}

/** What a record of limits says of an account's orders in an instrument; of every account without one. */
export interface NaiveOrderLimits {
  readonly distance?: number
  /** Lots. */
  readonly position?: bigint
}

/** What an account has of an instrument, and may buy and sell with all that it has open: lots. */
export interface NaivePosition {
  net: bigint
  buying: bigint
  selling: bigint
}

const noPosition: NaivePosition = { net: 0n, buying: 0n, selling: 0n }

/** The limits of orders, and what of the events they depend on, written to be read. */
export class NaiveLimits {
  /** By instrument. */
  lastPrices: ReadonlyMap<number, number> = new Map()
  /** `instrument/account`, and `instrument/*`. */
  readonly #limits = new Map<string, NaiveOrderLimits>()
  /** `account/asset`: how far below zero it may go now, and may have gone before. */
  readonly credits = new Map<string, { readonly units: bigint; readonly most: bigint }>()
  /** By instrument where positions are counted: by account, bought less sold. */
  nets: ReadonlyMap<number, ReadonlyMap<number, bigint>> = new Map()
  /** `instrument/order`. */
  readonly #owners = new Map<string, Owner>()
  /** By instrument: orders that may be live. */
  readonly #live = new Map<number, Set<number>>()

  set(instrument: number, account: number | undefined, limits: NaiveOrderLimits): void {
    this.#limits.set(`${instrument}/${account ?? '*'}`, limits)
    if (limits.position !== undefined && !this.nets.has(instrument))
      this.nets = new Map(this.nets).set(instrument, new Map())
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
        this.#live.set(instrument, (this.#live.get(instrument) ?? new Set()).add(orderId))
      }
      if (event.event !== 'trade') continue
      this.lastPrices = new Map(this.lastPrices).set(instrument, event.price)
      const [buyer, seller] =
        event.takerSide === 'buy'
          ? [event.takerAccount, event.makerAccount]
          : [event.makerAccount, event.takerAccount]
      this.#trade(instrument, buyer, BigInt(event.quantity))
      this.#trade(instrument, seller, -BigInt(event.quantity))
    }
  }

  #trade(instrument: number, account: number, lots: bigint): void {
    const nets = this.nets.get(instrument)
    if (nets === undefined) return
    const changed = new Map(nets).set(account, (nets.get(account) ?? 0n) + lots)
    this.nets = new Map(this.nets).set(instrument, changed)
  }

  /** All positions, `instrument/account`, with the books as they are. */
  positions(engine: MatchingEngine): Map<string, NaivePosition> {
    const found = new Map<string, NaivePosition>()
    for (const [instrument, nets] of this.nets) {
      const of = (account: number) => {
        const key = `${instrument}/${account}`
        if (!found.has(key)) found.set(key, { net: 0n, buying: 0n, selling: 0n })
        return found.get(key)!
      }
      for (const [account, net] of nets) of(account).net = net
      const lists = new Map<number, OrderState[]>()
      const ids = this.#live.get(instrument) ?? new Set()
      for (const id of ids) {
        const order = engine.order(instrument, id)
        if (order === undefined) ids.delete(id)
        else if (order.listId !== undefined)
          lists.set(order.listId, [...(lists.get(order.listId) ?? []), order])
        else of(order.account)[order.side === 'buy' ? 'buying' : 'selling'] += BigInt(order.quantity)
      }
      for (const live of lists.values())
        for (const side of ['buy', 'sell'] as const)
          for (const isPending of [false, true]) {
            const orders = live.filter(
              (order) => order.side === side && (order.status === 'pending') === isPending,
            )
            const most = Math.max(0, ...orders.map(({ quantity }) => quantity))
            of(live[0]!.account)[side === 'buy' ? 'buying' : 'selling'] += BigInt(most)
          }
    }
    return found
  }

  /** Whether a new order for a quantity, with all that is open on its side, may go beyond the limit of its account. */
  isTooMuch(order: DecodedNew, positions: ReadonlyMap<string, NaivePosition>): boolean {
    const { position } = this.of(order.instrumentId, order.account)
    if (position === undefined) return false
    const { net, buying, selling } = positions.get(`${order.instrumentId}/${order.account}`) ?? noPosition
    const most = BigInt(order.quantity) + (order.side === 'buy' ? net + buying : selling - net)
    return most > position
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
