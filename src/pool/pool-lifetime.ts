import { endAll } from '../base/end-all.js'
import { type DurableLog, type LogPoisonedError, type LogTailer, settleOrPoison } from '../log/index.js'
import type { Archiving } from './checkpoint/archiving.js'
import type { Checkpointer } from './checkpoint/checkpointer.js'
import type { CursorStore } from './delivery/cursors.js'
import { poolClosed } from './errors.js'
import type { ShardHandle } from './shard/shard-handle.js'
import type { ShardThreads } from './shard/shard-threads.js'

/** How long a shard's own error waits for that of the thread which poisoned the log. */
const causeDelayMs = 300

interface LifetimeParts {
  readonly log: DurableLog
  readonly threads: ShardThreads
  readonly shards: readonly ShardHandle[]
  readonly cursors: CursorStore
  readonly checkpointer: Checkpointer
  readonly archiving: Archiving | undefined
  /** What brings the durable records. */
  readonly tailer: LogTailer
  /** Commands in flight. */
  readonly inFlight: () => number
  /** Called once, when the pool is poisoned and every pending promise is rejected. */
  readonly onPoisoned: (error: LogPoisonedError) => void
}

/** How a pool ends: by `close`, or because the log is poisoned. */
export class PoolLifetime {
  readonly #parts: LifetimeParts
  #closing: Promise<void> | undefined
  #poisoned: LogPoisonedError | undefined
  #onDrained: (() => void) | undefined

  constructor(parts: LifetimeParts) {
    this.#parts = parts
    parts.log.on('error', (error) => this.#fail(error))
    for (const shard of parts.shards) shard.ended.catch((error) => this.#shardEnded(error))
  }

  get isClosing(): boolean {
    return this.#closing !== undefined
  }

  /** Why nothing is taken any more; undefined while the pool is usable. */
  get refusal(): Error | undefined {
    return this.#poisoned ?? (this.#closing && poolClosed())
  }

  /** @throws PoolError `TIDEMARK_POOL_CLOSED`, LogError `TIDEMARK_LOG_POISONED`. */
  checkUsable(): void {
    const { refusal } = this
    if (refusal) throw refusal
  }

  /** Commands were settled: a close may have waited for the last of them. */
  settled(): void {
    if (this.#parts.inFlight() === 0) this.#onDrained?.()
  }

  /** @throws as `EnginePool.close`. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const { log, threads, shards, cursors, checkpointer, archiving } = this.#parts
    await endAll(
      () => this.#settleAll(),
      // It saves the next opening the replay, and lets a build with other matching rules open the folder.
      () => !this.#poisoned && checkpointer.dueAtClose && checkpointer.checkpoint().catch(() => {}),
      () => archiving?.close(),
      () => {
        for (const shard of shards) shard.inbound.stop()
        return Promise.allSettled(shards.map((shard) => shard.ended))
      },
      // Before the log is closed, which gives up the lock of the folder.
      () => cursors.close(),
      () => log.close(),
      () => {
        for (const shard of shards) {
          shard.fail(this.#poisoned ?? poolClosed())
          shard.close()
        }
        return threads.destroy()
      },
      () => checkpointer.endThread(),
    )
  }

  /** After poison: what is durable is still delivered, then every other promise is rejected with the cause. */
  async #fail(error: LogPoisonedError): Promise<void> {
    const { shards, tailer, onPoisoned } = this.#parts
    this.#poisoned = error
    this.#onDrained?.()
    for (const shard of shards) shard.inbound.stop()
    await tailer.stop().catch(() => {})
    for (const shard of shards) shard.fail(error)
    onPoisoned(error)
  }

  /**
   * A shard that found the log poisoned does not know the cause. The thread that poisoned it does, and its message may still
   * be under way, so the shard's error waits for it.
   */
  #shardEnded(error: { code?: string }): void {
    const delayMs = error.code === 'TIDEMARK_LOG_POISONED' ? causeDelayMs : 0
    setTimeout(() => this.#parts.log.poison(error), delayMs).unref()
  }

  /**
   * Waits until everything in flight is settled; where the disk has no room for it, or the replicated log takes nothing, it is
   * rejected instead.
   */
  async #settleAll(): Promise<void> {
    const { log, checkpointer } = this.#parts
    const settled = checkpointer.close().then(() => this.#drained())
    await settleOrPoison(log, settled, (closingMs) => log.isStuckSince(closingMs))
    await settled
  }

  /** Resolves when nothing is in flight any more, or when the pool is poisoned, so that nothing will settle it. */
  async #drained(): Promise<void> {
    if (this.#parts.inFlight() === 0 || this.#poisoned) return
    await new Promise<void>((resolve) => {
      this.#onDrained = resolve
    })
  }
}
