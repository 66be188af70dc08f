/** What the two sides of a trade pay, in units of what they receive, and get back, in units of what they give. */
export interface TakenFees {
  readonly buyerFee: bigint
  readonly sellerFee: bigint
  readonly buyerRebate: bigint
  readonly sellerRebate: bigint
}

/** A trade as fees are taken of it. */
export interface FeeBasis {
  /** Numbers of the assets. */
  readonly baseAsset: number
  readonly quoteAsset: number
  /** What the buyer receives, and what the seller does, in units. */
  readonly base: bigint
  readonly quote: bigint
  readonly isUncross: boolean
  readonly takerSells: boolean
}

/** What a trade costs its two orders, by the rates that they keep. */
export function feesOfTrade(trade: FeeBasis, ofBuyer: FeeRates, ofSeller: FeeRates): TakenFees {
  const { base, quote, isUncross, takerSells } = trade
  const buyerRate = isUncross ? ofBuyer.auction : takerSells ? ofBuyer.maker : ofBuyer.taker
  const sellerRate = isUncross ? ofSeller.auction : takerSells ? ofSeller.taker : ofSeller.maker
  const buyerFee = feeOf(base, buyerRate, ofBuyer.caps.get(trade.baseAsset))
  const sellerFee = feeOf(quote, sellerRate, ofSeller.caps.get(trade.quoteAsset))
  return {
    buyerFee,
    sellerFee,
    buyerRebate: rebateOf(quote, buyerRate, sellerFee),
    sellerRebate: rebateOf(base, sellerRate, buyerFee),
  }
}

/** What is taken of what an order receives, in hundred-millionths; a maker's rate below zero is a rebate. */
export interface FeeRates {
  readonly maker: number
  readonly taker: number
  readonly auction: number
  /** The most that one trade costs, by number of the asset in which it is taken. */
  readonly caps: ReadonlyMap<number, bigint>
}

/** Decimals of a rate. */
export const rateScale = 8

export const rateDenominator = 10n ** BigInt(rateScale)

/** A schedule as a snapshot has it. Those that others took the place of stay, for the orders that pay by them. */
export interface StoredSchedule {
  /** Of which orders. */
  readonly key: string
  /** Where its record ends. */
  readonly lsn: number
  readonly maker: number
  readonly taker: number
  readonly auction: number
  readonly caps: readonly (readonly [number, string])[]
}

/** The rates of orders for which nothing was ever set. */
export const noFees: FeeRates = { maker: 0, taker: 0, auction: 0, caps: new Map() }

/**
 * The fee schedules, all that there ever were. Rates have numbers, which orders keep: an order pays by the schedule that was in force when
 * it was accepted. Number 0 takes nothing.
 */
export class FeeTable {
  readonly rates: FeeRates[] = [noFees]
  /** The one in force, by `keyOf`. */
  readonly #schedules = new Map<string, number>()
  /** By number, from 1 on. */
  readonly #set: { readonly key: string; readonly lsn: number }[] = []
  /** All numbers that a key had, the one in force last. */
  readonly #past = new Map<string, number[]>()

  get isEmpty(): boolean {
    return this.#schedules.size === 0
  }

  /** `undefined` stands for every instrument, or every account. */
  set(instrument: number | undefined, account: number | undefined, rates: FeeRates, lsn: number): void {
    this.#add(keyOf(instrument, account), rates, lsn)
  }

  #add(key: string, rates: FeeRates, lsn: number): void {
    const number = this.rates.push(rates) - 1
    this.#schedules.set(key, number)
    this.#set.push({ key, lsn })
    const past = this.#past.get(key)
    if (past === undefined) this.#past.set(key, [number])
    else past.push(number)
  }

  /** By number from 1 on. */
  stored(): StoredSchedule[] {
    return this.rates.slice(1).map(({ caps, ...rates }, i) => ({
      ...rates,
      ...this.#set[i]!,
      caps: [...caps].map(([asset, cap]) => [asset, String(cap)] as const),
    }))
  }

  restore(schedules: readonly StoredSchedule[]): void {
    for (const { key, lsn, caps, ...rates } of schedules) {
      const units = new Map(caps.map(([asset, cap]) => [asset, BigInt(cap)]))
      this.#add(key, { ...rates, caps: units }, lsn)
    }
  }

  /** The number of the rates for an order: those of its account in its instrument, its account's, its instrument's, everybody's. */
  find(instrument: number, account: number): number {
    const schedules = this.#schedules
    if (schedules.size === 0) return 0
    return (
      schedules.get(keyOf(instrument, account)) ??
      schedules.get(keyOf(undefined, account)) ??
      schedules.get(keyOf(instrument, undefined)) ??
      schedules.get(keyOf(undefined, undefined)) ??
      0
    )
  }

  /** The rates of an order that was accepted at an LSN: as `find` gave them then. Of no instrument: those of the account, or everybody's. */
  at(instrument: number | undefined, account: number, lsn: number): FeeRates {
    for (const key of [
      keyOf(instrument, account),
      keyOf(undefined, account),
      keyOf(instrument, undefined),
      keyOf(undefined, undefined),
    ]) {
      const number = this.#past.get(key)?.findLast((past) => this.#set[past - 1]!.lsn < lsn)
      if (number !== undefined) return this.rates[number]!
    }
    return noFees
  }
}

function keyOf(instrument: number | undefined, account: number | undefined): string {
  return `${instrument ?? '*'}/${account ?? '*'}`
}

/** What is taken of an amount that is received: rounded up, so that who receives gets whole units and no more than is theirs. */
function feeOf(amount: bigint, rate: number, cap: bigint | undefined): bigint {
  if (rate <= 0) return 0n
  const fee = (amount * BigInt(rate) + rateDenominator - 1n) / rateDenominator
  return cap !== undefined && fee > cap ? cap : fee
}

/** What a maker gets of the amount that the other side received: at most that side's fee, out of which it is paid. */
function rebateOf(amount: bigint, rate: number, fee: bigint): bigint {
  if (rate >= 0) return 0n
  const rebate = (amount * BigInt(-rate)) / rateDenominator
  return rebate > fee ? fee : rebate
}
