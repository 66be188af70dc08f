import { broken } from '../../base/assert.js'
import { type BatchChunk, RecordAssembler } from '../../log/index.js'
import { commandKinds } from '../../matching/index.js'
import type { InstrumentRegistry } from '../instruments.js'
import { commandRecordType, moreRecords } from '../record-type.js'
import type { AcknowledgementLatency } from './acknowledgement-latency.js'
import type { WaiterContext } from './pending-commands.js'
import type { WaiterQueue } from './waiter-queue.js'

const INSTRUMENT = commandKinds.instrument

/** Takes every durable record before the promise of its command is resolved. */
export interface RecordObserver {
  /**
   * As `RecordVisitor` of the log. `payload` are the record's bytes, `timestampUs` is when its batch was published, in microseconds
   * since 1970; both are valid during the call.
   */
  observe(
    words: Int32Array,
    from: number,
    to: number,
    lsn: number,
    type: number,
    producer: number,
    record: { readonly payload: Uint8Array; readonly timestampUs: number },
  ): void
}

/**
 * Walks the durable records of the log and gives each to the queue of the shard that wrote it. It gets nothing above the
 * durable LSN, so nothing is acknowledged that is not on disk.
 */
export class Publisher {
  readonly #queues: readonly WaiterQueue[]
  readonly #registry: InstrumentRegistry
  readonly #latency: AcknowledgementLatency
  readonly #durableLsn: () => number
  readonly #walk = new RecordAssembler(this)
  #lsn: number
  #publishedLsn: number
  #settled = 0
  /** What keeps a state of its own of all that is durable. */
  observer: RecordObserver | undefined

  /** `queues` by shard. */
  constructor(
    queues: readonly WaiterQueue[],
    { registry, latency }: WaiterContext,
    durableLsn: () => number,
    fromLsn = 0,
  ) {
    this.#lsn = fromLsn
    this.#publishedLsn = fromLsn
    this.#queues = queues
    this.#registry = registry
    this.#latency = latency
    this.#durableLsn = durableLsn
  }

  /** Up to where the records were delivered. */
  get publishedLsn(): number {
    return this.#walk.unfinishedLsn ?? this.#publishedLsn
  }

  /** Delivers the records of a chunk; returns how many commands are settled with it. */
  publish(chunk: BatchChunk): number {
    this.#settled = 0
    this.#latency.beginChunk()
    this.#walk.walk(chunk)
    this.#publishedLsn = chunk.endLsn
    // A bundle that the end of a chunk cuts waits for the next one, when that is durable already.
    if (chunk.endLsn >= this.#durableLsn()) for (const queue of this.#queues) queue.release()
    return this.#settled
  }

  visit(
    words: Int32Array,
    from: number,
    to: number,
    lsn: number,
    type: number,
    flags: number,
    producer: number,
  ): void {
    if (lsn <= this.#lsn) broken('records are delivered by rising LSN', { lsn, lastLsn: this.#lsn })
    this.#lsn = lsn
    if (type !== commandRecordType) {
      this.observer?.observe(words, from, to, lsn, type, producer, this.#walk)
      return
    }
    // Those that can change an instrument have the higher kinds, and are rare, unless an order may interrupt its trading.
    if ((words[from]! & 0xff) > INSTRUMENT || this.#registry.mayInterrupt)
      this.#registry.note(words, from, to)
    this.observer?.observe(words, from, to, lsn, type, producer, this.#walk)
    const more = (flags & moreRecords) !== 0
    if (this.#queues[producer - 1]!.deliver(words, from, to, lsn, more, this.#walk)) this.#settled++
  }
}
