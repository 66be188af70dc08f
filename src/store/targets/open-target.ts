import { StoreError } from '../errors.js'
import { DuckDBTarget } from './duckdb.js'
import { PostgresTarget } from './postgres.js'
import type { StoreTarget, TargetOptions } from './target.js'

/**
 * Opens what an address names: `postgres://…` a database of PostgreSQL, a path a file of DuckDB.
 *
 * @throws StoreError `TIDEMARK_STORE_TARGET` for an address of anything else, and what the target throws.
 */
export function openTarget(address: string, options: TargetOptions): Promise<StoreTarget> {
  const [, scheme] = /^([a-z][a-z0-9+.-]+):\/\//i.exec(address) ?? []
  if (scheme === undefined) return DuckDBTarget.open(address, options)
  if (scheme === 'postgres' || scheme === 'postgresql') return PostgresTarget.open(address, options)
  throw new StoreError(
    'TIDEMARK_STORE_TARGET',
    `There is no target for ${scheme}://; use the path of a DuckDB file, or postgres://….`,
    { scheme },
  )
}
