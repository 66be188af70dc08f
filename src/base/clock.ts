/** Time as housekeeping sees it, so that tests need not wait. Matching knows no clock. */
export interface Clock {
  /** Milliseconds that only grow, from any beginning. */
  nowMs(): number
  /** Milliseconds since 1970, as files carry them. */
  wallMs(): number
  /** Calls once after so many milliseconds, without keeping the process alive; the result calls it off. */
  after(delayMs: number, call: () => void): () => void
}

/** The longest delay that a timer takes. */
export const delayMsMax = 2 ** 31 - 1

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  after(delayMs, call) {
    const timer = setTimeout(call, delayMs)
    timer.unref()
    return () => clearTimeout(timer)
  },
}
