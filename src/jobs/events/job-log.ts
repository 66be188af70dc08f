import { Emitter } from '../../base/emitter.js'
import { endAll } from '../../base/end-all.js'
import {
  checkOptions,
  DurableLog,
  type DurableLogOptions,
  forwardReplication,
  type LogError,
  type LogPoisonedError,
  type LogStats,
  logOptionNames,
  NodeDisk,
  type RecoveryReport,
  type ReplicationEvents,
  settleOrPoison,
} from '../../log/index.js'
import { closedError, fromLogError, type JobError } from '../errors.js'
import {
  checkEvent,
  detailToJson,
  encodeBase,
  encodeEvent,
  type JobEvent,
  type JobEventDetail,
  type JobEventType,
  jobsLogKind,
  recordType,
} from './event.js'
import { EventEncoder, type EventEntry } from './event-encoder.js'
import { findLast } from './log-inspection.js'
import { type JobReplayOptions, type JobReplayReport, replayEvents, replayOptions } from './replay.js'
import { RoomQueue } from './room-queue.js'

/** Settings of a job log: those of the durable log. */
export type JobLogOptions = Omit<DurableLogOptions, 'dir' | 'contentVersion'>

/** An event to be appended with others: its detail, also as JSON. */
export interface DetailedEntry extends EventEntry {
  readonly detail: JobEventDetail
}

/** An event in the log; it is on disk when `waitDurable` of its LSN resolves. */
export interface AppendedEvent {
  readonly event: JobEvent
  readonly lsn: number
}

export interface JobLogEvents extends ReplicationEvents {
  error: [JobError]
  diskFull: [LogError]
  diskReady: []
}

/** While the disk is full, room is also looked for this often: a step must not wait for an event that does not come. */
const diskPollMs = 250

const always = () => true

/** A job's events are small; a rotation at each snapshot should not zero-fill the log's 64 MiB. */
const segmentBytesDefault = 16 * 1024 * 1024
const contentVersion = 1

/**
 * The log of job events: JSON records with their own sequence numbers and checksums, on a durable log.
 *
 * Events: `error` (JobError `TIDEMARK_JOB_SYNC_FAILED`) once, when the log can promise nothing any more. `diskFull`
 * (LogError `TIDEMARK_DISK_FULL`) when appends are about to be refused because the disk has no room, and `diskReady` when
 * it has again.
 */
export class JobLog extends Emitter<JobLogEvents> {
  /** The folder of the log. */
  readonly dir: string
  readonly #log: DurableLog
  readonly #disk = new NodeDisk()
  readonly #room: RoomQueue
  readonly #encoder: EventEncoder
  #lastSeq: number
  #diskFull: LogError | undefined
  #roomOnDisk: () => void = () => {}
  readonly #rotating = new Set<(error: unknown) => void>()
  #closing: Promise<void> | undefined

  /**
   * Opens the job log in `dir`, made when it is not there, for this process alone.
   *
   * @throws JobError `TIDEMARK_JOB_LOG_CORRUPT`, `TIDEMARK_JOB_CHECKSUM`, `TIDEMARK_JOB_SYNC_FAILED`; LogError
   *   `TIDEMARK_LOG_LOCKED`, `TIDEMARK_LOG_FORMAT`, `TIDEMARK_BAD_SETTING`.
   */
  static async open(dir: string, options: JobLogOptions = {}): Promise<JobLog> {
    checkOptions('JobLog.open', options, logOptionNames)
    const log = await DurableLog.open({
      ...options,
      segmentBytes: options.segmentBytes ?? segmentBytesFor(options),
      dir,
      kind: jobsLogKind,
      contentVersion,
    }).catch((error) => {
      throw fromLogError(error)
    })
    try {
      return new JobLog(log)
    } catch (error) {
      await log.close().catch(() => {}) // what failed first says more
      throw error
    }
  }

  private constructor(log: DurableLog) {
    super()
    this.dir = log.dir
    this.#log = log
    this.#lastSeq = findLast(this.#disk, log.dir, log.durableLsn)?.seq ?? 0
    this.#room = new RoomQueue({
      inRing: () => this.waitDurable(this.#log.tailLsn),
      onDisk: () => this.#nextRoomOnDisk(),
    })
    this.#encoder = new EventEncoder(log.settings)
    log.on('error', (error: LogPoisonedError) => {
      this.emit('error', fromLogError(error) as JobError)
      this.#roomOnDisk()
    })
    forwardReplication(log, this)
    log.on('diskFull', (error) => {
      this.#diskFull = error
      this.emit('diskFull', error)
      for (const stop of this.#rotating) stop(error)
    })
    log.on('diskReady', () => {
      this.#diskFull = undefined
      this.#roomOnDisk()
      this.emit('diskReady')
    })
  }

  /** The sequence number of the last event that was appended; 0 before the first. */
  get lastSeq(): number {
    return this.#lastSeq
  }

  /** Where the log ends, and up to where it is on disk: byte positions. */
  get tailLsn(): number {
    return this.#log.tailLsn
  }

  /** Everything before this LSN is on disk. */
  get durableLsn(): number {
    return this.#log.durableLsn
  }

  /** The largest event, in bytes of its JSON. */
  get recordBytesMax(): number {
    return this.#encoder.recordBytesMax
  }

  /** What opening found, a torn end that was cut among it. */
  get recovery(): RecoveryReport {
    return this.#log.recovery
  }

  /** Figures of the log. */
  stats(): LogStats {
    return this.#log.stats()
  }

  /**
   * Appends one event; resolves with it when it is on disk. Events get their sequence numbers, and their places in
   * the file, in the order of the calls.
   *
   * @throws JobError `TIDEMARK_JOB_BAD_EVENT`, `TIDEMARK_JOB_LOG_CLOSED`, `TIDEMARK_JOB_SYNC_FAILED` (the event may
   *   or may not be there when the log is opened again); LogError `TIDEMARK_DISK_FULL` (nothing was appended, try again
   *   at `diskReady`).
   */
  append(type: JobEventType, jobId: string, detail: JobEventDetail = {}): Promise<JobEvent> {
    return new Promise((resolve, reject) => {
      // As it is now: the step may run later, and again.
      const detailJson = detailToJson(detail, jobId)
      this.inOrder(() => {
        const { event, lsn } = this.appendNow(type, jobId, detail, detailJson)
        this.waitDurable(lsn).then(() => resolve(event), reject)
      }, reject)
    })
  }

  /**
   * Appends events one after the other; resolves with the sequence number of the last when all are on disk. A full disk
   * refuses all of them or none: once the first are appended, or with `waitsForDisk`, the rest waits for room.
   */
  async appendMany(
    entries: readonly EventEntry[],
    { waitsForDisk = false }: { waitsForDisk?: boolean } = {},
  ): Promise<number> {
    // Read before a sequence number is given: a getter of the caller's may append another event.
    const own = entries.map(({ type, jobId, detailJson }) => ({ type, jobId, detailJson }))
    let from = 0
    let lsn = 0
    const lastSeq = await new Promise<number>((resolve, reject) => {
      const append = () => {
        while (from < own.length) {
          const { payloads } = this.#encoder.encodePiece(own, from, this.#lastSeq + 1)
          lsn = this.#log.appendBatch(payloads, recordType.event)
          this.#lastSeq += payloads.length
          from += payloads.length
        }
        resolve(this.#lastSeq)
      }
      this.inOrder(append, reject, () => waitsForDisk || from > 0)
    }).catch((error) => {
      throw fromLogError(error)
    })
    await this.waitDurable(lsn)
    return lastSeq
  }

  /**
   * Appends one event at once, if the ring has room: for callers that change their own state in the same step.
   *
   * @throws LogError `TIDEMARK_RING_FULL` or `TIDEMARK_DISK_FULL`, and then nothing was appended; otherwise errors as of
   *   `append`.
   */
  appendNow(
    type: JobEventType,
    jobId: string,
    detail: JobEventDetail,
    detailJson: string = detailToJson(detail, jobId),
  ): AppendedEvent {
    checkEvent(type, jobId)
    const seq = this.#lastSeq + 1
    const atMs = Date.now()
    const { text, checksum } = encodeEvent(seq, type, jobId, atMs, detailJson)
    const payload = this.#encoder.toBytes(text, jobId)
    try {
      const lsn = this.#log.append(payload, recordType.event)
      this.#lastSeq = seq
      return { event: { seq, type, jobId, atMs, detail, checksum }, lsn }
    } catch (error) {
      throw fromLogError(error)
    }
  }

  /**
   * As `appendNow`, for the first of several entries, as many as the ring takes well at a time: their records are published,
   * and synced, together. All events that it returns stand at one LSN, where the last of their records ends.
   */
  appendSomeNow(entries: readonly DetailedEntry[]): AppendedEvent[] {
    for (const { type, jobId } of entries) checkEvent(type, jobId)
    const firstSeq = this.#lastSeq + 1
    const { payloads, checksums, atMs } = this.#encoder.encodePiece(entries, 0, firstSeq)
    try {
      const lsn = this.#log.appendBatch(payloads, recordType.event)
      this.#lastSeq += payloads.length
      return checksums.map((checksum, i) => {
        const { type, jobId, detail } = entries[i]!
        return { event: { seq: firstSeq + i, type, jobId, atMs, detail, checksum }, lsn }
      })
    } catch (error) {
      throw fromLogError(error)
    }
  }

  /** Runs a step that calls `appendNow`, in order with all other appends; see `RoomQueue`. */
  inOrder(step: () => void, failed: (error: unknown) => void, waitsForDisk?: () => boolean): void {
    if (this.#closing) failed(closedError())
    else this.#room.run(step, failed, waitsForDisk)
  }

  /** `inOrder` for what happened already: while the disk is full it waits, and is not refused. */
  inOrderWaiting(step: () => void, failed: (error: unknown) => void): void {
    this.inOrder(step, failed, always)
  }

  /** Why appends are refused, or soon will be, if that is because the disk is full: from `diskFull` to `diskReady`. */
  get diskFull(): LogError | undefined {
    return this.#diskFull
  }

  /** Why so many bytes are refused now, if that is because the disk is full. */
  diskRefusal(bytes = 0): LogError | undefined {
    return this.#log.fullDisk(bytes)
  }

  /** From now on nothing waits for a full disk any more: what does fails with `TIDEMARK_DISK_FULL`. */
  giveUpDisk(): void {
    this.#room.giveUpDisk()
    this.#roomOnDisk()
  }

  /** Steps that wait because the ring or the disk is full. */
  get waitingSteps(): number {
    return this.#room.size
  }

  /** Resolves when everything up to `lsn` is on disk. */
  async waitDurable(lsn: number): Promise<void> {
    if (this.#log.durableLsn >= lsn) return
    try {
      await this.#log.waitDurable(lsn)
    } catch (error) {
      throw fromLogError(error)
    }
  }

  /** Resolves when everything up to `lsn` was synced, whatever the durability: for what is stored beside the log. */
  async waitSynced(lsn: number): Promise<void> {
    try {
      await this.#log.waitSynced(lsn)
    } catch (error) {
      throw fromLogError(error)
    }
  }

  /**
   * Hands every event to `handler`, in order and awaiting it, from the beginning up to the last event that was
   * appended before the call. What is appended meanwhile is not part of it, and is not held up by it.
   *
   * Strict: the first place that is not valid ends it with an error. `tolerant` skips such places and reports them.
   *
   * @throws JobError `TIDEMARK_JOB_LOG_CORRUPT`; `TIDEMARK_JOB_LOG_OVERTAKEN`, tolerant or not, when segments are removed before
   *   they are read; ChecksumError; what `handler` throws.
   */
  async replay(
    handler: (event: JobEvent, lsn: number) => unknown,
    options: JobReplayOptions = {},
  ): Promise<JobReplayReport> {
    checkOptions('replay', options, replayOptions)
    await new Promise<void>((resolve, reject) => this.inOrder(resolve, reject))
    const limitLsn = this.#log.tailLsn
    await this.waitDurable(limitLsn)
    const { fromLsn, afterSeq } = options
    return replayEvents(this.#disk, this.dir, handler, { fromLsn, afterSeq, limitLsn }, options)
  }

  /**
   * Continues in a new segment; resolves with its first LSN when all before it is on disk. Sequence numbers continue: the
   * new segment begins with a note of the last one, so that they do even when everything before is removed.
   *
   * @throws LogError `TIDEMARK_DISK_FULL` while the disk has no room for a segment; JobError as of `append`.
   */
  async rotate(): Promise<number> {
    this.#checkOpen()
    if (this.#diskFull) throw this.#diskFull
    // A full disk serves no rotation before it has room again, which may be never.
    let stop = (_error: unknown) => {}
    const full = new Promise<never>((_, reject) => {
      stop = reject
    })
    this.#rotating.add(stop)
    try {
      const rotated = this.#log.rotate()
      rotated.catch(() => {})
      const firstLsn = await Promise.race([rotated, full])
      const baseLsn = await new Promise<number>((resolve, reject) => {
        const note = () => resolve(this.#log.append(encodeBase(this.#lastSeq), recordType.base))
        this.inOrder(note, reject)
      })
      await this.#log.waitDurable(baseLsn)
      return firstLsn
    } catch (error) {
      throw fromLogError(error)
    } finally {
      this.#rotating.delete(stop)
    }
  }

  /** Deletes the segments that lie wholly below `lsn`, which `rotate` gave; resolves with the first LSN still there. */
  async removeBefore(lsn: number): Promise<number> {
    this.#checkOpen()
    return this.#log.removeBefore(lsn)
  }

  /**
   * Waits for what must settle before the log is closed. When the replicated log takes nothing for `closeMs` the log ends, so that it
   * is rejected.
   */
  async settle(settled: Promise<unknown>): Promise<void> {
    await settleOrPoison(this.#log, settled, (closingMs) => this.#log.isUnreplicatedSince(closingMs))
    await settled
  }

  /** Ends the log for a cause, as a failed sync does. */
  poison(cause: unknown): void {
    this.#log.poison(cause)
  }

  /** Writes and syncs all that was appended before, what waits for the ring too, and releases the folder. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #close(): Promise<void> {
    this.giveUpDisk()
    await endAll(
      () => this.settle(new Promise<void>((resolve) => this.#room.run(resolve, () => resolve(), always))),
      () => this.#log.close(),
    )
  }

  async #nextRoomOnDisk(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, diskPollMs)
      this.#roomOnDisk = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  #checkOpen(): void {
    if (this.#closing) throw closedError()
  }

  /**
   * Throws where an event of so many bytes does not fit into a record.
   *
   * @throws JobError `TIDEMARK_JOB_BAD_EVENT`.
   */
  checkSize(bytes: number, jobId: string): void {
    this.#encoder.checkSize(bytes, jobId)
  }
}

function segmentBytesFor(options: JobLogOptions): number | undefined {
  if (process.env['TIDEMARK_SEGMENT_BYTES']) return undefined
  return Math.max(segmentBytesDefault, options.maxBatchBytes ?? 0)
}
