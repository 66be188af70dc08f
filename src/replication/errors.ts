import { TidemarkError } from '../base/errors.js'

export type ReplicationErrorCode =
  | 'TIDEMARK_FENCED'
  | 'TIDEMARK_STANDBY_BEHIND'
  | 'TIDEMARK_LOG_DIVERGED'
  | 'TIDEMARK_REPLICATION_UNAVAILABLE'
  | 'TIDEMARK_REPLICATION_FULL'
  | 'TIDEMARK_REPLICATION_DENIED'
  | 'TIDEMARK_REPLICATION_CORRUPT'
  | 'TIDEMARK_REPLICATION_ENTRY'
  | 'TIDEMARK_REPLICATION_NAME_IN_USE'
  | 'TIDEMARK_BAD_SETTING'
  | 'TIDEMARK_REPLICATION_PACKAGE_MISSING'
  | 'TIDEMARK_REPLICATION_CLOSED'
  | 'TIDEMARK_SEED_FAILED'

/** An error of a replicated log. What was acknowledged before it is in the log. */
export class ReplicationError extends TidemarkError {
  override readonly name = 'ReplicationError'
  declare readonly code: ReplicationErrorCode

  constructor(
    code: ReplicationErrorCode,
    message: string,
    details: Record<string, unknown> = {},
    options?: ErrorOptions,
  ) {
    super(code, message, details, options)
  }
}

/**
 * Whether a call that failed so may be made again, unchanged, until it succeeds: there was no answer
 * (`TIDEMARK_REPLICATION_UNAVAILABLE`) or no room (`TIDEMARK_REPLICATION_FULL`). Every other error is final.
 */
export function isPassing(error: unknown): error is ReplicationError {
  return (
    error instanceof ReplicationError &&
    (error.code === 'TIDEMARK_REPLICATION_UNAVAILABLE' || error.code === 'TIDEMARK_REPLICATION_FULL')
  )
}
