import { EventCursor, eventKinds } from '../../matching/index.js'
import type { InstrumentRegistry } from '../instruments.js'
import type { BatchReport, ExecutionReport } from '../types.js'
import type { AcknowledgementLatency } from './acknowledgement-latency.js'
import { reportOf, reportOfSeveral } from './execution-report.js'
import { type KeptRecord, keepRecord } from './large-report.js'

/** What `deliver` says of a record: whether a command is settled with it, and whether it is this shard's last for it. */
export const delivered = { settles: 1, last: 2, settlesLast: 3 } as const

/** Says when the record at hand was logged, in microseconds since 1970. Passed as a number it would be boxed for each record. */
export interface RecordClock {
  readonly timestampUs: number
}

/** The promises of commands; it stands in the queue of every shard that executes one of them. */
export interface Waiter {
  /** Commands whose records a shard has not delivered yet. */
  readonly left: number
  /** Takes one record, which was logged at what `clock` says during the call; returns bits of `delivered`. */
  deliver(words: Int32Array, from: number, to: number, lsn: number, more: boolean, clock: RecordClock): number
  /** Called when some of its records, not all, were delivered and no other one is durable. */
  release(): void
  /** Rejects the commands whose records were not delivered. */
  fail(error: Error): void
}

/** What all who wait in a pool share. */
export interface WaiterContext {
  readonly registry: InstrumentRegistry
  readonly latency: AcknowledgementLatency
}

/** Commands whose promises hang on one: so many that its cost is shared. */
export const bundleCommandsMax = 64

interface Settling {
  readonly resolve: (report: ExecutionReport) => void
  readonly reject: (error: Error) => void
}

const noReports: readonly ExecutionReport[] = []

/**
 * The promises of commands that were submitted to one shard in the same turn of the event loop. They hang on one
 * promise by one function, which gives out the reports in turn: reactions run in the order in which they were added.
 * With a pair of resolving functions for each command, half of the caller's thread was garbage collection.
 *
 * That one promise resolves when all of the commands are durable, or as many as are durable by now: no command waits
 * for another one's record to reach the disk. Those that come later get a promise of their own each, which costs as much
 * as a whole submit; under group commit they are few.
 */
export class CommandBundle implements Waiter {
  readonly #context: WaiterContext
  readonly #submittedMs = performance.now()
  readonly #promise: Promise<void>
  /** As many as there are commands, and `#settled` of them filled until the promise is resolved. */
  #reports: readonly ExecutionReport[] | ExecutionReport[] = noReports
  readonly #next = (): ExecutionReport | Promise<ExecutionReport> =>
    this.#given < this.#ready ? this.#reports[this.#given++]! : this.#later()
  readonly #late: Settling[] = []
  #given = 0
  /** Reports that the promise gives out when it resolves. */
  #ready = 0
  #settled = 0
  #commands = 0
  #isOpen = true
  #isResolved = false
  #failure: Error | undefined
  #resolve!: () => void
  #reject!: (error: Error) => void

  constructor(context: WaiterContext) {
    this.#context = context
    this.#promise = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  get commands(): number {
    return this.#commands
  }

  get left(): number {
    return this.#commands - this.#settled
  }

  /** Whether another command may be added. */
  get isOpen(): boolean {
    return this.#isOpen && this.#commands < bundleCommandsMax
  }

  /** Adds a command; its promise resolves when its own record is durable. */
  add(): Promise<ExecutionReport> {
    this.#commands++
    return this.#promise.then(this.#next)
  }

  close(): void {
    this.#isOpen = false
  }

  deliver(
    words: Int32Array,
    from: number,
    to: number,
    lsn: number,
    _more: boolean,
    clock: RecordClock,
  ): number {
    const report = reportOf(words, from, to, lsn, clock.timestampUs, this.#context.registry)
    if (this.#given > 0) this.#deliverLate(report)
    else this.#keep(report)
    if (++this.#settled < this.#commands) return delivered.settles
    this.release()
    return delivered.settlesLast
  }

  release(): void {
    if (this.#isResolved) return
    this.#isResolved = true
    this.#ready = this.#settled
    this.#context.latency.record(this.#submittedMs, this.#ready)
    this.#resolve()
  }

  fail(error: Error): void {
    this.#isOpen = false
    this.#failure = error
    if (this.#settled === 0) this.#reject(error)
    else this.release()
    for (const late of this.#late.slice(this.#settled - this.#ready)) late.reject(error)
  }

  /**
   * Keeps a report for the reactions of the promise, none of which has run. That promise may be resolved already: more of the
   * log can be durable, and is delivered, before the turn in which it was resolved is over.
   */
  #keep(report: ExecutionReport): void {
    if (this.#settled === 0) {
      this.#isOpen = false
      this.#reports = new Array<ExecutionReport>(this.#commands)
    }
    ;(this.#reports as ExecutionReport[])[this.#settled] = report
    if (!this.#isResolved) return
    this.#ready++
    this.#context.latency.record(this.#submittedMs, 1)
  }

  /**
   * The reactions run one after the other, with no delivery in between: when the first has run, every command whose report
   * was not here has asked for a promise of its own.
   */
  #deliverLate(report: ExecutionReport): void {
    this.#context.latency.record(this.#submittedMs, 1)
    this.#late[this.#settled - this.#ready]!.resolve(report)
  }

  #later(): Promise<ExecutionReport> {
    if (this.#failure) throw this.#failure
    return new Promise((resolve, reject) => {
      this.#late.push({ resolve, reject })
    })
  }
}

/** The promise of a command that becomes several records, of one shard or of all; it is one command of those in flight. */
export class EverywhereWaiter implements Waiter {
  readonly left = 1
  readonly #context: WaiterContext
  readonly #submittedMs = performance.now()
  readonly #resolve: (report: ExecutionReport) => void
  readonly #reject: (error: Error) => void
  readonly #records: KeptRecord[] = []
  #shardsLeft: number

  constructor(
    context: WaiterContext,
    shards: number,
    resolve: (report: ExecutionReport) => void,
    reject: (error: Error) => void,
  ) {
    this.#context = context
    this.#shardsLeft = shards
    this.#resolve = resolve
    this.#reject = reject
  }

  deliver(
    words: Int32Array,
    from: number,
    to: number,
    lsn: number,
    more: boolean,
    clock: RecordClock,
  ): number {
    this.#records.push(keepRecord(words, from, to, lsn, clock.timestampUs))
    if (more) return 0
    if (--this.#shardsLeft > 0) return delivered.last
    this.#context.latency.record(this.#submittedMs, 1)
    this.#resolve(reportOfSeveral(this.#records, this.#context.registry))
    return delivered.settlesLast
  }

  release(): void {}

  fail(error: Error): void {
    this.#reject(error)
  }
}

const cursor = new EventCursor()

/** The promise of one `submitBatch`: it counts, and keeps nothing of what it counts. */
export class BatchWaiter {
  readonly #latency: AcknowledgementLatency
  readonly #submittedMs = performance.now()
  readonly #resolve: (report: BatchReport) => void
  readonly #reject: (error: Error) => void
  readonly #commands: number
  #left: number
  #trades = 0
  #rejected = 0

  constructor(
    latency: AcknowledgementLatency,
    commands: number,
    resolve: (report: BatchReport) => void,
    reject: (error: Error) => void,
  ) {
    this.#latency = latency
    this.#commands = commands
    this.#left = commands
    this.#resolve = resolve
    this.#reject = reject
  }

  /** This batch's place in the queue of one shard, for so many of its commands. */
  part(commands: number): Waiter {
    return new BatchPart(this, commands)
  }

  count(words: Int32Array, from: number, to: number, lsn: number): void {
    const eventsFrom = from + (words[from]! >>> 18)
    // One `accepted` and nothing else is the common case.
    if (to - eventsFrom > 2 || (words[eventsFrom]! & 0xff) !== eventKinds.accepted) {
      cursor.reset(words, from, to)
      for (let kind = cursor.next(); kind !== 0; kind = cursor.next()) {
        if (kind === eventKinds.trade) this.#trades++
        else if (kind === eventKinds.rejected) this.#rejected++
      }
    }
    if (--this.#left > 0) return
    this.#latency.record(this.#submittedMs, this.#commands)
    this.#resolve({ lsn, commands: this.#commands, trades: this.#trades, rejected: this.#rejected })
  }

  fail(error: Error): void {
    this.#reject(error)
  }
}

class BatchPart implements Waiter {
  readonly #batch: BatchWaiter
  #left: number

  constructor(batch: BatchWaiter, commands: number) {
    this.#batch = batch
    this.#left = commands
  }

  get left(): number {
    return this.#left
  }

  deliver(words: Int32Array, from: number, to: number, lsn: number): number {
    this.#batch.count(words, from, to, lsn)
    return --this.#left === 0 ? delivered.settlesLast : delivered.settles
  }

  release(): void {}

  fail(error: Error): void {
    this.#batch.fail(error)
  }
}
