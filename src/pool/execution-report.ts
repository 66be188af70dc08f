import { type DecodedCommand, decodeCommand, fromSteps, type Outcome, outcomeOf } from '../matching/index.js'
import type { InstrumentRegistry } from './instruments.js'
import { type GroupPlace, poolEvents } from './pool-events.js'
import type { ExecutionReport, PoolEvent, ReportStatus, TradeEvent } from './types.js'

const slabWords = 16_384

/** Memory for the bytes that reports are read from later: one allocation for many. */
export class ReportSlab {
  #words = new Int32Array(slabWords)
  #used = 0

  /** The memory in which `keep` put the last copy. */
  get words(): Int32Array {
    return this.#words
  }

  /** Copies a group to where it can stay; returns its word offset in `words`. */
  keep(words: Int32Array, from: number, to: number): number {
    const count = to - from
    if (this.#used + count > this.#words.length) {
      this.#words = new Int32Array(Math.max(slabWords, count))
      this.#used = 0
    }
    const target = this.#words
    const start = this.#used
    for (let i = 0; i < count; i++) target[start + i] = words[from + i]!
    this.#used = start + count
    return start
  }
}

/** A report that is read from the log's bytes when it is looked at: most callers look at two fields of it. */
export class LazyExecutionReport implements ExecutionReport {
  // The group's place is held in fields of the report: an object a report is what a million promises a second allow.
  readonly #words: Int32Array
  readonly #from: number
  readonly #to: number
  readonly #groupLsn: number
  readonly #others: readonly GroupPlace[]
  readonly #registry: InstrumentRegistry
  #command: DecodedCommand | undefined
  #events: PoolEvent[] | undefined
  #outcome: Outcome | undefined

  /** `others` are the further groups of a command over several symbols, by LSN. */
  constructor(
    words: Int32Array,
    from: number,
    to: number,
    lsn: number,
    others: readonly GroupPlace[],
    registry: InstrumentRegistry,
  ) {
    this.#words = words
    this.#from = from
    this.#to = to
    this.#groupLsn = lsn
    this.#others = others
    this.#registry = registry
  }

  get lsn(): number {
    return this.#judged.firstLsn ?? this.#others.at(-1)?.lsn ?? this.#groupLsn
  }

  get repeated(): boolean {
    return this.#judged.firstLsn !== undefined
  }

  get symbol(): string | undefined {
    return this.#others.length === 0
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
    this.#events ??= [this.#group, ...this.#others].flatMap((group) => poolEvents(group, this.#registry))
    return this.#events
  }

  get trades(): readonly TradeEvent[] {
    return this.events.filter((event) => event.event === 'trade')
  }

  toJSON(): ExecutionReport {
    const { lsn, symbol, orderId, status, code, filled, remaining, repeated, trades, events } = this
    return { lsn, symbol, orderId, status, code, filled, remaining, repeated, trades, events }
  }

  get #group(): GroupPlace {
    return { words: this.#words, from: this.#from, to: this.#to, lsn: this.#groupLsn }
  }

  get #decoded(): DecodedCommand {
    this.#command ??= decodeCommand(this.#words, this.#from)!
    return this.#command
  }

  get #judged(): Outcome {
    this.#outcome ??= outcomeOf(this.#words, this.#from, this.#to)
    return this.#outcome
  }

  #quantity(lots: number): string | undefined {
    const grids = this.#registry.byId(this.#decoded.instrumentId)?.grids
    return grids && this.orderId !== undefined && lots >= 0 ? fromSteps(lots, grids.quantity) : undefined
  }
}
