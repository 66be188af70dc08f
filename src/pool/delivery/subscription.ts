import { callUser } from '../../base/emitter.js'
import { type BatchChunk, ChunkIterator, type LogReader, RecordAssembler } from '../../log/index.js'
import { PoolError } from '../errors.js'
import type { InstrumentRegistry } from '../instruments.js'
import { commandRecordType } from '../record-type.js'
import type { PoolEvent, SubscriptionStats } from '../types.js'
import type { Cursor, CursorHolder } from './cursor.js'
import type { CursorStore } from './cursors.js'
import { appendPoolEvents } from './pool-events.js'
import { RecordEnds } from './record-ends.js'

/** The events of one chunk, and between which record ends they lie. */
interface EventBatch {
  readonly events: PoolEvent[]
  readonly afterLsn: number
  readonly endLsn: number
}

interface SubscriptionParts {
  readonly reader: LogReader
  readonly registry: InstrumentRegistry
  readonly cursors: CursorStore
  readonly cursor: string | undefined
  readonly signal: AbortSignal | undefined
  readonly onOpen: (subscription: Subscription) => void
  readonly onClose: (subscription: Subscription) => void
}

/**
 * The durable events of a pool, in LSN order and without gaps. With a cursor it also takes acknowledgements, of whole
 * records, and what is acknowledged is not delivered again when the cursor is resumed.
 */
export class Subscription implements AsyncIterableIterator<PoolEvent>, CursorHolder {
  readonly #reader: LogReader
  readonly #cursors: CursorStore
  readonly #cursor: Cursor | undefined
  readonly #stored: Promise<void> | undefined
  readonly #recordEnds: RecordEnds | undefined
  readonly #iterator: ChunkIterator<PoolEvent>
  readonly #onOpen: () => void
  #batch: EventBatch
  #opened = false
  /** The last answer of `deliveredLsn` within one record: a record may have a hundred thousand events. */
  #withinLsn = -1
  #beforeWithinLsn = 0

  /** @internal Made by `EnginePool.subscribe`. */
  constructor(parts: SubscriptionParts) {
    const { reader, registry, cursors, signal } = parts
    this.#reader = reader
    this.#cursors = cursors
    this.#onOpen = () => parts.onOpen(this)
    this.#batch = { events: [], afterLsn: reader.position, endLsn: reader.position }
    const abort = () => void this.return()
    // The signal is the caller's object: if it throws, no cursor is taken that no subscription would release.
    signal?.addEventListener('abort', abort)
    const isAborted = signal?.aborted === true
    if (parts.cursor !== undefined) {
      const { cursor, stored } = cursors.hold(parts.cursor, reader.position, this)
      // A failure is thrown where it is awaited: by the first `next` and by `flush`.
      stored.catch(() => {})
      this.#cursor = cursor
      this.#stored = stored
      this.#recordEnds = new RecordEnds()
    }
    let events: PoolEvent[] = []
    let endLsn = 0
    const ends = this.#recordEnds
    const walk = new RecordAssembler({
      visit(words, from, to, lsn, type) {
        if (type !== commandRecordType) return
        appendPoolEvents(events, { words, from, to, lsn, timeUs: walk.timestampUs }, registry)
        ends?.add(lsn)
        endLsn = lsn
      },
    })
    this.#iterator = new ChunkIterator({
      more: async () => {
        if (!this.#opened) await this.#begin()
        let chunk: BatchChunk | undefined
        try {
          chunk = await reader.nextChunk()
        } finally {
          // What became of the cursor says more than the end of the log, or a failure to read it.
          if (this.#cursor && !cursors.closed) cursors.check(this.#cursor, this)
        }
        if (!chunk) return undefined
        const afterLsn = this.#batch.endLsn
        events = []
        endLsn = afterLsn
        walk.walk(chunk)
        this.#batch = { events, afterLsn, endLsn }
        return events
      },
      ended: () => reader.stopped,
      failure: () => this.#cursor && cursors.failureOf(this.#cursor),
      stop: () => reader.stop(),
      close: () => {
        callUser(() => signal?.removeEventListener('abort', abort))
        reader.close()
        if (this.#cursor) cursors.release(this.#cursor, this)
        parts.onClose(this)
      },
    })
    if (isAborted) abort()
  }

  /** The cursor's name, if it has one. */
  get cursor(): string | undefined {
    return this.#cursor?.name
  }

  /** LSN of the last record of which every event was given. */
  get deliveredLsn(): number {
    const { events, afterLsn, endLsn } = this.#batch
    const { values, given } = this.#iterator
    if (events.length === 0) return endLsn
    if (values !== events) return afterLsn
    if (given === events.length) return endLsn
    const nextLsn = events[given]!.lsn
    if (nextLsn !== this.#withinLsn) {
      let last = given
      while (last > 0 && events[last - 1]!.lsn === nextLsn) last--
      this.#withinLsn = nextLsn
      this.#beforeWithinLsn = last === 0 ? afterLsn : events[last - 1]!.lsn
    }
    return this.#beforeWithinLsn
  }

  /** LSN of the last acknowledged record: where the cursor stands. `undefined` without a cursor. */
  get acknowledgedLsn(): number | undefined {
    return this.#cursor?.lsn
  }

  /**
   * Says that everything up to `lsn` is dealt with, whole records: by default all of which every event was given. It
   * gets to disk a little later, together with others; `flush` waits for that. An LSN at or below the last one that
   * was acknowledged changes nothing.
   *
   * @throws PoolError `TIDEMARK_BAD_ACKNOWLEDGEMENT` when no delivered record ends at `lsn`;
   *   `TIDEMARK_CURSOR_INVALIDATED`, `TIDEMARK_SUBSCRIPTION_CLOSED`, `TIDEMARK_POOL_CLOSED`; `TIDEMARK_BAD_ARGUMENT`
   *   without a cursor.
   */
  acknowledge(lsn: number = this.deliveredLsn): void {
    const cursor = this.#requireCursor()
    this.#cursors.check(cursor, this)
    const { deliveredLsn } = this
    const aligned = Number.isSafeInteger(lsn) && lsn >= 0 && lsn % 8 === 0
    if (aligned && lsn <= cursor.lsn) return
    if (!aligned || lsn > deliveredLsn || !this.#recordEnds!.has(lsn)) {
      throw new PoolError(
        'TIDEMARK_BAD_ACKNOWLEDGEMENT',
        `LSN ${lsn} is not the end of a record that was delivered whole; the last such is at ${deliveredLsn}.`,
        { lsn, deliveredLsn, acknowledgedLsn: cursor.lsn },
      )
    }
    cursor.acknowledge(lsn)
    this.#recordEnds!.dropBelow(lsn)
  }

  /**
   * Resolves when what is acknowledged now is on disk, and with it the cursor itself.
   *
   * @throws as `acknowledge`, and LogError `TIDEMARK_LOG_IO`.
   */
  async flush(): Promise<void> {
    const cursor = this.#requireCursor()
    this.#cursors.check(cursor, this)
    await this.#stored
    await cursor.flush()
  }

  /** How far the subscription has come, and what waits for it. */
  stats(): SubscriptionStats {
    const { lsn, ...stats } = this.#reader.stats()
    return { ...stats, readLsn: lsn, deliveredLsn: this.deliveredLsn }
  }

  /** The next event, for `for await`; done when the subscription ended. */
  next(): Promise<IteratorResult<PoolEvent, undefined>> {
    return this.#iterator.next()
  }

  /** Ends it, as leaving a `for await` loop does. Acknowledging is possible until another one takes the cursor. */
  return(): Promise<IteratorResult<PoolEvent, undefined>> {
    return this.#iterator.return()
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  /** Ends the subscription: a loop over it ends after the events that it has. @internal */
  end(): void {
    this.#reader.stop()
  }

  async #begin(): Promise<void> {
    this.#opened = true
    this.#onOpen()
    // A new cursor is on disk before anything is delivered: should the process die, nothing delivered is skipped later.
    await this.#stored
  }

  #requireCursor(): Cursor {
    if (this.#cursor) return this.#cursor
    throw new PoolError('TIDEMARK_BAD_ARGUMENT', 'This subscription has no cursor; subscribe with one.')
  }
}
