import * as path from 'node:path'
import type { Worker } from 'node:worker_threads'
import { Emitter } from '../base/emitter.js'
import { withoutStack } from '../base/errors.js'
import type { LatencySummary } from '../base/latency-histogram.js'
import { readerTurns } from '../base/turns.js'
import type { Disk } from './disk/disk.js'
import { makeFolder } from './disk/folders.js'
import { NodeDisk } from './disk/node-disk.js'
import { Ownership, type TakenFolder, takeFolder } from './disk/ownership.js'
import {
  badSetting,
  closedError,
  fromErrorMessage,
  LogError,
  LogPoisonedError,
  type Shortage,
  shortageError,
} from './errors.js'
import { LogThreads } from './flush/log-threads.js'
import { holdsLog, isPreallocatedName, isRecycledName } from './format/segment.js'
import { checkOptions } from './options.js'
import { DurableWaiters } from './read/durable-waiters.js'
import { LiveFeed } from './read/live-feed.js'
import { LogReader, type LogReaderOptions } from './read/log-reader.js'
import { LogTailer } from './read/tailer.js'
import type { RecoveryReport } from './recover/recovery.js'
import { parallelCheckBytes, SealedCheck } from './recover/sealed-check.js'
import {
  createLogMemory,
  float64,
  fullFor,
  int32,
  int64,
  type LogMemory,
  LogViews,
  logState,
  shortages,
} from './ring/memory.js'
import { LogProducer } from './ring/producer.js'
import { ReleasedSignal } from './ring/released-signal.js'
import { poisonMemory, wakeFlusher, wakePreallocator } from './ring/signals.js'
import {
  diskReserveShare,
  type LogSettingOptions,
  type LogSettings,
  logSettingNames,
  resolveLogSettings,
} from './settings.js'
import { planRemoval, removeSegments } from './tools/segment-removal.js'

export interface DurableLogOptions extends LogSettingOptions {
  /** The log's folder; made when it is not there. */
  readonly dir: string
  /** Version of what the application writes; a log of another version is refused. Default 1. */
  readonly contentVersion?: number
}

const durableLogOptions = new Set([...logSettingNames, 'dir', 'contentVersion'])

/** What another thread needs to write into the log: pass it in a message, then `new LogProducer(memory, producerId)`. */
export interface LogProducerHandle {
  readonly memory: LogMemory
  readonly producerId: number
}

export interface LogStats {
  /** LSN up to which space was claimed. */
  readonly tailLsn: number
  /** LSN up to which everything may be acknowledged. */
  readonly durableLsn: number
  /** Bytes claimed and not yet durable. */
  readonly durableLagBytes: number
  /** The part of the ring that is taken, 0 to 1. */
  readonly ringFill: number
  /** Writes with their sync since the log was opened, and the records and bytes that were in them. */
  readonly flushes: number
  readonly groups: number
  readonly bytes: number
  readonly groupsPerFlush: number
  /** How long flushes took since the log was opened: the write and the sync of each. */
  readonly flushLatency: LatencySummary
  /** Changes from one segment to the next. */
  readonly rotations: number
  /** Rotations that found no zero-filled file ready. */
  readonly unpreparedRotations: number
  /**
   * How often the next segment could not be made ready, for another reason than a full disk or too many open files. The log
   * goes on without, at the price of slow rotations.
   */
  readonly preallocationFailures: number
  /** Sync markers written: one when the log falls idle, one when it is closed. */
  readonly syncMarkers: number
  /** How often the tailer was too slow for the ring and went over to the files. */
  readonly tailerDetached: number
  /** Calls of `waitDurable` that are pending. */
  readonly waiters: number
}

export interface DurableLogEvents {
  error: [LogPoisonedError]
  diskFull: [LogError]
  diskReady: []
  preallocationFailed: [LogError]
}

const initialSegmentBytesGoal = 4 * 1024 * 1024

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
 * segment is left. `diskReady` when there is room again. `preallocationFailed` (LogError) when the next segment could not be
 * made ready for another reason: the log goes on, and each rotation makes its own segment.
 */
export class DurableLog extends Emitter<DurableLogEvents> {
  readonly dir: string
  readonly settings: LogSettings
  /** What opening found, a torn tail that was cut among it. */
  readonly recovery: RecoveryReport
  readonly memory: LogMemory
  readonly signal: ReleasedSignal
  readonly #disk: Disk
  readonly #views: LogViews
  readonly #producer: LogProducer
  readonly #waiters: DurableWaiters
  readonly #threads: LogThreads
  readonly #taken: TakenFolder
  readonly #ownership: Ownership
  #nextProducer = 1
  #firstLsn: number
  readonly #feed = new LiveFeed()
  readonly #reading = new Set<LogReader>()
  #removing: Promise<void> | undefined
  #follower: LogTailer | undefined
  readonly #acknowledgementsDue = () =>
    this.tailLsn > Math.min(this.signal.released, this.#follower?.neededLsn ?? Number.POSITIVE_INFINITY)
  #poisoned: LogPoisonedError | undefined
  /** Whether an append was refused for want of room in the ring, and nobody has waited since. */
  #wasFull = false
  #closing: Promise<void> | undefined
  #closed = false

  /**
   * Opens the log in `dir`, after a crash too: what was acknowledged is there, a torn tail is cut.
   *
   * @throws LogError `TIDEMARK_BAD_SETTING`, `TIDEMARK_LOG_LOCKED` (another owner has it), `TIDEMARK_LOG_CORRUPT`,
   *   `TIDEMARK_LOG_FORMAT`, `TIDEMARK_LOG_IO`.
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
   * Like `open`, without the thread that makes segments ready, which would be in the way of whoever has more to start:
   * `startPreallocator` does that, soon.
   *
   * `covered` is asked, under the folder's lock, for the LSN up to which the application needs nothing of the log, because
   * it has it in a snapshot: a log of another content version is then accepted if only such records were written under it,
   * and refused with `TIDEMARK_RULES_DIFFER` otherwise. @internal
   */
  static async openWithoutPreallocator(
    options: DurableLogOptions,
    covered?: (directory: string) => Promise<number>,
  ): Promise<DurableLog> {
    const settings = resolveLogSettings(options)
    if (typeof options.dir !== 'string' || options.dir === '') {
      throw badSetting('dir', options.dir, 'the path of a folder')
    }
    const dir = path.resolve(options.dir)
    const disk = new NodeDisk()
    makeFolder(disk, dir)
    const taken = await takeFolder(disk, dir, () => holdsLog(disk, dir))
    if (!taken) {
      throw new LogError(
        'TIDEMARK_LOG_LOCKED',
        `${dir} is in use by another pool or process; close that one first.`,
        { dir },
      )
    }
    try {
      const memory = createLogMemory(settings.ringBytes, settings.maxFrameBytes)
      const coveredLsn = await covered?.(dir)
      const threads = new LogThreads(memory)
      const check = new SealedCheck(disk, dir)
      const starting = threads.start({
        memory,
        directory: dir,
        identity: taken.identity,
        contentVersion: options.contentVersion ?? 1,
        coveredLsn,
        maxFrameBytes: settings.maxFrameBytes,
        segmentBytes: settings.segmentBytes,
        initialSegmentBytes: initialSegmentBytes(settings),
        flush: settings,
        sealed: check.states,
      })
      const checked =
        check.bytes < parallelCheckBytes ? check.run() : runCheckInParallel(check).catch(() => {})
      const report = await starting.finally(() => {
        check.stop()
        return checked
      })
      const log = new DurableLog(dir, settings, report, memory, disk, threads, taken)
      if (!log.poisoned) return log
      await log.close()
      throw log.poisoned
    } catch (error) {
      taken.release()
      throw error
    }
  }

  private constructor(
    dir: string,
    settings: LogSettings,
    recovery: RecoveryReport,
    memory: LogMemory,
    disk: Disk,
    threads: LogThreads,
    taken: TakenFolder,
  ) {
    super()
    this.dir = dir
    this.settings = settings
    this.recovery = recovery
    this.#firstLsn = recovery.firstLsn
    this.memory = memory
    this.#disk = disk
    this.#threads = threads
    this.#taken = taken
    this.#ownership = new Ownership(disk, dir, taken.identity)
    this.#views = new LogViews(memory)
    this.signal = new ReleasedSignal(this.#views)
    this.#producer = new LogProducer(memory, 0)
    this.#waiters = new DurableWaiters(this.signal)
    threads.own({
      failed: (error) => this.poison(error),
      disk: (message) => {
        if (message.kind === 'disk-ready') this.emit('diskReady')
        else if (message.kind === 'preallocation-failed')
          this.emit('preallocationFailed', fromErrorMessage(message.error))
        else this.emit('diskFull', shortageError(dir, message.shortage, { reason: message.error.message }))
      },
    })
    this.#feed.onRequested = () => this.#feedReaders()
  }

  /** @internal */
  startPreallocator(): void {
    this.#threads.startPreallocator({
      directory: this.dir,
      identity: this.#taken.identity,
      segmentBytes: this.settings.segmentBytes,
      firstSegmentBytes: initialSegmentBytes(this.settings),
    })
  }

  /** The flusher's thread and the preallocator's. @internal */
  get [threadsOf](): readonly Worker[] {
    return this.#threads.workers
  }

  /** LSN up to which every record may be acknowledged. */
  get durableLsn(): number {
    return this.signal.released
  }

  /**
   * LSN up to which everything was synced. Under `unsafeNone` it stays below `durableLsn` until a segment is full, the log
   * is closed, or somebody calls `waitSynced`; otherwise it is never below.
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
   * @throws LogError `TIDEMARK_RING_FULL` when the disk is behind by a whole ring: await `waitDurable` of an earlier
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
    this.#checkRoom(payload.byteLength)
    return this.#producer.tryAppend(type, flags, payload) ?? this.#full(payload.byteLength)
  }

  /**
   * Appends records one after the other; either all are taken or none. Returns the LSN of the last. After a crash a first part of them
   * may be in the log, if none was awaited: a batch is no transaction.
   *
   * @throws as `append`; LogError `TIDEMARK_BATCH_TOO_LARGE` for a batch that no ring of this size will ever take.
   */
  appendBatch(payloads: readonly Uint8Array[], type = 1, flags = 0): number {
    this.#checkUsable()
    if (payloads.length === 0) return this.tailLsn
    if (this.#isDiskFull) this.#checkRoom(payloads.reduce((sum, { byteLength }) => sum + byteLength, 0))
    return this.#producer.tryAppendBatch(type, flags, payloads) ?? this.#full(payloads.length)
  }

  /**
   * Resolves when everything up to `lsn` is on disk.
   *
   * @throws LogError `TIDEMARK_BAD_LSN` for an LSN beyond what was appended; `TIDEMARK_LOG_POISONED`.
   */
  async waitDurable(lsn: number): Promise<void> {
    if (this.durableLsn >= lsn) {
      // Who was refused room waits like this. Without a turn of the event loop a reader in this thread would never read
      // what keeps the ring full.
      if (this.#wasFull) await this.#nextTurn()
      return
    }
    this.#checkUsable()
    if (!(lsn <= this.tailLsn)) {
      throw new LogError('TIDEMARK_BAD_LSN', `LSN ${lsn} is beyond the end of the log, ${this.tailLsn}.`, {
        lsn,
        tailLsn: this.tailLsn,
      })
    }
    return this.#waiters.wait(lsn)
  }

  /**
   * Resolves when everything up to `lsn` was synced, under `unsafeNone` too, where it makes the flusher sync. For whoever
   * stores elsewhere what is only true while the log has those records: a snapshot, a cursor.
   *
   * @throws LogError as of `waitDurable`; `TIDEMARK_LOG_CLOSED` when the log was closed before.
   */
  async waitSynced(lsn: number): Promise<void> {
    if (this.syncedLsn >= lsn) return
    await this.waitDurable(lsn)
    const { control32, control64 } = this.#views
    const wanted = Atomics.load(control64, int64.syncRequested)
    if (wanted < BigInt(lsn)) Atomics.store(control64, int64.syncRequested, BigInt(lsn))
    wakeFlusher(control32)
    this.signal.hold()
    await this.signal.until(() => this.syncedLsn >= lsn || this.#poisoned !== undefined || this.#closed)
    this.signal.letGo()
    if (this.syncedLsn < lsn) throw this.#poisoned ?? closedError()
  }

  /**
   * Why nothing of so many bytes is taken now, if that is because the disk is full or no descriptor is free: the next segment
   * can't be made, and in the active one no more than the reserve is left, which is for what is under way.
   */
  fullDisk(bytes = 0): LogError | undefined {
    if (!this.#isDiskFull) return undefined
    const { segmentBytes } = this.settings
    const roomBytes = Number(Atomics.load(this.#views.control64, int64.roomEnd)) - this.tailLsn
    const reserveBytes = Math.floor(segmentBytes * diskReserveShare)
    if (roomBytes - bytes >= reserveBytes) return undefined
    return withoutStack(() =>
      shortageError(this.dir, this.#shortage, { roomBytes, reserveBytes, segmentBytes }),
    )
  }

  /** What a log that is stuck can't go on for. @internal */
  get stuckError(): LogError {
    return shortageError(this.dir, this.#shortage)
  }

  /** Whether what was appended has no room on the disk, and waits in the ring until it has. @internal */
  get isStuck(): boolean {
    return (Atomics.load(this.#views.control32, int32.diskFull) & fullFor.flusher) !== 0
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
    return new LogReader(
      {
        disk: this.#disk,
        directory: this.dir,
        signal: this.signal,
        firstLsn: () => this.firstLsn,
        failure: () => this.#poisoned ?? (this.#closed ? closedError() : undefined),
        live: this.#feed,
        reading: this.#reading,
        turns: readerTurns,
        acknowledgementsDue: this.#acknowledgementsDue,
      },
      options,
    )
  }

  /**
   * Follows the log through the ring, to its very end when it is closed, and feeds this log's readers from there.
   * There is one place for a follower in a log: it is taken before the first reader is made.
   */
  follow(fromLsn: number): LogTailer {
    return this.#follow(fromLsn, false)
  }

  #follow(fromLsn: number, onlyForFeed: boolean): LogTailer {
    if (this.#follower) throw new Error('the log has its follower already')
    this.#follower = new LogTailer({
      memory: this.memory,
      signal: this.signal,
      disk: this.#disk,
      directory: this.dir,
      fromLsn,
      feed: this.#feed,
      onlyForFeed,
    })
    return this.#follower
  }

  /** A log without a follower gets one of its own when a reader has caught up; it works while one has. */
  #feedReaders(): void {
    if (this.#closing || this.#poisoned) return
    // One that fails leaves its readers to the files, where they meet the cause themselves, and its place to another.
    this.#follow(this.durableLsn, true)
      .start(() => {})
      .catch(() => {
        this.#follower = undefined
      })
  }

  /** The first LSN that is still in the log. */
  get firstLsn(): number {
    return this.#firstLsn
  }

  /**
   * Continues in a new segment; resolves with its first LSN. What was appended before this call ends at or below it.
   *
   * @throws as `waitDurable`; `TIDEMARK_LOG_CLOSED`.
   */
  async rotate(): Promise<number> {
    this.#checkUsable()
    await this.waitDurable(this.tailLsn)
    const { control32, control64 } = this.#views
    const wanted = Atomics.add(control32, int32.rotationsRequested, 1) + 1
    wakeFlusher(control32)
    const served = () => ((Atomics.load(control32, int32.rotationsCompleted) - wanted) | 0) >= 0
    this.signal.hold()
    await this.signal.until(() => served() || this.#poisoned !== undefined || this.#closing !== undefined)
    this.signal.letGo()
    if (!served()) this.#checkUsable()
    return Number(Atomics.load(control64, int64.activeFirst))
  }

  /**
   * Removes the segments that are wholly below `lsn`, which must be durable; never the active one. Resolves with the
   * first LSN that is still there, when the others are gone; the event loop is not held meanwhile. What is read below that
   * LSN fails with `TIDEMARK_BAD_LSN` from the call on. The files of some are used again for the next segments.
   *
   * @throws LogError `TIDEMARK_LOG_IO`: some are left, and the next call removes them; `TIDEMARK_LOG_CLOSED`,
   *   `TIDEMARK_LOG_POISONED`.
   */
  async removeBefore(lsn: number): Promise<number> {
    this.#checkUsable()
    while (this.#removing) {
      await this.#removing.catch(() => {})
      this.#checkUsable()
    }
    this.#checkOwned()
    // The follower has yet to read there, from a file that would get other bytes.
    const limit = Math.min(lsn, this.syncedLsn, this.#follower?.neededLsn ?? lsn)
    const removal = planRemoval(this.#disk, this.dir, limit)
    if (!removal) return this.#firstLsn
    // At once: nobody may begin to read, or make a cursor, where the log is about to go.
    this.#firstLsn = removal.firstLsn
    const { segmentBytes } = this.settings
    this.#removing = removeSegments(this.#disk, this.dir, removal, segmentBytes, () => this.#checkOwned())
    try {
      await this.#removing
    } finally {
      this.#removing = undefined
    }
    return removal.firstLsn
  }

  /** Counts since the log was opened, and where it stands now; see `LogStats`. */
  stats(): LogStats {
    const numbers = this.#views.statistics
    const flushes = numbers[float64.flushes]!
    const groups = numbers[float64.groups]!
    const lag = this.tailLsn - this.durableLsn
    const limit = Number(Atomics.load(this.#views.control64, int64.claimLimit))
    return {
      tailLsn: this.tailLsn,
      durableLsn: this.durableLsn,
      durableLagBytes: lag,
      ringFill: 1 - (limit - this.tailLsn) / this.settings.ringBytes,
      flushes,
      groups,
      bytes: numbers[float64.bytes]!,
      groupsPerFlush: flushes === 0 ? 0 : groups / flushes,
      flushLatency: this.#views.flushLatency.snapshot(),
      rotations: numbers[float64.rotations]!,
      unpreparedRotations: numbers[float64.unpreparedRotations]!,
      preallocationFailures: this.#threads.preallocationFailures,
      syncMarkers: numbers[float64.syncMarkers]!,
      tailerDetached: numbers[float64.readerDetached]!,
      waiters: this.#waiters.size,
    }
  }

  /** Ends the log for a cause: present and future waiters are rejected, and nothing more is written. */
  poison(cause: unknown): void {
    if (this.#poisoned || this.#threads.closed) return
    this.#poisoned = cause instanceof LogPoisonedError ? cause : new LogPoisonedError(cause)
    poisonMemory(this.#views)
    this.#waiters.settle()
    this.#waiters.fail(this.#poisoned)
    this.signal.notify()
    this.#follower?.stop().catch(() => {})
    this.emit('error', this.#poisoned)
  }

  /** Writes and syncs what was appended, ends the threads and releases the folder's lock. Every pending promise settles. */
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
    this.signal.hold()
    await this.#threads.ended()
    await this.#follower?.stop().catch(() => {})
    this.#closed = true
    await this.#removing?.catch(() => {})
    if (!this.#poisoned) await this.#removePreallocated()
    this.#waiters.settle()
    this.#waiters.fail(this.#poisoned ?? closedError())
    this.signal.notify()
    // Readers that somebody has left as they were: nobody else closes their files.
    await Promise.all([...this.#reading].map((reader) => reader.releaseFiles()))
    this.signal.letGo()
    this.signal.close()
    this.#taken.release()
  }

  /** The next opening begins a segment of its own: it needs no preallocated one, and removes what could not be removed here. */
  async #removePreallocated(): Promise<void> {
    try {
      // They may be another owner's.
      this.#ownership.check()
      for (const name of await this.#disk.async.list(this.dir)) {
        if (isPreallocatedName(name) || isRecycledName(name))
          await this.#disk.async.remove(path.join(this.dir, name))
      }
    } catch {
      // Everything that was appended is on disk: a leftover is no reason for a close to fail.
    }
  }

  #checkUsable(): void {
    if (this.#poisoned) throw this.#poisoned
    if (this.#closing) throw closedError()
  }

  get #shortage(): Shortage {
    return shortages[Atomics.load(this.#views.control32, int32.shortage)]!
  }

  /** Nothing is removed from a folder that may be somebody else's by now. */
  #checkOwned(): void {
    try {
      this.#ownership.check()
    } catch (error) {
      this.poison(error)
      throw this.#poisoned ?? error
    }
  }

  get #isDiskFull(): boolean {
    return Atomics.load(this.#views.control32, int32.diskFull) !== 0
  }

  #checkRoom(bytes: number): void {
    if (!this.#isDiskFull) return
    const error = this.fullDisk(bytes)
    if (error) throw error
  }

  async #nextTurn(): Promise<void> {
    this.#wasFull = false
    await new Promise((resolve) => setImmediate(resolve))
  }

  #full(size: number): never {
    // What a reader has read since the last write is given back when the flusher looks again.
    wakeFlusher(this.#views.control32)
    this.#wasFull = true
    const { ringBytes } = this.settings
    throw withoutStack(
      () =>
        new LogError(
          'TIDEMARK_RING_FULL',
          'The ring is full: the disk is behind by ringBytes. Await waitDurable of an earlier LSN, then append again.',
          { size, ringBytes },
        ),
    )
  }
}

/** What the segment of an opening holds: little, so that opening is not kept waiting for it to be filled with zeros. */
function initialSegmentBytes({ segmentBytes, maxFrameBytes }: LogSettings): number {
  return Math.min(segmentBytes, Math.max(maxFrameBytes, initialSegmentBytesGoal))
}

/** Most logs are smaller, and need not load what this takes. */
async function runCheckInParallel(check: SealedCheck): Promise<void> {
  try {
    const { checkInParallel } = await import('./recover/parallel-check.js')
    await checkInParallel(check)
  } finally {
    // Whatever happened, the recovery waits for nothing that does not come.
    check.stop()
  }
}
