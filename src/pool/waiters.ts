import { EventCursor, eventKinds } from '../matching/index.js'
import { LazyExecutionReport, type ReportSlab } from './execution-report.js'
import type { InstrumentRegistry } from './instruments.js'
import type { GroupPlace } from './pool-events.js'
import type { BatchReport, ExecutionReport } from './types.js'

/** Somebody who waits for the outcome of commands; it stands in the queue of every shard that it concerns. */
export interface Waiter {
  /** Takes one group; returns whether nothing more comes for it from this shard. */
  deliver(words: Int32Array, from: number, to: number, lsn: number, more: boolean): boolean
  fail(error: Error): void
}

export interface ReportContext {
  readonly slab: ReportSlab
  readonly registry: InstrumentRegistry
}

const noGroups: readonly GroupPlace[] = []

/** The promise of one `submit`. */
export class CommandWaiter implements Waiter {
  readonly #context: ReportContext
  readonly #resolve: (report: ExecutionReport) => void
  readonly #reject: (error: Error) => void

  constructor(
    context: ReportContext,
    resolve: (report: ExecutionReport) => void,
    reject: (error: Error) => void,
  ) {
    this.#context = context
    this.#resolve = resolve
    this.#reject = reject
  }

  deliver(words: Int32Array, from: number, to: number, lsn: number): boolean {
    const { slab, registry } = this.#context
    const start = slab.keep(words, from, to)
    this.#resolve(new LazyExecutionReport(slab.words, start, start + to - from, lsn, noGroups, registry))
    return true
  }

  fail(error: Error): void {
    this.#reject(error)
  }
}

/** The promise of a command that every shard executes, for each of its symbols. */
export class EverywhereWaiter implements Waiter {
  readonly #context: ReportContext
  readonly #resolve: (report: ExecutionReport) => void
  readonly #reject: (error: Error) => void
  readonly #groups: GroupPlace[] = []
  #shardsLeft: number

  constructor(
    context: ReportContext,
    shards: number,
    resolve: (report: ExecutionReport) => void,
    reject: (error: Error) => void,
  ) {
    this.#context = context
    this.#shardsLeft = shards
    this.#resolve = resolve
    this.#reject = reject
  }

  deliver(words: Int32Array, from: number, to: number, lsn: number, more: boolean): boolean {
    const { slab } = this.#context
    const start = slab.keep(words, from, to)
    this.#groups.push({ words: slab.words, from: start, to: start + to - from, lsn })
    if (more) return false
    if (--this.#shardsLeft === 0) this.#finish()
    return true
  }

  #finish(): void {
    const [first, ...others] = this.#groups as [GroupPlace, ...GroupPlace[]]
    const { words, from, to, lsn } = first
    this.#resolve(new LazyExecutionReport(words, from, to, lsn, others, this.#context.registry))
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

  deliver(words: Int32Array, from: number, to: number, lsn: number): boolean {
    this.#batch.count(words, from, to, lsn)
    return --this.#left === 0
  }

  fail(error: Error): void {
    this.#batch.fail(error)
  }
}
