import { ReplicationError } from '../../log/thread.js'
import { Compacted, LeaseEnded } from '../kv/kv.js'

/** What a gRPC client rejects with: the status of the call. */
export interface CallFailure {
  readonly code: number
  readonly details: string
}

/** The status codes that matter here (gRPC's own numbers). */
const status = {
  invalidArgument: 3,
  notFound: 5,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  outOfRange: 11,
  unauthenticated: 16,
} as const

/** Whether the token has become old, or none was needed before: a new one may do. */
export function needsToken(error: unknown): boolean {
  const { code, details = '' } = error as CallFailure
  return code === status.unauthenticated || /revision of auth store is old|user name is empty/.test(details)
}

/** Whether a node says that it knows no users: then none is needed. */
export function knowsNoUsers(error: unknown): boolean {
  const { code, details = '' } = error as CallFailure
  return code === status.failedPrecondition && /authentication is not enabled/.test(details)
}

/** What a failed call means, by its status. What is not known to be final counts as no answer. */
export function failureOf(name: string, error: unknown): Error {
  if (error instanceof ReplicationError || error instanceof Compacted) return error
  const { code, details = String(error) } = error as CallFailure
  const cause = { cause: error }
  const info = { reason: details, status: code }
  if (code === status.outOfRange && /compacted/.test(details)) return new Compacted(details)
  if (code === status.notFound && /lease/.test(details)) return new LeaseEnded()
  if (code === status.resourceExhausted && /space exceeded/.test(details)) {
    return new ReplicationError(
      'TIDEMARK_REPLICATION_FULL',
      `${name} takes nothing more, because its database has reached its quota. Nothing was lost; the log continues when there is room: raise --quota-backend-bytes, or compact and defragment it (etcdctl defrag), then etcdctl alarm disarm.`,
      info,
      cause,
    )
  }
  if (/request is too large|message larger than max/.test(details)) {
    return new ReplicationError(
      'TIDEMARK_REPLICATION_ENTRY',
      `${name} refuses requests as large as this entry: lower entryBytes, or raise its --max-request-bytes.`,
      info,
      cause,
    )
  }
  if (
    code === status.permissionDenied ||
    code === status.unauthenticated ||
    (code === status.invalidArgument && /authentication|user name|password/.test(details))
  ) {
    return new ReplicationError(
      'TIDEMARK_REPLICATION_DENIED',
      `${name} refuses this user: ${details}. Give a user that may read and write all keys under /tidemark/ followed by the pool's name.`,
      info,
      cause,
    )
  }
  return new ReplicationError(
    'TIDEMARK_REPLICATION_UNAVAILABLE',
    `${name} gave no answer: ${details}. What was asked for may or may not have been done; it is asked again. Look whether a majority of its nodes runs and can be reached.`,
    info,
    cause,
  )
}
