import { TidemarkError } from '../base/errors.js'
import { LogError } from '../log/index.js'

export type JobErrorCode =
  | 'TIDEMARK_JOB_LOG_CORRUPT'
  | 'TIDEMARK_JOB_CHECKSUM'
  | 'TIDEMARK_JOB_LOG_OVERTAKEN'
  | 'TIDEMARK_JOB_LOG_EMPTY'
  | 'TIDEMARK_JOB_LOG_CLOSED'
  | 'TIDEMARK_JOB_SYNC_FAILED'
  | 'TIDEMARK_JOB_BAD_EVENT'
  | 'TIDEMARK_JOB_BAD_SPEC'
  | 'TIDEMARK_JOB_BAD_HANDLER'
  | 'TIDEMARK_JOB_BAD_BACKOFF'
  | 'TIDEMARK_JOB_TRANSITION'
  | 'TIDEMARK_JOB_STALE_ATTEMPT'
  | 'TIDEMARK_JOB_SNAPSHOT_CORRUPT'
  | 'TIDEMARK_JOB_SNAPSHOT_VERSION'
  | 'TIDEMARK_JOB_SNAPSHOT_IO'
  | 'TIDEMARK_JOB_TIMEOUT'
  | 'TIDEMARK_JOB_CANCELLED'
  | 'TIDEMARK_JOB_STOPPED'

/** An error of the job log, its snapshot or its controller. */
export class JobError extends TidemarkError {
  override readonly name: string = 'JobError'
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
  readonly seq: number
  readonly expected: number
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
