import { type DecodedCommand, decodeCommand, fromSteps, type Outcome, outcomeOf } from '../matching/index.js'
import type { InstrumentRegistry } from './instruments.js'
import { type GroupPlace, poolEvents } from './pool-events.js'
import type { ExecutionReport, PoolEvent, ReportStatus, TradeEvent } from './types.js'

const slabWords = 16_384

/** Memory for the bytes that reports are read from later: one allocation for many. */
export class ReportSlab {
  #words = new Int32Array(slabWords)
  #used = 0

  /** A copy of a group that can be kept. */
  keep(words: Int32Array, from: number, to: number, lsn: number): GroupPlace {
    const count = to - from
    if (this.#used + count > this.#words.length) {
      this.#words = new Int32Array(Math.max(slabWords, count))
      this.#used = 0
    }
    const target = this.#words
    const start = this.#used
    for (let i = 0; i < count; i++) target[start + i] = words[from + i]!
    this.#used = start + count
    return { words: target, from: start, to: start + count, lsn }
  }
}

/** A report that is read from the log's bytes when it is looked at: most callers look at two fields of it. */
export class LazyExecutionReport implements ExecutionReport {
  readonly #groups: readonly GroupPlace[]
  readonly #registry: InstrumentRegistry
  #command: DecodedCommand | undefined
  #events: PoolEvent[] | undefined
  #outcome: Outcome | undefined

  /** `groups` is one, or for a command over several symbols all of them by LSN. */
  constructor(groups: readonly GroupPlace[], registry: InstrumentRegistry) {
    this.#groups = groups
    this.#registry = registry
  }

  get lsn(): number {
    return this.#judged.firstLsn ?? this.#groups.at(-1)!.lsn
  }

  get repeated(): boolean {
    return this.#judged.firstLsn !== undefined
  }

  get symbol(): string | undefined {
    return this.#groups.length === 1
      ? this.#registry.byId(this.#decoded.instrumentId)?.definition.symbol
      : undefined
  }

  get orderId(): number | undefined {
    const command = this.#decoded
    return 'orderId' in command ? command.orderId : undefined
  }

  get status(): ReportStatus {
    return this.#judged.status
  }

  get code(): string | undefined {
    return this.#judged.code
  }

  get filled(): string | undefined {
    return this.#quantity(this.#judged.filled)
  }

  get remaining(): string | undefined {
    return this.#quantity(this.#judged.remaining)
  }

  get events(): readonly PoolEvent[] {
    this.#events ??= this.#groups.flatMap((group) => poolEvents(group, this.#registry))
    return this.#events
  }

  get trades(): readonly TradeEvent[] {
    return this.events.filter((event) => event.event === 'trade')
  }

  toJSON(): ExecutionReport {
    const { lsn, symbol, orderId, status, code, filled, remaining, repeated, trades, events } = this
    return { lsn, symbol, orderId, status, code, filled, remaining, repeated, trades, events }
  }

  get #decoded(): DecodedCommand {
    const { words, from } = this.#groups[0]!
    this.#command ??= decodeCommand(words, from)!
    return this.#command
  }

  get #judged(): Outcome {
    const { words, from, to } = this.#groups[0]!
    this.#outcome ??= outcomeOf(words, from, to)
    return this.#outcome
  }

  #quantity(lots: number): string | undefined {
    const grids = this.#registry.byId(this.#decoded.instrumentId)?.grids
    return grids && this.orderId !== undefined && lots >= 0 ? fromSteps(lots, grids.quantity) : undefined
  }
}
