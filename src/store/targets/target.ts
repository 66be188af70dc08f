import type { Rows } from '../schema/columns.js'
import type { Dialect } from '../schema/dialect.js'

/** What SQL takes as a parameter. */
export type SqlValue = string | number | bigint | boolean | null

/**
 * What a query gives: whole numbers as numbers, or as `bigint` where they are larger than 2^53 - 1, exact decimals as texts
 * without trailing zeros, times as texts in UTC ("2012-06-21T13:30:00.123456Z").
 */
type SqlResultValue = SqlValue | unknown

/** What a query gives. */
export interface QueryResult {
  /** The names of the columns. */
  readonly columns: readonly string[]
  /** The rows, by the names of the columns. */
  readonly rows: readonly Readonly<Record<string, SqlResultValue>>[]
  /** Rows that a statement inserted, updated or deleted. */
  readonly changed: number
}

/**
 * A database that a store keeps its tables in. All calls but `query` are made one after the other, by one writer. A
 * failure is a `StoreError`.
 */
export interface StoreTarget {
  /** What messages call it: a file, or an address without the password. */
  readonly name: string
  readonly dialect: Dialect
  /** Runs one statement on the writer's connection; parameters are `$1`, `$2`, … */
  run(sql: string, parameters?: readonly SqlValue[]): Promise<QueryResult>
  /** Runs `work` in one transaction: all of it is stored durably when this resolves, and nothing when it rejects. */
  transaction(work: () => Promise<void>): Promise<void>
  /** Appends rows to their table, as a part of the transaction that is under way. */
  append(rows: Rows): Promise<void>
  /** Runs a query beside the writer, which sees whole transactions only. */
  query(sql: string, parameters?: readonly SqlValue[]): Promise<QueryResult>
  close(): Promise<void>
}

export interface TargetOptions {
  /** Opens what is there, for queries only. */
  readonly readOnly: boolean
  /** The module of the target's package, where it can't be found by its name. */
  readonly driver: unknown
}

/** `StoreTarget.transaction` of a database whose statements `run` runs. */
export async function inTransaction(
  run: (sql: string) => Promise<unknown>,
  work: () => Promise<void>,
): Promise<void> {
  await run('BEGIN')
  try {
    await work()
    await run('COMMIT')
  } catch (error) {
    // What made it fail is reported: one that failed by itself is over, and without a connection the server rolls back.
    await run('ROLLBACK').catch(() => {})
    throw error
  }
}
