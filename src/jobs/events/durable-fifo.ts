import { Queue } from '@datastructures-js/queue'
import { allAssertions, broken } from '../../base/assert.js'
import { callUser } from '../../base/emitter.js'

interface Entry {
  readonly lsn: number
  readonly run: () => void
  readonly failed: (error: unknown) => void
}

/** What `DurableFifo` needs of a log. */
export interface DurableLsnSource {
  readonly durableLsn: number
  waitDurable(lsn: number): Promise<void>
}

/**
 * Calls functions when their LSNs are durable, in the order in which they came: promises of the log alone would let
 * one whose LSN is durable already overtake those that are about to be called.
 */
export class DurableFifo {
  readonly #log: DurableLsnSource
  readonly #entries = new Queue<Entry>()
  #running = false
  #lastLsn = 0

  constructor(log: DurableLsnSource) {
    this.#log = log
  }

  /** `lsn` is not below that of the call before. `failed` is called instead when it will never be durable. */
  add(lsn: number, run: () => void, failed: (error: unknown) => void): void {
    if (allAssertions && lsn < this.#lastLsn)
      broken('LSNs are added in their order', { lsn, before: this.#lastLsn })
    this.#lastLsn = lsn
    this.#entries.enqueue({ lsn, run, failed })
    if (!this.#running) void this.#drain()
  }

  async #drain(): Promise<void> {
    this.#running = true
    while (!this.#entries.isEmpty()) {
      let failure: { error: unknown } | undefined
      try {
        await this.#log.waitDurable(this.#entries.front()!.lsn)
      } catch (error) {
        failure = { error }
      }
      const durableLsn = this.#log.durableLsn
      while (!this.#entries.isEmpty() && (failure || this.#entries.front()!.lsn <= durableLsn)) {
        const { run, failed } = this.#entries.dequeue()!
        callUser(failure ? () => failed(failure.error) : run)
      }
    }
    this.#running = false
  }
}
