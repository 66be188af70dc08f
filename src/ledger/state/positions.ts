/** What an account has of an instrument, in lots. */
export interface Position {
  /** Bought less sold since it is counted; below zero when more was sold. */
  net: bigint
  /** What its open orders, and those on their way, may add to it … */
  buying: bigint
  /** … and take from it. */
  selling: bigint
}

/** Positions of one instrument as a snapshot has them: what is open is counted anew. */
export type StoredPositions = readonly [instrument: number, byAccount: readonly (readonly [number, string])[]]

/** The positions of all accounts, in instruments where a record limits them: from the first such record on. */
export class Positions {
  readonly #byInstrument = new Map<number, Map<number, Position>>()

  counts(instrument: number): boolean {
    return this.#byInstrument.size > 0 && this.#byInstrument.has(instrument)
  }

  begin(instrument: number): void {
    this.#byInstrument.set(instrument, new Map())
  }

  instruments(): number[] {
    return [...this.#byInstrument.keys()]
  }

  of(instrument: number, account: number): Readonly<Position> | undefined {
    return this.#byInstrument.get(instrument)?.get(account)
  }

  traded(instrument: number, account: number, lots: bigint): void {
    const position = this.#of(instrument, account)
    position.net += lots
    this.#removeEmpty(instrument, account, position)
  }

  open(instrument: number, account: number, sell: boolean, lots: bigint): void {
    const position = this.#of(instrument, account)
    if (sell) position.selling += lots
    else position.buying += lots
    this.#removeEmpty(instrument, account, position)
  }

  stored(): StoredPositions[] {
    return [...this.#byInstrument].map(([instrument, positions]) => [
      instrument,
      [...positions].map(([account, { net }]) => [account, String(net)] as const),
    ])
  }

  restore([instrument, byAccount]: StoredPositions): void {
    this.begin(instrument)
    for (const [account, net] of byAccount) this.traded(instrument, account, BigInt(net))
  }

  #of(instrument: number, account: number): Position {
    const positions = this.#byInstrument.get(instrument)!
    let position = positions.get(account)
    if (position === undefined) positions.set(account, (position = { net: 0n, buying: 0n, selling: 0n }))
    return position
  }

  #removeEmpty(instrument: number, account: number, { net, buying, selling }: Position): void {
    if (net === 0n && buying === 0n && selling === 0n) this.#byInstrument.get(instrument)!.delete(account)
  }
}

/** What the orders of a list may buy and sell together, in lots: of those that act only one trades, and of those that wait. */
export class ListOpens {
  buying = 0n
  selling = 0n
  #waitingToBuy = 0n
  #waitingToSell = 0n

  add(sell: boolean, quantity: number, waits: boolean): void {
    const lots = BigInt(quantity)
    if (waits && sell) this.#waitingToSell = larger(lots, this.#waitingToSell)
    else if (waits) this.#waitingToBuy = larger(lots, this.#waitingToBuy)
    else if (sell) this.selling = larger(lots, this.selling)
    else this.buying = larger(lots, this.buying)
  }

  /** Called once, when all are added. */
  finish(): void {
    this.buying += this.#waitingToBuy
    this.selling += this.#waitingToSell
  }
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b
}
