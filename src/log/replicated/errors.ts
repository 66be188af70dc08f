import { TidemarkError } from '../../base/errors.js'
import { shown } from '../../base/shown.js'

/** The codes of a `ReplicationError`. */
export type ReplicationErrorCode =
  /** Another epoch was taken: this primary is deposed, or another standby was promoted first. `details.current` is the epoch that holds now. Remedy: Send what was not acknowledged to the new primary with the same `requestId`; open this folder as a standby. See the [runbook](runbooks.md#a-primary-is-fenced). */
  | 'TIDEMARK_FENCED'
  /** The window of the replicated log has moved beyond what this folder has. `details.beginLsn` is where it begins. Remedy: Seed the folder anew (`seed`), or let the primary keep a larger `windowBytes`. See the [runbook](runbooks.md#a-standby-is-late). */
  | 'TIDEMARK_STANDBY_BEHIND'
  /** The folder and the replicated log hold different bytes at one LSN, or the folder continues where the replicated log ends. Remedy: A folder that was a primary's is opened as a standby, which cuts it; move any other away and seed anew. */
  | 'TIDEMARK_LOG_DIVERGED'
  /** Passing: no answer came. What was asked for may or may not have been done, and may still be done later. Remedy: Bring back a majority of the nodes, or the network to them; `details.reason` has what a node said. */
  | 'TIDEMARK_REPLICATION_UNAVAILABLE'
  /** Passing: the engine has no room. The quota of etcd is used up. Remedy: [Make room](replication-etcd.md#when-etcd-takes-nothing-more). */
  | 'TIDEMARK_REPLICATION_FULL'
  /** User, password, certificate or permission is refused. Remedy: Give a user that may read and write the pool's keys. */
  | 'TIDEMARK_REPLICATION_DENIED'
  /** A key of the pool holds what tidemark did not write, or the CRC of an entry does not fit. Remedy: Look at the key in `details.key`. If another program wrote it, delete the pool's keys and begin a new log. */
  | 'TIDEMARK_REPLICATION_CORRUPT'
  /** An entry is empty, no multiple of 8 bytes, above 1 MiB, or larger than the engine takes. Remedy: Lower `entryBytes`, or raise `--max-request-bytes` of etcd. */
  | 'TIDEMARK_REPLICATION_ENTRY'
  /** Another standby that is alive has this name. Remedy: Give each a name of its own. */
  | 'TIDEMARK_REPLICATION_NAME_IN_USE'
  /** An option of replication is not known, or its value is not allowed. Remedy: Correct it; the message says what is allowed. */
  | 'TIDEMARK_BAD_SETTING'
  /** The client of the engine is not installed. Remedy: `npm install @grpc/grpc-js@1` */
  | 'TIDEMARK_REPLICATION_PACKAGE_MISSING'
  /** The connection to the replicated log was closed before the call. Remedy: Connect again. */
  | 'TIDEMARK_REPLICATION_CLOSED'
  /** A standby could not be seeded. `details.url` is the address that it asked. Remedy: Look at that address, and at the room on the primary's disk; start the standby again. */
  | 'TIDEMARK_SEED_FAILED'

/** An error of a replicated log. What was acknowledged before it is in the log. */
export class ReplicationError extends TidemarkError {
  override readonly name = 'ReplicationError'
  /** What went wrong: one of the codes of docs/errors.md. */
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

/** Whether a call may succeed when it is made again later: there was no answer or no room, or rights that can be granted again. */
export function mayPass(error: unknown): error is ReplicationError {
  return (
    isPassing(error) || (error instanceof ReplicationError && error.code === 'TIDEMARK_REPLICATION_DENIED')
  )
}

/** A setting of replication that cannot be used; `allowed` completes the sentence "use …". */
export function badReplicationSetting(setting: string, value: unknown, allowed: string): ReplicationError {
  return new ReplicationError('TIDEMARK_BAD_SETTING', `${setting} is ${shown(value)}; use ${allowed}.`, {
    setting,
    value,
  })
}
