import { TidemarkError } from '../base/errors.js'

/** The codes of a `StoreError`. */
export type StoreErrorCode =
  /** The address of the store is of no known target, or has options that are not safe or not known. Remedy: Use the path of a DuckDB file, or `postgres://…`. */
  | 'TIDEMARK_STORE_TARGET'
  /** The package of the target is not installed, or can't be loaded on this platform. Remedy: Install what the message names. */
  | 'TIDEMARK_STORE_PACKAGE_MISSING'
  /** The database does not answer or refuses the connection. What was stored stays. Remedy: Mend what the message says; the sync continues where it was. See the [runbook](runbooks.md#a-store-is-late). */
  | 'TIDEMARK_STORE_UNREACHABLE'
  /** Another process has the store open for writing. Remedy: Stop that one, or query through it. */
  | 'TIDEMARK_STORE_IN_USE'
  /** There is no file of this name. Remedy: Check the path; `tidemark store sync` makes one. */
  | 'TIDEMARK_STORE_MISSING'
  /** The database holds no store, or one of a schema version that this build does not read. Remedy: Sync it once, which migrates it; use a later build where the store is newer. */
  | 'TIDEMARK_STORE_SCHEMA'
  /** The store was made from another log. Remedy: Use another store, or the log that it is of. */
  | 'TIDEMARK_STORE_OTHER_LOG'
  /** The store has more of the log than the folder has: the folder was restored from an earlier copy. Remedy: Use another store, or delete this one and store the log anew. */
  | 'TIDEMARK_STORE_AHEAD'
  /** What the store would read next was deleted from the log. Remedy: Store it anew from a backup or archive that has it; raise `cursorKeepBytes`. */
  | 'TIDEMARK_STORE_LOG_GONE'
  /** The cursor of the store can't be written into the folder of the log. Remedy: Give the right to write, or store without a cursor; then log is not kept for the store. */
  | 'TIDEMARK_STORE_CURSOR'
  /** Rows that the log changes are not in the store: another program changed it. Remedy: Store the log anew, and let nothing else write there. */
  | 'TIDEMARK_STORE_DIFFERS'
  /** The database refused a write. The transaction was rolled back, and nothing of it is stored. Remedy: Mend what the message says, such as a full disk. */
  | 'TIDEMARK_STORE_WRITE'
  /** The database refused a query. `details.sql` is its text. Remedy: Correct the query; [store-schema.md](store-schema.md) has the tables. */
  | 'TIDEMARK_STORE_QUERY'
  /** Nothing more is stored, so what was waited for does not come; or the store was opened for queries only. Remedy: Look at `cause`, and open the store again with a log. */
  | 'TIDEMARK_STORE_ENDED'

/** An error of a store. What was stored before it stays; the log is not concerned. */
export class StoreError extends TidemarkError {
  override readonly name = 'StoreError'
  /** What went wrong: one of the codes of docs/errors.md. */
  declare readonly code: StoreErrorCode

  constructor(
    code: StoreErrorCode,
    message: string,
    details: Record<string, unknown> = {},
    options?: ErrorOptions,
  ) {
    super(code, message, details, options)
  }
}

/** What a database says of a failure, in one line that can stand at the end of a sentence. */
export function reasonText(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return text
    .split('\n', 1)[0]!
    .trim()
    .replace(/[.\s]+$/, '')
}
