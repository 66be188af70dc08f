/** What is taken of what an order receives, in hundred-millionths; a maker's rate below zero is a rebate. */
export interface FeeRates {
  readonly maker: number
  readonly taker: number
  readonly auction: number
  /** The most that one trade costs, by number of the asset in which it is taken. */
  readonly caps: ReadonlyMap<number, bigint>
}

export const rateDenominator = 100_000_000n

/** A schedule as a snapshot has it; rates that no schedule has any more stay, for the orders that pay by them. */
export interface StoredSchedule {
  /** Of which orders; undefined for rates that are in no schedule any more. */
  readonly key?: string | undefined
  readonly maker: number
  readonly taker: number
  readonly auction: number
  readonly caps: readonly (readonly [number, string])[]
}

const noFees: FeeRates = { maker: 0, taker: 0, auction: 0, caps: new Map() }

/**
 * The fee schedules. Rates have numbers, which orders keep: an order pays by the schedule that was in force when it was accepted.
 * Number 0 takes nothing.
 */
export class FeeTable {
  readonly rates: FeeRates[] = [noFees]
  readonly #schedules = new Map<string, number>()

  get isEmpty(): boolean {
    return this.#schedules.size === 0
  }

  /** `undefined` stands for every instrument, or every account. */
  set(instrument: number | undefined, account: number | undefined, rates: FeeRates): void {
    this.#schedules.set(keyOf(instrument, account), this.rates.push(rates) - 1)
  }

  /** By number from 1 on. */
  stored(): StoredSchedule[] {
    const keys = new Map([...this.#schedules].map(([key, number]) => [number, key]))
    return this.rates.slice(1).map(({ caps, ...rates }, i) => ({
      ...rates,
      key: keys.get(i + 1),
      caps: [...caps].map(([asset, cap]) => [asset, String(cap)] as const),
    }))
  }

  restore(schedules: readonly StoredSchedule[]): void {
    for (const { key, caps, ...rates } of schedules) {
      const number =
        this.rates.push({ ...rates, caps: new Map(caps.map(([asset, cap]) => [asset, BigInt(cap)])) }) - 1
      if (key !== undefined) this.#schedules.set(key, number)
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
}

function keyOf(instrument: number | undefined, account: number | undefined): string {
  return `${instrument ?? '*'}/${account ?? '*'}`
}

/** What is taken of an amount that is received: rounded up, so that who receives gets whole units and no more than is theirs. */
export function feeOf(amount: bigint, rate: number, cap: bigint | undefined): bigint {
  if (rate <= 0) return 0n
  const fee = (amount * BigInt(rate) + rateDenominator - 1n) / rateDenominator
  return cap !== undefined && fee > cap ? cap : fee
}

/** What a maker gets of the amount that the other side received: at most that side's fee, out of which it is paid. */
export function rebateOf(amount: bigint, rate: number, fee: bigint): bigint {
  if (rate >= 0) return 0n
  const rebate = (amount * BigInt(-rate)) / rateDenominator
  return rebate > fee ? fee : rebate
}
