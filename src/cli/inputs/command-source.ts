import type { Command, CommandBatch, Instrument } from '../../pool/index.js'

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

/** What a source needs of the pool that it feeds. */
export interface SourceTarget {
  instrument(symbol: string): Instrument | undefined
  /**
   * Hands over a command that can't go in a batch (an instrument, a cancel-all), behind everything handed over before.
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
  /** How much of the input is done, from 0 to 1; undefined when nobody can know. */
  readonly progress: number | undefined
  readonly refusals: RefusalLog
  begin(target: SourceTarget): void
  fill(batch: CommandBatch, goal: number): boolean | Promise<boolean>
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
