import { FactorEngine, FactorError, type Field, fields, type Tick } from '../../factors/index.js'
import { inputFailure } from '../failure.js'
import { InputFile } from '../inputs/input-file.js'
import { LineReader } from '../inputs/line-reader.js'

/** Other names of columns, as exchanges and data vendors have them. */
const synonyms: Readonly<Record<string, Field | 'instrument' | 'timestamp'>> = {
  instrument: 'instrument',
  symbol: 'instrument',
  ticker: 'instrument',
  timestamp: 'timestamp',
  time: 'timestamp',
  ts: 'timestamp',
  price: 'last',
  close: 'last',
  size: 'volume',
  quantity: 'volume',
  ...Object.fromEntries(fields.map((field) => [field, field])),
}

/** A row of the input: a tick that a factor engine takes, or why it is refused. */
export type Row = { readonly tick: Tick } | { readonly fault: string }

/**
 * Reads ticks from a CSV file, plain or gzip. The first line names the columns; an empty cell is a field that the tick
 * doesn't have. Without a column of instruments all ticks are of `instrument`; without one of times they are numbered.
 */
export class TickFile {
  readonly #file: InputFile
  readonly #lines: LineReader
  readonly #instrument: string
  /** Has taken every tick that was read: it says what a tick is, and what the input has of each instrument so far. */
  readonly passed = new FactorEngine()
  #columns: readonly (Field | 'instrument' | 'timestamp' | undefined)[] = []

  /** @throws CliFailure (bad input) when the file can't be opened or its first line names no field. */
  static async open(path: string, instrument: string): Promise<TickFile> {
    const ticks = new TickFile(await InputFile.open(path), instrument)
    await ticks.#readHead()
    return ticks
  }

  private constructor(file: InputFile, instrument: string) {
    this.#file = file
    this.#lines = new LineReader(file)
    this.#instrument = instrument
  }

  /** Number of the line read last. */
  get line(): number {
    return this.#lines.line
  }

  get fraction(): number | undefined {
    return this.#file.fraction
  }

  /** The next row, or `undefined` at the end. */
  async next(): Promise<Row | undefined> {
    for (;;) {
      if (this.#lines.needsMore) await this.#lines.more()
      const text = this.#lines.take()
      if (text === null) return undefined
      if (text === undefined) return { fault: 'the line is too long' }
      if (text.trim() !== '') return this.#parse(text)
    }
  }

  close(): void {
    this.#file.close()
  }

  async #readHead(): Promise<void> {
    if (this.#lines.needsMore) await this.#lines.more()
    const cells = cellsOf(this.#lines.take() ?? '')
    this.#columns = cells.map((cell) => synonyms[cell.toLowerCase()])
    if (
      !this.#columns.some((column) => column !== undefined && (fields as readonly string[]).includes(column))
    ) {
      throw inputFailure(
        `The first line of ${this.#file.name} names no field of a tick; name at least one of ${fields.join(', ')}.`,
      )
    }
  }

  #parse(text: string): Row {
    const cells = cellsOf(text)
    if (cells.length !== this.#columns.length) {
      return { fault: `${cells.length} cells where the first line has ${this.#columns.length}` }
    }
    const tick: { -readonly [K in keyof Tick]: Tick[K] } = {
      instrument: this.#instrument,
      timestamp: this.line - 1,
    }
    for (const [i, column] of this.#columns.entries()) {
      const cell = cells[i]!
      if (column === undefined || cell === '') continue
      if (column === 'instrument') {
        tick.instrument = cell
        continue
      }
      const value = Number(cell)
      if (Number.isNaN(value)) return { fault: `${column} is "${cell}", which is no number` }
      tick[column] = value
    }
    return this.#checked(tick)
  }

  #checked(tick: Tick): Row {
    try {
      this.passed.addInstrument(tick.instrument)
      this.passed.processTick(tick)
      return { tick }
    } catch (error) {
      if (error instanceof FactorError) return { fault: error.message }
      throw error
    }
  }
}

/** The cells of a line. Cells may stand in quotation marks, and commas within them. */
function cellsOf(line: string): string[] {
  if (!line.includes('"')) return line.split(',').map((cell) => cell.trim())
  const cells: string[] = []
  for (const [, quoted, plain] of line.matchAll(/(?:^|,)\s*(?:"((?:[^"]|"")*)"\s*|([^,]*))/g)) {
    cells.push(quoted === undefined ? plain!.trim() : quoted.replaceAll('""', '"'))
  }
  return cells
}
