import { int32, int64, type LogViews } from './memory.js'
import { wakeWaiters } from './signals.js'

/**
 * The durable LSN as an event loop sees it. One `Atomics.waitAsync` stands for all promises of this thread that wait: a
 * pending one costs more than a promise, can't be cancelled, and is never freed unless the word is notified. It keeps no
 * process alive either, so a timer is held while a promise waits.
 *
 * ```
 *  flusher                                      event loop
 *  F1  released = LSN (or synced, a request     E1  adds the listener
 *      completed, the state)                    E2  remembers releasedSignal, and waits (waitAsync) while it is that
 *  F2  releasedSignal += 1, notify              E3  the caller looks at the LSN
 *                                               E4  woken: E2 again, then every listener looks
 * ```
 *
 * What E3 does not see (F1) comes after it, so F2 comes after E2: the word differs from what E2 remembers, or its wait is
 * notified. After a wake-up the next wait begins before the listeners look (E4), so what happens during their look wakes them
 * once more. Therefore the order in `add` and its callers is fixed: add, wait, then look.
 */
export class ReleasedSignal {
  readonly #views: LogViews
  readonly #listeners = new Set<() => void>()
  readonly #word: number
  readonly #keepAlive: NodeJS.Timeout
  #holders = 0
  #armed = false

  /** `word`: the signal word that this thread waits on, where it is another one than `releasedSignal`. */
  constructor(views: LogViews, word: number = int32.releasedSignal) {
    this.#views = views
    this.#word = word
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
   * Calls `listener` each time the durable LSN moves, a request is completed or the log's state changes, until it is removed.
   * Look at the LSN after adding it: what happened before need not call it.
   */
  add(listener: () => void): void {
    this.#listeners.add(listener)
    this.#arm()
  }

  remove(listener: () => void): void {
    this.#listeners.delete(listener)
  }

  /**
   * Resolves when `condition` holds, which is checked now and at each change that `add` names; or when `abort` fires.
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

  /** Call after the state word changed: wakes the threads that wait, and calls this one's listeners at once. */
  notify(): void {
    const { control32 } = this.#views
    wakeWaiters(control32)
    this.#fire()
  }

  /** Removes every listener, and keeps the process alive no longer. */
  close(): void {
    this.#listeners.clear()
    clearInterval(this.#keepAlive)
  }

  #arm(): void {
    if (this.#armed) return
    this.#armed = true
    const { control32 } = this.#views
    const signal = Atomics.load(control32, this.#word)
    const wait = Atomics.waitAsync(control32, this.#word, signal)
    const woken = () => {
      this.#armed = false
      // Before the listeners look: see E4.
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
