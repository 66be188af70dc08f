import { existsSync } from 'node:fs'
import { reasonText, StoreError } from '../errors.js'
import type { Column, ColumnType, Rows } from '../schema/columns.js'
import { duckdbDialect } from '../schema/dialect.js'
import { requirePackage } from './packages.js'
import {
  inTransaction,
  type QueryResult,
  type SqlValue,
  type StoreTarget,
  type TargetOptions,
} from './target.js'
import { decimalText, timeText, wholeNumber } from './values.js'

/** What is used of `@duckdb/node-api`. */
interface DuckDB {
  readonly DuckDBInstance: { create(path: string, options: Record<string, string>): Promise<Instance> }
  readonly DuckDBDataChunk: { create(types: readonly unknown[], rowCount?: number): DataChunk }
  readonly SMALLINT: unknown
  readonly INTEGER: unknown
  readonly BIGINT: unknown
  readonly DOUBLE: unknown
  readonly TIMESTAMP: unknown
  readonly VARCHAR: unknown
}
interface Instance {
  connect(): Promise<Connection>
  closeSync(): void
}
interface Connection {
  run(sql: string, values?: readonly SqlValue[]): Promise<Result>
  createAppender(table: string): Promise<Appender>
  closeSync(): void
}
interface Result {
  readonly rowsChanged: number
  deduplicatedColumnNames(): string[]
  getRows(): Promise<unknown[][]>
}
interface Appender {
  appendDataChunk(chunk: DataChunk): void
  flushSync(): void
  closeSync(): void
}
interface DataChunk {
  rowCount: number
  reset(): void
  getColumnVector(index: number): Vector
}
interface Vector {
  readonly items: { set(values: ArrayLike<number> | ArrayLike<bigint>): void }
  setItem(index: number, value: string | null): void
  flush(): void
}

/** Rows that DuckDB takes at once. */
const chunkRows = 2048

/** A store in a file of DuckDB, which runs within this process. One process at a time has the file open. */
export class DuckDBTarget implements StoreTarget {
  readonly name: string
  readonly dialect = duckdbDialect
  readonly #driver: DuckDB
  readonly #instance: Instance
  readonly #writer: Connection
  #reader: Promise<Connection> | undefined

  /** @throws StoreError */
  static async open(file: string, { readOnly, driver }: TargetOptions): Promise<DuckDBTarget> {
    const duckdb = (driver ?? requirePackage('@duckdb/node-api', 'DuckDB', '@duckdb/node-api')) as DuckDB
    if (readOnly && !existsSync(file)) {
      throw new StoreError('TIDEMARK_STORE_MISSING', `There is no file ${file}.`, { file })
    }
    try {
      const instance = await duckdb.DuckDBInstance.create(file, readOnly ? { access_mode: 'READ_ONLY' } : {})
      return new DuckDBTarget(duckdb, file, instance, await instance.connect())
    } catch (error) {
      throw openingError(file, error)
    }
  }

  private constructor(driver: DuckDB, file: string, instance: Instance, writer: Connection) {
    this.#driver = driver
    this.name = file
    this.#instance = instance
    this.#writer = writer
  }

  async run(sql: string, parameters: readonly SqlValue[] = []): Promise<QueryResult> {
    try {
      return await resultOf(await this.#writer.run(sql, parameters))
    } catch (error) {
      throw this.#failed(error)
    }
  }

  transaction(work: () => Promise<void>): Promise<void> {
    return inTransaction((sql) => this.run(sql), work)
  }

  async append(rows: Rows): Promise<void> {
    try {
      const appender = await this.#writer.createAppender(rows.table)
      const chunk = this.#driver.DuckDBDataChunk.create(rows.list.map(({ type }) => this.#typeOf(type)))
      for (let from = 0; from < rows.count; from += chunkRows) {
        const to = Math.min(rows.count, from + chunkRows)
        if (from > 0) chunk.reset()
        chunk.rowCount = to - from
        for (const [index, column] of rows.list.entries())
          fill(chunk.getColumnVector(index), column, from, to)
        appender.appendDataChunk(chunk)
      }
      appender.closeSync()
    } catch (error) {
      throw this.#failed(error)
    }
  }

  async query(sql: string, parameters: readonly SqlValue[] = []): Promise<QueryResult> {
    try {
      this.#reader ??= this.#instance.connect()
      return await resultOf(await (await this.#reader).run(sql, parameters))
    } catch (cause) {
      throw new StoreError(
        'TIDEMARK_STORE_QUERY',
        `The query failed: ${reasonText(cause)}.`,
        { sql },
        { cause },
      )
    }
  }

  async close(): Promise<void> {
    ;(await this.#reader?.catch(() => undefined))?.closeSync()
    this.#writer.closeSync()
    this.#instance.closeSync()
  }

  #typeOf(type: ColumnType): unknown {
    const { SMALLINT, INTEGER, BIGINT, DOUBLE, TIMESTAMP, VARCHAR } = this.#driver
    return {
      int16: SMALLINT,
      int32: INTEGER,
      int64: BIGINT,
      float64: DOUBLE,
      time: TIMESTAMP,
      text: VARCHAR,
    }[type]
  }

  #failed(cause: unknown): StoreError {
    return new StoreError(
      'TIDEMARK_STORE_WRITE',
      `DuckDB could not write to ${this.name}: ${reasonText(cause)}.`,
      { target: this.name },
      { cause },
    )
  }
}

function fill(vector: Vector, column: Column, from: number, to: number): void {
  if (column.type === 'text') {
    for (let row = from; row < to; row++) vector.setItem(row - from, column.values[row] ?? null)
  } else {
    vector.items.set(column.values.subarray(from, to))
  }
  vector.flush()
}

async function resultOf(result: Result): Promise<QueryResult> {
  const columns = result.deduplicatedColumnNames()
  const rows = (await result.getRows()).map((values) =>
    Object.fromEntries(columns.map((name, i) => [name, plainValue(values[i])])),
  )
  return { columns, rows, changed: result.rowsChanged }
}

/** DuckDB's own values as plain ones: decimals and times as texts, small whole numbers as numbers. */
function plainValue(value: unknown): unknown {
  if (typeof value === 'bigint') return wholeNumber(value)
  if (typeof value !== 'object' || value === null) return value
  if ('micros' in value && typeof value.micros === 'bigint') {
    return value.constructor.name.startsWith('DuckDBTimestamp') ? timeText(value.micros) : String(value)
  }
  if ('scale' in value) return decimalText(String(value))
  if ('items' in value && Array.isArray(value.items)) return value.items.map(plainValue)
  return String(value)
}

function openingError(file: string, cause: unknown): StoreError {
  const text = String((cause as Error).message)
  const details = { file }
  if (/Could not set lock|Conflicting lock|being used by another process/.test(text)) {
    return new StoreError(
      'TIDEMARK_STORE_IN_USE',
      `${file} is open in another process, and DuckDB lets one in at a time: close it there, or query through the program that has it open.`,
      details,
      { cause },
    )
  }
  if (/not a valid DuckDB|wrong magic|Cannot open database.*database file|unable to read/i.test(text)) {
    return new StoreError('TIDEMARK_STORE_TARGET', `${file} is not a database of DuckDB.`, details, { cause })
  }
  return new StoreError(
    'TIDEMARK_STORE_UNREACHABLE',
    `DuckDB could not open ${file}: ${reasonText(cause)}.`,
    details,
    { cause },
  )
}
