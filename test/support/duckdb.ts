import { createRequire } from 'node:module'
import * as path from 'node:path'
import { root } from './run-script.js'

interface Connection {
  runAndReadAll(sql: string): Promise<{ getRowObjectsJson(): Record<string, unknown>[] }>
  closeSync(): void
}

interface DuckDB {
  DuckDBInstance: { create(file: string): Promise<{ connect(): Promise<Connection>; closeSync(): void }> }
}

/** Where the databases stand that tests run against; `npm ci --prefix test/peers` installs them. */
const peers = createRequire(path.join(root, 'test/peers/package.json'))

/** Whether DuckDB is installed there. */
export function hasDuckDB(): boolean {
  try {
    peers.resolve('@duckdb/node-api')
    return true
  } catch {
    return false
  }
}

/** Asks a DuckDB in memory. Numbers of 64 bits, decimals and times come as texts. */
export async function duckdb(sql: string): Promise<Record<string, unknown>[]> {
  const { DuckDBInstance } = peers('@duckdb/node-api') as DuckDB
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  try {
    await connection.runAndReadAll("SET TimeZone = 'UTC'")
    return (await connection.runAndReadAll(sql)).getRowObjectsJson()
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

/** A list of files as SQL takes it. */
export function fileList(files: readonly string[]): string {
  return `[${files.map((file) => `'${file.replaceAll("'", "''")}'`).join(', ')}]`
}
