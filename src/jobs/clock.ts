/**
 * The two clocks of a process. Delays and ages are measured by the monotonic one, because the wall clock may be set
 * back or forward at any moment; the wall clock only bridges a restart.
 */
export interface Clock {
  /** Milliseconds since 1970. */
  wallMs(): number
  /** Milliseconds since some moment of this process; it never goes back. */
  monotonicMs(): number
}

export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
}
