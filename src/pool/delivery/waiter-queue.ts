import { Queue } from '@datastructures-js/queue'
import { allAssertions } from '../../base/assert.js'
import { LogError } from '../../log/index.js'
import type { ExecutionReport } from '../types.js'
import { ExpectedRecords } from './expected-records.js'
import {
  CommandBundle,
  delivered,
  type RecordClock,
  type Waiter,
  type WaiterContext,
} from './pending-commands.js'

/** In a long turn of the event loop, the shard begins when so many commands of a bundle are there. */
const commandsPerWake = 32
const settled = Promise.resolve()

/**
 * The waiters for one shard's records. The shard executes commands in the order in which they were handed over and logs
 * them in that order, so the next record belongs to the first in the queue, and nothing in the record has to say so.
 */
export class WaiterQueue {
  readonly #context: WaiterContext
  readonly #wake: () => void
  readonly #waiters = new Queue<Waiter>()
  readonly #expected = new ExpectedRecords()
  #bundle: CommandBundle | undefined
  #isPartlyDelivered = false

  /** `wake` has the shard take what was handed over. */
  constructor(context: WaiterContext, wake: () => void) {
    this.#context = context
    this.#wake = wake
  }

  /** Commands handed over whose records were not delivered yet. */
  get commands(): number {
    return this.#waiters.toArray().reduce((sum, { left }) => sum + left, 0)
  }

  /** The promise of the command at `at` in `words`, which is handed over next. It joins those of the same turn. */
  addCommand(words: Int32Array, at: number): Promise<ExecutionReport> {
    let bundle = this.#bundle
    if (bundle === undefined || !bundle.isOpen) bundle = this.#newBundle()
    if (allAssertions) this.#expected.add(words, at, at + 1)
    return bundle.add()
  }

  /** Adds a waiter for the commands from `from` to `to` in `words`, which are handed over next. */
  add(waiter: Waiter, words: Int32Array, from: number, to: number): void {
    this.#bundle = undefined
    if (allAssertions) this.#expected.add(words, from, to)
    this.#waiters.enqueue(waiter)
  }

  /** A command was handed over; the end of the turn wakes the shard, if this does not. */
  handedOver(): void {
    if (this.#bundle!.commands % commandsPerWake === 0) this.#wake()
  }

  /**
   * Delivers a durable record, logged at what `clock` says, to the first waiter; returns whether a command is settled with it.
   */
  deliver(
    words: Int32Array,
    from: number,
    to: number,
    lsn: number,
    more: boolean,
    clock: RecordClock,
  ): boolean {
    const waiter = this.#waiters.front()
    if (!waiter) throw noCommandInFlight(lsn)
    if (allAssertions) this.#expected.check(words, from, lsn, more)
    const outcome = waiter.deliver(words, from, to, lsn, more, clock)
    const isLast = (outcome & delivered.last) !== 0
    if (isLast) this.#waiters.dequeue()
    this.#isPartlyDelivered = !isLast
    return (outcome & delivered.settles) !== 0
  }

  /** All that is durable was delivered: the part of a bundle that is there is acknowledged. */
  release(): void {
    if (!this.#isPartlyDelivered) return
    this.#isPartlyDelivered = false
    this.#waiters.front()?.release()
  }

  /** Rejects all commands whose records were not delivered. */
  fail(error: Error): void {
    while (!this.#waiters.isEmpty()) this.#waiters.dequeue()!.fail(error)
  }

  /** A bundle takes what comes in this turn of the event loop; its end wakes the shard. */
  #newBundle(): CommandBundle {
    const bundle = new CommandBundle(this.#context)
    this.#bundle = bundle
    this.#waiters.enqueue(bundle)
    settled.then(() => {
      bundle.close()
      this.#wake()
    })
    return bundle
  }
}

function noCommandInFlight(lsn: number): LogError {
  return new LogError(
    'TIDEMARK_REPLAY_DIFFERS',
    `No command is in flight for the record that ends at LSN ${lsn}.`,
    { lsn },
  )
}
