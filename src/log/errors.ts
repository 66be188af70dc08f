import { errnoOf, reasonOf } from '../base/errno.js'
import { TidemarkError } from '../base/errors.js'
import { shown } from '../base/shown.js'
import type { ReplicationErrorCode } from './replicated/index.js'

/** The codes of a `LogError`. */
export type LogErrorCode =
  /** An option, flag or environment variable is not known, or its value is not allowed. `details` has `setting` and `value`. Remedy: Correct it; the message says what is allowed, or which known option is nearest. */
  | 'TIDEMARK_BAD_SETTING'
  /** A record that was to be appended is no `Uint8Array`, is larger than one record may be, or has a type or flags that are not the application's to use. Remedy: Split the record or raise `maxBatchBytes`; use types from 1 up and flag bits 4 to 7. */
  | 'TIDEMARK_BAD_RECORD'
  /** An LSN is not in the log: it is beyond its end, before its first segment because retention deleted that part, or not the end of a record. `details.firstLsn` is the first one there. Remedy: Read from an LSN that a record or a cursor gave. Where the part was deleted, begin at `details.firstLsn`, or keep more log (`keepLogBytes`, a cursor). */
  | 'TIDEMARK_BAD_LSN'
  /** The log was closed before the call. Remedy: Open it again. */
  | 'TIDEMARK_LOG_CLOSED'
  /** A write or sync failed, a thread died, or the folder was taken away; `cause` says which. The log takes nothing more, and what was pending may or may not be in it. Remedy: Mend the cause, close the log and open it again; send what was not acknowledged with the same `requestId`. See the [runbook](runbooks.md#the-log-is-poisoned). */
  | 'TIDEMARK_LOG_POISONED'
  /** Another process, or another opening in this one, owns the folder. Remedy: Close that one. Never remove the file `LOCK`. */
  | 'TIDEMARK_LOG_LOCKED'
  /** The folder, its `LOCK` file or its active segment was removed, renamed or replaced while the log was open. Remedy: Find out what did that before the folder is opened again; see [who owns a folder](guarantees.md#who-owns-a-folder). */
  | 'TIDEMARK_LOCK_LOST'
  /** Bytes that had been on disk are no longer valid, or a segment is missing. `details` has file, offset and LSN. Nothing was changed. Remedy: Restore a backup or a standby; see the [runbook](runbooks.md#corruption-is-found). */
  | 'TIDEMARK_LOG_CORRUPT'
  /** The log was written by a build with another format of files or content. Remedy: Open it with the build that wrote it; [upgrade.md](upgrade.md) says how versions follow each other. */
  | 'TIDEMARK_LOG_FORMAT'
  /** The folder holds no log, or one that another part of tidemark writes: `details` has `found` and `expected`. Nothing was changed. Remedy: Give the folder of a log of the expected kind. */
  | 'TIDEMARK_LOG_KIND'
  /** A call of the operating system failed. `details` has `path` and `errno`. Remedy: Mend what the system says (rights, mount, disk), then call again. */
  | 'TIDEMARK_LOG_IO'
  /** The system has no call that puts the names of a folder on disk (Windows), so no log is written there. `details.platform` names it. Nothing was changed. Remedy: Use Linux; on Windows in WSL 2 or a container. See [platforms.md](platforms.md). */
  | 'TIDEMARK_PLATFORM_UNSUPPORTED'
  /** The cursor is held by another reader, which may be in another process. Remedy: End that one, or use another name. */
  | 'TIDEMARK_CURSOR_IN_USE'
  /** As much waits for the disk as the ring holds (`ringBytes`). Nothing of the call was taken. Remedy: Await `waitDurable` of an earlier LSN and append again. */
  | 'TIDEMARK_RING_FULL'
  /** A batch can never fit, however long the caller waits: its commands or bytes are above `maxInFlight` or `ringBytes`. `details` has the sizes. Nothing was taken. Remedy: Split the batch, or raise the setting that the message names. */
  | 'TIDEMARK_BATCH_TOO_LARGE'
  /** There is no room for the log's next segment. Nothing of the call was taken, and nothing is torn. Remedy: Free room; the log continues by itself (`diskReady`). See the [runbook](runbooks.md#the-disk-is-full). */
  | 'TIDEMARK_DISK_FULL'
  /** The process has no free file descriptor for what was to be opened. Nothing of the call was taken. Remedy: Close files, or raise the limit (`ulimit -n`); a log continues by itself (`diskReady`). */
  | 'TIDEMARK_TOO_MANY_FILES'
  /** The log has commands in no snapshot that were written under other matching rules, so a replay would be a guess. Nothing was changed. Remedy: Open the folder with the build that wrote it and close it cleanly; then this build starts from its snapshot. See [upgrade.md](upgrade.md). */
  | 'TIDEMARK_RULES_DIFFER'
  /** A thread of tidemark ended, or could not be started. `details.thread` names it, `cause` says why. Remedy: Open again; where memory ran out, give more or use fewer shards. */
  | 'TIDEMARK_THREAD_DIED'
  /** A replay computed another outcome than the log holds. `details` has the LSN, the field and both values. Remedy: Open the folder with the build that wrote it, and report it: it is a bug, or broken memory. */
  | 'TIDEMARK_REPLAY_DIFFERS'
  /** The folder is opened as the primary, and the replicated log has something that the folder does not have. Remedy: Open it as a standby, and promote that. */
  | 'TIDEMARK_PRIMARY_BEHIND'
  /** Another primary, which is alive, holds the replicated log. `details.owner` names it. Remedy: Close that one, or promote a standby. */
  | 'TIDEMARK_REPLICATION_HELD'
  | ReplicationErrorCode

/** An error of the durable log. */
export class LogError extends TidemarkError {
  /** The name of the class. */
  override readonly name: string = 'LogError'
  /** What went wrong: one of the codes of docs/errors.md. */
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
  return new LogError('TIDEMARK_BAD_SETTING', `${setting} is ${shown(value)}; use ${allowed}.`, {
    setting,
    value,
  })
}

/** What every use of a closed log is refused with. */
export function closedError(): LogError {
  return new LogError('TIDEMARK_LOG_CLOSED', 'The log is closed. Open it again to continue.')
}

/** An error in a form that a message between threads keeps whole. */
export interface ErrorMessage {
  readonly code: string
  readonly message: string
  /** Where it was thrown, in its own thread. */
  readonly stack: string | undefined
  readonly details: Record<string, unknown>
  readonly cause: ErrorMessage | undefined
}

const causesMax = 8

/** Takes an error apart for a message: its code, details, stack and causes. Any other error means that its thread failed. */
export function toErrorMessage(error: unknown): ErrorMessage {
  if (error instanceof TidemarkError) return describeError(error, causesMax)
  const cause = describeError(error, causesMax)
  return {
    ...cause,
    code: 'TIDEMARK_THREAD_DIED',
    message: `A thread of the log failed: ${cause.message}.`,
    cause,
  }
}

function describeError(error: unknown, causesLeft: number): ErrorMessage {
  if (!(error instanceof Error))
    return { code: '', message: String(error), stack: undefined, details: {}, cause: undefined }
  const { code } = error as NodeJS.ErrnoException
  const known = error instanceof TidemarkError
  return {
    code: code === undefined ? '' : String(code),
    message: error.message,
    stack: error.stack,
    details: known ? cloneable(error.details) : {},
    cause:
      error.cause === undefined || causesLeft === 0 ? undefined : describeError(error.cause, causesLeft - 1),
  }
}

/** A value that no message can carry must not keep the error from being reported: it goes as text. */
function cloneable(details: Readonly<Record<string, unknown>>): Record<string, unknown> {
  try {
    return structuredClone(details)
  } catch {
    return Object.fromEntries(Object.entries(details).map(([name, value]) => [name, String(value)]))
  }
}

/** The error of another thread, with that thread's stack. */
export function fromErrorMessage(message: ErrorMessage): LogError {
  const options = message.cause && { cause: causeOf(message.cause) }
  const error = new LogError(message.code as LogErrorCode, message.message, message.details, options)
  if (message.stack !== undefined) error.stack = message.stack
  return error
}

function causeOf(message: ErrorMessage): Error {
  if (message.code.startsWith('TIDEMARK_')) return fromErrorMessage(message)
  const cause = new Error(message.message, message.cause && { cause: causeOf(message.cause) })
  if (message.stack !== undefined) cause.stack = message.stack
  return Object.assign(cause, { code: message.code === '' ? undefined : message.code })
}

/** A failed system call, with the words that a person needs to mend it. */
export function ioError(action: string, path: string, cause: unknown): LogError {
  const errno = errnoOf(cause)
  const tooMany = errno === 'EMFILE' || errno === 'ENFILE'
  return new LogError(
    tooMany ? 'TIDEMARK_TOO_MANY_FILES' : 'TIDEMARK_LOG_IO',
    `Could not ${action} ${path}: ${reasonOf(cause)}.`,
    { path, errno },
    { cause },
  )
}

/**
 * Why a thread could not be started or ended by itself. One that finds no free descriptor for itself changed nothing and
 * may be started again.
 *
 * `name` completes the sentence "The thread of … ended".
 */
export function threadEnded(name: string, cause: unknown): LogError {
  if (cause instanceof LogError) return cause
  const text = cause instanceof Error ? cause.message : String(cause)
  const errno = /\b(EMFILE|ENFILE)\b/.exec(`${errnoOf(cause)} ${text}`)?.[1]
  return new LogError(
    errno === undefined ? 'TIDEMARK_THREAD_DIED' : 'TIDEMARK_TOO_MANY_FILES',
    `The thread of ${name} ended: ${errno === undefined ? text : reasonOf({ code: errno })}.`,
    { thread: name, errno },
    { cause },
  )
}

/** What a log has too little of for its next segment: room on the disk, or descriptors. */
export type Shortage = 'space' | 'files'

/** What a file call failed for the want of; `undefined` for any other failure. It may succeed later, when there is some again. */
export function shortageOf(error: unknown): Shortage | undefined {
  if (!(error instanceof LogError)) return undefined
  const errno = error.details['errno']
  if (errno === 'EMFILE' || errno === 'ENFILE') return 'files'
  return errno === 'ENOSPC' || errno === 'EDQUOT' ? 'space' : undefined
}

/** Whether an error is a refusal for want of room or descriptors: it may be tried again when `diskReady` is emitted. */
export function isShortage(error: unknown): boolean {
  const code = error instanceof TidemarkError ? error.code : undefined
  return code === 'TIDEMARK_DISK_FULL' || code === 'TIDEMARK_TOO_MANY_FILES'
}

/**
 * Calls `make`, and once more at once if there was no room or no descriptor, because one failed call need not mean that there
 * is none. When it throws, `make` must have removed what it began, a file whose sync failed too, so that nothing has changed
 * and a second call begins anew.
 *
 * @throws LogError `TIDEMARK_DISK_FULL`, `TIDEMARK_TOO_MANY_FILES`, and only then it may be tried again; else what `make` throws.
 */
export function makingRoom<T>(directory: string, make: () => T): T {
  for (let triesLeft = 1; ; triesLeft--) {
    try {
      return make()
    } catch (error) {
      const shortage = shortageOf(error)
      if (!shortage) throw error
      if (triesLeft === 0)
        throw shortageError(directory, shortage, { reason: (error as Error).message }, { cause: error })
    }
  }
}

/** The refusal of a log that can't make its next segment. */
export function shortageError(
  directory: string,
  shortage: Shortage,
  details: Record<string, unknown> = {},
  options?: ErrorOptions,
): LogError {
  const files = shortage === 'files'
  return new LogError(
    files ? 'TIDEMARK_TOO_MANY_FILES' : 'TIDEMARK_DISK_FULL',
    files
      ? `The log in ${directory} takes nothing more for now, because no file descriptor is free for its next segment: close files, or raise the limit (ulimit -n).`
      : `The log in ${directory} takes nothing more for now, because the disk is full: free room for its next segment, let old log go, or use smaller segments.`,
    { directory, errno: files ? 'EMFILE' : 'ENOSPC', ...details },
    options,
  )
}

/**
 * What a thread that writes says of the disk: that it can't make what comes next for want of room or descriptors, and that
 * it can again; and that a segment could not be made ready for another reason.
 */
export type DiskMessage =
  | { readonly kind: 'disk-full'; readonly shortage: Shortage; readonly error: ErrorMessage }
  | { readonly kind: 'disk-ready' }
  | { readonly kind: 'preallocation-failed'; readonly error: ErrorMessage }
