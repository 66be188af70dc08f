/** Which accounts are blocked in the pool: as it was submitted, and as far as it is on disk. */
export class AccountBlocks {
  readonly #submitted = new Set<number>()
  readonly #durable = new Set<number>()

  /** How many are blocked when all is executed that was submitted. */
  get size(): number {
    return this.#submitted.size
  }

  /** Notes what the log holds. */
  restore(account: number): void {
    this.#submitted.add(account)
    this.#durable.add(account)
  }

  submitted(account: number, isBlocked: boolean): void {
    if (isBlocked) this.#submitted.add(account)
    else this.#submitted.delete(account)
  }

  settled(account: number, isBlocked: boolean): void {
    if (isBlocked) this.#durable.add(account)
    else this.#durable.delete(account)
  }

  /** Ascending. */
  durable(): number[] {
    return [...this.#durable].sort((a, b) => a - b)
  }
}
