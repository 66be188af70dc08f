import type { DurableLog } from '../../log/index.js'
import { checkOptions, checkSignal, optionNames } from '../../log/index.js'
import type { InstrumentRegistry } from '../instruments.js'
import type { SubscribeOptions, SubscriptionsStats } from '../types.js'
import type { CursorStore } from './cursors.js'
import { Subscription } from './subscription.js'

const subscribeOptions = optionNames<SubscribeOptions>({
  from: true,
  cursor: true,
  bufferBytes: true,
  to: true,
  signal: true,
})

/** The subscriptions of a pool. */
export class Subscriptions {
  readonly #log: DurableLog
  readonly #registry: InstrumentRegistry
  readonly #cursors: CursorStore
  readonly #open = new Set<Subscription>()

  constructor(log: DurableLog, registry: InstrumentRegistry, cursors: CursorStore) {
    this.#log = log
    this.#registry = registry
    this.#cursors = cursors
  }

  /** @throws as `EnginePool.subscribe`. */
  open(options: SubscribeOptions): Subscription {
    checkOptions('subscribe', options, subscribeOptions)
    const { cursor, to, signal, bufferBytes } = options
    checkSignal(signal)
    const from = cursor === undefined ? options.from : this.#cursors.startOf(cursor, options.from)
    const reader = this.#log.reader({
      ...(from !== undefined && { from }),
      ...(to !== undefined && { to }),
      ...(bufferBytes !== undefined && { bufferBytes }),
    })
    return new Subscription({
      reader,
      registry: this.#registry,
      cursors: this.#cursors,
      cursor,
      signal,
      onOpen: (subscription) => this.#open.add(subscription),
      onClose: (subscription) => this.#open.delete(subscription),
    })
  }

  stats(): SubscriptionsStats {
    let live = 0
    let bufferedBytes = 0
    let overflowed = 0
    for (const subscription of this.#open) {
      const stats = subscription.stats()
      if (stats.source === 'ring') live++
      bufferedBytes += stats.bufferedBytes
      overflowed += stats.overflowed
    }
    return { open: this.#open.size, live, bufferedBytes, overflowed }
  }
}
