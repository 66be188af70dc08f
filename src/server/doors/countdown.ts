import type { EnginePool } from '../../pool/index.js'
import { errors } from '../dialect/api-error.js'
import { names, type Operation } from '../operations/operation.js'

/** A day: the longest countdown, milliseconds. */
const countdownMaxMs = 86_400_000
/** Countdowns of all accounts together. */
const countdownsMax = 100_000

/**
 * Cancels what an account has open when it is not heard of any more: a countdown that runs out unless it is begun again, or a
 * session that ends. Countdowns are in memory: after a restart none runs.
 */
export class Countdowns {
  readonly #pool: EnginePool
  readonly #timers = new Map<string, NodeJS.Timeout>()
  readonly #onFailure: (error: unknown) => void

  /** `onFailure` is called when orders could not be cancelled. */
  constructor(pool: EnginePool, onFailure: (error: unknown) => void) {
    this.#pool = pool
    this.#onFailure = onFailure
  }

  get size(): number {
    return this.#timers.size
  }

  /** Begins a countdown for an account's orders of a symbol, or of all; 0 ends it. Returns false when there are too many. */
  begin(account: number, symbol: string | undefined, countdownMs: number): boolean {
    const name = `${account} ${symbol ?? ''}`
    clearTimeout(this.#timers.get(name))
    this.#timers.delete(name)
    if (countdownMs === 0) return true
    if (this.#timers.size >= countdownsMax) return false
    const timer = setTimeout(() => {
      this.#timers.delete(name)
      this.cancelAll(account, symbol)
    }, countdownMs)
    timer.unref()
    this.#timers.set(name, timer)
    return true
  }

  cancelAll(account: number, symbol?: string): void {
    this.#pool.submit({ type: 'cancel-all', account, symbol }).catch(this.#onFailure)
  }

  close(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer)
    this.#timers.clear()
  }
}

export function countdownOperation(countdowns: Countdowns): Operation {
  return {
    method: 'countdownCancelAll',
    rest: ['POST', '/countdownCancelAll'],
    security: 'trade',
    weight: 1,
    params: names('symbol', 'countdownTime'),
    run: ({ params, venue, account }) => {
      const name = params.text('symbol')
      const symbol = name === undefined ? undefined : venue.symbol(name).symbol
      params.required('countdownTime')
      const countdownTime = params.whole('countdownTime')!
      if (countdownTime > countdownMaxMs) throw errors.badValue('countdownTime')
      if (!countdowns.begin(account, symbol, countdownTime)) throw errors.busy()
      return { ...(symbol !== undefined && { symbol }), countdownTime: String(countdownTime) }
    },
  }
}
