import { badSetting, checkOptions, cursorNameRule, isCursorName, optionNames } from '../log/index.js'
import { storeCursorName } from './store-cursor.js'

/** What a store is opened with. */
export interface StoreOptions {
  /** Where the tables are: the path of a DuckDB file, which is made when it is not there, or `postgres://…`. */
  readonly to: string
  /**
   * The folder of the log that is stored; another process may have it open. Default: none, and the store is opened for
   * queries only.
   */
  readonly dir?: string | undefined
  /** Whether to wait for more at the end of the log. Default true. */
  readonly follow?: boolean | undefined
  /**
   * The name of the store's cursor on the log: what the store does not have yet is not deleted, as far as the log's settings allow
   * (`cursorKeepBytes`). It is a file in the log's folder. `false`: none, and nothing is written there. Default: a name made of `to`.
   */
  readonly cursor?: string | false | undefined
  /** Rows of one transaction, about: 1,000 to 1,000,000. Default 50,000. */
  readonly transactionRows?: number | undefined
  /** How long a record waits for others, so that they are committed together, in milliseconds: 0 to 60,000. Default 100. */
  readonly transactionDelayMs?: number | undefined
  /**
   * The module of the target's package, for programs in which tidemark can't find it by itself: what
   * `import('@duckdb/node-api')` gives, or `{ pg, copyFrom }`, which are the module `pg` and `from` of `pg-copy-streams`.
   */
  readonly driver?: unknown
}

const storeOptions = optionNames<StoreOptions>({
  to: true,
  dir: true,
  follow: true,
  cursor: true,
  transactionRows: true,
  transactionDelayMs: true,
  driver: true,
})

export interface StoreSettings {
  readonly to: string
  readonly dir: string | undefined
  readonly follow: boolean
  readonly cursor: string | undefined
  readonly transactionRows: number
  readonly transactionDelayMs: number
  readonly driver: unknown
}

/** @throws LogError `TIDEMARK_BAD_SETTING`. */
export function resolveStoreOptions(options: StoreOptions): StoreSettings {
  checkOptions('Store.open', options, storeOptions)
  const { to, dir, follow = true, cursor, driver } = options
  const { transactionRows = 50_000, transactionDelayMs = 100 } = options
  if (typeof to !== 'string' || to === '') throw badSetting('to', to, 'the path of a file or postgres://…')
  if (dir !== undefined && (typeof dir !== 'string' || dir === '')) throw badSetting('dir', dir, 'a path')
  if (typeof follow !== 'boolean') throw badSetting('follow', follow, 'true or false')
  if (cursor !== undefined && cursor !== false && !isCursorName(cursor))
    throw badSetting('cursor', cursor, `${cursorNameRule}, or false`)
  requireWhole('transactionRows', transactionRows, 1000, 1_000_000)
  requireWhole('transactionDelayMs', transactionDelayMs, 0, 60_000)
  const name = cursor === false ? undefined : (cursor ?? storeCursorName(to))
  return { to, dir, follow, cursor: name, transactionRows, transactionDelayMs, driver }
}

function requireWhole(setting: string, value: number, min: number, max: number): void {
  if (!(Number.isInteger(value) && value >= min && value <= max))
    throw badSetting(setting, value, `a whole number from ${min} to ${max}`)
}
