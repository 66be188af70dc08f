import type { Clock } from '../../base/clock.js'
import { shown } from '../../base/shown.js'
import {
  cursorNameRule,
  cursorPath,
  FileReader,
  isCursorName,
  NodeDisk,
  readCursorFiles,
  removeCursorFile,
} from '../../log/index.js'
import { PoolError, poolClosed } from '../errors.js'
import type { CursorInfo, CursorInvalidation } from '../types.js'
import { Cursor, type CursorHolder, type CursorLog } from './cursor.js'
import { ReaderWatch } from './reader-watch.js'

/** Cursors that a pool may have. */
export const cursorsMax = 1024

/** A log that has cursors: one that this process writes, or follows. */
export interface CursoredLog extends CursorLog {
  readonly firstLsn: number
  readonly durableLsn: number
}

/** The named cursors of a pool: who holds which, what is stored, and what of the log they need. */
export class CursorStore {
  /** Called for each cursor that is invalidated while the pool runs. */
  onInvalidated: (invalidation: CursorInvalidation) => void = () => {}
  /** Readers outside, whose cursors this pool keeps the log for as well. */
  readonly outside: ReaderWatch
  readonly #log: CursoredLog
  readonly #keepBytes: number
  readonly #clock: Clock
  readonly #cursors = new Map<string, Cursor>()
  #closed = false

  /** Reads the cursors of a log's folder. One that is damaged fails when it is used, not here. */
  static async open(log: CursoredLog, options: { keepBytes: number; clock: Clock }): Promise<CursorStore> {
    const store = new CursorStore(log, options)
    for (const { name, record, reason } of await readCursorFiles(log.dir)) {
      const cursor = record
        ? Cursor.stored(log, options.clock, record)
        : Cursor.damaged(log, options.clock, name, reason!)
      store.#cursors.set(name, cursor)
      await store.#fit(cursor)
    }
    return store
  }

  private constructor(log: CursoredLog, options: { keepBytes: number; clock: Clock }) {
    this.#log = log
    this.#keepBytes = options.keepBytes
    this.outside = new ReaderWatch(log, options.keepBytes)
    this.#clock = options.clock
  }

  list(): CursorInfo[] {
    const { durableLsn } = this.#log
    return [...this.#cursors.values()]
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map(({ name, state, lsn, storedLsn, live, reason }) => {
        const known = state !== 'damaged'
        const lagBytes = known ? Math.max(0, durableLsn - lsn) : undefined
        return { name, state, live, lsn: known ? lsn : undefined, storedLsn, lagBytes, reason }
      })
  }

  /**
   * Where a subscription to this cursor begins, if it may.
   *
   * @throws PoolError `TIDEMARK_BAD_ARGUMENT`, `TIDEMARK_POOL_CLOSED`, `TIDEMARK_CURSOR_IN_USE`,
   *   `TIDEMARK_CURSOR_EXISTS` (`from` was given), `TIDEMARK_CURSOR_INVALIDATED`, `TIDEMARK_CURSOR_DAMAGED`.
   */
  startOf(name: unknown, from: number | undefined): number {
    if (!isCursorName(name)) {
      throw new PoolError(
        'TIDEMARK_BAD_ARGUMENT',
        `A cursor can't be named ${shown(name)}; use ${cursorNameRule}.`,
        { name },
      )
    }
    if (this.#closed) throw poolClosed()
    const cursor = this.#cursors.get(name)
    if (!cursor) {
      if (this.#cursors.size >= cursorsMax) {
        throw new PoolError(
          'TIDEMARK_BAD_ARGUMENT',
          `A pool has ${cursorsMax} cursors at most; drop one that is not needed.`,
          { name, cursorsMax },
        )
      }
      return from ?? this.#log.firstLsn
    }
    if (cursor.live) throw inUse(name)
    this.#checkUsable(cursor)
    if (from !== undefined) {
      throw new PoolError(
        'TIDEMARK_CURSOR_EXISTS',
        `The cursor ${name} is at LSN ${cursor.lsn}: subscribe without "from", or drop it first.`,
        { name, from, lsn: cursor.lsn },
      )
    }
    return cursor.lsn
  }

  /** Gives a cursor to a subscription; a new one begins at `lsn`, where a record must begin. See `startOf`. */
  hold(name: string, lsn: number, holder: CursorHolder): { cursor: Cursor; stored: Promise<void> } {
    const known = this.#cursors.get(name)
    // Another subscription may have taken it since `startOf`, out of a getter of this one's options.
    if (known?.live) throw inUse(name)
    const cursor = known ?? new Cursor(this.#log, this.#clock, name, lsn)
    cursor.holder = holder
    cursor.live = true
    this.#cursors.set(name, cursor)
    const stored = known ? Promise.resolve() : this.#create(cursor)
    return { cursor, stored }
  }

  /** Says that a subscription is closed. */
  release(cursor: Cursor, holder: CursorHolder): void {
    if (cursor.holder === holder) cursor.live = false
  }

  /**
   * Whether a subscription may acknowledge.
   *
   * @throws PoolError `TIDEMARK_CURSOR_INVALIDATED`, `TIDEMARK_POOL_CLOSED`, `TIDEMARK_SUBSCRIPTION_CLOSED` when
   *   another one has taken the cursor since, or it was dropped.
   */
  check(cursor: Cursor, holder: CursorHolder): void {
    const { name } = cursor
    if (this.#closed) throw poolClosed()
    if (cursor.holder !== holder || this.#cursors.get(name) !== cursor) {
      throw new PoolError(
        'TIDEMARK_SUBSCRIPTION_CLOSED',
        `This subscription to the cursor ${name} is closed, and has lost it.`,
        { name },
      )
    }
    this.#checkUsable(cursor)
  }

  /** Why a cursor can't be resumed; undefined when it can. After the close too, so that a loop ends with this error. */
  failureOf(cursor: Cursor): PoolError | undefined {
    return this.#unusable(cursor)
  }

  /** Whether cursors have gone to disk for the last time. */
  get closed(): boolean {
    return this.#closed
  }

  /**
   * Deletes a cursor, damaged or invalidated ones too; the log that it needed may go.
   *
   * @throws PoolError `TIDEMARK_UNKNOWN_CURSOR`, `TIDEMARK_CURSOR_IN_USE`, `TIDEMARK_POOL_CLOSED`; LogError
   *   `TIDEMARK_LOG_IO`.
   */
  async drop(name: string): Promise<void> {
    if (this.#closed) throw poolClosed()
    const cursor = this.#cursors.get(name)
    if (!cursor) {
      throw new PoolError('TIDEMARK_UNKNOWN_CURSOR', `There is no cursor ${shown(name)}.`, { name })
    }
    if (cursor.live) throw inUse(name)
    // No subscription may take it, or make it anew, until its file is removed.
    cursor.live = true
    cursor.dropping = true
    try {
      await cursor.settled()
      await removeCursorFile(this.#log.dir, name)
      this.#cursors.delete(name)
    } catch (error) {
      cursor.dropping = false
      throw error
    } finally {
      cursor.live = false
    }
  }

  /**
   * Before log goes: stores what is acknowledged, and gives up the cursors that lie further back than they may and
   * would lose log if everything below `limitLsn` went that no other cursor needs. `cut` says where the log would begin.
   */
  async giveUpBelow(limitLsn: number, cut: (limitLsn: number) => number): Promise<void> {
    await Promise.allSettled([...this.#cursors.values()].map((cursor) => cursor.flush()))
    const { durableLsn } = this.#log
    const lags = (cursor: Cursor) => durableLsn - cursor.neededLsn > this.#keepBytes
    const valid = [...this.#cursors.values()].filter(({ state }) => state === 'valid')
    const kept = valid.filter((cursor) => !lags(cursor)).map(({ neededLsn }) => neededLsn)
    const firstLsn = cut(Math.min(limitLsn, this.#damagedFloor(durableLsn), ...kept))
    for (const cursor of valid) {
      if (!lags(cursor) || cursor.neededLsn >= firstLsn) continue
      cursor.invalidate('invalidated')
      const { name, lsn } = cursor
      // On failure the log is removed all the same: the next opening finds that the cursor's log is gone.
      await cursor.flush().catch(() => {})
      this.onInvalidated({ name, lsn, lagBytes: durableLsn - lsn, keepBytes: this.#keepBytes })
    }
  }

  /** The LSN below which no cursor needs the log. */
  get floorLsn(): number {
    const valid = [...this.#cursors.values()].filter(({ state }) => state === 'valid')
    return Math.min(this.#damagedFloor(this.#log.durableLsn), ...valid.map(({ neededLsn }) => neededLsn))
  }

  /**
   * Ends the subscriptions that hold cursors, and stores what they acknowledged. Nothing can be acknowledged any more.
   *
   * @throws LogError `TIDEMARK_LOG_IO` when one could not be stored; the others are.
   */
  async close(): Promise<void> {
    this.#closed = true
    const cursors = [...this.#cursors.values()]
    for (const cursor of cursors) if (cursor.live) cursor.holder?.end()
    const outcomes = await Promise.allSettled(cursors.map((cursor) => cursor.flush()))
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
  }

  /** Of a damaged cursor only this is known: it may be as far back as a cursor can be. */
  #damagedFloor(durableLsn: number): number {
    const damaged = [...this.#cursors.values()].some(({ state }) => state === 'damaged')
    return damaged ? durableLsn - this.#keepBytes : Number.POSITIVE_INFINITY
  }

  /** Refuses a cursor that does not fit the log that was opened. */
  async #fit(cursor: Cursor): Promise<void> {
    if (cursor.state !== 'valid') return
    const { firstLsn, durableLsn } = this.#log
    if (cursor.lsn > durableLsn) cursor.invalidate('beyond-end')
    else if (cursor.lsn < firstLsn) cursor.invalidate('invalidated')
    // What can't be stored is found again by the next opening.
    await cursor.flush().catch(() => {})
  }

  /** Makes a new cursor's file, when a record begins where it begins. On failure the cursor is removed again. */
  async #create(cursor: Cursor): Promise<void> {
    try {
      await this.#checkStart(cursor.lsn)
      await cursor.flush()
    } catch (error) {
      this.#cursors.delete(cursor.name)
      cursor.dropping = true
      await cursor.settled()
      if (cursor.storedLsn !== undefined) await removeCursorFile(this.#log.dir, cursor.name).catch(() => {})
      throw error
    }
  }

  async #checkStart(lsn: number): Promise<void> {
    const { dir, durableLsn } = this.#log
    if (lsn === durableLsn) return
    const reader = new FileReader(new NodeDisk(), dir, lsn, { chunkBytes: 1 })
    try {
      await reader.next(durableLsn)
    } finally {
      reader.close()
    }
  }

  #checkUsable(cursor: Cursor): void {
    const error = this.#unusable(cursor)
    if (error) throw error
  }

  #unusable({ name, state, lsn, reason }: Cursor): PoolError | undefined {
    if (state === 'damaged') {
      const file = cursorPath(this.#log.dir, name)
      return new PoolError(
        'TIDEMARK_CURSOR_DAMAGED',
        `The cursor ${name} can't be read: ${reason}. Drop it, and begin "from" an LSN that you know.`,
        { name, file, reason },
      )
    }
    if (state === 'valid') return undefined
    const { firstLsn, durableLsn } = this.#log
    const what =
      state === 'invalidated'
        ? `the log after LSN ${lsn} was deleted, it begins at ${firstLsn} now`
        : `the log ends at ${durableLsn}, below the cursor's LSN ${lsn}`
    return new PoolError(
      'TIDEMARK_CURSOR_INVALIDATED',
      `The cursor ${name} can't continue: ${what}. Drop it, bring the consumer up to date, and begin anew.`,
      { name, lsn, state, firstLsn, durableLsn },
    )
  }
}

function inUse(name: string): PoolError {
  return new PoolError(
    'TIDEMARK_CURSOR_IN_USE',
    `The cursor ${name} is held by a subscription that is open; close that one first.`,
    { name },
  )
}
