import { FactorProgram, headCells, ticksCell, timestampCell } from './program.js'

/** An instrument of an engine, with its factors and their values as of the last tick. */
export class FactorInstrument {
  /** The instrument's name. */
  readonly name: string
  /** Its place among the engine's instruments, in the order in which they were added. */
  readonly number: number
  /** The instrument's factors, in the order in which they are computed. @internal */
  readonly program = new FactorProgram()

  constructor(name: string, number: number) {
    this.name = name
    this.number = number
  }

  /** The names of its values, in the order of `values`. */
  get factors(): string[] {
    return this.program.columns.map(({ name }) => name)
  }

  /** How many ticks it has seen. */
  get ticks(): number {
    return this.program.cells[ticksCell]!
  }

  /** The source's time of its last tick. */
  get lastTimestamp(): number | undefined {
    const timestamp = this.program.cells[timestampCell]!
    return Number.isNaN(timestamp) ? undefined : timestamp
  }

  /** Whether it took as many ticks as `other`, up to the same time and the same last value of each field. @internal */
  sameTicks(other: FactorInstrument): boolean {
    const there = other.program.cells
    return this.program.cells.subarray(0, headCells).every((value, cell) => Object.is(value, there[cell]))
  }

  /** One value; `undefined` while it isn't defined. @throws FactorError `TIDEMARK_UNKNOWN_FACTOR`. */
  get(factor: string): number | undefined {
    const { program } = this
    const value = program.cells[program.cellOf(factor)]!
    return Number.isNaN(value) ? undefined : value
  }

  /** Every value by name. */
  getAll(): Record<string, number | undefined> {
    const { cells, columns } = this.program
    // A name such as __proto__ is an own property here, which an assignment would not make.
    return Object.fromEntries(
      columns.map(({ name, cell }) => {
        const value = cells[cell]!
        return [name, Number.isNaN(value) ? undefined : value]
      }),
    )
  }

  /** Copies the values into `target`, NaN for what isn't defined, and returns it. */
  values(target: Float64Array = new Float64Array(this.program.columns.length)): Float64Array {
    const { cells, columns } = this.program
    for (let i = 0; i < columns.length; i++) target[i] = cells[columns[i]!.cell]!
    return target
  }
}
