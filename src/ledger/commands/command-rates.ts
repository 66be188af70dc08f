import type { Clock } from '../../base/clock.js'

interface Bucket {
  tokens: number
  atMs: number
}

/** Buckets of an account that rested long enough to be full are the same as none: they are looked for after so many more accounts. */
const sweepAccounts = 10_000

/** How many commands accounts have sent: a token bucket each, which fills in a second. */
export class CommandRates {
  readonly #clock: Clock
  readonly #buckets = new Map<number, Bucket>()
  #sweepAt = sweepAccounts

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Whether an account that may send so many a second may send one now. */
  has(account: number, perSecond: number): boolean {
    const bucket = this.#buckets.get(account)
    if (bucket === undefined) return perSecond >= 1
    this.#fill(bucket, perSecond)
    return bucket.tokens >= 1
  }

  take(account: number, perSecond: number): void {
    const bucket = this.#buckets.get(account)
    if (bucket !== undefined) {
      bucket.tokens--
      return
    }
    if (this.#buckets.size >= this.#sweepAt) this.#sweep()
    this.#buckets.set(account, { tokens: perSecond - 1, atMs: this.#clock.nowMs() })
  }

  /** A command for which one was taken was not handed over after all. */
  release(account: number): void {
    const bucket = this.#buckets.get(account)
    // It was full again, and so it may be forgotten by now: a batch may be long.
    if (bucket !== undefined) bucket.tokens++
  }

  #fill(bucket: Bucket, perSecond: number): void {
    const nowMs = this.#clock.nowMs()
    bucket.tokens = Math.min(perSecond, bucket.tokens + ((nowMs - bucket.atMs) * perSecond) / 1000)
    bucket.atMs = nowMs
  }

  /** A second after it was last looked at a bucket is full, whatever its rate. */
  #sweep(): void {
    const fullMs = this.#clock.nowMs() - 1000
    for (const [account, { atMs }] of this.#buckets) if (atMs < fullMs) this.#buckets.delete(account)
    this.#sweepAt = this.#buckets.size + sweepAccounts
  }
}
