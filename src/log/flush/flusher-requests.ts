import { int32, int64, type LogViews } from '../ring/memory.js'
import type { ReleasedSignal } from '../ring/released-signal.js'
import { wakeFlusher } from '../ring/signals.js'

/**
 * What an event loop requests of the flusher. Each request is a word that only grows; the flusher stores how far it has
 * completed them, and then wakes the event loops that wait.
 */
export class FlusherRequests {
  readonly #views: LogViews
  readonly #signal: ReleasedSignal

  constructor(views: LogViews, signal: ReleasedSignal) {
    this.#views = views
    this.#signal = signal
  }

  /** Syncs up to `lsn`, which is released. Resolves with false when `isOver` holds before that. */
  async sync(lsn: number, isOver: () => boolean): Promise<boolean> {
    const { control64 } = this.#views
    // One thread requests: the opener's.
    if (Atomics.load(control64, int64.syncRequested) < BigInt(lsn)) {
      Atomics.store(control64, int64.syncRequested, BigInt(lsn))
    }
    return this.#completed(() => Number(Atomics.load(control64, int64.synced)) >= lsn, isOver)
  }

  /** Continues the log in a new segment. Resolves with false when `isOver` holds before that. */
  async rotate(isOver: () => boolean): Promise<boolean> {
    const { control32 } = this.#views
    const requested = (Atomics.add(control32, int32.rotationsRequested, 1) + 1) | 0
    // The counters wrap around.
    const isDone = () => ((Atomics.load(control32, int32.rotationsCompleted) - requested) | 0) >= 0
    return this.#completed(isDone, isOver)
  }

  async #completed(isDone: () => boolean, isOver: () => boolean): Promise<boolean> {
    wakeFlusher(this.#views.control32)
    this.#signal.hold()
    await this.#signal.until(() => isDone() || isOver())
    this.#signal.letGo()
    return isDone()
  }
}
