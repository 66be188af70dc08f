import { TidemarkError } from '../base/errors.js'
import { LogError } from '../log/index.js'

/** The codes of a `JobError`. */
export type JobErrorCode =
  /** The job log has bytes that are no longer valid, a record that no queue writes, or a change that cannot have been. `details` has the place. Remedy: Restore the folder from a copy, or read what is left with `tidemark jobs dump`. */
  | 'TIDEMARK_JOB_LOG_CORRUPT'
  /** The checksum of one event does not fit what it says. Remedy: Restore the folder from a copy. */
  | 'TIDEMARK_JOB_CHECKSUM'
  /** A reader was slower than checkpoints remove segments. Nothing is corrupt. Remedy: Begin anew, and read faster. */
  | 'TIDEMARK_JOB_LOG_OVERTAKEN'
  /** The folder holds no job event. Remedy: Check its path. */
  | 'TIDEMARK_JOB_LOG_EMPTY'
  /** The queue or its log was closed before the call. Remedy: Open it again. */
  | 'TIDEMARK_JOB_LOG_CLOSED'
  /** A write or sync of the job log failed, or its thread died; `cause` says which. Nothing more is taken. Remedy: Mend the cause and open the folder again; what was not acknowledged may or may not be there. */
  | 'TIDEMARK_JOB_SYNC_FAILED'
  /** An event has no known type or no job id, JSON can't hold it, or it is larger than one record. Remedy: Correct it; keep large payloads elsewhere. */
  | 'TIDEMARK_JOB_BAD_EVENT'
  /** A field of a job is not known, or its value is not allowed. Nothing of the call was taken. Remedy: Correct it; `details.field` names it. */
  | 'TIDEMARK_JOB_BAD_SPEC'
  /** `start` was called twice, or its handler is neither a function nor the file of one. Remedy: Start the queue once, with one handler. */
  | 'TIDEMARK_JOB_BAD_HANDLER'
  /** A backoff function threw or returned no number of milliseconds. The job waits the usual time, and the queue continues. Remedy: Return a number within the limits that the message names. */
  | 'TIDEMARK_JOB_BAD_BACKOFF'
  /** A job can't change so in its state, such as a second enqueue of an id that lives. Remedy: Look at its state with `get`. */
  | 'TIDEMARK_JOB_TRANSITION'
  /** A result came for an attempt that is over, after a timeout or a restart. It is refused, and counted. Remedy: Nothing; make handlers idempotent. */
  | 'TIDEMARK_JOB_STALE_ATTEMPT'
  /** The snapshot of the queue is damaged, or is not of this folder. Remedy: Restore snapshot and log from one copy. */
  | 'TIDEMARK_JOB_SNAPSHOT_CORRUPT'
  /** The snapshot was written by a build with another schema. Remedy: Open it with the build that wrote it. */
  | 'TIDEMARK_JOB_SNAPSHOT_VERSION'
  /** The snapshot could not be written or read. The one before and the log stay. Remedy: Mend what `cause` says; it is tried again. */
  | 'TIDEMARK_JOB_SNAPSHOT_IO'
  /** An attempt took longer than `timeoutMs`, and its `signal` was aborted with this. Remedy: Stop the work when `signal` aborts; raise `timeoutMs` where the work takes that long. */
  | 'TIDEMARK_JOB_TIMEOUT'
  /** The job was cancelled while its attempt ran, and its `signal` was aborted with this. Remedy: Stop the work. */
  | 'TIDEMARK_JOB_CANCELLED'
  /** The queue stopped, by `close` or for an error in `cause`; attempts in flight are aborted with this. Remedy: Stop the work; the job runs again after the next opening. */
  | 'TIDEMARK_JOB_STOPPED'

/** An error of the job log, its snapshot or its controller. */
export class JobError extends TidemarkError {
  /** The name of the class. */
  override readonly name: string = 'JobError'
  /** What went wrong: one of the codes of docs/errors.md. */
  declare readonly code: JobErrorCode

  constructor(
    code: JobErrorCode,
    message: string,
    details: Record<string, unknown> = {},
    options?: ErrorOptions,
  ) {
    super(code, message, details, options)
  }
}

/** An event whose checksum does not fit what it says. */
export class ChecksumError extends JobError {
  override readonly name = 'ChecksumError'
  /** The number of the event. */
  readonly seq: number
  /** The checksum of what it says. */
  readonly expected: number
  /** The checksum that it carries. */
  readonly actual: number

  constructor(seq: number, expected: number, actual: number) {
    super(
      'TIDEMARK_JOB_CHECKSUM',
      `Event ${seq} is damaged: its checksum is ${actual}, what it says has ${expected}.`,
      { seq, expected, actual },
    )
    this.seq = seq
    this.expected = expected
    this.actual = actual
  }
}

export function closedError(): JobError {
  return new JobError('TIDEMARK_JOB_LOG_CLOSED', 'The job log is closed. Open it again to append.')
}

export function emptyError(dir: string): JobError {
  return new JobError('TIDEMARK_JOB_LOG_EMPTY', `${dir} holds no job event. Check the path of the folder.`, {
    dir,
  })
}

/** What an error of the durable log means to the job log; other errors stay what they are. */
export function fromLogError(error: unknown): unknown {
  if (!(error instanceof LogError)) return error
  switch (error.code) {
    case 'TIDEMARK_LOG_POISONED':
    case 'TIDEMARK_LOG_IO':
    case 'TIDEMARK_THREAD_DIED':
      return new JobError('TIDEMARK_JOB_SYNC_FAILED', error.message, error.details, { cause: error })
    case 'TIDEMARK_LOG_CLOSED':
      return closedError()
    case 'TIDEMARK_LOG_CORRUPT':
      return new JobError('TIDEMARK_JOB_LOG_CORRUPT', error.message, error.details, { cause: error })
    default:
      return error
  }
}

export function isRingFull(error: unknown): boolean {
  return error instanceof LogError && error.code === 'TIDEMARK_RING_FULL'
}
