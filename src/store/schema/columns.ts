/**
 * Rows on their way into a database: one array of numbers a column, in the byte order that databases take. Nothing is
 * allocated for a row.
 *
 * `time` is microseconds since 1970-01-01T00:00:00Z. There are no nulls: what a row lacks stands as a number that cannot occur
 * otherwise (see `tables.ts`), and the views make a null of it. Only `text` may be null.
 */
export type ColumnType = 'int16' | 'int32' | 'int64' | 'float64' | 'time' | 'text'

const wordRange = 0x1_0000_0000

class Int16Column {
  readonly type = 'int16'
  values: Int16Array = new Int16Array(0)

  set(row: number, value: number): void {
    this.values[row] = value
  }
  grow(capacity: number): void {
    const before = this.values
    this.values = new Int16Array(capacity)
    this.values.set(before)
  }
}

class Int32Column {
  readonly type = 'int32'
  values: Int32Array = new Int32Array(0)

  set(row: number, value: number): void {
    this.values[row] = value
  }
  grow(capacity: number): void {
    const before = this.values
    this.values = new Int32Array(capacity)
    this.values.set(before)
  }
}

class Float64Column {
  readonly type = 'float64'
  values: Float64Array = new Float64Array(0)

  set(row: number, value: number): void {
    this.values[row] = value
  }
  grow(capacity: number): void {
    const before = this.values
    this.values = new Float64Array(capacity)
    this.values.set(before)
  }
}

/** 64-bit integers, written as two words: making a BigInt of each would cost as much as all the rest. */
class WideColumn<Type extends 'int64' | 'time'> {
  readonly type: Type
  values: BigInt64Array = new BigInt64Array(0)
  words: Int32Array = new Int32Array(0)

  constructor(type: Type) {
    this.type = type
  }

  /** A safe integer. */
  set(row: number, value: number): void {
    this.words[2 * row] = value
    this.words[2 * row + 1] = Math.floor(value / wordRange)
  }
  /** The two words of any 64 bits. */
  setWords(row: number, low: number, high: number): void {
    this.words[2 * row] = low
    this.words[2 * row + 1] = high
  }
  /** What `set` was given. */
  get(row: number): number {
    return (this.words[2 * row]! >>> 0) + this.words[2 * row + 1]! * wordRange
  }
  grow(capacity: number): void {
    const before = this.words
    this.values = new BigInt64Array(capacity)
    this.words = new Int32Array(this.values.buffer)
    this.words.set(before)
  }
}

class Int64Column extends WideColumn<'int64'> {
  constructor() {
    super('int64')
  }
}

class TimeColumn extends WideColumn<'time'> {
  constructor() {
    super('time')
  }
}

class TextColumn {
  readonly type = 'text'
  values: (string | null)[] = []

  set(row: number, value: string | null): void {
    this.values[row] = value
  }
  grow(): void {}
}

export type Column = Int16Column | Int32Column | Float64Column | Int64Column | TimeColumn | TextColumn

const makers = {
  int16: () => new Int16Column(),
  int32: () => new Int32Column(),
  float64: () => new Float64Column(),
  int64: () => new Int64Column(),
  time: () => new TimeColumn(),
  text: () => new TextColumn(),
} satisfies Record<ColumnType, () => Column>

/** The columns of a table by name, in their order. */
export type ColumnTypes = Readonly<Record<string, ColumnType>>
export type ColumnsOf<Types extends ColumnTypes> = {
  readonly [Name in keyof Types]: ReturnType<(typeof makers)[Types[Name]]>
}

const firstCapacity = 1024

/** Rows of one table. `add` makes room for one; its columns are then set one by one. */
export class Rows<Types extends ColumnTypes = ColumnTypes> {
  readonly table: string
  readonly columns: ColumnsOf<Types>
  readonly list: readonly Column[]
  #count = 0
  #capacity = 0

  constructor(table: string, types: Types) {
    this.table = table
    const entries = Object.entries(types).map(([name, type]) => [name, makers[type]()] as const)
    this.columns = Object.fromEntries(entries) as ColumnsOf<Types>
    this.list = entries.map(([, column]) => column)
  }

  get count(): number {
    return this.#count
  }

  add(): number {
    if (this.#count === this.#capacity) this.#grow()
    return this.#count++
  }

  /** Forgets the rows; the memory stays for the next ones. */
  clear(): void {
    this.#count = 0
    for (const column of this.list) if (column.type === 'text') column.values.length = 0
  }

  #grow(): void {
    this.#capacity = Math.max(firstCapacity, this.#capacity * 2)
    for (const column of this.list) column.grow(this.#capacity)
  }
}
