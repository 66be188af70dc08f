import type { LimitsRecord } from '../records.js'
import type { Cells } from './cells.js'
import type { Orders } from './orders.js'

/** Credit lines are elsewhere. */
type OrderLimitsRecord = Omit<LimitsRecord, 'op' | 'key' | 'asset' | 'credit'>

/** What an account may do in all instruments together. */
interface AccountLimits {
  readonly liveOrders: number | undefined
  readonly perSecond: number | undefined
}

/** What the orders of an account in an instrument may be. */
interface OrderLimits {
  readonly lots: number | undefined
  /** In units of the quote asset. */
  readonly notional: bigint | undefined
  /** How far beyond the last price its limit may be, in parts of 10,000 of it. */
  readonly distance: number | undefined
  /** In units of the base asset. */
  readonly position: bigint | undefined
}

/** Stands for every account that has no limits of its own. */
const everyAccount = -1

/** What accounts may do at most, by the records that said so: the last one for an account, or for all of them, counts as a whole. */
export class Limits {
  readonly #accounts = new Map<number, AccountLimits>()
  /** By instrument and account. */
  readonly #orders = new Map<number, Map<number, OrderLimits>>()
  /** Live orders by account, counted once a record limits them. */
  live: LiveOrders | undefined

  get isEmpty(): boolean {
    return this.#accounts.size + this.#orders.size === 0
  }

  ofAccount(account: number): AccountLimits | undefined {
    return this.#accounts.get(account) ?? this.#accounts.get(everyAccount)
  }

  ofOrder(instrument: number, account: number): OrderLimits | undefined {
    const limits = this.#orders.get(instrument)
    return limits?.get(account) ?? limits?.get(everyAccount)
  }

  set(record: OrderLimitsRecord, orders: Orders, cells: Cells): void {
    const {
      instrument,
      account = everyAccount,
      liveOrders,
      perSecond,
      lots,
      notional,
      distance,
      position,
    } = record
    if (instrument === undefined) {
      this.#accounts.set(account, { liveOrders, perSecond })
      if (liveOrders !== undefined) this.live ??= LiveOrders.of(orders, cells)
      return
    }
    const limits = this.#orders.get(instrument) ?? new Map<number, OrderLimits>()
    this.#orders.set(instrument, limits)
    const unitsOf = (text: string | undefined) => (text === undefined ? undefined : BigInt(text))
    limits.set(account, { lots, notional: unitsOf(notional), distance, position: unitsOf(position) })
  }

  /** Records that make the limits what they are. */
  stored(): OrderLimitsRecord[] {
    const ofAccounts = [...this.#accounts].map(([account, { liveOrders, perSecond }]) => ({
      ...storedAccount(account),
      ...(liveOrders !== undefined && { liveOrders }),
      ...(perSecond !== undefined && { perSecond }),
    }))
    const ofOrders = [...this.#orders].flatMap(([instrument, limits]) =>
      [...limits].map(([account, { lots, notional, distance, position }]) => ({
        instrument,
        ...storedAccount(account),
        ...(lots !== undefined && { lots }),
        ...(notional !== undefined && { notional: String(notional) }),
        ...(distance !== undefined && { distance }),
        ...(position !== undefined && { position: String(position) }),
      })),
    )
    return [...ofAccounts, ...ofOrders]
  }
}

function storedAccount(account: number): { account?: number } {
  return account === everyAccount ? {} : { account }
}

/** How many orders each account has: live ones, and those on their way. */
export class LiveOrders {
  readonly #counts = new Map<number, number>()

  static of(orders: Orders, cells: Cells): LiveOrders {
    const live = new LiveOrders()
    for (let order = 1; order < orders.end; order++) {
      if (orders.instrument[order]! >= 0) live.add(cells.account[orders.cell[order]!]!, 1)
    }
    return live
  }

  of(account: number): number {
    return this.#counts.get(account) ?? 0
  }

  add(account: number, orders: number): void {
    const count = this.of(account) + orders
    if (count === 0) this.#counts.delete(account)
    else this.#counts.set(account, count)
  }
}
