import { LatencyHistogram, type LatencySummary } from '../base/latency-histogram.js'
import { FolderTailer, firstLsnOf, NodeDisk } from '../log/index.js'
import { StoreError } from './errors.js'
import { foldOf } from './fold/folds.js'
import type { LogFold, StoreKind } from './fold/log-fold.js'
import { requireSameLog } from './log-identity.js'
import { logKindOf } from './log-kind.js'
import { LogSync } from './log-sync.js'
import { prepareSchema, requireSchema } from './prepare-schema.js'
import { type Progress, readProgress } from './progress.js'
import { openStoreCursor } from './store-cursor.js'
import { resolveStoreOptions, type StoreOptions, type StoreSettings } from './store-options.js'
import { openTarget } from './targets/open-target.js'
import type { QueryResult, SqlValue, StoreTarget } from './targets/target.js'

/** What a store has done since it was opened, and how late it is. */
export interface StoreStats {
  /** Everything up to here can be queried. */
  readonly storedLsn: number
  /** How far the log is known to be synced. */
  readonly syncedLsn: number
  /** How much of the log is not stored yet, in bytes. */
  readonly lagBytes: number
  /** How old the oldest record is that was read and can't be queried yet, in milliseconds. */
  readonly lagMs: number
  /** Rows that were written since the opening. */
  readonly rows: number
  /** Transactions since the opening. */
  readonly transactions: number
  /** From when the oldest record of each transaction was logged to when it could be queried; of records logged since the opening. */
  readonly latency: LatencySummary
}

interface Waiter {
  readonly lsn: number
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/**
 * The tables of a log in a database: what the log says, exactly once. The rows of a record and its LSN are stored in one
 * transaction, so that a store that is killed at any moment continues where its last transaction ended.
 *
 * It reads the log's files and needs nothing of the process that writes them; it only stores what is synced. Its cursor keeps
 * the log that it does not have yet from being deleted, as far as the log's settings allow.
 *
 * @example
 * ```js
 * import { EnginePool } from 'tidemark'
 * import { Store } from 'tidemark/store'
 *
 * const pool = await EnginePool.open({
 *   dir: './venue',
 *   instruments: [{ symbol: 'BTC-EUR', tickSize: '0.01', lotSize: '0.0001' }],
 * })
 * const store = await Store.open({ dir: './venue', to: './venue.duckdb' })
 * const { lsn } = await pool.submit({
 *   type: 'new', symbol: 'BTC-EUR', orderId: 1, account: 7, side: 'buy', orderType: 'limit', price: '9.50', quantity: '2',
 * })
 * await store.caughtUp(lsn)
 * const { rows } = await store.query('SELECT order_id, status, price FROM orders')
 * console.log(rows) // [ { order_id: 1, status: 'resting', price: '9.5' } ]
 * await store.close()
 * await pool.close()
 * ```
 */
export class Store {
  readonly #target: StoreTarget
  readonly #sync: LogSync | undefined
  readonly #waiters = new Set<Waiter>()
  readonly #ended: Promise<void>
  #end: { readonly error: Error } | undefined
  #closing: Promise<void> | undefined

  /**
   * Opens a store, and begins to store the log in `dir`, if that is given.
   *
   * @throws LogError `TIDEMARK_BAD_SETTING`, `TIDEMARK_LOG_KIND`, `TIDEMARK_LOG_IO`, `TIDEMARK_CURSOR_IN_USE`; StoreError.
   */
  static async open(options: StoreOptions): Promise<Store> {
    const settings = resolveStoreOptions(options)
    const { to, dir, driver } = settings
    const kind = dir === undefined ? undefined : logKindOf(dir)
    const target = await openTarget(to, { readOnly: dir === undefined, driver })
    try {
      if (dir === undefined || kind === undefined) {
        await requireSchema(target)
        return new Store(target, undefined)
      }
      await prepareSchema(target)
      return new Store(target, await beginSync(target, dir, kind, settings))
    } catch (error) {
      await target.close()
      throw error
    }
  }

  private constructor(target: StoreTarget, sync: LogSync | undefined) {
    this.#target = target
    this.#sync = sync
    if (sync) sync.onStored = () => this.#stored(sync.storedLsn)
    this.#ended = sync ? this.#run(sync) : Promise.resolve()
    // It is reported where it is asked for: `ended`, `caughtUp`.
    this.#ended.catch(() => {})
  }

  /** Resolves when nothing more will be stored: at the end of the log without `follow`, and after `close`. Rejects with the failure that ended it. */
  get ended(): Promise<void> {
    return this.#ended
  }

  /**
   * Resolves when everything up to an LSN can be queried, such as that of an acknowledgement.
   *
   * @throws StoreError `TIDEMARK_STORE_ENDED` when it will not be stored, with the failure that ended the store as its cause.
   */
  caughtUp(lsn: number): Promise<void> {
    const sync = this.#sync
    if (!sync || !(Number.isSafeInteger(lsn) && lsn >= 0))
      return Promise.reject(
        new StoreError(
          'TIDEMARK_STORE_ENDED',
          sync ? `${String(lsn)} is no LSN.` : 'This store was opened without a log, for queries only.',
          { lsn },
        ),
      )
    if (sync.storedLsn >= lsn) return Promise.resolve()
    if (this.#end) return Promise.reject(this.#notStored(lsn))
    sync.want(lsn)
    return new Promise((resolve, reject) => this.#waiters.add({ lsn, resolve, reject }))
  }

  /**
   * Runs a query; it sees whole transactions, and may run beside the storing. Parameters are `$1`, `$2`, …
   *
   * @throws StoreError `TIDEMARK_STORE_QUERY`.
   */
  query(sql: string, parameters: readonly SqlValue[] = []): Promise<QueryResult> {
    return this.#target.query(sql, parameters)
  }

  /** How far the store is. */
  stats(): StoreStats {
    const sync = this.#sync
    const storedLsn = sync?.storedLsn ?? 0
    const syncedLsn = sync?.syncedLsn ?? 0
    return {
      storedLsn,
      syncedLsn,
      lagBytes: syncedLsn - storedLsn,
      lagMs: sync?.lagMs ?? 0,
      rows: sync?.rows ?? 0,
      transactions: sync?.transactions ?? 0,
      latency: sync?.latency ?? noLatency,
    }
  }

  /** Stores what was read, and closes the database. A failure that ended the storing is not thrown again: see `ended`. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#sync?.stop()
    await this.#ended.catch(() => {})
    await this.#target.close()
  }

  async #run(sync: LogSync): Promise<void> {
    let failure: unknown
    try {
      await sync.run()
    } catch (error) {
      failure = error
      throw error
    } finally {
      this.#end = { error: failure instanceof Error ? failure : new Error('The store was closed.') }
      for (const { lsn, reject } of this.#waiters) reject(this.#notStored(lsn))
      this.#waiters.clear()
    }
  }

  #stored(storedLsn: number): void {
    for (const waiter of this.#waiters) {
      if (waiter.lsn > storedLsn) continue
      this.#waiters.delete(waiter)
      waiter.resolve()
    }
  }

  #notStored(lsn: number): StoreError {
    const storedLsn = this.#sync?.storedLsn
    const { error } = this.#end!
    return new StoreError(
      'TIDEMARK_STORE_ENDED',
      `Nothing more is stored after LSN ${storedLsn}, so LSN ${lsn} is not: ${error.message}`,
      { lsn, storedLsn },
      { cause: error },
    )
  }
}

const noLatency: LatencySummary = new LatencyHistogram().snapshot()

async function beginSync(
  target: StoreTarget,
  dir: string,
  kind: StoreKind,
  settings: StoreSettings,
): Promise<LogSync> {
  const disk = new NodeDisk()
  const progress = await readProgress(target, kind)
  const firstLsn = firstLsnOf(disk, dir) ?? 0
  if (!progress && firstLsn > 0) throw beginningGone(target.name, dir, firstLsn)
  const fromLsn = progress?.lsn ?? 0
  const tailer = await openTailer(disk, dir, target.name, progress, firstLsn)
  try {
    const fold: LogFold = foldOf(kind)
    await fold.begin(target)
    const name = settings.cursor
    const cursor = name === undefined ? undefined : await openStoreCursor(dir, name, fromLsn)
    return new LogSync({ target, tailer, fold, progress, cursor }, fromLsn, { ...settings, dir })
  } catch (error) {
    tailer.close()
    throw error
  }
}

async function openTailer(
  disk: NodeDisk,
  dir: string,
  target: string,
  progress: Progress | undefined,
  firstLsn: number,
): Promise<FolderTailer> {
  const tailer = new FolderTailer(disk, dir, Math.max(firstLsn, progress?.lsn ?? 0))
  try {
    if (!progress) return tailer
    await tailer.look()
    await requireSameLog(dir, target, progress, firstLsn, tailer)
    return tailer
  } catch (error) {
    tailer.close()
    throw error
  }
}

function beginningGone(target: string, dir: string, firstLsn: number): StoreError {
  return new StoreError(
    'TIDEMARK_STORE_LOG_GONE',
    `${target} holds nothing of this log yet, and the one in ${dir} begins at LSN ${firstLsn}: what came before was removed, and a store needs it from the beginning. Begin it from a backup that has it.`,
    { dir, target, firstLsn },
  )
}
