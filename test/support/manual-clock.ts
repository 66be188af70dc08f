import type { Clock } from '#tidemark/base/clock.js'

interface Alarm {
  readonly atMs: number
  readonly call: () => void
}

/** A clock that stands until the test moves it. */
export class ManualClock implements Clock {
  #ms: number
  #alarms: Alarm[] = []

  constructor(startMs: number = Date.now()) {
    this.#ms = startMs
  }

  nowMs(): number {
    return this.#ms
  }

  wallMs(): number {
    return this.#ms
  }

  after(delayMs: number, call: () => void): () => void {
    const alarm = { atMs: this.#ms + delayMs, call }
    this.#alarms.push(alarm)
    return () => {
      this.#alarms = this.#alarms.filter((other) => other !== alarm)
    }
  }

  /** Calls that are still to come. */
  get pending(): number {
    return this.#alarms.length
  }

  /** Moves on, and calls what falls due on the way, in its order. */
  advance(ms: number): void {
    const endMs = this.#ms + ms
    for (;;) {
      const next = this.#alarms.toSorted((a, b) => a.atMs - b.atMs)[0]
      if (!next || next.atMs > endMs) break
      this.#alarms = this.#alarms.filter((alarm) => alarm !== next)
      this.#ms = next.atMs
      next.call()
    }
    this.#ms = endMs
  }
}
