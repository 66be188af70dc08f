import { setTimeout as delay } from 'node:timers/promises'
import { listSegmentLsns, NodeDisk, requireKind } from '../../log/index.js'
import { emptyError, JobError } from '../errors.js'
import { DurableFifo } from '../events/durable-fifo.js'
import { type JobEvent, type JobEventDetail, type JobEventType, jobsLogKind } from '../events/event.js'
import { damageError, overtakenError, type TornEnd, walkEvents } from '../events/event-walk.js'
import { type DetailedEntry, JobLog, type JobLogOptions } from '../events/job-log.js'
import { type OnProgress, ReadingProgress } from '../events/reading-progress.js'
import { enqueueDetailJson, type LiveJob, type PlainJob } from '../job.js'
import type { KeepFinished } from './finished-jobs.js'
import { JobTable } from './job-table.js'
import { type JobSnapshot, readSnapshot, snapshotName, writeSnapshot } from './snapshot.js'
import { SnapshotCut } from './snapshot-cut.js'

export interface JobStoreOptions {
  readonly dir: string
  readonly keepFinished: KeepFinished
  /** Keeps the segments that a snapshot makes needless, so that the whole history can be read. */
  readonly keepHistory: boolean
  readonly log: JobLogOptions
}

export interface AppliedTransition {
  readonly job: LiveJob
  readonly event: JobEvent
  readonly lsn: number
}

const timerMsMax = 2 ** 31 - 1
/** Many jobs that finish one after the other are forgotten a few at a time. */
const expiryMsMin = 10

/**
 * The table of jobs and the log that it follows. Every change goes through `transition`: checked, logged and applied
 * in one synchronous step, so that the log holds exactly the changes that were made, in the order in which they were.
 */
export class JobStore {
  readonly log: JobLog
  readonly table: JobTable
  /** Calls what waits for transitions to be on disk, in their order. */
  readonly durable: DurableFifo
  readonly #options: JobStoreOptions
  #eventsSinceSnapshot: number
  #checkpointing: Promise<void> | undefined
  #expiryTimer: NodeJS.Timeout | undefined
  #closed = false

  /**
   * Opens the log, and brings the table up: the snapshot, then every event after it.
   *
   * @throws JobError `TIDEMARK_JOB_LOG_CORRUPT`, ChecksumError, `TIDEMARK_JOB_SNAPSHOT_CORRUPT` (also when it does
   *   not fit the log), `TIDEMARK_JOB_SNAPSHOT_VERSION`, `TIDEMARK_JOB_SNAPSHOT_IO`; LogError as of `JobLog.open`.
   */
  static async open(options: JobStoreOptions): Promise<JobStore> {
    const log = await JobLog.open(options.dir, options.log)
    try {
      const snapshot = await readSnapshot(log.dir, options.keepFinished)
      if (snapshot) checkFits(snapshot, log)
      const table = snapshot?.table ?? new JobTable(options.keepFinished)
      const { events } = await log.replay((event, lsn) => applyLogged(table, event, lsn), {
        fromLsn: snapshot?.lsn,
        afterSeq: snapshot?.lastSeq ?? 0,
      })
      return new JobStore(options, log, table, events)
    } catch (error) {
      await log.close().catch(() => {}) // what failed first says more
      throw error
    }
  }

  private constructor(options: JobStoreOptions, log: JobLog, table: JobTable, events: number) {
    this.#options = options
    this.log = log
    this.table = table
    this.durable = new DurableFifo(log)
    this.#eventsSinceSnapshot = events
    this.#forgetExpired()
  }

  /** Closes the log. */
  close(): Promise<void> {
    clearTimeout(this.#expiryTimer)
    this.#closed = true
    return this.log.close()
  }

  /** Forgets finished jobs when they are too old, also while nothing else happens. Keeps no process alive. */
  #forgetExpired(): void {
    const nextMs = this.table.finished.forgetExpired()
    this.#expiryTimer = undefined
    if (nextMs === undefined || this.#closed) return
    const timer = setTimeout(() => this.#forgetExpired(), Math.min(timerMsMax, Math.max(expiryMsMin, nextMs)))
    this.#expiryTimer = timer.unref()
  }

  /** Events that a start would have to replay now. */
  get eventsSinceSnapshot(): number {
    return this.#eventsSinceSnapshot
  }

  /**
   * Makes one transition of one job.
   *
   * @throws JobError as of `JobTable.check` and `JobLog.appendNow`; LogError `TIDEMARK_RING_FULL`. Then nothing
   *   happened.
   */
  transition(type: JobEventType, jobId: string, detail: JobEventDetail): AppliedTransition {
    return this.#transition(type, jobId, detail)
  }

  /** The ENQUEUE transition of a job, whose payload is JSON already. Errors as of `transition`. */
  enqueue(job: PlainJob): AppliedTransition {
    const { detail, detailJson } = entryOf(job)
    return this.#transition('ENQUEUE', job.id, detail, detailJson, job.payloadJson)
  }

  /**
   * The ENQUEUE transitions of the first of several jobs, one at least, whose ids are all different: as many as are logged
   * together well. Errors as of `transition`.
   */
  enqueueSome(jobs: readonly PlainJob[]): AppliedTransition[] {
    const entries = jobs.map(entryOf)
    for (const { jobId, detail } of entries) {
      this.table.check({ type: 'ENQUEUE', jobId, detail, seq: this.log.lastSeq + 1 })
    }
    return this.log.appendSomeNow(entries).map(({ event, lsn }, i) => {
      const job = this.table.apply(event, lsn, jobs[i]!.payloadJson)
      this.#eventsSinceSnapshot++
      return { job, event, lsn }
    })
  }

  #transition(
    type: JobEventType,
    jobId: string,
    detail: JobEventDetail,
    detailJson?: string,
    payloadJson?: string,
  ): AppliedTransition {
    this.table.check({ type, jobId, detail, seq: this.log.lastSeq + 1 })
    const { event, lsn } = this.log.appendNow(type, jobId, detail, detailJson)
    const job = this.table.apply(event, lsn, payloadJson)
    this.#eventsSinceSnapshot++
    if (!this.#expiryTimer && isFinished(job)) this.#forgetExpired()
    return { job, event, lsn }
  }

  /**
   * Writes a snapshot and removes the part of the log that no start needs any more. Changes that are made meanwhile
   * go into the log after it. A snapshot that is under way is awaited first.
   *
   * @throws JobError `TIDEMARK_JOB_SNAPSHOT_IO`, `TIDEMARK_JOB_SYNC_FAILED`, `TIDEMARK_JOB_LOG_CLOSED`; LogError
   *   `TIDEMARK_DISK_FULL`.
   */
  checkpoint(): Promise<void> {
    const before = this.#checkpointing
    const mine = (
      before ? before.catch(() => {}).then(() => this.#checkpoint()) : this.#checkpoint()
    ).finally(() => {
      if (this.#checkpointing === mine) this.#checkpointing = undefined
    })
    this.#checkpointing = mine
    return mine
  }

  get checkpointing(): boolean {
    return this.#checkpointing !== undefined
  }

  /**
   * Whether a checkpoint would change anything: events came after the last, or the log still holds events that are not to be
   * kept, because it was kept until now.
   */
  get isCheckpointDue(): boolean {
    if (this.#eventsSinceSnapshot > 0) return true
    const { log } = this
    const walked = this.#options.keepHistory
      ? []
      : walkEvents(new NodeDisk(), log.dir, { limitLsn: log.tailLsn })
    for (const { kind } of walked) if (kind === 'event') return true
    return false
  }

  /** Resolves when no checkpoint is under way, whatever became of it. */
  async checkpointSettled(): Promise<void> {
    await this.#checkpointing?.catch(() => {})
  }

  async #checkpoint(): Promise<void> {
    const { log, table } = this
    if (log.diskFull) throw log.diskFull
    // A new segment is only needed so that those before it can go.
    const segmentLsn = this.#options.keepHistory ? undefined : await log.rotate()
    const lsn = log.tailLsn
    const cut = new SnapshotCut(table, log.lastSeq, lsn)
    const events = this.#eventsSinceSnapshot
    this.#eventsSinceSnapshot = 0
    try {
      // The table runs ahead of the disk: a snapshot of what may still be lost must not be found.
      await log.waitSynced(lsn)
      await writeSnapshot(log.dir, cut.chunks())
    } catch (error) {
      this.#eventsSinceSnapshot += events
      throw error
    } finally {
      cut.end()
    }
    if (segmentLsn !== undefined) await log.removeBefore(segmentLsn)
  }
}

/** The event that logs a job. The payload is not in its detail: the log has it as JSON, and so has the table. */
function entryOf(job: PlainJob): DetailedEntry {
  const { id, timeoutMs, priority, maxAttempts } = job
  const detail = { payload: null, timeoutMs, priority, maxAttempts }
  return { type: 'ENQUEUE', jobId: id, detail, detailJson: enqueueDetailJson(job) }
}

/** What the files of a folder say about its jobs. */
export interface StoredJobs {
  /** The jobs. */
  readonly table: JobTable
  /** The number of the last event. */
  readonly lastSeq: number
  /** The number of the last event that the snapshot holds. */
  readonly snapshotSeq: number
  /** What was cut at the end, if anything. */
  readonly tornEnd: TornEnd | undefined
}

const readTriesMax = 5
const readRetryMs = 50

/**
 * Reads the jobs of a folder from its files: opens nothing, changes nothing, and may stand beside the owner, whose
 * last events it may then miss. `onProgress` is called as of `validateLog`, and begins anew when the owner removes what was
 * about to be read, so that all of it is read again.
 *
 * @throws JobError `TIDEMARK_JOB_LOG_EMPTY` when the folder holds no jobs; otherwise as of `JobStore.open`.
 */
export async function readStoredJobs(
  dir: string,
  keepFinished: KeepFinished,
  onProgress?: OnProgress,
): Promise<StoredJobs> {
  for (let tries = 1; ; tries++) {
    try {
      return await readOnce(dir, keepFinished, onProgress)
    } catch (error) {
      // The owner may have replaced the snapshot, and removed segments, in the middle of the reading.
      if (tries === readTriesMax) throw error
      await delay(readRetryMs)
    }
  }
}

async function readOnce(
  dir: string,
  keepFinished: KeepFinished,
  onProgress: OnProgress | undefined,
): Promise<StoredJobs> {
  const disk = new NodeDisk()
  if (hasLog(disk, dir)) requireKind(disk, dir, jobsLogKind)
  const snapshot = await readSnapshot(dir, keepFinished)
  const table = snapshot?.table ?? new JobTable(keepFinished)
  const afterSeq = snapshot?.lastSeq ?? 0
  let lastSeq = afterSeq
  let tornEnd: TornEnd | undefined
  if (!snapshot && !hasLog(disk, dir)) throw emptyError(dir)
  const progress = new ReadingProgress(disk, dir, onProgress, snapshot?.lsn)
  for (const walked of walkEvents(disk, dir, { fromLsn: snapshot?.lsn, afterSeq })) {
    if (walked.kind === 'damage') throw damageError(walked.damage)
    if (walked.kind === 'overtaken') throw overtakenError(walked)
    if (walked.kind === 'event') {
      progress.at(walked.endLsn)
      applyLogged(table, walked.event, walked.endLsn)
      lastSeq = walked.event.seq
    } else if (walked.kind === 'tornEnd') {
      tornEnd = walked.tornEnd
    }
  }
  return { table, lastSeq, snapshotSeq: afterSeq, tornEnd }
}

function isFinished({ state }: LiveJob): boolean {
  return state === 'completed' || state === 'dead'
}

function hasLog(disk: NodeDisk, dir: string): boolean {
  try {
    return listSegmentLsns(disk, dir).length > 0
  } catch {
    return false
  }
}

function checkFits({ lsn, lastSeq }: JobSnapshot, log: JobLog): void {
  const { firstLsn, endLsn } = log.recovery
  if (lsn >= firstLsn && lsn <= endLsn) return
  throw new JobError(
    'TIDEMARK_JOB_SNAPSHOT_CORRUPT',
    `${snapshotName} in ${log.dir} continues at LSN ${lsn}, but the log reaches from ${firstLsn} to ${endLsn}: one of the two is not of this folder. Restore both from one copy.`,
    { file: snapshotName, lsn, lastSeq, firstLsn, endLsn },
  )
}

function applyLogged(table: JobTable, event: JobEvent, lsn: number): void {
  try {
    table.check(event)
  } catch (cause) {
    throw new JobError(
      'TIDEMARK_JOB_LOG_CORRUPT',
      `The job log is corrupt: event ${event.seq} is a change that cannot have been. ${(cause as Error).message}`,
      { seq: event.seq, lsn, jobId: event.jobId },
      { cause },
    )
  }
  table.apply(event, lsn)
}
