/**
 * An async iterator over values that come in chunks: a value that is there already costs one resolved promise, where
 * an async generator would cost several turns of the microtask queue. Calls of `next` that come before the last one is
 * settled take their turn.
 */
export class ChunkIterator<T> implements AsyncIterableIterator<T> {
  readonly #more: () => Promise<readonly T[] | undefined>
  readonly #ended: () => boolean
  readonly #failure: () => Error | undefined
  readonly #stop: () => void
  readonly #close: () => void
  #values: readonly T[] = []
  #next = 0
  #turn: Promise<IteratorResult<T, undefined>> | undefined
  #stopped = false
  #left = false
  #closed = false

  /**
   * `more` resolves with the values of the next chunk, or `undefined` at the end; `ended` stops the iteration before the next value. `stop`
   * makes a call of `more` that waits come back; `close` frees what it reads from, never while it is under way.
   * `failure` says whether an iteration that comes to its end, other than by `return`, ends with an error; then every
   * later `next` rejects with it too, because an ordinary end would say that there was nothing more.
   */
  constructor(options: {
    more: () => Promise<readonly T[] | undefined>
    ended: () => boolean
    failure?: () => Error | undefined
    stop: () => void
    close: () => void
  }) {
    this.#more = options.more
    this.#ended = options.ended
    this.#failure = options.failure ?? (() => undefined)
    this.#stop = options.stop
    this.#close = options.close
  }

  /** The values of the last chunk, and how many of them were given. */
  get values(): readonly T[] {
    return this.#values
  }

  get given(): number {
    return this.#next
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#turn === undefined && this.#next < this.#values.length && !this.#stopped && !this.#ended()) {
      return Promise.resolve({ value: this.#values[this.#next++]!, done: false })
    }
    const before = this.#turn
    const turn = before
      ? before.then(
          () => this.#refill(),
          () => this.#refill(),
        )
      : this.#refill()
    this.#turn = turn
    const over = () => {
      if (this.#turn === turn) this.#turn = undefined
    }
    turn.then(over, over)
    return turn
  }

  async return(): Promise<IteratorResult<T, undefined>> {
    this.#left = true
    this.#stopped = true
    this.#stop()
    await this.#turn?.catch(() => {})
    return this.#finish()
  }

  async #refill(): Promise<IteratorResult<T, undefined>> {
    try {
      for (;;) {
        if (this.#stopped || this.#ended()) return this.#end()
        if (this.#next < this.#values.length) return { value: this.#values[this.#next++]!, done: false }
        const values = await this.#more()
        if (!values) return this.#end()
        this.#values = values
        this.#next = 0
      }
    } catch (error) {
      this.#finish()
      throw error
    }
  }

  #end(): IteratorResult<T, undefined> {
    const failure = this.#left ? undefined : this.#failure()
    if (failure) throw failure
    return this.#finish()
  }

  #finish(): IteratorResult<T, undefined> {
    this.#stopped = true
    if (!this.#closed) {
      this.#closed = true
      this.#close()
    }
    return { value: undefined, done: true }
  }
}
