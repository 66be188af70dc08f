import { type Clock, systemClock } from '../base/clock.js'
import { TidemarkError } from '../base/errors.js'

/** Delay until a failed checkpoint is tried again: the first, doubled after each failure in a row, and the longest. */
const retryDelayMsFirst = 1000
const retryDelayMsMax = 60_000

/** A checkpoint is overdue when this many times what it may be was logged since the last, and then at each doubling. */
const overdueFirst = 2

/** How the checkpoints since the opening went. */
export interface CheckpointCounts {
  /** How many were taken since the opening. */
  readonly taken: number
  /** How many failed since the opening. */
  readonly failed: number
  /** Failures since the last that was taken. */
  readonly failuresInARow: number
  /** What the last failure was, also when one was taken since. */
  readonly lastError: { readonly code: string; readonly message: string } | undefined
  /** When the next one is tried after a failure, in milliseconds since 1970; `undefined` when no retry is planned. */
  readonly retryAtMs: number | undefined
}

/**
 * Counts checkpoints, and after a failure decides when the next may begin by itself: a cause such as a full disk does not
 * pass from one command to the next, and each try costs the time of a whole checkpoint.
 */
export class CheckpointRetries {
  readonly #retry: () => void
  readonly #clock: Clock
  #taken = 0
  #failed = 0
  #failuresInARow = 0
  #lastError: CheckpointCounts['lastError']
  #retryAtMs: number | undefined
  #callOff: (() => void) | undefined
  #stopped = false
  #overdueNext = overdueFirst
  #broughtForwardMs = Number.NEGATIVE_INFINITY
  #lastFailure: Error | undefined

  /** `retry` is called when a checkpoint may begin again after one that failed. */
  constructor(retry: () => void, clock: Clock = systemClock) {
    this.#retry = retry
    this.#clock = clock
  }

  /** Whether a checkpoint failed and none is to begin by itself yet. */
  get waiting(): boolean {
    return this.#callOff !== undefined
  }

  get failuresInARow(): number {
    return this.#failuresInARow
  }

  /** What the last checkpoint failed with; `undefined` when it was taken. */
  get lastFailure(): Error | undefined {
    return this.#lastFailure
  }

  /**
   * Whether to warn: checkpoints fail, and what was logged since the last is `times` as much as it may be.
   * True once at 2, once at 4, 8 …
   */
  isOverdue(times: number): boolean {
    if (!this.#lastFailure || times < this.#overdueNext) return false
    while (this.#overdueNext <= times) this.#overdueNext *= 2
    return true
  }

  get counts(): CheckpointCounts {
    return {
      taken: this.#taken,
      failed: this.#failed,
      failuresInARow: this.#failuresInARow,
      lastError: this.#lastError,
      retryAtMs: this.#retryAtMs,
    }
  }

  succeeded(): void {
    this.#taken++
    this.#failuresInARow = 0
    this.#lastFailure = undefined
    this.#overdueNext = overdueFirst
    this.#cancel()
  }

  /** Returns after how many milliseconds the next is tried; `undefined` after `stop`, or when none is to be `again`. */
  failed(error: Error, again = true): number | undefined {
    this.#failed++
    this.#lastFailure = error
    this.#failuresInARow++
    const code = error instanceof TidemarkError ? error.code : ''
    this.#lastError = { code, message: error.message }
    this.#cancel()
    if (this.#stopped || !again) return undefined
    // Bounded, so that it stays a number that is exact.
    const factor = 2 ** Math.min(30, this.#failuresInARow - 1)
    const delayMs = Math.min(retryDelayMsMax, retryDelayMsFirst * factor)
    this.#retryAtMs = this.#clock.wallMs() + delayMs
    this.#callOff = this.#clock.after(delayMs, () => {
      this.#cancel()
      this.#retry()
    })
    return delayMs
  }

  /**
   * The cause of a failure may have passed: the next try is made now. At most once in the longest delay: a checkpoint that
   * itself takes the last room from the disk, and frees it when it fails, would otherwise be tried without a pause.
   */
  retryNow(): void {
    const nowMs = this.#clock.nowMs()
    if (!this.waiting || nowMs - this.#broughtForwardMs < retryDelayMsMax) return
    this.#broughtForwardMs = nowMs
    this.#cancel()
    this.#retry()
  }

  /** From now on no checkpoint begins by itself. */
  stop(): void {
    this.#stopped = true
    this.#cancel()
  }

  #cancel(): void {
    this.#callOff?.()
    this.#callOff = undefined
    this.#retryAtMs = undefined
  }
}
