/** The names of a column's small numbers, as `sideNames` of the codec. */
export type Names = readonly (string | undefined)[]

/** Of a key, such as an instrument, by which the rows of a table are sorted. */
export interface KeyTexts {
  /** What stands in a column of kind `key`. */
  text(column: string, key: number): string
  /** What a step of prices or quantities is. */
  grid(key: number, of: 'price' | 'quantity'): { readonly mantissa: number; readonly scale: number }
}

interface Kind {
  /** As it is held in memory, and encoded: see `RowSet` and `encodeColumn`. */
  readonly kind:
    | 'key'
    | 'integer'
    | 'int32'
    | 'time'
    | 'unsigned'
    | 'flag'
    | 'name'
    | 'text'
    | 'double'
    | 'decimal'
  /** Whether a row may have no value. */
  readonly nullable: boolean
  readonly names?: Names
  /** Of a decimal: the column with its steps, and which grid they are of. */
  readonly of?: { readonly steps: string; readonly grid: 'price' | 'quantity' }
}

export interface Column extends Kind {
  readonly name: string
}

/** A table of the archive: its name and its columns in the order in which they stand in the files. */
export interface Table {
  readonly name: string
  readonly columns: readonly Column[]
}

export const key: Kind = { kind: 'key', nullable: false }
export const integer: Kind = { kind: 'integer', nullable: false }
export const int32: Kind = { kind: 'int32', nullable: false }
export const time: Kind = { kind: 'time', nullable: false }
export const unsigned: Kind = { kind: 'unsigned', nullable: true }
export const text: Kind = { kind: 'text', nullable: true }
export const double: Kind = { kind: 'double', nullable: true }
export const flag: Kind = { kind: 'flag', nullable: true }

export function optional(kind: Kind): Kind {
  return { ...kind, nullable: true }
}

export function name(names: Names): Kind {
  return { kind: 'name', nullable: false, names }
}

/** The exact decimal of a column of ticks or lots. What is too large for it is null; the ticks or lots are there. */
export function decimal(steps: string, grid: 'price' | 'quantity'): Kind {
  return { kind: 'decimal', nullable: true, of: { steps, grid } }
}

export function table(name: string, columns: Readonly<Record<string, Kind>>): Table {
  return { name, columns: Object.entries(columns).map(([column, kind]) => ({ name: column, ...kind })) }
}

const initialRows = 1024

/** Rows of a table, held by columns, in the order in which they were added. */
export class RowSet {
  readonly table: Table
  /** Of each row, what it is sorted by. */
  keys: Int32Array = new Int32Array(initialRows)
  /** By column: the values of `integer`, `int32`, `time`, `flag`, `name` and `double`; NaN where there is none. */
  readonly numbers: Record<string, Float64Array> = {}
  /** By column: of `unsigned`, whose low 32 bits stand in `numbers`, the high ones. */
  readonly highs: Record<string, Float64Array> = {}
  /** By column: the values of `text`; `undefined` where there is none. */
  readonly others: Record<string, (string | undefined)[]> = {}
  rows = 0
  #capacity = initialRows

  constructor(table: Table) {
    this.table = table
    for (const { name, kind } of table.columns) {
      if (kind === 'text') this.others[name] = []
      else if (kind !== 'key' && kind !== 'decimal')
        this.numbers[name] = new Float64Array(initialRows).fill(Number.NaN)
      if (kind === 'unsigned') this.highs[name] = new Float64Array(initialRows)
    }
  }

  /** Adds a row without values, and returns its place. */
  add(key: number): number {
    if (this.rows === this.#capacity) this.#grow()
    this.keys[this.rows] = key
    return this.rows++
  }

  /** Sets the 64 bits of a column of kind `unsigned`. */
  setWide(name: string, row: number, low: number, high: number): void {
    this.numbers[name]![row] = low >>> 0
    this.highs[name]![row] = high >>> 0
  }

  /** Forgets the rows; the memory stays for the next ones. */
  clear(): void {
    for (const values of Object.values(this.numbers)) values.fill(Number.NaN, 0, this.rows)
    for (const values of Object.values(this.others)) values.length = 0
    this.rows = 0
  }

  /** The places of all rows by day, days since 1970, each sorted by key and then as they were added. */
  daysSorted(texts: KeyTexts): Map<number, Uint32Array> {
    const times = this.numbers['time']!
    const days = new Map<number, number[]>()
    for (let row = 0; row < this.rows; row++) {
      const day = Math.floor(times[row]! / usPerDay)
      const places = days.get(day)
      if (places) places.push(row)
      else days.set(day, [row])
    }
    const ranks = this.#ranks(texts)
    return new Map(
      [...days]
        .sort(([a], [b]) => a - b)
        .map(([day, places]) => [day, sortedByRank(places, this.keys, ranks)]),
    )
  }

  /** For each key that a row has, its place among them all. */
  #ranks(texts: KeyTexts): Map<number, number> {
    const keyColumns = this.table.columns.filter(({ kind }) => kind === 'key')
    const distinct = [...new Set(this.keys.subarray(0, this.rows))].map((key) => ({
      key,
      texts: keyColumns.map(({ name }) => Buffer.from(texts.text(name, key))),
    }))
    distinct.sort((a, b) => {
      for (const [i, text] of a.texts.entries()) {
        // As readers of Parquet compare texts: by their bytes.
        const order = Buffer.compare(text, b.texts[i]!)
        if (order !== 0) return order
      }
      return a.key - b.key
    })
    return new Map(distinct.map(({ key }, rank) => [key, rank]))
  }

  #grow(): void {
    const from = this.#capacity
    this.#capacity *= 2
    const keys = new Int32Array(this.#capacity)
    keys.set(this.keys)
    this.keys = keys
    for (const [name, values] of Object.entries(this.highs)) {
      this.highs[name] = new Float64Array(this.#capacity)
      this.highs[name].set(values)
    }
    for (const [name, values] of Object.entries(this.numbers)) {
      const grown = new Float64Array(this.#capacity)
      grown.set(values)
      grown.fill(Number.NaN, from)
      this.numbers[name] = grown
    }
  }
}

const usPerDay = 86_400_000_000

/** `2026-01-31` for a day since 1970. */
export function dayText(day: number): string {
  return new Date((day * usPerDay) / 1000).toISOString().slice(0, 10)
}

/** A counting sort: rows of one key stay in their order. */
function sortedByRank(
  places: readonly number[],
  keys: Int32Array,
  ranks: ReadonlyMap<number, number>,
): Uint32Array {
  const next = new Uint32Array(ranks.size + 1)
  const rankOf = new Uint32Array(places.length)
  for (const [i, row] of places.entries()) {
    const rank = ranks.get(keys[row]!)!
    rankOf[i] = rank
    next[rank + 1]!++
  }
  for (let rank = 0; rank < ranks.size; rank++) next[rank + 1]! += next[rank]!
  const sorted = new Uint32Array(places.length)
  for (const [i, row] of places.entries()) sorted[next[rankOf[i]!]!++] = row
  return sorted
}
