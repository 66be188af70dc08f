import { callUser } from '../../base/emitter.js'
import { FactorError } from '../errors.js'
import type { FactorConsumer, FactorUpdate } from './consumer.js'

/** A listener, called for what comes after an LSN. Until that LSN is known, updates are kept. */
interface Subscriber {
  readonly listener: (update: FactorUpdate) => void
  fromLsn: number | undefined
  kept: FactorUpdate[]
}

/**
 * Calls any number of listeners for what a log of factors gets, from one consumer: each tick is computed once more, not
 * once for each listener. A listener that throws stops neither itself nor the others.
 */
export class UpdateFeed {
  /** Called when the log can't be read any more although it is written on; the listeners are removed by then. */
  onFailed: (error: FactorError) => void = () => {}
  readonly #attach: () => FactorConsumer
  #consumer: FactorConsumer
  readonly #flush: () => Promise<number>
  readonly #isLogOver: () => boolean
  readonly #subscribers = new Set<Subscriber>()
  #following: Promise<void> = Promise.resolve()
  #stop = new AbortController()
  #isFollowing = false
  #closed = false

  /** `flush` resolves with the LSN at which all that was taken until the call is on disk. `isLogOver`: whether the log failed. */
  constructor(attach: () => FactorConsumer, flush: () => Promise<number>, isLogOver: () => boolean) {
    this.#attach = attach
    this.#isLogOver = isLogOver
    this.#consumer = attach()
    this.#flush = flush
  }

  /** Calls `listener` for everything that is taken from now on, when it is on disk, until the returned call. */
  add(listener: (update: FactorUpdate) => void): () => void {
    const subscriber: Subscriber = { listener, fromLsn: undefined, kept: [] }
    this.#subscribers.add(subscriber)
    const begun = this.#flush()
    if (!this.#isFollowing) this.#begin(begun)
    begun.then(
      (lsn) => {
        subscriber.fromLsn = lsn
        for (const update of subscriber.kept.splice(0)) this.#give(subscriber, update)
      },
      // The log takes nothing any more: there will be no updates.
      () => this.#remove(subscriber),
    )
    return () => this.#remove(subscriber)
  }

  /** Calls no listener any more; resolves when nothing is being read. */
  async close(): Promise<void> {
    this.#closed = true
    this.#stop.abort()
    await this.#following
  }

  /** The consumer passes over what was taken before, and continues from there. */
  #begin(begun: Promise<number>): void {
    const stop = new AbortController()
    this.#stop = stop
    this.#isFollowing = true
    const before = this.#following
    const follow = async () => {
      await before
      const fromLsn = await begun.catch(() => undefined)
      // A flush fails with the log or at its close: the error event and the calls that write report that.
      if (fromLsn === undefined) return
      try {
        await this.#follow(fromLsn, stop.signal)
      } catch (cause) {
        this.#failed(cause, stop.signal)
      }
    }
    this.#following = follow().finally(() => {
      if (this.#stop === stop) this.#isFollowing = false
    })
    if (this.#closed) stop.abort()
  }

  async #follow(fromLsn: number, signal: AbortSignal): Promise<void> {
    try {
      await this.#consumer.recover(fromLsn)
    } catch {
      // The log where this consumer stopped may be removed since the last listener left; a new one begins with a snapshot.
      this.#consumer = this.#attach()
      await this.#consumer.recover(fromLsn)
    }
    for await (const update of this.#consumer.follow({ signal })) {
      for (const subscriber of [...this.#subscribers]) this.#take(subscriber, update)
    }
  }

  /** Updates are missing from here on, so no listener gets later ones as if they were the next. */
  #failed(cause: unknown, signal: AbortSignal): void {
    if (signal.aborted || this.#isLogOver()) return
    this.#subscribers.clear()
    this.#isFollowing = false
    this.onFailed(
      new FactorError(
        'TIDEMARK_UPDATES_ENDED',
        'The log can no longer be read where the listeners of updates are, so they were removed. Read what they missed with history(), and call onUpdate again.',
        {},
        { cause },
      ),
    )
  }

  #take(subscriber: Subscriber, update: FactorUpdate): void {
    if (subscriber.fromLsn === undefined) subscriber.kept.push(update)
    else this.#give(subscriber, update)
  }

  #give(subscriber: Subscriber, update: FactorUpdate): void {
    if (!this.#subscribers.has(subscriber) || update.lsn <= subscriber.fromLsn!) return
    callUser(() => subscriber.listener(update))
  }

  #remove(subscriber: Subscriber): void {
    this.#subscribers.delete(subscriber)
    if (this.#subscribers.size > 0) return
    this.#stop.abort()
    this.#isFollowing = false
  }
}
