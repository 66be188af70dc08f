import type { Cells } from './cells.js'

interface CreditLine {
  /** How far below zero the balance may go now. */
  units: bigint
  /** The largest that it ever was: the balance may still be as far below zero. */
  most: bigint
}

/** A credit line as a snapshot has it. */
export interface StoredCredit {
  readonly account: number
  readonly asset: number
  readonly units: string
  readonly most: string
}

/** How far below zero balances may go: few do, so cells have no place for it, and it is looked at only when a cell has too little. */
export class Credits {
  /** By cell. */
  readonly #lines = new Map<number, CreditLine>()
  /** By asset: the sum of the largest lines. */
  readonly #granted: bigint[] = []

  of(cell: number): bigint {
    return this.#lines.get(cell)?.units ?? 0n
  }

  /** By how much a line of so many units would be larger than the cell's ever was. */
  growth(cell: number, units: bigint): bigint {
    const most = this.#lines.get(cell)?.most ?? 0n
    return units > most ? units - most : 0n
  }

  /** What all balances of an asset together may be below zero: so much more than it was paid in may others have. */
  granted(asset: number): bigint {
    return this.#granted[asset] ?? 0n
  }

  set(cell: number, asset: number, units: bigint): void {
    const growth = this.growth(cell, units)
    this.#granted[asset] = this.granted(asset) + growth
    const most = (this.#lines.get(cell)?.most ?? 0n) + growth
    this.#lines.set(cell, { units, most })
  }

  stored({ account, asset }: Cells): StoredCredit[] {
    return [...this.#lines].map(([cell, { units, most }]) => ({
      account: account[cell]!,
      asset: asset[cell]!,
      units: String(units),
      most: String(most),
    }))
  }

  restore(lines: readonly StoredCredit[], cells: Cells): void {
    for (const { account, asset, units, most } of lines) {
      const cell = cells.of(account, asset)
      this.set(cell, asset, BigInt(most))
      this.set(cell, asset, BigInt(units))
    }
  }
}
