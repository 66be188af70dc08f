import { int32, int64, type LogViews } from './memory.js'
import { wakeWaiters } from './signals.js'

/**
 * The mark as an event loop sees it. One `Atomics.waitAsync` stands for all who wait in this thread: a pending one
 * costs more than a promise, cannot be cancelled, and is never freed if nobody notifies. It keeps no process alive
 * either, so a timer is held while anybody waits.
 */
export class ReleasedSignal {
  readonly #views: LogViews
  readonly #listeners = new Set<() => void>()
  readonly #keepAlive: NodeJS.Timeout
  #holders = 0
  #armed = false

  constructor(views: LogViews) {
    this.#views = views
    this.#keepAlive = setInterval(() => {}, 0x7fffffff)
    this.#keepAlive.unref()
  }

  /** The LSN up to which everything may be acknowledged. */
  get released(): number {
    return Number(Atomics.load(this.#views.control64, int64.released))
  }

  /** Keeps the process alive until as many calls of `letGo` have followed. */
  hold(): void {
    if (this.#holders++ === 0) this.#keepAlive.ref()
  }

  letGo(): void {
    if (--this.#holders === 0) this.#keepAlive.unref()
  }

  /**
   * Calls `listener` each time the mark moves or the log's state changes, until it is removed. Look at the mark after
   * adding it: what happened before may not be told.
   */
  add(listener: () => void): void {
    this.#listeners.add(listener)
    this.#arm()
  }

  remove(listener: () => void): void {
    this.#listeners.delete(listener)
  }

  /**
   * Resolves when `condition` holds, which is looked at now and whenever the mark moves or the log's state changes; or
   * when `abort` fires.
   */
  until(condition: () => boolean, abort?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.remove(listener)
        abort?.removeEventListener('abort', done)
        resolve()
      }
      const listener = () => {
        if (condition()) done()
      }
      abort?.addEventListener('abort', done)
      this.add(listener)
      if (abort?.aborted) done()
      else listener()
    })
  }

  /** Wakes the waiting threads and this one, after the state word changed. */
  notify(): void {
    const { control32 } = this.#views
    wakeWaiters(control32)
    this.#fire()
  }

  /** Lets go of the process. */
  close(): void {
    this.#listeners.clear()
    clearInterval(this.#keepAlive)
  }

  #arm(): void {
    if (this.#armed) return
    this.#armed = true
    const { control32 } = this.#views
    const signal = Atomics.load(control32, int32.releasedSignal)
    const wait = Atomics.waitAsync(control32, int32.releasedSignal, signal)
    const woken = () => {
      this.#armed = false
      // Armed before the listeners look, so that nothing that happens after their look is missed.
      if (this.#listeners.size > 0) this.#arm()
      this.#fire()
    }
    if (wait.async) wait.value.then(woken)
    else queueMicrotask(woken)
  }

  #fire(): void {
    for (const listener of [...this.#listeners]) listener()
  }
}
