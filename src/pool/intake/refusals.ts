type Reject = (error: unknown) => void

const settled = Promise.resolve()

/**
 * Rejects the promises of calls that were refused, in a microtask after the call. By then the caller has attached its
 * handlers: a promise that is rejected before that costs the runtime more than the rest of the refusal.
 */
export class Refusals {
  #waiting: (Reject | unknown)[] = []
  readonly #settle = () => {
    const waiting = this.#waiting
    this.#waiting = []
    for (let i = 0; i < waiting.length; i += 2) (waiting[i] as Reject)(waiting[i + 1])
  }

  add(reject: Reject, error: unknown): void {
    if (this.#waiting.push(reject, error) === 2) settled.then(this.#settle)
  }

  /** The promise of a call that is refused with `error`. */
  refused(error: unknown): Promise<never> {
    return new Promise((_, reject) => this.add(reject, error))
  }
}
