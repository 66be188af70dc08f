import { randomBytes, randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { callUser, Emitter } from '../base/emitter.js'
import { endAll } from '../base/end-all.js'
import { Ledger } from '../ledger/index.js'
import {
  connectReplicatedLog,
  type FollowedChange,
  type Holder,
  NodeDisk,
  promote,
  type ReplicatedEntry,
  type ReplicatedLog,
  type ReplicationEpoch,
  ReplicationError,
  type StandbyLease,
} from '../log/index.js'
import type {
  Depth,
  DigestAnswer,
  EnginePool,
  HighestOrderIdAnswer,
  Instrument,
  LastRequestAnswer,
  OpenOrdersOptions,
  OpenOrdersPage,
  OrderAnswer,
} from '../pool/index.js'
import { FollowingPool } from '../pool/index.js'
import { announce } from './announcement.js'
import { findFork, prepareFolder } from './folder.js'
import { Following } from './following.js'
import { resolveStandby, type StandbyOptions, type StandbySettings } from './options.js'
import type { Stale, StandbyEvents, StandbyStats } from './standby-stats.js'

/** Entries of the tail are put on disk together, about so many bytes at a time. */
const tailBytes = 4 * 1024 * 1024
/** Entries so far below the end of the copy are compared with it before it is followed. */
const comparedBytes = 16 * 1024 * 1024
const againMs = 50
/** How often one that has more than was replicated looks whether another epoch continued without it. */
const forkLookMs = 200

/**
 * A warm standby: a copy of a pool's log, byte for byte, in a folder of its own, with books that are kept up to date by
 * executing every command again. Promoted, it becomes an `EnginePool` in this process.
 *
 * Events:
 * - `rejoined`, when its folder's log continued without the replicated log, and was cut where it left it: what came after is
 *   in the folder `aside`;
 * - `caughtUp`, when it has all that the replicated log held when it began to follow, and each time that it read it anew;
 * - `holder`, when there is another primary, or none any more;
 * - `silent`, each time that the engine has given no answer for long;
 * - `promoted`, with the pool, also when it promoted itself; `fenced`, when another one was faster: it continues to follow;
 * - `checkpointFailed`, for each checkpoint that failed; the last one stays;
 * - `error`, once: it ended. Close it and open it again, when what the error says is done.
 */
export class Standby extends Emitter<StandbyEvents> {
  readonly #settings: StandbySettings
  readonly #log: ReplicatedLog
  #pool!: FollowingPool
  #following!: Following
  #lease: StandbyLease | undefined
  #epoch: ReplicationEpoch | undefined
  #holder: Holder | undefined
  #holderSeen = false
  #caughtUp = false
  #role: StandbyStats['role'] = 'seeding'
  #promoting: Promise<EnginePool> | undefined
  #alone: NodeJS.Timeout | undefined
  /** Ends what would hold a close up. */
  readonly #ending = new AbortController()
  #forkLook: NodeJS.Timeout | undefined
  #beginning: Promise<void> | undefined
  #closing: Promise<void> | undefined
  #failure: Error | undefined

  /**
   * Opens a standby in a folder: brings what is there up to date, or seeds it, and follows the log.
   *
   * @throws LogError `TIDEMARK_BAD_SETTING`, `TIDEMARK_LOG_LOCKED`, `TIDEMARK_LOG_KIND`, `TIDEMARK_LOG_CORRUPT`,
   *   `TIDEMARK_LOG_IO`, `TIDEMARK_RULES_DIFFER`, `TIDEMARK_REPLAY_DIFFERS`; ReplicationError `TIDEMARK_STANDBY_BEHIND` when it
   *   must be seeded and has no `seed`, `TIDEMARK_LOG_DIVERGED`, `TIDEMARK_SEED_FAILED`, `TIDEMARK_BAD_SETTING`, and others of
   *   the engine.
   */
  static async open(options: StandbyOptions): Promise<Standby> {
    const settings = resolveStandby(options)
    const standby = new Standby(settings, await connectReplicatedLog(settings.engine, settings.pool))
    try {
      await standby.#begin()
    } catch (error) {
      await standby.close()
      throw error
    }
    return standby
  }

  private constructor(settings: StandbySettings, log: ReplicatedLog) {
    super()
    this.#settings = settings
    this.#log = log
  }

  /** LSN up to which the copy is on this disk. */
  get lsn(): number {
    return this.#pool.log.durableLsn
  }

  /** The folder of the standby. */
  get dir(): string {
    return this.#settings.dir
  }

  /** The name that the other standbys know it by. */
  get name(): string {
    return this.#settings.name
  }

  /** How far the standby is, and what it does. */
  stats(): StandbyStats {
    const pool = this.#pool as FollowingPool | undefined
    return {
      name: this.name,
      role: this.#role,
      lsn: pool?.log.durableLsn ?? 0,
      epoch: this.#epoch?.n ?? 0,
      holder: this.#holder,
      caughtUp: this.#caughtUp,
      checkpoints: pool?.checkpointStats(),
    }
  }

  /** As `EnginePool.depth`, as of what was replayed here. */
  depth(symbol: string, levels = 10): Promise<Stale<Depth>> {
    return this.#ask((questions) => questions.depth(symbol, levels))
  }

  /** As `EnginePool.order`, as of what was replayed here. */
  order(symbol: string, orderId: number): Promise<Stale<OrderAnswer>> {
    return this.#ask((questions) => questions.order(symbol, orderId))
  }

  /** As `EnginePool.openOrders`, as of what was replayed here. */
  openOrders(options: OpenOrdersOptions): Promise<Stale<OpenOrdersPage>> {
    return this.#ask((questions) => questions.openOrders(options))
  }

  /** As `EnginePool.highestOrderId`, as of what was replayed here. */
  highestOrderId(symbol: string): Promise<Stale<HighestOrderIdAnswer>> {
    return this.#ask((questions) => questions.highestOrderId(symbol))
  }

  /** As `EnginePool.lastRequestId`, as of what was replayed here. */
  lastRequestId(account: number, symbol: string): Promise<Stale<LastRequestAnswer>> {
    return this.#ask((questions) => questions.lastRequestId(account, symbol))
  }

  /** As `EnginePool.digest`, as of what was replayed here. */
  digest(): Promise<Stale<DigestAnswer>> {
    return this.#ask((questions) => questions.digest())
  }

  /** The instruments that were replayed here. */
  instruments(): Instrument[] {
    return this.#pool.instruments()
  }

  /**
   * Makes this standby the primary: takes the next epoch, so that the primary before it can append nothing more, reads what that one
   * appended until then, and continues as a pool with the books as they are. The standby is over then; close the pool in its place.
   *
   * It makes no difference whether the primary lives: its next append is refused, and it ends with `TIDEMARK_FENCED`.
   *
   * @throws ReplicationError `TIDEMARK_FENCED` when another one took the epoch: this one continues to follow. What else
   *   it throws ended the standby.
   */
  async promote(): Promise<EnginePool> {
    this.#checkUsable()
    if (this.#role === 'seeding') throw isSeeding(this.dir)
    this.#promoting ??= this.#promote().finally(() => {
      this.#promoting = undefined
    })
    return this.#promoting
  }

  /** Ends it, unless it was promoted: then only the pool is left to close. */
  close(): Promise<void> {
    this.#closing ??= this.#end()
    return this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #ask<T extends object>(
    ask: (questions: FollowingPool['questions']) => Promise<T>,
  ): Promise<Stale<T>> {
    this.#checkUsable()
    return { ...(await ask(this.#pool.questions)), stale: true }
  }

  async #begin(): Promise<void> {
    const { dir, seed, onSeeding, poolOptions } = this.#settings
    this.#role = 'seeding'
    // Before the lineage is read: what an epoch after this one makes of it is noticed when this one is to be followed. Its primary gets
    // the time of a lease from then on, as in `#newEpoch`.
    this.#epoch = await this.#log.epoch()
    this.#holderSeen = false
    const { taken, fork } = await prepareFolder(dir, this.#log, seed, {
      onProgress: (done, total) => callUser(() => onSeeding(done, total)),
      signal: this.#ending.signal,
    })
    if (fork) this.emit('rejoined', { forkLsn: fork.lsn, epoch: fork.n, aside: fork.aside })
    const pool = await FollowingPool.open(poolOptions, taken, Ledger.follow)
    this.#pool = pool
    pool.onFailed = (error) => this.#fail(error)
    pool.onCheckpointFailed = (failure) => this.emit('checkpointFailed', failure)
    if (!this.#lease) await this.#announce()
    this.#lease?.report(this.lsn)
    await this.#follow()
  }

  /** One that has lost its name to another is no longer listed among the standbys: it ends, as its opening would have been refused. */
  async #announce(): Promise<void> {
    const lease = await announce(this.#log, this.#settings, this.lsn)
    this.#lease = lease
    void lease.ended.then((error) => {
      if (error) this.#fail(error)
    })
  }

  /**
   * Follows from the end of the copy, or from before: what is in the window and in the copy is compared on the way. A folder that
   * was the primary's may have more than was replicated: it keeps it, until another epoch has gone on without it.
   */
  async #follow(): Promise<void> {
    const { beginLsn, endLsn } = await this.#log.window()
    this.#role = 'standby'
    const comparedLsn = Math.max(this.lsn - comparedBytes, this.#pool.log.firstLsn, beginLsn)
    const following = new Following(this.#log, Math.min(comparedLsn, this.lsn, endLsn), {
      append: (entries) => this.#append(entries),
      changed: (change) => this.#changed(change),
    })
    this.#following = following
    following.ended.catch((error) => this.#interrupted(error))
    clearInterval(this.#forkLook)
    if (endLsn < this.lsn) this.#forkLook = setInterval(() => void this.#lookForFork(), forkLookMs)
  }

  /** Whether another epoch has gone on without what is here alone. */
  async #lookForFork(): Promise<void> {
    if (this.#role !== 'standby') return
    const fork = await findFork(new NodeDisk(), this.dir, this.#log).catch(() => undefined)
    if (fork && this.#role === 'standby') this.#beginAgain()
  }

  async #append(entries: readonly ReplicatedEntry[]): Promise<void> {
    await this.#pool.append(entries)
    this.#lease?.report(this.lsn)
  }

  #changed(change: Exclude<FollowedChange, { kind: 'entry' }>): void {
    if (change.kind === 'epoch') this.#newEpoch(change.epoch)
    else if (change.kind === 'silent') this.emit('silent', change.error)
    else if (change.kind === 'caught-up') {
      this.#caughtUp = true
      this.emit('caughtUp', this.lsn)
      this.#watchHolder()
    } else {
      this.#holder = change.holder
      this.emit('holder', change.holder)
      this.#watchHolder()
    }
  }

  /** The primary that took an epoch gets the time of a lease to hold the log, and may die before it does. */
  #newEpoch(epoch: ReplicationEpoch): void {
    if (epoch.token === this.#epoch?.token) return
    this.#epoch = epoch
    this.#holderSeen = false
    this.#watchHolder()
  }

  /** Promotes itself when the primary that it has seen is gone, or when there was none for as long as a lease lasts. */
  #watchHolder(): void {
    clearTimeout(this.#alone)
    if (this.#holder) this.#holderSeen = true
    if (!this.#settings.autoPromote || this.#holder || !this.#caughtUp || !this.#epoch) return
    const waitMs = this.#holderSeen ? 0 : this.#settings.leaseMs
    this.#alone = setTimeout(() => {
      if (this.#closing || this.#failure || this.#holder || this.#role !== 'standby') return
      this.promote().catch(() => {})
    }, waitMs)
  }

  async #promote(): Promise<EnginePool> {
    const segmentEpoch = randomBytes(8).readBigUInt64LE()
    // Of two standbys at the same moment both have seen the same epoch, and one of them takes the next. One that has not heard of
    // another's promotion yet does not end that one's time.
    const after = this.#epoch
    this.#role = 'promoting'
    let tail: ReplicatedEntry[] = []
    let bytes = 0
    const keep = async () => {
      await this.#following.stop()
      const entries = tail
      tail = []
      bytes = 0
      if (entries.length > 0) await this.#pool.append(entries)
    }
    try {
      const { endLsn } = await this.#log.window()
      const { epoch } = await promote(this.#log, {
        owner: randomUUID(),
        fromLsn: Math.min(this.lsn, endLsn),
        segmentEpoch,
        after,
        keep: async (entry) => {
          tail.push(entry)
          bytes += entry.bytes.byteLength
          if (bytes >= tailBytes) await keep()
        },
        sync: async (endLsn) => {
          await keep()
          await this.#checkRest(endLsn)
        },
        ownEndLsn: () => this.lsn,
        again: async (error) => {
          if (this.#ending.signal.aborted) throw error
          await sleep(againMs)
        },
      })
      return await this.#lead(epoch, segmentEpoch)
    } catch (error) {
      return await this.#notPromoted(error as Error)
    }
  }

  /**
   * What is here alone is shipped by the primary that this becomes; not so if an epoch since then has its own beginning there. The
   * epoch is taken, so none comes in between.
   */
  async #checkRest(endLsn: number): Promise<void> {
    if (this.lsn <= endLsn || !(await findFork(new NodeDisk(), this.dir, this.#log))) return
    throw new ReplicationError(
      'TIDEMARK_LOG_DIVERGED',
      `${this.dir} has more than the replicated log, and another epoch went on without it: that is put aside now. Promote the standby again when it follows.`,
      { dir: this.dir, lsn: this.lsn, endLsn },
    )
  }

  /** Another one was faster: it continues to follow. What else goes wrong ends it. */
  async #notPromoted(error: Error): Promise<never> {
    const { code } = error as { code?: string }
    const isFenced = code === 'TIDEMARK_FENCED'
    if (this.#ending.signal.aborted) throw this.#failure ?? error
    if (!isFenced && code !== 'TIDEMARK_LOG_DIVERGED') {
      this.#fail(error)
      throw error
    }
    // What it has read of the tail stays; what is here alone goes when another epoch has gone on without it.
    if (this.#following.isOver) this.#beginAgain()
    else this.#followOn()
    if (isFenced) this.emit('fenced', error as ReplicationError)
    throw error
  }

  /** The one that was faster may be gone before it holds the log: then this one tries again. */
  #followOn(): void {
    this.#role = 'standby'
    this.#holderSeen = false
    this.#watchHolder()
  }

  async #lead(epoch: ReplicationEpoch, segmentEpoch: bigint): Promise<EnginePool> {
    const pool = await this.#pool.lead(segmentEpoch, epoch, this.#ending.signal)
    this.#role = 'primary'
    this.#epoch = epoch
    clearTimeout(this.#alone)
    clearInterval(this.#forkLook)
    // The pool has a connection of its own.
    await this.#lease?.release()
    await this.#log.close()
    this.emit('promoted', pool)
    return pool
  }

  /**
   * Following ended by itself. One that is overtaken by the window is seeded anew; one whose log the lineage has left is cut
   * there.
   */
  #interrupted(error: Error): void {
    if (this.#closing || this.#role !== 'standby') return
    const { code } = error as { code?: string }
    if (code === 'TIDEMARK_STANDBY_BEHIND' && this.#settings.seed) this.#beginAgain()
    else if (code === 'TIDEMARK_LOG_DIVERGED') void this.#diverged(error)
    else this.#fail(error)
  }

  async #diverged(error: Error): Promise<void> {
    const fork = await findFork(new NodeDisk(), this.dir, this.#log).catch(() => undefined)
    if (fork) this.#beginAgain()
    else this.#fail(error)
  }

  /** Closes what is open and begins as an opening does. */
  #beginAgain(): void {
    this.#role = 'seeding'
    this.#caughtUp = false
    clearInterval(this.#forkLook)
    const again = async () => {
      await this.#following.stop()
      await this.#pool.close()
      if (!this.#ending.signal.aborted) await this.#begin()
    }
    this.#beginning = again().catch((error) => this.#fail(error))
  }

  #fail(error: Error): void {
    if (this.#failure || this.#closing || this.#role === 'primary') return
    this.#failure = error
    const report = () => {
      if (this.#role !== 'primary') this.emit('error', error)
    }
    this.#end().then(report, report)
  }

  /** Changes nothing once it is promoted. A promotion under way ends first: the pool that may come of it has what is closed here. */
  async #end(): Promise<void> {
    this.#ending.abort()
    await this.#promoting?.catch(() => {})
    if (this.#role === 'primary') return
    this.#role = 'closed'
    await this.#beginning
    this.#role = 'closed'
    clearTimeout(this.#alone)
    clearInterval(this.#forkLook)
    await endAll(
      () => this.#following?.stop(),
      () => this.#lease?.release(),
      () => this.#log.close(),
      () => this.#pool?.close(),
    )
  }

  #checkUsable(): void {
    if (this.#role === 'primary') throw isClosed('The standby was promoted: use the pool that it became.')
    if (this.#failure) throw this.#failure
    if (this.#closing) throw isClosed('The standby is closed. Open it again to continue.')
  }
}

function isClosed(why: string): ReplicationError {
  return new ReplicationError('TIDEMARK_REPLICATION_CLOSED', why)
}

function isSeeding(dir: string): ReplicationError {
  return new ReplicationError(
    'TIDEMARK_STANDBY_BEHIND',
    `${dir} is being seeded, and has not all of the log: promote another standby, or this one when it follows.`,
    { dir },
  )
}
