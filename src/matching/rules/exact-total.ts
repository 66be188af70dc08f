const BASE = 2 ** 50

/**
 * A sum of quantities of up to 2^53-1 each, exact beyond that: the orders of a side may have more together than a double holds. It
 * is `high * 2^50 + low`.
 */
export class ExactTotal {
  #high = 0
  #low = 0

  add(quantity: number): void {
    const high = Math.floor(quantity / BASE)
    this.#high += high
    this.#low += quantity - high * BASE
    if (this.#low >= BASE) {
      this.#low -= BASE
      this.#high++
    }
  }

  subtract(quantity: number): void {
    const high = Math.floor(quantity / BASE)
    this.#high -= high
    this.#low -= quantity - high * BASE
    if (this.#low < 0) {
      this.#low += BASE
      this.#high--
    }
  }

  set(other: ExactTotal): void {
    this.#high = other.#high
    this.#low = other.#low
  }

  clear(): void {
    this.#high = 0
    this.#low = 0
  }

  /** Sets it to what `larger` has more than `smaller`. */
  setDifference(larger: ExactTotal, smaller: ExactTotal): void {
    this.#high = larger.#high - smaller.#high
    this.#low = larger.#low - smaller.#low
    if (this.#low < 0) {
      this.#low += BASE
      this.#high--
    }
  }

  /** Below, at or above zero as this one is less than, equal to or more than the other. */
  compare(other: ExactTotal): number {
    return this.#high - other.#high || this.#low - other.#low
  }

  get isZero(): boolean {
    return this.#high === 0 && this.#low === 0
  }

  toBigInt(): bigint {
    return BigInt(this.#high) * BigInt(BASE) + BigInt(this.#low)
  }
}
