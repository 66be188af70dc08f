import { EventCursor, eventKinds } from '../../matching/index.js'
import type { InstrumentRegistry } from '../instruments.js'
import type { BatchReport, ExecutionReport } from '../types.js'
import { keepRecord, reportOf, reportOfSeveral } from './execution-report.js'

/** What `deliver` says of a group: whether a command is settled with it, and whether it is this shard's last for it. */
export const delivered = { settles: 1, last: 2, settlesLast: 3 } as const

/** Somebody who waits for the outcome of commands; it stands in the queue of every shard that it concerns. */
export interface Waiter {
  /** Takes one group; returns bits of `delivered`. */
  deliver(words: Int32Array, from: number, to: number, lsn: number, more: boolean): number
  fail(error: Error): void
}

/** Commands whose promises hang on one: so many that its cost is shared. */
export const bundleCommandsMax = 64

interface Settling {
  readonly resolve: (report: ExecutionReport) => void
  readonly reject: (error: Error) => void
}

/**
 * The promises of commands that were submitted to one shard in the same turn of the event loop. They hang on one
 * promise by one function, which gives out the reports in turn: reactions run in the order in which they were added.
 * With a pair of resolving functions for each command, half of the caller's thread was garbage collection.
 *
 * That one promise resolves when the first command is durable, and serves those that became durable at the same moment,
 * which under group commit is nearly always all. Each of the others gets a promise of its own then, so that no command
 * waits for another one's record.
 */
export class CommandBundle implements Waiter {
  readonly #registry: InstrumentRegistry
  readonly #promise: Promise<void>
  readonly #reports: ExecutionReport[] = []
  readonly #next = (): ExecutionReport | Promise<ExecutionReport> =>
    this.#given < this.#reports.length ? this.#reports[this.#given++]! : this.#later()
  readonly #late: Settling[] = []
  #given = 0
  #settled = 0
  #commands = 0
  #open = true
  #failure: Error | undefined
  #resolve!: () => void
  #reject!: (error: Error) => void

  constructor(registry: InstrumentRegistry) {
    this.#registry = registry
    this.#promise = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  get commands(): number {
    return this.#commands
  }

  /** Whether another command may be added. */
  get open(): boolean {
    return this.#open && this.#commands < bundleCommandsMax
  }

  /** Adds a command; its promise resolves when its own record is durable. */
  add(): Promise<ExecutionReport> {
    this.#commands++
    return this.#promise.then(this.#next)
  }

  close(): void {
    this.#open = false
  }

  deliver(words: Int32Array, from: number, to: number, lsn: number): number {
    const report = reportOf(words, from, to, lsn, this.#registry)
    // The reactions run after this chunk of the log was delivered, and take all reports that are here by then. They run
    // one after the other, so either none has asked for a promise of its own, or every command that is left has.
    if (this.#late.length === 0) this.#reports.push(report)
    else this.#late[this.#settled - this.#reports.length]!.resolve(report)
    if (this.#settled === 0) {
      this.#open = false
      this.#resolve()
    }
    return ++this.#settled === this.#commands ? delivered.settlesLast : delivered.settles
  }

  /** Rejects the commands whose reports were not delivered. */
  fail(error: Error): void {
    this.#open = false
    this.#failure = error
    this.#reject(error)
    for (const late of this.#late.slice(this.#settled - this.#reports.length)) late.reject(error)
  }

  #later(): Promise<ExecutionReport> {
    if (this.#failure) throw this.#failure
    return new Promise((resolve, reject) => {
      this.#late.push({ resolve, reject })
    })
  }
}

/** The promise of a command that every shard executes, for each of its symbols; it is one command of those in flight. */
export class EverywhereWaiter implements Waiter {
  readonly #registry: InstrumentRegistry
  readonly #resolve: (report: ExecutionReport) => void
  readonly #reject: (error: Error) => void
  readonly #records: ReturnType<typeof keepRecord>[] = []
  #shardsLeft: number

  constructor(
    registry: InstrumentRegistry,
    shards: number,
    resolve: (report: ExecutionReport) => void,
    reject: (error: Error) => void,
  ) {
    this.#registry = registry
    this.#shardsLeft = shards
    this.#resolve = resolve
    this.#reject = reject
  }

  deliver(words: Int32Array, from: number, to: number, lsn: number, more: boolean): number {
    this.#records.push(keepRecord(words, from, to, lsn))
    if (more) return 0
    if (--this.#shardsLeft > 0) return delivered.last
    this.#resolve(reportOfSeveral(this.#records, this.#registry))
    return delivered.settlesLast
  }

  fail(error: Error): void {
    this.#reject(error)
  }
}

const cursor = new EventCursor()

/** The promise of one `submitBatch`: it counts, and keeps nothing of what it counts. */
export class BatchWaiter {
  readonly #resolve: (report: BatchReport) => void
  readonly #reject: (error: Error) => void
  readonly #commands: number
  #left: number
  #trades = 0
  #rejected = 0

  constructor(commands: number, resolve: (report: BatchReport) => void, reject: (error: Error) => void) {
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
    if (to - eventsFrom > 2) {
      cursor.reset(words, from, to)
      for (let kind = cursor.next(); kind !== 0; kind = cursor.next()) {
        if (kind === eventKinds.trade) this.#trades++
        else if (kind === eventKinds.rejected) this.#rejected++
      }
    }
    if (--this.#left > 0) return
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

  deliver(words: Int32Array, from: number, to: number, lsn: number): number {
    this.#batch.count(words, from, to, lsn)
    return --this.#left === 0 ? delivered.settlesLast : delivered.settles
  }

  fail(error: Error): void {
    this.#batch.fail(error)
  }
}
