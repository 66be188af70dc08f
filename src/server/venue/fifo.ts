/** Values in the order in which they came, of which the first ones go first. */
export class Fifo<T> {
  #values: T[] = []
  #from = 0

  get size(): number {
    return this.#values.length - this.#from
  }

  push(value: T): void {
    this.#values.push(value)
  }

  shift(): T | undefined {
    if (this.size === 0) return undefined
    const value = this.#values[this.#from]!
    this.#values[this.#from++] = undefined as T
    if (this.#from > 1024 && this.#from * 2 > this.#values.length) {
      this.#values = this.#values.slice(this.#from)
      this.#from = 0
    }
    return value
  }

  /** Those for which `test` holds, oldest first: the first `limit` of them, or the last. */
  pick(limit: number, first: boolean, test: (value: T) => boolean): T[] {
    const found: T[] = []
    if (first) {
      for (let i = this.#from; i < this.#values.length && found.length < limit; i++)
        if (test(this.#values[i]!)) found.push(this.#values[i]!)
      return found
    }
    for (let i = this.#values.length - 1; i >= this.#from && found.length < limit; i--)
      if (test(this.#values[i]!)) found.push(this.#values[i]!)
    return found.reverse()
  }
}
