/** Waits that can be cut short all at once, when a server closes. */
export class Delays {
  readonly #waits = new Map<NodeJS.Timeout, () => void>()
  #isEnded = false

  get isEnded(): boolean {
    return this.#isEnded
  }

  /** Calls `run` after so many milliseconds. */
  after(ms: number, run: () => void): void {
    if (this.#isEnded) {
      run()
      return
    }
    const timer = setTimeout(() => {
      this.#waits.delete(timer)
      run()
    }, ms)
    this.#waits.set(timer, run)
  }

  wait(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve))
  }

  /** Calls now what is waited for, in the order in which it was asked for, and from now on everything at once. */
  end(): void {
    this.#isEnded = true
    while (this.#waits.size > 0) {
      const [[timer, run]] = this.#waits as unknown as [[NodeJS.Timeout, () => void]]
      clearTimeout(timer)
      this.#waits.delete(timer)
      run()
    }
  }
}

/** A line in which nothing passes what was put in before it. */
export class DelayLine {
  readonly #delays: Delays
  readonly #queue: { readonly dueMs: number; readonly run: () => void }[] = []

  constructor(delays: Delays) {
    this.#delays = delays
  }

  get isEmpty(): boolean {
    return this.#queue.length === 0
  }

  /** Calls `run` after so many milliseconds, and after everything that was put in before. */
  put(ms: number, run: () => void): void {
    const dueMs = Math.max(this.#queue.at(-1)?.dueMs ?? 0, performance.now() + ms)
    this.#queue.push({ dueMs, run })
    if (this.#queue.length === 1) this.#wait(ms)
  }

  #wait(ms: number): void {
    this.#delays.after(Math.max(0, ms), () => {
      const nowMs = performance.now()
      // The first one is due, whatever the clock says of the others; when it is over, all are.
      do this.#queue.shift()!.run()
      while (this.#queue.length > 0 && (this.#delays.isEnded || this.#queue[0]!.dueMs <= nowMs))
      if (this.#queue.length > 0) this.#wait(this.#queue[0]!.dueMs - nowMs)
    })
  }
}
