import { commandInstrument, commandOrder, fromSteps, type Outcome, outcomeOf } from '../matching/index.js'
import type { InstrumentRegistry } from './instruments.js'
import { type GroupPlace, poolEvents } from './pool-events.js'
import type { ExecutionReport, PoolEvent, ReportStatus, TradeEvent } from './types.js'

const slabWords = 16_384
/** Before each group in a slab: the LSN of its end, in two words, and its length in words. */
const placeWords = 3

/** Memory for the bytes that reports are read from later: one allocation for many. */
export class ReportSlab {
  #words = new Int32Array(slabWords)
  #used = 0

  /** The memory in which `keep` put the last copy. */
  get words(): Int32Array {
    return this.#words
  }

  /** Copies a group, which ends at `lsn`, to where it can stay; returns where in `words` that is. */
  keep(words: Int32Array, from: number, to: number, lsn: number): number {
    const count = to - from
    if (this.#used + placeWords + count > this.#words.length) {
      this.#words = new Int32Array(Math.max(slabWords, placeWords + count))
      this.#used = 0
    }
    const target = this.#words
    const place = this.#used
    target[place] = lsn
    target[place + 1] = lsn / 0x1_0000_0000
    target[place + 2] = count
    const start = place + placeWords
    for (let i = 0; i < count; i++) target[start + i] = words[from + i]!
    this.#used = start + count
    return place
  }
}

/** What was read of a report's group so far. */
interface Details {
  events: PoolEvent[] | undefined
  outcome: Outcome | undefined
}

const noGroups: readonly GroupPlace[] = []

/**
 * A report that is read from the log's bytes when it is looked at: most callers look at two fields of it. Until then it
 * is four words: with a million promises a second under way, what a report weighs is what the collector moves about.
 */
export class LazyExecutionReport implements ExecutionReport {
  readonly #words: Int32Array
  readonly #place: number
  readonly #registry: InstrumentRegistry
  #details: Details | undefined

  /** `place` is what `ReportSlab.keep` returned for the group, in `words`. */
  constructor(words: Int32Array, place: number, registry: InstrumentRegistry) {
    this.#words = words
    this.#place = place
    this.#registry = registry
  }

  /** The further groups of a command over several symbols, by LSN. */
  protected get others(): readonly GroupPlace[] {
    return noGroups
  }

  get lsn(): number {
    return this.#judged.firstLsn ?? this.others.at(-1)?.lsn ?? this.#groupLsn
  }

  get repeated(): boolean {
    return this.#judged.firstLsn !== undefined
  }

  get symbol(): string | undefined {
    return this.others.length === 0
      ? this.#registry.byId(commandInstrument(this.#words, this.#start))?.definition.symbol
      : undefined
  }

  get orderId(): number | undefined {
    return commandOrder(this.#words, this.#start)
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
    const details = this.#known
    details.events ??= [this.#group, ...this.others].flatMap((group) => poolEvents(group, this.#registry))
    return details.events
  }

  get trades(): readonly TradeEvent[] {
    return this.events.filter((event) => event.event === 'trade')
  }

  toJSON(): ExecutionReport {
    const { lsn, symbol, orderId, status, code, filled, remaining, repeated, trades, events } = this
    return { lsn, symbol, orderId, status, code, filled, remaining, repeated, trades, events }
  }

  get #group(): GroupPlace {
    const from = this.#start
    return { words: this.#words, from, to: from + this.#words[this.#place + 2]!, lsn: this.#groupLsn }
  }

  get #groupLsn(): number {
    return (this.#words[this.#place]! >>> 0) + this.#words[this.#place + 1]! * 0x1_0000_0000
  }

  get #known(): Details {
    this.#details ??= { events: undefined, outcome: undefined }
    return this.#details
  }

  get #start(): number {
    return this.#place + placeWords
  }

  get #judged(): Outcome {
    const details = this.#known
    if (details.outcome === undefined) {
      const { words, from, to } = this.#group
      details.outcome = outcomeOf(words, from, to)
    }
    return details.outcome
  }

  #quantity(lots: number): string | undefined {
    const grids = this.#registry.byId(commandInstrument(this.#words, this.#start))?.grids
    return grids && this.orderId !== undefined && lots >= 0 ? fromSteps(lots, grids.quantity) : undefined
  }
}

/** The report of a command that was executed in several symbols. */
export class SeveralGroupsReport extends LazyExecutionReport {
  readonly #others: readonly GroupPlace[]

  constructor(words: Int32Array, place: number, registry: InstrumentRegistry, others: readonly GroupPlace[]) {
    super(words, place, registry)
    this.#others = others
  }

  protected override get others(): readonly GroupPlace[] {
    return this.#others
  }
}
