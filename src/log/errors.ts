import { TidemarkError } from '../errors.js'

export type LogErrorCode =
  | 'TIDEMARK_BAD_SETTING'
  | 'TIDEMARK_BAD_RECORD'
  | 'TIDEMARK_BAD_LSN'
  | 'TIDEMARK_LOG_CLOSED'
  | 'TIDEMARK_LOG_POISONED'
  | 'TIDEMARK_LOG_LOCKED'
  | 'TIDEMARK_LOG_CORRUPT'
  | 'TIDEMARK_LOG_FORMAT'
  | 'TIDEMARK_LOG_IO'
  | 'TIDEMARK_RING_FULL'
  | 'TIDEMARK_BATCH_TOO_LARGE'
  | 'TIDEMARK_DISK_FULL'
  | 'TIDEMARK_RULES_DIFFER'
  | 'TIDEMARK_THREAD_DIED'
  | 'TIDEMARK_REPLAY_DIFFERS'

/** An error of the durable log. */
export class LogError extends TidemarkError {
  override readonly name: string = 'LogError'
  declare readonly code: LogErrorCode

  constructor(
    code: LogErrorCode,
    message: string,
    details: Record<string, unknown> = {},
    options?: ErrorOptions,
  ) {
    super(code, message, details, options)
  }
}

/**
 * The log can no longer promise anything: a write or a sync failed, or a thread died. What was pending is
 * indeterminate: it may or may not be there when the log is opened again.
 */
export class LogPoisonedError extends LogError {
  override readonly name = 'LogPoisonedError'

  constructor(cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    super(
      'TIDEMARK_LOG_POISONED',
      `The log stopped accepting writes: ${reason} Close it and open it again; what was pending may or may not be in it.`,
      {},
      { cause },
    )
  }
}

/** A setting that cannot be used; `allowed` completes the sentence "use …". */
export function badSetting(setting: string, value: unknown, allowed: string): LogError {
  return new LogError(
    'TIDEMARK_BAD_SETTING',
    `${setting} is ${JSON.stringify(value) ?? value}; use ${allowed}.`,
    {
      setting,
      value,
    },
  )
}

/** The error that a closed log gives to whoever still uses it. */
export function closedError(): LogError {
  return new LogError('TIDEMARK_LOG_CLOSED', 'The log is closed. Open it again to go on.')
}

/** An error in a form that a message between threads keeps whole. */
export interface ErrorMessage {
  readonly code: string
  readonly message: string
  readonly details: Record<string, unknown>
  readonly cause: { readonly message: string; readonly code: string | undefined } | undefined
}

export function toErrorMessage(error: unknown): ErrorMessage {
  const known = error instanceof TidemarkError
  const cause = known ? (error.cause as (Error & { code?: string }) | undefined) : undefined
  return {
    code: known ? error.code : 'TIDEMARK_THREAD_DIED',
    message: known
      ? error.message
      : `A thread of the log failed: ${error instanceof Error ? error.message : error}.`,
    details: known ? { ...error.details } : {},
    cause: cause && { message: cause.message, code: cause.code },
  }
}

export function fromErrorMessage(message: ErrorMessage): LogError {
  const cause = message.cause && Object.assign(new Error(message.cause.message), { code: message.cause.code })
  return new LogError(
    message.code as LogErrorCode,
    message.message,
    message.details,
    cause ? { cause } : undefined,
  )
}

/** A failed system call, with the words that a person needs to mend it. */
export function ioError(action: string, path: string, cause: unknown): LogError {
  const errno = (cause as NodeJS.ErrnoException | undefined)?.code
  const reason = (errno && errnoSentences[errno]) ?? (cause instanceof Error ? cause.message : String(cause))
  return new LogError(
    'TIDEMARK_LOG_IO',
    `Could not ${action} ${path}: ${reason}.`,
    { path, errno },
    { cause },
  )
}

/** Awaits a file call; its failure becomes a `TIDEMARK_LOG_IO` that names the file. */
export async function attemptAsync<T>(action: string, path: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (cause) {
    throw cause instanceof LogError ? cause : ioError(action, path, cause)
  }
}

/** Whether a file call failed for want of room. */
export function isDiskFull(error: unknown): boolean {
  const errno = error instanceof LogError ? error.details['errno'] : undefined
  return errno === 'ENOSPC' || errno === 'EDQUOT'
}

/**
 * Makes room for what is not written yet: a disk that has none leaves everything as it was.
 *
 * @throws LogError `TIDEMARK_DISK_FULL`, and only then it may be tried again; else what `make` throws.
 */
export function makingRoom<T>(directory: string, make: () => T): T {
  try {
    return make()
  } catch (error) {
    throw isDiskFull(error)
      ? diskFull(directory, { reason: (error as Error).message }, { cause: error })
      : error
  }
}

/** What a log says that has no room for its next segment. */
export function diskFull(
  directory: string,
  details: Record<string, unknown> = {},
  options?: ErrorOptions,
): LogError {
  return new LogError(
    'TIDEMARK_DISK_FULL',
    `The log in ${directory} takes nothing more for now, because the disk is full: free room for its next segment, let old log go, or use smaller segments.`,
    { directory, errno: 'ENOSPC', ...details },
    options,
  )
}

const errnoSentences: Record<string, string> = {
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  ENOENT: 'no such file or directory',
  ENOTDIR: 'a part of the path is not a directory',
  EISDIR: 'it is a directory',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EMFILE: 'this process has too many open files',
  ENFILE: 'the system has too many open files',
  EIO: 'the disk reported an input/output error',
}

/** What a thread that writes says of the disk: that it has no room for what comes next, and that it has again. */
export type DiskMessage =
  | { readonly kind: 'disk-full'; readonly error: ErrorMessage }
  | { readonly kind: 'disk-ready' }
