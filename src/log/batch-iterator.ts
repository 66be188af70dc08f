/**
 * An async iterator over values that come in batches: a value that is there already costs one resolved promise, where
 * an async generator would cost several turns of the microtask queue.
 */
export class BatchIterator<T> implements AsyncIterableIterator<T> {
  readonly #more: () => Promise<readonly T[] | undefined>
  readonly #ended: () => boolean
  readonly #close: () => void
  #batch: readonly T[] = []
  #next = 0
  #closed = false

  /** `more` gives the next batch, or `undefined` at the end; `ended` stops the iteration before the next value. */
  constructor(options: {
    more: () => Promise<readonly T[] | undefined>
    ended: () => boolean
    close: () => void
  }) {
    this.#more = options.more
    this.#ended = options.ended
    this.#close = options.close
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#next < this.#batch.length && !this.#ended()) {
      return Promise.resolve({ value: this.#batch[this.#next++]!, done: false })
    }
    return this.#refill()
  }

  async return(): Promise<IteratorResult<T, undefined>> {
    if (!this.#closed) {
      this.#closed = true
      this.#batch = []
      this.#close()
    }
    return { value: undefined, done: true }
  }

  async #refill(): Promise<IteratorResult<T, undefined>> {
    try {
      for (;;) {
        if (this.#closed || this.#ended()) return this.return()
        if (this.#next < this.#batch.length) return { value: this.#batch[this.#next++]!, done: false }
        const batch = await this.#more()
        if (!batch) return this.return()
        this.#batch = batch
        this.#next = 0
      }
    } catch (error) {
      await this.return()
      throw error
    }
  }
}
