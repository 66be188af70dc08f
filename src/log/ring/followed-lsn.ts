import { int64, type LogMemory } from './memory.js'
import { wakeWaiters } from './signals.js'

/**
 * The LSN up to which a log that is followed is on disk. It stands in the words in which the flusher has it once the log is
 * written here: until that flusher starts, the thread that follows is the only one that writes them.
 */
export class FollowedLsn {
  readonly #control32: Int32Array
  readonly #control64: BigInt64Array

  constructor(memory: LogMemory) {
    this.#control32 = new Int32Array(memory.control)
    this.#control64 = new BigInt64Array(memory.control)
  }

  get value(): number {
    return Number(Atomics.load(this.#control64, int64.released))
  }

  /** Moves it; call when everything below is synced. */
  move(lsn: number): void {
    Atomics.store(this.#control64, int64.synced, BigInt(lsn))
    Atomics.store(this.#control64, int64.released, BigInt(lsn))
    wakeWaiters(this.#control32)
  }
}
