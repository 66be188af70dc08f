import * as path from 'node:path'
import { afterAll, it } from 'vitest'
import { duckdb, postgresDriver, startPostgres } from './postgres-server.mjs'

export { duckdb, peersEnvironment, statement } from './postgres-server.mjs'

/** A target that a test can be run against. */
export interface TestTarget {
  readonly name: 'duckdb' | 'postgres'
  readonly driver: unknown
  /** The address of a store that holds nothing yet. */
  fresh(dir: string): Promise<string>
}

/**
 * The targets that can be had here; says on standard error which cannot. To be called while tests are collected: the server
 * ends with the test file.
 */
export async function storeTargets(): Promise<TestTarget[]> {
  const targets: TestTarget[] = []
  if (duckdb) {
    targets.push({
      name: 'duckdb',
      driver: duckdb,
      fresh: async (dir) => path.join(dir, `store-${freshName()}.duckdb`),
    })
  } else skipped('DuckDB', 'its package is not installed (npm ci --prefix test/peers)')
  const server = await startPostgres()
  if (typeof server === 'string') skipped('PostgreSQL', server)
  else {
    afterAll(() => server.stop())
    targets.push({
      name: 'postgres',
      driver: postgresDriver,
      fresh: () => server.database(`store_${freshName()}`),
    })
  }
  // A file without a test would count as one that fails.
  if (targets.length === 0) it.skip('is not tested: neither DuckDB nor PostgreSQL is here', () => {})
  return targets
}

function skipped(target: string, reason: string): void {
  process.stderr.write(`SKIPPED: the store is not tested with ${target}: ${reason}.\n`)
}

let names = 0
function freshName(): string {
  return `${process.pid}_${names++}`
}
