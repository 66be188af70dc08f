import { TidemarkError } from '../../base/errors.js'
import type { Command, Instrument } from '../../pool/index.js'
import { CliFailure } from '../failure.js'

/** An instrument that an input needs, as `EnginePool.open` takes it. */
export interface SourceInstrument {
  readonly symbol: string
  readonly tickSize: string
  readonly lotSize: string
  readonly replacePriority?: 'keep-on-reduce' | 'always-lose'
}

/** A line of the input that was refused before the log. */
export interface Refusal {
  /** Line of the file, from 1 on. */
  readonly line: number
  readonly code: string
  readonly message: string
}

/**
 * Where a source's commands go: a `CommandBatch`, or something that stands before one. `owner` is the account of the
 * order that an amendment names, for those who number the commands of each account; a `CommandBatch` does without.
 */
export interface CommandSink {
  /** Commands taken since it was last emptied. */
  readonly length: number
  addNew(
    instrumentId: number,
    orderId: number,
    account: number,
    side: number,
    orderType: number,
    timeInForce: number,
    price: number,
    quantity: number,
    tag: number,
  ): void
  addCancel(instrumentId: number, orderId: number, tag: number, owner: number): void
  addReplace(
    instrumentId: number,
    orderId: number,
    price: number,
    quantity: number,
    tag: number,
    owner: number,
  ): void
  addReduce(instrumentId: number, orderId: number, quantity: number, tag: number, owner: number): void
  add(command: Command): void
}

/** Errors that say something about the pool; any other says something about the command. */
const poolEnded = new Set(['TIDEMARK_POOL_CLOSED', 'TIDEMARK_LOG_POISONED', 'TIDEMARK_LOG_CLOSED'])

/** Whether an error means that a command is malformed: it is refused, and the run continues. */
export function isRefusal(error: unknown): error is TidemarkError {
  return error instanceof TidemarkError && !(error instanceof CliFailure) && !poolEnded.has(error.code)
}

/** What a source needs of the pool that it feeds. */
export interface SourceTarget {
  instrument(symbol: string): Instrument | undefined
  /**
   * Hands over a command that can't go in a batch (an instrument, a cancel-all), after everything handed over before.
   * Returns when the pool has taken it; throws a TidemarkError when it is malformed.
   */
  submit(command: Command): Promise<void>
}

/**
 * Where commands come from. `fill` adds commands to a batch, each with its index in the input as its tag, until the
 * batch holds `goal` of them or something makes it stop early; it says whether there is more to come.
 */
export interface CommandSource {
  readonly format: string
  /** What is known beforehand; `commands` input brings its instruments itself. */
  readonly instruments: readonly SourceInstrument[]
  /** How much of the input is done, from 0 to 1; undefined when the end is not known. */
  readonly progress: number | undefined
  readonly refusals: RefusalLog
  begin(target: SourceTarget): void
  fill(batch: CommandSink, goal: number): boolean | Promise<boolean>
  close(): void
}

/** Counts what was refused, and keeps the first few by name. */
export class RefusalLog {
  static readonly keptMax = 100
  readonly kept: Refusal[] = []
  readonly byCode = new Map<string, number>()
  total = 0

  add(line: number, code: string, message: string): void {
    this.total++
    this.byCode.set(code, (this.byCode.get(code) ?? 0) + 1)
    if (this.kept.length < RefusalLog.keptMax) this.kept.push({ line, code, message })
  }
}
