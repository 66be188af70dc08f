import { setTimeout as sleep } from 'node:timers/promises'
import {
  mayPass,
  type ReplicatedLog,
  type ReplicationEpoch,
  type StandbyPosition,
} from '../replicated/index.js'

const lookMs = 250
/** How many looks at the window there are to one at the standbys. */
const looksPerStandbys = 4
/** The window is trimmed when it is longer than it may be by this share of it, so that one call deletes many entries. */
const trimShare = 1 / 16

export interface WindowKeeperOptions {
  readonly log: ReplicatedLog
  readonly epoch: ReplicationEpoch
  readonly windowBytes: number
  /** Where the window begins. */
  readonly windowFirstLsn: number
  /** Where the entries without a gap end. */
  readonly endLsn: () => number
  readonly onTrimmed: (firstLsn: number) => void
  readonly onStandbys: (standbys: readonly StandbyPosition[]) => void
  /** Called with what is final. */
  readonly onFailed: (error: unknown) => void
}

/**
 * Keeps the replicated log short: what is further back than `windowBytes` goes, since the engine's memory follows the entries. A standby
 * that still needs it is seeded anew.
 */
export class WindowKeeper {
  readonly #options: WindowKeeperOptions
  readonly #stopping = new AbortController()
  #firstLsn: number

  constructor(options: WindowKeeperOptions) {
    this.#options = options
    this.#firstLsn = options.windowFirstLsn
  }

  /** Works until `close`. Calls that are not answered are made again at the next look. */
  async run(): Promise<void> {
    const { signal } = this.#stopping
    const { log, onStandbys } = this.#options
    for (let looks = 0; !signal.aborted; looks++) {
      try {
        if (looks % looksPerStandbys === 0) onStandbys(await log.standbys())
        await this.#trim()
      } catch (error) {
        if (!mayPass(error) && !signal.aborted) return this.#options.onFailed(error)
      }
      await sleep(lookMs, undefined, { signal }).catch(() => {})
    }
  }

  close(): void {
    this.#stopping.abort()
  }

  async #trim(): Promise<void> {
    const { log, epoch, windowBytes, endLsn, onTrimmed } = this.#options
    const firstLsn = endLsn() - windowBytes
    if (firstLsn - this.#firstLsn < windowBytes * trimShare) return
    await log.trim(epoch, firstLsn)
    this.#firstLsn = firstLsn
    onTrimmed(firstLsn)
  }
}
