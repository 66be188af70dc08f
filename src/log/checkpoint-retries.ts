import { TidemarkError } from '../errors.js'
import { type Clock, systemClock } from './clock.js'

/** How long a checkpoint that failed is not tried again: twice as long after each failure in a row, up to the limit. */
export const retryDelayMsFirst = 1000
export const retryDelayMsMax = 60_000

/** What became of the checkpoints of an opening. */
export interface CheckpointCounts {
  readonly taken: number
  readonly failed: number
  /** Failures since the last that was taken. */
  readonly failuresInARow: number
  /** What the last failure was, also when one was taken since. */
  readonly lastError: { readonly code: string; readonly message: string } | undefined
  /** When the next one is tried after a failure, in milliseconds since 1970; `undefined` when none is waited for. */
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
    this.#cancel()
  }

  /** Returns after how many milliseconds the next is tried; `undefined` after `stop`, or when none is to be `again`. */
  failed(error: unknown, again = true): number | undefined {
    this.#failed++
    this.#failuresInARow++
    this.#lastError = {
      code:
        error instanceof TidemarkError ? error.code : ((error as { code?: string } | undefined)?.code ?? ''),
      message: error instanceof Error ? error.message : String(error),
    }
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
