/** How long what reads may hold the event loop before everything else gets its turn. */
export const sliceMs = 2

/**
 * Shares the event loop between all who read in this thread and everything else: in each turn of the loop reading gets
 * one slice of time, and who comes when it is used up waits for a slice in a later turn, first come first served. So
 * acknowledgements, timers and sockets wait for one slice at most, however many read.
 */
export class Turns {
  readonly #now: () => number
  readonly #next: (turn: () => void) => void
  readonly #waiting: (() => void)[] = []
  #begun = false
  #sinceMs = 0

  constructor(
    now: () => number = () => performance.now(),
    next: (turn: () => void) => void = (turn) => void setImmediate(turn),
  ) {
    this.#now = now
    this.#next = next
  }

  /** Call between two pieces of work: `undefined`, or a promise that resolves when the next piece may begin. */
  pass(): Promise<void> | undefined {
    if (!this.#begun) {
      this.#begun = true
      this.#begin()
    }
    if (this.#waiting.length === 0 && this.#now() - this.#sinceMs < sliceMs) return undefined
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
    })
  }

  #begin(): void {
    this.#sinceMs = this.#now()
    this.#next(() => this.#turn())
  }

  #turn(): void {
    const next = this.#waiting.shift()
    if (!next) {
      this.#begun = false
      return
    }
    this.#begin()
    next()
  }
}

/** The readers of this thread, of whatever log. */
export const readerTurns = new Turns()
