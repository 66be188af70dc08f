type Reject = (error: unknown) => void

const settled = Promise.resolve()

/**
 * Rejects the promises of calls that were refused, in a microtask after the call. By then the caller has attached its
 * handlers: a promise that is rejected before that costs the runtime more than the rest of the refusal.
 */
export class Refusals {
  #waiting: (Reject | unknown)[] = []
  #error: unknown
  #rejected: Promise<never> | undefined
  readonly #settle = () => {
    const waiting = this.#waiting
    this.#waiting = []
    this.#error = undefined
    this.#rejected = undefined
    for (let i = 0; i < waiting.length; i += 2) (waiting[i] as Reject)(waiting[i + 1])
  }

  /** The error of the last call of `refused`, until its promise is rejected: calls that are refused by then may share it. */
  get error(): unknown {
    return this.#error
  }

  add(reject: Reject, error: unknown): void {
    if (this.#waiting.push(reject, error) === 2) settled.then(this.#settle)
  }

  /**
   * The promise of a call that is refused with `error`. Calls that share an error hang on one promise, each with one of
   * its own that needs no resolving functions.
   */
  refused(error: unknown): Promise<never> {
    if (this.#rejected === undefined || error !== this.#error) {
      this.#error = error
      this.#rejected = new Promise((_, reject) => this.add(reject, error))
    }
    return this.#rejected.then()
  }
}
