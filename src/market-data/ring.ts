/** The last so many values of a series; older ones fall out. */
export class Ring<T> {
  readonly #capacity: number
  #values: T[] = []
  #start = 0

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get size(): number {
    return this.#values.length
  }

  push(value: T): void {
    if (this.#values.length < this.#capacity) {
      this.#values.push(value)
      return
    }
    this.#values[this.#start] = value
    this.#start = (this.#start + 1) % this.#capacity
  }

  /** 0 is the oldest. */
  at(index: number): T {
    return this.#values[(this.#start + index) % this.#values.length]!
  }

  get last(): T | undefined {
    return this.size === 0 ? undefined : this.at(this.size - 1)
  }

  /** Those from `from` up to and without `to`, oldest first. */
  slice(from: number, to: number = this.size): T[] {
    const found: T[] = []
    for (let i = Math.max(0, from); i < Math.min(to, this.size); i++) found.push(this.at(i))
    return found
  }

  /** The first index whose value is not before what is sought, for a series that grows by `keyOf`. */
  indexOf(key: number, keyOf: (value: T) => number): number {
    let low = 0
    let high = this.size
    while (low < high) {
      const middle = (low + high) >>> 1
      if (keyOf(this.at(middle)) < key) low = middle + 1
      else high = middle
    }
    return low
  }
}
