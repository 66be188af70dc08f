import type { Worker } from 'node:worker_threads'
import { Emitter } from '../base/emitter.js'
import { endAll } from '../base/end-all.js'
import { withoutStack } from '../base/errors.js'
import { shown } from '../base/shown.js'
import type { Disk } from './disk/disk.js'
import { Ownership, type TakenFolder } from './disk/ownership.js'
import { closedError, fromErrorMessage, LogError, LogPoisonedError, shortageError } from './errors.js'
import { DiskRoom } from './flush/disk-room.js'
import { FlusherRequests } from './flush/flusher-requests.js'
import type { LogThreads } from './flush/log-threads.js'
import {
  type ContinueOptions,
  continueFollowed,
  type DurableLogOptions,
  durableLogOptions,
  type FollowedFolder,
  initialSegmentBytes,
  type OpenedLog,
  openLog,
} from './log-opening.js'
import { LogReaders } from './log-readers.js'
import { type LogStats, logStats } from './log-stats.js'
import { checkOptions } from './options.js'
import { DurableWaiters } from './read/durable-waiters.js'
import type { LogReader, LogReaderOptions } from './read/log-reader.js'
import type { LogTailer } from './read/tailer.js'
import type { RecoveryReport } from './recover/recovery.js'
import type { ReplicationEvents } from './replication/replication-events.js'
import type { ReplicatorHandle } from './replication/replicator-handle.js'
import { int32, int64, type LogMemory, LogViews, logState } from './ring/memory.js'
import { LogProducer } from './ring/producer.js'
import { ReleasedSignal } from './ring/released-signal.js'
import { poisonMemory, wakeFlusher, wakePreallocator, wakeReplicator } from './ring/signals.js'
import type { LogSettings } from './settings.js'
import { type OutsideReader, outsideReaders, readersFloorLsn } from './tools/outside-readers.js'
import { removeUnusedSegments, SegmentRemover } from './tools/segment-removal.js'

/** What another thread needs to write into the log: pass it in a message, then `new LogProducer(memory, producerId)`. */
export interface LogProducerHandle {
  /** The memory that the log shares with the thread. */
  readonly memory: LogMemory
  /** The producer's number; no two threads use one. */
  readonly producerId: number
}

export interface DurableLogEvents extends ReplicationEvents {
  error: [LogPoisonedError]
  diskFull: [LogError]
  diskReady: []
  preallocationFailed: [LogError]
}

/** Key under which tests reach the threads. */
export const threadsOf = Symbol('threads')

/**
 * A durable log: records go into memory shared by any number of threads, one flusher thread writes and syncs them in
 * batches, and `waitDurable` resolves when a record is on disk.
 *
 * LSNs are byte positions, multiples of eight; the LSN of a record is where it ends.
 *
 * Events: `error` (LogPoisonedError) once, when a write, a sync or a thread failed. `diskFull` (LogError
 * `TIDEMARK_DISK_FULL`, or `TIDEMARK_TOO_MANY_FILES` when no descriptor is free) when there is no room for the segment after
 * this one: what is under way becomes durable, and appends are refused, with the same code, when no more than a quarter of a
 * segment is left. `diskReady` when the next segment is ready. `preallocationFailed` (LogError) when the next segment could not be
 * made ready for another reason: the log continues, and each rotation makes its own segment.
 *
 * With `replication` also `fenced` (LogError `TIDEMARK_FENCED`): another primary took over, and this log has ended;
 * `replicationStalled` when the replicated log takes nothing, and `replicationResumed` when it does again;
 * `replicationIncomplete` when the log is closed before all of it is replicated, which its next opening does.
 */
export class DurableLog extends Emitter<DurableLogEvents> {
  /** The folder of the log. */
  readonly dir: string
  /** What writes this log; it stands in every segment. */
  readonly kind: string
  /** The settings that hold. */
  readonly settings: LogSettings
  /** What opening found, a torn tail that was cut among it. */
  readonly recovery: RecoveryReport
  /** The memory that the log shares with its threads. */
  readonly memory: LogMemory
  /** Where threads of this process wait for the durable LSN. */
  readonly signal: ReleasedSignal
  readonly #cursorKeepBytes: number
  readonly #disk: Disk
  readonly #views: LogViews
  readonly #producer: LogProducer
  readonly #waiters: DurableWaiters
  readonly #threads: LogThreads
  readonly #replicator: ReplicatorHandle | undefined
  readonly #taken: TakenFolder
  readonly #ownership: Ownership
  readonly #requests: FlusherRequests
  readonly #room: DiskRoom
  readonly #remover: SegmentRemover
  #nextProducer = 1
  readonly #readers: LogReaders
  #poisoned: LogPoisonedError | undefined
  /** Whether an append was refused for want of room in the ring, and no `waitDurable` was called since. */
  #wasFull = false
  #closing: Promise<void> | undefined
  #closed = false

  /**
   * Opens the log in `dir`, after a crash too: what was acknowledged is there, a torn tail is cut.
   *
   * @throws LogError `TIDEMARK_BAD_SETTING`, `TIDEMARK_LOG_LOCKED` (another owner has it), `TIDEMARK_LOG_CORRUPT`,
   *   `TIDEMARK_LOG_FORMAT`, `TIDEMARK_LOG_KIND` (it is another application's), `TIDEMARK_LOG_IO`,
   *   `TIDEMARK_PLATFORM_UNSUPPORTED` (Windows); with `replication` also
   *   `TIDEMARK_PRIMARY_BEHIND` (another machine has gone on without this folder), `TIDEMARK_REPLICATION_HELD` (another primary
   *   is alive), `TIDEMARK_FENCED` (another one took over meanwhile), and the others of `tidemark/replication`.
   *
   * @example
   * ```js
   * import { DurableLog } from 'tidemark/log'
   *
   * const log = await DurableLog.open({ dir: './log' })
   * console.log(log.recovery.endLsn, log.recovery.tornTail)
   * await log.close()
   * ```
   */
  static async open(options: DurableLogOptions): Promise<DurableLog> {
    checkOptions('DurableLog.open', options, durableLogOptions)
    const log = await DurableLog.openWithoutPreallocator(options)
    log.startPreallocator()
    return log
  }

  /**
   * Like `open`, without the preallocator's thread, which would slow down what the caller has yet to start: call
   * `startPreallocator` soon.
   *
   * `covered` is asked, under the folder's lock, for the LSN up to which the application needs nothing of the log, because
   * it has it in a snapshot: a log of another content version is then accepted if only such records were written under it,
   * and refused with `TIDEMARK_RULES_DIFFER` otherwise. @internal
   */
  static async openWithoutPreallocator(
    options: DurableLogOptions,
    covered?: (directory: string) => Promise<number>,
  ): Promise<DurableLog> {
    const opened = await openLog(options, covered)
    const log = new DurableLog(opened)
    if (!log.poisoned) return log
    await log.close()
    throw log.poisoned
  }

  /**
   * Continues a log that was followed until now, in a new segment of this epoch: see `FollowedLog.handOver`. Call
   * `startPreallocator` soon.
   *
   * @throws LogError `TIDEMARK_LOG_IO`; then the folder is released. @internal
   */
  static async continueFollowed(folder: FollowedFolder, options: ContinueOptions): Promise<DurableLog> {
    const log = new DurableLog(await continueFollowed(folder, options))
    if (!log.poisoned) return log
    await log.close()
    throw log.poisoned
  }

  private constructor(opened: OpenedLog) {
    super()
    const { dir, kind, settings, cursorKeepBytes, recovery, memory, disk, threads, replicator, taken } =
      opened
    this.dir = dir
    this.kind = kind
    this.settings = settings
    this.#cursorKeepBytes = cursorKeepBytes
    this.recovery = recovery
    this.memory = memory
    this.#disk = disk
    this.#threads = threads
    this.#replicator = replicator
    this.#taken = taken
    this.#ownership = new Ownership(disk, dir, taken.identity)
    this.#views = new LogViews(memory)
    this.signal = new ReleasedSignal(this.#views)
    this.#producer = new LogProducer(memory, 0)
    this.#waiters = new DurableWaiters(this.signal)
    this.#requests = new FlusherRequests(this.#views, this.signal)
    this.#room = new DiskRoom(this.#views, dir, settings.segmentBytes)
    this.#readers = new LogReaders({
      disk,
      directory: dir,
      memory,
      signal: this.signal,
      firstLsn: () => this.firstLsn,
      tailLsn: () => this.tailLsn,
      isEnding: () => this.#closing !== undefined || this.#poisoned !== undefined,
      failure: () => this.#poisoned ?? (this.#closed ? closedError() : undefined),
    })
    this.#remover = new SegmentRemover({
      disk,
      directory: dir,
      segmentBytes: settings.segmentBytes,
      firstLsn: recovery.firstLsn,
      check: () => this.#checkOwned(),
    })
    threads.own({
      failed: (error) => this.poison(error),
      disk: (message) => {
        if (message.kind === 'disk-ready') this.emit('diskReady')
        else if (message.kind === 'preallocation-failed')
          this.emit('preallocationFailed', fromErrorMessage(message.error))
        else this.emit('diskFull', shortageError(dir, message.shortage, { reason: message.error.message }))
      },
    })
    replicator?.own({
      failed: (error) => this.#replicationFailed(error),
      stalled: (stall) => this.emit('replicationStalled', stall),
      resumed: (resumption) => this.emit('replicationResumed', resumption),
      incomplete: (rest) => this.emit('replicationIncomplete', rest),
    })
  }

  #replicationFailed(error: unknown): void {
    this.poison(error)
    if (error instanceof LogError && error.code === 'TIDEMARK_FENCED') this.emit('fenced', error)
  }

  /** Starts the thread that makes segments ready, where the opening was asked to leave that for later. @internal */
  startPreallocator(): void {
    this.#threads.startPreallocator({
      directory: this.dir,
      identity: this.#taken.identity,
      segmentBytes: this.settings.segmentBytes,
      firstSegmentBytes: initialSegmentBytes(this.settings),
    })
  }

  /** The threads of the flusher, the preallocator and the replicator. @internal */
  get [threadsOf](): readonly Worker[] {
    return [...this.#threads.workers, ...(this.#replicator ? [this.#replicator.worker] : [])]
  }

  /** LSN up to which every record may be acknowledged: it is on disk and, where `ack` of `replication` says so, replicated. */
  get durableLsn(): number {
    return this.signal.released
  }

  /**
   * LSN up to which everything was synced. Under `unsafeNone` it stays below `durableLsn` until a segment is full, the log
   * is closed, or `waitSynced` is called; otherwise it is never below. It is above where acknowledgements wait for replication.
   */
  get syncedLsn(): number {
    return Number(Atomics.load(this.#views.control64, int64.synced))
  }

  /** LSN up to which records were appended. */
  get tailLsn(): number {
    return Number(Atomics.load(this.#views.control64, int64.claimTail))
  }

  /** The error that ended this log, if one did. */
  get poisoned(): LogPoisonedError | undefined {
    return this.#poisoned
  }

  /**
   * Appends one record and returns its LSN at once; it is on disk when `waitDurable` of that LSN resolves. Never
   * blocks the event loop.
   *
   * @throws LogError `TIDEMARK_RING_FULL` when a whole ring waits for the disk: await `waitDurable` of an earlier
   *   LSN and try again. `TIDEMARK_DISK_FULL`, `TIDEMARK_TOO_MANY_FILES`: nothing was appended; try again when `diskReady` is
   *   emitted.
   *   `TIDEMARK_BAD_RECORD`, `TIDEMARK_LOG_CLOSED`, `TIDEMARK_LOG_POISONED`.
   *
   * @example
   * ```js
   * import { DurableLog } from 'tidemark/log'
   *
   * const log = await DurableLog.open({ dir: './log' })
   * const lsn = log.append(new TextEncoder().encode('hello'))
   * await log.waitDurable(lsn) // on disk
   * await log.close()
   * ```
   */
  append(payload: Uint8Array, type = 1, flags = 0): number {
    this.#checkUsable()
    if (this.#room.isShort) this.#checkRoom(payload.byteLength)
    return this.#producer.tryAppend(type, flags, payload) ?? this.#refuseForRing(payload.byteLength)
  }

  /**
   * Appends records one after the other; either all are taken or none. Returns the LSN of the last. After a crash a
   * first part of them may be in the log, if none was awaited: a batch is no transaction.
   *
   * @throws as `append`; LogError `TIDEMARK_BATCH_TOO_LARGE` for a batch that no ring of this size will ever take.
   */
  appendBatch(payloads: readonly Uint8Array[], type = 1, flags = 0): number {
    this.#checkUsable()
    if (payloads.length === 0) return this.tailLsn
    if (this.#room.isShort) this.#checkRoom(payloads.reduce((sum, { byteLength }) => sum + byteLength, 0))
    return this.#producer.tryAppendBatch(type, flags, payloads) ?? this.#refuseForRing(payloads.length)
  }

  /**
   * Resolves when everything up to `lsn` is on disk.
   *
   * @throws LogError `TIDEMARK_BAD_LSN` for an LSN beyond what was appended; `TIDEMARK_LOG_POISONED`.
   */
  async waitDurable(lsn: number): Promise<void> {
    // Waiters are compared with each other later, where an LSN that is no number could throw.
    if (typeof lsn !== 'number') throw this.#badLsn(lsn)
    if (this.durableLsn >= lsn) {
      // A caller whose append was refused waits like this. Without a turn of the event loop a reader in this thread would
      // never read what keeps the ring full.
      if (this.#wasFull) await this.#nextTurn()
      return
    }
    this.#checkUsable()
    if (!(lsn <= this.tailLsn)) throw this.#badLsn(lsn)
    return this.#waiters.wait(lsn)
  }

  /**
   * Resolves when everything up to `lsn` was synced and may be acknowledged, under `unsafeNone` too, where it makes the flusher
   * sync. Await it before you store elsewhere what is only true while the log has those records: a snapshot, a cursor.
   *
   * @throws LogError as of `waitDurable`; `TIDEMARK_LOG_CLOSED` when the log was closed before.
   */
  async waitSynced(lsn: number): Promise<void> {
    if (typeof lsn === 'number' && Math.min(this.syncedLsn, this.durableLsn) >= lsn) return
    await this.waitDurable(lsn)
    const isOver = () => this.#poisoned !== undefined || this.#closed
    if (!(await this.#requests.sync(lsn, isOver))) throw this.#poisoned ?? closedError()
  }

  /**
   * Why nothing of so many bytes is taken now, if that is because the disk is full or no descriptor is free: the next segment
   * can't be made, and in the active one no more than the reserve is left, which is for what is under way.
   */
  fullDisk(bytes = 0): LogError | undefined {
    return this.#room.refusal(this.tailLsn, bytes)
  }

  /** What `isStuck` is for the want of. @internal */
  get stuckError(): LogError {
    return this.#room.isStuck ? this.#room.error : (this.#replicator?.stallError ?? this.#room.error)
  }

  /**
   * Whether what was appended cannot be acknowledged: it has no room on the disk, and waits in the ring until it has; or the
   * replicated log takes nothing, for `closeMs` since `closingMs`. @internal
   */
  isStuckSince(closingMs: number): boolean {
    return this.#room.isStuck || this.#replicator?.isStuckSince(closingMs) === true
  }

  /** As `isStuckSince`, for the replicated log alone: for owners that wait for room on the disk in a way of their own. @internal */
  isUnreplicatedSince(closingMs: number): boolean {
    return this.#replicator?.isStuckSince(closingMs) === true
  }

  /** A handle with which another thread writes into this log. It must stop writing before `close` is called. */
  producerHandle(): LogProducerHandle {
    return { memory: this.memory, producerId: this.#nextProducer++ }
  }

  /**
   * Reads records in LSN order, and then new ones as they become durable: from the files until it has caught up,
   * from memory after that. See `LogReader`.
   *
   * @throws LogError `TIDEMARK_BAD_LSN` when `from` is not in the log, or not any more; `TIDEMARK_BAD_SETTING`;
   *   `TIDEMARK_LOG_CLOSED`.
   */
  reader(options: LogReaderOptions = {}): LogReader {
    if (this.#closing) throw closedError()
    return this.#readers.reader(options)
  }

  /**
   * Tails the log through the ring, to its very end when it is closed, and feeds this log's readers from there.
   * A log has one tailer: make it before the first reader, which would make one of its own.
   */
  tail(fromLsn: number): LogTailer {
    return this.#readers.tail(fromLsn)
  }

  /** The first LSN that is still in the log. */
  get firstLsn(): number {
    return this.#remover.firstLsn
  }

  /**
   * Continues in a new segment; resolves with its first LSN. What was appended before this call ends at or below it.
   *
   * @throws as `waitDurable`; `TIDEMARK_LOG_CLOSED`.
   */
  async rotate(): Promise<number> {
    this.#checkUsable()
    await this.waitDurable(this.tailLsn)
    const isOver = () => this.#poisoned !== undefined || this.#closing !== undefined
    if (!(await this.#requests.rotate(isOver))) this.#checkUsable()
    return Number(Atomics.load(this.#views.control64, int64.activeFirst))
  }

  /**
   * Removes the segments that are wholly below `lsn`, which must be durable; never the active one. Resolves with the
   * first LSN that is still there, when the others are gone; the event loop is not held meanwhile. What is read below that
   * LSN fails with `TIDEMARK_BAD_LSN` before the first is gone. The files of some are used again for the next segments. What a reader
   * outside needs stays, if its cursor is no further back than `cursorKeepBytes`: see `outsideReaders`.
   *
   * @throws LogError `TIDEMARK_LOG_IO`: some are left, and the next call removes them; `TIDEMARK_LOG_CLOSED`,
   *   `TIDEMARK_LOG_POISONED`.
   */
  async removeBefore(lsn: number): Promise<number> {
    this.#checkUsable()
    return this.#remover.removeBelow(async () => {
      this.#checkUsable()
      // A removal that has begun is completed, also when the log is closed meanwhile.
      const readers = await this.outsideReaders()
      this.#checkOwned()
      const outsideLsn = readersFloorLsn(readers, this.durableLsn, this.#cursorKeepBytes)
      // The tailer and the replicator have yet to read there, from files that would get other bytes.
      const unreadLsn = this.#readers.neededLsn ?? lsn
      return Math.min(lsn, outsideLsn, this.syncedLsn, unreadLsn, this.#replicator?.replicatedLsn ?? lsn)
    })
  }

  /**
   * Who reads this log from outside, such as a store in another process, and has a named cursor on it, by name; as it stands
   * on disk now.
   *
   * @throws LogError `TIDEMARK_LOG_IO`.
   */
  outsideReaders(): Promise<OutsideReader[]> {
    return outsideReaders(this.#disk, this.dir, this)
  }

  /** Counts since the log was opened, and where it stands now; see `LogStats`. */
  stats(): LogStats {
    return logStats(this.#views, {
      preallocationFailures: this.#threads.preallocationFailures,
      waiters: this.#waiters.size,
      replication: this.#replicator?.stats(),
    })
  }

  /** Ends the log for a cause: present and future waiters are rejected, and nothing more is written. */
  poison(cause: unknown): void {
    if (this.#poisoned || this.#threads.closed) return
    this.#poisoned = cause instanceof LogPoisonedError ? cause : new LogPoisonedError(cause)
    poisonMemory(this.#views)
    this.#waiters.settle()
    this.#waiters.fail(this.#poisoned)
    this.signal.notify()
    void this.#readers.stopTailer()
    this.emit('error', this.#poisoned)
  }

  /**
   * Writes and syncs what was appended, ends the threads and releases the folder's lock. Every pending promise settles. With
   * `replication` it ships what is left, for `closeMs` at most; see `replicationIncomplete`.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #close(): Promise<void> {
    const { control32 } = this.#views
    Atomics.compareExchange(control32, int32.state, logState.open, logState.closing)
    wakeFlusher(control32)
    wakePreallocator(control32)
    wakeReplicator(control32)
    this.signal.hold()
    await endAll(
      () => Promise.all([this.#threads.ended(), this.#replicator?.ended]),
      () => this.#readers.stopTailer(),
      () => {
        this.#closed = true
        return this.#remover.idle()
      },
      () => !this.#poisoned && removeUnusedSegments(this.#disk, this.dir, this.#ownership),
      () => {
        this.#waiters.settle()
        this.#waiters.fail(this.#poisoned ?? closedError())
        this.signal.notify()
        return this.#readers.releaseFiles()
      },
      () => {
        this.signal.letGo()
        this.signal.close()
        this.#taken.release()
      },
    )
  }

  #checkUsable(): void {
    if (this.#poisoned) throw this.#poisoned
    if (this.#closing) throw closedError()
  }

  /** Nothing is removed from a folder that may be another owner's by now. */
  #checkOwned(): void {
    try {
      this.#ownership.check()
    } catch (error) {
      this.poison(error)
      throw this.#poisoned ?? error
    }
  }

  #checkRoom(bytes: number): void {
    const error = this.fullDisk(bytes)
    if (error) throw error
  }

  #badLsn(lsn: unknown): LogError {
    const { tailLsn } = this
    const message = `${shown(lsn)} is not an LSN up to the end of the log, ${tailLsn}.`
    return new LogError('TIDEMARK_BAD_LSN', message, { lsn, tailLsn })
  }

  async #nextTurn(): Promise<void> {
    this.#wasFull = false
    await new Promise((resolve) => setImmediate(resolve))
  }

  #refuseForRing(size: number): never {
    // The flusher frees what a reader has read since the last write.
    wakeFlusher(this.#views.control32)
    this.#wasFull = true
    const { ringBytes } = this.settings
    throw withoutStack(
      () =>
        new LogError(
          'TIDEMARK_RING_FULL',
          'The ring is full: ringBytes wait for the disk. Await waitDurable of an earlier LSN, then append again.',
          { size, ringBytes },
        ),
    )
  }
}
