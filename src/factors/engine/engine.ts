import { callUser } from '../../base/emitter.js'
import { FactorError } from '../errors.js'
import {
  type Bar,
  badTick,
  checkedTimestamp,
  checkTick,
  copyChecked,
  type Tick,
  tickOfBar,
} from '../ticks.js'
import { catalog } from './catalog.js'
import { FactorInstrument } from './instrument.js'
import type { Estimate } from './operators/index.js'
import { type Definitions, fieldsCell, ticksCell, timestampCell } from './program.js'
import { rankAcross } from './ranks.js'

/** A factor as an operator: `{ operator: 'mean', of: 'last', parameters: [5] }` is the expression `mean(last, 5)`. */
export interface OperatorDefinition {
  /** The operator's name, such as `mean`. */
  readonly operator: string
  /** The series it works on: fields, factors or expressions. */
  readonly of?: string | readonly string[] | undefined
  /** Its numbers, in the order in which an expression has them. */
  readonly parameters?: readonly number[] | undefined
  /** Which estimate a moment is: of a sample or of the population. */
  readonly estimate?: Estimate | undefined
}

/** An expression such as `(ema12 - ema26) / std(last, 20)`, or an operator. */
export type Definition = string | OperatorDefinition

/** Called with an instrument whose factors were computed; `instrument` has their values until the next tick. */
export type UpdateListener = (instrument: FactorInstrument, timestamp: number) => void

/** The state of an engine: shape and every bit. */
export interface EngineState {
  readonly instruments: readonly InstrumentState[]
}

export interface InstrumentState {
  readonly name: string
  readonly history: readonly Definitions[]
  readonly cells: Float64Array
}

const nameBytesMax = 256

/**
 * Turns ticks into factor values, in constant time a tick (amortized). In memory only; see `DurableFactorEngine`.
 *
 * @example
 * ```js
 * import { FactorEngine } from 'tidemark/factors'
 *
 * const engine = new FactorEngine()
 * engine.registerAll('ACME', { ma2: 'mean(last, 2)', above: 'last - ma2' })
 * engine.processTick({ instrument: 'ACME', timestamp: 1, last: 100 })
 * engine.processTick({ instrument: 'ACME', timestamp: 2, last: 104 })
 * console.log(engine.getAll('ACME')) // { ma2: 102, above: 2 }
 * ```
 */
export class FactorEngine {
  readonly #byName = new Map<string, FactorInstrument>()
  readonly #instruments: FactorInstrument[] = []
  readonly #listeners = new Set<UpdateListener>()
  #ticks = 0
  #lastTimestamp = Number.NEGATIVE_INFINITY

  /** Adds an instrument, or returns the one that has this name. @throws FactorError `TIDEMARK_BAD_NAME`. */
  addInstrument(name: string): FactorInstrument {
    const known = this.#byName.get(name)
    if (known) return known
    checkName('instrument', name)
    const instrument = new FactorInstrument(name, this.#instruments.length)
    this.#byName.set(name, instrument)
    this.#instruments.push(instrument)
    return instrument
  }

  /**
   * An instrument that has factors.
   *
   * @throws FactorError `TIDEMARK_UNKNOWN_INSTRUMENT`.
   */
  instrument(name: string): FactorInstrument {
    const instrument = this.#byName.get(name)
    if (instrument) return instrument
    throw new FactorError(
      'TIDEMARK_UNKNOWN_INSTRUMENT',
      `There is no instrument "${name}"; register a factor for it first.`,
      { instrument: name },
    )
  }

  /** Every instrument, in the order in which they were added. */
  get instruments(): readonly FactorInstrument[] {
    return this.#instruments
  }

  /** Adds one factor to an instrument. Errors as of `registerAll`. */
  register(instrument: string, name: string, definition: Definition): void {
    this.registerAll(instrument, { [name]: definition })
  }

  /**
   * Adds factors to an instrument, all or none; they may refer to each other. The instrument is added if it is new.
   *
   * @throws FactorError `TIDEMARK_BAD_EXPRESSION`, `TIDEMARK_BAD_NAME`, `TIDEMARK_DUPLICATE_FACTOR`,
   *   `TIDEMARK_UNKNOWN_FACTOR`, `TIDEMARK_FACTOR_CYCLE`, `TIDEMARK_BAD_PARAMETER`.
   */
  registerAll(instrument: string, definitions: Readonly<Record<string, Definition>>): void {
    const texts = expressionsOf(definitions)
    const known = this.#byName.get(instrument)
    if (known) {
      known.program.register(texts)
      return
    }
    // A new instrument is there only if its factors can be.
    checkName('instrument', instrument)
    new FactorInstrument(instrument, 0).program.register(texts)
    this.addInstrument(instrument).program.register(texts)
  }

  /**
   * Takes a tick: every factor that it moves is computed once.
   *
   * @throws FactorError `TIDEMARK_BAD_TICK`, `TIDEMARK_UNKNOWN_INSTRUMENT`: nothing was changed.
   */
  processTick(tick: Tick): FactorInstrument {
    const instrument = this.#byName.get(tick.instrument) ?? this.instrument(tick.instrument)
    const mask = checkTick(tick)
    copyChecked(mask, instrument.program.cells, fieldsCell)
    this.advance(instrument, mask, checkedTimestamp())
    return instrument
  }

  /** Takes a bar, as a tick whose `last` is the close. Errors as of `processTick`. */
  processBar(bar: Bar): FactorInstrument {
    return this.processTick(tickOfBar(bar))
  }

  /** Computes the ranks across instruments, as of the last tick of each. @throws FactorError `TIDEMARK_BAD_TICK`. */
  barrier(timestamp: number): void {
    checkBarrier(timestamp)
    rankAcross(this.#instruments)
    if (timestamp > this.#lastTimestamp) this.#lastTimestamp = timestamp
    if (this.#listeners.size === 0) return
    for (const instrument of this.#instruments) {
      if (instrument.program.ranks.length > 0) this.#notify(instrument, timestamp)
    }
  }

  /** One value of an instrument. @throws FactorError `TIDEMARK_UNKNOWN_INSTRUMENT`, `TIDEMARK_UNKNOWN_FACTOR`. */
  get(instrument: string, factor: string): number | undefined {
    return this.instrument(instrument).get(factor)
  }

  /** Every value of an instrument by name. @throws FactorError `TIDEMARK_UNKNOWN_INSTRUMENT`. */
  getAll(instrument: string): Record<string, number | undefined> {
    return this.instrument(instrument).getAll()
  }

  /** Calls `listener` after each tick and barrier, until the function that this returns is called. */
  onUpdate(listener: UpdateListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Ticks taken, over all instruments. */
  get ticks(): number {
    return this.#ticks
  }

  /** The greatest timestamp taken. */
  get lastTimestamp(): number | undefined {
    return this.#lastTimestamp === Number.NEGATIVE_INFINITY ? undefined : this.#lastTimestamp
  }

  /** A copy of the whole state. */
  save(): EngineState {
    return {
      instruments: this.#instruments.map(({ name, program }) => ({
        name,
        history: [...program.history],
        cells: program.cells.slice(0, program.used),
      })),
    }
  }

  /** Takes over a saved instrument that this engine doesn't have. @throws FactorError `TIDEMARK_BAD_STATE`. */
  restoreInstrument({ name, history, cells }: InstrumentState): FactorInstrument {
    const instrument = this.addInstrument(name)
    for (const definitions of history) instrument.program.register(definitions)
    if (instrument.program.used !== cells.length) {
      throw new FactorError(
        'TIDEMARK_BAD_STATE',
        `The saved state of ${name} has ${cells.length} cells, its factors take ${instrument.program.used}; it was saved by another build.`,
        { instrument: name, cells: cells.length, expected: instrument.program.used },
      )
    }
    instrument.program.cells.set(cells)
    this.#ticks += instrument.ticks
    this.#lastTimestamp = Math.max(this.#lastTimestamp, instrument.lastTimestamp ?? Number.NEGATIVE_INFINITY)
    return instrument
  }

  /** Computes what the fields in `mask` move, when they are in their cells already. @internal */
  advance(instrument: FactorInstrument, mask: number, timestamp: number): void {
    const { program } = instrument
    program.step(mask)
    const { cells } = program
    cells[ticksCell]! += 1
    cells[timestampCell] = timestamp
    this.#ticks++
    if (timestamp > this.#lastTimestamp) this.#lastTimestamp = timestamp
    if (this.#listeners.size > 0) this.#notify(instrument, timestamp)
  }

  #notify(instrument: FactorInstrument, timestamp: number): void {
    for (const listener of this.#listeners) callUser(() => listener(instrument, timestamp))
  }
}

/** Names and expressions, in the order given. */
export function expressionsOf(definitions: Readonly<Record<string, Definition>>): Definitions {
  return Object.entries(definitions).map(([name, definition]) => [name, expressionOf(definition)])
}

function expressionOf(definition: Definition): string {
  if (typeof definition === 'string') return definition
  const { operator, of, parameters = [], estimate } = definition
  if (operator !== 'rank' && !catalog.has(operator)) {
    throw new FactorError('TIDEMARK_BAD_EXPRESSION', `There is no operator "${operator}".`, { operator })
  }
  const series = of === undefined ? [] : typeof of === 'string' ? [of] : of
  return `${operator}(${[...series, ...parameters, ...(estimate ? [estimate] : [])].join(', ')})`
}

/** @throws FactorError `TIDEMARK_BAD_NAME` unless `name` has 1 to 256 bytes. */
export function checkName(what: string, name: string): void {
  const bytes = typeof name === 'string' ? Buffer.byteLength(name) : 0
  if (bytes < 1 || bytes > nameBytesMax) {
    throw new FactorError(
      'TIDEMARK_BAD_NAME',
      `The ${what} name has ${bytes} bytes; use 1 to ${nameBytesMax} bytes of UTF-8.`,
      { name, bytes },
    )
  }
}

/** @throws FactorError `TIDEMARK_BAD_TICK` unless the time of a barrier is a finite number. */
export function checkBarrier(timestamp: number): void {
  if (!Number.isFinite(timestamp)) {
    throw badTick({ instrument: 'a barrier', timestamp }, 'timestamp', timestamp, 'a finite number')
  }
}
