export const peersEnvironment: { readonly NODE_PATH: string }
/** The module of DuckDB, or undefined where it is not installed. */
export const duckdb: unknown
/** The driver that the store takes for PostgreSQL, or undefined where its packages are not installed. */
export const postgresDriver: unknown

export interface PostgresServer {
  /** The address of a database of this name, which is made empty. */
  database(name: string): Promise<string>
  stop(): Promise<void>
}

/**
 * Starts a server in a temporary folder. Returns the reason, a text, where it can't be started. With `tls` it takes connections
 * over TLS only: `NAME.crt` and `NAME.key` are in the folder.
 */
export function startPostgres(options?: {
  readonly tls?: { readonly folder: string; readonly name: string }
}): Promise<PostgresServer | string>
/** Runs one statement on a connection of its own. */
export function statement(address: string, sql: string): Promise<Record<string, unknown>[]>
